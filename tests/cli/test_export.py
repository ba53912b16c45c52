"""The command `export`: what it writes and says, and what it refuses in one line."""

from __future__ import annotations

import pytest

from nada_core.cli import export as command
from nada_core.cli.main import main
from nada_core.errors import OptionsError, StyleError
from nada_core.students.files import StudentCard, StyleStudent
from tests.students.test_network import taught


class Bench:
    """An engine that has the Joker's student alone."""

    @property
    def students(self):
        return self

    def style(self, name):
        if name == "nobody":
            raise StyleError("There is no style 'nobody'.")
        return name

    def of(self, styles):
        ((name, share),) = styles
        if name != "joker":
            raise OptionsError(f"There is no instant version of '{name}' yet.")
        network, codes = taught()
        return [(StyleStudent(StudentCard("joker", "Joker", "a" * 64, 3), network, codes[:1]), share)]


@pytest.fixture(autouse=True)
def bench(monkeypatch):
    monkeypatch.setattr(command, "Engine", lambda *_, **__: Bench())


@pytest.mark.heavy
def test_a_file_is_written(tmp_path, capsys):
    out = tmp_path / "new" / "joker.pt"
    assert main(["export", "joker", "--format", "torchscript", "--out", str(out)]) == 0
    assert out.stat().st_size > 1000 and "MB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "--format", "onnx", "--out", "a.onnx"], "no style 'nobody'"),
        (["zombie", "--format", "onnx", "--out", "a.onnx"], "no instant version of 'zombie'"),
        (["joker", "--format", "onnx", "--out", "a.txt"], "does not end in .onnx"),
        (["joker", "--format", "web", "--out", "."], "is there already"),
        (["joker", "--format", "tflite", "--out", "a"], "invalid choice"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    try:
        assert main(["export", *words]) == 2
    except SystemExit as end:  # argparse's own
        assert end.code == 2
    error = capsys.readouterr().err
    assert said in error and len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())
