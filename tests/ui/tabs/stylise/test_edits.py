"""Edits against a fake editor: what is computed once, strengths and blends, whose styles are worn, whose turn it is."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import EditRequest
from nada_core.ui.style_menu.choices import OWN, style_choices
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from nada_core.ui.tabs.stylise import run as edit_run
from nada_core.ui.tabs.stylise.run import face_at_once, run_edit, run_rerender
from nada_core.ui.tabs.stylise.stage import edit_working
from tests.helpers.adapting import behind_another_job
from tests.helpers.apps import context, picture
from tests.helpers.edits import done, edited


@pytest.mark.heavy
def test_an_edit_shows_the_face_being_rebuilt_and_ends_with_a_pair(photo):
    app, engine = context(delay=0.01)
    stages, working = [], []
    for view in run_edit(app, EditRequest(find_faces(app, photo).photo, "joker")):
        stages.append(view.progress)
        if view.working is not None:
            working.append(view.working)
        if view.phase == "done":
            before, after = (np.asarray(Image.open(path)).astype(int) for path in view.pair)
            assert before.shape == after.shape == (256, 256, 3) and np.abs(before - after).mean() > 10
            assert view.likeness.edited == view.scores["identity_edited"] == 0.52 and view.likeness.each == ()
            assert (
                view.likeness.inverted == view.scores["identity_inverted"] < 0.45 and view.likeness.error == view.scores["reconstruction"]
            )
    assert view.phase == "done" and any("Rebuilding the face" in one.headline for one in stages)
    assert any(one.left.endswith(" left") for one in stages) and view.working is None
    for one in working:  # no empty square at any time
        assert Image.open(io.BytesIO(one.jpeg)).size == (256, 256)
        html = edit_working(one)
        assert html.count("<img") == 1 and html.split(' class="now"')[0].count('class="was"') == one.step
    steps = [one.step for one in working]
    assert steps == sorted(steps) and set(steps) == {0, 1, 2}
    assert engine.editor.log[:2] == ["invert balanced", "invert close"] and len(app.line) == 0 and not Path(view.pair[0]).exists()


@pytest.mark.heavy
def test_the_style_is_worn_at_once_where_it_can_be_and_stays_until_the_result(photo):
    app, engine = context(delay=0.01)
    engine.students.colour = "#00c000"
    request = EditRequest(find_faces(app, photo).photo, "joker")
    faces = [view.working for view in run_edit(app, request) if view.working is not None]
    first, *later = faces
    assert not first.sketched and len(later) >= 3 and all(one.sketched for one in later)
    for one in later:  # nobody else's face is shown on the way
        pixels = np.asarray(Image.open(io.BytesIO(one.jpeg))).astype(int)
        assert pixels.shape == (512, 512, 3) and np.abs(pixels - (0, 192, 0)).max() < 12
        assert 'alt="The face in its style, at once"' in edit_working(one)
    one_layer = replace(request, groups=(1.0, 0.0, 0.0), style="joker", mode="fast")
    assert not any(view.working.sketched for view in run_edit(app, one_layer) if view.working is not None)


def test_a_face_wears_the_style_before_anything_is_pressed(photo):
    app, engine = context("zombie")
    key = find_faces(app, photo).photo
    assert face_at_once(app, EditRequest(key, "joker")) is None  # no student
    engine.students.colour = "#00c000"
    found = face_at_once(app, EditRequest(key, "joker"))
    assert found is not None and found.sketched and "press Stylise" in edit_working(found)
    assert face_at_once(app, EditRequest(key, "gone")) is None and face_at_once(app, EditRequest("", "joker")) is None
    assert engine.editor.log == [], "nothing is inverted for it"


@pytest.mark.heavy
def test_the_inversion_is_made_once(photo):
    app, engine = context("zombie")
    key, log = find_faces(app, photo).photo, engine.editor.log
    request = EditRequest(key, "joker")
    _, first = done(run_edit(app, request))
    assert [line for line in log if line.startswith(("invert b", "wear"))] == ["invert balanced", "wear Joker"]
    log.clear()
    view, second = done(run_edit(app, replace(request, style="zombie")))
    assert view.phase == "done" and log == ["wear Zombie", "render 256"] and np.abs(first[1] - second[1]).mean() > 3
    log.clear()
    _, weak = done(run_rerender(app, replace(request, strength=0.3)))
    _, again = done(run_edit(app, request))  # back to the first style: nothing but a picture
    assert log == ["render 256"] * 2 and np.array_equal(first[1], again[1])
    assert 0 < np.abs(weak[1] - weak[2]).mean() < np.abs(first[1] - first[2]).mean() / 2  # nearer to the rebuilt face
    _, large = done(run_rerender(app, replace(request, resolution=1024)))
    assert large[1].shape == (1024, 1024, 3)
    log.clear()
    done(run_edit(app, replace(request, mode="faithful")))
    assert log[0] == "invert faithful"  # another mode is another inversion
    done(run_edit(app, request))
    assert log.count("invert balanced") == 0  # and the one before is still there


def test_another_photo_forgets_the_first(photo, tmp_path):
    app, engine = context()
    first = find_faces(app, photo)
    done(run_edit(app, EditRequest(first.photo, "joker")))
    second = find_faces(app, picture(tmp_path, name="other.jpg"), first.photo)
    assert second.photo != first.photo and len(app.photos) == 1
    for run in (run_edit, run_rerender):
        view, _ = done(run(app, EditRequest(first.photo, "joker")))
        assert view.phase == "failed" and "Upload it again" in view.error
    engine.editor.log.clear()
    done(run_edit(app, EditRequest(second.photo, "joker")))
    assert engine.editor.log[0] == "invert balanced"
    find_faces(app, None, second.photo)  # the photo was taken out of the box
    assert len(app.photos) == 0


def test_a_look_that_was_not_made_waits_for_the_button(photo):
    app, engine = context("zombie")
    request = EditRequest(find_faces(app, photo).photo, "joker")
    assert list(run_rerender(app, request)) == [] and list(run_rerender(app, EditRequest(None, "joker"))) == []
    done(run_edit(app, request))
    engine.editor.log.clear()
    for other in (replace(request, style="zombie"), replace(request, blend="zombie"), replace(request, mode="fast")):
        (view,) = run_rerender(app, other)
        assert view.phase == "unmade" and "Press Stylise" in view.progress.headline
    assert engine.editor.log == []


@pytest.mark.heavy
def test_a_blend_lies_between_its_styles(photo):
    app, engine = context("zombie")
    request = EditRequest(find_faces(app, photo).photo, "joker")
    shown = {}
    for share in (0.0, 0.5, 1.0):
        view, (_, shown[share], _) = done(run_edit(app, replace(request, blend="zombie", share=share)))
        assert view.phase == "done"
    _, (_, plain, _) = done(run_edit(app, request))
    assert np.array_equal(shown[0.0], plain)
    assert np.abs(shown[0.5] - shown[0.0]).mean() > 3 and np.abs(shown[0.5] - shown[1.0]).mean() > 3
    assert engine.editor.log.count("wear Zombie") == 1
    _, (_, same, _) = done(run_edit(app, replace(request, blend="joker", share=0.5)))
    assert np.array_equal(same, plain)  # with itself


def test_strength_by_layer_scales_the_strength(photo):
    app, _ = context()
    request = EditRequest(find_faces(app, photo).photo, "joker", 0.8, (1.0, 0.5, 0.25))
    strength = edit_run.request_strength(request)
    assert (strength.shape, strength.texture, strength.colour) == pytest.approx((0.8, 0.4, 0.2))
    _, (_, weak, rebuilt) = done(run_edit(app, request))
    _, (_, none, _) = done(run_rerender(app, replace(request, groups=(1.0, 1.0, 0.0))))
    assert np.abs(weak - rebuilt).mean() > 1 and np.array_equal(none, rebuilt)


@pytest.mark.parametrize(
    "values",
    [
        {"strength": 1.6},
        {"strength": -0.1},
        {"strength": float("nan")},
        {"groups": (2.0, 1.0, 1.0)},
        {"groups": (float("nan"), 1.0, 1.0)},
        {"share": 1.5},
        {"share": float("nan")},
    ],
)
def test_numbers_out_of_range_are_refused_before_any_work(photo, values):
    app, engine = context("zombie")
    view, _ = edited(app, photo, **{"blend": "zombie", **values})
    assert view.phase == "failed" and "must be between" in view.error and engine.editor.log == [] and len(app.line) == 0


@pytest.mark.parametrize("style", [None, "", "../../etc/passwd", "/etc/passwd", "nobody", OWN + "forged", OWN])
@pytest.mark.parametrize("place", ["style", "blend"])
def test_only_listed_styles_are_worn(photo, style, place):
    app, engine = context()
    view, _ = edited(app, photo, **({"style": style} if place == "style" else {"style": "joker", "blend": style}))
    assert view.phase == ("done" if place == "blend" and not style else "failed") and "etc" not in view.error
    assert view.phase == "done" or engine.editor.log == []


def test_a_style_just_made_belongs_to_its_page(photo):
    app, _ = context()
    *_, made = run_adaptation(app, AdaptRequest("Zombie", steps=3))
    mine = OWN + made.style_id
    assert ("Zombie (just made, 3 steps)", mine) in style_choices(app, [made.style_id])
    assert all(value != mine for _, value in style_choices(app, []))
    good, _ = edited(app, photo, mine, owned=[made.style_id])
    stolen, _ = edited(app, photo, mine, owned=[])
    assert good.phase == "done" and stolen.phase == "failed"


def test_an_edit_waits_its_turn(photo, monkeypatch):
    monkeypatch.setattr(edit_run, "TICK", 0.05)
    app, engine = context()
    views = run_edit(app, EditRequest(find_faces(app, photo).photo, "joker"))
    assert behind_another_job(app, views, engine.editor.log)[-1].phase == "done"


def test_a_closed_page_gives_the_turn_back_and_keeps_no_half_portrait(photo):
    app, engine = context(delay=0.01)
    key = find_faces(app, photo).photo
    views = run_edit(app, EditRequest(key, "joker"))
    while next(views).phase != "run":
        pass
    assert len(app.line) == 1
    views.close()
    assert engine.editor.log[-1] == "invert close" and len(app.line) == 0 and app.photos.get(key).portraits == {}
