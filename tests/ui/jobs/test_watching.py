"""Watchers of a job come and go: pages that are closed and come back, several at once, nobody at all."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from tests.helpers.adapting import last, runs, start, wait_for


@pytest.mark.heavy
def test_a_job_outlives_its_page_and_is_found_again(make_app):
    app, engine = make_app(delay=0.01, hold_at=30)
    views = run_adaptation(app, AdaptRequest("Zombie", steps=60))
    while (view := next(views)).phase != "run":
        pass
    views.close()  # the page is gone
    job = app.jobs.find(view.job)
    wait_for(lambda: job.view.step == 30)  # it goes on without the page
    again = []
    for view in app.jobs.watch(job.id):
        again.append(view)
        engine.hold_at = math.inf
    assert len(again[0].chart.losses) > 10 and again[0].originals and again[0].previews  # the first view is complete
    assert again[-1].phase == "done" and again[-1].style_id == job.id and runs(engine) == ["open", "close"]
    (finished,) = app.jobs.watch(job.id)  # and once more, when it is over
    assert finished == again[-1] and all(Path(file).exists() for file in finished.previews)


@pytest.mark.heavy
def test_several_watch_one_job(make_app):
    app, _ = make_app(delay=0.02)
    job = start(app, steps=20)
    seen: list[list] = [[], [], []]
    threads = [threading.Thread(target=lambda views=views: views.extend(app.jobs.watch(job.id))) for views in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert all(views[-1].phase == "done" and views[-1] == seen[0][-1] for views in seen)


@pytest.mark.heavy
def test_previews_are_quick_and_steady(make_app):
    app, _ = make_app(delay=0.05)

    def gaps():
        """The seconds before each new set of pictures."""
        times, pictures = [time.monotonic()], None
        for view in run_adaptation(app, AdaptRequest("Joker", steps=40)):
            if view.phase == "run" and view.previews and view.previews != pictures:
                pictures = view.previews
                times.append(time.monotonic())
                assert all(Path(file).exists() for file in pictures)
        assert len(times) > 5
        return [b - a for a, b in pairwise(times)]

    # a busy machine may hold up one run, a delay of our own every one
    assert any(first < 3 and max(rest) < 2 for first, *rest in (gaps() for _ in range(8)))


def test_the_first_view_that_says_it_is_over_offers_the_style(make_app):
    app, _ = make_app()
    over = [view for view in run_adaptation(app, AdaptRequest("Joker", steps=12)) if not view.running]
    assert [(view.phase, view.style_id) for view in over] == [("done", over[0].job)] and over[0].style_id in app.shelf


def test_cancel_while_waiting_and_while_running(make_app):
    app, engine = make_app(delay=0.01, hold_at=8)
    running, waiting = start(app, steps=500), start(app, steps=500)
    wait_for(lambda: running.view.step > 5)
    assert app.jobs.cancel(waiting.id) and waiting.state == "stopped" and last(app, waiting).progress.headline == "Stopped before it began"
    assert app.jobs.cancel(running.id)
    view = last(app, running)
    assert view.phase == "stopped" and 5 < app.shelf.get(running.id, [running.id]).steps < 500
    assert not app.jobs.cancel(running.id) and waiting.id not in app.shelf and runs(engine) == ["open", "close"]
    wait_for(lambda: len(app.line) == 0)


@pytest.mark.heavy
def test_nobody_watching_ends_a_job_and_keeps_its_style(make_app):
    app, engine = make_app(hold_at=3)
    watched, lonely = start(app, steps=12), start(app, steps=500)
    views = app.jobs.watch(watched.id)
    next(views)
    app.jobs.limits = replace(app.jobs.limits, idle=0.05)
    time.sleep(0.2)
    engine.hold_at = math.inf
    *_, view = views
    assert view.phase == "done"  # longer than the limit, but watched
    wait_for(lambda: lonely.over)
    view = last(app, lonely)
    assert view.phase == "stopped" and "Nobody was watching" in view.progress.note
    if view.step:
        assert app.shelf.get(lonely.id, [lonely.id]).steps == view.step


@pytest.mark.heavy
def test_the_style_of_a_job_nobody_watches_is_kept(make_app):
    app, _ = make_app(hold_at=3)
    job = start(app, steps=500)
    wait_for(lambda: job.view.step == 3)
    app.jobs.limits = replace(app.jobs.limits, idle=0.05)
    wait_for(lambda: job.over)
    assert job.state == "stopped" and 1 <= app.shelf.get(job.id, [job.id]).steps < 500
