"""Films from file to file, without weights: red discs are the people, a student paints them blue."""

from __future__ import annotations

import errno
from fractions import Fraction

import av
import numpy as np
import pytest

from nada_core.errors import FilmError, NadaError
from nada_core.films import restyle
from nada_core.films.reading import FilmLimits
from nada_core.films.restyle import restyle_film
from tests.helpers.film_discs import DiscDetector, blue, discs, head
from tests.helpers.films import read_film, sound_of, write_film

STILL = [[(80.0, 60.0)]]


def restyled(source, out, detector=None, **options):
    return restyle_film(source, out, blue(), detector or DiscDetector(), head, **options)


def blueness(frame: np.ndarray, x: float, y: float) -> float:
    """How much bluer than red it is around a place, in grey levels."""
    part = frame[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4].astype(float)
    return float((part[..., 2] - part[..., 0]).mean())


def left_over(folder, *names: str) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in names)


@pytest.mark.heavy
def test_a_film_is_painted_and_all_else_is_kept(tmp_path):
    path = [[(60 + index, 60.0)] for index in range(16)]
    source, out = write_film(tmp_path / "in.mp4", discs(path), Fraction(30000, 1001)), tmp_path / "out.mp4"
    steps = list(restyled(source, out, labels={"comment": "made by AI"}))
    result = steps[-1].result
    assert (result.frames, result.painted, result.people, result.notes) == (16, 16, 1, ())
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions) and fractions[-1] == 1 and steps[0].frames in (16, 17) and steps[0].picture.size == (160, 120)
    (before, times), (after, again) = read_film(source), read_film(out)
    assert len(after) == 16 and after[0].shape == before[0].shape and again == pytest.approx(times, abs=1e-4)
    for index, frame in enumerate(after):
        assert blueness(before[index], *path[index][0]) < -150 and blueness(frame, *path[index][0]) > 0
        assert np.abs(frame[:20].astype(int) - before[index][:20]).mean() < 3  # far from the disc
    assert sound_of(out) == sound_of(source)
    with av.open(str(out)) as film:
        assert film.streams.video[0].average_rate == Fraction(30000, 1001) and film.metadata["comment"] == "made by AI"
    assert left_over(tmp_path) == ["in.mp4", "out.mp4"]


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_a_film_that_players_turn_is_upright_afterwards(tmp_path, degrees):
    source = write_film(tmp_path / "in.mp4", discs([[(40.0, 60.0)]] * 4), turned=degrees)
    list(restyled(source, tmp_path / "out.mp4"))
    before, after = read_film(source)[0], read_film(tmp_path / "out.mp4")[0]
    assert before[0].shape == after[0].shape == ((160, 120, 3) if degrees != 180 else (120, 160, 3))
    y, x = (values.mean() for values in np.nonzero(before[2][..., 0] > 180))
    assert blueness(after[2], x, y) > 0
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert next(film.decode(video=0)).rotation == 0


@pytest.mark.heavy
def test_each_of_several_people_and_nobody(tmp_path):
    places = [[(40.0, 60.0), (120.0, 60.0)]] * 12 + [[]] * 14 + [[(120.0, 60.0)]] * 12
    source = write_film(tmp_path / "in.mp4", discs(places))
    result = list(restyled(source, tmp_path / "out.mp4"))[-1].result
    before, after = read_film(source)[0], read_film(tmp_path / "out.mp4")[0]
    assert result.painted < 30
    assert blueness(after[2], 40, 60) > 0 and blueness(after[2], 120, 60) > 0 and blueness(after[35], 120, 60) > 0
    assert max(np.abs(after[index].astype(int) - before[index]).max() for index in (18, 19, 20)) < 12  # coded again, not painted


def test_times_between_frames_may_vary(tmp_path):
    ticks = [0, 40, 70, 150, 160, 300, 333, 400, 480, 500]
    source = write_film(tmp_path / "in.mkv", discs(STILL * 10), ticks=ticks, sound=None)
    list(restyled(source, tmp_path / "out.mkv"))
    assert read_film(tmp_path / "out.mkv")[1] == pytest.approx([t / 1000 for t in ticks], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "sound"),
    [
        ("in.avi", "mpeg4", "yuv420p", "pcm_s16le"),
        ("in.mov", "libx264", "yuv444p", "pcm_s16le"),
        ("in.webm", "libvpx-vp9", "yuv420p", "libopus"),
        ("in.mkv", "libx264", "yuv422p10le", "flac"),
        ("in.mov", "png", "rgb24", None),
        ("in.mkv", "mjpeg", "yuvj420p", None),
    ],
)
def test_kinds_of_films(tmp_path, name, codec, pix_fmt, sound):
    source = write_film(tmp_path / name, discs(STILL * 4), codec=codec, pix_fmt=pix_fmt, sound=sound)
    list(restyled(source, tmp_path / "out.mp4"))
    before, after = read_film(source)[0], read_film(tmp_path / "out.mp4")[0]
    assert len(after) == 4 and blueness(after[2], 80, 60) > 0
    assert np.abs(np.median(after[2][:20], (0, 1)) - np.median(before[2][:20], (0, 1))).max() <= 3
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert bool(film.streams.audio) == bool(sound)
        if sound:
            seconds = sum(frame.samples / frame.sample_rate for frame in film.decode(audio=0))
            assert seconds == pytest.approx(4 / 25, abs=0.1)


