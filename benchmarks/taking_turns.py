"""Compare times of several works that take turns, so that what disturbs the machine disturbs all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

__all__ = ["in_turns", "ratio_line", "seconds_of"]


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds that one run of ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the median of ``rounds`` results of each work; each round runs all of them, every other round in reverse."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        for name in list(works)[:: -1 if number % 2 else 1]:
            found[name].append(works[name]())
    return {name: statistics.median(values) for name, values in found.items()}


def ratio_line(what: str, medians: Mapping[str, float]) -> str:
    """Write medians in seconds and how many times as long as the first one each of the others takes."""
    first, *others = medians.items()
    said = [f"{first[0]} {first[1]:.3g} s"]
    said += [f"{name} {value:.3g} s ({value / first[1]:.2f} times)" for name, value in others]
    return f"{what}: " + ", ".join(said)
