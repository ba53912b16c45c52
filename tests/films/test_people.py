"""Real faces in films, the real detector and a real student: several people, nobody, movement, and no flicker."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from PIL import Image

from nada_core.editing.session import paste_changes
from nada_core.errors import OptionsError
from nada_core.films import painting, restyle
from tests.helpers.films import flicker, frames_of, moving, portraits, read_film, write_film

LOSSLESS = {"crf": "0", "preset": "ultrafast"}


def filmed(engine, source, out, **options):
    *_, last = engine.film_steps(source, "joker", out, **options)
    return last.result, read_film(out)[0]


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b.astype(int)).max(-1)


@pytest.mark.heavy
def test_two_people_and_a_stretch_without_a_face(engine, tmp_path):
    astronaut, woman = portraits()
    size, count = (640, 320), 24
    left = moving(count, centre=(170, 190), side=380)
    right = [*moving(12, centre=(500, 170), side=230), *[None] * 12]
    wall = [np.full((size[1], size[0], 3), (96, 110, 122), np.uint8)] * 12
    source = write_film(tmp_path / "in.mp4", chain(frames_of([(astronaut, left), (woman, right)], size), wall))
    result, after = filmed(engine, source, tmp_path / "out.mp4")
    before = read_film(source)[0]
    assert result.frames == 36 and 20 <= result.painted <= 26 and result.people == 2

    def painted(index: int, x: float, y: float) -> float:
        """How much was changed around a place, in grey levels."""
        return float(difference(before[index], after[index])[round(y) - 12 : round(y) + 13, round(x) - 12 : round(x) + 13].mean())

    def astronauts(index: int) -> float:
        x, y, side, *_ = left[index]
        return painted(index, x - 0.07 * side, y - 0.29 * side)  # her nose, in her portrait

    for index in (0, 5, 11):
        assert astronauts(index) > 25 and painted(index, *right[index][:2]) > 25
    assert astronauts(18) > 25
    assert max(difference(before[index], after[index]).max() for index in (28, 32, 35)) <= 6  # coded again, that is all


@pytest.mark.heavy
def test_a_frame_looks_as_the_photo_would(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("nada_core.films.writing._QUALITY", LOSSLESS)
    pose = [(240.0, 200.0, 420.0, 0.0, 1.0)] * 4
    source = write_film(tmp_path / "in.mp4", frames_of([(portraits()[0], pose)], (480, 360), noise=0), sound=None, crf="0")
    _, after = filmed(engine, source, tmp_path / "out.mp4")
    photo = Image.fromarray(read_film(source)[0][2])
    *_, last = engine.edit_steps(photo, "joker", mode="instant")
    pasted = np.asarray(paste_changes(engine.editor, [result.instant for result in last.results]))
    before = np.asarray(photo)
    change = difference(pasted, before)
    assert change.max() > 60
    assert difference(pasted, after[2]).mean() < 0.15 * change.mean()


@pytest.mark.heavy
def test_noise_and_a_trembling_detector_do_not_flicker(engine, tmp_path, monkeypatch):
    """Against the same work frame by frame: a face that holds still before a camera with noise."""
    monkeypatch.setattr("nada_core.films.writing._QUALITY", LOSSLESS)
    poses = [(240.0, 200.0, 420.0, 0.0, 1.0)] * 12
    face = portraits()[0]
    source = write_film(tmp_path / "in.mp4", frames_of([(face, poses)], (480, 360), noise=6), sound=None, crf="0")
    before = read_film(source)[0]
    smooth, _ = flicker(before, filmed(engine, source, tmp_path / "a.mp4")[1], poses, face)
    monkeypatch.setattr(painting, "SteadyChange", lambda: lambda face, change: change)
    monkeypatch.setattr(painting, "_KEPT", 0.0)
    monkeypatch.setattr(restyle, "steadied", lambda times, points, at: points[int(np.abs(np.asarray(times) - at).argmin())])
    rough, _ = flicker(before, filmed(engine, source, tmp_path / "b.mp4")[1], poses, face)
    assert smooth < 0.8 * rough


@pytest.mark.heavy
def test_a_face_that_moves_is_followed(engine):
    detector, poses = engine.editor.detector, moving(30, 10, (240, 200), 420)
    frames = [Image.fromarray(frame) for frame in frames_of([(portraits()[0], poses)], (480, 360))]
    points, missed = detector.glance(frames[0])[0].landmarks, 0
    for frame in frames[1:]:
        face, seen = detector.follow(frame, points)
        points, missed = face.landmarks, missed + (not seen)
    truth = detector.glance(frames[-1])[0].landmarks
    assert missed <= 2 and np.abs(points - truth).mean() < 2.5
    wall = Image.new("RGB", frames[0].size, (96, 110, 122))
    assert not detector.follow(wall, points)[1] and not detector.follow(wall, points, thorough=True)[1]


def test_a_style_without_a_student(engine, tmp_path):
    with pytest.raises(OptionsError, match=r"no instant version of 'rainbow-hair' yet.*distil rainbow-hair.*or choose another style"):
        engine.film_steps(tmp_path / "in.mp4", "rainbow-hair", tmp_path / "out.mp4")
