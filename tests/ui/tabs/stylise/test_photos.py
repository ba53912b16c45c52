"""Photos on the Stylise tab: the faces found in them, their ids, and the shelf that forgets them."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from nada_core.errors import PhotoError
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import EditRequest
from nada_core.ui.shelves.photos import PhotoShelf, ShelvedPhoto
from nada_core.ui.tabs.stylise.downloads import write_download
from nada_core.ui.tabs.stylise.run import run_edit
from tests.helpers.adapting import wait_for
from tests.helpers.apps import context, picture
from tests.helpers.edits import done


@pytest.mark.heavy
def test_two_faces_are_offered_and_one_is_chosen(tmp_path):
    app, engine = context()
    view = find_faces(app, picture(tmp_path, 900, 400))
    assert len(view.thumbnails) == 2 and all(face.size == (112, 112) for face in view.thumbnails) and "2 faces" in view.words
    result, _ = done(run_edit(app, EditRequest(view.photo, "joker", face=1)))
    assert (result.scores["faces"], result.scores["face"]) == (2, 1)
    done(run_edit(app, EditRequest(view.photo, "joker", face=0)))
    assert engine.editor.log.count("invert balanced") == 2  # each face is a person of its own
    for face in (2, -1, 10**9):
        result, _ = done(run_edit(app, EditRequest(view.photo, "joker", face=face)))
        assert result.phase == "failed" and "does not exist" in result.error


def test_without_a_face_three_clicks_do(tmp_path):
    app, _ = context()
    view = find_faces(app, picture(tmp_path, 1800, 90))
    assert view.photo and not view.thumbnails and "No face" in view.words
    assert view.picture.size == (640, 32) and view.scale == 1800 / 640
    refused, _ = done(run_edit(app, EditRequest(view.photo, "joker")))
    assert refused.phase == "failed" and "No face was found" in refused.error
    good, shown = done(run_edit(app, EditRequest(view.photo, "joker", points=((30.0, 30.0), (60.0, 30.0), (45.0, 60.0)))))
    assert good.phase == "done" and good.scores["face"] == -1 and len(shown) == 3


def test_what_is_no_photo_is_refused_when_it_arrives(tmp_path):
    app, _ = context()
    text, tiny = tmp_path / "letter.jpg", tmp_path / "tiny.png"
    text.write_text("dear all")
    Image.new("RGB", (1, 1)).save(tiny)
    for path in (text, tiny, tmp_path / "none.jpg"):
        view = find_faces(app, str(path))
        assert view.error and not view.photo and str(tmp_path) not in view.error
    assert len(app.photos) == 0 and find_faces(app, None).photo == ""


def test_a_bug_in_the_detector_shows_no_path(photo):
    app, engine = context()

    def find(_):
        raise RuntimeError("a bug in /secret/path.py")

    engine.editor.find = find
    view = find_faces(app, photo)
    assert view.error and "/secret" not in view.error and len(app.photos) == 0


@pytest.mark.parametrize("key", [None, "", "0", "../me.jpg", "x" * 10_000])
def test_foreign_photo_ids_are_refused(photo, key):
    app, engine = context()
    find_faces(app, photo)
    view, _ = done(run_edit(app, EditRequest(key, "joker")))
    assert view.phase == "failed" and "photo" in view.error and engine.editor.log == []
    with pytest.raises(PhotoError):
        write_download(app, EditRequest(key, "joker"), "picture", Path("."))


def test_the_photo_shelf_forgets_by_time_number_and_size():
    now = [0.0]
    shelf = PhotoShelf(capacity=3, seconds=100, pixels=1000, clock=lambda: now[0])
    small, large = SimpleNamespace(width=10, height=10), SimpleNamespace(width=100, height=100)
    keys = [shelf.put(small, ()) for _ in range(4)]
    assert len(shelf) == 3 and len(set(keys)) == 4 and all(len(key) >= 22 for key in keys)
    with pytest.raises(PhotoError, match="forgotten after an hour"):
        shelf.get(keys[0])
    now[0] = 90
    shelf.get(keys[1])  # used: its hour begins again
    now[0] = 120
    assert len(shelf) == 1 and shelf.get(keys[1]).photo is small
    last = shelf.put(large, ())  # larger than all together may be: it is alone then
    assert len(shelf) == 1 and shelf.get(last).photo is large
    shelf.discard(last)
    shelf.discard("unknown")
    assert len(shelf) == 0


def test_photos_leave_without_anybody_looking():
    shelf = PhotoShelf(seconds=0.1)

    def watching():  # its own timers: other threads come and go as they please
        return [t for t in threading.enumerate() if isinstance(t, threading.Timer) and getattr(t.function, "__self__", None) is shelf]

    key = shelf.put(SimpleNamespace(width=10, height=10), ())
    assert watching() or key not in shelf
    wait_for(lambda: key not in shelf)
    wait_for(lambda: not watching())  # nothing to watch, nobody watching


def test_a_photo_keeps_a_group_and_two_styles_for_each():
    entry = ShelvedPhoto(None, ())
    for person in range(7):
        entry.keep_portrait(person, person)
        for style in "ab":
            entry.keep_fitted((person, style), style)
    assert list(entry.portraits) == [1, 2, 3, 4, 5, 6] and len(entry.fitted) == 12 and (0, "a") not in entry.fitted
    entry.keep_fitted((6, "c"), "c")  # the oldest makes room
    assert len(entry.fitted) == 12 and (1, "a") not in entry.fitted and (1, "b") in entry.fitted
    entry.keep_portrait(6, "again")  # what was fitted to the one before goes
    assert list(entry.portraits)[-1] == 6 and not any(person == 6 for person, _ in entry.fitted)


def test_what_was_made_of_the_oldest_photo_goes_first():
    shelf = PhotoShelf(most=4)
    keys = [shelf.put(SimpleNamespace(width=10, height=10), ()) for _ in range(3)]
    for key in keys:
        shelf.get(key).keep_portrait("face", 1)
        shelf.get(key).keep_fitted(("face", "style"), 2)
    assert [shelf.get(key).held for key in keys] == [0, 2, 2]
    for key in keys[1:]:  # a single photo may hold more than that
        shelf.get(key).keep_fitted(("face", "other"), 2)
    assert len(shelf) == 3 and [shelf.get(key).held for key in keys[1:]] == [0, 3]


def test_each_look_at_what_has_expired_is_followed_up():
    shelf, looks = PhotoShelf(seconds=0.05), []
    shelf.swept = lambda: looks.append(len(shelf))
    shelf.put(Image.new("RGB", (8, 8)), ())
    wait_for(lambda: looks and not len(shelf))
