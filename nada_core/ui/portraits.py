"""Photos people are working on: found faces, inversions and fitted styles, in memory for an hour, reachable only by an unguessable id."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import PhotoError
from .shelf import new_id

__all__ = ["PhotoShelf", "ShelvedPhoto"]

_SWEEP = 60.0  # seconds between looks at what has expired
_MOST_PORTRAITS = 6  # kept for one photo: a group's faces
_MOST_WORN = 12  # fitted styles kept for one photo, tens of megabytes each: two for each of a group's faces
_MOST_KEPT = 48  # portraits and fitted styles of all photos together


@dataclass(eq=False)
class ShelvedPhoto:
    """A decoded photo with its faces, and what has been made of it so far."""

    photo: Any
    faces: tuple[Any, ...]
    digest: str = ""  # of the file it came in
    portraits: OrderedDict[Any, Any] = field(default_factory=OrderedDict)  # (face or points, mode) -> Portrait
    worn: OrderedDict[Any, Any] = field(default_factory=OrderedDict)  # (portrait key, style key) -> Worn
    used: float = 0.0

    def keep_portrait(self, key: Any, portrait: Any) -> None:
        """Keep an inversion, the last few of them; the styles fitted to one go with it."""
        self._leave(key)
        self.portraits[key] = portrait
        while len(self.portraits) > _MOST_PORTRAITS:
            self._leave(next(iter(self.portraits)))

    def keep_worn(self, key: Any, worn: Any) -> None:
        """Keep a fitted style under (portrait key, style key), the last few of them."""
        self.worn[key] = worn
        self.worn.move_to_end(key)
        while len(self.worn) > _MOST_WORN:
            self.worn.popitem(last=False)

    def _leave(self, key: Any) -> None:
        self.portraits.pop(key, None)
        for fitted in [fitted for fitted in self.worn if fitted[0] == key]:
            del self.worn[fitted]

    def forget(self) -> None:
        """Let go of everything made of the photo, which stays."""
        self.portraits.clear()
        self.worn.clear()

    @property
    def held(self) -> int:
        """How many large things are kept with it."""
        return len(self.portraits) + len(self.worn)


class PhotoShelf:
    """At most ``capacity`` photos of together at most ``pixels`` (of four bytes), each for ``seconds`` after its last use.

    What has been made of the photos is kept up to ``most`` things; beyond that the photos not used for longest lose theirs.

    What has expired goes at the next look at the shelf, and within a minute where nobody looks.
    """

    def __init__(
        self,
        capacity: int = 24,
        seconds: float = 3600,
        pixels: int = 160_000_000,
        clock: Callable[[], float] = time.monotonic,
        most: int = _MOST_KEPT,
    ) -> None:
        self.swept: Callable[[], None] = lambda: None  # called, in a thread of its own, after each look at what has expired
        self._most = most
        self._capacity, self._seconds, self._pixels, self._clock = capacity, seconds, pixels, clock
        self._photos: OrderedDict[str, ShelvedPhoto] = OrderedDict()
        self._gone: OrderedDict[str, str] = OrderedDict()  # digests of the files of those discarded last
        self._lock = threading.Lock()
        self._sweeper: threading.Timer | None = None

    def __len__(self) -> int:
        with self._lock:
            self._expire()
            return len(self._photos)

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._photos

    def put(self, photo: Any, faces: tuple[Any, ...], digest: str = "") -> str:
        """Keep a photo; returns its id. ``digest`` tells the file it came in from others."""
        key = new_id()
        with self._lock:
            self._photos[key] = ShelvedPhoto(photo, faces, digest, used=self._clock())
            self._expire()
            self._trim()
            self._watch()
        return key

    def get(self, key: str | None) -> ShelvedPhoto:
        """The photo under ``key``.

        Raises:
            PhotoError: none there, or no longer.
        """
        with self._lock:
            self._expire()
            entry = self._photos.get(key or "")
            if entry is None:
                raise PhotoError(
                    "The photo is not on the server any more: photos are forgotten after an hour, or sooner when many people are here. "
                    "Upload it again."
                )
            entry.used = self._clock()
            self._photos.move_to_end(key or "")
            self._trim()
            return entry

    def discard(self, key: str | None) -> None:
        """Forget a photo (its page is gone, or another photo took its place)."""
        with self._lock:
            entry = self._photos.pop(key or "", None)
            if entry is not None and entry.digest:
                self._gone[key or ""] = entry.digest
                while len(self._gone) > self._capacity:
                    self._gone.popitem(last=False)

    def was(self, key: str, digest: str) -> bool:
        """Whether a photo that was discarded under ``key`` not long ago came in this file."""
        with self._lock:
            return bool(digest) and self._gone.get(key) == digest

    def forget_portraits(self) -> None:
        """Let go of everything made of the photos, which stay."""
        with self._lock:
            for entry in self._photos.values():
                entry.forget()

    def _expire(self) -> None:
        oldest = self._clock() - self._seconds
        for key in [key for key, entry in self._photos.items() if entry.used < oldest]:
            del self._photos[key]
        while len(self._photos) > self._capacity or (len(self._photos) > 1 and self._held() > self._pixels):
            self._photos.popitem(last=False)

    def _trim(self) -> None:
        """The newest photo keeps what it has. Called under the lock."""
        kept = sum(entry.held for entry in self._photos.values())
        for entry in list(self._photos.values())[:-1]:
            if kept <= self._most:
                break
            kept -= entry.held
            entry.forget()

    def _held(self) -> int:
        return sum(entry.photo.width * entry.photo.height for entry in self._photos.values())

    def _watch(self) -> None:
        """Look again in a while, as long as there are photos. Called under the lock."""
        if self._sweeper is None and self._photos:
            self._sweeper = threading.Timer(min(self._seconds, _SWEEP), self._sweep)
            self._sweeper.daemon = True
            self._sweeper.start()

    def _sweep(self) -> None:
        with self._lock:
            self._sweeper = None
            self._expire()
            self._watch()
        self.swept()
