"""One photo's session against the fake editor: what is made once, one fraction over all of it, and what an interruption leaves."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from nada_core.editing.base import PhotoEditing
from nada_core.editing.editor import PhotoEditor
from nada_core.editing.session import FaceToFit, PhotoSession, StyleToFit, edit_aligned, given, paste_all
from nada_core.errors import NoFaceError, OptionsError, StyleError
from nada_core.styles.mixing import Strength
from tests.helpers.fake_editor import FakeEditor
from tests.helpers.fake_engine import draw_face, tint
from tests.helpers.folders import ROOT


@pytest.fixture
def editor() -> FakeEditor:
    return FakeEditor(tint)


def photo_of(count: int) -> Image.Image:
    photo = Image.new("RGB", (300 * count, 300))
    for number in range(count):
        photo.paste(draw_face(number, 300), (300 * number, 0))
    return photo


def opened(editor: FakeEditor, count: int = 1) -> tuple[PhotoSession, list[FaceToFit]]:
    """A photo of so many people, and all of them."""
    photo, faces = editor.find(photo_of(count))
    people = [FaceToFit((face, "balanced"), lambda face=face: editor.align_found(photo, faces, face)) for face in range(count)]
    return PhotoSession(photo, faces), people


def style(prompt: str, share: float = 1.0) -> StyleToFit:
    return StyleToFit(prompt, given(SimpleNamespace(card=SimpleNamespace(name=prompt.lower(), prompt=prompt))), share)


def missing(key: str) -> StyleToFit:
    def load():
        raise StyleError(f"There is no style called {key}.")

    return StyleToFit(key, load)


def test_real_and_stand_in_editors_do_what_a_session_needs(editor):
    assert isinstance(editor, PhotoEditing) and issubclass(PhotoEditor, PhotoEditing)


def test_one_fraction_leads_from_the_face_to_the_result(editor):
    session, faces = opened(editor)
    stages = list(session.steps(editor, faces, [style("Joker")], strength=Strength(), resolution=256))
    fractions = [stage.fraction for stage in stages]
    assert fractions == sorted(fractions) and 0 < fractions[0] < 0.3 and fractions[-1] == 1 and fractions.count(1) == 1
    last = stages[-1]
    assert all(not stage.made and stage.result is None for stage in stages[:-1])
    assert last.result.edited is last.image and len(last.results) == len(last.made) == 1
    assert [stage.style for stage in stages if stage.portrait or stage.fitted] == [None, 0]
    assert editor.log == ["invert balanced", "invert close", "wear Joker", "render 256"]


def test_what_is_ready_is_not_made_again_and_counts_nothing(editor):
    session, faces = opened(editor, 2)
    list(session.steps(editor, faces, [style("Joker")]))
    editor.log.clear()
    stages = list(session.steps(editor, faces, [style("Joker"), style("Zombie")]))
    assert editor.log == ["wear Zombie", "wear Zombie"]
    worked = [(stage.person, stage.fraction) for stage in stages if stage.stage.lower().startswith("paint")]
    assert worked == [(0, 0), (0, 0.25), (0, 0.5), (1, 0.5), (1, 0.75), (1, 1)]  # two equal parts are all of it
    editor.log.clear()
    *_, last = session.steps(editor, faces, [style("Joker", 0.4), style("Zombie", 0.6)])
    assert editor.log == [] and [share for _, share in last.made[1].styles] == [0.4, 0.6]
    assert session.made([face.key for face in faces], [style("Joker", 0.4), style("Zombie", 0.6)]) == list(last.made)
    assert session.made([face.key for face in faces], [style("Clown")]) is None


def test_the_likeness_decides_how_long_the_inversion_counts(editor):
    shares = []
    for mode in ("fast", "balanced", "faithful"):
        session, (face,) = opened(editor)
        stages = session.steps(editor, [FaceToFit(0, face.align, mode)], [style("Joker")])
        shares.append(max(stage.fraction for stage in stages if stage.style is None and stage.person is not None))
    assert shares == sorted(shares) and 0.3 < shares[0] < 0.6 and shares[1] == 0.75


@pytest.mark.heavy
def test_everybody_gets_a_result_even_where_the_session_has_no_room(editor):
    session, faces = opened(editor, 8)
    *_, last = session.steps(editor, faces, [style("Joker"), style("Zombie")], strength=Strength(), resolution=256)
    assert [result.face for result in last.results] == list(range(8)) and all(len(one.styles) == 2 for one in last.made)
    assert len(session.portraits) == 6 and len(session.fitted) == 12
    before, after = np.asarray(photo_of(8)).astype(int), np.asarray(paste_all(editor, last.made, last.results)).astype(int)
    assert before.shape == after.shape
    assert all(np.abs(before[:, left : left + 300] - after[:, left : left + 300]).max() > 40 for left in range(0, 2400, 300))


@pytest.mark.parametrize("inside", ["invert", "fit"])
def test_closing_closes_the_editor_at_once_and_keeps_what_was_finished(editor, inside):
    session, faces = opened(editor, 2)
    stages = session.steps(editor, faces, [style("Joker")])
    for stage in stages:
        if stage.person == 1 and (inside == "invert" or stage.style is not None):
            break
    assert (editor.log[-1] == "invert close") is (inside == "fit")  # the second inversion is still open, or done
    held = stage
    stages.close()
    assert editor.log[-1] == "invert close" and held.person == 1
    assert list(session.portraits) == [face.key for face in faces[: 1 if inside == "invert" else 2]]
    assert list(session.fitted) == [(faces[0].key, "Joker")]
    editor.log.clear()
    list(session.steps(editor, faces, [style("Joker")]))
    assert editor.log.count("invert balanced") == (1 if inside == "invert" else 0) and editor.log.count("wear Joker") == 1


def test_whoever_stops_at_the_stage_that_ends_a_part_loses_nothing(editor):
    session, faces = opened(editor)
    stages = session.steps(editor, faces)
    while next(stages).portrait is None:
        pass
    stages.close()
    assert list(session.portraits) == [faces[0].key]


def test_a_style_that_cannot_be_worn_ends_the_work_or_says_so_in_its_place(editor):
    session, faces = opened(editor)
    with pytest.raises(StyleError, match="called neon"):
        list(session.steps(editor, faces, [missing("neon"), style("Joker")]))
    stages = list(session.steps(editor, faces, [missing("neon"), style("Joker")], lenient=True))
    ((refused, place),) = [(stage.refused, stage.style) for stage in stages if stage.refused]
    assert "called neon" in str(refused) and place == 0
    assert [fitted.prompt for fitted, _ in stages[-1].made[0].styles] == ["Joker"]
    fractions = [stage.fraction for stage in stages]
    assert fractions == sorted(fractions)
    wrong = StyleToFit("wrong", lambda: (_ for _ in ()).throw(OptionsError("a strength out of range")))
    with pytest.raises(OptionsError):  # not the style's fault
        list(session.steps(editor, faces, [wrong], lenient=True))


def test_sessions_share_nothing(editor):
    first, faces = opened(editor)
    list(first.steps(editor, faces, [style("Joker")]))
    second, same = opened(editor)
    assert second.held == 0 and first.held == 2
    editor.log.clear()
    list(second.steps(editor, same))
    assert "invert balanced" in editor.log


@pytest.mark.heavy
def test_an_edit_from_the_beginning_looks_first(editor):
    photo, faces = editor.find(photo_of(2))
    joker = style("Joker").load()

    def edited(align):
        return edit_aligned(editor, align, [(joker, 1.0)], strength=Strength(), resolution=256, mode="fast")

    stages = list(edited(lambda: [editor.align_found(photo, faces, face) for face in (0, 1)]))
    fractions = [stage.fraction for stage in stages]
    assert [stage.stage for stage in stages[:2]] == ["looking for the face", "face found"] and stages[1].image.size == (256, 256)
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert [result.face for result in stages[-1].results] == [0, 1] and stages[-1].result is stages[-1].results[0]
    looking = edited(lambda: (_ for _ in ()).throw(NoFaceError("No face was found.")))
    assert next(looking).fraction == 0
    with pytest.raises(NoFaceError):
        next(looking)


def test_the_page_can_hold_sessions_before_torch_is_there():
    code = "import sys; import nada_core.editing.session; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True).stdout == "False\n"
