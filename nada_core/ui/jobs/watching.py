"""Send the views of running work to any number of pages: the newest one on joining, then every new one."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, Generic, TypeVar

from nada_core.ui.jobs.views import WorkView
from nada_core.ui.jobs.worker import close_iterator

__all__ = ["TICK", "Watched", "changed_fields", "changes", "complete"]

TICK = 1.0  # seconds between signs of life of work that waits or has nothing new to show
View = TypeVar("View", bound=WorkView)
Kept = TypeVar("Kept")  # a view, or None where its pictures must not be kept
Shown = TypeVar("Shown")


@dataclass(eq=False, kw_only=True)
class Watched(Generic[Kept]):
    """Hold the newest view of a piece of work, and know who watches it. Everything in here changes only under the lock of `changed`."""

    view: Kept
    changed: threading.Condition = field(default_factory=threading.Condition)  # may be shared by several pieces of work
    version: int = 0  # of the view
    over: bool = False  # no other view will come
    watchers: int = 0
    met: bool = False  # somebody has watched it, or does
    looked: float = field(default_factory=time.monotonic)  # when somebody last did
    stop: threading.Event = field(default_factory=threading.Event)  # asks it to end

    def publish(self, view: Kept, *, over: bool = False) -> None:
        """Show everybody another view; with `over` it is the last one."""
        with self.changed:
            self.view, self.version, self.over = view, self.version + 1, over
            self.changed.notify_all()

    def left_alone(self, seconds: float) -> bool:
        """Tell whether nobody watches, and nobody has for `seconds`."""
        with self.changed:
            return not self.watchers and time.monotonic() - self.looked > seconds

    @contextlib.contextmanager
    def attended(self) -> Iterator[None]:
        """Count the caller as a watcher inside the `with` block."""
        with self.changed:
            self.watchers, self.met = self.watchers + 1, True
        try:
            yield
        finally:
            with self.changed:
                self.watchers, self.looked = self.watchers - 1, time.monotonic()
                self.changed.notify_all()

    def follow(self, show: Callable[[bool], Shown], tick: float = TICK) -> Generator[Shown, None, None]:
        """Yield what `show` makes of the view, whenever there is another one and at every tick, to the last; nothing once that is gone.

        `show` is told whether the view is another one, and called under the lock.
        """
        seen = -1
        while True:
            with self.changed:
                self.changed.wait_for(partial(self._has_news, seen), tick)
                news, seen, over = self.version != seen, self.version, self.over
                if over and self.view is None:
                    return
                shown, self.looked = show(news), time.monotonic()
            yield shown
            if over:
                return

    def _has_news(self, seen: int) -> bool:
        return self.over or self.version != seen


def _open_fields(view: WorkView) -> list[str]:
    return [one.name for one in fields(view) if one.default is None]


def complete(view: View, last: View | None) -> View:
    """Fill in what ``view`` leaves unchanged from the one before."""
    if last is None:
        return view
    return replace(view, **{name: getattr(last, name) for name in _open_fields(view) if getattr(view, name) is None})


def changed_fields(view: View, last: View | None) -> View:
    """Return ``view`` without what is as it was in the one before."""
    if last is None:
        return view
    unchanged: dict[str, Any] = {name: None for name in _open_fields(view) if getattr(view, name) == getattr(last, name)}
    return replace(view, **unchanged)


def changes(views: Iterable[View]) -> Iterator[View]:
    """Yield complete views, each without what is as it was in the one before."""
    last: View | None = None
    try:
        for view in views:
            yield changed_fields(view, last)
            last = view
    finally:
        close_iterator(views)
