"""Walk a job whose work is done by a worker: put its files here, go on with another worker when it dies, show one run whatever happened."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.errors import ClusterError, NadaError
from nada_core.system.files import write_bytes
from nada_core.ui.jobs.job import first_view
from nada_core.ui.jobs.store import TRAINING
from nada_core.ui.jobs.views import AdaptView, LossCurve, Progress, SavedStep, Ticket
from nada_core.ui.server.context import AppContext
from nada_core.ui.tabs.adapt.run import check_options
from nada_core.ui.tabs.adapt.work import find_person
from nada_core.ui.workers.asked import Asked
from nada_core.ui.workers.colleague import Colleague, Told, WorkerLost
from nada_core.ui.workers.messages import News, Part, Task, pack_person, renamed, write_task

if TYPE_CHECKING:
    from nada_core.inversion.base import Inversion
    from nada_core.ui.workers.crew import RayCrew

__all__ = ["remote_views"]

log = logging.getLogger(__name__)
_TICK = 1.0  # seconds between signs of life while no worker is idle
_MOST_MOVES = 20  # of one job: it may be the one that kills them
_FULL_DISK = "The disk is full or read-only: earlier steps of this run are not kept."


@dataclass
class _Walk:
    """Hold what is known of a run by everybody who worked on it.

    Attributes:
        losses, similar, saved, previews: what came before the worker at hand, whose own follow.
        training: where Ray keeps the newest one, or its parts, none where it begins at the start; with it the step.
    """

    view: AdaptView
    originals: tuple[str, ...]
    losses: tuple[float, ...] = ()
    similar: tuple[float, ...] = ()
    saved: tuple[SavedStep, ...] = ()
    previews: tuple[str, ...] | None = None
    training: Any = ()
    step: int = 0
    moved: str = ""  # what is said of it
    moves: int = 0
    problem: str = ""

    def shown(self, view: AdaptView) -> AdaptView:
        """Return a worker's view with what came before."""
        own = view.chart or LossCurve(view.steps)
        chart = LossCurve(own.steps, self.losses + own.losses, self.similar + own.similarities)
        previews = self.previews if self.previews and view.previews == view.originals else view.previews
        note = " ".join(part for part in (self.moved, self.problem or view.progress.note) if part)
        progress = replace(view.progress, note=note)
        self.view = replace(view, chart=chart, saved=self.saved + view.saved, previews=previews, progress=progress)
        return self.view

    def cut(self) -> AdaptView:
        """Go back to the training that is kept; return what is shown until another worker goes on."""
        chart = self.view.chart or LossCurve(self.view.steps)
        self.losses, self.similar = chart.losses[: self.step], chart.similarities[: self.step]
        self.saved = tuple(one for one in self.view.saved if one.step <= self.step)
        self.previews = self.view.previews if self.view.previews != self.originals else None
        self.moves += 1
        if self.view.step:
            self.moved = f"Moved to another machine after step {self.view.step}; it went on from step {self.step}."
        words = replace(self.view.progress, headline="Moving to another machine", left="", note=self.moved)
        return replace(self.view, progress=words)


def remote_views(context: AppContext, crew: RayCrew, ticket: Ticket) -> Iterator[AdaptView]:
    """Have the work of a job done by the crew and yield complete views.

    Raises:
        NadaError: what the worker says to the person, or that there is none.
    """
    request = ticket.request
    yield (view := first_view(ticket.id, request))
    engine, world = context.open()
    check_options(context, engine, request)
    walk = _Walk(replace(view, originals=world.originals, previews=world.originals), world.originals)
    person = None
    if request.photo:
        person = yield from _person(context, walk.view, ticket)
        if person is None:  # asked to stop
            return
    if (earlier := context.jobs.find(request.resume)) is not None:
        _go_on(walk, earlier.view, ((ticket.styles / TRAINING).read_bytes(),))
    asked = crew.start(context)
    identity = asked.identity
    images = tuple((Path(file).suffix, Path(file).read_bytes()) for file in request.images)
    sent = replace(request, images=(), photo="photo" if person else "")  # no id of this app's shelves leaves it
    packed = b"" if person is None else pack_person(person)
    task = write_task(Task(ticket.id, sent, identity.base, identity.base_hash, identity.encoder, images, packed))
    try:
        yield from _done(crew, walk, ticket, task, asked)
    except ClusterError as error:
        if not walk.view.step:
            raise
        view = replace(walk.cut(), phase="failed", step=walk.step or walk.view.step, error=str(error))
        words = Progress(view.step / view.steps, f"Ended early at step {view.step}", kind="bad", note="The style so far is kept.")
        yield replace(view, progress=words, goes_on=bool(walk.step) and not request.images and _kept(crew, walk, ticket))


