"""Send an idle worker on an errand, a piece of work that nothing waits for: where none is idle the app does it itself, in its own line."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from nada_core.errors import ClusterError, FilmError, NadaError, NoFaceError, OptionsError, PhotoError, PromptError, StyleError
from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.asked import Asked
from nada_core.ui.workers.colleague import Colleague, WorkerLost
from nada_core.ui.workers.face_messages import FaceNews, FaceTask, read_face_news, write_face_task

if TYPE_CHECKING:
    from nada_core.ui.workers.crew import RayCrew

__all__ = ["MOVED", "Errand", "errands"]

log = logging.getLogger(__name__)
MOVED = "moved to another machine"
#: Refusals that mean something to who asked; a session leaves out a style that cannot be worn, and not a wrong option.
_REFUSALS: tuple[type[NadaError], ...] = (ClusterError, FilmError, NoFaceError, OptionsError, PhotoError, PromptError, StyleError)
_KINDS = {kind.__name__: kind for kind in _REFUSALS}


class _Unreachable(Exception):
    """Say that no worker can be asked, and why: the app needs none for an errand."""


class Errand:
    """Hold one try, to be entered: the worker, whether another one was lost before it, and whether this one was."""

    def __init__(self, colleague: Colleague, asked: Asked, moved: bool) -> None:
        self.colleague, self.moved, self.lost = colleague, moved, False
        self._asked = asked

    def told(self, stopping: Callable[[], bool] = lambda: False, **task: Any) -> Generator[FaceNews, None, None]:
        """Yield what the worker tells of a task with these fields of :class:`.FaceTask`, to its end.

        Raises:
            NadaError: what it says to the person.
        """
        wanted = self._asked.identity
        whole = FaceTask(secrets.token_hex(8), wanted.base, wanted.base_hash, wanted.encoder, **task)
        try:
            self.colleague.equip(self._asked.files)
        except ClusterError as error:
            raise _Unreachable(str(error)) from error
        yield from _told(self.colleague, whole, stopping)

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
    try:
        asked, moved = crew.start(context), False
    except NadaError as error:
        log.warning("work is done in the app's own process: %s", error)
        return
    while (colleague := _idle(crew, doing)) is not None:
        errand = Errand(colleague, asked, moved)
        try:
            yield errand
        finally:
            if errand.lost:
                crew.lose(colleague, asked)
            crew.give_back(colleague)
        if not errand.lost:
            return
        moved = True


def _idle(crew: RayCrew, doing: str) -> Colleague | None:
    try:
        return crew.take(0.0, doing=doing)
    except ClusterError as error:
        log.warning("work is done in the app's own process: %s", error)
        return None


def _told(colleague: Colleague, task: FaceTask, stopping: Callable[[], bool]) -> Generator[FaceNews, None, None]:
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
