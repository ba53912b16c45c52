"""Keep photos people work on: found faces, inversions and fitted styles, in memory for an hour, reachable only by an unguessable id."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nada_core.editing.session import PhotoSession
from nada_core.errors import PhotoError
from nada_core.ui.shelves.styles import new_id

if TYPE_CHECKING:
    from PIL import Image

    from nada_core.alignment.faces import Face

__all__ = ["PhotoShelf", "Rendered", "RenderedFace", "ShelvedPhoto"]

_SWEEP = 60.0  # seconds between looks at what has expired
_MOST_KEPT = 48  # portraits and fitted styles of all photos together


@dataclass(frozen=True)
class RenderedFace:
    """Hold the pictures of one face that a page shows, of equal size."""

    aligned: Image.Image
    inverted: Image.Image
    edited: Image.Image


@dataclass(frozen=True)
class Rendered:
    """Hold what was rendered of a photo last, and the key that says of what: people, styles, strengths and size."""

    key: Hashable
    faces: tuple[RenderedFace, ...]


@dataclass(eq=False)
class ShelvedPhoto(PhotoSession):
    """Hold a photo being worked on, and when it was last asked for."""

    files: set[str] = field(default_factory=set)  # digests of the file it came in, and of those it was sent back in
    used: float = 0.0
    rendered: Rendered | None = None  # downloads take it again

    @property
    def pixels(self) -> int:
        """Count the pixels of the photo and of what was rendered of it last."""
        faces = self.rendered.faces if self.rendered is not None else ()
        return self.photo.width * self.photo.height + sum(3 * face.edited.width * face.edited.height for face in faces)

    def forget(self) -> None:
        """Let go of everything made of the photo, which stays."""
        super().forget()
        self.rendered = None


class PhotoShelf:
    """Keep at most ``capacity`` photos of together at most ``pixels`` (of four bytes), each for ``seconds`` after its last use.

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
        self._lock = threading.Lock()
        self._sweeper: threading.Timer | None = None

    def __len__(self) -> int:
        with self._lock:
            self._expire()
            return len(self._photos)

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._photos

    def keys(self) -> list[str]:
        """List the ids of the photos, the one used last at the end."""
        with self._lock:
            return list(self._photos)

    def put(self, photo: Image.Image, faces: tuple[Face, ...], digest: str = "") -> str:
        """Keep a photo; return its id. ``digest`` tells the file it came in from others."""
        key = new_id()
        with self._lock:
            self._photos[key] = ShelvedPhoto(photo, faces, files={digest} - {""}, used=self._clock())
            self._expire()
            self._trim()
            self._watch()
        return key

    def get(self, key: str | None) -> ShelvedPhoto:
        """Return the photo under ``key``.

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
            self._photos.pop(key or "", None)

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
        """Let the older photos lose what is too much; the newest keeps all. Called under the lock."""
        kept = sum(entry.held for entry in self._photos.values())
        for entry in list(self._photos.values())[:-1]:
            if kept <= self._most:
                break
            kept -= entry.held
            entry.forget()

    def _held(self) -> int:
        return sum(entry.pixels for entry in self._photos.values())

    def _watch(self) -> None:
        """Look for expired photos in a while, as long as there are any. Called under the lock."""
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
