"""Set how torch's threads wait for each other. No torch in here: it must be set before torch is loaded."""

from __future__ import annotations

import os

__all__ = ["wait_politely"]

_SPINS = "2000"  # about 10 microseconds; GNU OpenMP's own choice is milliseconds


def wait_politely() -> None:
    """Let threads of torch sleep soon while they wait, so that processes on the same cores do not slow each other several times.

    Torch's wheels bring GNU OpenMP, whose threads by default burn their core while they wait for the slowest one; a second process, a
    browser or a neighbour on the same cores then takes the core from the very thread that is waited for. Alone, a short spin costs nothing
    that could be measured. What the user has set (``GOMP_SPINCOUNT``, ``OMP_WAIT_POLICY``) is kept.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
