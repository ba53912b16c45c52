"""Doing rows on Ray's workers: all are done, failures stay their own, a lost worker's row is done again, a strange worker is refused."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from nada_core.cluster.connect import connect
from nada_core.errors import ClusterError, PhotoError, StyleError
from nada_core.rows.row import Input, Made, Row, RowStep, make_row
from nada_core.rows.run import Work, run_rows
from tests.helpers.folders import ROOT
from tests.helpers.needs_ray import needs_ray
from tests.helpers.small_rows import open_writing, row

pytestmark = [pytest.mark.heavy, needs_ray]


@pytest.fixture(scope="module")
def on_ray():
    """Two workers, for the whole file."""
    from nada_core.rows.on_ray import OnRay

    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)  # workers find the tests' own modules
    with connect(workers=2) as cluster:
        yield OnRay(cluster)
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@dataclass
class Dying:
    """Rows end their process: those named "once" only where they are done for the first time, "always" whenever."""

    folder: Path

    def __call__(self, row: Row) -> Iterator[RowStep]:
        kind, marker = row.settings["kind"], self.folder / row.name
        if kind == "always" or (kind == "once" and not marker.exists()):
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield RowStep(1.0, "", Made({"row.txt": kind.encode()}))


@dataclass
class Refused:
    """A work that cannot be loaded."""

    words: str

    def __call__(self) -> Work:
        raise StyleError(self.words)


def worker_process(work: Work) -> int:
    """Different on every worker."""
    return os.getpid()


def refuse(work: Work, words: str) -> None:
    raise PhotoError(words)


def test_every_row_is_done_and_failures_stay_their_own(on_ray):
    rows = [row(n) for n in range(8)]
    events = list(run_rows(rows, open_writing(refused=(2,), broken=(5,)), on_ray))
    ends = {event.row.settings["number"]: event for event in events if event.state in ("done", "failed")}
    assert sorted(ends) == list(range(8)) and len([e for e in events if e.state == "running"]) == 8
    assert [n for n in ends if ends[n].state == "failed"] == [n for n in ends if n in (2, 5)]
    assert ends[2].error == "No face was found. Crop closer to the face." and ends[2].trace == ""
    assert ends[5].error.startswith("unexpected ZeroDivisionError") and "Traceback" in ends[5].trace
    assert ends[7].made.facts == {"square": 49} and b"text 7" in ends[7].made.files["row.txt"]
    assert ends[7].row is rows[7], "the row that was given, with its inputs"


def test_a_row_whose_worker_was_killed_is_done_by_another_and_one_that_always_kills_fails(on_ray, tmp_path):
    rows = [make_row(f"{kind} {n}", {"kind": kind}, {"n": Input(b"%d" % n)}) for n, kind in enumerate(["once", "well", "always", "well"])]
    ends = {e.row.title: e for e in run_rows(rows, partial(Dying, tmp_path), on_ray) if e.state in ("done", "failed")}
    assert {title: event.state for title, event in ends.items()} == {
        "once 0": "done",
        "well 1": "done",
        "always 2": "failed",
        "well 3": "done",
    }
    assert ends["always 2"].error.startswith("Its worker was lost 3 times")


def test_refusals_come_back_as_what_they_are(on_ray):
    with on_ray.open(open_writing()) as crew:
        assert crew.size == 2
        with pytest.raises(PhotoError, match=r"^no face$"):
            crew.ask(refuse, "no face")
    with pytest.raises(StyleError, match=r"^damaged$"):
        list(run_rows([row(1)], Refused("damaged"), on_ray))


def test_a_worker_that_is_not_like_the_first_gets_no_row(on_ray):
    with on_ray.open(open_writing()) as crew:
        crew.agree(worker_process)
        with pytest.raises(ClusterError, match=r"The worker on .*, process \d+ has other parts"):
            list(crew.run([row(n) for n in range(50)]))
