"""HEIC and AVIF under each other's names and brands."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from nada_core.errors import PhotoError
from nada_core.images.image_io import decode_photo, is_heif
from nada_core.images.isobmff import read_media


def _picture() -> Image.Image:
    y, x = np.mgrid[:96, :128]
    return Image.fromarray(np.stack([x * 2, y * 2, x * 0 + 60], -1).astype(np.uint8))


def _avif(**options: object) -> bytes:
    buffer = io.BytesIO()
    _picture().save(buffer, "AVIF", quality=95, **options)
    return buffer.getvalue()


def _heic() -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(_picture()).save(buffer, quality=95)
    return buffer.getvalue()


MAKERS = {"AVIF": _avif, "HEIF": _heic}
BRANDS = [
    b"avif",
    b"avis",
    b"mif1",
    b"mif2",
    b"msf1",
    b"miaf",
    b"heic",
    b"heix",
    b"hevc",
    b"heim",
    b"heis",
    b"hevm",
    b"hevs",
    b"hevx",
    b"1pic",
    b"MA1B",
]


def _branded(data: bytes, first: bytes, others: bytes | None = None) -> bytes:
    """Change a file's first brand, and all the others in place."""
    size = int.from_bytes(data[:4], "big")
    rest = data[16:size] if others is None else others * ((size - 16) // 4)
    return data[:8] + first + data[12:16] + rest + data[size:]


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("kind", MAKERS)
def test_what_a_file_holds_decides_not_its_brands(tmp_path: Path, kind: str, brand: bytes) -> None:
    data = MAKERS[kind]()
    for file in (_branded(data, brand), _branded(data, brand, brand)):
        media = read_media(file)
        assert media is not None and media.kind == kind
        path = tmp_path / "photo.jpg"
        path.write_bytes(file)
        assert is_heif(path) == (kind == "HEIF")  # browsers show AVIF
        for source in (file, path):
            decoded = decode_photo(source)
            assert decoded.size == (128, 96)
            assert np.abs(np.asarray(decoded, dtype=int) - np.asarray(_picture(), dtype=int)).mean() < 4


def test_animated_avif_shows_its_first_picture() -> None:
    data = _avif(save_all=True, append_images=[Image.new("RGB", (128, 96), "white")])
    for brand in (b"avis", b"msf1", b"mif1"):
        decoded = decode_photo(_branded(data, brand))
        assert np.abs(np.asarray(decoded, dtype=int) - np.asarray(_picture(), dtype=int)).mean() < 4


def test_orientation_of_avif_is_applied_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    _picture().transpose(Image.Transpose.ROTATE_90).save(buffer, "AVIF", quality=95, exif=exif)
    decoded = decode_photo(_branded(buffer.getvalue(), b"mif1"))
    assert decoded.size == (128, 96)
    assert np.abs(np.asarray(decoded, dtype=int) - np.asarray(_picture(), dtype=int)).mean() < 4


def test_films_and_damaged_files_are_told_apart() -> None:
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(200)
    assert read_media(film) is None
    with pytest.raises(PhotoError, match="is a film"):
        decode_photo(film)
    for make in MAKERS.values():
        data = make()
        for share in (0.1, 0.5, 0.9):
            with pytest.raises(PhotoError, match="damaged"):
                decode_photo(data[: int(len(data) * share)])


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _heif_of(item: bytes, pixels: bytes, brands: bytes) -> bytes:
    """A sound HEIF of one item."""

    def meta(place: int) -> bytes:
        handler = _box(b"hdlr", bytes(8), b"pict", bytes(13))
        primary = _box(b"pitm", bytes(4), struct.pack(">H", 1))
        location = _box(b"iloc", bytes(4), struct.pack(">BBHHHHII", 0x44, 0, 1, 1, 0, 1, place, len(pixels)))
        entry = _box(b"infe", b"\2\0\0\0", struct.pack(">HH", 1, 0), item, b"\0")
        items = _box(b"iinf", bytes(4), struct.pack(">H", 1), entry)
        size = _box(b"ipco", _box(b"ispe", bytes(4), struct.pack(">II", 128, 96)))
        described = _box(b"iprp", size, _box(b"ipma", bytes(4), struct.pack(">IHBB", 1, 1, 1, 1)))
        return _box(b"meta", bytes(4), handler, primary, location, items, described)

    kinds = _box(b"ftyp", brands[:4], bytes(4), brands)
    return kinds + meta(len(kinds) + len(meta(0)) + 8) + _box(b"mdat", pixels)


@pytest.mark.parametrize(
    ("item", "brands", "coding"),
    [
        (b"jpeg", b"mif1jpeg", "JPEG"),
        (b"jpeg", b"jpeg", "JPEG"),
        (b"j2k1", b"mif1j2ki", "JPEG 2000"),
        (b"j2k1", b"j2ki", "JPEG 2000"),
        (b"unci", b"mif1mif2", "uncompressed pixels"),
        (b"avc1", b"mif1avci", "H.264"),
        (b"avc1", b"avci", "H.264"),
        (b"vvc1", b"mif1vvic", "H.266"),
        (b"evc1", b"mif1evbi", "EVC"),
    ],
)
def test_a_heif_of_another_coding_is_named(item: bytes, brands: bytes, coding: str) -> None:
    data = _heif_of(item, os.urandom(4000), brands)
    media = read_media(data)
    assert media is not None and media.coding == coding and media.kind == "HEIF" and media.still
    with pytest.raises(PhotoError, match=rf"^The picture is an HEIF picture with {coding} inside, which is not read here\. Save or export"):
        decode_photo(data)


def test_a_small_picture_beside_one_that_is_read_is_not_the_files_coding() -> None:
    buffer = io.BytesIO()
    file = pillow_heif.from_pillow(_picture())
    file.info["thumbnails"] = [64]
    file.save(buffer, quality=95)
    data = buffer.getvalue()
    last = data.rindex(b"hvc1", 0, data.index(b"mdat"))
    mixed = data[:last] + b"jpeg" + data[last + 4 :]
    assert data.count(b"hvc1") == mixed.count(b"hvc1") + 1 > 1
    for make in (*MAKERS.values(), lambda: mixed):
        media = read_media(make())
        assert media is not None and not media.coding
    assert decode_photo(mixed).size == (128, 96)


def test_hostile_boxes_end() -> None:
    data = _avif()
    for place in range(0, 400, 4):
        for number in (b"\0\0\0\0", b"\0\0\0\1", b"\xff\xff\xff\xff"):
            read_media(data[:place] + number + data[place + 4 :])


def test_installation_without_avif_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nada_core.images.image_io.features.check", lambda feature: False)
    with pytest.raises(PhotoError, match="AVIF picture, which this installation cannot read"):
        decode_photo(_avif())
