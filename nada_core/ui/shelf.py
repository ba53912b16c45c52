"""Styles made in the browser and not saved yet: kept in memory, few, reachable only by an unguessable id."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import StyleError

__all__ = ["ShelvedStyle", "StyleShelf", "new_id"]


def new_id() -> str:
    """An id nobody can guess (128 bits)."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class ShelvedStyle:
    """An unsaved style and what to call it."""

    style: Any
    prompt: str
    steps: int


class StyleShelf:
    """At most `capacity` styles (tens of megabytes each); the one not used for the longest time makes room."""

    def __init__(self, capacity: int = 12) -> None:
        self._capacity = capacity
        self._styles: OrderedDict[str, ShelvedStyle] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._styles)

    def __contains__(self, key: str) -> bool:
        return key in self._styles

    def put(self, key: str, entry: ShelvedStyle) -> None:
        """Keep `entry` under `key`, replacing what was there."""
        with self._lock:
            self._styles[key] = entry
            self._styles.move_to_end(key)
            while len(self._styles) > self._capacity:
                self._styles.popitem(last=False)

    def get(self, key: str, owned: Iterable[str]) -> ShelvedStyle:
        """The entry under `key`, which must be among the ids this session owns. Raises StyleError otherwise."""
        with self._lock:
            entry = self._styles.get(key) if key in set(owned) else None
            if entry is None:
                raise StyleError("This unsaved style is no longer kept on the server: adapt again, or choose another style.")
            self._styles.move_to_end(key)
            return entry

    def listing(self, owned: Iterable[str]) -> list[tuple[str, ShelvedStyle]]:
        """The (id, entry) pairs still kept of those this session owns, newest first."""
        mine = set(owned)
        with self._lock:
            return [(key, entry) for key, entry in reversed(self._styles.items()) if key in mine]

    def discard(self, keys: Iterable[str]) -> None:
        """Forget these styles (the page that made them is gone)."""
        with self._lock:
            for key in list(keys or ()):
                self._styles.pop(key, None)
