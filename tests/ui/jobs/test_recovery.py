"""What survives of a job when its process crashes, is stopped, or cannot write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace

import pytest

from nada_core.errors import StyleError
from nada_core.ui.jobs.registry import JobRefused
from tests.helpers.adapting import last, start, wait_for
from tests.helpers.folders import ROOT
from tests.helpers.loopback import dead_port

pytestmark = pytest.mark.heavy

_CHILD = """
import json, pathlib, sys, threading, time
sys.path[:0] = [{root!r}, {tests!r}]
from tests.helpers.fake_engine import FakeEngine, fake_backend
from nada_core.ui.tabs.adapt.run import AdaptRequest, start_adaptation
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
    (tmp_path / "library").mkdir(exist_ok=True)
    values = {"root": str(ROOT), "tests": str(ROOT / "tests"), "library": str(tmp_path / "library"), "folder": str(tmp_path / "jobs")}
    code = textwrap.dedent(_CHILD).format(**values, port=dead_port(), saved=saved)
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("running"):
            return process, line.split()[1]
    raise AssertionError(f"the server ended with {process.wait()}")


def test_a_killed_process_loses_little_and_the_next_start_recovers_it(make_app, tmp_path):
    process, key = child(tmp_path, saved=0)
    (folder,) = (tmp_path / "jobs").glob(f"*/{key}")
    wait_for(lambda: (folder / "latest.safetensors").exists())  # saved while it runs, long before the first step of the scrubber
    watching, engine = make_app()
    watching.open()
    assert set(engine.saved) == {"joker"} and folder.exists()  # a living process is left alone
    steps = json.loads((folder / "latest.safetensors").read_text())["steps"]
    process.kill()
    process.wait(300)
    starting, engine = make_app()
    starting.open()
    assert engine.saved["recovered-oil-painting"].card.steps >= steps >= 10
    assert not folder.exists() and key not in engine.log
    make_app()[0].open()


def test_leftovers_on_a_public_server_are_deleted_and_damaged_ones_after_a_day(make_app, tmp_path):
    def leave(name, content, age=0.0):
        folder = tmp_path / "jobs" / f"999-{name}" / "key"
        folder.mkdir(parents=True)
        (folder / "latest.safetensors").write_text(content)
        (folder / "job.json").write_text('{"prompt": "Gold <x>"}')
        os.utime(folder, (time.time() - age,) * 2)
        return folder

    whole = leave("a", '{"prompt": "Gold", "steps": 7}')
    public, engine = make_app(public=True)
    public.open()
    assert not whole.exists() and set(engine.saved) == {"joker"}
    whole, fresh, old = leave("b", '{"prompt": "Gold", "steps": 7}'), leave("c", "damaged"), leave("d", "damaged", 2 * 24 * 3600)
    private, engine = make_app()
    private.open()
    assert engine.saved["recovered-gold-x"].card.steps == 7
    assert not whole.parent.exists() and fresh.exists() and not old.parent.exists()


def test_a_terminated_process_saves_what_it_was_making(make_app, tmp_path):
    process, _ = child(tmp_path)
    process.send_signal(signal.SIGTERM)
    assert process.wait(300) == 143
    prompt, steps = json.loads((tmp_path / "library" / "recovered-oil-painting").read_text())
    assert prompt == "Oil painting" and 15 <= steps < 800
    app, engine = make_app()
    app.open()
    assert set(engine.saved) == {"joker"}  # nothing is recovered twice
    assert not list((tmp_path / "jobs").glob("*"))
    (told,) = app.cut_off.values()
    assert told.step == steps and "in the library as “recovered-oil-painting”" in told.sentence


def test_shutdown_that_cannot_wait_leaves_the_style_for_the_next_start(make_app):
    app, _ = make_app(delay=0.0, hold_at=100)
    job = start(app, steps=500)
    wait_for(lambda: job.view.saved)
    release = threading.Event()
    app.keep = lambda app, job: release.wait(300)  # the end of the job takes too long
    app.shutdown(timeout=0.3)
    with pytest.raises(JobRefused, match="about to stop"):
        start(app)
    later, engine = make_app()
    later.open()
    assert "recovered-joker" in engine.saved
    release.set()


def test_without_a_writable_cache_the_run_goes_on(make_app, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    app, _ = make_app(folder=tmp_path / "file" / "jobs")
    job = start(app, steps=12)
    assert last(app, job).phase == "done" and "cannot be written" in caplog.text


def test_a_full_disk_costs_the_saved_steps_only(make_app):
    app, _ = make_app()

    def full(style, path):
        raise StyleError("The style could not be saved: No space left on device.")

    app.backend = replace(app.backend, export=full)
    job = start(app, steps=20)
    view = last(app, job)
    assert view.phase == "done" and view.saved == () and "not kept" in view.progress.note
    assert app.shelf.get(job.id, [job.id]).steps == 20
