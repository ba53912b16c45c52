"""Doing rows in this process: order, progress, failures that do not stop the others, keys."""

from __future__ import annotations

import pytest

from nada_core.rows.row import Input, make_row
from nada_core.rows.run import run_rows
from tests.helpers.small_rows import Writing, row


def test_rows_are_done_in_order_and_hand_over_what_they_made():
    work = Writing()
    events = list(run_rows([row(n) for n in (2, 1, 3)], work.opened()))
    assert work.log == [2, 1, 3]
    assert [event.state for event in events] == ["running", "running", "running", "done"] * 3
    ends = [event for event in events if event.state == "done"]
    assert [event.made.facts["square"] for event in ends] == [4, 1, 9]
    assert b'"text": "text 3"' in ends[2].made.files["row.txt"]
    assert [event.fraction for event in events[:4]] == [0.0, 0.5, 1.0, 1.0] and events[1].text == "half way"


def test_a_row_that_fails_does_not_stop_the_others():
    work = Writing(refused=[1], broken=[2])
    ends = [event for event in run_rows([row(n) for n in (1, 2, 3)], work.opened()) if event.state in ("done", "failed")]
    assert [event.state for event in ends] == ["failed", "failed", "done"]
    assert ends[0].error == "No face was found. Crop closer to the face." and ends[0].trace == ""
    assert ends[1].error == "unexpected ZeroDivisionError: a bug in /secret/path.py" and "Traceback" in ends[1].trace


def test_a_work_without_a_result_is_a_failure():
    events = list(run_rows([row(1)], lambda: lambda row: iter(())))
    assert events[-1].state == "failed" and "without a result" in events[-1].error


def test_ctrl_c_goes_through():
    with pytest.raises(KeyboardInterrupt):
        list(run_rows([row(1), row(2)], Writing(stop_at=1).opened()))


def test_the_key_is_of_everything_that_decides_the_outcome():
    base = make_row("A", {"x": 1}, {"photo": Input(b"one")}, base="b")
    assert make_row("Another title", {"x": 1}, {"photo": Input(b"one")}, base="b").key == base.key
    others = [
        make_row("A", {"x": 2}, {"photo": Input(b"one")}, base="b"),
        make_row("A", {"x": 1}, {"photo": Input(b"two")}, base="b"),
        make_row("A", {"x": 1}, {"style": Input(b"one")}, base="b"),
        make_row("A", {"x": 1}, {"photo": Input(b"one")}, base="c"),
    ]
    assert len({base.key, *(other.key for other in others)}) == 5


def test_names_of_folders_are_readable_and_apart():
    long, evil = make_row("Joker " * 40, {"x": 1}), make_row("../../<b>", {"x": 1})
    assert len(long.name.encode()) < 150 and "/" not in evil.name and not evil.name.startswith(".")
    assert make_row("A", {"x": 1}).name != make_row("A", {"x": 2}).name
