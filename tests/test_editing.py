"""A real photo, end to end: scikit-image's astronaut (NASA, public domain) is found, inverted, painted, and still herself."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data

from nada_core.alignment import SAME_PERSON
from nada_core.errors import NoFaceError, OptionsError, PhotoError, StyleError


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="module")
def progress(engine, astronaut):
    return list(engine.edit_steps(astronaut, "joker"))


@pytest.fixture(scope="module")
def result(progress):
    return progress[-1].result


def hsv(image: Image.Image, box: tuple[int, int, int, int]) -> np.ndarray:
    return np.asarray(image.crop(box).convert("HSV"), dtype=float).reshape(-1, 3).mean(0)


def test_stages_advance_and_end_with_the_result(progress):
    fractions = [p.fraction for p in progress]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert all(p.result is None for p in progress[:-1])
    assert sum(p.image is not None for p in progress) > 5


def test_inversion_is_the_same_person(result):
    assert result.identity_inverted <= 0.3


def test_she_is_the_joker_and_still_herself(result):
    assert result.identity_edited <= SAME_PERSON
    # hair above the forehead turns green (PIL hue 0-255, green about 85), cheeks lose their colour, lips gain red
    hair_before, hair_after = hsv(result.inverted, (90, 20, 170, 60)), hsv(result.edited, (90, 20, 170, 60))
    assert abs(hair_after[0] - 85) < 35 and abs(hair_after[0] - 85) < abs(hair_before[0] - 85)
    cheek_before, cheek_after = hsv(result.inverted, (150, 140, 170, 160)), hsv(result.edited, (150, 140, 170, 160))
    assert cheek_after[1] < 0.6 * cheek_before[1] and cheek_after[2] > cheek_before[2]
    background = np.abs(np.asarray(result.edited, float)[:30, :12] - np.asarray(result.inverted, float)[:30, :12]).mean()
    assert background < 25


def test_strength_zero_is_the_inversion(engine, result):
    from nada_core.alignment import FaceDetector, crop_landmarks
    from nada_core.editing import AlignedPhoto

    crop = result.aligned.resize((1024, 1024))
    face = FaceDetector().detect(crop)[0]
    photo = AlignedPhoto(crop, (face,), 0, crop_landmarks(face.landmarks, 256))
    finished = engine.editor.finish(photo, result.inversion, engine.style("joker"), 0.0, 256, 0.0)
    assert np.abs(np.asarray(finished.edited, int) - np.asarray(finished.inverted, int)).max() <= 1


def test_base_is_untouched_by_tuning(engine, result):
    assert result.inversion.offsets
    again = engine.sample([77])
    assert np.isfinite(again.numpy()).all()
    assert engine.generator.content_hash() == engine.style("joker").card.base_hash


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"strength": 3.0}, OptionsError, "between 0 and 1.5"),
        ({"resolution": 300}, OptionsError, "renders at 256 or 1024"),
        ({"model": "jokr"}, StyleError, "Similar: joker"),
    ],
)
def test_bad_arguments_are_refused_at_once(engine, astronaut, arguments, error, message):
    with pytest.raises(error, match=message):
        engine.edit_steps(astronaut, **arguments)


def test_photo_without_a_face(engine):
    with pytest.raises(NoFaceError):
        engine.edit(data.coins())


def test_face_that_is_not_there(engine, astronaut):
    with pytest.raises((OptionsError, NoFaceError), match="face"):
        engine.edit(astronaut, face=3)


def test_not_a_picture(engine, tmp_path):
    path = tmp_path / "selfie.jpg"
    path.write_text("this is a text file")
    with pytest.raises(PhotoError, match=r"selfie\.jpg"):
        engine.edit(path)
