"""Work on a photo goes on without its page, and is found again."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest

from nada_core.errors import NadaError
from nada_core.ui.jobs.detached import Detached, DetachedWork
from nada_core.ui.jobs.views import Progress, WorkView
from nada_core.ui.jobs.watching import changed_fields, complete
from tests.helpers.adapting import wait_for

pytestmark = pytest.mark.heavy


@dataclass(frozen=True)
class View(WorkView):
    number: int = 0
    picture: str | None = None


def at(phase: str, number: int = 0, picture: str | None = None) -> View:
    return View(phase, Progress(0, phase), number, picture)


def counted(count: int, gate: threading.Semaphore, log: list[str]):
    """Makes work of so many steps, each of which waits for the gate."""

    def work(stop: threading.Event):
        try:
            for number in range(count):
                gate.acquire(timeout=300)
                if stop.is_set():
                    yield at("stopped", number)
                    return
                yield at("run", number, f"picture {number}" if number % 2 == 0 else None)
            yield at("done", count)
        finally:
            log.append("closed")

    return work


def fresh(views) -> View:
    """The next view; ticks bring none."""
    return next(view for view in views if view is not None)


def test_work_goes_on_while_nobody_watches_and_is_found_again():
    gate, log = threading.Semaphore(0), []
    works: Detached[View] = Detached()
    first = works.start("photo", counted(5, gate, log)).watch()
    gate.release()
    assert fresh(first) == at("run", 0, "picture 0")
    assert next(first) is None  # a tick
    gate.release()
    assert fresh(first) == at("run", 1)
    first.close()  # the page is gone
    assert "photo" in works and log == []
    again = works.find("photo").watch()
    assert fresh(again) == at("run", 1, "picture 0")  # whole: this page knows nothing yet
    gate.release(10)
    seen = [view for view in again if view is not None]
    assert seen[-1].phase == "done" and seen[-1].number == 5
    wait_for(lambda: log == ["closed"])
    assert works.find("photo") is None and "photo" not in works and not works.ask("photo")


def test_the_last_view_stays_until_those_who_watch_have_it():
    gate, log = threading.Semaphore(9), []
    work = DetachedWork(counted(1, gate, log))
    views = work.watch()
    while fresh(views).phase != "done":
        pass
    time.sleep(0.1)
    assert log == [] and work.over  # its files are still there
    assert next(views, None) is None
    wait_for(lambda: log == ["closed"])
    assert list(work.watch()) == []  # too late: the files are gone


def test_work_that_nobody_comes_back_to_is_ended():
    gate, log = threading.Semaphore(1), []
    work = DetachedWork(counted(50, gate, log), idle=0.05)
    fresh(work.watch())  # collected, and so closed
    time.sleep(0.1)
    gate.release(2)
    wait_for(lambda: log == ["closed"])
    assert work.stop.is_set()


def test_a_crash_ends_the_watching():
    def work(stop):
        yield at("run", 1)
        raise RuntimeError("a bug")

    assert {view.phase for view in DetachedWork(work).watch() if view is not None} <= {"run"}

    def unmade(stop):
        raise RuntimeError("a bug")

    assert [view for view in DetachedWork(unmade).watch() if view is not None] == []


def test_once_the_end_is_asked_for_only_the_last_view_counts():
    """The page says "Stopping", or shows another photo already."""
    gate, log = threading.Semaphore(1), []
    works: Detached[View] = Detached()
    views = works.start("photo", counted(9, gate, log)).watch()
    fresh(views)
    assert works.ask("photo")
    assert next(views) is None  # a tick
    gate.release(5)
    assert [view for view in views if view is not None] == [at("stopped", 1)]


def test_no_picture_is_kept_when_work_is_over():
    gate, log = threading.Semaphore(9), []
    works: Detached[View] = Detached()
    work = works.start("photo", counted(1, gate, log))
    assert [view for view in work.watch() if view is not None][-1].phase == "done"
    wait_for(lambda: log == ["closed"] and len(works) == 0)
    assert work.view is None


def test_no_more_than_so_many_at_a_time_and_one_a_photo():
    gate, log = threading.Semaphore(0), []
    works: Detached[View] = Detached(most=2)
    first = works.start("a", counted(3, gate, log))
    other = works.start("b", counted(3, gate, log))
    with pytest.raises(NadaError, match="2 photos are being worked on"):
        works.start("c", counted(3, gate, log))
    with pytest.raises(NadaError, match="2 photos are being worked on"):
        works.start("a", counted(3, gate, log))
    assert not first.stop.is_set() and works.ask("a") and works.ask("b") and not works.ask("c")
    gate.release(2)
    list(first.watch())
    wait_for(lambda: len(works) == 1)  # nobody has seen the end of the other
    second = works.start("c", counted(3, gate, log))
    with pytest.raises(NadaError):  # what was asked to end and has not counts still
        works.start("d", counted(3, gate, log))
    gate.release(20)
    for work in (second, other):
        list(work.watch())
    wait_for(lambda: len(works) == 0)


def test_work_on_the_same_photo_takes_the_place_of_the_one_before():
    gate, log = threading.Semaphore(0), []
    works: Detached[View] = Detached()
    first = works.start("a", counted(3, gate, log))
    second = works.start("a", counted(3, gate, log), about="the second")
    assert first.stop.is_set() and not second.stop.is_set() and works.find("a") is second and second.about == "the second"
    gate.release(9)
    list(first.watch())
    assert works.find("a") in (second, None)  # the end of the first takes nothing away
    list(second.watch())


def test_unchanged_fields_are_left_out_and_filled_in():
    old, new = at("run", 1, "a"), at("run", 2)
    assert complete(new, old) == at("run", 2, "a") and complete(new, None) == new
    assert changed_fields(at("run", 2, "a"), old) == new and changed_fields(at("run", 2, "b"), old) == at("run", 2, "b")