def _done(crew: RayCrew, walk: _Walk, ticket: Ticket, task: bytes, asked: Asked) -> Iterator[AdaptView]:
    """Have a task done by one worker, and by the next one where that dies. Raises ClusterError: there is none."""
    while True:
        colleague = yield from _colleague(crew, walk, ticket)
        if colleague is None:  # asked to stop
            return
        try:
            colleague.equip(asked.files)
            with closing(colleague.work(ticket.id, task, walk.training, ticket.stopping)) as told:
                yield from _follow(crew, walk, ticket, told)
            return
        except WorkerLost as error:
            log.warning("a worker was lost with a job: %s", str(error).partition("\n")[0])
            crew.lose(colleague, asked)
            yield walk.cut()
            if walk.moves > _MOST_MOVES:
                raise ClusterError(f"{walk.moves} workers died of this run, one after the other. Ask for it again, or for less.") from None
        finally:
            crew.give_back(colleague)


def _go_on(walk: _Walk, earlier: AdaptView, training: tuple[Part, ...]) -> None:
    """Let a run begin where an earlier one was stopped."""
    chart = earlier.chart or LossCurve(earlier.steps)
    walk.losses, walk.similar = chart.losses, chart.similarities
    walk.previews, walk.training, walk.step = earlier.previews, training, earlier.step


def _person(context: AppContext, view: AdaptView, ticket: Ticket) -> Generator[AdaptView, None, Inversion | None]:
    """Find the photo's person here, in the line of this process's own work: photos do not leave it. None: it was asked to stop."""
    if ticket.person is not None:
        return ticket.person
    engine, _ = context.open()
    with context.join(engine) as turn:
        while not turn.wait(_TICK):
            if ticket.stopping():
                return None
            yield view
        return (yield from context.worker.steps(partial(find_person, context, engine, view, ticket.request.photo)))


def _colleague(crew: RayCrew, walk: _Walk, ticket: Ticket) -> Generator[AdaptView, None, Colleague | None]:
    """Wait for a worker that is idle; None where the job was asked to stop first."""
    while (colleague := crew.take(_TICK, moved=bool(walk.moves))) is None:
        if ticket.stopping():
            return None
        yield walk.view
    return colleague


def _follow(crew: RayCrew, walk: _Walk, ticket: Ticket, told: Iterator[Told]) -> Iterator[AdaptView]:
    for news, training, step in told:
        if step:
            walk.training, walk.step = training, step
        _put(walk, ticket, news)
        if news.broken:
            raise RuntimeError(f"a worker's program failed: {news.error}")
        if news.error:
            raise NadaError(news.error)
        if news.view is None:
            return
        view = walk.shown(renamed(news.view, partial(_path, walk, ticket)))
        if not view.running and view.goes_on:
            view = replace(view, goes_on=_kept(crew, walk, ticket))
        yield view


def _put(walk: _Walk, ticket: Ticket, news: News) -> None:
    """Write what came with a view into the job's folders, and delete what is gone."""
    try:
        for name, parts in news.files:  # as without workers, they outlive this process, and a loss of power as the disk likes
            write_bytes(_folder(ticket, name), *parts, synced=False)
        for name in news.gone:
            _folder(ticket, name).unlink(missing_ok=True)
    except (NadaError, OSError):  # the run itself needs no disk here
        log.exception("a step could not be saved")
        walk.problem = _FULL_DISK


def _kept(crew: RayCrew, walk: _Walk, ticket: Ticket) -> bool:
    """Write the newest training into the job's folder, for a run that goes on from it; tell whether that could be done."""
    try:
        write_bytes(ticket.styles / TRAINING, *crew.fetched(walk.training))
    except (NadaError, WorkerLost):
        log.exception("the training of a run could not be kept")
        return False
    return True


def _folder(ticket: Ticket, name: str) -> Path:
    folder, _, plain = name.partition("/")
    return (ticket.styles if folder == "styles" else ticket.pictures) / plain


def _path(walk: _Walk, ticket: Ticket, name: str) -> str:
    folder, _, plain = name.partition("/")
    return walk.originals[int(plain)] if folder == "originals" else str(_folder(ticket, name))
