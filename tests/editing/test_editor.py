"""A real photo, end to end: scikit-image's astronaut (NASA, public domain) is found, inverted, painted, and still herself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data

from nada_core.adaptation.options import AdaptOptions
from nada_core.alignment.ffhq import SAME_PERSON
from nada_core.editing.portrait import FittedStyle
from nada_core.errors import NoFaceError, OptionsError, PhotoError, StyleError
from nada_core.images.image_io import to_pil
from nada_core.styles.mixing import Strength


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


@pytest.mark.slow
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


def test_strength_zero_is_the_inversion_and_strength_grows(engine, result):
    strengths = [Strength.even(value) for value in (0.0, 0.5, 1.0)]
    none, half, full = engine.editor.render(result.portrait, result.fitted, strengths)
    assert np.abs(np.asarray(none, int) - np.asarray(result.inverted, int)).max() <= 1
    assert np.abs(np.asarray(full, int) - np.asarray(result.edited, int)).max() <= 1
    change = [np.abs(np.asarray(picture, float) - np.asarray(none, float)).mean() for picture in (half, full)]
    assert 2 < change[0] < change[1]
    assert engine.editor.scores(result.portrait, half).identity < result.identity_edited


def test_layer_groups_change_different_things(engine, result):
    render = engine.editor.render
    whole, paint, form = render(result.portrait, result.fitted, [Strength(), Strength(0, 0, 1), Strength(1, 0, 0)])
    difference = [np.abs(np.asarray(p, float) - np.asarray(result.inverted, float)).mean() for p in (whole, paint, form)]
    assert difference[0] > difference[1] > difference[2] > 0.2  # a Joker is mostly paint


def test_a_blend_lies_between_its_styles(engine, result):
    plain, joker = (np.asarray(picture, float) for picture in (result.inverted, result.edited))
    (worn, _), *_ = result.fitted
    nothing = FittedStyle("nothing", "nothing", {})
    (half,) = engine.editor.render(result.portrait, [(worn, 0.5), (nothing, 0.5)])
    (same,) = engine.editor.render(result.portrait, [(worn, 1.0)], [Strength.even(0.5)])
    assert np.abs(np.asarray(half, int) - np.asarray(same, int)).max() <= 1
    assert np.abs(np.asarray(half, float) - plain).mean() < np.abs(joker - plain).mean()


def test_pasted_back_only_the_head_changes(engine, astronaut, result):
    pasted = np.asarray(engine.editor.paste(result.portrait, result.edited, result.inverted), int)
    assert pasted.shape == astronaut.shape
    changed = np.abs(pasted - astronaut.astype(int)).max(-1) > 0
    assert 0.02 < changed.mean() < 0.4
    points = result.portrait.aligned.photo_landmarks
    assert changed[points[:, 1].astype(int), points[:, 0].astype(int)].mean() > 0.9
    assert not changed[300:, :].any() and not changed[:, 400:].any()  # suit, flag and shuttle


def test_placed_by_hand_as_the_detector_does(engine, astronaut, result):
    points = result.portrait.aligned.photo_landmarks
    clicks = [points[36:42].mean(0), points[42:48].mean(0), (points[48] + points[54]) / 2]
    by_hand = engine.editor.align(astronaut, points=clicks)
    assert by_hand.face == -1 and by_hand.size > 60
    difference = np.abs(np.asarray(by_hand.crop, float) - np.asarray(result.portrait.aligned.crop, float)).mean()
    assert difference < 4  # eyes and mouth decide the crop


def test_the_person_shows_in_the_previews_of_an_adaptation(engine, result):
    steps = engine.adapt("Joker", options=AdaptOptions(steps=1, start=""), person=result.inversion)
    previews = list(steps)[-1].previews
    assert previews.shape[0] == 4
    first = np.asarray(to_pil(previews[0]), float)
    assert np.abs(first - np.asarray(result.inverted, float)).mean() < 12  # one step changes little
    assert engine.generator.content_hash() == engine.style("joker").card.base_hash


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
        ({"model": []}, OptionsError, "0 styles to blend"),
        ({"model": [("joker", 0.0)]}, OptionsError, "share"),
        ({"mode": "perfect"}, OptionsError, "fast, balanced, faithful"),
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


def test_a_cut_out_stays_one_in_the_whole_photo(engine, astronaut, result):
    """The face is found over white, and nothing of the white is left where the cut-out fades."""
    cut_out = Image.fromarray(astronaut).convert("RGBA")
    rows, columns = np.mgrid[: cut_out.height, : cut_out.width]
    alpha = np.clip(255 * (2 - np.hypot(columns - 225, rows - 106) / 55), 0, 255).astype(np.uint8)
    cut_out.putalpha(Image.fromarray(alpha))
    aligned = engine.editor.align(cut_out)
    assert aligned.photo.mode == "RGBA" and aligned.crop.mode == "RGB" and aligned.crop.getpixel((5, 5)) == (255, 255, 255)
    portrait = replace(result.portrait, aligned=aligned)
    pasted = engine.editor.paste(portrait, result.edited, result.inverted)
    assert pasted.mode == "RGBA" and np.array_equal(np.asarray(pasted)[..., 3], alpha)
    changed = np.abs(np.asarray(pasted, dtype=int) - np.asarray(cut_out)).max(-1)
    assert changed[alpha == 255].max() > 30 and changed[alpha == 0].max() == 0
    again = engine.editor.paste(portrait, result.edited, result.inverted, onto=pasted)
    assert again.mode == "RGBA"
