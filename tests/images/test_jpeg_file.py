"""JPEG files that lack their end."""

from __future__ import annotations

import functools
import io

import numpy as np
import pytest
from PIL import Image

from nada_core.errors import PhotoError
from nada_core.images.image_io import decode_photo

KINDS = {
    "baseline": {"quality": 90},
    "grey": {"quality": 90},
    "progressive": {"quality": 90, "progressive": True},
    "restarts by row": {"quality": 90, "restart_marker_rows": 1},
    "restarts by block": {"quality": 90, "restart_marker_blocks": 1},
}


def _photo(width: int = 640, height: int = 480) -> Image.Image:
    """Something to see in every place."""
    return _drawn(width, height).copy()


@functools.cache
def _drawn(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 12, (height, width, 3))
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.clip(np.stack([x * 200 / width, y * 200 / height, x * 0 + 90], -1) + 20 + noise, 0, 255).astype(np.uint8))


@functools.cache
def _whole(kind: str) -> tuple[bytes, np.ndarray]:
    """The photo as a file of this kind, and what is seen of it."""
    data = _jpeg(kind)
    return data, np.asarray(decode_photo(data), dtype=int)


@functools.cache
def _without_black(optimise: bool) -> tuple[bytes, np.ndarray]:
    buffer = io.BytesIO()  # its black has no detail: the scans of it are some bytes, at the file's end
    _photo().convert("CMYK").save(buffer, "JPEG", quality=90, progressive=True, optimize=optimise)
    return buffer.getvalue(), np.asarray(decode_photo(buffer.getvalue()), dtype=int)


def _jpeg(kind: str, photo: Image.Image | None = None) -> bytes:
    buffer, photo = io.BytesIO(), photo or _photo()
    (photo.convert("L") if kind == "grey" else photo).save(buffer, "JPEG", **KINDS[kind])
    return buffer.getvalue()


@pytest.mark.parametrize("lost", [1, 2, 3, 12, 200])
@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_end_is_no_reason_to_refuse(kind: str, lost: int) -> None:
    data, whole = _whole(kind)
    read = np.asarray(decode_photo(data[:-lost]), dtype=int)
    assert whole.shape == read.shape
    changed = np.abs(whole - read).max(-1) > 30
    assert changed.mean() < (0.001 if lost < 20 else 0.05)


@pytest.mark.parametrize("lost", [1, 3, 5, 8, 12, 20])
@pytest.mark.parametrize("optimise", [False, True])
def test_the_last_scan_of_what_shows_nothing_may_be_missing(lost: int, optimise: bool) -> None:
    data, whole = _without_black(optimise)
    read = np.asarray(decode_photo(data[:-lost]), dtype=int)
    assert np.abs(whole - read).max() <= 1


def test_the_last_scan_of_what_shows_something_may_not_be_missing() -> None:
    cyan, magenta, yellow, _ = _photo().convert("CMYK").split()
    buffer = io.BytesIO()
    Image.merge("CMYK", (cyan, magenta, yellow, _photo().convert("L"))).save(buffer, "JPEG", quality=90, progressive=True)
    data = buffer.getvalue()
    assert decode_photo(data[:-12]).size == (640, 480)
    for end in (data.rfind(b"\xff\xda"), data.rfind(b"\xff\xda") + 4, len(data) - 3000):
        with pytest.raises(PhotoError, match="damaged or incomplete"):
            decode_photo(data[:end])


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_part_is_named(kind: str, share: float) -> None:
    data, _ = _whole(kind)
    with pytest.raises(PhotoError, match=r"^The picture is damaged or incomplete\. Save or download it again\.$"):
        decode_photo(data[: round(len(data) * share)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_flat_lower_part_is_not_taken_for_a_lost_one(kind: str) -> None:
    night = _photo()
    night.paste((0, 0, 0), (0, 200, 640, 480))
    assert decode_photo(_jpeg(kind, night)[:-2]).size == (640, 480)


def test_orientation_and_profile_of_a_file_without_end() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    _photo().save(buffer, "JPEG", exif=exif)
    assert decode_photo(buffer.getvalue()[:-4]).size == (480, 640)


def test_phones_file_of_several_pictures_that_lost_the_end() -> None:
    buffer = io.BytesIO()
    _photo().save(buffer, "MPO", save_all=True, append_images=[_photo(320, 240)])
    data = buffer.getvalue()
    first = np.asarray(decode_photo(data), dtype=int)
    for lost in (2, 3000, len(data) // 5):  # of the second picture
        assert np.abs(np.asarray(decode_photo(data[:-lost]), dtype=int) - first).max() == 0
    with pytest.raises(PhotoError, match="damaged"):
        decode_photo(data[: len(data) // 3])


def test_bytes_after_the_end_do_not_matter() -> None:
    assert decode_photo(_jpeg("baseline") + b"\0" * 1000).size == (640, 480)
