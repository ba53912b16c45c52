"""Colours described by numbers, beside what Chromium 156 shows of the same files (read from a canvas)."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from nada_core.images.colour import ColourSpace, coded_space, icc_profile, space_of
from nada_core.images.image_io import decode_photo

COLOURS = [(240, 10, 10), (200, 150, 120), (255, 0, 0), (30, 30, 30), (128, 128, 128), (255, 255, 255), (10, 10, 10)]
PLAIN = COLOURS
P3 = [(255, 0, 0), (209, 147, 115), (255, 0, 0), (30, 30, 30), (128, 128, 128), (255, 255, 255), (10, 10, 10)]
LINEAR = [(248, 56, 56), (229, 202, 183), (255, 0, 0), (96, 96, 96), (188, 188, 188), (255, 255, 255), (56, 56, 56)]
PQ = [(255, 0, 0), (255, 68, 41), (255, 0, 0), (4, 4, 4), (132, 132, 132), (255, 255, 255), (0, 0, 0)]
HLG = [(255, 0, 0), (227, 114, 93), (255, 0, 0), (13, 13, 13), (99, 99, 99), (255, 255, 255), (1, 1, 1)]
GAMMA = [(240, 3, 3), (201, 151, 121), (255, 0, 0), (24, 24, 24), (129, 129, 129), (255, 255, 255), (3, 3, 3)]
P3_GAMMA = [(255, 0, 0), (210, 149, 116), (255, 0, 0), (24, 24, 24), (129, 129, 129), (255, 255, 255), (3, 3, 3)]
ADOBE = [(255, 3, 3), (217, 151, 119), (255, 0, 0), (24, 24, 24), (129, 129, 129), (255, 255, 255), (3, 3, 3)]
VIDEO = [(239, 1, 1), (197, 144, 113), (255, 0, 0), (18, 18, 18), (121, 121, 121), (255, 255, 255), (1, 1, 1)]
WIDE_VIDEO = [(255, 0, 0), (225, 136, 106), (255, 0, 0), (18, 18, 18), (121, 121, 121), (255, 255, 255), (1, 1, 1)]
NTSC = [(233, 34, 0), (194, 145, 112), (248, 36, 0), (18, 18, 18), (121, 121, 121), (255, 255, 255), (1, 1, 1)]
PAL = [(241, 0, 0), (191, 131, 98), (255, 0, 0), (8, 8, 8), (106, 106, 106), (255, 255, 255), (0, 0, 0)]


def bars(width: int = 80) -> Image.Image:
    picture = Image.new("RGB", (width * len(COLOURS), 96))
    for number, colour in enumerate(COLOURS):
        picture.paste(colour, (number * width, 0, number * width + width, 96))
    return picture


def shown(data: bytes | Image.Image) -> np.ndarray:
    decoded = decode_photo(data)
    assert decoded.mode == "RGB" and not decoded.info
    width = decoded.width / len(COLOURS)
    return np.array([decoded.getpixel((int((number + 0.5) * width), 48)) for number in range(len(COLOURS))], dtype=int)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, picture: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (picture or bars()).save(buffer, "PNG", **options)
    return buffer.getvalue()[:33] + b"".join(chunks) + buffer.getvalue()[33:]


def cicp(primaries: int, transfer: int) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def gama(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 1e5)))


def chrm(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 1e5) for value in values)))


P3_XY = chrm(0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
SRGB_XY = chrm(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
ADOBE_XY = chrm(0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
SRGB_CHUNK = chunk(b"sRGB", b"\0")


def avif(primaries: int, transfer: int) -> bytes:
    buffer = io.BytesIO()
    bars().save(buffer, "AVIF", quality=100, subsampling="4:4:4")
    data = bytearray(buffer.getvalue())
    place = data.index(b"colrnclx") + 8
    data[place : place + 4] = struct.pack(">HH", primaries, transfer)
    return bytes(data)


def heic(primaries: int, transfer: int) -> bytes:
    buffer = io.BytesIO()
    file = pillow_heif.from_pillow(bars())
    file.save(buffer, quality=100, chroma=444, color_primaries=primaries, transfer_characteristics=transfer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([], PLAIN),
        ([cicp(12, 13)], P3),
        ([cicp(12, 13), SRGB_CHUNK], P3),
        ([cicp(2, 2)], PLAIN),
        ([cicp(1, 13)], PLAIN),
        ([cicp(1, 8)], LINEAR),
        ([cicp(1, 4)], GAMMA),
        ([cicp(1, 1)], VIDEO),
        ([cicp(9, 14)], WIDE_VIDEO),
        ([cicp(6, 6)], NTSC),
        ([cicp(5, 5)], PAL),
        ([cicp(9, 16)], PQ),
        ([cicp(9, 18)], HLG),
        ([gama(1.0)], LINEAR),
        ([gama(0.45455)], PLAIN),
        ([gama(0.45455), SRGB_XY], GAMMA),
        ([gama(0.45455), P3_XY], P3_GAMMA),
        ([P3_XY, gama(0.45455)], P3_GAMMA),
        ([gama(0.45455), ADOBE_XY], ADOBE),
        ([P3_XY], PLAIN),
        ([SRGB_CHUNK, gama(1.0)], PLAIN),
    ],
)
def test_png_described_by_numbers(chunks: list[bytes], expected: list[tuple[int, int, int]]) -> None:
    assert np.abs(shown(png(*chunks)) - expected).max() <= 2


@pytest.mark.parametrize("make", [avif, heic])
@pytest.mark.parametrize(
    ("primaries", "transfer", "expected"),
    [
        (1, 13, PLAIN),
        (12, 13, P3),
        (12, 1, P3),
        (1, 1, PLAIN),
        (2, 2, PLAIN),
        (1, 4, GAMMA),
        (1, 8, LINEAR),
        (9, 16, PQ),
        (9, 18, HLG),
    ],
)
def test_heic_and_avif_described_by_numbers(make: object, primaries: int, transfer: int, expected: list[tuple[int, int, int]]) -> None:
    # their coding alone moves colours by 2, and a curve that is steep there (linear light, PQ) makes more of it
    allowed = {16: 12, 18: 8, 8: 26}.get(transfer, 5)
    assert np.abs(shown(make(primaries, transfer)) - expected).max() <= allowed


def test_skin_of_a_phone_is_not_off_by_a_level() -> None:
    for data in (avif(12, 13), heic(12, 13)):
        assert np.abs(shown(data)[1] - P3[1]).max() <= 2


def test_a_profile_goes_before_numbers_and_cicp_before_a_profile() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.abs(shown(png(gama(1.0), icc_profile=srgb)) - PLAIN).max() <= 1
    assert np.abs(shown(png(cicp(12, 13), icc_profile=srgb)) - P3).max() <= 2


def test_grey_palette_and_transparent_pictures_are_described_too() -> None:
    grey = [(value,) * 3 for value in (np.asarray(bars().convert("L"))[0, 40::80])]
    light = 255 * np.where(
        np.array(grey) / 255 <= 0.0031308, np.array(grey) / 255 * 12.92, 1.055 * (np.array(grey) / 255) ** (1 / 2.4) - 0.055
    )
    for picture in (bars().convert("L"), bars().convert("LA"), Image.fromarray(np.asarray(bars().convert("L")).astype(np.uint16) * 257)):
        assert np.abs(shown(png(gama(1.0), picture=picture)) - light).max() <= 2
        assert np.abs(shown(png(cicp(12, 13), picture=picture)) - grey).max() <= 1  # grey is grey in every space
    for picture in (bars().quantize(8), bars().convert("RGBA")):
        assert np.abs(shown(png(cicp(12, 13), picture=picture)) - P3).max() <= 2


def test_grey_profile_is_applied() -> None:
    def grey_profile(exponent: float) -> bytes:
        whole = icc_profile(ColourSpace((0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06), exponent))
        return whole.replace(b"mntrRGB ", b"mntrGRAY", 1).replace(b"rTRC", b"kTRC", 1)

    values = np.array([10, 60, 120, 180, 220, 240, 255])
    picture = Image.fromarray(np.repeat(values, 80)[None].repeat(96, 0).astype(np.uint8))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=100, icc_profile=grey_profile(1.0))
    light = 255 * (1.055 * (values / 255) ** (1 / 2.4) - 0.055)
    assert np.abs(shown(buffer.getvalue()) - light[:, None]).max() <= 3


def test_numbers_that_describe_nothing_are_no_reason_to_refuse() -> None:
    same = chrm(*([0.3] * 8))
    for chunks in (
        [gama(0.00001)],
        [gama(0.45455), same],
        [gama(0.45455), chrm(*([0.0] * 8))],
        [cicp(200, 200)],
        [chunk(b"cICP", b"\x0c")],
    ):
        assert np.abs(shown(png(*chunks)) - PLAIN).max() <= 2


def test_profile_of_numbers_is_the_published_one() -> None:
    """Display P3's columns as in Apple's profile."""
    space = coded_space(12, 13)
    assert space is not None
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile(space))).profile
    published = [(0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)]
    for column, values in zip((profile.red_colorant, profile.green_colorant, profile.blue_colorant), published):
        assert np.allclose(column[0], values, atol=4e-4)


def test_hdr_by_a_profiles_code_points() -> None:
    body = b"cicp" + bytes(4) + bytes([9, 16, 0, 1])
    tagged = bytearray(128) + struct.pack(">I4s2I", 1, b"cicp", 144, len(body)) + body
    assert np.abs(shown(png(icc_profile=bytes(tagged))) - PQ).max() <= 2


def test_a_picture_opened_by_the_caller_is_described_too() -> None:
    assert space_of({"gamma": 1.0}) == coded_space(1, 8)
    assert np.abs(shown(Image.open(io.BytesIO(png(gama(1.0))))) - LINEAR).max() <= 2
