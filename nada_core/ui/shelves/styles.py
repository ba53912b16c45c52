"""Keep styles made in the browser and not saved yet: few, for a while, reachable only by an unguessable id."""

from __future__ import annotations

import logging
import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.errors import NadaError, StyleError

if TYPE_CHECKING:  # it brings torch, which the page does without until it works
    from nada_core.styles.files import Style

__all__ = ["ShelfLabel", "ShelvedStyle", "StyleShelf", "new_id"]

log = logging.getLogger(__name__)


def new_id() -> str:
    """Return an id nobody can guess (128 bits)."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class ShelfLabel:
    """Say what an unsaved style is called."""

    prompt: str
    steps: int


@dataclass(frozen=True)
class ShelvedStyle:
    """Hold an unsaved style and what to call it."""

    style: Style
    prompt: str
    steps: int


@dataclass
class _Kept:
    label: ShelfLabel
    used: float
    style: Style | None  # None: in the file
    file: Path | None = None


class StyleShelf:
    """Keep at most `capacity` styles; the one not used for the longest time makes room.

    Each has tens of megabytes: the `at_hand` used last are in memory, the others in files that `write` makes and `read` loads (without
    the two, all stay in memory). A style that nobody has used for `keep` seconds goes at the next look at the shelf. It does not go with
    the page that made it: the same browser may come back.
    """

    def __init__(
        self,
        capacity: int = 12,
        keep: float = 2 * 3600.0,
        *,
        write: Callable[[Style, Path], Any] | None = None,
        read: Callable[[Path], Style] | None = None,
        at_hand: int = 2,
    ) -> None:
        self._capacity, self._keep, self._write, self._read, self._at_hand = capacity, keep, write, read, at_hand
        self._styles: OrderedDict[str, _Kept] = OrderedDict()  # the one used last comes last
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._styles)

    def __contains__(self, key: str) -> bool:
        return key in self._styles

    def put(self, key: str, entry: ShelvedStyle) -> None:
        """Keep `entry` under `key`, replacing what was there."""
        with self._lock:
            self._tidy()
            self._drop(key)
            self._styles[key] = _Kept(ShelfLabel(entry.prompt, entry.steps), time.monotonic(), entry.style)
            while len(self._styles) > self._capacity:
                self._drop(next(iter(self._styles)))
            self._put_away()

    def label(self, key: str, owned: Iterable[str]) -> ShelfLabel:
        """Return what the style under `key` is called; the style itself is not touched. Raises StyleError as :meth:`get` does."""
        with self._lock:
            return self._find(key, owned).label

    def get(self, key: str, owned: Iterable[str]) -> ShelvedStyle:
        """Return the style under `key`, which must be among the ids this session owns. Raises StyleError otherwise."""
        with self._lock:
            kept = self._find(key, owned)
            if kept.style is None:
                if self._read is None or kept.file is None:
                    raise AssertionError("a style is in memory or in a file")
                kept.style = self._read(kept.file)
            self._put_away()
            return ShelvedStyle(kept.style, kept.label.prompt, kept.label.steps)

    def listing(self, owned: Iterable[str]) -> list[tuple[str, ShelfLabel]]:
        """List the (id, label) pairs still kept of those this session owns, newest first."""
        mine = set(owned)
        with self._lock:
            self._tidy()
            return [(key, kept.label) for key, kept in reversed(self._styles.items()) if key in mine]

    def discard(self, keys: Iterable[str]) -> None:
        """Forget these styles; unknown ids are passed over."""
        with self._lock:
            for key in list(keys or ()):
                self._drop(key)

    def tidy(self) -> None:
        """Forget the styles that nobody has used for long."""
        with self._lock:
            self._tidy()

    # --- under the lock ---

    def _find(self, key: str, owned: Iterable[str]) -> _Kept:
        self._tidy()
        kept = self._styles.get(key) if key in set(owned) else None
        if kept is None:
            raise StyleError("This unsaved style is no longer kept on the server: adapt again, or choose another style.")
        kept.used = time.monotonic()
        self._styles.move_to_end(key)
        return kept

    def _put_away(self) -> None:
        """Move all but the newest styles out of memory; what cannot be written stays there."""
        if self._write is None or self._read is None:
            return
        for key, kept in list(self._styles.items())[: -self._at_hand]:
            if kept.style is None:
                continue
            try:
                if kept.file is None:
                    self._folder = self._folder or tempfile.TemporaryDirectory(prefix="nada-shelf-")
                    file = Path(self._folder.name) / f"{key}.safetensors"
                    self._write(kept.style, file)
                    kept.file = file
                kept.style = None
            except (NadaError, OSError) as error:
                log.warning("An unsaved style stays in memory: %s", error)

    def _drop(self, key: str) -> None:
        kept = self._styles.pop(key, None)
        if kept is not None and kept.file is not None:
            kept.file.unlink(missing_ok=True)

    def _tidy(self) -> None:
        limit = time.monotonic() - self._keep
        for key in [key for key, kept in self._styles.items() if kept.used < limit]:
            self._drop(key)
