"""The job registry: adaptations wait in one line, one worker runs them, any number of pages may watch, leave and come back."""

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

from ..allocator import release_memory
from .job import Job, JobLimits, JobRefused, first_view, guarded_views, last_view, seconds_of, waiting_view
from .job_store import JobStore
from .shelf import new_id
from .turns import WorkLine
from .views import AdaptRequest, AdaptView, Ticket
from .worker import Worker

__all__ = ["Job", "JobLimits", "JobRefused", "JobRegistry"]

log = logging.getLogger(__name__)
_TIDY = 60.0  # seconds between looks at what has expired, while nothing else happens


class JobRegistry:
    """At most one job on the device, the others first come first served.

    `run` does the work of a ticket and yields complete views. `keep` is called when a job ends and returns whether a style was kept.
    Every job takes a turn in `line`, which photo edits use as well, so that nothing else computes at the same time; what it computes is
    given to `worker`.

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
    ) -> None:
        self._run, self._keep, self._line, self._compute, self.store = run, keep, line, worker, store
        self.limits, self.inline = limits or JobLimits(), inline
        self._changed = threading.Condition()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._current: Job | None = None
        self._worker: threading.Thread | None = None
        self._closed = False
        self._pace: float | None = None  # seconds a step, as last measured

    # --- what pages call ---

    def submit(self, request: AdaptRequest, browser: str = "", asked: float | None = None) -> Job:
        """Put a job in line, by the time at which it was `asked` for (monotonic clock; None: now).

        Raises JobRefused when the line or this browser's share of it is full.
        """
        with self._changed:
            self._tidy()
            if self._closed:
                raise JobRefused("The server is about to stop and takes no more work. Please try again in a minute.")
            if len(self._waiting) >= self.limits.waiting:
                raise JobRefused(f"{len(self._waiting)} adaptations are waiting already and no more are taken. Please try again later.")
            mine = [job for job in self._jobs.values() if job.browser == browser and not job.finished]
            if browser and len(mine) >= self.limits.per_browser:
                raise JobRefused(f"This browser has {len(mine)} adaptations under way already. Stop one, or wait until one is done.")
            key = new_id()
            try:
                folder = self.store.create(key)
                request = replace(request, images=folder.adopt(request.images) if request.images else ())
            except OSError as error:
                log.warning("no room for a job: %s", error)
                raise JobRefused("The server has no room on its disk for another adaptation. Please try again later.") from None
            job = Job(key, request, browser, folder, first_view(key, request), time.monotonic() if asked is None else asked)
            self._jobs[key] = job
            self._waiting.insert(sum(other.asked <= job.asked for other in self._waiting), job)
            if self._worker is None and not self.inline:
                self._worker = threading.Thread(target=self._work, name="adaptations", daemon=True)
                self._worker.start()
            self._changed.notify_all()
            return job

    def find(self, key: str) -> Job | None:
        """The job with this id, while it is remembered."""
        return self._jobs.get(key)

    def watch(self, key: str) -> Iterator[AdaptView]:
        """Yield the job's newest view whenever it changes and at least every tick, ending with its last one.

        Closing the iterator does not stop the job (it does in inline mode, for the watcher that runs it). Raises JobRefused for an
        unknown id.
        """
        with self._changed:
            job = self.find(key)
            if job is None:
                raise JobRefused("This adaptation is not known here any more. Start it again.")
            job.watchers += 1
            drive = self.inline and not job.begun
            job.begun = job.begun or drive
        try:
            if drive:
                with contextlib.closing(self._perform(job)) as views:
                    yield from views
                yield job.view
                return
            seen = -1
            while True:
                with self._changed:
                    self._changed.wait_for(partial(_is_news, job, seen), self.limits.tick)
                    seen, done = job.version, job.finished
                    view = job.view if job.state != "waiting" else waiting_view(job, *self.place(job))
                    job.watched = time.monotonic()
                yield view
                if done:
                    return
        finally:
            with self._changed:
                job.watchers -= 1
                job.watched = time.monotonic()

    @property
    def busy(self) -> bool:
        """True while a job runs or waits."""
        with self._changed:
            return any(not job.finished for job in self._jobs.values())

    def cancel(self, key: str) -> bool:
        """Ask a job to end; what it has learnt is kept. False when it is unknown or over already."""
        with self._changed:
            job = self.find(key)
            if job is None or job.finished:
                return False
            self._ask(job)
            return True

    def close(self, timeout: float = 5.0, rescue: Callable[[Job], None] | None = None) -> None:
        """Take no more work, stop what runs, and wait for it at most `timeout` seconds.

        `rescue` is called for a job that was stopped in the middle and kept a style. What does not stop in time, or makes `rescue`
        raise, stays on disk for the next start to recover.
        """
        with self._changed:
            self._closed = True
            cut = [job for job in self._jobs.values() if not job.finished]
            for job in cut:
                job.note = "The server was stopped."
                self._ask(job)
            self._changed.notify_all()
            safe = self._changed.wait_for(lambda: all(job.finished for job in cut), timeout)
        for job in cut:
            try:
                if rescue is not None and job.view.style_id:
                    rescue(job)
            except Exception:  # the others still have to be saved
                log.exception("a style could not be saved at the end")
                safe = False
        self.store.close(keep=not safe)

    def place(self, job: Job) -> tuple[int, float | None]:
        """How much work comes before a waiting job, and its seconds (None: nothing measured yet; photo edits in between not counted)."""
        with self._changed:
            before = [other for other in self._jobs.values() if other is not job and (other.state == "running" or other is self._current)]
            if job in self._waiting:
                before += list(self._waiting)[: self._waiting.index(job)]
            return len(before) if job.turn is None else job.turn.ahead, seconds_of(before, self._pace)

    # --- the work ---

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait(_TIDY)
                    self._tidy()
                if self._closed:
                    return
                job = self._current = self._waiting.popleft()
                job.begun = True
                self._changed.notify_all()
            try:
                deque(self._perform(job), maxlen=0)
            except Exception:  # the worker must outlive every job
                log.exception("a job could not be ended properly")
            del job  # or an idle worker would hold on to it
            with self._changed:
                self._current = None
                self._tidy()
                self._changed.notify_all()

    def _perform(self, job: Job) -> Generator[AdaptView, None, None]:
        """Wait for the line, do the work, end the job. The views are published; they are yielded for the inline mode.

        The last one is not shown as it comes: nobody shall read that a job is over before its style is kept.
        """
        newest: AdaptView | None = None
        try:
            with self._line.join() as turn:
                job.turn = turn
                try:
                    while not turn.wait(self.limits.tick) and not self._expired(job):
                        yield waiting_view(job, *self.place(job))
                finally:
                    with self._changed:  # nobody may ask a turn that has left the line for its place
                        job.turn = None
                        if job in self._waiting:
                            self._waiting.remove(job)
                if self._expired(job):
                    return
                with self._changed:
                    job.state = "running"
                stopping = partial(os.path.exists, str(job.folder.stop_file)) if self.inline else partial(self._expired, job)
                ticket = Ticket(job.id, job.request, job.folder.styles, job.folder.pictures, stopping)
                work = partial(guarded_views, self._run, ticket, job.folder)
                with contextlib.closing(work() if self.inline else self._compute.steps(work)) as views:
                    for newest in views:
                        if newest.running:
                            yield self._publish(job, newest)
        finally:
            self._end(job, newest or job.view)

    def _publish(self, job: Job, view: AdaptView) -> AdaptView:
        with self._changed:
            job.view, job.version = view, job.version + 1
            if view.step and view.seconds > 0:
                self._pace = view.seconds / view.step
            self._changed.notify_all()
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
            job.view = view = last_view(job, view, kept)
            job.state, job.ended, job.version = view.phase, time.monotonic(), job.version + 1
            if not kept:
                job.folder.remove()
            elif not self._closed:
                job.folder.end()
            job.size = job.folder.size()
            self._changed.notify_all()
        if view.step:
            release_memory()

    def _ask(self, job: Job) -> None:
        job.stop.set()
        if self.inline:
            job.folder.stop_file.touch()
        if not job.begun:
            self._end(job, job.view)

    def _expired(self, job: Job) -> bool:
        """True when the job should end: somebody asked for it, or nobody has watched it for long."""
        if not job.watchers and time.monotonic() - job.watched > self.limits.idle:
            job.note = "Nobody was watching any more."
            job.stop.set()
        return job.stop.is_set()

    def _tidy(self) -> None:
        """End the waiting jobs nobody came back for and forget the oldest finished ones, with their files. Called under the lock."""
        for job in [job for job in self._waiting if not job.begun and self._expired(job)]:
            self._end(job, job.view)
        over = [job for job in self._jobs.values() if job.finished]
        now, held = time.monotonic(), 0
        for place, job in enumerate(sorted(over, key=lambda job: job.ended, reverse=True)):
            held += job.size
            if not job.watchers and (place >= self.limits.kept or now - job.ended > self.limits.keep or held > self.limits.disk):
                held -= job.size
                del self._jobs[job.id]
                job.folder.remove()


def _is_news(job: Job, seen: int) -> bool:
    return job.version != seen or job.finished
