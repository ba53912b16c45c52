"""Work that can be stopped between two of its stages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from .worker import close_iterator

__all__ = ["stoppable"]

View = TypeVar("View", bound=Any)  # has a `phase`


def stoppable(views: Iterator[View], stop: threading.Event, end: Callable[[], View | None]) -> Iterator[View]:
    """The views of a piece of work, closed at its next stage once `stop` is set; `end` then makes the last one, None being none.

    The turn is free before the page is told.
    """
    try:
        for view in views:
            if stop.is_set() and view.phase in ("wait", "run"):
                break
            yield view
        else:
            return
    finally:
        close_iterator(views)
    last = end()
    if last is not None:
        yield last
