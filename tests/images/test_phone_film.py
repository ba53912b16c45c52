"""Films for phones: upright, H.264, the right colours, and marked as made by AI."""

from __future__ import annotations

import io

import av
import pytest
from PIL import Image

from nada_core.images.phone_film import FRAMES_A_SECOND, phone_film_bytes, save_phone_film

RED, BLUE = (176, 70, 72), (40, 90, 170)


@pytest.fixture(scope="module")
def film():
    return phone_film_bytes([Image.new("RGB", (256, 256), colour) for colour in (RED, (108, 80, 121), BLUE)], "made by AI")


@pytest.mark.heavy
def test_it_is_what_phones_play(film):
    with av.open(io.BytesIO(film)) as opened:
        stream = opened.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (720, 1280) and stream.average_rate == FRAMES_A_SECOND
        assert opened.metadata["comment"] == "made by AI" and 2 < stream.frames / FRAMES_A_SECOND < 10
    assert film.index(b"moov") < film.index(b"mdat")  # it plays before it is there whole


@pytest.mark.heavy
def test_it_goes_there_and_back_in_the_right_colours(film):
    with av.open(io.BytesIO(film)) as opened:
        pictures = [frame.to_image() for frame in opened.decode(video=0)]
    for number, colour in ((0, RED), (len(pictures) // 2, BLUE), (-1, RED)):
        middle, edge = pictures[number].getpixel((360, 640)), pictures[number].getpixel((360, 40))
        assert max(abs(one - other) for one, other in zip(middle, colour)) <= 4
        assert sum(edge) < sum(middle)  # dim around the face


@pytest.mark.heavy
@pytest.mark.parametrize("size", [(900, 400), (300, 900), (31, 31)])
def test_any_shape_is_shown_whole(size, tmp_path):
    frames = [Image.new("RGBA", size, (*RED, 255)), Image.new("RGBA", size, (*BLUE, 0))]  # a cut-out lies on white
    save_phone_film(frames, tmp_path / "film.mp4", "")
    with av.open(str(tmp_path / "film.mp4")) as opened:
        assert next(opened.decode(video=0)).to_image().getpixel((360, 640))[0] > 150


def test_one_picture_is_no_film():
    with pytest.raises(ValueError, match="at least 2"):
        phone_film_bytes([Image.new("RGB", (8, 8))], "")
