"""What is refused as a film, each in one sentence, and what is read of the others."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from nada_core.errors import FilmError
from nada_core.films.frames import Frame
from nada_core.films.reading import Film, FilmLimits
from nada_core.films.writing import check_target
from tests.helpers.film_discs import discs
from tests.helpers.films import write_film

STILL = [[(80.0, 60.0)]]


def refused(path, **limits) -> str:
    with pytest.raises(FilmError) as caught, Film(path, FilmLimits(**limits)) as film:
        list(film.events())
    said = str(caught.value)
    assert "\n" not in said and str(path.parent) not in said and len(said) < 260
    return said


def test_what_a_film_says_of_itself(tmp_path):
    with Film(write_film(tmp_path / "a.mp4", discs(STILL * 20), Fraction(24))) as film:
        assert film.facts.size == (160, 120) and film.facts.rate == 24 and film.facts.sound == "aac"
        assert film.facts.seconds == pytest.approx(20 / 24, abs=0.06) and film.facts.frames in (20, 21)
        frames = [event for event in film.events() if isinstance(event, Frame)]
    assert len(frames) == 20 and np.array(frames[3].picture()).shape == (120, 160, 3)


def test_no_film(tmp_path):
    assert "There is no film 'nothing.mp4'" in refused(tmp_path / "nothing.mp4")
    assert "is a folder" in refused(tmp_path)
    (tmp_path / "words.mp4").write_text("no film at all " * 1000)
    assert "cannot be read as a film" in refused(tmp_path / "words.mp4")
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert "cannot be read as a film" in refused(tmp_path / "empty.mp4")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "named-as.mp4"])
def test_a_still_picture(tmp_path, name):
    Image.new("RGB", (64, 48), "red").save(tmp_path / name, "JPEG" if name.endswith("mp4") else None)
    assert "is a still picture, not a film" in refused(tmp_path / name)


def test_a_still_picture_from_an_iphone(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(Image.new("RGB", (64, 64), "red")).save(tmp_path / "a.heic")
    assert "is a still picture, not a film" in refused(tmp_path / "a.heic")


def test_a_film_of_one_frame(tmp_path):
    assert "is a still picture" in refused(write_film(tmp_path / "a.mp4", discs(STILL), sound=None))


def test_a_moving_gif_is_a_film(tmp_path):
    frames = [Image.fromarray(frame) for frame in discs([[(60.0 + i, 60.0)] for i in range(5)])]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=80)
    with Film(tmp_path / "a.gif") as film:
        read = [event for event in film.events() if isinstance(event, Frame)]
    assert len(read) == 5 and film.facts.sound is None
    assert np.array(read[0].picture())[60, 60, 0] > 200


def test_sound_alone(tmp_path):
    with av.open(str(tmp_path / "a.mp3"), "w") as container:
        stream = container.add_stream("libmp3lame", rate=44100)
        for index in range(20):
            piece = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), format="fltp", layout="mono")
            piece.sample_rate, piece.pts = 44100, index * 1152
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    assert "has sound but no picture" in refused(tmp_path / "a.mp3")


def test_too_long_and_too_large(tmp_path):
    film = write_film(tmp_path / "a.mp4", discs(STILL * 60), Fraction(1, 1000), sound=None)
    said = refused(film)
    assert "lasts 17 hours; at most 10 minutes are possible. Cut it first." in said
    with Film(film, FilmLimits(seconds=100_000)) as taken:
        assert taken.facts.seconds > 50_000
    large = write_film(tmp_path / "b.mp4", discs(STILL * 3, (640, 480)), sound=None)
    assert "has 640 x 480 pixels; at most" in refused(large, pixels=600 * 400)
    with pytest.raises(FilmError, match="must be above 0"):
        FilmLimits(seconds=0)


def test_a_film_that_was_cut_off(tmp_path):
    whole = write_film(tmp_path / "a.mp4", discs(STILL * 40)).read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])  # its table of contents is at the end
    assert "cannot be read as a film" in refused(tmp_path / "half.mp4")
    whole = write_film(tmp_path / "a.mkv", discs(STILL * 40)).read_bytes()
    (tmp_path / "half.mkv").write_bytes(whole[: 2 * len(whole) // 3])
    with Film(tmp_path / "half.mkv") as film:
        assert 3 < sum(isinstance(event, Frame) for event in film.events()) <= 40


def test_a_codec_that_nobody_knows(tmp_path):
    path = write_film(tmp_path / "a.mp4", discs(STILL * 5), sound=None)
    path.write_bytes(path.read_bytes().replace(b"avc1\0\0\0\0", b"xyzq\0\0\0\0"))
    assert "format that cannot be decoded here" in refused(path)


def test_damaged_parts_are_left_out(tmp_path):
    path = write_film(tmp_path / "a.mp4", discs([[(60.0 + i, 60.0)] for i in range(60)]), sound=None)
    damaged = bytearray(path.read_bytes())
    start = damaged.index(b"mdat") + 1500
    damaged[start : start + 600] = bytes(600)
    path.write_bytes(damaged)
    with Film(path) as film:
        frames = [event for event in film.events() if isinstance(event, Frame)]
    assert len(frames) > 5 and [frame.ticks for frame in frames] == sorted({frame.ticks for frame in frames})


def test_a_playlist_opens_no_other_file(tmp_path):
    write_film(tmp_path / "secret.mp4", discs(STILL * 5))
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n")
    for name in ("list.mp4", "list.m3u8"):
        assert "cannot be read as a film" in refused(tmp_path / name)


def test_names_with_colons_and_addresses(tmp_path):
    path = write_film(tmp_path / "in.mp4", discs(STILL * 4), sound=None)
    odd = path.rename(tmp_path / "concat:a|b.mp4")
    with Film(odd) as film:
        assert film.facts.size == (160, 120)
    assert "There is no film" in refused(tmp_path / "http:" / "127.0.0.1" / "film.mp4")


def test_where_a_film_may_be_written_to(tmp_path):
    source = write_film(tmp_path / "in.mp4", discs(STILL * 3), sound=None)
    (tmp_path / "there.mp4").write_bytes(b"x")
    for out, words in (
        (tmp_path / "out.txt", "must end in .mp4"),
        (tmp_path / "none" / "out.mp4", "folder 'none' for 'out.mp4' does not exist"),
        (tmp_path / "there.mp4", "exists already"),
        (source, "is the film itself"),
    ):
        with pytest.raises(FilmError, match=words):
            check_target(out, source)
    assert check_target(tmp_path / "there.mp4", source, overwrite=True) and check_target(tmp_path / "new.mkv", source)
    with pytest.raises(FilmError, match="is the film itself"):
        check_target(source, source, overwrite=True)
