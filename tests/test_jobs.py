"""The job registry behind the Adapt tab: the line, watchers that come and go, what survives a stop, a crash and a restart."""

from __future__ import annotations

import gc
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import types
import weakref
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest
from fake_engine import FakeEngine, draw_face, fake_backend, tint
from PIL import Image

from nada_core.errors import NadaError, OptionsError, StyleError
from nada_core.ui import build_app
from nada_core.ui.adapt_run import AdaptRequest, choose_step, run_adaptation, start_adaptation
from nada_core.ui.blocklist import check_words
from nada_core.ui.context import AppContext, check_request
from nada_core.ui.jobs import JobLimits, JobRefused
from nada_core.ui.prompt_advice import advice
from nada_core.ui.recorder import planned_steps
from nada_core.ui.session import read_memory, write_memory
from nada_core.ui.shelf import ShelvedStyle, StyleShelf
from nada_core.ui.suggest import StepRecord, measure, suggest_step, suggestion
from nada_core.ui.widgets import loss_chart

ROOT = Path(__file__).resolve().parents[1]
QUICK = JobLimits(tick=0.05)


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Contexts whose files all lie under tmp_path and whose jobs end with the test."""
    made: list[AppContext] = []
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))

    def context(limits=QUICK, *, public=False, inline=None, folder=tmp_path / "jobs", **engine):
        fake = FakeEngine(**engine)
        app = AppContext(fake_backend(fake, folder), public=public, limits=limits, inline=inline)
        made.append(app)
        return app, fake

    yield context
    for app in made:
        app.shutdown()


def start(app, prompt="Joker", browser="", **values):
    return start_adaptation(app, AdaptRequest(prompt, **values), browser)


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def runs(engine):
    """When adaptations began and ended, without the faces drawn in between."""
    return [entry for entry in engine.log if entry in ("open", "close")]


def last(app, job):
    *_, view = app.jobs.watch(job.id)
    return view


# --- the line ---------------------------------------------------------------------------------------------------------------------


def test_fifty_wait_in_order_and_the_next_is_refused(make):
    app, engine = make()
    with app.line.join() as turn:  # the device is busy with a photo
        assert turn.wait(0)
        first = start(app, steps=1)
        wait_for(lambda: first.begun)
        jobs = [start(app, steps=1) for _ in range(50)]
        with pytest.raises(JobRefused, match="50 adaptations are waiting"):
            start(app, steps=1)
        *_, refused = run_adaptation(app, AdaptRequest("Joker"))
        assert refused.phase == "failed" and "try again later" in refused.error
        assert [app.jobs.place(job)[0] for job in jobs] == list(range(1, 51))
        assert engine.log == []
    last(app, jobs[-1])
    ends = [job.ended for job in [first, *jobs]]
    assert ends == sorted(ends) and all(job.state == "done" for job in jobs)
    assert runs(engine) == ["open", "close"] * 51  # never two at once


def test_a_waiting_job_says_its_place_and_its_time(make):
    app, _ = make(delay=0.1)
    first, second, third = (start(app, steps=30) for _ in range(3))
    wait_for(lambda: first.view.step > 3)
    ahead, seconds = app.jobs.place(third)
    assert ahead == 2 and 30 * 0.1 < seconds < 2 * 30 * 0.1  # all of the second, the rest of the first
    views = app.jobs.watch(third.id)
    view = next(views)
    views.close()
    assert view.phase == "wait" and "2 jobs ahead of you" in view.progress and re.search(r"about \d+ s", view.progress)
    for job in (third, second, first):
        app.jobs.cancel(job.id)


def test_a_browser_has_two_at_most_and_ids_cannot_be_guessed(make):
    app, _ = make(delay=0.05)
    jobs = [start(app, browser="one", steps=100) for _ in range(2)]
    with pytest.raises(JobRefused, match="Stop one"):
        start(app, browser="one")
    jobs.append(start(app, browser="two", steps=100))
    assert len({job.id for job in jobs}) == 3 and all(len(job.id) >= 22 for job in jobs)  # 128 bits
    for key in ("", "0", jobs[0].id[:-1]):
        assert app.jobs.find(key) is None and not app.jobs.cancel(key)
        with pytest.raises(JobRefused, match="not known"):
            next(app.jobs.watch(key))
    for job in reversed(jobs):
        app.jobs.cancel(job.id)
    last(app, jobs[0])
    start(app, browser="one", steps=1)  # there is room again


def test_a_failure_stays_with_its_job(make):
    app, engine = make(fail_at=4)
    bad, good = start(app, steps=10), start(app, steps=3)
    assert last(app, bad).phase == "failed" and "/secret" not in bad.view.error
    assert last(app, good).phase == "done" and runs(engine) == ["open", "close"] * 2
    assert app.shelf.get(bad.id, [bad.id]).steps == 3 and bad.view.style_id == bad.id  # what was learnt before the bug is offered


# --- watching, leaving, coming back -----------------------------------------------------------------------------------------------


def test_a_job_outlives_its_page_and_is_found_again(make):
    app, engine = make(delay=0.02)
    views = run_adaptation(app, AdaptRequest("Zombie", steps=60))
    while (view := next(views)).phase != "run":
        pass
    views.close()  # the page is gone
    job = app.jobs.find(view.job)
    before = job.view.step
    wait_for(lambda: job.view.step > before + 10)
    again = list(app.jobs.watch(job.id))
    assert again[0].chart and again[0].originals and again[0].previews  # the first view is complete
    assert again[-1].phase == "done" and again[-1].style_id == job.id and runs(engine) == ["open", "close"]
    (finished,) = app.jobs.watch(job.id)  # and once more, when it is over
    assert finished == again[-1] and all(Path(file).exists() for file in finished.previews)


def test_several_watch_one_job(make):
    app, _ = make(delay=0.02)
    job = start(app, steps=20)
    seen: list[list] = [[], [], []]
    threads = [threading.Thread(target=lambda views=views: views.extend(app.jobs.watch(job.id))) for views in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert all(views[-1].phase == "done" and views[-1] == seen[0][-1] for views in seen)


def test_previews_are_quick_and_steady(make):
    app, _ = make(delay=0.05)
    begun, times, pictures = time.monotonic(), [], None
    for view in run_adaptation(app, AdaptRequest("Joker", steps=40)):
        if view.phase == "run" and view.previews and view.previews != pictures:
            pictures = view.previews
            times.append(time.monotonic())
            assert all(Path(file).exists() for file in pictures)
    assert times[0] - begun < 3 and max(b - a for a, b in pairwise(times)) < 2


def test_the_first_view_that_says_it_is_over_offers_the_style(make):
    app, _ = make()
    over = [view for view in run_adaptation(app, AdaptRequest("Joker", steps=12)) if not view.running]
    assert [(view.phase, view.style_id) for view in over] == [("done", over[0].job)] and over[0].style_id in app.shelf


def test_cancel_while_waiting_and_while_running(make):
    app, engine = make(delay=0.02)
    running, waiting = start(app, steps=500), start(app, steps=500)
    wait_for(lambda: running.view.step > 5)
    assert app.jobs.cancel(waiting.id) and waiting.state == "stopped" and "before it began" in last(app, waiting).progress
    assert app.jobs.cancel(running.id)
    view = last(app, running)
    assert view.phase == "stopped" and 5 < app.shelf.get(running.id, [running.id]).steps < 500
    assert not app.jobs.cancel(running.id) and waiting.id not in app.shelf and runs(engine) == ["open", "close"]
    wait_for(lambda: len(app.line) == 0)


def test_nobody_watching_ends_a_job_and_keeps_its_style(make):
    app, _ = make(JobLimits(idle=0.4, tick=0.05), delay=0.02)
    watched, lonely = start(app, steps=40), start(app, steps=500)
    view = last(app, watched)
    assert view.phase == "done"  # longer than the limit, but watched
    wait_for(lambda: lonely.finished)
    view = last(app, lonely)
    assert view.phase == "stopped" and "Nobody was watching" in view.progress
    if view.step:
        assert app.shelf.get(lonely.id, [lonely.id]).steps == view.step


def test_the_style_of_a_job_nobody_watches_is_kept(make):
    app, _ = make(JobLimits(idle=0.4, tick=0.05), delay=0.02)
    job = start(app, steps=500)
    wait_for(lambda: job.finished)
    assert job.state == "stopped" and 1 <= app.shelf.get(job.id, [job.id]).steps < 500


# --- saved steps ------------------------------------------------------------------------------------------------------------------


def test_saved_steps_are_spread_over_the_run():
    assert (
        planned_steps(60) == (8, 15, 22, 30, 38, 45, 52, 60)
        and planned_steps(12) == (4, 8, 12)
        and planned_steps(3) == (3,)
        and planned_steps(1) == (1,)
    )
    assert planned_steps(2000)[-1] == 2000 and len(planned_steps(2000)) == 8


def test_the_steps_of_a_run_can_be_looked_at_and_worn(make):
    app, _ = make()
    job = start(app, "Neon", steps=40)
    saved = last(app, job).saved
    steps = [one.step for one in saved]
    assert len(saved) == 8 and steps == sorted(steps) and steps[-1] == 40 and app.shelf.get(job.id, [job.id]).steps == 40
    assert all(len(one.pictures) == 4 and all(Path(file).exists() for file in one.pictures) for one in saved)
    assert choose_step(app, job.id, [], 10) is None and choose_step(app, "forged", ["forged"], 10) is None
    chosen = choose_step(app, job.id, [job.id], steps[2] + 0.4)
    entry = app.shelf.get(job.id, [job.id])
    assert chosen.step == steps[2] == entry.steps == entry.style.card.steps and entry.prompt == "Neon"
    best = choose_step(app, job.id, [job.id], -1).step
    assert best == suggest_step([one.record for one in saved]) == app.shelf.get(job.id, [job.id]).steps
    assert choose_step(app, job.id, [job.id], 40).step == app.shelf.get(job.id, [job.id]).steps == 40


def test_a_step_without_previews_is_drawn_when_it_is_due(make, monkeypatch):
    app, engine = make()
    steps = FakeEngine._steps

    def sparse(self, prompt, options, *more):  # a fast device: previews at the two ends only
        for step in steps(self, prompt, options, *more):
            yield step if step.index in (1, options.steps) else replace(step, previews=None)

    monkeypatch.setattr(FakeEngine, "_steps", sparse)
    job = start(app, steps=40)
    saved = last(app, job).saved
    assert len(saved) == 8 and sum(entry.startswith("sample") for entry in engine.log) == 7
    assert all(abs(one.step - due) <= 3 for one, due in zip(saved, planned_steps(40)))


def test_the_suggested_step_is_strong_and_keeps_the_people():
    assert suggest_step([]) == 0 and suggestion([]) == ""
    growing = [StepRecord(step, step / 60) for step in (15, 30, 45, 60)]
    assert suggest_step(growing) == 60 and "to the end" in suggestion(growing)
    flat = [StepRecord(15, 0.4), StepRecord(30, 0.7), StepRecord(45, 0.705), StepRecord(60, 0.706)]
    assert suggest_step(flat) == 30 and "almost nothing" in suggestion(flat)
    collapse = [StepRecord(15, 0.4), StepRecord(30, 0.6), StepRecord(45, 0.65, 0.5), StepRecord(60, 0.7, 0.2)]
    assert suggest_step(collapse) == 30 and "alike" in suggestion(collapse)
    lost = [StepRecord(30, 0.6, 1.0, 0.3), StepRecord(60, 0.65, 1.0, 0.9)]
    assert suggest_step(lost) == 30 and "lost" in suggestion(lost)
    assert suggest_step([StepRecord(1, float("nan")), StepRecord(2, float("nan"))]) == 2


def test_diversity_and_distance_are_measured_on_shapes(tmp_path):
    def write(stem, pictures):
        files = [tmp_path / f"{stem}-{number}.png" for number in range(len(pictures))]
        for file, picture in zip(files, pictures):
            picture.save(file)
        return files

    faces = [draw_face(seed) for seed in range(4)]
    originals = write("before", faces)
    assert measure(originals, originals) == pytest.approx((1, 0), abs=1e-6)
    diversity, moved = measure(originals, write("tinted", [tint(face, "Joker", 0.5) for face in faces]))
    assert diversity == pytest.approx(1, abs=0.15) and moved < 0.05  # paint changes neither
    diversity, moved = measure(originals, write("same", [faces[0]] * 4))
    assert diversity == pytest.approx(0, abs=1e-6) and moved > 0.3
    diversity, moved = measure(originals, write("others", faces[1:] + faces[:1]))
    assert diversity == pytest.approx(1, abs=1e-6) and moved == pytest.approx(1, abs=0.35)
    assert measure(originals[:1], originals[:1]) == (1.0, 0.0)


# --- crashes and restarts ---------------------------------------------------------------------------------------------------------

_CHILD = """
import json, pathlib, sys, threading, time
sys.path[:0] = [{root!r}, {tests!r}]
from fake_engine import FakeEngine, fake_backend
from nada_core.ui.adapt_run import AdaptRequest, start_adaptation
import app as program

