"""Work whose failure is a view like any other: nothing that goes wrong reaches the page as an exception."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from ..errors import NadaError
from .widgets import progress

__all__ = ["guarded"]

log = logging.getLogger(__name__)
View = TypeVar("View")


def guarded(work: Callable[[], Iterator[View]], view: Callable[..., View], *, where: str, name: str, sorry: str) -> Iterator[View]:
    """The views of `work`; an exception becomes the last one, of phase "failed" and with a sentence as its `error`.

    Args:
        view: makes a view of (phase, progress, error=...).
        where: the page's message stands there, for example "under the button".
        name: of the work, for the log.
        sorry: what happened, for the page, when it is a bug and not the person's doing.
    """
    try:
        yield from work()
    except NadaError as error:
        yield view("failed", progress(0, "Not finished", kind="bad", note=f"See the message {where}."), error=str(error))
    except Exception:
        log.exception("%s failed", name)
        sentence = f"Something went wrong on the server{sorry}. Please try again; the server's log has the details."
        yield view("failed", progress(0, "Ended early", kind="bad"), error=sentence)
