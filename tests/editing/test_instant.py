"""Instant edits: a student on a real photo, at the photo's own sharpness."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from nada_core.assets.shipped import PORTRAIT
from nada_core.editing.session import paste_changes
from nada_core.errors import NoFaceError, OptionsError
from nada_core.students.files import StudentCard, StyleStudent, style_digest
from nada_core.students.library import StudentLibrary
from nada_core.students.network import Student
from nada_core.styles.mixing import Strength


def painted(engine, name: str, red: float) -> StyleStudent:
    """A student that changes the red of every pixel: only its output layer does anything."""
    network = Student((8, 8, 8, 8)).eval().requires_grad_(False)
    code = network.neutral()
    out = code[:, -24 * 9 :].view(24, 9)
    out[12:16, -1] = red  # the offsets of red, four pixels each
    return StyleStudent(StudentCard(name, name, style_digest(engine.style(name)), 1), network, code)


@pytest.fixture
def students(engine, tmp_path, monkeypatch):
    library = StudentLibrary(tmp_path)
    for name, red in (("joker", -0.3), ("gold", 0.2)):
        library.keep(painted(engine, name, red))
    monkeypatch.setitem(engine.__dict__, "students", library)
    return library


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def fine(image: Image.Image) -> float:
    """How much detail there is."""
    light = np.asarray(image.convert("L")).astype(float)
    return float(np.abs(light - ndimage.gaussian_filter(light, 1.5)).mean())


def test_a_photo_is_changed_without_an_inversion(engine, students):
    stages = list(engine.edit_steps(PORTRAIT, "joker", mode="instant"))
    fractions = [stage.fraction for stage in stages]
    result = stages[-1].result
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert result.edited.size == result.aligned.size == result.inverted.size == (1024, 1024)
    assert result.portrait is None and result.inversion is None and result.identity_inverted is None and 0 <= result.identity_edited < 0.6
    change = pixels(result.edited) - pixels(result.aligned)
    assert -45 < np.median(change[..., 0]) < -30 and abs(change[..., 1:]).max() <= 1
    assert fine(result.edited) > 0.9 * fine(result.aligned)


def test_strengths_and_blends(engine, students):
    def red(model, strength=1.0) -> float:
        result = engine.edit(PORTRAIT, model, mode="instant", strength=strength, resolution=256)
        assert result.edited.width == 256
        return float(np.mean(pixels(result.edited)[..., 0] - pixels(result.aligned)[..., 0]))

    assert red("joker", 0) == 0
    full = red("joker")
    assert red("joker", 0.5) == pytest.approx(full / 2, abs=1.5) and red("joker", 1.3) < 1.15 * full
    assert red([("joker", 0.5), ("gold", 0.5)]) == pytest.approx((full + red("gold")) / 2, abs=1.5)


def test_the_change_goes_back_into_the_photo(engine, students):
    *_, last = engine.edit_steps(PORTRAIT, "joker", mode="instant", everyone=True)
    photo = last.result.instant.aligned.photo
    pasted = paste_changes(engine.editor, [result.instant for result in last.results])
    change = np.abs(pixels(pasted) - pixels(photo)).max(-1)
    x, y = last.result.instant.aligned.photo_landmarks[30].round().astype(int)
    assert pasted.size == photo.size and change[y, x] > 25 and (change == 0).mean() > 0.2
    face = (x - 60, y - 60, x + 60, y + 60)
    assert fine(pasted.crop(face)) > 0.9 * fine(photo.crop(face))


def test_what_cannot_be_done_is_said_before_the_photo_is_looked_at(engine, students):
    broken = b"no picture at all"
    with pytest.raises(OptionsError, match=r"no instant version of 'rainbow-hair' yet.*distil rainbow-hair"):
        engine.edit(broken, "rainbow-hair", mode="instant")
    with pytest.raises(OptionsError, match="one strength"):
        engine.edit(broken, "joker", mode="instant", strength=Strength(1, 1, 0))
    with pytest.raises(OptionsError, match="resolution 9000"):
        engine.edit(broken, "joker", mode="instant", resolution=9000)
    with pytest.raises(NoFaceError):
        engine.edit(Image.new("RGB", (300, 300), "grey"), "joker", mode="instant")


def test_no_gradient_is_kept(engine, students):
    result = engine.edit(PORTRAIT, "joker", mode="instant", resolution=256)
    assert not result.instant.change.gain.requires_grad and torch.isfinite(result.instant.change.offset).all()
