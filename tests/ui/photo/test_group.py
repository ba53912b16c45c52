"""All faces of a photo at once, against the fake editor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from nada_core.ui import build_app
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.photo.group import everyones_note, mosaic, people_meant
from nada_core.ui.requests import EditRequest, Person
from nada_core.ui.tabs.stylise.downloads import write_download
from nada_core.ui.tabs.stylise.run import run_edit, run_rerender
from tests.helpers.apps import components, context, handlers, named, picture
from tests.helpers.edits import done
from tests.helpers.fake_engine import FakeEngine, draw_face, fake_backend

pytestmark = pytest.mark.heavy


def group(tmp_path, count: int) -> str:
    """The path of a photo of so many different faces in a row."""
    photo = Image.new("RGB", (300 * count, 300))
    for number in range(count):
        photo.paste(draw_face(number, 300), (300 * number, 0))
    photo.save(tmp_path / "group.png")
    return str(tmp_path / "group.png")


def changed(before: np.ndarray, after: np.ndarray) -> list[bool]:
    """Which of the faces in a row are others now."""
    side = before.shape[0]
    return [
        bool(np.abs(before[:, left : left + side] - after[:, left : left + side]).max() > 40) for left in range(0, before.shape[1], side)
    ]


def test_every_face_is_worked_on_and_replaced(tmp_path):
    app, engine = context(delay=0.005)
    request = EditRequest(find_faces(app, group(tmp_path, 3)).photo, "joker", everyone=True, face=2)
    words, shown = [], []
    for view in run_edit(app, request):
        words.append(view.progress)
        if view.phase == "done":
            shown = [np.asarray(Image.open(path).convert("RGB")).astype(int) for path in (*view.pair, view.inverted)]
    before, after, rebuilt = shown
    assert before.shape == after.shape == (300, 900, 3) and changed(before, after) == [True, True, True]
    assert rebuilt.shape[0] == rebuilt.shape[1] and "All 3 faces" in words[-1].note
    for number in (1, 2, 3):
        assert any(f"Face {number} of 3" in one.headline for one in words)
    assert engine.editor.log.count("invert balanced") == 3 and engine.editor.log.count("wear Joker") == 3 and len(app.line) == 0
    assert view.likeness.each == (0.52, 0.52, 0.52) and view.likeness.edited == 0.52
    assert view.scores["identity_edited"] == 0.52 and view.scores["faces"] == 3


def test_who_was_pointed_at_is_one_of_everyone(tmp_path):
    app, _ = context()
    entry = app.photos.get(find_faces(app, group(tmp_path, 2)).photo)
    points = ((100.0, 100.0), (160.0, 100.0), (130.0, 160.0))
    asked = Person(points=points)
    assert [(one.face, one.points) for one in people_meant(entry, asked, True)] == [(0, ()), (1, ()), (0, points)]
    assert people_meant(entry, asked, False) == [asked]


def test_the_strength_changes_all_and_nothing_is_made_twice(tmp_path):
    app, engine = context("zombie")
    request = EditRequest(find_faces(app, group(tmp_path, 3)).photo, "joker", face=1)
    done(run_edit(app, request))
    everyone = replace(request, everyone=True)
    (view,) = run_rerender(app, everyone)
    assert view.phase == "unmade"  # the two others are not there yet
    engine.editor.log.clear()
    _, (_, full, _) = done(run_edit(app, everyone))
    assert engine.editor.log.count("invert balanced") == 2
    engine.editor.log.clear()
    view, (before, weak, _) = done(run_rerender(app, replace(everyone, strength=0.3)))
    assert engine.editor.log == ["render 256"] * 3
    for left in (300, 600):
        face = np.s_[:, left : left + 300]
        assert np.abs(weak[face] - before[face]).mean() < np.abs(full[face] - before[face]).mean() / 2
    blended, _ = done(run_edit(app, replace(everyone, blend="zombie", share=0.4)))
    assert blended.phase == "done" and engine.editor.log.count("wear Zombie") == 3
    _, (small, _, _) = done(run_rerender(app, request))  # back to one of them
    assert small.shape == (256, 256, 3)


def test_the_six_largest_of_a_crowd(tmp_path):
    app, engine = context()
    found = find_faces(app, group(tmp_path, 8))
    assert "8 faces found: choose one. All at once are the 6 largest." in found.words
    view, (before, after, _) = done(run_edit(app, EditRequest(found.photo, "joker", everyone=True)))
    assert engine.editor.log.count("invert balanced") == 6 and "6 largest of 8 faces" in view.progress.note
    width = before.shape[1] * 6 // 8
    assert np.abs(before[:, width + 8 :] - after[:, width + 8 :]).max() < 20  # as they were, but for JPEG
    engine.editor.log.clear()
    done(run_edit(app, EditRequest(found.photo, "joker", everyone=True)))
    assert set(engine.editor.log) == {"render 256"}  # the shelf has room for all six


@pytest.mark.parametrize(("width", "points"), [(300, ()), (640, ((30.0, 30.0), (60.0, 30.0), (45.0, 60.0)))])
def test_everyone_may_be_one_person(tmp_path, width, points):
    app, _ = context()
    key = find_faces(app, picture(tmp_path, width, 90 if points else 300)).photo
    view, (before, after, _) = done(run_edit(app, EditRequest(key, "joker", everyone=True, points=points)))
    assert view.phase == "done" and before.shape[1] == width and not np.array_equal(before, after) and view.likeness.each == ()


def test_what_is_taken_away_has_everybody(tmp_path):
    app, _ = context()
    request = EditRequest(find_faces(app, group(tmp_path, 3)).photo, "joker", everyone=True)
    done(run_edit(app, request))
    original = np.asarray(Image.open(tmp_path / "group.png")).astype(int)
    for kind in ("picture", "photo"):
        file = Image.open(write_download(app, request, kind, tmp_path))
        assert file.size == (900, 300) and "AI-generated" in file.info["Comment"]
        assert changed(original, np.asarray(file).astype(int)) == [True] * 3
    sheet = Image.open(write_download(app, request, "sheet", tmp_path))
    assert sheet.height > 3 * 256 and sheet.width > 3 * 256
    film = Image.open(write_download(app, request, "film", tmp_path))
    assert film.format == "GIF" and film.n_frames > 20 and film.width == film.height


def test_closing_the_page_between_two_faces_keeps_the_first(tmp_path):
    app, engine = context(delay=0.01)
    key = find_faces(app, group(tmp_path, 3)).photo
    views = run_edit(app, EditRequest(key, "joker", everyone=True))
    while "Face 2 of 3: rebuilding" not in next(views).progress.headline:
        pass
    views.close()
    assert engine.editor.log[-1] == "invert close" and len(app.line) == 0 and list(app.photos.get(key).portraits) == [(0, "balanced")]


def test_a_mosaic_is_square_and_shows_every_picture():
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250), (250, 0, 250)]
    for count in range(1, 7):
        whole = mosaic([Image.new("RGB", (256, 256), colour) for colour in colours[:count]])
        found = {tuple(pixel) for pixel in np.asarray(whole).reshape(-1, 3)}
        assert whole.width == whole.height and set(colours[:count]) <= found and not set(colours[count:]) & found
    assert "All 2 faces" in everyones_note(2) and "6 largest of 7" in everyones_note(7)


def test_the_choice_of_all_is_offered_where_there_are_several(tmp_path):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)))
    demo.context.open()
    functions = handlers(demo)
    assert not components(demo)["everyone"].visible
    for count, label in ((3, "All 3 faces"), (8, "The 6 largest faces")):
        *_, found = map(named, functions["arrived"](group(tmp_path, count), "", "", 1, 0))
        assert found["everyone"]["visible"] and label in found["everyone"]["label"] and found["everyone"]["value"] is False
    *_, single = map(named, functions["arrived"](picture(tmp_path), "", "", 1, 0))
    assert not single["everyone"]["visible"]
    assert named(functions["together"](True))["paste"] is True
