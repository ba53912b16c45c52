"""Everything that computes does so in one thread, whoever asks and however it ends."""

from __future__ import annotations

import gc
import inspect
import os
import signal
import threading
import time
import weakref
from pathlib import Path

import pytest

from nada_core.errors import StyleError
from nada_core.ui.jobs.worker import Worker
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import CompareRequest, EditRequest
from nada_core.ui.server.change_world import Wish, change_world
from nada_core.ui.server.warm_up import warm_up
from nada_core.ui.style_menu.choices import OWN
from nada_core.ui.style_menu.pictures import run_style_pictures
from nada_core.ui.tabs.adapt.finished import pack, save
from nada_core.ui.tabs.adapt.other_strengths import choose_step, faces_at
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from nada_core.ui.tabs.compare.downloads import write_comparison
from nada_core.ui.tabs.compare.run import run_compare_strength, run_compare_styles
from nada_core.ui.tabs.gallery.library import import_style
from nada_core.ui.tabs.gallery.run import run_compare, run_export, run_walk
from nada_core.ui.tabs.stylise.downloads import write_download
from nada_core.ui.tabs.stylise.run import run_edit, run_rerender
from tests.helpers.apps import context, picture
from tests.helpers.fake_editor import FakeEditor
from tests.helpers.fake_engine import FakeEngine

COMPUTES = {
    FakeEngine: "adapt preview_originals sample walk scaled style export_style import_style",
    FakeEditor: "invert_steps fit_steps render finish scores take_pace",
}


@pytest.fixture
def threads(monkeypatch) -> set[tuple[str, str]]:
    """(what, name of the thread) of every call, and of every step, of whatever computes."""
    seen: set[tuple[str, str]] = set()

    def watch(cls, name):
        real = getattr(cls, name)

        def steps(made):
            try:
                while True:
                    seen.add((name, threading.current_thread().name))
                    try:
                        item = next(made)
                    except StopIteration:
                        return
                    yield item
            finally:
                seen.add((f"{name} closed", threading.current_thread().name))
                made.close()

        def call(self, *args, **options):
            seen.add((name, threading.current_thread().name))
            made = real(self, *args, **options)
            return steps(made) if inspect.isgenerator(made) else made

        monkeypatch.setattr(cls, name, call)

    for cls, names in COMPUTES.items():
        for name in names.split():
            watch(cls, name)
    return seen


@pytest.mark.heavy
def test_everything_is_computed_in_one_thread(threads, tmp_path):
    app, _ = context("zombie")
    warm_up(app)
    views = list(run_adaptation(app, AdaptRequest("Joker", steps=12)))
    job = views[-1].job
    assert views[-1].phase == "done"
    assert choose_step(app, job, [job], 3.0) is not None and faces_at(app, job, [job], 0.5)
    save(app, job, [job], "mine", 0.7)
    for file in pack(app, app.shelf.get(job, [job]), 0.9):
        assert not file or import_style(app, file)
    assert len(list(run_style_pictures(app, [job]))) > 1

    photo = find_faces(app, picture(tmp_path)).photo
    worn = EditRequest(photo, OWN + job, blend="zombie", owned=(job,))
    assert [view.phase for view in run_edit(app, worn)][-1] == "done"
    assert [view.phase for view in run_rerender(app, worn)][-1] == "done"
    assert write_download(app, worn, "film", tmp_path).exists() and write_download(app, worn, "sheet", tmp_path).exists()
    several = CompareRequest(photo, ["joker", "zombie"])
    assert [view.phase for view in run_compare_styles(app, several)][-1] == "done"
    assert [view.phase for view in run_compare_strength(app, several)][-1] == "done"
    assert write_comparison(app, several, "sheet", tmp_path).exists()
    for run in (run_compare, run_walk):
        assert [view.phase for view in run(app, ["joker", "zombie"], "1 2")][-1] == "done"
    assert [view.phase for view in run_export(app, ["joker", "zombie"])][-1] == "done"
    change_world(app, Wish(base="starter"))
    app.shutdown()

    assert {name for name, _ in threads} >= set(" ".join(COMPUTES.values()).split())
    assert {(name, thread) for name, thread in threads if thread != "compute"} == set()


def test_work_that_is_left_is_closed_in_that_thread(threads, tmp_path):
    app, engine = context()
    photo = find_faces(app, picture(tmp_path)).photo
    views = run_edit(app, EditRequest(photo, "joker"))
    while "invert balanced" not in engine.editor.log:
        next(views)
    views.close()
    assert ("invert_steps closed", "compute") in threads and "invert close" in engine.editor.log
    assert len(app.line) == 0


def test_results_errors_and_returned_values_come_back():
    worker = Worker()

    def stages():
        yield threading.current_thread().name
        return (yield threading.current_thread().name)

    def follow():
        end = yield from worker.steps(stages)
        yield end

    assert worker.run(lambda: 3) == 3 and list(follow()) == ["compute", "compute", None]
    with pytest.raises(StyleError, match="no such"):
        worker.run(lambda: (_ for _ in ()).throw(StyleError("no such style")))
    assert worker.run(lambda: worker.run(lambda: threading.current_thread().name)) == "compute"  # from the thread itself: at once


def test_pieces_of_work_do_not_overlap():
    worker, inside, most = Worker(), 0, 0

    def piece():
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.002)
        inside -= 1

    waiting = [threading.Thread(target=worker.run, args=(piece,)) for _ in range(20)]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    assert most == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_a_thread_of_its_own():
    worker = Worker()
    worker.run(lambda: None)
    child = os.fork()
    if not child:
        os._exit(7 if worker.run(lambda: threading.current_thread().name) == "compute" else 1)
    until = time.monotonic() + 300
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < until:
        time.sleep(0.05)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
    assert ended != (0, 0) and os.waitstatus_to_exitcode(ended[1]) == 7


@pytest.mark.heavy
def test_what_was_made_is_not_held_by_the_idle_thread():
    class Large:
        pass

    worker, kept = Worker(), []
    kept.append(weakref.ref(worker.run(Large)))
    worker.run(lambda: None)
    gc.collect()
    assert kept[0]() is None


def test_a_world_that_cannot_be_loaded_is_tried_again(tmp_path: Path):
    app, fake = context()
    real, tries = app.backend.engine, []

    def engine(**wish):
        tries.append(wish)
        if len(tries) == 1:
            raise StyleError("The networks are not here yet.")
        return real(**wish)

    object.__setattr__(app.backend, "engine", engine)
    with pytest.raises(StyleError, match="not here yet"):
        app.open()
    assert app.open()[0] is fake and len(tries) == 2
