"""PNG files with more than pixels in them, or less."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from nada_core.errors import PhotoError
from nada_core.images.image_io import decode_photo
from tests.images.test_colour import chunk


def _picture() -> Image.Image:
    y, x = np.mgrid[:90, :120]
    return Image.fromarray(np.stack([x * 2, y * 2, x + y], -1).astype(np.uint8))


def _png(picture: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (picture or _picture()).save(buffer, "PNG", **options)
    return buffer.getvalue()


def _with(data: bytes, *chunks: bytes, late: bool = False) -> bytes:
    """Put chunks behind the header, or before the end."""
    place = len(data) - 12 if late else 33
    return data[:place] + b"".join(chunks) + data[place:]


LONG = b"workflow of a generator " * 200_000  # 5 MB
PART = zlib.compress(LONG[:1_000_000])
TEXTS = {
    "zTXt": lambda: chunk(b"zTXt", b"parameters\0\0" + zlib.compress(LONG)),
    "iTXt": lambda: chunk(b"iTXt", b"parameters\0\1\0\0\0" + zlib.compress(LONG)),
    "tEXt": lambda: chunk(b"tEXt", b"parameters\0" + LONG),
    "many": lambda: b"".join(chunk(b"zTXt", b"part%d\0\0" % n + PART) for n in range(80)),
    "bomb": lambda: chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(80_000_000), 1)),
    "nonsense": lambda: chunk(b"zTXt", b"no end of its name") + chunk(b"iTXt", b"") + chunk(b"tEXt", b"\0"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_text_does_not_matter_however_long(kind: str) -> None:
    limits, text = (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY), TEXTS[kind]()
    for late in (False, True):
        assert np.array_equal(decode_photo(_with(_png(), text, late=late)), _picture())
    assert limits == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)  # other users of Pillow keep theirs


def test_a_long_profile_is_applied() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    padded = bytearray(swapped + os.urandom(1 << 20) + bytes(1 << 20))  # more than 1 MB, as those of printers are
    padded[:4] = struct.pack(">I", len(padded))
    data = _png(Image.new("RGB", (80, 80), (255, 0, 0)))
    assert decode_photo(_with(data, chunk(b"iCCP", b"printer\0\0" + zlib.compress(bytes(padded))))).getpixel((5, 5))[1] > 200
    for broken in (b"printer\0\0" + b"not packed", b"no end of its name", b"bomb\0\0" + zlib.compress(bytes(80_000_000), 1)):
        assert decode_photo(_with(data, chunk(b"iCCP", broken))).getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("lost", [1, 4, 11, 12, 14, 16, 20])
def test_a_lost_end_is_no_reason_to_refuse(lost: int) -> None:
    """Up to the check sums of the pixels."""
    assert np.array_equal(decode_photo(_png()[:-lost]), _picture())


def test_damaged_extras_are_left_out_and_damaged_pixels_named() -> None:
    data = _png()
    extra = bytearray(chunk(b"gAMA", struct.pack(">I", 100000)))
    extra[-1] ^= 1
    assert np.array_equal(decode_photo(_with(data, bytes(extra))), _picture())
    pixels = bytearray(data)
    pixels[len(data) // 2] ^= 1
    with pytest.raises(PhotoError, match="damaged"):
        decode_photo(bytes(pixels))


def test_orientation_after_the_pixels_and_transparency_are_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode_photo(_with(_png(), chunk(b"eXIf", exif.tobytes()[6:]), late=True))
    assert turned.size == (90, 120)
    assert decode_photo(_png(_picture().quantize(8), transparency=bytes(8))).getpixel((3, 3)) == (255, 255, 255)


def test_a_file_with_text_is_read_from_disk_too(tmp_path: Path) -> None:
    (tmp_path / "from a generator.png").write_bytes(_with(_png(), TEXTS["iTXt"]()))
    assert decode_photo(tmp_path / "from a generator.png").size == (120, 90)


def _deep(values: np.ndarray, clear: tuple[int, int, int]) -> bytes:
    """A PNG of 16 bits a channel in which a colour stands for a transparent place."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tRNS", struct.pack(">3H", *clear)) + pixels + chunk(b"IEND", b"")


def test_a_transparent_colour_of_sixteen_bits_is_found_exactly() -> None:
    values = np.full((90, 120, 3), 40_000)
    values[:30] = clear = (1000, 2000, 3000)
    values[30:60] = (1001, 2000, 3000)  # the same in 8 bits
    decoded = np.asarray(decode_photo(_deep(values, clear), alpha=True))
    assert decoded.shape[2] == 4 and not decoded[:30, :, 3].any() and (decoded[30:, :, 3] == 255).all()
    assert tuple(decoded[40, 5, :3]) == (3, 7, 11) and abs(int(decoded[70, 5, 0]) - 40_000 / 257) <= 1
    assert (np.asarray(decode_photo(_deep(values, clear)))[:30] == 255).all()  # over white
    assert decode_photo(_deep(values, (9, 9, 9)), alpha=True).mode == "RGB"


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("unused", [0, 0xFF00])
def test_a_transparent_grey_is_found_whatever_its_bits(bits: int, unused: int) -> None:
    """Of a value of two bytes, the bits of a pixel count."""
    count = 1 << bits
    values = np.tile(np.repeat(np.arange(count), 128 // count if count < 128 else 1), (90, 1))
    width = values.shape[1]
    coded = np.unpackbits(values[..., None].astype(np.uint8), axis=-1)[..., -bits:].reshape(90, -1)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in coded)
    clear = count // 2
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 90, bits, 0, 0, 0, 0))
    parts = header + chunk(b"tRNS", struct.pack(">H", clear | unused)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    decoded = np.asarray(decode_photo(b"\x89PNG\r\n\x1a\n" + parts, alpha=True))
    assert decoded.shape[2] == 4 and np.array_equal(decoded[..., 3] == 0, values == clear)
    assert np.array_equal(decoded[..., 0], values * 255 // (count - 1))


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_values_of_television_are_widened(mode: str) -> None:
    picture = _picture().convert(mode)
    narrow = picture.point([round(16 + value * 219 / 255) for value in range(256)] * len(picture.getbands()))
    decoded = decode_photo(_with(_png(narrow), chunk(b"cICP", bytes((1, 13, 0, 0)))))
    assert np.abs(np.asarray(decoded).astype(int) - np.asarray(picture.convert("RGB"))).max() <= 1
    assert np.array_equal(decode_photo(_with(_png(), chunk(b"cICP", bytes((1, 13, 0, 1))))), _picture())
