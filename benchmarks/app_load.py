"""Measure the running app from outside: visitors, many jobs, memory, a kill. ``python -m benchmarks.app_load --help``.

It starts app.py itself, on a free port and with folders of its own, once for each part, and always stops it. Each part can be left out.
What is asked: page actions below 300 ms in the median while an adaptation runs; every job served in the order it came, or refused in
words; memory that grows by no more than 10 % in two hours; a kill loses no more than the steps since the last save.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.app_crowd import ASKED_MS, crowd, visitors
from benchmarks.app_life import ASKED_GROWTH, killed, memory, portrait
from benchmarks.app_server import AppServer, running_app

__all__ = ["main", "table"]

_ROWS = 25  # of the memory's table


def table(figures: Mapping[str, Any]) -> Iterator[str]:
    """The figures of the parts that ran, in lines to read."""
    if part := figures.get("visitors"):
        yield f"VISITORS: {part['visitors']} for {part['seconds']:.0f} s, while an adaptation came to step {part['steps_seen']}"
        yield f"  {'action':26s} {'count':>6s} {'median':>9s} {'95 %':>9s} {'longest':>9s}   asked: median below {ASKED_MS:.0f} ms"
        for kind, one in part["actions"].items():
            kept = "yes" if one["median_ms"] < ASKED_MS else "NO"
            numbers = f"{one['count']:6d} {one['median_ms']:6.0f} ms {one['p95_ms']:6.0f} ms {one['max_ms']:6.0f} ms"
            yield f"  {kind:26s} {numbers}   {kept}"
        yield f"  the visitors themselves took {100 * part['own_core_share']:.0f} % of one core"
        yield from (f"  ERROR {times} x {words}" for words, times in part["errors"].items())
    if part := figures.get("jobs"):
        when = f"asked for within {part['asked_within_s']:.1f} s, over after {part['seconds']:.0f} s"
        yield f"JOBS: {part['jobs']} of {part['steps']} steps, {when}"
        yield "  " + ", ".join(f"{kind} {part[kind]}" for kind in ("served", "refused", "failed", "hung", "lost"))
        swapped = f"NO: {part['pairs_swapped']} pairs swapped, whose presses were at most {part['swapped_within_ms']:.0f} ms apart"
        yield f"  order kept: {'yes' if part['order_kept'] else swapped}"
        yield from (f"  {times} x {words}" for words, times in part["complaints"].items())
    if part := figures.get("memory"):
        yield f"MEMORY: {part['jobs']} jobs and {part['edits']} edits in {part['minutes']:.0f} minutes"
        yield f"  {'seconds':>8s} {'jobs':>6s} {'edits':>6s} {'MB':>8s}"
        rows = part["rows"]
        chosen = sorted({round(place * (len(rows) - 1) / (_ROWS - 1)) for place in range(_ROWS)} | {3})
        for row in map(rows.__getitem__, chosen):
            yield f"  {row['seconds']:8.0f} {row['jobs']:6d} {row['edits']:6d} {row['memory_mb']:8.0f}"
        kept = "yes" if part["growth"] <= ASKED_GROWTH else "NO"
        ends = (
            f"{part['after_third_job_mb']:.0f} MB after the third job, {part['at_end_mb']:.0f} MB at the end, peak {part['peak_mb']:.0f} MB"
        )
        yield f"  {ends}: {100 * part['growth']:+.1f} %   asked: at most {100 * ASKED_GROWTH:.0f} %   {kept}"
        if part["later"] is not None:
            yield f"  since the twelfth job, with every cache full: {100 * part['later']:+.1f} %"
        yield from (f"  ERROR {words}" for words in part["errors"])
    if part := figures.get("kill"):
        yield f"KILL: in a run of {part['steps']} steps, of which the page had seen {part['last_seen']}"
        if part["recovered"] is None:
            yield "  NOTHING came back"
        else:
            kept = "yes" if part["recovered"] == part["saved_on_disk"] else "NO"
            yield f"  came back as {', '.join(part['recovered_as'])} with step {part['recovered']}: {part['lost']} steps lost"
            yield f"  last saved before the kill: step {part['saved_on_disk']}   asked: no step lost that was saved   {kept}"
        yield f"  ready again after {part['ready_again_s']:.0f} s"


def main(arguments: list[str] | None = None) -> int:
    """Measure and print. Returns the exit code: 0, or 2 when the app could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app_load", description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20, help="people who look around while an adaptation runs; 0: leave out")
    parser.add_argument("--steps", type=int, default=60, help="of that adaptation")
    parser.add_argument("--jobs", type=int, default=50, help="adaptations of 5 steps asked for at once; 0: leave out")
    parser.add_argument("--minutes", type=float, default=0.0, help="how long the memory is watched over repeated jobs; 120 is asked")
    parser.add_argument("--no-kill", action="store_true", help="leave out the kill")
    parser.add_argument("--seed", type=int, default=0, help="of the visitors' whims")
    parser.add_argument("--out", type=Path, help="also write all figures as JSON")
    options = parser.parse_args(arguments)
    if options.minutes > 0 and not Path("/proc/self/status").exists():
        parser.error("--minutes reads the memory from /proc, which this system does not have.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that the app is stopped
    figures: dict[str, Any] = {}
    try:
        for name, part in _parts(options):
            figures[name] = part
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        print("\n".join(table(figures)))
        if options.out:
            options.out.write_text(json.dumps(figures, indent=2))
    return 0


def _parts(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts that are wanted, each measured on a fresh app when it is asked for."""
    with tempfile.TemporaryDirectory(prefix="nada-load-", ignore_cleanup_errors=True) as folder:
        if options.visitors > 0:
            with _fresh(folder, "visitors") as server:
                yield "visitors", asyncio.run(visitors(server.url, options.visitors, options.steps, options.seed))
        if options.jobs > 0:
            with _fresh(folder, "jobs") as server:
                yield "jobs", asyncio.run(crowd(server.url, options.jobs, told=_tell))
        if options.minutes > 0:
            with _fresh(folder, "memory") as server:
                yield "memory", asyncio.run(memory(server.url, server.pid, options.minutes, portrait(), told=_tell))
        if not options.no_kill:
            with _fresh(folder, "kill") as server:
                yield "kill", asyncio.run(killed(server))


@contextmanager
def _fresh(folder: str, name: str) -> Iterator[AppServer]:
    _tell(f"{name} ...")
    with running_app(Path(folder) / name) as server:
        yield server


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
