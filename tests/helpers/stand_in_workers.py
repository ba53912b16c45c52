"""Workers that need neither weights nor Ray: the real program of a worker around the fake engine, in this process or in Ray's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from nada_core.errors import ClusterError
from nada_core.ui import Backend
from nada_core.ui.jobs.crew import FilmOrder, WorkerFacts
from nada_core.ui.workers.actor import AdaptWorker
from nada_core.ui.workers.asked import Asked, asked_of
from nada_core.ui.workers.colleague import Told, WorkerLost
from nada_core.ui.workers.messages import read_news, sendable
from nada_core.ui.workers.remote_faces import make_elsewhere
from nada_core.ui.workers.remote_films import film_elsewhere
from nada_core.ui.workers.remote_students import learn_elsewhere
from nada_core.ui.workers.remote_views import remote_views
from tests.helpers.fake_engine import FakeEngine, fake_backend, tint
from tests.helpers.portrait_editor import PortraitEditor

BACKEND = "tests.helpers.stand_in_workers:backend"


def backend(**engine: Any) -> Backend:
    """What a stand-in worker computes with: it sleeps ``delay`` seconds a step."""
    made = FakeEngine(**engine)
    made.editor = PortraitEditor(tint, made.delay)
    return fake_backend(made)


class LocalWorker:
    """A worker in this process, which dies when it is asked for the view of this number."""

    def __init__(self, plan: dict[str, Any], dies_at: int | None = None) -> None:
        self.worker, self.dies_at, self.told = AdaptWorker(json.dumps(plan)), dies_at, 0

    def equip(self, files: Mapping[str, bytes]) -> None:
        for word, content in files.items():
            assert self.worker.keep_file(word, content) == ""

    def work(self, key: str, task: bytes, training: Sequence[bytes], stopping: Callable[[], bool]) -> Iterator[Told]:
        self.worker.begin(task, training)
        try:
            for message, training in self._answers(key, self.worker.more, stopping):
                news = read_news(message)
                yield Told(news, tuple(map(bytes, training)), news.step)
                if news.over:
                    return
        finally:
            self.worker.forget(key)

    def faces(self, key: str, task: Sequence[Any], stopping: Callable[[], bool]) -> Iterator[Sequence[Any]]:
        self.worker.begin_face(sendable(task))
        try:
            yield from self._answers(key, self.worker.more_of_face, stopping)
        finally:
            self.worker.stop(key)
            self.worker.forget(key)

    def _answers(self, key: str, ask: Callable[[str], Any], stopping: Callable[[], bool]) -> Iterator[Any]:
        while True:
            self.told += 1
            if self.told == self.dies_at:
                raise WorkerLost("as the test asked")
            if stopping():
                self.worker.stop(key)
            yield ask(key)


class LocalCrew:
    """Workers in this process, handed out in their order; those that die are not replaced. ``lost`` are the dead."""

    def __init__(self, workers: list[LocalWorker]) -> None:
        self.idle, self.lost, self.size = list(workers), [], len(workers)

    def start(self, context: Any) -> Asked:
        return asked_of(context, bytes)

    def report(self) -> list[WorkerFacts]:
        return [WorkerFacts(f"Worker {number + 1}", "here", "cpu", "idle") for number in range(len(self.idle))]

    def adapt(self, context: Any, ticket: Any, device: str | None = None) -> Iterator[Any]:
        yield from remote_views(context, self, ticket)

    def make(self, context: Any, session: Any, faces: Any, styles: Any, *, lenient: bool = False) -> Iterator[Any]:
        return make_elsewhere(context, self, session, faces, styles, lenient=lenient)

    def learn(self, context: Any, style: Any, stopping: Callable[[], bool]) -> Iterator[Any]:
        return learn_elsewhere(context, self, style, stopping)

    def film(self, context: Any, order: FilmOrder, stopping: Callable[[], bool]) -> Iterator[Any]:
        return film_elsewhere(context, self, order, stopping)

    def take(self, timeout: float, *, moved: bool = False, doing: str = "") -> LocalWorker | None:
        if not self.idle and not timeout and not self.lost:
            return None
        if not self.idle:
            raise ClusterError("No worker can be had. All of them died.")
        return self.idle.pop(0)

    def give_back(self, worker: LocalWorker) -> None:
        if worker not in self.lost:
            self.idle.append(worker)

    def fetched(self, training: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return training

    def lose(self, worker: LocalWorker, asked: Asked) -> None:
        self.lost.append(worker)


@contextmanager
def local_crew(*dies_at: int | None, keep: float = 0.0, **engine: Any) -> Iterator[LocalCrew]:
    """One worker in this process for each entry of ``dies_at``."""
    plan = {"backend": BACKEND, "arguments": {"delay": 0.0, **engine}, "cores": 1, "keep": keep}
    workers = [LocalWorker(plan, number) for number in dies_at]
    try:
        yield LocalCrew(workers)
    finally:
        for worker in reversed(workers):
            worker.worker._temporary.remove()
