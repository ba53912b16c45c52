"""Do what is missing of a plan, adaptations first, then photos, and say what the table looks like after every event."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nada_core.errors import OptionsError
from nada_core.rows.row import Input, OpenWork, Row, RowEvent
from nada_core.rows.run import Crew, Executor
from nada_core.rows.table import Entry, RowFolder, Table
from nada_core.styles.library import StyleLibrary
from nada_core.sweep.jobs import STYLE_FILE, Facts, Job, adapt_jobs, edit_jobs, find_styles
from nada_core.sweep.page import build_sheet
from nada_core.sweep.plan import Plan
from nada_core.sweep.work import check_plan, facts_of
from nada_core.system.files import write_bytes

__all__ = ["SHEET", "SweepStep", "do_sweep"]

#: The page, in the folder of the results.
SHEET = "sheet.html"


@dataclass(frozen=True)
class SweepStep:
    """Tell how far a sweep is.

    Attributes:
        entries: the whole table, in order.
        event: what just happened to a row; None at the beginning and at the end.
        changed: at the beginning, what is different from the last start in this folder; empty where nothing is.
        workers: how many rows are done at a time.
    """

    entries: tuple[Entry, ...]
    event: RowEvent | None = None
    changed: str = ""
    workers: int = 1

    def count(self, state: str) -> int:
        """Return how many rows are in a state."""
        return sum(entry.state == state for entry in self.entries)

    @property
    def complete(self) -> bool:
        """Tell whether every row is done."""
        return self.count("done") == len(self.entries)


def do_sweep(
    plan: Plan, out: Path, work: OpenWork, executor: Executor, library: StyleLibrary | None = None
) -> Generator[SweepStep, None, None]:
    """Do the rows of a plan that are not in the folder yet. Every result and the sheet are written before the next step is yielded.

    Args:
        out: the folder; results of an earlier start in it are not made again.
        work: loads what does a row (:func:`nada_core.sweep.work.open_work`).
        executor: where rows are done.
        library: where styles are found by their names; the user's by default.

    Raises:
        NadaError: the plan does not suit the networks, another process works in the folder, or it cannot be written; rows that fail by
            themselves are told in their events.
    """
    styles = find_styles(plan, library or StyleLibrary())
    with executor.open(work) as crew:
        facts = crew.agree(facts_of)
        crew.ask(check_plan, _without_photos(plan), styles, facts)
        adapted = adapt_jobs(plan.adapt, facts) if plan.adapt else []
        edited = edit_jobs(plan.edit, styles, adapted, facts) if plan.edit else []
        jobs = [*adapted, *edited]
        _check_apart(jobs)
        folder = RowFolder(out)
        with folder.alone():
            table = Table(folder)
            earlier = table.earlier()
            table.begin([job.row for job in jobs])
            sheet = _Sheet(out, jobs, facts)
            sheet.write(table)
            yield SweepStep(_entries(table), changed=_changed(earlier, jobs), workers=crew.size)
            try:
                yield from _part(crew, table, sheet, [job.row for job in adapted])
                yield from _part(crew, table, sheet, _dressed(table, edited))
            finally:  # also where somebody stops it
                table.rest()
                sheet.write(table)
            yield SweepStep(_entries(table), workers=crew.size)


def _without_photos(plan: Plan) -> Plan:
    """Return what of a plan the networks are asked about: photos need not travel for that."""
    return plan if plan.edit is None else replace(plan, edit=replace(plan.edit, photos=()))


def _part(crew: Crew, table: Table, sheet: _Sheet, rows: Iterable[Row]) -> Iterator[SweepStep]:
    """Do those of the rows that are not done."""
    missing = {row.key for row in table.todo()}
    todo = [row for row in rows if row.key in missing]
    for event in crew.run(todo) if todo else ():
        before = table.entries[event.row.key].state
        if table.take(event).state != before:
            sheet.write(table)
        yield SweepStep(_entries(table), event, workers=crew.size)


def _dressed(table: Table, jobs: Sequence[Job]) -> list[Row]:
    """Return the rows of edits with the styles that they wear; those whose style was not made are left, and say so."""
    rows = []
    for job in jobs:
        made = table.entries[job.needs.key] if job.needs else None
        if made is None:
            rows.append(job.row)
        elif made.kept is None:
            table.leave(job.row, f"The style '{made.row.title}' was not made.")
        elif table.entries[job.row.key].state != "done":
            style = Input((made.kept.folder / STYLE_FILE).read_bytes())
            rows.append(replace(job.row, inputs={**job.row.inputs, STYLE_FILE: style}))
    return rows


@dataclass(frozen=True)
class _Sheet:
    out: Path
    jobs: Sequence[Job]
    facts: Facts

    def write(self, table: Table) -> None:
        write_bytes(self.out / SHEET, build_sheet(self.jobs, table.entries, self.out, str(self.facts)))


def _entries(table: Table) -> tuple[Entry, ...]:
    return tuple(table.entries.values())


def _check_apart(jobs: Sequence[Job]) -> None:
    """Refuse two rows that would do the same: two photos of one content, two names of one style."""
    seen: dict[str, str] = {}
    for job in jobs:
        if job.row.key in seen:
            raise OptionsError(f"The plan asks twice for the same: '{seen[job.row.key]}' and '{job.row.title}'. Take one of them out.")
        seen[job.row.key] = job.row.title


def _changed(earlier: dict[str, str], jobs: Sequence[Job]) -> str:
    now = {job.row.key for job in jobs}
    gone, new = [key for key in earlier if key not in now], [key for key in now if key not in earlier]
    if not earlier or not (gone or new):
        return ""
    kept = len(now) - len(new)
    return (
        f"The plan, or what it reads, is not that of the last start in this folder: {kept} rows are the same, {len(new)} are new, "
        f"{len(gone)} are not in it any more (what they made stays in the folder)."
    )
