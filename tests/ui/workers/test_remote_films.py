"""Films that workers paint, in this process: what comes back and what stays, Stop, a worker that dies, and where none is idle."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from nada_core.students.files import StudentCard, StyleStudent
from nada_core.students.network import Student
from nada_core.ui.tabs.mirror.film_work import FilmRequest, run_film


@pytest.fixture
def film(tmp_path) -> str:
    path = tmp_path / "me.mp4"
    path.write_bytes(b"a film")
    return str(path)


@pytest.fixture
def crewed(make_app, open_crew):
    """Makes an app with workers in this process that die when they tell this often; returns it, its engine, and theirs."""

    def make(*dies_at):
        app, fake = make_app(crew=open_crew(*dies_at), delay=0.0)
        torch.manual_seed(0)
        network = Student((4, 4))
        fake.students.student = StyleStudent(StudentCard("joker", "Joker", "digest", 7), network, network.neutral())
        app.open()
        return app, fake, [one.worker._context.backend.engine() for one in app.crew.idle]

    return make


def seen(app, request, stop=None, stop_at=2.0):
    """All views, and the file's bytes."""
    stop, views, kept = stop or threading.Event(), [], None
    for view in run_film(app, request, stop):
        views.append(view)
        kept = Path(view.file).read_bytes() if view.file else kept
        if view.progress.fraction > stop_at:
            stop.set()
    return views, kept


def left_behind(worker) -> list[Path]:
    """What a worker still has of its errands: their folders, and films anywhere."""
    found = worker.worker._temporary.path.rglob("*")
    return [path for path in found if path.name.startswith("job-") or (path.is_file() and path.read_bytes() == b"a film")]


def test_a_film_is_painted_there_and_kept_here(crewed, film, monkeypatch):
    app, fake, (engine,) = crewed(None)
    (worker,), sent = app.crew.idle, []
    faces = worker.faces
    monkeypatch.setattr(worker, "faces", lambda key, task, stopping: sent.append(task) or faces(key, task, stopping))
    views, kept = seen(app, FilmRequest(film, "joker"))
    assert views[-1].phase == "done" and kept == b"a film" and not Path(views[-1].file).exists()
    assert "9 of 10 frames" in views[-1].progress.note and "subtitles" in views[-1].progress.note
    assert engine.log[-2:] == ["film Joker", "film close"] and "film Joker" not in fake.log
    shares = [view.progress.fraction for view in views[1:]]
    assert shares == sorted(shares) and sum(view.frame is not None and view.frame[:2] == b"\xff\xd8" for view in views) == 4
    ((student, share),) = engine.sent
    assert share == 1.0 and student.card == StudentCard("joker", "Joker", "digest", 7)
    for name, value in fake.students.student.network.state_dict().items():
        assert torch.equal(student.network.state_dict()[name], value.half().float())
    assert worker.worker._work is None and not left_behind(worker)
    assert str(Path(film).parent).encode() not in b"".join(bytes(part) for part in sent[0]), "bytes travel, paths do not"
    assert len(app.line) == 0 and app.crew.idle == [worker]


def test_stop_keeps_what_was_painted_there(crewed, film):
    app, fake, (engine,) = crewed(None)
    engine.hold_at = 4
    views, kept = seen(app, FilmRequest(film, "joker"), stop_at=0.35)
    assert views[-1].phase == "stopped" and kept == b"a film" and "kept" in views[-1].progress.note
    assert engine.log[-1] == "film close" and "film Joker" not in fake.log and not left_behind(app.crew.idle[0])


def test_another_worker_begins_again_and_then_the_app_itself(crewed, film):
    app, fake, engines = crewed(6, 3)
    views, kept = seen(app, FilmRequest(film, "joker"))
    words = [view.progress.headline for view in views]
    assert words.count("Moved to another machine") == 2 and views[-1].phase == "done" and kept == b"a film"
    assert [engine.log[-2:] for engine in (*engines, fake)] == [["film Joker", "film close"]] * 3
    assert len(app.crew.lost) == 2 and len(app.line) == 0


def test_stop_while_another_worker_begins_again(crewed, film):
    app, fake, engines = crewed(4, None)
    engines[1].hold_at = 1
    stop, views = threading.Event(), []
    for view in run_film(app, FilmRequest(film, "joker"), stop):
        views.append(view)
        kept = view.file and Path(view.file).is_file()
        if view.progress.headline == "Moved to another machine":
            stop.set()
    assert views[-1].phase == "stopped" and "film Joker" not in fake.log
    assert kept, "a frame was painted before the second one was asked to stop"


def test_without_an_idle_worker_the_app_does_it(crewed, film):
    app, fake, (engine,) = crewed(None)
    app.crew.take(1.0)
    views, kept = seen(app, FilmRequest(film, "joker"))
    assert views[-1].phase == "done" and kept == b"a film"
    assert "film Joker" in fake.log and fake.sent is None and "film Joker" not in engine.log


def test_refusals_of_a_worker_reach_the_page(crewed, film, tmp_path):
    app, fake, _ = crewed(None)
    letter = tmp_path / "letter.mp4"
    letter.write_text("dear all")
    views, _ = seen(app, FilmRequest(str(letter), "joker"))
    assert views[-1].phase == "failed" and views[-1].error == "This is not a film." and "film close" not in fake.log
    letter.unlink()
    views, _ = seen(app, FilmRequest(str(letter), "joker"))
    assert views[-1].phase == "failed" and views[-1].error == "There is no film 'letter.mp4'. Upload it again."
    fake.students.student = None
    views, _ = seen(app, FilmRequest(film, "joker"))
    assert views[-1].phase == "failed" and "or choose another style" in views[-1].error
    assert len(app.crew.idle) == 1 and not left_behind(app.crew.idle[0])
