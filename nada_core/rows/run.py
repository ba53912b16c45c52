"""Do rows: :func:`run_rows`, by default one after another in this process."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from nada_core.errors import NadaError, shown
from nada_core.rows.row import OpenWork, Row, RowEvent, Work

__all__ = ["Crew", "Executor", "InProcess", "do_row", "run_rows"]

T = TypeVar("T")


class Crew(Protocol):
    """Describe workers that have loaded the work."""

    @property
    def size(self) -> int:
        """Return how many workers there are."""
        ...

    def ask(self, question: Callable[..., T], *args: Any) -> T:
        """Return what ``question(work, *args)`` returns on one of the workers; it may look and check but not compute for long."""
        ...

    def agree(self, question: Callable[..., T], *args: Any) -> T:
        """Return the same, and let no worker do a row that would answer otherwise: :meth:`run` raises ClusterError for it."""
        ...

    def run(self, rows: Iterable[Row]) -> Iterator[RowEvent]:
        """Do rows, beginning them in their order; every one of them ends with an event that is ``done`` or ``failed``."""
        ...


class Executor(Protocol):
    """Describe where rows are done."""

    def open(self, work: OpenWork) -> AbstractContextManager[Crew]:
        """Load the work on every worker; the workers are let go when the context ends."""
        ...


def run_rows(rows: Iterable[Row], work: OpenWork, executor: Executor | None = None) -> Iterator[RowEvent]:
    """Do rows and yield what becomes of them; a row that fails does not stop the others.

    Nothing is kept here and no row is skipped: give only rows that are to be done, and keep what a ``done`` event holds before the next.

    Args:
        work: loads what does the rows, once a worker.
        executor: where; :class:`InProcess` by default.

    Raises:
        NadaError: the work cannot be loaded, or the workers are lost for good.
    """
    with (executor or InProcess()).open(work) as crew:
        yield from crew.run(rows)


def do_row(work: Work, row: Row) -> Iterator[RowEvent]:
    """Do one row with a loaded work; the last event is ``done`` or ``failed``. Ctrl-C goes through."""
    begun, made = time.monotonic(), None
    yield RowEvent(row, "running")
    try:
        for step in work(row):
            made = step.made or made
            yield RowEvent(row, "running", step.fraction, step.text)
        if made is None:
            raise NadaError("It ended without a result. Try again.")
    except Exception as error:  # noqa: BLE001 (whatever goes wrong in one row, the others are still worth doing)
        refusal = isinstance(error, NadaError)
        words = " ".join(str(error).split()) if refusal else f"unexpected {type(error).__name__}: {shown(str(error), 200)}"
        trace = "" if refusal else traceback.format_exc()
        yield RowEvent(row, "failed", seconds=time.monotonic() - begun, error=words, trace=trace)
    else:
        yield RowEvent(row, "done", 1.0, seconds=time.monotonic() - begun, made=made)


@dataclass(frozen=True)
class InProcess:
    """Do rows one after another in this process and thread, with progress within a row."""

    @contextmanager
    def open(self, work: OpenWork) -> Iterator[Crew]:
        """Load the work; raises what loading raises."""
        yield _Alone(work())


@dataclass(frozen=True)
class _Alone:
    work: Work
    size: int = 1

    def ask(self, question: Callable[..., T], *args: Any) -> T:
        return question(self.work, *args)

    def agree(self, question: Callable[..., T], *args: Any) -> T:
        return question(self.work, *args)

    def run(self, rows: Iterable[Row]) -> Iterator[RowEvent]:
        for row in rows:
            yield from do_row(self.work, row)
