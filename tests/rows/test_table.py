"""Keeping rows: complete or absent, found again, redone where they are damaged; a killed process loses only what it was doing."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from nada_core.errors import NadaError, OptionsError
from nada_core.rows.row import make_row
from nada_core.rows.run import run_rows
from nada_core.rows.table import RowFolder, Table
from nada_core.system import files
from tests.helpers.folders import ROOT
from tests.helpers.small_rows import Writing, row

ROWS = [row(n) for n in range(4)]


def fill(out, work: Writing, rows=ROWS) -> Table:
    """One start: do what is missing and keep it."""
    folder = RowFolder(out)
    with folder.alone():
        table = Table(folder)
        table.begin(rows)
        for event in run_rows(table.todo(), work.opened()):
            table.take(event)
        return table


def states(out) -> list[str]:
    return [entry["state"] for entry in json.loads((out / "table.json").read_text())["rows"]]


def test_finished_rows_are_never_done_again(tmp_path):
    first, again = Writing(), Writing()
    fill(tmp_path, first)
    table = fill(tmp_path, again)
    assert first.log == [0, 1, 2, 3] and again.log == [] and states(tmp_path) == ["done"] * 4
    kept = table.entries[ROWS[3].key].kept
    assert kept.facts == {"square": 9} and json.loads((kept.folder / "row.txt").read_text())["number"] == 3


def test_an_interruption_costs_one_row(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path, Writing(stop_at=2))
    assert states(tmp_path) == ["done", "done", "running", "waiting"]
    again = Writing()
    fill(tmp_path, again)
    assert again.log == [2, 3] and states(tmp_path) == ["done"] * 4


def test_failed_rows_are_tried_again(tmp_path):
    fill(tmp_path, Writing(refused=[1], broken=[2]))
    table = json.loads((tmp_path / "table.json").read_text())["rows"]
    assert [entry["state"] for entry in table] == ["done", "failed", "failed", "done"]
    assert table[1]["error"].startswith("No face was found.")
    traces = list((tmp_path / "failures").iterdir())
    assert [path.stem for path in traces] == [ROWS[2].name] and "Traceback" in traces[0].read_text()
    again = Writing()
    fill(tmp_path, again)
    assert again.log == [1, 2] and states(tmp_path) == ["done"] * 4
    assert list((tmp_path / "failures").iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "gone", "other", "no json", "other schema", "other key"])
def test_a_row_that_is_not_whole_is_done_again(tmp_path, damage):
    fill(tmp_path, Writing())
    folder = tmp_path / "rows" / ROWS[1].name
    record = json.loads((folder / "row.json").read_text())
    if damage == "cut":
        (folder / "row.txt").write_bytes((folder / "row.txt").read_bytes()[:-3])
    elif damage == "gone":
        (folder / "row.txt").unlink()
    elif damage == "other":
        (folder / "row.txt").write_text("something else")
    elif damage == "no json":
        (folder / "row.json").write_text('{"schema": 1, "key"')
    else:
        record["schema" if damage == "other schema" else "key"] = 7
        (folder / "row.json").write_text(json.dumps(record))
    again = Writing()
    fill(tmp_path, again)
    assert again.log == [1]
    assert RowFolder(tmp_path).find(ROWS[1]) is not None


def test_what_a_killed_process_left_half_written_goes(tmp_path):
    fill(tmp_path, Writing(), ROWS[:2])
    (tmp_path / "rows" / ".row-abc").mkdir()
    (tmp_path / "rows" / ".row-abc" / "row.txt").write_text("half")
    fill(tmp_path, Writing())
    assert sorted(path.name for path in (tmp_path / "rows").iterdir()) == sorted(one.name for one in ROWS)


def test_two_processes_do_not_share_a_folder(tmp_path):
    with RowFolder(tmp_path).alone(), pytest.raises(OptionsError, match="Another process works in the folder"):
        fill(tmp_path, Writing())
    fill(tmp_path, Writing())


def test_a_full_disk_keeps_what_is_there(tmp_path, monkeypatch):
    fill(tmp_path, Writing(), ROWS[:1])

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = RowFolder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        (event,) = [event for event in run_rows([ROWS[1]], Writing().opened()) if event.state == "done"]
        with pytest.raises(NadaError, match=r"'Row 1' could not be kept:.*the disk is full"):
            folder.keep(event.row, event.made, 1.0)
    assert [path.name for path in (tmp_path / "rows").iterdir()] == [ROWS[0].name] and folder.find(ROWS[0]) is not None


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OptionsError, match="cannot be written"):
        RowFolder(tmp_path / "out")


PROGRAM = """
import sys, time
from pathlib import Path
from nada_core.rows.row import Made, RowStep
from tests.helpers.small_rows import row
from tests.rows.test_table import ROWS, fill

class Stuck:
    def opened(self):
        return lambda: self

    def __call__(self, row):
        if row.settings["number"] == 2:
            print("stuck", flush=True)
            time.sleep(600)
        yield RowStep(1.0, "", Made({"row.txt": b"by the killed one"}))

fill(Path(sys.argv[1]), Stuck())
"""


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_process_loses_only_the_row_it_was_doing(tmp_path):
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline().strip() == b"stuck"
        process.send_signal(signal.SIGKILL)
        process.wait(300)
    assert states(tmp_path) == ["done", "done", "running", "waiting"]
    again = Writing()
    deadline = time.monotonic() + 300  # the lock goes with the process, which the system may still be burying
    while True:
        try:
            fill(tmp_path, again)
            break
        except OptionsError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert again.log == [2, 3] and states(tmp_path) == ["done"] * 4
    assert (tmp_path / "rows" / ROWS[1].name / "row.txt").read_bytes() == b"by the killed one"


def test_the_table_of_an_earlier_start_is_read(tmp_path):
    table = Table(RowFolder(tmp_path))
    assert table.earlier() == {}
    fill(tmp_path, Writing())
    assert table.earlier() == {one.key: one.title for one in ROWS}
    (tmp_path / "table.json").write_text("[]")
    assert table.earlier() == {}


def test_settings_that_json_cannot_hold():
    with pytest.raises(TypeError):
        make_row("A", {"x": object()})
