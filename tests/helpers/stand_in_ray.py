"""Stand in for Ray where one actor is walked: calls are done in this process, and what is sent and answered is pickled on its way."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from nada_core.cluster.connect import Cluster

__all__ = ["StandInRay", "stand_in_cluster"]


class RayError(Exception):
    """As in Ray, of all that it raises."""


class RayTaskError(RayError):
    """As in Ray, of a fault of the program."""


@dataclass
class StandInRay:
    """Actors of which the first dies at its call of this number, the second at the next number, and so on; None: it lives.

    Args:
        busy: how often in vain is looked for an answer before there is one.
    """

    dies_at: list[int | None] = field(default_factory=list)
    busy: int = 0
    begun: int = 0
    killed: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    exceptions: Any = field(default_factory=lambda: SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError))

    def remote(self, kind: type) -> Any:
        def start() -> _Actor:
            number = self.dies_at[self.begun] if self.begun < len(self.dies_at) else None
            self.begun += 1
            return _Actor(kind(), number)

        def options(**options: Any) -> Any:
            self.options = options
            return SimpleNamespace(remote=start)

        return SimpleNamespace(options=options)

    def wait(self, refs: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        if self.busy:
            self.busy -= 1
            return [], refs
        return refs, []

    def get(self, ref: Callable[[], Any]) -> Any:
        return _travelled(ref())

    def kill(self, actor: Any) -> None:
        self.killed += 1


class _Actor:
    def __init__(self, held: Any, dies_at: int | None) -> None:
        self._held, self._left = held, dies_at

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Callable[[], Any]:
            if self._left is not None:
                self._left -= 1
                if self._left <= 0:
                    return self._dead
            try:
                value = getattr(self._held, name)(*_travelled(arguments))
            except Exception as error:  # noqa: BLE001 (as Ray does)
                text = repr(error)
                return lambda: self._broken(text)
            return lambda: value

        return SimpleNamespace(remote=call)

    def _dead(self) -> Any:
        raise RayError("The actor died.\nand so on")

    def _broken(self, text: str) -> Any:
        raise RayTaskError(text)


def _travelled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 (its own)


def stand_in_cluster(ray: StandInRay, *, lost: bool = False) -> Cluster:
    """A cluster of it with one core a worker; ``lost``: its head is gone."""
    return Cluster(ray, 1, 1, 0, head=SimpleNamespace(lost=lambda: lost))  # type: ignore[arg-type]
