"""Measure what another process on the same cores costs: ``python -m benchmarks.shared_cores [--rounds 3]``.

The work is that of a training step, the starter's generator forward and back. It is measured alone and beside a process that does the same
without end, each as this program sets torch's threads up, and as torch does by itself.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.taking_turns import in_turns, ratio_line

__all__ = ["main", "measure"]

ROOT = Path(__file__).resolve().parents[1]
_STEPS = 5
_CODE = """
import sys, time
if {polite}:
    from nada_core.system.threads import wait_politely
    wait_politely()
from nada_core.generators.load import load_starter_generator
g = load_starter_generator().requires_grad_(True)
ws = g.mapping(g.sample_z([0, 1])).detach()
done = 0
while done < {steps}:
    start = time.perf_counter()
    g.synthesis(ws, resolution=256).mean().backward()
    print(time.perf_counter() - start, flush=True)
    done += 1
"""


def _process(polite: bool, steps: float) -> subprocess.Popen:
    free = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    code = _CODE.format(polite=polite, steps="float('inf')" if steps == float("inf") else steps)
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=free, stdout=subprocess.PIPE, text=True)


@contextmanager
def _neighbour(polite: bool) -> Iterator[None]:
    """Keep a second process at work, which has begun when the block is entered."""
    process = _process(polite, float("inf"))
    assert process.stdout is not None
    try:
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()


def _alone(polite: bool) -> float:
    """Return the median seconds of a step, without the first one."""
    output, _ = _process(polite, _STEPS + 1).communicate(timeout=600)
    return statistics.median([float(line) for line in output.split()][1:])


def _beside(polite: bool) -> float:
    with _neighbour(polite):
        return _alone(polite)


def measure(rounds: int = 3) -> dict[str, dict[str, float]]:
    """Return median seconds of a step, alone and beside another process, as set up here and as torch does by itself."""
    places = {"alone": _alone, "beside another": _beside}
    ways = {"as set up here": True, "as torch by itself": False}
    works = {f"{way}|{place}": lambda work=places[place], polite=ways[way]: work(polite) for way in ways for place in places}
    medians = in_turns(works, rounds)
    return {way: {place: medians[f"{way}|{place}"] for place in places} for way in ways}


def main() -> None:
    """Print the times and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="medians of so many (default: %(default)s)")
    for name, medians in measure(parser.parse_args().rounds).items():
        print(ratio_line(name, medians))


if __name__ == "__main__":
    main()
