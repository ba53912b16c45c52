"""Do rows on the workers of a Ray cluster. Ray places them, restarts a lost one, and gives it its row again.

A worker is an actor that has loaded the work. Inputs lie in Ray's object store, once each, however many rows read them; what a row made
comes back as bytes. Ray's own module is taken from the connection, so that nothing here needs it to be installed.
"""

from __future__ import annotations

import importlib
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from nada_core.cluster.connect import Cluster
from nada_core.cluster.walking import Answer
from nada_core.errors import ClusterError, shown
from nada_core.rows.row import Input, OpenWork, Row, RowEvent, Work
from nada_core.rows.run import Crew, do_row

__all__ = ["OnRay"]

T = TypeVar("T")
#: How often a row whose worker was lost is begun again.
RETRIES = 2
_LOOK_AGAIN = 1.0  # seconds after which workers are looked for that have become ready meanwhile


class _Worker:
    """Hold the loaded work in a process of its own: the class of Ray's actors."""

    def __init__(self) -> None:
        self._work: Work | None = None

    def _loaded(self, opening: OpenWork) -> Work:
        if self._work is None:  # not in __init__: an actor that cannot begin has no words of its own, nor what it was made with once more
            self._work = opening()
        return self._work

    def where(self) -> str:
        """Return the machine and process."""
        return f"{socket.gethostname()}, process {os.getpid()}"

    def answer(self, opening: OpenWork, question: Callable[..., Any], *args: Any) -> Answer:
        """Return what the question finds out, or the refusal it met."""
        return Answer.of(lambda: question(self._loaded(opening), *args))

    def do(self, opening: OpenWork, row: Row, names: tuple[str, ...], *contents: bytes) -> RowEvent:
        """Do a row whose inputs were sent beside it; returns its last event, without the inputs."""
        event = RowEvent(row, "failed")
        whole = replace(row, inputs={name: Input(content) for name, content in zip(names, contents, strict=True)})
        for event in do_row(self._loaded(opening), whole):  # noqa: B007 (the last one is used)
            pass
        return replace(event, row=row)


@dataclass(frozen=True)
class OnRay:
    """Do rows on as many workers as a connection to Ray has room for; progress is told row by row."""

    cluster: Cluster

    @contextmanager
    def open(self, work: OpenWork) -> Iterator[Crew]:
        """Start the workers, which load the work; they end with the context.

        Raises:
            ClusterError: none of them could be started.
        """
        ray = self.cluster.ray
        options = {"num_cpus": self.cluster.cores, "num_gpus": self.cluster.cards, "max_restarts": -1, "max_task_retries": RETRIES}
        actor = ray.remote(_Worker).options(**options)
        actors = [actor.remote() for _ in range(self.cluster.workers)]
        try:
            yield _RayCrew(ray, actors, ray.put(work))  # once: it may bring networks
        finally:
            for one in actors:
                ray.kill(one)


def _loaded(work: Work) -> None:
    """Find out nothing but that the work is loaded."""


@dataclass
class _RayCrew:
    """Hold the workers. A worker gets rows once it has loaded the work and answers as the one that was asked first."""

    ray: Any
    actors: list[Any]
    opening: Any  # in the object store: what loads the work
    stored: dict[str, Any] = field(default_factory=dict)  # by digest: inputs in the object store
    asked: tuple[Callable[..., Any], tuple[Any, ...]] = (_loaded, ())
    answer: Any = None

    @property
    def size(self) -> int:
        return len(self.actors)

    def ask(self, question: Callable[..., T], *args: Any) -> T:
        refs = [actor.answer.remote(self.opening, question, *args) for actor in self.actors]
        (first, *_), _ = self.ray.wait(refs, num_returns=1)
        return self._get(first)

    def agree(self, question: Callable[..., T], *args: Any) -> T:
        self.asked, self.answer = (question, args), self.ask(question, *args)
        return self.answer

    def run(self, rows: Iterable[Row]) -> Iterator[RowEvent]:
        pool = importlib.import_module("ray.util").ActorPool([])
        opening = {actor.answer.remote(self.opening, self.asked[0], *self.asked[1]): actor for actor in self.actors}
        waiting, doing = list(rows)[::-1], dict[Any, Row]()

        def send(actor: Any, row: Row) -> Any:
            contents = [self._stored(one) for one in row.inputs.values()]
            ref = actor.do.remote(self.opening, replace(row, inputs={}), tuple(row.inputs), *contents)
            doing[ref] = row
            return ref

        while waiting or doing:
            self._admit(pool, opening, patience=0 if doing else None)
            while waiting and pool.has_free():
                pool.submit(send, waiting[-1])
                yield RowEvent(waiting.pop(), "running")
            try:
                event = pool.get_next_unordered(timeout=_LOOK_AGAIN if opening else None)
            except TimeoutError:
                continue
            except self.ray.exceptions.RayError:
                yield self._lost(doing)
                continue
            ref = next(ref for ref, row in doing.items() if row.key == event.row.key)
            yield replace(event, row=doing.pop(ref))

    def _admit(self, pool: Any, opening: dict[Any, Any], patience: float | None) -> None:
        """Give the pool the workers that have become ready; ``patience`` None waits for one.

        Raises:
            ClusterError: a worker differs from the first one, or was lost while it began. NadaError: it could not load the work.
        """
        if not opening:
            return
        ready, _ = self.ray.wait(list(opening), num_returns=1 if patience is None else len(opening), timeout=patience)
        for ref in ready:
            actor, answer = opening.pop(ref), self._get(ref)
            if self.answer is not None and answer != self.answer:
                where = self.ray.get(actor.where.remote())
                raise ClusterError(
                    f"The worker on {where} has other parts: {shown(str(answer), 200)}; the first: {shown(str(self.answer), 200)}."
                )
            pool.push(actor)

    def _stored(self, one: Input) -> Any:
        if one.digest not in self.stored:
            self.stored[one.digest] = self.ray.put(one.content)
        return self.stored[one.digest]

    def _get(self, ref: Any) -> Any:
        try:
            return self.ray.get(ref).take()
        except self.ray.exceptions.RayError as error:
            raise ClusterError(f"A worker could not begin: {_words(error)}. Does it have this program, of this version?") from None

    def _lost(self, doing: dict[Any, Row]) -> RowEvent:
        """Find the row that Ray gave up, take it out and say so. The pool tells only the error, and not whose it was."""
        ready, _ = self.ray.wait(list(doing), num_returns=len(doing), timeout=0)
        for ref in ready:
            try:
                self.ray.get(ref)
            except self.ray.exceptions.RayError as error:
                why = f"Its worker was lost {RETRIES + 1} times ({_words(error)}). It may need more memory than there is."
                return RowEvent(doing.pop(ref), "failed", error=why)
        raise ClusterError("A worker was lost, and Ray does not say which. Give the same command again: finished rows stay.")


def _words(error: Exception) -> str:
    """Return the first line of what Ray says."""
    lines = str(error).strip().splitlines()
    return shown(lines[0] if lines else type(error).__name__, 120).rstrip(".")
