"""The command `distil`: what it writes and says, and what Ctrl-C leaves."""

from __future__ import annotations

import pytest

from nada_core.cli import distil as command
from nada_core.cli.main import main
from nada_core.errors import StyleError
from nada_core.students.distil import DistilStep
from nada_core.students.files import StudentCard, StyleStudent, load_students
from nada_core.students.library import StudentLibrary
from tests.students.test_network import taught


class Bench:
    """An engine whose students take three steps; Ctrl-C comes before step `stopped`."""

    def __init__(self, folder, stopped: int | None = None) -> None:
        self.students, self.stopped, self.asked = StudentLibrary(folder), stopped, None

    def distil(self, style, options):
        if style == "nobody":
            raise StyleError("There is no style 'nobody'.")
        self.asked = options
        network, codes = taught()
        yield DistilStep("drawing faces", 0.1, 9.0)
        for step in (1, 2, 3):
            if step == self.stopped:
                raise KeyboardInterrupt
            figures = {"error": 0.05, "unchanged": 0.2} if step == 3 else {}
            student = StyleStudent(StudentCard("joker", "Joker", "a" * 64, step, figures), network, codes[:1])
            yield DistilStep("learning", 0.1 + 0.3 * step, 3.0 - step, 0.5 / step, student)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    def make(stopped: int | None = None) -> Bench:
        made = Bench(tmp_path / "students", stopped)
        monkeypatch.setattr(command, "Engine", lambda *_, **__: made)
        return made

    return make


def test_a_student_is_kept_and_written(bench, tmp_path, capsys):
    made, out = bench(), tmp_path / "joker.safetensors"
    assert main(["distil", "joker", "--steps", "7", "--pairs", "20", "--out", str(out)]) == 0
    assert (made.asked.steps, made.asked.pairs) == (7, 20)
    said = capsys.readouterr()
    assert "'Joker' after 3 steps, error 0.05 on unseen faces (doing nothing: 0.2)" in said.out and "--mode instant" in said.out
    assert "learning" in said.err and "s left" in said.err
    (kept,) = (tmp_path / "students").iterdir()
    for path in (out, kept):
        assert [one.card.steps for one in load_students(path).values()] == [3]


def test_ctrl_c_keeps_the_student_so_far(bench, tmp_path, capsys):
    bench(stopped=3)
    assert main(["distil", "joker"]) == 130
    assert "after 2 steps, stopped early" in capsys.readouterr().out
    assert len(list((tmp_path / "students").iterdir())) == 1


def test_ctrl_c_before_anything_was_learnt(bench, tmp_path, capsys):
    bench(stopped=1)
    assert main(["distil", "joker"]) == 130
    assert not (tmp_path / "students").exists() and "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [(["nobody"], "no style 'nobody'"), (["joker", "--steps", "0"], "steps is 0"), (["joker", "--pairs", "1"], "pairs is 1")],
)
def test_what_cannot_be_done_is_one_line(bench, capsys, words, said):
    bench()
    assert main(["distil", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and len(error.strip().splitlines()) == 1
