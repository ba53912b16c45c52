"""Walk work that a worker of a cluster does, value by value, as if it were done here; where the worker is lost another one begins again.

Ray's own module is taken from the connection, so that nothing here needs it to be installed.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from nada_core import errors
from nada_core.cluster.connect import Cluster
from nada_core.cluster.head import HEAD_LOST
from nada_core.cluster.identity import product
from nada_core.errors import ClusterError, NadaError, shown
from nada_core.system.threads import wait_politely

__all__ = ["Answer", "Walked", "walk_there"]

T = TypeVar("T")
#: Work that yields values and is told after each whether to come to its end.
Walked = Generator[T, bool, None]
_TRIES = 3  # workers that may be lost before the work is given up: it may be what kills them
_LOOK = 0.5  # seconds between looks at the cluster's head
_LIFE = 10.0  # seconds between signs of life while no worker has begun


@dataclass(frozen=True)
class Answer:
    """Hold what a worker answered, or the error that it met: as words, since Ray would wrap it in a traceback."""

    value: Any = None
    kind: str = ""
    words: str = ""

    @classmethod
    def of(cls, question: Callable[[], Any]) -> Answer:
        """Return what the question finds out, or the refusal it met."""
        try:
            return cls(question())
        except NadaError as error:
            return cls(kind=type(error).__name__, words=str(error))

    def take(self) -> Any:
        """Return the value. Raises the NadaError that the worker met."""
        if self.kind:
            raise getattr(errors, self.kind, NadaError)(self.words)
        return self.value


class _Walker:
    """Hold the work in a process of its own: the class of Ray's actor."""

    def __init__(self) -> None:
        wait_politely()  # before the work is unpacked, which loads torch
        self._steps: Walked[Any] | None = None

    def who(self) -> tuple[str, str]:
        """Return where this is, and the version of the product."""
        return f"{socket.gethostname()}, process {os.getpid()}", product()

    def begin(self, work: Callable[[], Walked[Any]]) -> Answer:
        """Take on the work and return its first value; None where it has none."""
        self._steps = steps = work()
        return Answer.of(lambda: next(steps, None))

    def more(self, stop: bool) -> Answer:
        """Return the next value; None at the end."""
        steps = self._steps
        assert steps is not None
        return Answer.of(lambda: _sent(steps, stop))


def _sent(steps: Walked[T], stop: bool) -> T | None:
    try:
        return steps.send(stop)
    except StopIteration:
        return None


class _Lost(Exception):
    """Say that a worker has died, or its machine is gone."""


def walk_there(cluster: Cluster, work: Callable[[], Walked[T]]) -> Generator[T | None, bool, None]:
    """Yield what the work yields on a worker, and None now and then while none has begun; what is sent reaches the work.

    Where the worker dies it is begun again by another one, from its first value on: never a value after a lost worker is missing.

    Args:
        work: begins it; workers get it pickled: a function of a module, or a ``partial`` of one, and it yields plain values.

    Raises:
        NadaError: what the work refuses. ClusterError: the workers died, one of another version was found, or the cluster is gone.
    """
    for _ in range(_TRIES):
        stop = False
        walk = _walk_once(cluster, work)
        try:
            value = next(walk)
            while True:
                stop = yield value
                value = walk.send(stop)
        except StopIteration:
            return
        except _Lost as error:
            if stop:
                raise ClusterError(f"The worker was lost ({error}) before it had told what it had learnt: that is lost with it.") from None
        finally:
            walk.close()
    raise ClusterError(f"{_TRIES} workers died of this, one after the other. It may need more memory than they have.")


def _walk_once(cluster: Cluster, work: Callable[[], Walked[T]]) -> Generator[T | None, bool, None]:
    ray = cluster.ray
    actor = ray.remote(_Walker).options(num_cpus=cluster.cores, num_gpus=cluster.cards, max_restarts=0).remote()
    try:
        who, asked = actor.who.remote(), time.monotonic()
        while not _there(cluster, who):
            if time.monotonic() - asked > _LIFE:  # for ever, where no machine has room
                asked = time.monotonic()
                if (yield None):
                    return
        where, theirs = _got(ray, who)
        if theirs != product():
            raise ClusterError(f"The worker on {where} has version {theirs} and this program {product()}. Install the same one on both.")
        answer = actor.begin.remote(work)
        while True:
            while not _there(cluster, answer):
                pass
            value = _got(ray, answer).take()
            if value is None:
                return
            answer = actor.more.remote((yield value))
    finally:
        ray.kill(actor)


def _there(cluster: Cluster, ref: Any) -> bool:
    """Wait a moment for an answer; tell whether it is there. Raises ClusterError: the cluster's head is gone."""
    if cluster.ray.wait([ref], timeout=_LOOK)[0]:
        return True
    if cluster.head.lost():
        raise ClusterError(HEAD_LOST)
    return False


def _got(ray: Any, ref: Any) -> Any:
    try:
        return ray.get(ref)
    except ray.exceptions.RayTaskError:  # a fault of the program, with the worker's traceback
        raise
    except ray.exceptions.RayError as error:
        lines = str(error).strip().splitlines()
        raise _Lost(shown(lines[0] if lines else type(error).__name__, 120).rstrip(".")) from error
