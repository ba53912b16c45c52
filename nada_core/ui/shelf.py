"""Styles made in the browser and not saved yet: kept in memory, few, reachable only by an unguessable id."""

from __future__ import annotations

import secrets
import threading
import time
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
    """At most `capacity` styles (tens of megabytes each); the one not used for the longest time makes room.

    A style that nobody has used for `keep` seconds goes at the next look at the shelf. It does not go with the page that made it: the
    same browser may come back.
    """

    def __init__(self, capacity: int = 12, keep: float = 2 * 3600.0) -> None:
        self._capacity, self._keep = capacity, keep
        self._styles: OrderedDict[str, ShelvedStyle] = OrderedDict()
        self._used: dict[str, float] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._styles)

    def __contains__(self, key: str) -> bool:
        return key in self._styles

    def put(self, key: str, entry: ShelvedStyle) -> None:
        """Keep `entry` under `key`, replacing what was there."""
        with self._lock:
            self._tidy()
            self._styles[key] = entry
            self._touch(key)
            while len(self._styles) > self._capacity:
                old, _ = self._styles.popitem(last=False)
                del self._used[old]

    def get(self, key: str, owned: Iterable[str]) -> ShelvedStyle:
        """The entry under `key`, which must be among the ids this session owns. Raises StyleError otherwise."""
        with self._lock:
            self._tidy()
            entry = self._styles.get(key) if key in set(owned) else None
            if entry is None:
                raise StyleError("This unsaved style is no longer kept on the server: adapt again, or choose another style.")
            self._touch(key)
            return entry

    def listing(self, owned: Iterable[str]) -> list[tuple[str, ShelvedStyle]]:
        """The (id, entry) pairs still kept of those this session owns, newest first."""
        mine = set(owned)
        with self._lock:
            self._tidy()
            return [(key, entry) for key, entry in reversed(self._styles.items()) if key in mine]

    def discard(self, keys: Iterable[str]) -> None:
        """Forget these styles; unknown ids are passed over."""
        with self._lock:
            for key in list(keys or ()):
                self._styles.pop(key, None)
                self._used.pop(key, None)

    def tidy(self) -> None:
        """Forget the styles that nobody has used for long."""
        with self._lock:
            self._tidy()

    def _touch(self, key: str) -> None:
        self._styles.move_to_end(key)
        self._used[key] = time.monotonic()

    def _tidy(self) -> None:
        limit = time.monotonic() - self._keep
        for key in [key for key in self._styles if self._used[key] < limit]:
            del self._styles[key], self._used[key]
