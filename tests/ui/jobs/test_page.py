"""The page's side of a job: reloading, what the browser remembers, advice and chart."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from nada_core.ui import build_app
from nada_core.ui.html.widgets import loss_chart
from nada_core.ui.jobs.views import LossCurve
from nada_core.ui.page.shared_components import read_memory, write_memory
from tests.helpers.adapting import last, pressed, start
from tests.helpers.apps import handlers, named
from tests.helpers.fake_engine import FakeEngine, fake_backend


@pytest.mark.heavy
def test_a_reloaded_page_finds_its_run_and_its_styles(make_app, tmp_path):
    engine = FakeEngine(delay=0.02, hold_at=20)
    demo = build_app(backend=fake_backend(engine, tmp_path / "jobs"))
    app = demo.context
    app.open()
    memory = next(block for block in demo.blocks.values() if type(block).__name__ == "BrowserState")
    assert memory.storage_key == "nada-demo" and memory.secret == "nada-demo-memory"  # random ones would not survive a restart
    page = handlers(demo)["adapt"](None, **pressed("Zombie", steps=40))
    kept = None
    for update in page:
        kept = update.get(memory) or kept
        if "of 40" in named(update)["adapt-progress"]:
            break
    page.close()
    resumed = []
    for update in handlers(demo)["resume"](kept):
        resumed.append(update)
        engine.hold_at = math.inf  # the page has found the run: it may go on
    first, end = named(resumed[0]), named(resumed[-1])
    assert first["prompt"] == "Zombie" and first["seed"] == 5 and "of 40" in first["adapt-progress"]
    assert first["stop"]["interactive"] and not first["adapt"]["interactive"] and Path(first["after-0"]).exists()
    assert "Done: 40 steps" in end["adapt-progress"] and end["save"]["interactive"] and end["style"]["value"].startswith("mine:")
    assert end["step"]["maximum"] == 40 and end["step"]["interactive"] and "suggested" in end["scrub-words"]
    assert len(resumed) > 3 and all(memory not in update for update in resumed[1:-1])  # streaming does not touch the browser's memory
    (once_more,) = handlers(demo)["resume"](resumed[-1][memory])
    assert "Done: 40 steps" in named(once_more)["adapt-progress"]
    for stranger in (None, {"browser": "x", "jobs": ["forged"]}, {"jobs": 3}, [1], "text"):
        (update,) = handlers(demo)["resume"](stranger)
        assert "adapt-progress" not in named(update) and update[memory]["jobs"] == []
    key = kept["jobs"][-1]
    picked = named(handlers(demo)["pick_step"](9, key, [key]))
    assert "Saving" in picked["scrub-words"] and app.shelf.get(key, [key]).steps < 20
    suggested = named(handlers(demo)["pick_suggested"](key, [key]))
    assert suggested["step"] == app.shelf.get(key, [key]).steps
    app.shutdown()


@pytest.mark.heavy
def test_a_run_whose_beginning_the_page_never_heard_of_is_found(make_app, tmp_path):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0), tmp_path / "jobs"))
    demo.context.open()
    page = handlers(demo)["adapt"](None, **pressed("Zombie", steps=4, browser="me"))
    next(page)  # on its way when the connection breaks
    page.close()
    *_, end = map(named, handlers(demo)["resume"]({"browser": "me", "jobs": []}))
    assert "Done: 4 steps" in end["adapt-progress"] and end["save"]["interactive"]
    for other in ({"browser": "you", "jobs": []}, None):
        (update,) = map(named, handlers(demo)["resume"](other))
        assert "adapt-progress" not in update
    demo.context.shutdown()


@pytest.mark.heavy
def test_a_page_with_a_running_job_does_not_start_another(make_app, tmp_path):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.02, hold_at=5), tmp_path / "jobs"))
    demo.context.open()
    job = start(demo.context, steps=500)
    (update,) = handlers(demo)["adapt"](None, **pressed("Gold", steps=40, job=job.id))
    assert "running already" in named(update)["adapt-notice"]
    handlers(demo)["halt"](job.id)
    last(demo.context, job)
    assert len(demo.context.jobs.all()) == 1
    demo.context.shutdown()


def test_what_a_browser_remembers_is_checked():
    browser, jobs = read_memory(None)
    assert len(browser) >= 22 and jobs == []
    assert read_memory(write_memory("b", [str(number) for number in range(30)])) == ("b", [str(number) for number in range(18, 30)])
    browser, jobs = read_memory({"browser": 5, "jobs": [1, None, "x" * 1000]})
    assert isinstance(browser, str) and jobs == ["x" * 64]


def test_the_chart_has_two_lines_of_one_shape():
    empty, full = loss_chart(LossCurve(60)), loss_chart(LossCurve(60, (1.0, float("nan"), 0.4), (0.1, float("inf"), 0.7)))
    assert empty.count("<") == full.count("<") and "0.400" in full and "0.700" in full
    similar = re.search(r'line-similar" points="([^"]*)"', full).group(1)
    assert len(similar.split()) == 2 and similar.split()[1].endswith(",36.0")  # 0.7 of the height
