"""Read and write pictures: safe decoding of photos from strangers, PIL <-> tensor conversion, grids and PNG files.

What a file holds decides how it is read, never its name.

Inside the engine a picture is a float tensor NCHW in [-1, 1]; this module is the only place that converts.
"""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Mapping
from typing import Any, BinaryIO, Union

import numpy as np
import torch
from PIL import Image, PngImagePlugin, features
from torch import Tensor

from nada_core.errors import PhotoError
from nada_core.images import jpeg_file, png_file, webp_file
from nada_core.images.colour import to_srgb
from nada_core.images.isobmff import MediaFile, read_media, with_still_brands
from nada_core.images.orientation import turn_of
from nada_core.images.other_kinds import other_kind
from nada_core.images.pillow_files import coded_colours, file_behind
from nada_core.images.transparency import is_transparent, on_white
from nada_core.system.files import write_bytes

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MIN_SIDE",
    "PhotoSource",
    "decode_photo",
    "file_name",
    "grid",
    "is_heif",
    "limit_pillow",
    "png_bytes",
    "save_png",
    "to_pil",
    "to_tensor",
]

PhotoSource = Union[str, "os.PathLike[str]", bytes, BinaryIO, Image.Image, np.ndarray]

MAX_BYTES = 25 * 1024 * 1024  # a 50 MP phone JPEG has 10-20 MB
MAX_PIXELS = 100_000_000
HALVE_ABOVE = 64_000_000  # larger pictures are halved while decoding; up to here a face is put back at the photo's own resolution
MIN_SIDE = 64  # below this no face has enough pixels to find landmarks on

_ACCEPTED = "Use a JPEG, PNG, WebP, HEIC or AVIF picture."


def limit_pillow() -> None:
    """Make Pillow itself refuse pictures above MAX_PIXELS, for the whole process.

    Web frameworks decode some uploads before this module sees them, so an app calls this once at its start.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode_photo(source: PhotoSource, *, alpha: bool = False) -> Image.Image:
    """Decode a photo from an untrusted source.

    Args:
        source: file name, bytes, binary stream, PIL image, or uint8 array HxW, HxWx3 (RGB) or HxWx4 (RGBA).
        alpha: return a picture with transparent places as RGBA, instead of over white.

    Returns:
        A new RGB image, turned upright by its EXIF orientation, in sRGB, without any metadata; the first frame of an animation;
        pictures above 64 megapixels come at half size.

    Raises:
        PhotoError: unreadable, damaged, too large or too small. The message names at most the bare file name.
    """
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    if isinstance(source, Image.Image):
        data = file_behind(source, MAX_BYTES)
        if data is None:
            return _finish(_checked_size(source, "The picture"), "The picture", alpha, more=coded_colours(source, MAX_BYTES))
        source = data
    if isinstance(source, (str, os.PathLike)):
        if not os.fspath(source).strip():
            raise PhotoError("The name of a picture is empty. Give the name of a file.")
        name = _bare_name(source)
        data = _read_file(source, name)
    elif isinstance(source, (bytes, bytearray, memoryview)):
        name, data = "The picture", bytes(source)
    elif hasattr(source, "read"):
        name, data = "The picture", _read_stream(source)
    else:
        raise PhotoError(f"A picture is expected as file name, bytes, stream, PIL image or array, got {type(source).__name__}.")
    if not data:
        raise PhotoError(f"{name} is empty (0 bytes). {_ACCEPTED}")
    if len(data) > MAX_BYTES:
        raise PhotoError(f"{name} is larger than {MAX_BYTES // 2**20} MB. Save it smaller and try again.")
    image = _checked_size(_open(data, name), name)
    _draft(image)
    if image.format in ("JPEG", "MPO"):
        try:
            image.load()
        except OSError:  # its end is missing
            image = _without_end(data, name)
    return _finish(image, name, alpha, data)


def is_heif(path: str | os.PathLike[str]) -> bool:
    """Tell whether this is an HEIC or HEIF file, which :func:`decode_photo` reads and browsers do not show. False without a file."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as stream:
            media = read_media(stream.read(MAX_BYTES))
            return media is not None and media.kind == "HEIF"
    except (OSError, ValueError):
        return False


def file_name(source: PhotoSource) -> str:
    """Return what messages may call a picture: the bare name of its file; empty where it comes without one."""
    return _bare_name(source) if isinstance(source, (str, os.PathLike)) else ""


def to_tensor(image: Image.Image) -> Tensor:
    """Return a PIL image as a float tensor [1, 3, H, W] in [-1, 1]."""
    pixels = np.array(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.float32)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous() / 127.5 - 1


