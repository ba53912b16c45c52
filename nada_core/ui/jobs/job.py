"""Define one adaptation job: its state, its waiting and final views, and the limits of the registry."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace

from nada_core.errors import NadaError
from nada_core.ui.jobs.line import Turn
from nada_core.ui.jobs.store import JobFolder
from nada_core.ui.jobs.views import AdaptView, LossCurve, Progress, Ticket
from nada_core.ui.jobs.watching import TICK, Watched
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.requests import AdaptRequest
from nada_core.ui.wording import duration, waiting_words

__all__ = ["MANY", "Job", "JobLimits", "JobRefused", "first_view", "guarded_views", "last_view", "seconds_of", "waiting_view"]

log = logging.getLogger(__name__)


class JobRefused(NadaError):
    """Say that the registry takes no more work at the moment, or does not know the job."""


@dataclass(frozen=True)
class JobLimits:
    """Limit how much work is accepted and how long it is kept. Times in seconds."""

    waiting: int = 50
    per_browser: int = 2  # unfinished jobs
    idle: float = 1800.0  # a job that nobody has watched for this long is stopped
    kept: int = 24  # finished jobs that can still be re-attached to: each has up to 8 styles of 3 to 29 MB on disk
    keep: float = 7200.0  # and for how long
    disk: int = 2 << 30  # bytes that the files of finished jobs may have; the oldest go first
    tick: float = TICK  # between signs of life; also how late a closed page is noticed


#: Where several machines compute.
MANY = JobLimits(waiting=1000, kept=200)


@dataclass(eq=False)
class Job(Watched[AdaptView]):
    """Hold one adaptation. Everything but the constant fields changes only under the registry's lock, which is the one of `changed`."""

    id: str
    request: AdaptRequest
    browser: str
    folder: JobFolder
    asked: float  # when the person pressed the button; the line is in this order
    state: str = "waiting"  # "waiting" | "running" | "done" | "stopped" | "failed"
    ended: float = 0.0
    size: int = 0  # bytes of its files, once it has ended
    note: str = ""  # why it was stopped, when not by a person
    begun: bool = False  # the line was joined
    turn: Turn | None = None
    noted: tuple[float, int] = (0.0, 0)  # when how far it is was written down, and the step


def first_view(key: str, request: AdaptRequest) -> AdaptView:
    """Return what a job shows before it has computed anything."""
    bar = Progress(0, "Getting the generator ready", kind="wait")
    return AdaptView("wait", bar, LossCurve(request.steps), job=key, prompt=request.prompt, steps=request.steps)


def guarded_views(run: Callable[[Ticket], Iterator[AdaptView]], ticket: Ticket) -> Generator[AdaptView, None, None]:
    """Yield the views of a job's work; an exception becomes the last view. Closing this closes the work."""
    view, views = first_view(ticket.id, ticket.request), run(ticket)
    try:
        for view in views:
            yield view
    except NadaError as error:
        bar = Progress(0, "Ended early" if view.step else "Not started", kind="bad", note="Why is said under the button.")
        yield replace(view, phase="failed", progress=bar, error=str(error))
    except Exception:  # a bug, not the person's doing: the log gets the traceback, the page a sentence
        log.exception("adaptation failed")
        sentence = "Something went wrong on the server and this adaptation was ended. Please try again; the server's log has the details."
        yield replace(view, phase="failed", progress=Progress(0, "Ended early", kind="bad"), error=sentence)
    finally:
        close_iterator(views)


def seconds_of(jobs: Iterable[Job], pace: float | None, lanes: int = 1) -> float | None:
    """Return how long it takes until one of `lanes` is free, which take unfinished jobs in their order.

    A job takes its own estimate, else `pace` seconds a step; None where neither is known.
    """
    busy = [0.0] * lanes
    for job in jobs:
        if job.view.left is not None:
            seconds = job.view.left
        elif pace is not None:
            seconds = pace * job.request.steps
        else:
            return None
        heapq.heapreplace(busy, busy[0] + seconds)
    return busy[0]


def waiting_view(job: Job, ahead: int, seconds: float | None) -> AdaptView:
    """Return the job's view with its place in the line."""
    if not ahead:
        return job.view
    guess = f"begins in about {duration(seconds)}" if seconds else ""
    return replace(job.view, progress=Progress(0, waiting_words(ahead), guess, kind="wait", note="You may close the page and come back."))


def last_view(job: Job, view: AdaptView, kept: bool) -> AdaptView:
    """Return the job's newest view made final: one that was cut off becomes "stopped"; with `kept` its style is offered."""
    if view.running and not view.step:
        view = replace(view, phase="stopped", progress=Progress(0, "Stopped before it began", note=job.note))
    elif view.running or (view.phase == "stopped" and job.note):
        words, note = f"Stopped at step {view.step} of {view.steps}", f"{job.note} The style so far is kept.".strip()
        view = replace(
            view, phase="stopped", progress=Progress(view.step / view.steps, words, duration(view.seconds), kind="good", note=note)
        )
    return replace(view, style_id=job.id if kept else "", left=None)
