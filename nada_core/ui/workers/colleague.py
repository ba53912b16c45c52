"""Speak with one worker of the cluster: have it work on a job, view by view, and know when it is gone."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from nada_core.cluster.connect import Cluster
from nada_core.cluster.head import HEAD_LOST
from nada_core.cluster.identity import Identity, check_same
from nada_core.cluster.listing import CONTROL
from nada_core.errors import ClusterError
from nada_core.ui.workers.asked import Asked
from nada_core.ui.workers.messages import News, Part, read_news, sendable

__all__ = ["Colleague", "Told", "WorkerLost", "fetched", "hire", "kept"]

log = logging.getLogger(__name__)
_POLL = 0.1  # seconds between looks at whether somebody pressed Stop
_AHEAD = 2  # views that are asked for at a time, so that a worker need not wait for the app
_MOMENT = 2.0  # seconds that a worker has to leave
_FULL = "The cluster's object store is full: the run was ended, and what it had learnt is kept. Start workers with more memory."

_NO_ROOM = "The cluster's object store has no room for the files of the networks. Start this machine's part of it with more memory."


class WorkerLost(Exception):
    """Say that a worker has died, or its machine is gone."""


class Told(NamedTuple):
    """Hold news of a worker, and where Ray keeps the newest training that has left it: of this step, 0 for none that is new."""

    news: News
    training: Any = ()
    step: int = 0


@dataclass(eq=False)
class Colleague:
    """Hold a worker that has said hello."""

    cluster: Cluster = field(repr=False)
    actor: Any = field(repr=False)
    name: str
    host: str
    device: str
    pid: int
    has: set[str] = field(default_factory=set)  # files that were sent, by their words

    def work(self, key: str, task: bytes, training: Any, stopping: Callable[[], bool]) -> Generator[Told, None, None]:
        """Have an adaptation done; yield what the worker tells. Closing the iterator breaks it off.

        Args:
            training: where Ray keeps what it goes on from, or its parts; none where it begins at the start.

        Raises:
            WorkerLost: it died; ClusterError: the object store is full, or the cluster's head is gone.
        """
        coming: list[tuple[Any, int]] = []  # a training that is on its way, and its step
        begun = self._send(self.actor.begin, task, training)
        with closing(self._answers(key, begun, self.actor.more.options(num_returns=2), stopping)) as answers:
            for news_ref, training_ref in answers:
                news = read_news(fetched(self.cluster.ray, news_ref))
                if news.view is not None and news.view.goes_on:
                    coming = []
                    yield Told(news, training_ref, news.step)
                    continue
                if news.step and not coming:
                    coming.append((training_ref, news.step))
                yield Told(news, *self._arrived(coming))
                if news.over:
                    return

    def faces(self, key: str, task: Sequence[Part], stopping: Callable[[], bool]) -> Generator[Sequence[Part], None, None]:
        """Have an errand done; yield the messages of the worker, without end. Closing the iterator breaks it off. Raises as `work`."""
        begun = self._send(self.actor.begin_face, sendable(task))
        with closing(self._answers(key, begun, self.actor.more_of_face.options(num_returns=1), stopping)) as answers:
            for (message,) in answers:
                yield fetched(self.cluster.ray, message)

    def equip(self, files: Mapping[str, Any]) -> None:
        """Let the worker have files that networks are named by, once each.

        Args:
            files: where Ray keeps each.

        Raises:
            WorkerLost: it died; ClusterError: it cannot keep them, or the object store is full.
        """
        for word, content in files.items():
            if word not in self.has:
                if problem := fetched(self.cluster.ray, self._send(self.actor.keep_file, word, content)):
                    raise ClusterError(f"A worker on {self.host or 'another machine'} cannot keep a file of the networks: {problem}")
                self.has.add(word)

    def _answers(self, key: str, begun: Any, more: Any, stopping: Callable[[], bool]) -> Generator[tuple[Any, ...], None, None]:
        """Ask for more, without end, and yield where Ray keeps each answer, the first part of which is there. In the end, break it off."""
        ray, asked = self.cluster.ray, False
        waiting: deque[tuple[Any, ...]] = deque()
        try:
            while True:
                while len(waiting) < _AHEAD:
                    answer = self._send(more, key)
                    waiting.append(tuple(answer) if isinstance(answer, list) else (answer,))
                answer = waiting.popleft()
                while not ray.wait([answer[0]], timeout=_POLL)[0]:
                    self._check_head()
                    if not asked and stopping():
                        asked = True
                        self._send(self._aside(self.actor.stop), key)
                self._check_head()
                fetched(ray, begun)
                yield answer
        finally:
            self._try_send(self._aside(self.actor.stop), key)
            self._try_send(self.actor.forget, key)

    def _check_head(self) -> None:
        """End before Ray does: a minute after its head the machines of the cluster go, and what they keep."""
        if self.cluster.head.lost():
            raise ClusterError(HEAD_LOST)

    def _arrived(self, coming: list[tuple[Any, int]]) -> tuple[Any, int]:
        """Return the training that was on its way, once it is in the object store of this machine: it does not go with its worker's."""
        if not coming or not self.cluster.ray.wait([coming[0][0]], timeout=0, fetch_local=True)[0]:
            return (), 0
        return coming.pop()

    def _aside(self, method: Any, **options: Any) -> Any:
        """Return a method that does not wait for the work at hand."""
        return method.options(concurrency_group=CONTROL, **options)

    def alive(self) -> bool:
        """Tell whether it has not died, as far as the cluster knows: a machine that went is missed after half a minute."""
        ray = self.cluster.ray
        try:
            ray.get(self._aside(self.actor.doing).remote(), timeout=_MOMENT)
        except ray.exceptions.GetTimeoutError:
            return True
        except ray.exceptions.RayError:
            return False
        return True

    def kill(self, *, politely: bool = False) -> None:
        """End the worker's process; politely, with a moment to delete its files."""
        try:
            if politely:
                self.cluster.ray.wait([self._aside(self.actor.leave).remote()], timeout=_MOMENT)
            self.cluster.ray.kill(self.actor)
        except Exception as error:  # noqa: BLE001 - it is gone, or Ray is
            log.info("a worker could not be ended: %s", type(error).__name__)

    def _send(self, method: Any, *arguments: Any) -> Any:
        try:
            return method.remote(*arguments)
        except self.cluster.ray.exceptions.RayError as error:
            raise WorkerLost(type(error).__name__) from error

    def _try_send(self, method: Any, *arguments: Any) -> None:
        try:
            method.remote(*arguments)
        except Exception as error:  # noqa: BLE001 - it is gone, or Ray is
            log.info("a worker could not be told: %s", type(error).__name__)


