"""Run photo work in the background, so that a page that was reloaded or asleep can pick it up again. No Gradio in here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

from nada_core.errors import NadaError
from nada_core.ui.jobs.views import Progress, WorkView
from nada_core.ui.jobs.watching import Watched, changed_fields, complete
from nada_core.ui.jobs.worker import close_iterator

__all__ = ["WATCHERS", "Detached", "DetachedWork", "begun", "followed", "rejoined"]

log = logging.getLogger(__name__)
_DELIVERY = 30.0  # seconds that the files of the last view wait for a page that has stopped asking
_IDLE = 60.0  # seconds without a page after which work is ended
_MOST = 24  # pieces of work at a time, whether their pages are there or not
WATCHERS = _MOST + 8  # pages that may watch at once: a few more, so that whoever is refused is told

View = TypeVar("View", bound=WorkView)
Shown = TypeVar("Shown")


class DetachedWork(Watched["View | None"], Generic[View]):
    """Run one piece of work in a thread of its own. When no page has watched it for a while it is asked to end.

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
        super().__init__(view=None)
        self.about = about  # the request that it answers
        self._idle, self._ended = idle, ended
        threading.Thread(target=self._work, args=(views,), daemon=True, name="photo").start()

    def watch(self) -> Generator[View | None, None, None]:
        """Yield the newest view whenever there is one, the first one complete, to the last; None at every tick that brings none.

        Closing the iterator ends the watching, not the work. Once its end has been asked for only the last view counts. Nothing comes
        where the work is over and its pictures are gone, and no last view where its photo is.
        """
        last: View | None = None

        def show(news: bool) -> View | None:
            nonlocal last
            view = self.view
            if view is None or not news or (view.running and self.stop.is_set()):
                return None
            shown, last = changed_fields(view, last), view
            return shown

        with self.attended():
            yield from self.follow(show)

    def _work(self, make: Callable[[threading.Event], Iterator[View]]) -> None:
        views: Iterator[View] | None = None
        try:
            views = make(self.stop)
            for view in views:
                self.publish(complete(view, self.view), over=not view.running)
                if self.left_alone(self._idle):
                    self.stop.set()
                if self.over:  # to ask for more would end it, and its files
                    break
        except Exception:  # what can go wrong is a view; this would be a bug
            log.exception("work on a photo failed")
        finally:
            with self.changed:  # whoever begins work watches it at once: the end waits for that
                self.changed.wait_for(lambda: not self.over or (self.met and not self.watchers), _DELIVERY)
                self.publish(None, over=True)  # pictures of people are not kept any longer than they are needed
            close_iterator(views)
            self._ended(self)


class Detached(Generic[View]):
    """Hold the work in hand, by the id of its photo, which only its page knows. At most ``most`` pieces at a time."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._works: dict[str, DetachedWork[View]] = {}
        self._alive: set[DetachedWork[View]] = set()  # with those that were asked to end and have not yet
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many pieces of work have not ended, those that were asked to included."""
        with self._lock:
            return len(self._alive)

    def start(self, key: str, views: Callable[[threading.Event], Iterator[View]], about: Any = None) -> DetachedWork[View]:
        """Start work on a photo; what is still in hand on the same one is asked to end.

        Raises:
            NadaError: too much is in hand.
        """
        with self._lock:
            if len(self._alive) >= self._most:
                raise NadaError(f"{len(self._alive)} photos are being worked on already and no more are taken. Try again in a minute.")
            if key in self._works:
                self._works[key].stop.set()
            work = self._works[key] = DetachedWork(views, about, ended=partial(self._forget, key))
            self._alive.add(work)
            return work

    def _forget(self, key: str, work: DetachedWork[View]) -> None:
        with self._lock:
            self._alive.discard(work)
            if self._works.get(key) is work:
                del self._works[key]

    def find(self, key: str) -> DetachedWork[View] | None:
        """Return the work on a photo, or None once it is over."""
        with self._lock:
            work = self._works.get(key)
        return None if work is None or work.over else work

    def __contains__(self, key: object) -> bool:
        """Tell whether there is work on a photo."""
        return isinstance(key, str) and self.find(key) is not None

    def ask(self, key: str) -> bool:
        """Ask for the end of the work on a photo; return False where there is none."""
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
    """Begin work and return its views. Without a photo it ends at once, by itself; what is refused is one view.

    Args:
        view: makes that one of (phase, progress, error=...).
    """
    if not photo:
        return views(threading.Event())
    try:
        return works.start(photo, views, about).watch()
    except NadaError as error:
        return iter((view("failed", Progress(0, "Not started", kind="bad", note="See the message under the button."), error=str(error)),))


def followed(views: Iterator[View | None], show: Callable[[View], Shown], nothing: Shown) -> Generator[Shown, None, str]:
    """Yield each view as `show` makes it, `nothing` where a tick brought none; return the last one's error."""
    failed = ""
    try:
        for view in views:
            failed = failed if view is None else view.error
            yield nothing if view is None else show(view)
    finally:
        close_iterator(views)
    return failed


def rejoined(works: Detached[View], photo: str, show: Callable[[Any, View], Shown], nothing: Shown) -> Generator[Shown, None, bool]:
    """Yield the work in hand on a photo, from here on; `show` is given its request and a view. Return whether there was any view."""
    work, told = works.find(photo), False
    for shown in followed(work.watch(), partial(show, work.about), nothing) if work else ():
        told = told or shown is not nothing
        yield shown
    return told
