"""The Adapt tab's work against a fake engine, without a page: to the end, stopped, failed, in line."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nada_core.ui import warm_up
from nada_core.ui.app import make_context
from nada_core.ui.html.text import message_box
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.server.context import AppContext
from nada_core.ui.tabs.adapt.run import AdaptRequest, read_seed, run_adaptation
from tests.helpers.adapting import runs, wait_for
from tests.helpers.fake_engine import FakeEngine, fake_backend


def context(**engine) -> tuple[AppContext, FakeEngine]:
    fake = FakeEngine(**engine)
    return make_context(fake_backend(fake)), fake


def test_adaptation_runs_to_the_end_and_keeps_the_style():
    app, engine = context()
    previews, views = [], []
    for view in run_adaptation(app, AdaptRequest("  joker ", steps=12)):
        views.append(view)
        if view.previews:
            assert all(Image.open(path).size == (256, 256) for path in view.previews)  # there while the page needs them
            previews.append([np.asarray(Image.open(path)).astype(int) for path in view.previews])
    last = views[-1]
    assert (
        last.phase == "done"
        and last.progress.headline == "Done: 12 steps"
        and last.chart is not None
        and len(last.chart.losses) == 12
        and not last.running
    )
    assert app.shelf.get(last.style_id, [last.style_id]).steps == 12
    assert np.abs(previews[-1][0] - previews[0][0]).mean() > 10  # the faces changed
    assert runs(engine) == ["open", "close"] and len(app.line) == 0
    pictures = [view.previews for view in views if view.previews][-1]
    assert all(Path(path).exists() for path in pictures)  # for the page that comes back
    app.shutdown()
    assert not any(Path(path).exists() for path in pictures)  # and nothing is left behind


def test_stop_keeps_the_style_so_far():
    app, engine = context()
    for view in run_adaptation(app, AdaptRequest("Joker", steps=200)):
        if view.phase == "run":
            app.jobs.cancel(view.job)
    assert view.phase == "stopped" and view.progress.headline == f"Stopped at step {view.step} of 200"
    assert 1 <= app.shelf.get(view.style_id, [view.style_id]).steps < 200
    assert runs(engine)[-1] == "close" and not app.jobs.cancel(view.job)


@pytest.mark.heavy
def test_a_closed_page_does_not_stop_its_run():
    app, engine = context()
    views = run_adaptation(app, AdaptRequest("Joker", steps=60))
    while next(views).phase != "run":
        pass
    assert len(app.line) == 1
    views.close()
    wait_for(lambda: len(app.line) == 0)
    assert runs(engine) == ["open", "close"] and len(app.shelf) == 1


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "empty"),
        ("   \n ", "empty"),
        ("x" * 10_000, "10,000 characters"),
        ("🤡🤡", "no words in it"),
        ("<img src=x onerror=alert(1)>", "does not know"),
        ("Джокер", "does not know"),
        ("\x00\x07", "empty"),
    ],
)
def test_bad_prompts_get_one_sentence(prompt, words):
    app, engine = context()
    *_, last = run_adaptation(app, AdaptRequest(prompt))
    assert last.phase == "failed" and words in last.error and engine.log == [] and len(app.line) == 0
    assert "<img" not in message_box(last.error, "bad")


def test_bad_steps_are_refused_by_the_options():
    for steps in (0, -5, 10**6):
        *_, last = run_adaptation(context()[0], AdaptRequest("Joker", steps=steps))
        assert last.phase == "failed" and "steps" in last.error


def test_a_bug_shows_no_path_and_keeps_the_style_so_far():
    app, engine = context(fail_at=9)
    *_, last = run_adaptation(app, AdaptRequest("Joker", steps=20))
    assert last.phase == "failed" and "/secret" not in last.error + progress_bar(last.progress)
    assert runs(engine) == ["open", "close"] and len(app.line) == 0 and len(app.shelf) == 1


def test_an_engine_that_cannot_load_is_tried_again():
    app, fake = context()
    attempts = []

    def factory():
        attempts.append(1)
        if len(attempts) == 1:
            raise RuntimeError("no weights")
        return fake

    app.backend = replace(app.backend, engine=factory)
    assert list(run_adaptation(app, AdaptRequest("Joker", steps=3)))[-1].phase == "failed"
    assert list(run_adaptation(app, AdaptRequest("Joker", steps=3)))[-1].phase == "done"


@pytest.mark.heavy
def test_two_adaptations_take_turns():
    app, engine = context(delay=0.0, hold_at=3)
    seen: dict[str, list[str]] = {"a": [], "b": []}

    def work(key):
        for view in run_adaptation(app, AdaptRequest("Joker", steps=30)):
            seen[key].append(view.progress.headline)

    first = threading.Thread(target=work, args=("a",))
    first.start()
    wait_for(lambda: "open" in engine.log)
    second = threading.Thread(target=work, args=("b",))
    second.start()
    wait_for(lambda: any("1 job ahead" in words for words in seen["b"]))
    engine.hold_at = math.inf
    first.join(300)
    second.join(300)
    assert any("1 job ahead" in words for words in seen["b"]) and seen["b"][-1] == "Done: 30 steps"
    assert runs(engine) == ["open", "close", "open", "close"]  # never two at once


def test_a_rehearsal_is_one_step_that_leaves_nothing_behind():
    app, engine = context()
    with app.line.join():
        warm_up(app)
    assert runs(engine) == []  # somebody has the turn
    warm_up(app)
    assert runs(engine) == ["open", "close"] and engine.options.steps == 1
    assert engine.editor.warm and engine.editor.paced  # the first photo's times are known
    assert len(app.line) == 0 and len(app.shelf) == 0 and not app.jobs.busy


@pytest.mark.heavy
def test_waiting_can_be_stopped():
    app, engine = context()
    with app.line.join():
        views = run_adaptation(app, AdaptRequest("Joker"))
        phases = []
        for view in views:
            phases.append(view.phase)
            app.jobs.cancel(view.job)
    assert phases[-1] == "stopped" and engine.log == []


def test_seeds():
    assert read_seed(7, False) == 7 and read_seed(-1, False) >= 0
    assert len({read_seed(7, True) for _ in range(5)}) > 1 and read_seed(None, False) >= 0
