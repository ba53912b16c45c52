"""Continue after Stop: the same run goes on from where it was, unless something else is asked for."""

from __future__ import annotations

import pytest

from nada_core.ui import build_app
from nada_core.ui.server.backend import keep_training, read_training
from tests.helpers.adapting import last, pressed, start, wait_for
from tests.helpers.apps import handlers, named
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.served import app_page, expect, in_chromium
from tests.helpers.small_adaptations import StandInEncoder, last_of, small_mobile, small_options

pytestmark = pytest.mark.heavy


def stopped(app, engine, **values):
    """A run that was stopped at step 9."""
    engine.hold_at = 9
    job = start(app, "Joker", steps=60, seed=5, truncation=0.8, **values)
    wait_for(lambda: job.view.step == 9)
    app.jobs.cancel(job.id)
    view = last(app, job)
    assert view.phase == "stopped" and view.step == 9
    engine.hold_at = float("inf")
    return job


def page():
    engine = FakeEngine(delay=0.01)
    demo = build_app(backend=fake_backend(engine))
    demo.context.open()
    return demo, engine, handlers(demo)


def press(functions, **sent):
    return [named(update) for update in functions["adapt"](None, **pressed(**sent))]


def test_the_same_run_goes_on():
    demo, engine, functions = page()
    job = stopped(demo.context, engine)
    mine = {"owned": [job.id], "current": job.id, "seed": 77, "fresh": True}
    assert functions["relabel"](**pressed(**mine))["value"] == "Continue"
    *_, end = press(functions, **mine, steps=40)
    assert "Done: 40 steps" in end["adapt-progress"] and end["adapt"]["value"] == "Adapt"
    resumed = demo.context.jobs.all()[-1]
    assert resumed.request.resume == job.id and resumed.request.seed == 5
    before, after = job.view.chart.losses, resumed.view.chart.losses
    assert len(after) == len(before) + 31 and after[: len(before)] == before  # one curve
    assert demo.context.shelf.label(resumed.id, [resumed.id]).steps == 40
    demo.context.shutdown()


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "Zombie"},
        {"layers": "colour"},
        {"seed": 6},
        {"steps": 9},
        {"current": ""},
        {"owned": []},
        {"patch_weight": 1},
        {"prompt": ""},
    ],
)
def test_another_request_begins_anew(other):
    demo, engine, functions = page()
    job = stopped(demo.context, engine)
    sent = {"owned": [job.id], "current": job.id, "seed": 5, **other}
    assert functions["relabel"](**pressed(**sent))["value"] == "Adapt"
    demo.context.shutdown()


def test_a_run_that_cannot_be_continued_says_so(tmp_path):
    demo, engine, functions = page()
    job = stopped(demo.context, engine)
    job.folder.training.unlink()
    mine = {"owned": [job.id], "current": job.id, "seed": 5}
    assert functions["relabel"](**pressed(**mine))["value"] == "Adapt"
    *_, end = press(functions, **mine, steps=12)
    assert "Done: 12 steps" in end["adapt-progress"]  # from the beginning
    demo.context.shutdown()


def test_the_real_training_is_kept_whole(tmp_path):
    """The engine's own checkpoint through the backend's own functions: the run goes on bit by bit."""
    from nada_core.adaptation.loop import adapt

    base, encoder = small_mobile(), StandInEncoder()
    options = small_options(base, steps=4)
    whole = last_of(adapt(base, encoder, "Joker", options))
    steps = iter(adapt(base, encoder, "Joker", options))
    next(steps)
    keep_training(next(steps), tmp_path / "training.state")
    again = last_of(adapt(base, encoder, "Joker", options, resume=read_training(tmp_path / "training.state")))
    assert again.index == 4 and again.loss == whole.loss


@in_chromium
def test_continue_on_the_page():
    engine = FakeEngine(delay=0.02, hold_at=7)
    with app_page(engine) as (page, demo):
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()
        page.locator("#stop").click()
        expect(page.locator("#adapt")).to_have_text("Continue")
        page.locator("#prompt :is(input, textarea)").fill("Zombie")
        expect(page.locator("#adapt")).to_have_text("Adapt")
        page.locator("#prompt :is(input, textarea)").fill("Joker")
        expect(page.locator("#adapt")).to_have_text("Continue")
        engine.hold_at = float("inf")
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("Done: 30 steps").wait_for()
        expect(page.locator("#adapt")).to_have_text("Adapt")
        assert demo.context.jobs.all()[-1].request.resume
