"""Do rows and keep them: what a folder has already is not done again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nada_core.rows.row import OpenWork, Row
from nada_core.rows.run import Executor, run_rows
from nada_core.rows.table import Entry, RowFolder, Table

__all__ = ["fill"]


def fill(out: Path, rows: Sequence[Row], work: OpenWork, executor: Executor | None = None) -> Iterator[Entry]:
    """Yield every row's entry once: first those that the folder has, in order, then each as it ends, done (and kept) or failed.

    Args:
        out: the folder; ``table.json`` in it says what became of every row.
        work: loads what does a row, once a worker; not at all where nothing is missing.
        executor: where rows are done; in this process by default.

    Raises:
        NadaError: the folder cannot be written, another process works in it, or the work cannot be loaded.
    """
    folder = RowFolder(out)
    with folder.alone():
        table = Table(folder)
        table.begin(rows)
        missing = table.todo()
        yield from [entry for entry in table.entries.values() if entry.state == "done"]
        try:
            for event in run_rows(missing, work, executor) if missing else ():
                entry = table.take(event)
                if entry.state != "running":
                    yield entry
        finally:
            table.rest()
