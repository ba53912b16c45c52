"""Work that its page can stop: by the id of its photo, which only that page knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from .worker import close_iterator

__all__ = ["Stops", "stoppable"]

View = TypeVar("View", bound=Any)  # has a `phase`


def stoppable(views: Iterator[View], stop: threading.Event, end: Callable[[], View | None]) -> Iterator[View]:
    """The views of a piece of work, closed at its next stage once `stop` is set; `end` then makes the last one, None being none.

    The turn is free before the page is told.
    """
    try:
        for view in views:
            if stop.is_set() and view.phase in ("wait", "run"):
                break
            yield view
        else:
            return
    finally:
        close_iterator(views)
    last = end()
    if last is not None:
        yield last


class Stops:
    """A flag for each piece of work in hand. Gradio's own way to cancel an event would only stop looking at it."""

    def __init__(self) -> None:
        self._flags: dict[str, list[threading.Event]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def flag(self, key: str) -> Iterator[threading.Event]:
        """The flag of work that begins now; it is set when somebody asks for the end."""
        mine = threading.Event()
        with self._lock:
            self._flags.setdefault(key, []).append(mine)
        try:
            yield mine
        finally:
            with self._lock:
                self._flags[key].remove(mine)
                if not self._flags[key]:
                    del self._flags[key]

    def __contains__(self, key: object) -> bool:
        """Whether there is work on a photo."""
        with self._lock:
            return key in self._flags

    def ask(self, key: str) -> bool:
        """Ask for the end of the work on a photo; False where there is none."""
        with self._lock:
            flags = self._flags.get(key, [])
            for flag in flags:
                flag.set()
            return bool(flags)