def to_pil(image: Tensor) -> Image.Image:
    """Return a tensor [3, H, W] or [1, 3, H, W] in [-1, 1] (values outside are clipped, NaN becomes grey) as an RGB image."""
    if image.ndim == 4 and image.shape[0] == 1:
        image = image[0]
    if image.ndim != 3 or image.shape[0] != 3:
        raise ValueError(f"expected a tensor [3, H, W] or [1, 3, H, W], got {list(image.shape)}")
    pixels = image.detach().float().cpu().nan_to_num(0.0).clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def grid(images: Tensor, columns: int, *, gap: int = 0) -> Image.Image:
    """Return a tensor [N, 3, H, W] in [-1, 1] as one RGB sheet, row by row, `gap` white pixels apart; a last row may be partly white."""
    if images.ndim != 4 or images.shape[1] != 3 or not len(images):
        raise ValueError(f"expected a tensor [N, 3, H, W] with N of at least 1, got {list(images.shape)}")
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    count, _, height, width = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), "white")
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        sheet.paste(to_pil(image), (column * (width + gap), row * (height + gap)))
    return sheet


def save_png(image: Image.Image, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write a PNG atomically: the file is complete or absent, an older one survives a failure. Missing folders are created.

    Args:
        image: what to write; its own metadata is not written.
        path: target file.
        metadata: PNG text entries, keyword -> text.

    Raises:
        NadaError: the folder is read-only, full, or no folder.
    """
    write_bytes(path, png_bytes(image, metadata))  # encoded first, so that what fails is the disk and nothing else


def png_bytes(image: Image.Image, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the content of the file that :func:`save_png` writes."""
    info = PngImagePlugin.PngInfo()
    for key, value in (metadata or {}).items():
        info.add_text(key, value)
    buffer = io.BytesIO()
    _strip(image).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def _bare_name(path: str | os.PathLike[str]) -> str:
    """Return the last part of a path, printable and short: messages go to web pages and must not show folders."""
    name = os.fspath(path).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = "".join(character for character in name if character.isprintable()) or "The picture"
    return name if len(name) <= 80 else name[:40] + "..." + name[-37:]


def _read_file(path: str | os.PathLike[str], name: str) -> bytes:
    """Return at most MAX_BYTES + 1 bytes of a regular file."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise PhotoError(f"{name} is not an ordinary file. {_ACCEPTED}")
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PhotoError(f"There is no file {name}. Check the name of the picture.") from None
    except IsADirectoryError:
        raise PhotoError(f"{name} is a folder, not a picture. Name a file in it.") from None
    except PermissionError:
        raise PhotoError(f"{name} may not be read: permission denied.") from None
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise PhotoError(f"{name} cannot be read. Check the name of the picture.") from None


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a named pipe would block for ever


def _read_stream(stream: Any) -> bytes:
    """Return at most MAX_BYTES + 1 bytes; read() may deliver less than asked."""
    chunks: list[bytes] = []
    wanted = MAX_BYTES + 1
    try:
        while wanted > 0 and (chunk := stream.read(wanted)):
            if not isinstance(chunk, bytes):
                raise PhotoError("The picture's stream delivers text. Open the file in binary mode.")
            chunks.append(chunk)
            wanted -= len(chunk)
    except (OSError, ValueError):
        raise PhotoError("The picture's stream cannot be read.") from None
    return b"".join(chunks)


def _open(data: bytes, name: str) -> Image.Image:
    """Read the header only, with the one decoder that the content asks for."""
    media = read_media(data)
    try:
        if media is not None:
            return _open_media(data, media, name)
        if data.startswith(png_file.SIGNATURE):
            return _open_png(data)
        # "JPEG" includes the multi-picture files of phones (MPO)
        return Image.open(io.BytesIO(webp_file.completed(data)), formats=("JPEG", "WEBP"))
    except PhotoError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(f"{name} has more than {MAX_PIXELS // 10**6} megapixels. Save it smaller and try again.") from None
    except Exception:  # noqa: BLE001 - the decoders raise anything on hostile headers
        raise _refusal(data, name) from None


def _refusal(data: bytes, name: str) -> PhotoError:
    """Return what is wrong with a file that no decoder could read."""
    kind, remedy = other_kind(data)
    if kind:
        return PhotoError(f"{name} is {kind}, which is not read here. {remedy}")
    begun = data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n")) or webp_file.is_webp(data)
    if begun or not data or read_media(data) is not None:
        return PhotoError(f"{name} is damaged or incomplete. Save or download it again.")
    return PhotoError(f"{name} is not a picture that can be read here. {_ACCEPTED}")


def _open_png(data: bytes) -> Image.Image:
    file = png_file.read_png(data)
    image = Image.open(io.BytesIO(file.data), formats=("PNG",))
    image.info |= {key: value for key, value in (("icc_profile", file.profile), ("cicp", file.cicp)) if value}
    if file.clear is not None:
        image.info["deep"] = file
    return image


def _open_media(data: bytes, media: MediaFile, name: str) -> Image.Image:
    """Open an HEIC or AVIF file; decoders ask for a first brand that they know."""
    if media.kind == "AVIF":
        if not features.check("avif"):
            raise PhotoError(f"{name} is an AVIF picture, which this installation cannot read. Save it as JPEG and try again.")
        image = Image.open(io.BytesIO(with_still_brands(data, media)), formats=("AVIF",))
        if media.nclx is not None:
            image.info["nclx_profile"] = {"color_primaries": media.nclx[0], "transfer_characteristics": media.nclx[1]}
        return image
    try:
        import pillow_heif
    except ImportError:
        raise PhotoError(f"{name} is an HEIC picture, which this installation cannot read. Save it as JPEG and try again.") from None
    pillow_heif.register_heif_opener()
    return Image.open(io.BytesIO(with_still_brands(data, media)), formats=("HEIF",))


def _draft(image: Image.Image) -> None:
    if image.width * image.height > HALVE_ABOVE:
        # JPEG only: the decoder itself delivers half size, so the full picture never exists in memory
        image.draft(None, (image.width // 2, image.height // 2))


def _without_end(data: bytes, name: str) -> Image.Image:
    """Open a JPEG whose end is missing as viewers do, if that is next to nothing of the picture."""
    try:
        whole = jpeg_file.completed(data)
    except Exception:  # noqa: BLE001 - the decoder raises anything
        whole = None
    if whole is None:
        raise _refusal(data, name)
    image = _open(whole, name)
    _draft(image)
    return image


def _checked_size(image: Image.Image, name: str) -> Image.Image:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"{name} has {width} x {height} pixels, more than {MAX_PIXELS // 10**6} megapixels. Save it smaller and try again."
        )
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"{name} has only {width} x {height} pixels; at least {MIN_SIDE} on the shorter side are needed. Use a larger one."
        )
    return image


def _from_array(array: np.ndarray) -> Image.Image:
    good_shape = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not good_shape:
        raise PhotoError(
            f"A picture array must be uint8 of shape HxW, HxWx3 or HxWx4, got {array.dtype} of shape {'x'.join(map(str, array.shape))}."
        )
    if not array.size:
        raise PhotoError("The picture array is empty.")
    return Image.fromarray(np.ascontiguousarray(array))


def _finish(image: Image.Image, name: str, alpha: bool, data: bytes = b"", more: dict[Any, Any] | None = None) -> Image.Image:
    """Decode the pixels, then make a plain upright RGB picture of them, or an RGBA one.

    Args:
        data: the picture's file, which says what is wrong where it cannot be decoded.
        more: is added to its ``info``.
    """
    try:
        image.load()
        if more:
            image = image.copy()  # the caller's stays as it is
            image.info |= more
        rgb = _to_rgb(image) if alpha else on_white(_to_rgb(image))
        if rgb.width * rgb.height > HALVE_ABOVE:
            rgb = rgb.reduce(2)
        if (turn := turn_of(image)) is not None:
            rgb = rgb.transpose(turn)
        if rgb is image:
            return _strip(rgb)
        rgb.info = {}  # the picture is ours alone: at 64 megapixels another copy would cost 250 MB
        return rgb
    except PhotoError:
        raise
    except MemoryError:
        raise PhotoError(f"{name} needs more memory than there is. Save it smaller and try again.") from None
    except Exception:  # noqa: BLE001 - truncated and hostile files: OSError, SyntaxError, ValueError, EOFError, struct.error...
        raise _refusal(data, name) from None


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return RGB in sRGB, or RGBA where there are transparent places."""
    if image.mode == "La":  # grey that was multiplied with its alpha: Pillow turns it into nothing but this
        image = image.convert("LA")
    if "deep" in image.info:  # 16 bits a channel, with a colour that stands for a transparent place
        places = png_file.clear_places(image.info.pop("deep"))
        rgb = to_srgb(image)
        if places.getextrema()[0] == 0:
            rgb.putalpha(places)
        return rgb
    if image.mode == "RGB" and not image.has_transparency_data:
        return to_srgb(image)
    if image.mode.startswith("I"):  # 16 bits per pixel, also where Pillow stores them in 32
        wide = np.asarray(image).astype(np.float32)
        scale = 257.0 if image.mode.startswith("I;16") or wide.max() > 255 else 1.0
        grey = Image.fromarray(np.clip(np.rint(wide / scale), 0, 255).astype(np.uint8))
        rgb = to_srgb(_like(grey, image))
        if isinstance(clear := image.info.get("transparency"), int):  # the value that stands for a transparent place
            rgb.putalpha(Image.fromarray(np.where(wide == clear, 0, 255).astype(np.uint8)))
        return rgb
    if image.mode == "F":
        raise PhotoError("A picture of floating-point numbers has no known range. Convert it to 8-bit RGB first.")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        colours = to_srgb(_like(rgba.convert("RGB"), image))
        if is_transparent(rgba):
            colours.putalpha(rgba.getchannel("A"))
        return colours
    if image.mode in ("CMYK", "L"):
        return to_srgb(image)
    return to_srgb(_like(image.convert("RGB"), image))


def _like(changed: Image.Image, image: Image.Image) -> Image.Image:
    """Give a picture what another's file says of its colours."""
    changed.info = dict(image.info)
    return changed


def _strip(image: Image.Image) -> Image.Image:
    """Return a copy with nothing but its pixels."""
    plain = image.copy()
    plain.info = {}
    return plain
