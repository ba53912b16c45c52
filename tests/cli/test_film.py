"""The command `film`: what it writes and says, what Ctrl-C leaves, and what is refused."""

from __future__ import annotations

import signal

import pytest

from nada_core.cli import film as command
from nada_core.cli.main import main
from nada_core.errors import OptionsError
from nada_core.films.restyle import restyle_film
from tests.helpers.film_discs import DiscDetector, blue, discs, head
from tests.helpers.films import read_film, write_film


class Bench:
    """An engine that paints discs; Ctrl-C comes with frame `stopped`."""

    def __init__(self, stopped: int | None = None) -> None:
        self.stopped, self.asked = stopped, None

    def film_steps(self, source, model, out, *, strength, **options):
        self.asked = model, strength, options["limits"]
        if model == "neon":
            raise OptionsError("There is no instant version of 'neon' yet.")
        return self._steps(restyle_film(source, out, blue(), DiscDetector(), head, **options))

    def _steps(self, steps):
        try:
            for step in steps:
                if step.frame == self.stopped:
                    signal.raise_signal(signal.SIGINT)
                yield step
        finally:
            steps.close()


@pytest.fixture
def bench(monkeypatch):
    def make(stopped: int | None = None) -> Bench:
        made = Bench(stopped)
        monkeypatch.setattr(command, "Engine", lambda *_, **__: made)
        return made

    return make


@pytest.fixture
def source(tmp_path):
    return write_film(tmp_path / "in.mp4", discs([[(80.0, 60.0)]] * 24))


@pytest.mark.heavy
def test_a_film_is_written(bench, source, tmp_path, capsys):
    made, out = bench(), tmp_path / "out.mp4"
    assert main(["film", str(source), "--style", "joker:0.6,clown:0.4", "--strength", "0.5", "--longest", "3", "--out", str(out)]) == 0
    model, strength, limits = made.asked
    assert model == [("joker", 0.6), ("clown", 0.4)] and strength.colour == 0.5 and limits.seconds == 180
    said = capsys.readouterr()
    assert "24 of 24 frames painted" in said.out and "frame 20 of" in said.err and "s left" in said.err and "####" in said.err
    assert len(read_film(out)[0]) == 24


@pytest.mark.heavy
def test_ctrl_c_keeps_a_film_that_plays(bench, source, tmp_path, capsys):
    bench(stopped=15)
    out = tmp_path / "out.mp4"
    assert main(["film", str(source), "--out", str(out)]) == 130
    assert "the first 15 frames, stopped early" in capsys.readouterr().out
    assert len(read_film(out)[0]) == 15 and {path.name for path in tmp_path.iterdir()} == {"in.mp4", "out.mp4"}


def test_ctrl_c_before_anybody_was_painted(bench, tmp_path, capsys):
    bench(stopped=5)
    source = write_film(tmp_path / "in.mp4", discs([[]] * 20))
    assert main(["film", str(source), "--out", str(tmp_path / "out.mp4")]) == 130
    assert "nothing was written" in capsys.readouterr().out and not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--style", "neon"], "no instant version"),
        (["--longest", "0"], "must be above 0"),
        (["--longest", "0.01"], "--longest MINUTES"),
        (["--strength", "much"], "--strength is 'much'"),
        (["--out", "nowhere/out.mp4"], "does not exist"),
        (["--out", "out.txt"], "must end in"),
    ],
)
def test_what_cannot_be_done_is_one_line(bench, source, tmp_path, capsys, words, said):
    bench()
    assert main(["film", str(source), "--out", str(tmp_path / "out.mp4"), *words]) == 2
    error = capsys.readouterr().err
    assert said in error and len(error.strip().splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4"}
