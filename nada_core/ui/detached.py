"""Work on a photo that goes on without its page: one that was reloaded, or a phone that was asleep, finds it again. No Gradio in here."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import fields, replace
from functools import partial
from typing import Any, Generic, TypeVar

from ..errors import NadaError
from .widgets import progress
from .worker import close_iterator

__all__ = ["WATCHERS", "Detached", "DetachedWork", "begun", "complete", "followed", "news", "rejoined"]

log = logging.getLogger(__name__)
_TICK = 1.0
_DELIVERY = 30.0  # seconds that the files of the last view wait for a page that has stopped asking
_IDLE = 60.0  # seconds without a page after which work is ended
_MOST = 24  # pieces of work at a time, whether their pages are there or not
WATCHERS = _MOST + 8  # pages that may watch at once: a few more, so that whoever is refused is told

View = TypeVar("View", bound=Any)  # a frozen dataclass with `phase` and `error`; None in a field that is None by default means unchanged
Shown = TypeVar("Shown")


def _open_fields(view: Any) -> list[str]:
    return [one.name for one in fields(view) if one.default is None]


def complete(view: View, last: View | None) -> View:
    """``view`` with what it leaves unchanged filled in from the one before."""
    if last is None:
        return view
    return replace(view, **{name: getattr(last, name) for name in _open_fields(view) if getattr(view, name) is None})


def news(view: View, last: View | None) -> View:
    """The opposite: ``view`` without what is as it was in the one before."""
    if last is None:
        return view
    return replace(view, **{name: None for name in _open_fields(view) if getattr(view, name) == getattr(last, name)})


def _runs(view: Any) -> bool:
    return view.phase in ("wait", "run")


class DetachedWork(Generic[View]):
    """One piece of work in a thread of its own. Pages come, watch and leave; when none has watched for a while it is asked to end.

    ``views`` makes the views, given the event that asks for the end; the last one has another phase than "wait" and "run". Its files may
    go with the iterator: that is closed when the pages that watch have been given it. ``ended`` is called then.
    """

    def __init__(
        self,
        views: Callable[[threading.Event], Iterator[View]],
        about: Any = None,
        *,
        idle: float = _IDLE,
        ended: Callable[[DetachedWork[View]], None] = lambda work: None,
    ) -> None:
        self.about = about  # the request that it answers
        self.stop = threading.Event()
        self._idle, self._ended = idle, ended
        self._changed = threading.Condition()
        self._view: View | None = None
        self._watchers, self._watched, self._left, self._over = 0, False, time.monotonic(), False
        threading.Thread(target=self._work, args=(views,), daemon=True, name="photo").start()

    @property
    def over(self) -> bool:
        """True once the last view is there, or none will come."""
        with self._changed:
            return self._over or (self._view is not None and not _runs(self._view))

    def watch(self) -> Generator[View | None, None, None]:
        """The newest view whenever there is one, the first one complete, to the last; None at every tick that brings none.

        Closing the iterator ends the watching, not the work. Once its end has been asked for only the last view counts. Nothing comes
        where the work is over and its pictures are gone, and no last view where its photo is.
        """
        last: View | None = None
        with self._changed:
            if self._over:
                return
            self._watchers, self._watched = self._watchers + 1, True
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(partial(self._is_news, last), _TICK)
                    view, over = self._view, self._over
                if view is None or view is last or (_runs(view) and self.stop.is_set()):
                    if over:
                        return
                    last = view
                    yield None
                else:
                    yield news(view, last)
                    last = view
                    if not _runs(view):
                        return
        finally:
            with self._changed:
                self._watchers -= 1
                self._left = time.monotonic()
                self._changed.notify_all()

    def _is_news(self, last: View | None) -> bool:
        return self._over or self._view is not last

    def _work(self, make: Callable[[threading.Event], Iterator[View]]) -> None:
        views: Iterator[View] | None = None
        try:
            views = make(self.stop)
            for view in views:
                with self._changed:
                    self._view = complete(view, self._view)
                    self._changed.notify_all()
                    if not self._watchers and time.monotonic() - self._left > self._idle:
                        self.stop.set()
                if not _runs(view):  # to ask for more would end it, and its files
                    break
        except Exception:  # what can go wrong is a view; this would be a bug
            log.exception("work on a photo failed")
        finally:
            with self._changed:
                self._changed.wait_for(self._is_delivered, _DELIVERY)
                self._over, self._view = True, None  # pictures of people are not kept any longer than they are needed
                self._changed.notify_all()
            close_iterator(views)
            self._ended(self)

    def _is_delivered(self) -> bool:
        """Whoever begins work watches it at once: the end waits for that."""
        return self._view is None or _runs(self._view) or (self._watched and not self._watchers)


class Detached(Generic[View]):
    """The work in hand, by the id of its photo, which only its page knows. At most ``most`` pieces at a time."""

    def __init__(self, most: int = _MOST, idle: float = _IDLE) -> None:
        self._most, self._idle = most, idle
        self._works: dict[str, DetachedWork[View]] = {}
        self._alive: set[DetachedWork[View]] = set()  # with those that were asked to end and have not yet
        self._lock = threading.Lock()

    def start(self, key: str, views: Callable[[threading.Event], Iterator[View]], about: Any = None) -> DetachedWork[View]:
        """Begin; work on the same photo that is still in hand is asked to end.

        Raises:
            NadaError: too much is in hand.
        """
        with self._lock:
            if len(self._alive) >= self._most:
                raise NadaError(f"{len(self._alive)} photos are being worked on already and no more are taken. Try again in a minute.")
            if key in self._works:
                self._works[key].stop.set()
            work = self._works[key] = DetachedWork(views, about, idle=self._idle, ended=partial(self._forget, key))
            self._alive.add(work)
            return work

    def _forget(self, key: str, work: DetachedWork[View]) -> None:
        with self._lock:
            self._alive.discard(work)
            if self._works.get(key) is work:
                del self._works[key]

    def find(self, key: str) -> DetachedWork[View] | None:
        """The work on a photo, while it is in hand."""
        with self._lock:
            work = self._works.get(key)
        return None if work is None or work.over else work

    def __contains__(self, key: object) -> bool:
        """Whether there is work on a photo."""
        return isinstance(key, str) and self.find(key) is not None

    def ask(self, key: str) -> bool:
        """Ask for the end of the work on a photo; False where there is none."""
        work = self.find(key)
        if work is not None:
            work.stop.set()
        return work is not None


def begun(
    works: Detached[View],
    photo: str | None,
    views: Callable[[threading.Event], Iterator[View]],
    about: Any,
    view: Callable[..., View],
) -> Iterator[View | None]:
    """The views of work that begins now. Without a photo it ends at once, by itself; what is refused is one view.

    Args:
        view: makes that one of (phase, progress, error=...).
    """
    if not photo:
        return views(threading.Event())
    try:
        return works.start(photo, views, about).watch()
    except NadaError as error:
        return iter((view("failed", progress(0, "Not started", kind="bad", note="See the message under the button."), error=str(error)),))


def followed(views: Iterator[View | None], show: Callable[[View], Shown], nothing: Shown) -> Generator[Shown, None, str]:
    """Each view as `show` makes it, `nothing` where a tick brought none; returns the last one's error."""
    failed = ""
    try:
        for view in views:
            failed = failed if view is None else view.error
            yield nothing if view is None else show(view)
    finally:
        close_iterator(views)
    return failed


def rejoined(works: Detached[View], photo: str, show: Callable[[Any, View], Shown], nothing: Shown) -> Generator[Shown, None, bool]:
    """The work in hand on a photo, from here on; `show` is given its request and a view. Returns whether there was any view."""
    work, told = works.find(photo), False
    for shown in followed(work.watch(), partial(show, work.about), nothing) if work else ():
        told = told or shown is not nothing
        yield shown
    return told
