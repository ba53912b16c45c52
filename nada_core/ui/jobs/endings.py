"""Wrap an iterator of views: an exception becomes a last "failed" view, and Stop closes the work between two stages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from nada_core.errors import NadaError
from nada_core.ui.jobs.views import Progress, WorkView
from nada_core.ui.jobs.worker import close_iterator

__all__ = ["guarded", "stoppable"]

log = logging.getLogger(__name__)
View = TypeVar("View", bound=WorkView)


def guarded(work: Callable[[], Iterator[View]], view: Callable[..., View], *, where: str, name: str, sorry: str) -> Iterator[View]:
    """Yield the views of `work`; an exception becomes the last one, of phase "failed" and with a sentence as its `error`.

    Args:
        view: makes a view of (phase, progress, error=...).
        where: the page's message stands there, for example "under the button".
        name: of the work, for the log.
        sorry: what happened, for the page, when it is a bug and not the person's doing.
    """
    try:
        yield from work()
    except NadaError as error:
        yield view("failed", Progress(0, "Not finished", kind="bad", note=f"See the message {where}."), error=str(error))
    except Exception:
        log.exception("%s failed", name)
        sentence = f"Something went wrong on the server{sorry}. Please try again; the server's log has the details."
        yield view("failed", Progress(0, "Ended early", kind="bad"), error=sentence)


def stoppable(views: Iterator[View], stop: threading.Event, end: Callable[[], View | None]) -> Iterator[View]:
    """Yield views until `stop` is set, close the work, then yield what `end` gives, unless that is None.

    The turn is free before the page is told.
    """
    try:
        for view in views:
            if stop.is_set() and view.running:
                break
            yield view
        else:
            return
    finally:
        close_iterator(views)
    last = end()
    if last is not None:
        yield last
