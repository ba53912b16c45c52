"""Pictures that the caller opened with Pillow are read as their files are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nada_core.errors import PhotoError
from nada_core.images.image_io import decode_photo
from nada_core.images.pillow_files import coded_colours, file_behind
from tests.images.test_colour import P3, PLAIN, avif, bars, cicp, png, shown


def _jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((320, 240)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


WIDE = {"AVIF": lambda: avif(12, 13), "PNG": lambda: png(cicp(12, 13))}


@pytest.mark.parametrize("kind", WIDE)
@pytest.mark.parametrize("state", ["opened", "opened by name", "loaded by name", "closed by name"])
def test_colours_are_those_of_the_file(kind: str, state: str, tmp_path: Path) -> None:
    data, path = WIDE[kind](), tmp_path / "photo"
    path.write_bytes(data)
    with Image.open(path) as image:
        if state == "loaded by name":
            image.load()
    if state.startswith("opened"):
        image = Image.open(io.BytesIO(data) if state == "opened" else path)
    assert np.abs(shown(image) - P3).max() <= 5


@pytest.mark.parametrize("cut", [1, 2, 12])
def test_a_lost_end_is_no_reason_to_refuse(cut: int) -> None:
    data = _jpeg()[:-cut]
    assert np.array_equal(decode_photo(Image.open(io.BytesIO(data))), decode_photo(data))
    with pytest.raises(PhotoError, match="damaged"):
        decode_photo(Image.open(io.BytesIO(data[: len(data) // 2])))


def test_the_callers_picture_and_stream_stay_as_they_are() -> None:
    stream = io.BytesIO(png(cicp(12, 13)))
    image = Image.open(stream)
    place = stream.tell()
    decode_photo(image)
    assert stream.tell() == place and "cicp" not in image.info
    assert np.array_equal(image, bars())  # Pillow can still read on


@pytest.mark.parametrize("kind", WIDE)
def test_what_was_painted_on_a_picture_is_not_lost(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(WIDE[kind]())
    image = Image.open(path)
    image.paste((0, 0, 0), (0, 0, 80, 96))
    expected = [(0, 0, 0), *P3[1:]]
    assert np.abs(shown(image) - expected).max() <= 5


def test_another_frame_or_size_is_the_callers_choice() -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "lime")]
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    image = Image.open(buffer)
    image.seek(1)
    assert decode_photo(image).getpixel((40, 40)) == (0, 255, 0)
    small = Image.open(io.BytesIO(_jpeg()))
    small.draft(None, (160, 120))
    assert decode_photo(small).size == (160, 120)


def test_a_closed_picture_is_refused_in_words() -> None:
    image = Image.open(io.BytesIO(png(cicp(12, 13))))
    image.close()
    with pytest.raises(PhotoError, match="damaged"):
        decode_photo(image)


def test_a_picture_of_no_file_or_too_large_a_one_is_taken_as_it_is() -> None:
    data = png(cicp(12, 13))
    for image in (bars(), Image.open(io.BytesIO(data)).copy()):
        assert file_behind(image, 10**9) is None and not coded_colours(image, 10**9)
    assert file_behind(Image.open(io.BytesIO(data)), len(data)) == data
    assert file_behind(Image.open(io.BytesIO(data)), len(data) - 1) is None
    assert np.abs(shown(bars()) - PLAIN).max() == 0
