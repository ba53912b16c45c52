"""Keep a crew of workers: start them, hand out those that are idle, replace those that die, and say what each does."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nada_core.cluster.connect import Cluster, room
from nada_core.cluster.head import HEAD_LOST
from nada_core.cluster.listing import WORKER
from nada_core.editing.base import EditStages
from nada_core.editing.session import FaceToFit, PhotoSession, StyleToFit
from nada_core.errors import ClusterError, NadaError
from nada_core.ui.jobs.crew import FilmOrder, WorkerFacts
from nada_core.ui.jobs.registry import JobRegistry
from nada_core.ui.jobs.views import AdaptView, Ticket
from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.actor import BACKEND
from nada_core.ui.workers.asked import Asked, asked_of
from nada_core.ui.workers.colleague import Colleague, WorkerLost, fetched, hire, kept
from nada_core.ui.workers.messages import Part
from nada_core.ui.workers.remote_faces import make_elsewhere
from nada_core.ui.workers.remote_films import film_elsewhere
from nada_core.ui.workers.remote_students import learn_elsewhere
from nada_core.ui.workers.remote_views import remote_views

if TYPE_CHECKING:
    from nada_core.films.restyle import FilmStep
    from nada_core.students.distil import DistilStep
    from nada_core.styles.files import Style

__all__ = ["RayCrew"]

log = logging.getLogger(__name__)
KEEP = 4.0
_PATIENCE = 10.0  # seconds for a training to come from another machine
_LOOK = 5.0  # seconds between looks at who is there
_LATER = 5.0  # seconds after which a place whose worker could not be had tries again
_NO_HEAD = "The cluster does not answer any more ({}). Start its head and the app again."
_TRIES = 3  # at a place before whoever waits is told why


@dataclass(eq=False)
class _Place:
    """Hold what is known of one worker's place; the worker in it changes."""

    number: int
    colleague: Colleague | None = None
    busy: str = ""  # what its worker does, one of DOINGS; empty while it is idle
    failed: int = 0  # times in a row
    problem: str = ""
    closed: bool = False  # no machine has room for it any more

    @property
    def facts(self) -> WorkerFacts:
        name = f"Worker {self.number}"
        if self.colleague is None:
            return WorkerFacts(name, doing=self.problem or "starting")
        return WorkerFacts(name, self.colleague.host, self.colleague.device, self.busy or "idle")


