"""Decoding of photos from strangers, and what is written back."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import torch
from PIL import Image, ImageCms, PngImagePlugin

from nada_core.errors import NadaError, PhotoError
from nada_core.images import image_io as images
from nada_core.images.image_io import decode_photo, grid, is_heif, save_png, to_pil, to_tensor
from tests.helpers.folders import ROOT


def _gradient(width: int = 120, height: int = 80) -> Image.Image:
    """Red grows to the right, green downwards."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 60)], -1).astype(np.uint8))


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _difference(a: Image.Image, b: Image.Image) -> float:
    return float(np.abs(np.asarray(a, dtype=float) - np.asarray(b, dtype=float)).mean())


def _png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [("PNG", {}, 0.0), ("WEBP", {"lossless": True}, 0.0), ("JPEG", {"quality": 95}, 2.0), ("WEBP", {"quality": 90}, 4.0)],
)
def test_formats_and_kinds_of_source(tmp_path: Path, kind: str, options: dict[str, object], tolerance: float) -> None:
    picture = _gradient()
    data = _encoded(picture, kind, **options)
    path = tmp_path / "photo.bin"  # the content counts, not the suffix
    path.write_bytes(data)
    for source in (path, str(path), data, io.BytesIO(data), Image.open(path)):
        decoded = decode_photo(source)
        assert decoded.mode == "RGB" and decoded.size == picture.size
        assert _difference(decoded, picture) <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_and_exif_removed(orientation: int) -> None:
    picture = _gradient()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = picture.transpose(undo[orientation]) if orientation in undo else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "camera maker"
    decoded = decode_photo(_encoded(stored, "JPEG", quality=95, exif=exif))
    assert decoded.size == picture.size
    assert _difference(decoded, picture) < 2
    assert not decoded.info and not dict(decoded.getexif())
    assert b"camera maker" not in _encoded(decoded, "JPEG")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("form", ['tiff:Orientation="6"', "<tiff:Orientation>6</tiff:Orientation>"])
