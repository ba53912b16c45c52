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
def finishing_steps(patience: int = 1) -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C only make the yielded function true, so that a step is finished; the second stops at once.

    Elsewhere than in the main thread, and where Ctrl-C already has a meaning of its own, nothing is changed.

    Args:
        patience: how many of them only ask, before one stops at once: two, where what was learnt lies elsewhere and would be lost.
    """
    asked = 0

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked == patience:
            raise KeyboardInterrupt
        asked += 1
        again = b"stop at once" + (b", and keep nothing" if patience > 1 else b"")
        more = b"" if asked < patience else b" (Ctrl-C again: " + again + b")"
        os.write(2, b"\nfinishing this step" + more + b"\n")  # a handler must not print: the stream may be busy

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: asked > 0
        return
    signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked > 0
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