class RayCrew:
    """Hold the workers of one app on a cluster.

    Args:
        keep: seconds between two trainings that leave a worker.
        backend: ``module:function`` that makes the workers' engine, with these ``arguments``; another one only in tests and benchmarks.
    """

    def __init__(self, cluster: Cluster, *, keep: float = KEEP, backend: str = BACKEND, **arguments: Any) -> None:
        self.cluster = cluster
        self._plan = {"backend": backend, "arguments": arguments, "keep": keep}
        self._changed = threading.Condition()
        self._places = [_Place(number + 1) for number in range(cluster.workers)]
        self._wanted: Asked | None = None
        self._asked: Asked | None = None  # for the networks that the app has now
        self._asking = threading.Lock()
        self._moved = 0  # jobs that wait for another worker: they come first
        self._waiting = 0  # jobs that wait for one, these included
        self._closed = threading.Event()

    @property
    def size(self) -> int:
        """Return how many workers there are to be."""
        return len(self._places)

    def start(self, context: AppContext) -> Asked:
        """Let every place start its worker, for the engine that the app has, and return what workers are asked for; again is harmless.

        Raises:
            NadaError: the app has no engine, or a file of its networks is not there any more.
        """
        asked = self._asked_now(context)
        with self._changed:
            if self._wanted is not None:
                return asked
            self._wanted = asked
        for place in self._places:
            self._hire(place, asked)
        if self.cluster.address:  # nobody joins one that listens to this machine only
            threading.Thread(target=self._look_around, args=(context.jobs,), name="attendance", daemon=True).start()
        return asked

    def adapt(self, context: AppContext, ticket: Ticket, device: str | None = None) -> Iterator[AdaptView]:
        """Have the work of a job done: :func:`.remote_views.remote_views`."""
        self.start(context)
        yield from remote_views(context, self, ticket)

    def make(
        self, context: AppContext, session: PhotoSession, faces: Sequence[FaceToFit], styles: Sequence[StyleToFit], *, lenient: bool = False
    ) -> EditStages:
        """Have a worker that is idle make what a photo's session lacks: :func:`.remote_faces.make_elsewhere`."""
        return make_elsewhere(context, self, session, faces, styles, lenient=lenient)

    def learn(self, context: AppContext, style: Style, stopping: Callable[[], bool]) -> Generator[DistilStep, None, None]:
        """Have a worker that is idle train a style's student: :func:`.remote_students.learn_elsewhere`."""
        return learn_elsewhere(context, self, style, stopping)

    def film(self, context: AppContext, order: FilmOrder, stopping: Callable[[], bool]) -> Generator[tuple[FilmStep, bytes], None, None]:
        """Have a worker that is idle put a style on a film: :func:`.remote_films.film_elsewhere`."""
        return film_elsewhere(context, self, order, stopping)

    def report(self) -> list[WorkerFacts]:
        """Return what is known of each worker."""
        with self._changed:
            return [place.facts for place in self._places]

    def take(self, timeout: float, *, moved: bool = False, doing: str = "adapting") -> Colleague | None:
        """Return an idle worker; None where there is none within the time. Who lost one is served first, who does not wait last.

        Raises:
            ClusterError: no worker can be had, and why.
        """
        if self.cluster.head.lost():
            raise ClusterError(HEAD_LOST)
        with self._changed:
            waits = timeout > 0
            self._moved, self._waiting = self._moved + moved, self._waiting + waits
            try:
                self._changed.wait_for(lambda: self._hopeless or (self._idle and (moved or not self._moved)), timeout)
                if self._hopeless:
                    raise ClusterError(f"No worker can be had. {self._places[0].problem}")
                if not self._idle or (self._moved and not moved) or (self._waiting and not waits):
                    return None
                place = self._idle[0]
                place.busy = doing
                return place.colleague
            finally:
                self._moved, self._waiting = self._moved - moved, self._waiting - waits
                self._changed.notify_all()

    def give_back(self, colleague: Colleague) -> None:
        """Take a worker back whose job is over."""
        with self._changed:
            for place in self._places:
                if place.colleague is colleague:
                    place.busy = ""
            self._changed.notify_all()

    def lose(self, colleague: Colleague, wanted: Asked) -> None:
        """Put another worker into the place of one that is gone."""
        colleague.kill()
        with self._changed:
            places = [place for place in self._places if place.colleague is colleague]
            for place in places:
                place.colleague, place.busy = None, ""
        for place in places:
            self._hire(place, wanted)

    def fit(self, room: int) -> int:
        """Have as many places as there is room for, at least one; return how many. Workers that are there stay."""
        with self._changed:
            new = []
            while len(self._places) < room:
                new.append(_Place(max(place.number for place in self._places) + 1))
                self._places.append(new[-1])
            for place in [place for place in self._places if place.colleague is None][::-1]:
                if len(self._places) > max(1, room):
                    place.closed = True
                    self._places.remove(place)
            wanted, count = self._wanted, len(self._places)
            self._changed.notify_all()
        for place in new:
            if wanted is not None:
                self._hire(place, wanted)
        return count

    def _look_around(self, jobs: JobRegistry) -> None:
        """Notice machines that join and leave, and workers that died while they had nothing to do."""
        while not self._closed.wait(_LOOK):
            try:
                with self._changed:
                    idle = [place.colleague for place in self._idle]
                for colleague in idle:
                    if colleague is not None and self._wanted is not None and not colleague.alive():
                        log.warning("an idle worker was lost")
                        self.lose(colleague, self._wanted)
                jobs.set_lanes(self.fit(room(self.cluster)))
            except Exception as error:  # noqa: BLE001 - what Ray raises when its head is gone; whoever asks for work is told
                log.warning("the cluster could not be looked at: %s", type(error).__name__)

    def fetched(self, training: Any) -> Sequence[Part]:
        """Return the parts of a training that Ray keeps. Raises WorkerLost: it went with its machine."""
        return training if isinstance(training, tuple) else fetched(self.cluster.ray, training, _PATIENCE)

    def close(self) -> None:
        """End all workers and start no more."""
        self._closed.set()
        with self._changed:
            colleagues = [place.colleague for place in self._places if place.colleague is not None]
        for colleague in colleagues:
            colleague.kill(politely=True)

    @property
    def _idle(self) -> list[_Place]:
        return [place for place in self._places if place.colleague is not None and not place.busy]

    @property
    def _hopeless(self) -> bool:
        return all(place.colleague is None and place.failed >= _TRIES for place in self._places)

    def _asked_now(self, context: AppContext) -> Asked:
        with self._asking:  # a file is read once
            if self._asked is None or self._asked.since != context.open()[1].since:
                self._asked = asked_of(context, lambda content: kept(self.cluster.ray, content))
            return self._asked

    def _hire(self, place: _Place, wanted: Asked) -> None:
        threading.Thread(target=self._fill, args=(place, wanted), name="hiring", daemon=True).start()

    def _fill(self, place: _Place, wanted: Asked) -> None:
        def needless() -> bool:
            return place.closed or self._closed.is_set()

        while not needless():
            try:
                colleague = hire(self.cluster, f"{WORKER}{place.number}-{secrets.token_hex(4)}", self._plan, wanted, needless)
            except (NadaError, WorkerLost) as error:
                refused = isinstance(error, NadaError)
                problem = str(error) if refused else "It dies as soon as it is started; its log in Ray's folder says why."
            except Exception as error:  # noqa: BLE001 - what Ray raises when its head is gone
                refused, problem = False, _NO_HEAD.format(type(error).__name__)
            else:
                with self._changed:
                    place.colleague, place.failed, place.problem = colleague, 0, ""
                    if place.closed:  # its machine is there again
                        place.closed = False
                        self._places.append(place)
                    self._changed.notify_all()
                return
            if needless():
                return
            log.warning("worker %d could not be had: %s", place.number, problem, exc_info=not refused)
            with self._changed:
                place.failed, place.problem = _TRIES if refused else place.failed + 1, problem
                self._changed.notify_all()
            self._closed.wait(_LATER)