def test_only_exif_turns_a_picture(kind: str, form: str) -> None:
    """Programs leave the orientation of the camera's file in XMP; no browser looks at it."""
    packet = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description {form}/></rdf:RDF></x:xmpmeta>"
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet)
        data = _encoded(_gradient(), "PNG", pnginfo=info)
    else:
        data = _encoded(_gradient(), kind, xmp=packet.encode())
    assert Image.open(io.BytesIO(data)).getexif()[0x0112] == 6  # Pillow takes it for EXIF's
    for source in (data, Image.open(io.BytesIO(data))):
        assert decode_photo(source).size == (120, 80)
    exif = Image.Exif()
    exif[0x0112] = 3
    options = {"pnginfo": info} if kind == "PNG" else {"xmp": packet.encode()}
    both = decode_photo(_encoded(_gradient(), kind, exif=exif, quality=95, **options))
    assert _difference(both, _gradient().transpose(Image.Transpose.ROTATE_180)) < 4  # EXIF's, not XMP's


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_is_no_reason_to_refuse() -> None:
    assert decode_photo(_encoded(_gradient(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")).size == (120, 80)


def test_alpha_goes_over_white() -> None:
    picture = _gradient().convert("RGBA")
    picture.putalpha(Image.new("L", picture.size, 0))
    picture.paste((200, 30, 40, 255), (0, 0, 60, 80))
    picture.paste((0, 0, 0, 128), (60, 0, 80, 80))
    for data in (_encoded(picture, "PNG"), _encoded(picture, "WEBP", lossless=True)):
        decoded = decode_photo(data)
        assert decoded.getpixel((10, 10)) == (200, 30, 40)
        assert decoded.getpixel((100, 10)) == (255, 255, 255)
        assert all(abs(value - 127) <= 1 for value in decoded.getpixel((70, 10)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB", "I;16"])
def test_transparency_is_kept_where_it_is_asked_for(mode: str) -> None:
    picture = Image.new("RGB", (90, 80), (180, 180, 180))
    picture.paste((40, 40, 40), (0, 0, 45, 80))
    options = {}
    if mode in ("RGBA", "LA"):
        picture = picture.convert(mode)
        picture.putalpha(Image.new("L", picture.size, 255))
        picture.paste((40, 0) if mode == "LA" else (40, 40, 40, 0), (0, 0, 45, 80))
    elif mode == "P":
        picture = picture.quantize(2)
        options["transparency"] = picture.getpixel((3, 3))
    elif mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
        options["transparency"] = 40 * 257
    else:
        picture = picture.convert(mode)
        options["transparency"] = 40 if mode == "L" else (40, 40, 40)
    data = _encoded(picture, "PNG", **options)
    kept, flat = decode_photo(data, alpha=True), decode_photo(data)
    assert kept.mode == "RGBA" and flat.mode == "RGB" and not kept.info
    assert kept.getpixel((3, 3))[3] == 0 and kept.getpixel((80, 3)) == (180, 180, 180, 255)
    assert flat.getpixel((3, 3)) == (255, 255, 255) and flat.getpixel((80, 3)) == (180, 180, 180)


def test_an_opaque_picture_is_rgb_whatever_its_mode() -> None:
    assert decode_photo(_encoded(_gradient().convert("RGBA"), "PNG"), alpha=True).mode == "RGB"
    assert decode_photo(np.zeros((70, 90, 4), np.uint8), alpha=True).mode == "RGBA"


def test_palettes_grey_and_bilevel() -> None:
    picture = _gradient()
    assert _difference(decode_photo(_encoded(picture.quantize(255), "PNG")), picture) < 6
    grey = picture.convert("L")
    assert _difference(decode_photo(_encoded(grey, "PNG")), grey.convert("RGB")) == 0
    assert _difference(decode_photo(_encoded(grey.convert("LA"), "PNG")), grey.convert("RGB")) == 0
    assert _difference(decode_photo(grey.convert("LA").convert("La")), grey.convert("RGB")) <= 1
    assert set(np.unique(np.asarray(decode_photo(_encoded(grey.convert("1"), "PNG"))))) == {0, 255}
    see_through = picture.quantize(4, dither=Image.Dither.NONE)
    index = see_through.getpixel((5, 5))
    assert decode_photo(_encoded(see_through, "PNG", transparency=index)).getpixel((5, 5)) == (255, 255, 255)


def test_sixteen_bits_keep_their_range() -> None:
    ramp = np.tile(np.linspace(0, 65535, 100).astype(np.uint16), (80, 1))
    decoded = np.asarray(decode_photo(_encoded(Image.fromarray(ramp), "PNG")))[0, :, 0]
    assert np.abs(decoded.astype(float) - ramp[0] / 257).max() <= 0.51


def test_cmyk() -> None:
    picture = Image.new("RGB", (90, 70), (200, 40, 60))
    assert _difference(decode_photo(_encoded(picture.convert("CMYK"), "JPEG", quality=95)), picture) < 3


def test_colour_profile_is_applied_and_a_broken_one_ignored() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = _gradient()
    assert _difference(decode_photo(_encoded(picture, "PNG", icc_profile=profile)), picture) < 1
    assert _difference(decode_photo(_encoded(picture, "PNG", icc_profile=b"no profile")), picture) == 0
    # the same profile with red and green exchanged must exchange the channels, or profiles are not looked at
    swapped = profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    red = Image.new("RGB", (80, 80), (255, 0, 0))
    assert decode_photo(_encoded(red, "PNG", icc_profile=swapped)).getpixel((5, 5))[1] > 200


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "lime", "blue")]
    data = _encoded(frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {}))
    assert decode_photo(data).getpixel((40, 40)) == (255, 0, 0)


def test_multi_picture_file_of_a_phone() -> None:
    data = _encoded(_gradient(), "MPO", save_all=True, append_images=[Image.new("RGB", (120, 80), "white")])
    assert _difference(decode_photo(data), _gradient()) < 3


@pytest.mark.heavy
def test_fifty_megapixel_photo_keeps_its_size_and_a_larger_one_is_halved() -> None:
    assert decode_photo(_encoded(Image.new("RGB", (8160, 6120), (180, 140, 120)), "JPEG")).size == (8160, 6120)
    assert decode_photo(_encoded(Image.new("RGB", (10000, 8000), (180, 140, 120)), "JPEG")).size == (5000, 4000)


@pytest.mark.heavy
def test_the_largest_photo_needs_two_copies_and_no_more(tmp_path: Path) -> None:
    """Peak memory of decoding 64 megapixels that have to be turned, in a process of its own."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: one more copy
    path = tmp_path / "large.jpg"
    Image.effect_noise((8660, 7360), 12).convert("RGB").save(path, quality=80, exif=exif)  # 17 MB
    code = (
        "import resource, sys; from nada_core.images.image_io import decode_photo\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); photo = decode_photo(sys.argv[1]); print(*photo.size, peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, cwd=ROOT)
    width, height, kilobytes = map(int, done.stdout.split())
    assert (width, height) == (7360, 8660) and kilobytes < 2.3 * 4 * 8660 * 7360 / 1024  # Pillow takes four bytes a pixel


def _heic(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, **options)
    return buffer.getvalue()


@pytest.mark.heavy
def test_heic_photos_of_phones(tmp_path: Path) -> None:
    picture, path = _gradient(640, 480), tmp_path / "IMG_0001.HEIC"
    path.write_bytes(_heic(picture, quality=90))
    for source in (path, path.read_bytes()):
        decoded = decode_photo(source)
        assert decoded.mode == "RGB" and decoded.size == (640, 480) and _difference(decoded, picture) < 4
    assert is_heif(path) and not is_heif(tmp_path / "none")
    (tmp_path / "photo.jpg").write_bytes(_encoded(picture, "JPEG"))
    assert not is_heif(tmp_path / "photo.jpg") and not is_heif(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode_photo(_heic(picture.transpose(Image.Transpose.ROTATE_90), quality=90, exif=exif.tobytes()))
    assert turned.size == (640, 480) and _difference(turned, picture) < 4 and not turned.info  # turned once, not twice
    whole = path.read_bytes()
    with pytest.raises(PhotoError, match="damaged"):
        decode_photo(whole[: len(whole) // 2])
    with pytest.raises(PhotoError, match="at least 64"):
        decode_photo(_heic(picture.resize((64, 32))))


@pytest.mark.parametrize("array", [np.zeros((70, 90), np.uint8), np.zeros((70, 90, 3), np.uint8), np.zeros((70, 90, 4), np.uint8)])
def test_arrays(array: np.ndarray) -> None:
    decoded = decode_photo(array)
    assert decoded.mode == "RGB" and decoded.size == (90, 70)
    assert decoded.getpixel((3, 3)) == ((255,) * 3 if array.shape[2:] == (4,) else (0,) * 3)  # fully transparent is white


@pytest.mark.parametrize("array", [np.zeros((70, 90)), *(np.zeros(shape, np.uint8) for shape in ((70, 90, 2), 70, (0, 90, 3)))])
def test_foreign_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(PhotoError):
        decode_photo(array)


def test_the_caller_keeps_its_picture() -> None:
    picture = _gradient()
    picture.info["note"] = "mine"
    decode_photo(picture).paste("white", (0, 0, 120, 80))
    assert picture.info == {"note": "mine"} and picture.getpixel((0, 0)) == (0, 0, 60)


def test_no_file_folder_and_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, words in (
        ("absent.jpg", "no file absent.jpg"),
        ("", "folder"),
        ("pipe.jpg", "not an ordinary file"),
        ("a\0b.jpg", "cannot be read"),
    ):
        with pytest.raises(PhotoError, match=words) as refusal:
            decode_photo(f"{tmp_path}/{name}")
        assert str(tmp_path) not in str(refusal.value)
    with pytest.raises(PhotoError):
        decode_photo(123)  # type: ignore[arg-type]


@pytest.mark.heavy
def test_pillow_itself_is_limited_by_an_app() -> None:
    """In a process of its own, since the limit is for the whole process."""
    code = (
        "import io, sys; from PIL import Image; from nada_core.images.image_io import limit_pillow; limit_pillow()\n"
        "try: Image.open(io.BytesIO(sys.stdin.buffer.read()))\n"
        "except Image.DecompressionBombWarning: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], input=_png_header(10001, 10000), capture_output=True, check=True)
    assert done.stdout.strip() == b"refused"


def test_tensor_round_trip_is_lossless() -> None:
    every_value = Image.fromarray(np.arange(256 * 3, dtype=np.uint32).reshape(16, 16, 3).astype(np.uint8))
    tensor = to_tensor(every_value)
    assert tensor.shape == (1, 3, 16, 16) and tensor.dtype == torch.float32 and tensor.min() == -1 and tensor.max() == 1
    assert _difference(to_pil(tensor), every_value) == 0 == _difference(to_pil(tensor[0]), every_value)


def test_to_pil_clips_and_checks() -> None:
    tensor = torch.tensor([-3.0, 3.0, float("nan")]).view(3, 1, 1)
    assert to_pil(tensor).getpixel((0, 0)) == (0, 255, 128)
    for shape in ((2, 3, 4, 4), (1, 4, 4), (4, 4)):
        with pytest.raises(ValueError, match="expected a tensor"):
            to_pil(torch.zeros(shape))


def test_grid_places_pictures_row_by_row() -> None:
    values = torch.tensor([-1.0, -0.5, 0.0]).view(3, 1, 1, 1).expand(3, 3, 10, 20)
    sheet = grid(values, 2, gap=2)
    assert sheet.size == (42, 22)
    assert [sheet.getpixel(spot)[0] for spot in ((5, 5), (30, 5), (5, 15), (30, 15), (21, 5))] == [0, 64, 128, 255, 255]
    assert grid(values, 9).size == (60, 10)
    with pytest.raises(ValueError, match="at least 1"):
        grid(values, 0)


def test_save_png_keeps_text_and_drops_the_photos_own(tmp_path: Path) -> None:
    picture = _gradient()
    picture.info["exif"] = b"Exif\0\0secret place"
    target = tmp_path / "new" / "out.png"
    save_png(picture, target, {"prompt": "Joker", "source": "лицо"})
    written = Image.open(target)
    assert isinstance(written, PngImagePlugin.PngImageFile)
    assert written.text == {"prompt": "Joker", "source": "лицо"} and _difference(written, _gradient()) == 0
    assert b"secret place" not in target.read_bytes()
    assert [file.name for file in target.parent.iterdir()] == ["out.png"]


@pytest.mark.parametrize(("number", "words"), [(28, "full"), (30, "read-only"), (13, "read-only"), (5, "Choose another")])
def test_save_png_failing_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    target = tmp_path / "out.png"
    target.write_bytes(b"older")

    def failing(_: int) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path))

    monkeypatch.setattr(images.os, "fsync", failing)
    with pytest.raises(NadaError, match=words) as refusal:
        save_png(_gradient(), target)
    assert str(tmp_path) not in str(refusal.value)
    assert target.read_bytes() == b"older" and len(list(tmp_path.iterdir())) == 1


def test_save_png_interrupted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(images.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_png(_gradient(), tmp_path / "out.png")
    assert not list(tmp_path.iterdir())


def test_save_png_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NadaError, match="is a file"):
        save_png(_gradient(), tmp_path / "file" / "out.png")