def test_sound_of_an_unknown_kind_is_left_out_and_said(tmp_path):
    source = write_film(tmp_path / "in.mkv", discs(STILL * 4))
    source.write_bytes(source.read_bytes().replace(b"A_AAC", b"A_XYZ"))
    result = list(restyled(source, tmp_path / "out.mp4"))[-1].result
    assert result.painted == 4 and result.notes == ("The sound is of a kind that is unknown here and was left out.",)


def test_odd_sizes_lose_a_line(tmp_path):
    source = write_film(tmp_path / "in.mkv", discs(STILL * 2, (161, 121)), codec="ffv1", pix_fmt="yuv444p", sound=None)
    list(restyled(source, tmp_path / "out.mp4"))
    assert read_film(tmp_path / "out.mp4")[0][0].shape == (120, 160, 3)


@pytest.mark.heavy
def test_who_stops_early_keeps_a_film_that_plays(tmp_path):
    source, out = write_film(tmp_path / "in.mp4", discs(STILL * 24)), tmp_path / "out.mp4"
    steps = restyled(source, out)
    for step in steps:
        if step.frame == 10:
            break
    steps.close()
    frames, times = read_film(out)
    assert len(frames) == 10 and blueness(frames[9], 80, 60) > 0
    with av.open(str(out)) as film:
        heard = [float(frame.time) for frame in film.decode(audio=0)]
    assert heard and heard[-1] <= times[-1] + 0.05
    assert left_over(tmp_path) == ["in.mp4", "out.mp4"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, GeneratorExit])
def test_ctrl_c_anywhere_keeps_it_too(tmp_path, stop):
    source, out = write_film(tmp_path / "in.mp4", discs(STILL * 16)), tmp_path / "out.mp4"
    steps = restyled(source, out)
    for _ in range(8):
        next(steps)
    with pytest.raises(stop):
        steps.throw(stop)
    assert len(read_film(out)[0]) == 8 and left_over(tmp_path) == ["in.mp4", "out.mp4"]


def test_stopping_before_anybody_was_painted_leaves_nothing(tmp_path):
    source = write_film(tmp_path / "in.mp4", discs([[]] * 30))
    steps = restyled(source, tmp_path / "out.mp4")
    next(steps)
    steps.close()
    assert left_over(tmp_path) == ["in.mp4"]


def test_a_film_without_a_face(tmp_path):
    source = write_film(tmp_path / "in.mp4", discs([[]] * 10))
    with pytest.raises(FilmError, match=r"No face was found in 'in.mp4', so nothing was written"):
        list(restyled(source, tmp_path / "out.mp4"))
    assert left_over(tmp_path) == ["in.mp4"]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    source = write_film(tmp_path / "in.mp4", discs(STILL * 10))
    steps = restyled(source, tmp_path / "out.mp4")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nada_core.films.writing.coded", full)
    with pytest.raises(NadaError, match="disk is full"):
        list(steps)
    assert left_over(tmp_path) == ["in.mp4"]


@pytest.mark.heavy
def test_a_film_longer_than_it_says_is_refused_on_the_way(tmp_path, monkeypatch):
    source = write_film(tmp_path / "in.mp4", discs(STILL * 44))
    monkeypatch.setattr("nada_core.films.reading.Film._said_seconds", lambda *_: None)
    steps = restyled(source, tmp_path / "out.mp4", limits=FilmLimits(0.6))
    assert next(steps).left is None
    with pytest.raises(FilmError, match="at most 1 seconds"):
        list(steps)
    assert left_over(tmp_path) == ["in.mp4"]


@pytest.mark.heavy
def test_what_is_held_does_not_grow_with_the_film(tmp_path, monkeypatch):
    source, most = write_film(tmp_path / "in.mp4", discs(STILL * 60), sound=None), 0
    real = restyle._finished

    def watched(frame, views, place, work):
        nonlocal most
        most = max(most, len(views))
        return real(frame, views, place, work)

    monkeypatch.setattr(restyle, "_finished", watched)
    list(restyled(source, tmp_path / "out.mp4"))
    assert most <= 25


@pytest.mark.heavy
def test_a_trembling_detector_does_not_make_the_paint_tremble(tmp_path, monkeypatch):
    """Where the disc stands still, the edge of the paint stands still: it would not, without smoothing."""
    monkeypatch.setattr("nada_core.films.writing._QUALITY", {"crf": "0", "preset": "ultrafast"})
    source = write_film(tmp_path / "in.mp4", discs(STILL * 30, radius=20), sound=None, crf="0")

    def trembling() -> float:
        list(restyled(source, tmp_path / "out.mp4", DiscDetector(tremble=0.7), overwrite=True))
        frames = np.stack(read_film(tmp_path / "out.mp4")[0]).astype(float)
        return float(np.abs(np.diff(frames, axis=0)).mean())

    smooth = trembling()

    def nearest(times, points, at):
        return points[int(np.abs(np.asarray(times) - at).argmin())]

    monkeypatch.setattr(restyle, "steadied", nearest)
    assert smooth < 0.6 * trembling()
