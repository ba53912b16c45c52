"""Watchers of a job come and go: pages that are closed and come back, several at once, nobody at all."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path

from adapting import last, runs, start, wait_for

from nada_core.ui.adapt_run import AdaptRequest, run_adaptation
from nada_core.ui.jobs import JobLimits


def test_a_job_outlives_its_page_and_is_found_again(make_app):
    app, engine = make_app(delay=0.02)
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


def test_several_watch_one_job(make_app):
    app, _ = make_app(delay=0.02)
    job = start(app, steps=20)
    seen: list[list] = [[], [], []]
    threads = [threading.Thread(target=lambda views=views: views.extend(app.jobs.watch(job.id))) for views in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert all(views[-1].phase == "done" and views[-1] == seen[0][-1] for views in seen)


def test_previews_are_quick_and_steady(make_app):
    app, _ = make_app(delay=0.05)
    begun, times, pictures = time.monotonic(), [], None
    for view in run_adaptation(app, AdaptRequest("Joker", steps=40)):
        if view.phase == "run" and view.previews and view.previews != pictures:
            pictures = view.previews
            times.append(time.monotonic())
            assert all(Path(file).exists() for file in pictures)
    assert times[0] - begun < 3 and max(b - a for a, b in pairwise(times)) < 2


def test_the_first_view_that_says_it_is_over_offers_the_style(make_app):
    app, _ = make_app()
    over = [view for view in run_adaptation(app, AdaptRequest("Joker", steps=12)) if not view.running]
    assert [(view.phase, view.style_id) for view in over] == [("done", over[0].job)] and over[0].style_id in app.shelf


def test_cancel_while_waiting_and_while_running(make_app):
    app, engine = make_app(delay=0.02)
    running, waiting = start(app, steps=500), start(app, steps=500)
    wait_for(lambda: running.view.step > 5)
    assert app.jobs.cancel(waiting.id) and waiting.state == "stopped" and "before it began" in last(app, waiting).progress
    assert app.jobs.cancel(running.id)
    view = last(app, running)
    assert view.phase == "stopped" and 5 < app.shelf.get(running.id, [running.id]).steps < 500
    assert not app.jobs.cancel(running.id) and waiting.id not in app.shelf and runs(engine) == ["open", "close"]
    wait_for(lambda: len(app.line) == 0)


def test_nobody_watching_ends_a_job_and_keeps_its_style(make_app):
    app, _ = make_app(JobLimits(idle=0.4, tick=0.05), delay=0.02)
    watched, lonely = start(app, steps=40), start(app, steps=500)
    view = last(app, watched)
    assert view.phase == "done"  # longer than the limit, but watched
    wait_for(lambda: lonely.finished)
    view = last(app, lonely)
    assert view.phase == "stopped" and "Nobody was watching" in view.progress
    if view.step:
        assert app.shelf.get(lonely.id, [lonely.id]).steps == view.step


def test_the_style_of_a_job_nobody_watches_is_kept(make_app):
    app, _ = make_app(JobLimits(idle=0.4, tick=0.05), delay=0.02)
    job = start(app, steps=500)
    wait_for(lambda: job.finished)
    assert job.state == "stopped" and 1 <= app.shelf.get(job.id, [job.id]).steps < 500
