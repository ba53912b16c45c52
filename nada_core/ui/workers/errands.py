"""Send an idle worker on an errand, a piece of work that nothing waits for: where none is idle the app does it itself, in its own line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from nada_core.cluster.identity import Identity, product
from nada_core.errors import ClusterError, FilmError, NadaError, NoFaceError, OptionsError, PhotoError, PromptError, StyleError
from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.colleague import Colleague, WorkerLost
from nada_core.ui.workers.face_messages import FaceNews, FaceTask, read_face_news, write_face_task

if TYPE_CHECKING:
    from nada_core.ui.workers.crew import RayCrew

__all__ = ["MOVED", "Errand", "errands", "told"]

log = logging.getLogger(__name__)
MOVED = "moved to another machine"
#: Refusals that mean something to who asked; a session leaves out a style that cannot be worn, and not a wrong option.
_REFUSALS: tuple[type[NadaError], ...] = (ClusterError, FilmError, NoFaceError, OptionsError, PhotoError, PromptError, StyleError)
_KINDS = {kind.__name__: kind for kind in _REFUSALS}


class _Unreachable(Exception):
    """Say that no worker can be asked, and why: the app needs none for an errand."""


class Errand:
    """Hold one try, to be entered: the worker, whether another one was lost before it, and whether this one was."""

    def __init__(self, colleague: Colleague, moved: bool) -> None:
        self.colleague, self.moved, self.lost = colleague, moved, False

    def __enter__(self) -> Errand:
        """Return the errand itself."""
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        """Note that the worker was lost, or cannot be reached; other errors pass."""
        self.lost = isinstance(error, WorkerLost)
        if came_to_nothing := isinstance(error, (WorkerLost, _Unreachable)):
            log.warning("an errand of a worker came to nothing: %s", str(error).partition("\n")[0])
        return came_to_nothing


def errands(context: AppContext, crew: RayCrew, doing: str) -> Generator[Errand, None, None]:
    """Yield a try with an idle worker, to be entered, and another one for as long as workers are lost and others are idle.

    To be closed: the worker is held until then, or until the next try.
    """
    engine, world = context.open()
    identity, moved = Identity(product(), world.base, engine.base_hash, world.encoder), False
    while (colleague := _idle(crew, context, doing)) is not None:
        errand = Errand(colleague, moved)
        try:
            yield errand
        finally:
            if errand.lost:
                crew.lose(colleague, identity)
            crew.give_back(colleague)
        if not errand.lost:
            return
        moved = True


def _idle(crew: RayCrew, context: AppContext, doing: str) -> Colleague | None:
    try:
        crew.start(context)
        return crew.take(0.0, doing=doing)
    except ClusterError as error:
        log.warning("work is done in the app's own process: %s", error)
        return None


def told(colleague: Colleague, task: FaceTask, stopping: Callable[[], bool] = lambda: False) -> Generator[FaceNews, None, None]:
    """Yield what a worker tells of a task, to its end. Raises NadaError: what it says to the person."""
    with closing(colleague.faces(task.key, write_face_task(task), stopping)) as messages:
        while (message := _next(messages)) is not None:
            news = read_face_news(message)
            if news.broken:
                raise RuntimeError(f"a worker's program failed: {news.error}")
            if news.error:
                raise _KINDS.get(news.kind, NadaError)(news.error)
            if news.over:
                return
            yield news


def _next(messages: Iterator[Any]) -> Any:
    try:
        return next(messages, None)
    except ClusterError as error:  # its head or its store, and not what the worker says
        raise _Unreachable(str(error)) from error
