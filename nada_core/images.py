"""Pictures in and out: safe decoding of photos from strangers, PIL <-> tensor conversion, grids and PNG files.

Inside the engine a picture is a float tensor NCHW in [-1, 1]; this module is the only place that converts.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import warnings
from collections.abc import Mapping
from typing import Any, BinaryIO, Union, cast

import numpy as np
import torch
from PIL import Image, ImageCms, PngImagePlugin
from torch import Tensor

from nada_core.errors import PhotoError
from nada_core.files import write_bytes

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
    "save_png",
    "to_pil",
    "to_tensor",
]

PhotoSource = Union[str, "os.PathLike[str]", bytes, BinaryIO, Image.Image, np.ndarray]

MAX_BYTES = 25 * 1024 * 1024  # a 50 MP phone JPEG has 10-20 MB
MAX_PIXELS = 100_000_000
HALVE_ABOVE = 64_000_000  # larger pictures are halved while decoding; up to here a face is put back at the photo's own resolution
MIN_SIDE = 64  # below this no face has enough pixels to find landmarks on

_FORMATS = ("JPEG", "PNG", "WEBP")  # "JPEG" includes the multi-picture files of phones (MPO)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_ACCEPTED = "Use a JPEG, PNG, WebP or HEIC picture."

_ORIENTATION_TAG = 0x0112
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def limit_pillow() -> None:
    """Make Pillow itself refuse pictures above MAX_PIXELS, for the whole process.

    Web frameworks decode some uploads before this module sees them, so an app calls this once at its start.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode_photo(source: PhotoSource) -> Image.Image:
    """Decode a photo from an untrusted source.

    Args:
        source: file name, bytes, binary stream, PIL image, or uint8 array HxW, HxWx3 (RGB) or HxWx4 (RGBA).

    Returns:
        A new RGB image, turned upright by its EXIF orientation, alpha over white, sRGB, without any metadata; the first frame of
        an animation; pictures above 64 megapixels come at half size.

    Raises:
        PhotoError: unreadable, damaged, too large or too small. The message names at most the bare file name.
    """
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    if isinstance(source, Image.Image):
        return _finish(_checked_size(source, "The picture"), "The picture")
    if isinstance(source, (str, os.PathLike)):
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
    if image.width * image.height > HALVE_ABOVE:
        # JPEG only: the decoder itself delivers half size, so the full picture never exists in memory
        image.draft(None, (image.width // 2, image.height // 2))
    return _finish(image, name)


def is_heif(path: str | os.PathLike[str]) -> bool:
    """True for an HEIC or HEIF file, which :func:`decode_photo` reads and browsers do not show. False where there is no such file."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as stream:
            return _has_heif_brand(stream.read(12))
    except (OSError, ValueError):
        return False


def file_name(source: PhotoSource) -> str:
    """What messages may call a picture: the bare name of its file; empty where it comes without one."""
    return _bare_name(source) if isinstance(source, (str, os.PathLike)) else ""


def to_tensor(image: Image.Image) -> Tensor:
    """PIL image -> float tensor [1, 3, H, W] in [-1, 1]."""
    pixels = np.array(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.float32)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous() / 127.5 - 1


def to_pil(image: Tensor) -> Image.Image:
    """Tensor [3, H, W] or [1, 3, H, W] in [-1, 1] (values outside are clipped, NaN becomes grey) -> RGB image."""
    if image.ndim == 4 and image.shape[0] == 1:
        image = image[0]
    if image.ndim != 3 or image.shape[0] != 3:
        raise ValueError(f"expected a tensor [3, H, W] or [1, 3, H, W], got {list(image.shape)}")
    pixels = image.detach().float().cpu().nan_to_num(0.0).clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def grid(images: Tensor, columns: int, *, gap: int = 0) -> Image.Image:
    """Tensor [N, 3, H, W] in [-1, 1] -> one RGB sheet, row by row, `gap` white pixels between cells; a last row may be partly white."""
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
    info = PngImagePlugin.PngInfo()
    for key, value in (metadata or {}).items():
        info.add_text(key, value)
    buffer = io.BytesIO()  # encoded first, so that what fails below is the disk and nothing else
    _strip(image).save(buffer, "PNG", pnginfo=info)
    write_bytes(path, buffer.getbuffer())


def _bare_name(path: str | os.PathLike[str]) -> str:
    """The last part of a path, printable and short: messages go to web pages and must not show folders."""
    name = os.fspath(path).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = "".join(character for character in name if character.isprintable()) or "The picture"
    return name if len(name) <= 80 else name[:40] + "..." + name[-37:]


def _read_file(path: str | os.PathLike[str], name: str) -> bytes:
    """At most MAX_BYTES + 1 bytes of a regular file."""
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
    """At most MAX_BYTES + 1 bytes; read() may deliver less than asked."""
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
    """Read the header only."""
    formats = list(_FORMATS)
    heif = _has_heif_brand(data)
    if heif:
        try:
            import pillow_heif
        except ImportError:
            raise PhotoError(f"{name} is an HEIC picture, which this installation cannot read. Save it as JPEG and try again.") from None
        pillow_heif.register_heif_opener()
        formats.append("HEIF")
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
        if image.format == "PNG":  # decoding would not look at the check sums and show garbage
            Image.open(io.BytesIO(data), formats=formats).verify()
        return image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(f"{name} has more than {MAX_PIXELS // 10**6} megapixels. Save it smaller and try again.") from None
    except Exception:  # noqa: BLE001 - the decoders raise anything on hostile headers
        if heif or data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF")):
            raise PhotoError(f"{name} is damaged or incomplete. Save or download it again.") from None
        raise PhotoError(f"{name} is not a picture that can be read here. {_ACCEPTED}") from None


def _has_heif_brand(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS


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


def _finish(image: Image.Image, name: str) -> Image.Image:
    """Decode the pixels, then everything that makes a plain upright RGB picture of them."""
    try:
        orientation = _orientation(image)
        image.load()
        rgb = _to_rgb(image)
        if rgb.width * rgb.height > HALVE_ABOVE:
            rgb = rgb.reduce(2)
        if orientation in _ORIENTATIONS:
            rgb = rgb.transpose(_ORIENTATIONS[orientation])
        if rgb is image:
            return _strip(rgb)
        rgb.info = {}  # ours alone: at 64 megapixels another copy would cost 250 MB
        return rgb
    except PhotoError:
        raise
    except MemoryError:
        raise PhotoError(f"{name} needs more memory than there is. Save it smaller and try again.") from None
    except Exception:  # noqa: BLE001 - truncated and hostile files: OSError, SyntaxError, ValueError, EOFError, struct.error...
        raise PhotoError(f"{name} is damaged or incomplete. Save or download it again.") from None


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF is common and no reason to refuse the pixels
        return 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and not image.has_transparency_data:
        return _to_srgb(image)
    if image.mode.startswith("I"):  # 16 bits per pixel, also where Pillow stores them in 32
        wide = np.asarray(image).astype(np.float32)
        scale = 257.0 if image.mode.startswith("I;16") or wide.max() > 255 else 1.0
        return Image.fromarray(np.clip(np.rint(wide / scale), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise PhotoError("A picture of floating-point numbers has no known range. Convert it to 8-bit RGB first.")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        colours = rgba.convert("RGB")
        colours.info = dict(image.info)
        white.paste(_to_srgb(colours), mask=rgba.getchannel("A"))
        return white
    if image.mode == "CMYK":
        return _to_srgb(image)
    rgb = image.convert("RGB")
    rgb.info = dict(image.info)
    return _to_srgb(rgb)


def _to_srgb(image: Image.Image) -> Image.Image:
    """RGB or CMYK -> RGB, through the embedded colour profile where it has a usable one (phones write Display P3)."""
    profile = image.info.get("icc_profile")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, embedded, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return cast(Image.Image, converted)
    return image if image.mode == "RGB" else image.convert("RGB")


def _strip(image: Image.Image) -> Image.Image:
    """A copy with nothing but its pixels."""
    plain = image.copy()
    plain.info = {}
    return plain
