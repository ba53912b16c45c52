"""Queue heavy work so that one piece runs at a time, in order of arrival; each waiting piece knows how many are ahead."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

__all__ = ["Turn", "WorkLine"]


class WorkLine:
    """Line up heavy work: a fair lock. Gradio frees its own slot before a cancelled generator has cleaned up, so the engine needs this."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Turn] = deque()

    def __len__(self) -> int:
        """Return how many turns are held or waited for."""
        with self._changed:
            return len(self._waiting)

    def join(self, check: Callable[[], None] | None = None) -> Turn:
        """Take a place at the end of the line; use the result as a context manager so that the place is always given back.

        ``check`` is called when the turn has come: what was prepared before the wait may be worth nothing by then.
        """
        turn = Turn(self, check)
        with self._changed:
            self._waiting.append(turn)
        return turn

    def _ahead(self, turn: Turn) -> int:
        with self._changed:
            return self._waiting.index(turn)

    def _wait(self, turn: Turn, timeout: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting[0] is turn, timeout)

    def _leave(self, turn: Turn) -> None:
        with self._changed:
            if turn in self._waiting:
                self._waiting.remove(turn)
                self._changed.notify_all()


class Turn:
    """Hold a place in a `WorkLine`."""

    def __init__(self, line: WorkLine, check: Callable[[], None] | None = None) -> None:
        self._line, self._check = line, check

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.leave()

    @property
    def ahead(self) -> int:
        """Return how many turns come before this one."""
        return self._line._ahead(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Return True once it is this turn's go; False when `timeout` seconds have passed first. Raises what the line's `check` raises."""
        come = self._line._wait(self, timeout)
        if come and self._check is not None:
            self._check()
        return come

    def leave(self) -> None:
        """Give the place back (again is harmless)."""
        self._line._leave(self)
