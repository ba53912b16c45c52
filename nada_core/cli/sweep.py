"""Run ``python -m nada_core sweep``: do a plan of many runs, as a table of jobs that can be stopped and gone on with."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

from nada_core.errors import NadaError
from nada_core.rows.where import asked_networks, executor_for
from nada_core.sweep.page import duration
from nada_core.sweep.plan import read_plan
from nada_core.sweep.run import SHEET, SweepStep, do_sweep
from nada_core.sweep.work import open_work

__all__ = ["sweep"]


def sweep(args: argparse.Namespace) -> int:
    """Do the rows that are not in the folder yet and write ``sheet.html``; returns 0 where all are done, 1 where some failed."""
    plan = read_plan(args.plan)
    last: SweepStep | None = None
    screen = _Screen()
    work = open_work(args.device, *asked_networks(args))
    try:
        with (
            executor_for(args.workers, args.cluster) as executor,
            contextlib.closing(do_sweep(plan, args.out, work, executor)) as steps,
        ):
            for last in steps:
                screen.show(last)
    except KeyboardInterrupt:
        done = f"{last.count('done')} of {plan.count} rows are done and kept; " if last else ""
        print(f"\ninterrupted: {done}the same command goes on from there", file=sys.stderr)
        return 130
    except NadaError:
        screen.end()
        raise
    screen.end()
    assert last is not None
    unfinished = [entry for entry in last.entries if entry.state != "done"]
    for entry in unfinished:
        print(f"{entry.row.title}: {entry.error}", file=sys.stderr)
    more = f"; {len(unfinished)} are not, the same command tries them again" if unfinished else ""
    print(f"{args.out / SHEET}: {last.count('done')} of {plan.count} rows are done{more}")
    return 1 if unfinished else 0


class _Screen:
    """Write progress on standard error: one line that changes, and a line that stays for every row that ends."""

    def __init__(self) -> None:
        self._begun, self._ended, self._open = 0.0, 0, False

    def show(self, step: SweepStep) -> None:
        """Show what happened."""
        event = step.event
        if event is None:
            if not self._begun:
                self._opening(step)
        elif event.state == "running":
            self._line(f"{self._count(step)} {event.row.title}{f': {event.text}' if event.text else ''}{self._left(step, event.fraction)}")
        else:
            self._ended += 1
            what = f"done in {duration(event.seconds)}" if event.state == "done" else f"FAILED: {event.error}"
            self._line(f"{self._count(step)} {event.row.title}: {what}")
            self.end()

    def end(self) -> None:
        """Leave the line that changes."""
        if self._open:
            print(file=sys.stderr, flush=True)
        self._open = False

    def _opening(self, step: SweepStep) -> None:
        self._begun = time.monotonic()
        print(f"{len(step.entries)} rows", file=sys.stderr)
        if step.changed:
            print(step.changed, file=sys.stderr)
        if found := step.count("done"):
            print(f"{found} rows are done already", file=sys.stderr)
        if step.workers > 1:
            print(f"{step.workers} workers", file=sys.stderr)

    def _count(self, step: SweepStep) -> str:
        return f"[{step.count('done') + step.count('failed')}/{len(step.entries)}]"

    def _left(self, step: SweepStep, fraction: float) -> str:
        """Say how long the rest takes, from what was done since the start; nothing before a row has ended."""
        if not self._ended:
            return ""
        missing, done = step.count("waiting") + step.count("running") - fraction, self._ended + fraction
        return f", {duration((time.monotonic() - self._begun) / done * missing)} left"

    def _line(self, text: str) -> None:
        print(f"\r{text[:118]:118s}", end="", file=sys.stderr, flush=True)
        self._open = True
