"""Remember what each page had (its photo and its requests), to restore it after a reload. No Gradio in here."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # both need the context, which has a memory of pages
    from nada_core.ui.requests import CompareRequest, EditRequest

__all__ = ["TABS", "LeftPage", "PageMemory", "read_page_words"]

_KEY = re.compile(r"[0-9a-f]{32}")
TABS = ("adapt", "stylise", "compare", "mirror", "gallery")


@dataclass(frozen=True)
class LeftPage:
    """Hold what a page showed: requests, not pictures; the photo itself is on its shelf, for as long as photos are kept there."""

    photo: str = ""  # its id
    face: int = 0
    points: tuple[tuple[float, float], ...] = ()
    everyone: bool = False  # all faces instead of one
    edit: EditRequest | None = None  # what was asked for last
    edited: EditRequest | None = None  # the look on show
    comparison: CompareRequest | None = None
    when: float = 0.0  # it was heard of last, on the monotonic clock


class PageMemory:
    """Remember the ``capacity`` pages heard of last, each for ``seconds``.

    A page's key is made up by its tab in the browser and shown to nobody else: it outlives a reload, and the tab only where the browser
    opens a closed one again.
    """

    def __init__(self, capacity: int = 256, seconds: float = 3600.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity, self._seconds, self._clock = capacity, seconds, clock
        self._pages: OrderedDict[str, LeftPage] = OrderedDict()  # the one heard of last comes last
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._pages)

    def remember(self, key: str, **changes: Any) -> None:
        """Note fields of :class:`LeftPage`. Another photo takes everything with it; pages without a key are not remembered."""
        if not _KEY.fullmatch(key or ""):
            return
        with self._lock:
            self._tidy()
            page = self._pages.get(key) or LeftPage()
            if changes.get("photo", page.photo) != page.photo:
                page = LeftPage()
            self._pages[key] = replace(page, **changes, when=self._clock())
            self._pages.move_to_end(key)
            while len(self._pages) > self._capacity:
                self._pages.popitem(last=False)

    def recall(self, key: str) -> LeftPage | None:
        """Return what is known of the page, if anything."""
        with self._lock:
            self._tidy()
            return self._pages.get(key)

    def tidy(self) -> None:
        """Forget the pages not heard of for that long."""
        with self._lock:
            self._tidy()

    def _tidy(self) -> None:
        oldest = self._clock() - self._seconds
        while self._pages and next(iter(self._pages.values())).when <= oldest:
            self._pages.popitem(last=False)


def read_page_words(words: Any) -> tuple[str, str]:
    """Read (key, tab that was shown) from what a page, being loaded, says of itself, be it anything; "" for what is missing."""
    key, _, shown = (words if isinstance(words, str) else "").partition(" ")
    return key if _KEY.fullmatch(key) else "", shown if shown in TABS else ""
