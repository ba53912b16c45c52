"""Jobs of the Adapt tab in line: order, places, how many one browser may have."""

from __future__ import annotations

import re
import threading
import time

import pytest

from nada_core.ui.jobs.line import WorkLine
from nada_core.ui.jobs.registry import JobRefused
from nada_core.ui.page.patches.request_times import arrived
from nada_core.ui.style_menu.choices import OWN
from nada_core.ui.tabs.adapt.run import AdaptRequest, run_adaptation
from tests.helpers.adapting import last, runs, start, wait_for
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.served import serving
from tests.helpers.visitor import Visitor


@pytest.mark.heavy
def test_fifty_wait_in_order_and_the_next_is_refused(make_app):
    app, engine = make_app()
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


def test_the_line_is_in_the_order_of_the_presses_not_of_their_handling(make_app):
    app, _ = make_app()
    with app.line.join() as turn:
        assert turn.wait(0)
        first = start(app, steps=1)
        wait_for(lambda: first.begun)
        now = time.monotonic()
        pressed = [3, 0, 2, 1, 4, 2]
        jobs = [app.jobs.submit(AdaptRequest("Joker", steps=1), asked=now + after) for after in pressed]
        assert [app.jobs.place(job)[0] for job in jobs] == [5, 1, 3, 2, 6, 4]  # of two at the same time, the one handled first
    wait_for(lambda: all(job.over for job in jobs))
    assert sorted(jobs, key=lambda job: job.ended) == [jobs[place] for place in (1, 3, 2, 5, 0, 4)]


@pytest.mark.heavy
def test_a_press_counts_from_when_it_reached_the_server():
    handled = []

    def slow_check(*_):
        handled.append(time.monotonic())
        time.sleep(0.1)

    with serving(FakeEngine(delay=0.0), check=slow_check) as (url, demo):
        demo.context.open()
        before = time.monotonic()
        success, _, (summary, _) = Visitor(url, demo).ask("api_adapt", "Joker", 2, 1)
        job = demo.context.jobs.find(summary["style"].removeprefix(OWN))
    assert success and before < job.asked < handled[0]
    assert arrived(None) > job.asked  # without a server: now


@pytest.mark.heavy
def test_a_waiting_job_says_its_place_and_its_time(make_app):
    app, _ = make_app(delay=0.1, hold_at=4)
    first, second, third = (start(app, steps=30) for _ in range(3))
    wait_for(lambda: first.view.step == 4)
    ahead, seconds = app.jobs.place(third)
    pace = seconds / (60 - first.view.step)
    assert ahead == 2 and pace == pytest.approx(0.1, rel=0.3)  # all of the second, the rest of the first, as the engine counts its seconds
    views = app.jobs.watch(third.id)
    view = next(views)
    views.close()
    assert view.phase == "wait" and view.progress.headline == "Waiting: 2 jobs ahead of you"
    assert re.fullmatch(r"begins in about \d+ s", view.progress.left)
    for job in (third, second, first):
        app.jobs.cancel(job.id)


def test_a_browser_has_two_at_most_and_ids_cannot_be_guessed(make_app):
    app, _ = make_app(delay=0.0, hold_at=50)
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


def test_a_failure_stays_with_its_job(make_app):
    app, engine = make_app(fail_at=4)
    bad, good = start(app, steps=10), start(app, steps=3)
    assert last(app, bad).phase == "failed" and "/secret" not in bad.view.error
    assert last(app, good).phase == "done" and runs(engine) == ["open", "close"] * 2
    assert app.shelf.get(bad.id, [bad.id]).steps == 3 and bad.view.style_id == bad.id  # what was learnt before the bug is offered


def test_the_line_is_first_come_first_served():
    line, order = WorkLine(), []
    turns = [line.join() for _ in range(5)]
    threads = [
        threading.Thread(target=lambda t=turn, i=i: (t.wait(), order.append(i), t.leave())) for i, turn in reversed(list(enumerate(turns)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert order == [0, 1, 2, 3, 4] and len(line) == 0
