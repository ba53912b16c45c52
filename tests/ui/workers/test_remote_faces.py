"""Edits whose long part workers do, in this process: what they show, what leaves the app, Stop, a worker that dies, and refusals."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest
import torch

from nada_core.editing.base import EditProgress
from nada_core.editing.portrait import FittedStyle
from nada_core.errors import ClusterError
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import CompareRequest, EditRequest
from nada_core.ui.tabs.compare.run import run_compare_styles
from nada_core.ui.tabs.stylise.run import run_edit
from nada_core.ui.workers.face_messages import (
    FaceNews,
    FaceTask,
    crop_of,
    crop_parts,
    made_parts,
    read_face_news,
    read_face_task,
    read_fitted,
    read_portrait,
    write_face_news,
    write_face_task,
)
from tests.helpers.edits import done
from tests.helpers.fake_engine import tint
from tests.helpers.portrait_editor import PortraitEditor


@pytest.fixture
def crewed(make_app, open_crew):
    """Makes an app, and the worker in this process for each entry: the number of the stage with which it dies."""

    def make(*dies_at):
        app, fake = make_app(crew=open_crew(*dies_at))
        fake.editor = PortraitEditor(tint)
        return app, fake, [one.worker._context.backend.engine().editor for one in app.crew.idle]

    return make


def asked(app, photo, **values) -> EditRequest:
    return EditRequest(find_faces(app, photo).photo, "joker", **values)


def words(views) -> list[str]:
    return [view.progress.headline for view in views]


@pytest.mark.heavy
def test_an_edit_shows_what_one_here_shows(crewed, make_app, photo, tmp_path):
    app, fake, (editor,) = crewed(None)
    view, there = done(run_edit(app, request := asked(app, photo)))
    assert view.phase == "done", view.error
    assert editor.log == ["invert balanced", "invert close", "wear Joker"] and fake.editor.log == ["render 256"]
    other, local = make_app(folder=tmp_path / "others")
    local.editor = PortraitEditor(tint)
    like, here = done(run_edit(other, wanted := asked(other, photo)))
    assert like.scores == view.scores and all(np.array_equal(one, two) for one, two in zip(there, here, strict=True))
    (mine,), (theirs,) = app.photos.get(request.photo).portraits.values(), other.photos.get(wanted.photo).portraits.values()
    assert torch.equal(mine.inversion.ws, theirs.inversion.ws) and np.array_equal(mine.reference, theirs.reference)
    assert mine.rebuilt.tobytes() == theirs.rebuilt.tobytes() and mine.aligned.faces


def test_the_worker_keeps_nothing(crewed, photo):
    app, _, _ = crewed(None)
    worker = app.crew.idle[0].worker
    assert done(run_edit(app, asked(app, photo)))[0].phase == "done"
    assert worker._work is None and not list(worker._temporary.path.rglob("job-*")) and not len(worker._context.shelf)


@pytest.mark.heavy
def test_what_is_there_already_asks_nobody(crewed, photo):
    app, _, (editor,) = crewed(None)
    request = asked(app, photo)
    done(run_edit(app, request))
    log = list(editor.log)
    assert done(run_edit(app, request))[0].phase == "done" and editor.log == log


def test_without_an_idle_worker_it_is_done_here(crewed, photo):
    app, fake, (editor,) = crewed(None)
    app.crew.take(1.0)
    assert done(run_edit(app, asked(app, photo)))[0].phase == "done"
    assert editor.log == [] and fake.editor.log == ["invert balanced", "invert close", "wear Joker", "render 256"]


def test_a_worker_that_dies_is_replaced(crewed, photo):
    app, fake, (first, second) = crewed(3, None)
    views = list(run_edit(app, asked(app, photo)))
    assert views[-1].phase == "done" and len(app.crew.lost) == 1 and fake.editor.log == ["render 256"]
    assert "Moved to another machine" in words(views) and any(said.startswith("Moved to another machine, ") for said in words(views))
    assert first.log == ["invert balanced", "invert close"] and second.log == ["invert balanced", "invert close", "wear Joker"]


def test_when_the_last_worker_dies_the_app_does_it(crewed, photo):
    app, fake, (editor,) = crewed(6)
    views = list(run_edit(app, asked(app, photo)))
    assert views[-1].phase == "done" and editor.log[:2] == ["invert balanced", "invert close"]
    assert "Moved to another machine" in words(views) and fake.editor.log == ["wear Joker", "render 256"]  # the face was kept


def test_stop_ends_it_there(crewed, photo):
    app, _, (editor,) = crewed(None)
    editor.held, stop = True, threading.Event()
    views = run_edit(app, asked(app, photo), stop)
    for view in views:
        if view.phase == "run":
            stop.set()
    assert view.phase == "stopped" and editor.log == ["invert balanced", "invert close"]
    assert app.crew.idle and app.crew.idle[0].worker._work is None


def test_other_weights_are_refused_by_name(crewed, photo):
    app, fake, _ = crewed(None)
    fake.base_hash = "f" * 16
    view, _ = done(run_edit(app, asked(app, photo)))
    assert view.phase == "failed" and "has other weights of the generator starter (00000000) than this app (ffffffff)" in view.error


def test_a_fault_there_is_no_sentence_of_a_program(crewed, photo, monkeypatch):
    app, _, (editor,) = crewed(None)
    monkeypatch.setattr(editor, "invert_steps", lambda aligned, mode: 1 / 0)
    view, _ = done(run_edit(app, asked(app, photo)))
    assert view.phase == "failed" and "Something went wrong" in view.error and "ZeroDivision" not in view.error


def test_messages_come_back(crewed, photo):
    app, fake, _ = crewed(None)
    entry = app.photos.get(find_faces(app, photo).photo)
    aligned = fake.editor.align_found(entry.photo, entry.faces, 0)
    facts, pixels = crop_parts(aligned)
    task = read_face_task(write_face_task(FaceTask("key", "base", "hash", "encoder", "face", "fast", facts, pixels, style=(b"a", b"b"))))
    assert task.key == "key" and task.mode == "fast" and [bytes(part) for part in task.style] == [b"a", b"b"]
    alone = crop_of(task.facts, task.crop)
    assert alone.crop.tobytes() == aligned.crop.tobytes() and np.array_equal(alone.landmarks, aligned.landmarks) and alone.faces == ()
    *_, last = fake.editor.invert_steps(aligned, "fast")
    back = read_portrait(read_face_news(write_face_news(FaceNews("x", 1.0, b"", *made_parts(last)))), aligned, "cpu")
    assert back.aligned is aligned and torch.equal(back.inversion.offsets["conv.weight"], last.portrait.inversion.offsets["conv.weight"])
    assert (back.identity, back.error, back.mode, back.seconds) == (0.25, 0.125, "fast", 1.5)
    fitted = FittedStyle("joker", "Joker", {"a": torch.randn(2, 3).T, "b": torch.randn(())})
    news = read_face_news(write_face_news(FaceNews("x", 1.0, b"", *made_parts(EditProgress("x", 1.0, fitted=fitted)))))
    back = read_fitted(news, "cpu")
    assert back.name == "joker" and all(torch.equal(back.delta[name], fitted.delta[name]) for name in "ab")


@pytest.mark.parametrize("message", [[], [b""], [pickle.dumps({}), b"", b""], [b'{"none": 1}', b"", b""], ["text"]])
def test_anything_else_is_refused(message):
    for read in (read_face_news, read_face_task):
        with pytest.raises(ClusterError):
            read(message)
    for read in (
        lambda news: read_portrait(news, None, "cpu"),
        lambda news: read_fitted(news, "cpu"),
        lambda news: crop_of(news.facts, b""),
    ):
        with pytest.raises(ClusterError):
            read(FaceNews(facts={"size": [1, 2], "landmarks": []}, made=[b"no", b"file"]))


@pytest.mark.heavy
def test_a_comparison_is_made_there_and_drawn_here(crewed, make_app, photo, tmp_path):
    app, fake, (editor,) = crewed(None)
    fake.saved["zombie"] = fake.saved["joker"]
    *views, view = run_compare_styles(app, CompareRequest(find_faces(app, photo).photo, ["joker", "zombie"]))
    assert view.phase == "done" and view.made == 2, view.error
    assert editor.log == ["invert balanced", "invert close", "wear Joker", "wear Joker"] and fake.editor.log == []
    shown = [sum(bool(cell.jpeg) for cell in one.sheet) for one in views if one.sheet]
    assert shown == sorted(shown) and shown[-1] >= 3  # one by one, as without workers
    other, local = make_app(folder=tmp_path / "others")
    local.editor = PortraitEditor(tint)
    local.saved["zombie"] = local.saved["joker"]
    *_, like = run_compare_styles(other, CompareRequest(find_faces(other, photo).photo, ["joker", "zombie"]))
    assert [cell.jpeg for cell in like.sheet] == [cell.jpeg for cell in view.sheet]


def test_a_comparison_whose_worker_dies_ends_here(crewed, photo):
    app, fake, (editor,) = crewed(11)
    fake.saved["zombie"] = fake.saved["joker"]
    *_, view = run_compare_styles(app, CompareRequest(find_faces(app, photo).photo, ["joker", "zombie"]))
    assert view.phase == "done" and view.made == 2 and all(cell.jpeg and not cell.busy for cell in view.sheet)
    assert fake.editor.log == ["wear Joker"] and editor.log == ["invert balanced", "invert close", "wear Joker", "wear Joker"]