def fetched(ray: Any, ref: Any, timeout: float | None = None) -> Any:
    """Return what Ray keeps. Raises WorkerLost where it went with its worker, ClusterError where the object store is full."""
    try:
        return ray.get(ref, timeout=timeout)
    except ray.exceptions.RayError as error:
        full = ray.exceptions.ObjectStoreFullError
        if isinstance(error, full) or isinstance(getattr(error, "cause", None), full):
            raise ClusterError(_FULL) from error
        raise WorkerLost(f"{type(error).__name__}: {error}") from error


def kept(ray: Any, content: bytes) -> Any:
    """Return where Ray keeps a file for as long as it is held. Raises ClusterError: the object store is full."""
    try:
        return ray.put(sendable([content])[0])
    except ray.exceptions.RayError as error:
        raise ClusterError(_NO_ROOM) from error


def hire(cluster: Cluster, name: str, plan: dict[str, Any], asked: Asked, needless: Callable[[], bool] = lambda: False) -> Colleague:
    """Start a worker somewhere in the cluster, and wait until its networks are loaded, or until it is ``needless``.

    Args:
        plan: of :class:`.actor.AdaptWorker`.
        asked: who it must be.

    Raises:
        WorkerLost: it died at once, or is not needed any more; ClusterError: it has another version of the product or other weights.
    """
    from nada_core.ui.workers.actor import AdaptWorker

    ray = cluster.ray
    place = {"num_cpus": 0 if cluster.cards else cluster.cores, "num_gpus": cluster.cards, "scheduling_strategy": "SPREAD"}
    worker = ray.remote(concurrency_groups={CONTROL: 2})(AdaptWorker).options(name=name, max_restarts=0, **place)
    actor = worker.remote(json.dumps(plan | {"cores": cluster.cores}))
    newcomer, wanted = Colleague(cluster, actor, name, "", "", 0), asked.identity
    try:
        newcomer.equip(asked.files)
        hello = actor.hello.remote(wanted.base, wanted.encoder)
        while not ray.wait([hello], timeout=_MOMENT)[0]:  # for ever, where no machine has room
            if needless():
                raise WorkerLost("it is not needed any more")
        said = json.loads(fetched(ray, hello))
        if "error" in said:
            raise ClusterError(said["error"])
        check_same(f"The worker on {said['host']}", Identity(**said["identity"]), wanted)
    except BaseException:
        ray.kill(actor)
        raise
    return replace(newcomer, host=said["host"], device=said["device"], pid=said["pid"])