class Keeping(FakeEngine):
    def save_style(self, style, name=None):
        pathlib.Path({library!r}, name).write_text(json.dumps([style.card.prompt, style.card.steps]))
        return name

demo = program.build_app(backend=fake_backend(Keeping(delay=0.05), pathlib.Path({folder!r})))

def work():
    job = start_adaptation(demo.context, AdaptRequest("Oil painting", steps=800))
    while job.view.step < 15 or len(job.view.saved) < {saved}:
        time.sleep(0.02)
    print("running", job.id, flush=True)

threading.Thread(target=work, daemon=True).start()
sys.exit(program.serve(demo, "127.0.0.1", {port}))
"""


def child(tmp_path, saved=0):
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "library").mkdir(exist_ok=True)
    values = {"root": str(ROOT), "tests": str(ROOT / "tests"), "library": str(tmp_path / "library"), "folder": str(tmp_path / "jobs")}
    code = textwrap.dedent(_CHILD).format(**values, port=port, saved=saved)
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("running"):
            return process, line.split()[1]
    raise AssertionError(f"the server ended with {process.wait()}")


def test_a_killed_process_loses_little_and_the_next_start_recovers_it(make, tmp_path):
    process, key = child(tmp_path, saved=0)
    (folder,) = (tmp_path / "jobs").glob(f"*/{key}")
    wait_for(lambda: (folder / "latest.safetensors").exists())  # saved while it runs, long before the first step of the scrubber
    watching, engine = make()
    watching.open()
    assert set(engine.saved) == {"joker"} and folder.exists()  # a living process is left alone
    steps = json.loads((folder / "latest.safetensors").read_text())["steps"]
    process.kill()
    process.wait(20)
    starting, engine = make()
    starting.open()
    assert engine.saved["recovered-oil-painting"].card.steps >= steps >= 10
    assert not folder.exists() and key not in engine.log
    make()[0].open()


def test_leftovers_on_a_public_server_are_deleted_and_damaged_ones_after_a_day(make, tmp_path):
    def leave(name, content, age=0.0):
        folder = tmp_path / "jobs" / f"999-{name}" / "key"
        folder.mkdir(parents=True)
        (folder / "latest.safetensors").write_text(content)
        (folder / "job.json").write_text('{"prompt": "Gold <x>"}')
        os.utime(folder, (time.time() - age,) * 2)
        return folder

    whole = leave("a", '{"prompt": "Gold", "steps": 7}')
    public, engine = make(public=True)
    public.open()
    assert not whole.exists() and set(engine.saved) == {"joker"}
    whole, fresh, old = leave("b", '{"prompt": "Gold", "steps": 7}'), leave("c", "damaged"), leave("d", "damaged", 2 * 24 * 3600)
    private, engine = make()
    private.open()
    assert engine.saved["recovered-gold-x"].card.steps == 7
    assert not whole.parent.exists() and fresh.exists() and not old.parent.exists()


def test_a_terminated_process_saves_what_it_was_making(make, tmp_path):
    process, _ = child(tmp_path)
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert process.wait(20) == 143 and time.monotonic() - begun < 10
    prompt, steps = json.loads((tmp_path / "library" / "recovered-oil-painting").read_text())
    assert prompt == "Oil painting" and 15 <= steps < 800
    assert not list((tmp_path / "jobs").glob("*"))
    app, engine = make()
    app.open()
    assert set(engine.saved) == {"joker"}  # nothing is recovered twice


def test_shutdown_that_cannot_wait_leaves_the_style_for_the_next_start(make):
    app, _ = make(delay=0.02)
    job = start(app, steps=500)
    wait_for(lambda: job.view.saved)
    release = threading.Event()
    app.jobs._keep = lambda job: release.wait(20)  # the end of the job takes too long
    app.shutdown(timeout=0.3)
    with pytest.raises(JobRefused, match="about to stop"):
        start(app)
    later, engine = make()
    later.open()
    assert "recovered-joker" in engine.saved
    release.set()


def test_without_a_writable_cache_the_run_goes_on(make, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    app, _ = make(folder=tmp_path / "file" / "jobs")
    job = start(app, steps=12)
    assert last(app, job).phase == "done" and "cannot be written" in caplog.text


def test_a_full_disk_costs_the_saved_steps_only(make):
    app, _ = make()

    def full(style, path):
        raise StyleError("The style could not be saved: No space left on device.")

    app.backend = replace(app.backend, export=full)
    job = start(app, steps=20)
    view = last(app, job)
    assert view.phase == "done" and view.saved == () and "not kept" in view.progress
    assert app.shelf.get(job.id, [job.id]).steps == 20


# --- one job inside the request, for ZeroGPU --------------------------------------------------------------------------------------


def test_inline_the_request_does_the_work(make):
    app, engine = make(inline=True)
    before = threading.active_count()
    views = list(run_adaptation(app, AdaptRequest("Joker", steps=12)))
    assert views[-1].phase == "done" and threading.active_count() == before
    assert app.shelf.get(views[-1].style_id, [views[-1].style_id]).steps == 12
    views = run_adaptation(app, AdaptRequest("Joker", steps=500))
    while (view := next(views)).step < 4:
        pass
    watched = next(app.jobs.watch(view.job))  # another page may look on
    assert watched.step >= 4
    views.close()  # the request is gone, and the GPU with it
    ended = app.jobs.find(view.job)
    assert ended.state == "stopped" and app.shelf.get(view.job, [view.job]).steps >= 4
    assert runs(engine) == ["open", "close"] * 2 and len(app.line) == 0


def test_inline_stop_and_turns(make):
    app, engine = make(inline=True, delay=0.02)
    views = run_adaptation(app, AdaptRequest("Joker", steps=500))
    for view in views:
        if view.step == 4:
            assert app.jobs.cancel(view.job)
    assert view.phase == "stopped" and 4 <= view.step < 20
    ended: list = [None, None]

    def work(number):
        *_, ended[number] = run_adaptation(app, AdaptRequest("Joker", steps=10))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [view.phase for view in ended] == ["done", "done"] and runs(engine) == ["open", "close"] * 3


def test_on_zero_gpu_the_work_is_handed_to_spaces(make, monkeypatch):
    """A stand-in for `spaces` that, like the real one, may only be sent what can be pickled, and whose shelf is not ours."""
    tickets = []

    def GPU(duration):
        def wrap(function):
            def call(ticket):
                tickets.append(pickle.loads(pickle.dumps(ticket)))  # noqa: S301 - our own bytes
                for view in function(tickets[-1]):
                    yield pickle.loads(pickle.dumps(view))  # noqa: S301
                app.shelf.discard([ticket.id])

            return call

        return wrap

    module = types.ModuleType("spaces")
    module.GPU = GPU
    module.__spec__ = types.SimpleNamespace(name="spaces")
    monkeypatch.setitem(sys.modules, "spaces", module)
    assert not make()[0].jobs.inline  # the package alone is not ZeroGPU
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    app, _ = make()
    assert app.jobs.inline
    *_, view = run_adaptation(app, AdaptRequest("Joker", steps=12))
    assert view.phase == "done" and len(tickets) == 1
    assert app.shelf.get(view.style_id, [view.style_id]).steps == 12  # read back from the disk


# --- pictures instead of words ----------------------------------------------------------------------------------------------------


def test_pictures_as_the_target_are_copied_shrunk_and_deleted(make, tmp_path):
    app, engine = make()
    paths = []
    for number, size in enumerate(((3000, 1500), (200, 200))):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.new("RGB", size, "red").save(paths[-1])
    with app.line.join():
        job = start(app, "My look", images=tuple(paths), steps=3)
        for path in paths:
            Path(path).unlink()  # the page's upload is gone before the turn comes
    assert last(app, job).phase == "done" and engine.log[0] == "images 2048x1024 200x200"
    assert app.shelf.get(job.id, [job.id]).prompt == "My look"
    assert not any(Path(file).exists() for file in job.request.images)
    with pytest.raises(OptionsError, match="17 target pictures"):
        start(app, "My look", images=("x.png",) * 17)
    text = tmp_path / "letter.jpg"
    text.write_text("dear all")
    with pytest.raises(NadaError, match=r"letter\.jpg"):
        start(app, "My look", images=(str(text),))


# --- hours of jobs ----------------------------------------------------------------------------------------------------------------


def test_two_hundred_jobs_leave_nothing_behind(make, tmp_path):
    app, _ = make(JobLimits(kept=3, tick=0.05), delay=0.0)
    last(app, start(app, steps=2))
    threads, jobs = threading.active_count(), []
    for number in range(200):
        job = start(app, steps=2)
        jobs.append(weakref.ref(job))
        if number % 10 == 0:
            app.jobs.cancel(job.id)
        last(app, job)
    wait_for(lambda: len(app.line) == 0)
    time.sleep(0.2)
    assert threading.active_count() == threads and len(app.jobs._jobs) <= 4 and len(app.shelf) <= 12
    assert len(list((tmp_path / "jobs").glob("*/*/"))) <= 4 and len(list((tmp_path / "temp").glob("nada-pictures-*/*"))) <= 4
    assert len(app.shelf._used) == len(app.shelf)
    del job
    gc.collect()
    assert sum(reference() is not None for reference in jobs) <= 4
    app.shutdown()
    assert not list((tmp_path / "jobs").iterdir()) and not list((tmp_path / "temp").glob("nada-pictures-*/*"))


def test_a_long_run_keeps_few_pictures(make, monkeypatch):
    monkeypatch.setattr("nada_core.ui.recorder._LINGER", 0.2)
    app, _ = make(delay=0.01)
    job = start(app, steps=150)
    last(app, job)
    assert len(list(job.folder.pictures.glob("after-*"))) < 4 * 25  # 50 previews of four faces were drawn


def test_finished_jobs_and_unused_styles_are_forgotten(make):
    app, _ = make(JobLimits(keep=0.2, tick=0.05))
    job = start(app, steps=2)
    last(app, job)
    time.sleep(0.3)
    last(app, start(app, steps=2))
    assert app.jobs.find(job.id) is None and not job.folder.styles.exists() and not job.folder.pictures.exists()
    shelf = StyleShelf(keep=0.1)
    shelf.put("a", ShelvedStyle(object(), "a", 1))
    time.sleep(0.2)
    assert shelf.listing(["a"]) == [] and len(shelf) == 0


# --- the page's side --------------------------------------------------------------------------------------------------------------


def handler(demo, name):
    (function,) = [block.fn for block in demo.fns.values() if getattr(block.fn, "__name__", "") == name]
    return function


def named(update):
    return {getattr(component, "elem_id", None): value for component, value in update.items() if getattr(component, "elem_id", None)}


def test_a_reloaded_page_finds_its_run_and_its_styles(make, tmp_path):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.02), tmp_path / "jobs"))
    app = demo.context
    app.open()
    memory = next(block for block in demo.blocks.values() if type(block).__name__ == "BrowserState")
    assert memory.storage_key == "nada-demo" and memory.secret == "nada-demo-memory"  # random ones would not survive a restart
    page = handler(demo, "adapt")("Zombie", 40, "all", 0, "face", 5, False)
    kept = None
    for update in page:
        kept = update.get(memory) or kept
        if "of 40" in named(update)["adapt-progress"]:
            break
    page.close()
    resumed = list(handler(demo, "resume")(kept))
    first, end = named(resumed[0]), named(resumed[-1])
    assert first["prompt"] == "Zombie" and first["seed"] == 5 and "of 40" in first["adapt-progress"]
    assert first["stop"]["interactive"] and not first["adapt"]["interactive"] and Path(first["after-0"]).exists()
    assert "Done: 40 steps" in end["adapt-progress"] and end["save"]["interactive"] and end["style"]["value"].startswith("mine:")
    assert end["step"]["maximum"] == 40 and end["step"]["interactive"] and "suggested" in end["scrub-words"]
    assert len(resumed) > 3 and all(memory not in update for update in resumed[1:-1])  # streaming does not touch the browser's memory
    (once_more,) = handler(demo, "resume")(resumed[-1][memory])
    assert "Done: 40 steps" in named(once_more)["adapt-progress"]
    for stranger in (None, {"browser": "x", "jobs": ["forged"]}, {"jobs": 3}, [1], "text"):
        (update,) = handler(demo, "resume")(stranger)
        assert "adapt-progress" not in named(update) and update[memory]["jobs"] == []
    key = kept["jobs"][-1]
    picked = named(handler(demo, "pick_step")(9, key, [key]))
    assert "Saving" in picked["scrub-words"] and app.shelf.get(key, [key]).steps < 20
    suggested = named(handler(demo, "pick_suggested")(key, [key]))
    assert suggested["step"] == app.shelf.get(key, [key]).steps
    app.shutdown()


def test_a_page_with_a_running_job_does_not_start_another(make, tmp_path):
    import gradio as gr

    demo = build_app(backend=fake_backend(FakeEngine(delay=0.02), tmp_path / "jobs"))
    demo.context.open()
    job = start(demo.context, steps=500)
    with pytest.raises(gr.Error, match="running already"):
        list(handler(demo, "adapt")("Gold", 40, "all", 0, "face", 5, False, job=job.id))
    handler(demo, "halt")(job.id)
    last(demo.context, job)
    assert len(demo.context.jobs._jobs) == 1
    demo.context.shutdown()


def test_what_a_browser_remembers_is_checked():
    browser, jobs = read_memory(None)
    assert len(browser) >= 22 and jobs == []
    assert read_memory(write_memory("b", [str(number) for number in range(30)])) == ("b", [str(number) for number in range(18, 30)])
    browser, jobs = read_memory({"browser": 5, "jobs": [1, None, "x" * 1000]})
    assert isinstance(browser, str) and jobs == ["x" * 64]


def test_advice_names_the_kind_of_change():
    assert "40 to 60" in advice("Joker makeup") == advice("green hair") and "all layers" in advice("pencil sketch")
    assert "shape" in advice("zombie") and advice("qwertz") == advice("") == advice(None) == ""


def test_the_real_check_needs_no_computing():
    from nada_core.adaptation import AdaptOptions

    engine = types.SimpleNamespace(generator=types.SimpleNamespace(family="mobile_stylegan"), concepts=lambda: ["Joker", "zombie"])
    check_request(engine, "a photo of the Joker", AdaptOptions())
    check_request(engine, None, AdaptOptions())
    for prompt, options in (("oil painting", AdaptOptions()), ("Joker", AdaptOptions(steps=0)), ("12", AdaptOptions())):
        with pytest.raises(NadaError):
            check_request(engine, prompt, options)
    engine.concepts = list  # the full world takes any text
    check_request(engine, "oil painting", AdaptOptions())


def test_the_chart_has_two_lines_of_one_shape():
    empty, full = loss_chart((), 60), loss_chart([1.0, float("nan"), 0.4], 60, [0.1, float("inf"), 0.7])
    assert empty.count("<") == full.count("<") and "0.400" in full and "0.700" in full
    similar = re.search(r'line-similar" points="([^"]*)"', full).group(1)
    assert len(similar.split()) == 2 and similar.split()[1].endswith(",36.0")  # 0.7 of the height


# --- public servers ---------------------------------------------------------------------------------------------------------------


def test_blocked_words_are_refused_on_a_public_server_only(make, monkeypatch):
    monkeypatch.setenv("NADA_BLOCKED_PROMPTS", " Zombie, oil   Painting,, ")
    public, engine = make(public=True)
    assert public.blocked == ("zombie", "oil painting")
    for values in (
        {"prompt": "ZOMBIE!"},
        {"prompt": "Zömbie"},
        {"prompt": "an oil-painting"},
        {"prompt": "Joker", "source": "a zombie face"},
    ):
        *_, view = run_adaptation(public, AdaptRequest(**values))
        assert view.phase == "failed" and "does not allow" in view.error and "ombie" not in view.error
    assert runs(engine) == [] and not public.jobs._jobs
    assert last(public, start(public, "Joker", steps=2)).phase == "done"
    check_words(["zombies", "oil", "painting"], public.blocked)  # whole words, whole phrases
    private, _ = make()
    assert last(private, start(private, "Zombie", steps=2)).phase == "done"


def test_finished_jobs_leave_the_disk_oldest_first(make):
    app, _ = make(JobLimits(tick=0.05, kept=10, disk=1), delay=0.0)
    first = start(app, steps=12)
    last(app, first)
    assert first.size > 1000 and first.size == first.folder.size()
    app.jobs.limits = replace(app.jobs.limits, disk=2 * first.size + first.size // 2)
    jobs = [first]
    for _ in range(3):
        jobs.append(start(app, steps=12))
        last(app, jobs[-1])
    with app.jobs._changed:
        app.jobs._tidy()
    assert [app.jobs.find(job.id) is not None for job in jobs] == [False, False, True, True]
    assert not jobs[0].folder.styles.exists() and jobs[-1].folder.styles.exists()


def test_the_limits_suit_a_small_disk():
    limits = JobLimits()
    assert limits.kept == 4 and limits.disk <= 2 << 30
