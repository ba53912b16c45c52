"""Keep the results of rows in a folder: each is complete or absent, in ``DIR/rows/NAME/``; ``DIR/table.json`` says what became of all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nada_core.errors import NadaError, OptionsError
from nada_core.rows.row import Made, Row, RowEvent, State
from nada_core.system.files import output_folder, write_bytes

__all__ = ["Entry", "Kept", "RowFolder", "Table"]

#: Goes up when the meaning of what is kept changes: older rows are then done again.
SCHEMA = 1
_RESULT = "row.json"
_SCRATCH = ".row-"


@dataclass(frozen=True)
class Kept:
    """Hold what is kept of a row that is done: its facts, the seconds it took, and the folder with its files."""

    facts: dict[str, Any]
    seconds: float
    folder: Path


@dataclass(frozen=True)
class Entry:
    """Hold one line of the table: a row, what became of it, and what it made."""

    row: Row
    state: State = "waiting"
    seconds: float = 0.0
    error: str = ""
    kept: Kept | None = None


class RowFolder:
    """Keep the results of rows in a folder, one row a folder; used by one process at a time.

    Raises:
        OptionsError: the folder cannot be written.
    """

    def __init__(self, out: Path) -> None:
        self.out = output_folder(out)
        self.rows = output_folder(out / "rows")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder for this process; what killed ones left half-written is removed.

        Raises:
            OptionsError: another process works in it.
        """
        lock = FileLock(self.out / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise OptionsError(f"Another process works in the folder '{self.out.name}'. Wait for it, or choose another --out.") from None
        try:
            for left in self.rows.glob(f"{_SCRATCH}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield
        finally:
            lock.release()

    def find(self, row: Row) -> Kept | None:
        """Return what is kept of a row; None where it was never finished, or a file of it is missing or not what was written."""
        folder = self.rows / row.name
        try:
            raw = json.loads((folder / _RESULT).read_text("utf-8"))
            if raw["schema"] != SCHEMA or raw["key"] != row.key:
                return None
            if any(hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest for name, digest in raw["files"].items()):
                return None
            return Kept(dict(raw["facts"]), float(raw["seconds"]), folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # absent or half-written: it is done again

    def keep(self, row: Row, made: Made, seconds: float) -> Kept:
        """Write a row's folder, all or nothing; whatever an unfinished row left under this name is replaced.

        Raises:
            NadaError: the disk is full, or the folder cannot be written. Rows that are kept stay.
        """
        target, scratch = self.rows / row.name, None
        content = {
            "schema": SCHEMA,
            "key": row.key,
            "title": row.title,
            "settings": dict(row.settings),
            "seconds": round(seconds, 2),
            "facts": dict(made.facts),
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in made.files.items()},
        }
        try:
            scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=self.rows))
            scratch.chmod(0o755)
            for name, data in made.files.items():
                write_bytes(scratch / name, data)
            write_bytes(scratch / _RESULT, json.dumps(content, indent=1).encode())
            shutil.rmtree(target, ignore_errors=True)
            os.replace(scratch, target)
        except (OSError, NadaError) as error:
            why = str(error) if isinstance(error, NadaError) else f"{error.strerror or 'the disk reported an error'}."
            raise NadaError(
                f"'{row.title}' could not be kept: {why} Give the same command again after that: finished rows stay."
            ) from error
        finally:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)
        return Kept(dict(made.facts), round(seconds, 2), target)


@dataclass
class Table:
    """Hold the entries of all rows, in order, and write them as ``DIR/table.json`` whenever one ends."""

    folder: RowFolder
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Return where the table is written."""
        return self.folder.out / "table.json"

    def earlier(self) -> dict[str, str]:
        """Return key and title of every row of the table that an earlier start wrote; empty where there is none."""
        try:
            raw = json.loads(self.path.read_text("utf-8"))
            return {str(row["key"]): str(row["title"]) for row in raw["rows"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def begin(self, rows: Sequence[Row]) -> None:
        """Enter the rows, with what is kept of each, and write the table."""
        for row in rows:
            kept = self.folder.find(row)
            self.entries[row.key] = Entry(row) if kept is None else Entry(row, "done", kept.seconds, kept=kept)
        self.write()

    def todo(self) -> list[Row]:
        """Return the rows that are not done."""
        return [entry.row for entry in self.entries.values() if entry.state != "done"]

    def take(self, event: RowEvent) -> Entry:
        """Enter what became of a row; of one that is done, keep first what it made. Returns its entry.

        Raises:
            NadaError: it cannot be kept.
        """
        entry = self.entries[event.row.key]
        if event.state == "done" and event.made is not None:
            kept = self.folder.keep(event.row, event.made, event.seconds)
            entry = replace(entry, state="done", seconds=kept.seconds, kept=kept, error="")
        else:
            entry = replace(entry, state=event.state, seconds=event.seconds, error=event.error)
        changed = entry.state != self.entries[event.row.key].state
        self.entries[event.row.key] = entry
        trace = self.folder.out / "failures" / f"{event.row.name}.txt"
        if event.trace:
            write_bytes(trace, event.trace.encode())
        elif event.state == "done":
            trace.unlink(missing_ok=True)
        if changed:
            self.write()
        return entry

    def leave(self, row: Row, why: str) -> None:
        """Say that a row cannot be begun, and why; written with the next event."""
        self.entries[row.key] = replace(self.entries[row.key], state="left", error=why)

    def rest(self) -> None:
        """Say that nothing is worked on any more, and write the table: rows that were begun wait again."""
        for key, entry in self.entries.items():
            if entry.state == "running":
                self.entries[key] = Entry(entry.row)
        self.write()

    def write(self) -> None:
        """Write ``table.json``."""
        rows = [
            {
                "key": entry.row.key,
                "name": entry.row.name,
                "title": entry.row.title,
                "state": entry.state,
                "seconds": round(entry.seconds, 2),
                "error": entry.error,
                "settings": dict(entry.row.settings),
            }
            for entry in self.entries.values()
        ]
        write_bytes(self.path, json.dumps({"schema": SCHEMA, "rows": rows}, indent=1).encode())
