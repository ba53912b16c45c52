"""One adaptation in the registry, and the registry's limits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace

from ..errors import NadaError
from .job_store import JobFolder
from .text import duration, waiting_words
from .turns import Turn
from .views import AdaptRequest, AdaptView, Ticket
from .widgets import loss_chart, progress
from .worker import close_iterator

__all__ = ["Job", "JobLimits", "JobRefused", "first_view", "guarded_views", "last_view", "seconds_of", "waiting_view"]

log = logging.getLogger(__name__)


class JobRefused(NadaError):
    """The registry takes no more work at the moment, or does not know the job."""


@dataclass(frozen=True)
class JobLimits:
    """How much is accepted and how long it is kept. Times in seconds."""

    waiting: int = 50
    per_browser: int = 2  # unfinished jobs
    idle: float = 1800.0  # a job that nobody has watched for this long is stopped
    kept: int = 24  # finished jobs that can still be re-attached to: each has up to 8 styles of 3 to 29 MB on disk
    keep: float = 7200.0  # and for how long
    disk: int = 2 << 30  # bytes that the files of finished jobs may have; the oldest go first
    tick: float = 1.0  # between signs of life; also how late a closed page is noticed


@dataclass(eq=False)
class Job:
    """One adaptation. Everything but the constant fields changes only under the registry's lock."""

    id: str
    request: AdaptRequest
    browser: str
    folder: JobFolder
    view: AdaptView
    asked: float  # when the person pressed the button; the line is in this order
    state: str = "waiting"  # "waiting" | "running" | "done" | "stopped" | "failed"
    version: int = 0  # of the view
    watchers: int = 0
    watched: float = field(default_factory=time.monotonic)  # when somebody last looked
    ended: float = 0.0
    size: int = 0  # bytes of its files, once it has ended
    note: str = ""  # why it was stopped, when not by a person
    begun: bool = False  # the line was joined
    turn: Turn | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def finished(self) -> bool:
        """True once nothing will change any more."""
        return self.state in ("done", "stopped", "failed")


def first_view(key: str, request: AdaptRequest) -> AdaptView:
    """What a job shows before it has computed anything."""
    bar = progress(0, "Getting the generator ready", kind="wait")
    return AdaptView("wait", bar, loss_chart((), request.steps), job=key, prompt=request.prompt, steps=request.steps)


def guarded_views(run: Callable[[Ticket], Iterator[AdaptView]], ticket: Ticket, folder: JobFolder) -> Generator[AdaptView, None, None]:
    """The views of a job's work; an exception becomes the last view. Closing this closes the work."""
    view, views = first_view(ticket.id, ticket.request), run(ticket)
    try:
        folder.begin(ticket.request.prompt)
        for view in views:
            yield view
    except NadaError as error:
        bar = progress(0, "Not started", kind="bad", note="Why is said under the button.")
        yield replace(view, phase="failed", progress=bar, error=str(error))
    except Exception:  # a bug, not the person's doing: the log gets the traceback, the page a sentence
        log.exception("adaptation failed")
        sentence = "Something went wrong on the server and this adaptation was ended. Please try again; the server's log has the details."
        yield replace(view, phase="failed", progress=progress(0, "Ended early", kind="bad"), error=sentence)
    finally:
        close_iterator(views)


def seconds_of(jobs: Iterable[Job], pace: float | None) -> float | None:
    """How long unfinished jobs will still take: their own estimate, else `pace` seconds a step; None where neither is known."""
    total = 0.0
    for job in jobs:
        if job.view.left is not None:
            total += job.view.left
        elif pace is not None:
            total += pace * job.request.steps
        else:
            return None
    return total


def waiting_view(job: Job, ahead: int, seconds: float | None) -> AdaptView:
    """The job's view with its place in the line."""
    if not ahead:
        return job.view
    guess = f"begins in about {duration(seconds)}" if seconds else ""
    return replace(job.view, progress=progress(0, waiting_words(ahead), guess, kind="wait", note="You may close the page and come back."))


def last_view(job: Job, view: AdaptView, kept: bool) -> AdaptView:
    """The job's newest view made final: one that was cut off becomes "stopped"; with `kept` its style is offered."""
    if view.running and not view.step:
        view = replace(view, phase="stopped", progress=progress(0, "Stopped before it began", note=job.note))
    elif view.running or (view.phase == "stopped" and job.note):
        words, note = f"Stopped at step {view.step} of {view.steps}", f"{job.note} The style so far is kept.".strip()
        view = replace(
            view, phase="stopped", progress=progress(view.step / view.steps, words, duration(view.seconds), kind="good", note=note)
        )
    return replace(view, style_id=job.id if kept else "", left=None)
