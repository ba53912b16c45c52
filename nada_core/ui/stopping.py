"""Work that its page can stop: by the id of its photo, which only that page knows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Stops"]


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
