"""Let Ctrl-C finish the current step of work before it stops."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

__all__ = ["finishing_steps"]


@contextlib.contextmanager
def finishing_steps() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C only make the yielded function true, so that a step is finished; the second stops at once.

    Elsewhere than in the main thread, and where Ctrl-C already has a meaning of its own, nothing is changed.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        os.write(2, b"\nfinishing this step (Ctrl-C again: stop at once)\n")  # a handler must not print: the stream may be busy

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: asked
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
