"""Run adaptations: they wait in one line, are run in its order, and any number of pages may watch, leave and come back."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial

from nada_core.system.allocator import release_memory
from nada_core.ui.jobs.job import Job, JobLimits, JobRefused, first_view, guarded_views, last_view, seconds_of, waiting_view
from nada_core.ui.jobs.job_card import card_of
from nada_core.ui.jobs.line import Turn, WorkLine
from nada_core.ui.jobs.store import JobStore
from nada_core.ui.jobs.views import AdaptView, Ticket
from nada_core.ui.jobs.worker import Worker
from nada_core.ui.requests import AdaptRequest
from nada_core.ui.shelves.styles import new_id

__all__ = ["Job", "JobLimits", "JobRefused", "JobRegistry"]

log = logging.getLogger(__name__)
_NOTE = 1.0  # seconds between notes on disk of how far a job is
_TIDY = 60.0  # seconds between looks at what has expired, while nothing else happens


class JobRegistry:
    """Run jobs, at most one on the device (or `lanes` elsewhere), the others first come first served.

    `run` does the work of a ticket and yields complete views. `keep` is called when a job ends and returns whether a style was kept.
    Every job takes a turn in `line`, which photo edits use as well, so that nothing else computes at the same time; what it computes is
    given to `worker`.

    With `lanes` so many jobs run at once, each walked in a thread of its own: they are computed elsewhere (`ui/workers`), take no turn in
    the line and nothing of `worker` but their styles' keeping.

    With `inline` the first to watch a job runs it in its own thread, and closing that watcher ends it. Meant for
    ZeroGPU, where the device belongs to a request. That mode was tested with a stand-in only and was never run on ZeroGPU.
    """

    def __init__(
        self,
        run: Callable[[Ticket], Iterator[AdaptView]],
        keep: Callable[[Job], bool],
        line: WorkLine,
        worker: Worker,
        store: JobStore,
        limits: JobLimits | None = None,
        *,
        inline: bool = False,
        lanes: int = 0,
    ) -> None:
        self._run, self._keep, self._line, self._compute, self.store = run, keep, line, worker, store
        self.limits, self.inline, self._lanes = limits or JobLimits(), inline, lanes
        self._changed = threading.Condition()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._walked: set[Job] = set()  # by the threads below
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._pace: float | None = None  # seconds a step, as last measured

    # --- what pages call ---

    def submit(self, request: AdaptRequest, browser: str = "", asked: float | None = None) -> Job:
        """Put a job in line, by the time at which it was `asked` for (monotonic clock; None: now).

        Raises JobRefused when the line or this browser's share of it is full.
        """
        with self._changed:
            self.tidy()
            if self._closed:
                raise JobRefused("The server is about to stop and takes no more work. Please try again in a minute.")
            if len(self._waiting) >= self.limits.waiting:
                raise JobRefused(f"{len(self._waiting)} adaptations are waiting already and no more are taken. Please try again later.")
            mine = [job for job in self._jobs.values() if job.browser == browser and not job.over]
            if browser and len(mine) >= self.limits.per_browser:
                raise JobRefused(f"This browser has {len(mine)} adaptations under way already. Stop one, or wait until one is done.")
            key = new_id()
            try:
                folder = self.store.create(key)
                request = replace(request, images=folder.adopt(request.images) if request.images else ())
                if earlier := self.find(request.resume):
                    folder.go_on_from(earlier.folder)
            except OSError as error:
                log.warning("no room for a job: %s", error)
                raise JobRefused("The server has no room on its disk for another adaptation. Please try again later.") from None
            view, now = first_view(key, request), time.monotonic()
            job = Job(key, request, browser, folder, now if asked is None else asked, view=view, changed=self._changed)
            self._jobs[key] = job
            folder.note(card_of(request, "waiting"))
            self._waiting.insert(sum(other.asked <= job.asked for other in self._waiting), job)
            if not self._threads and not self.inline:
                self._begin_threads()
            self._changed.notify_all()
            return job

    def set_lanes(self, lanes: int) -> None:
        """Run so many jobs at once from now on, where they are computed elsewhere; those that run go on."""
        with self._changed:
            self._lanes = max(1, lanes)
            if self._threads:
                self._begin_threads()

    def find(self, key: str) -> Job | None:
        """Return the job with this id, or None where none is remembered."""
        return self._jobs.get(key)

    def all(self) -> list[Job]:
        """List the jobs that are remembered, the oldest first."""
        with self._changed:
            return list(self._jobs.values())

    def watch(self, key: str) -> Iterator[AdaptView]:
        """Yield the job's newest view whenever it changes and at least every tick, ending with its last one.

        Closing the iterator does not stop the job (it does in inline mode, for the watcher that runs it). Raises JobRefused for an
        unknown id.
        """
        with contextlib.ExitStack() as watching:
            with self._changed:  # found and attended at once, so that it is not forgotten in between
                job = self.find(key)
                if job is None:
                    raise JobRefused("This adaptation is not known here any more. Start it again.")
                watching.enter_context(job.attended())
                drive = self.inline and not job.begun
                job.begun = job.begun or drive
            if drive:
                yield from watching.enter_context(contextlib.closing(self._perform(job)))
                yield job.view
            else:
                yield from job.follow(lambda news: self._shown(job), self.limits.tick)

    def _shown(self, job: Job) -> AdaptView:
        return job.view if job.state != "waiting" else waiting_view(job, *self.place(job))

    @property
    def busy(self) -> bool:
        """Tell whether a job runs or waits."""
        with self._changed:
            return any(not job.over for job in self._jobs.values())

    def cancel(self, key: str) -> bool:
        """Ask a job to end; what it has learnt is kept. Return False when it is unknown or over already."""
        with self._changed:
            job = self.find(key)
            if job is None or job.over:
                return False
            self._ask(job)
            return True

    def close(self, timeout: float = 5.0, rescue: Callable[[Job], str] | None = None) -> None:
        """Take no more work, stop what runs, and wait for it at most `timeout` seconds.

        `rescue` is called for a job that was stopped in the middle and kept a style; it returns the style's name in the library. What it
        does not save, and what nobody else has, stays on disk for the next start to recover, with a note of what was lost.
        """
        with self._changed:
            self._closed = True
            cut = [job for job in self._jobs.values() if not job.over]
            for job in cut:
                job.note = "The server was stopped."
                self._ask(job)
            self._changed.notify_all()
            self._changed.wait_for(lambda: all(job.over for job in cut), timeout)
        for job in cut:
            try:
                if rescue is not None and job.view.style_id:
                    job.folder.end(card_of(job.request, "saved", job.view.step, rescue(job)))
            except Exception:  # the others still have to be saved
                log.exception("a style could not be saved at the end")
        self.store.close()

    def place(self, job: Job) -> tuple[int, float | None]:
        """Return how much work must end before a waiting job begins, and its seconds.

        The seconds are None where they were not measured yet; photo edits in between are not counted.
        """
        with self._changed:
            before = [other for other in self._jobs.values() if other is not job and (other.state == "running" or other in self._walked)]
            if job in self._waiting:
                before += list(self._waiting)[: self._waiting.index(job)]
            lanes = self._lanes or 1
            return max(0, len(before) - lanes + 1) if job.turn is None else job.turn.ahead, seconds_of(before, self._pace, lanes)

    # --- the work ---

    def _begin_threads(self) -> None:
        """Have a thread for each lane. More than that do no harm: they wait for whoever computes."""
        while len(self._threads) < (self._lanes or 1):
            self._threads.append(threading.Thread(target=self._work, name="adaptations", daemon=True))
            self._threads[-1].start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait(_TIDY)
                    self.tidy()
                if self._closed:
                    return
                job = self._waiting.popleft()
                self._walked.add(job)
                job.begun = True
                self._changed.notify_all()
            try:
                deque(self._perform(job), maxlen=0)
            except Exception:  # the worker must outlive every job
                log.exception("a job could not be ended properly")
            with self._changed:
                self._walked.discard(job)
                del job  # or an idle worker would hold on to it
                self.tidy()
                self._changed.notify_all()

    def _perform(self, job: Job) -> Generator[AdaptView, None, None]:
        """Wait for the line, do the work, end the job. The views are published; they are yielded for the inline mode.

        The last one is not shown as it comes: nobody shall read that a job is over before its style is kept.
        """
        newest: AdaptView | None = None
        try:
            with contextlib.ExitStack() as held:
                if not self._lanes:
                    yield from self._await_turn(job, held.enter_context(self._line.join()))
                if self._expired(job):
                    return
                with self._changed:
                    job.state = "running"
                job.folder.note(card_of(job.request, "running"))
                stopping = partial(os.path.exists, str(job.folder.stop_file)) if self.inline else partial(self._expired, job)
                ticket = Ticket(job.id, job.request, job.folder.styles, job.folder.pictures, stopping)
                work = partial(guarded_views, self._run, ticket)
                with contextlib.closing(work() if self.inline or self._lanes else self._compute.steps(work)) as views:
                    for newest in views:
                        if newest.running:
                            yield self._publish(job, newest)
        finally:
            self._end(job, newest or job.view)

    def _await_turn(self, job: Job, turn: Turn) -> Iterator[AdaptView]:
        """Wait until the job's turn has come, or it should end."""
        job.turn = turn
        try:
            while not turn.wait(self.limits.tick) and not self._expired(job):
                yield waiting_view(job, *self.place(job))
        finally:
            with self._changed:  # nobody may ask a turn that has left the line for its place
                job.turn = None
                if job in self._waiting:
                    self._waiting.remove(job)

    def _publish(self, job: Job, view: AdaptView) -> AdaptView:
        with self._changed:
            job.publish(view)
            if view.step and view.seconds > 0:
                self._pace = view.seconds / view.step
        now = time.monotonic()
        if view.step > job.noted[1] and (not job.noted[1] or now - job.noted[0] > _NOTE):
            job.noted = (now, view.step)
            job.folder.note(card_of(job.request, "running", view.step))
        return view

    def _end(self, job: Job, view: AdaptView) -> None:
        """Keep what was learnt, then publish `view`, made final."""
        kept = False
        if view.step:
            try:
                kept = self._keep(job) if self.inline else self._compute.run(partial(self._keep, job))
            except Exception:  # losing the style must not hide how the job ended
                log.exception("the style of a job could not be kept")
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)
            view = last_view(job, view, kept)
            job.state, job.ended = view.phase, time.monotonic()
            if not self._closed:
                if kept:
                    job.folder.end(card_of(job.request, "ended", view.step))
                else:
                    job.folder.remove()
            job.size = job.folder.size()
            job.publish(view, over=True)
        if view.step:
            release_memory()

    def _ask(self, job: Job) -> None:
        job.stop.set()
        if self.inline:
            job.folder.stop_file.touch()
        if not job.begun:
            self._end(job, job.view)

    def _expired(self, job: Job) -> bool:
        """Tell whether the job should end: somebody asked for it, or nobody has watched it for long."""
        if job.left_alone(self.limits.idle):
            job.note = "Nobody was watching any more."
            job.stop.set()
        return job.stop.is_set()

    def tidy(self) -> None:
        """End the waiting jobs nobody came back for and forget the oldest finished ones, with their files."""
        with self._changed:
            for job in [job for job in self._waiting if not job.begun and self._expired(job)]:
                self._end(job, job.view)
            over = [job for job in self._jobs.values() if job.over]
            now, held = time.monotonic(), 0
            for place, job in enumerate(sorted(over, key=lambda job: job.ended, reverse=True)):
                held += job.size
                if not job.watchers and (place >= self.limits.kept or now - job.ended > self.limits.keep or held > self.limits.disk):
                    held -= job.size
                    del self._jobs[job.id]
                    job.folder.remove()
