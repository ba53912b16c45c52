"""Write a download of a tab that works on photos, when it is its turn; whoever waits is told how many come before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from pathlib import Path

from nada_core.errors import NadaError
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.watching import TICK
from nada_core.ui.server.context import AppContext

__all__ = ["Writing", "in_turn", "made", "written"]

log = logging.getLogger(__name__)
_PATIENCE = 300.0  # seconds to wait for other work

#: Yields how many jobs come before, every now and then, and 0 when the file is being made; returns the file.
Writing = Generator[int, None, Path]


def written(writing: Writing) -> Path:
    """Return the file, for those who need not be told anything meanwhile. Raises what the writing raises."""
    while True:
        try:
            next(writing)
        except StopIteration as end:
            return Path(end.value)


def in_turn(context: AppContext, engine: AppEngine, write: Callable[[], Path]) -> Writing:
    """Make a file with `write`, once nobody else computes.

    Raises:
        NadaError: the server is busy, or something failed; a sentence for the page.
    """
    begun = time.monotonic()
    with context.join(engine) as turn:
        while not turn.wait(min(TICK, _PATIENCE)):
            yield turn.ahead
            if time.monotonic() - begun > _PATIENCE:
                raise NadaError("The server is busy with another job. Try the download again in a minute.")
        yield 0
        return made(lambda: context.worker.run(write))


def made(write: Callable[[], Path]) -> Path:
    """Return the file that `write` makes.

    Raises:
        NadaError: something failed; a sentence for the page.
    """
    try:
        return write()
    except NadaError:
        raise
    except Exception:
        log.exception("a download failed")
        raise NadaError("The file could not be made. Try again; the server's log has the details.") from None
