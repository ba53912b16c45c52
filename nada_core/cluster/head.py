"""Watch whether the head of a cluster still answers: Ray itself tells nobody, and ends every process a minute after it has gone."""

from __future__ import annotations

import socket
import threading
import time

__all__ = ["HEAD_LOST", "HeadWatch", "reachable"]

HEAD_LOST = "The cluster's head does not answer any more: start it again, its workers, and then this app."
_LOOK = 3.0  # seconds between looks
_PATIENCE = 10.0  # seconds without an answer after which it is gone


def reachable(address: str, seconds: float) -> bool:
    """Tell whether something listens at ``HOST:PORT``."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), seconds).close()
    except OSError:
        return False
    return True


class HeadWatch:
    """Look at the head now and then, for whoever asks and however often.

    Args:
        address: ``HOST:PORT``.
        look, patience: seconds between looks, and without an answer until it is gone.
    """

    def __init__(self, address: str, look: float = _LOOK, patience: float = _PATIENCE) -> None:
        self._address, self._look, self._patience = address, look, patience
        self._lock = threading.Lock()
        self._looked = self._answered = time.monotonic()

    def lost(self) -> bool:
        """Tell whether it is gone. Takes a moment when it is time for another look."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked >= self._look:
                self._looked = now
                if reachable(self._address, self._look):
                    self._answered = time.monotonic()
            return self._looked - self._answered > self._patience
