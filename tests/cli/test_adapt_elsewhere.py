"""The command `adapt` with a worker, which a stand-in is here: the same files as without, Ctrl-C, a worker that dies, refusals."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sys

import pytest
import torch
from PIL import Image

from nada_core.cli.adapt_work import AdaptTask, adapt_elsewhere
from nada_core.cluster import connect
from nada_core.styles.files import load_style
from tests.cli.test_adapt import Interrupting, cli
from tests.helpers.stand_in_ray import StandInRay, stand_in_cluster

__all__ = ["cli"]  # the fixture

pytestmark = pytest.mark.heavy


@pytest.fixture
def away(cli, monkeypatch):
    """``cli`` with ``--workers 1``; its workers die at these calls."""
    asked = []

    def call(*argv, dies_at=(), **parts):
        @contextlib.contextmanager
        def joined(workers, address):
            asked.append((workers, address))
            yield stand_in_cluster(call.ray)

        call.ray = StandInRay(list(dies_at))
        monkeypatch.setattr(connect, "connect", joined)
        found = cli(*argv, "--workers", 1, **parts)
        call.out = cli.out
        return found

    yield call
    assert set(asked) == {(1, None)}


def files(folder) -> dict[str, bytes]:
    """Without pictures between the first and the last step, which come by the clock."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "preview_0002.png"}


def plain(name: str, content: bytes) -> object:
    """What of a file is not the time it was made at."""
    if name.endswith(".safetensors"):
        return name
    text = re.sub(rb'"(seconds|created)": ("[^"]*"|[\d.]+)', rb"", content)
    return text if name.endswith(("json", "jsonl")) else content


def same_style(one, other) -> bool:
    one, other = (load_style(folder / "style.safetensors") for folder in (one, other))
    return one.tensors.keys() == other.tensors.keys() and all(torch.equal(one.tensors[n], other.tensors[n]) for n in one.tensors)


def test_the_files_are_those_of_this_process(cli, away, tmp_path):
    picture = tmp_path / "a face.png"
    Image.effect_noise((64, 64), 60).convert("RGB").save(picture)
    words = ("adapt", "Joker", "--steps", 3, "--keep-training", "--out")
    here, there = tmp_path / "here", tmp_path / "there"
    assert cli(*words, here)[0] == 0
    assert away(*words, there)[0] == 0 and away.ray.begun == away.ray.killed == 1
    assert files(here).keys() == files(there).keys() >= {"style.safetensors", "training.safetensors", "steps.jsonl", "summary.json"}
    assert {n: plain(n, c) for n, c in files(here).items()} == {n: plain(n, c) for n, c in files(there).items()}
    assert same_style(here, there)
    assert "--workers 1" in away.out and "to go on" in away.out


def test_ctrl_c_keeps_a_training_that_goes_on_elsewhere_and_here(cli, away, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert cli("adapt", "Joker", "--steps", 4, "--out", whole)[0] == 0
    code, err = away("adapt", "Joker", "--steps", 4, "--out", parts, encoder=Interrupting(3))
    assert code == 130 and "finishing this step\n" in err and "keeping the style so far" in err
    stopped = load_style(parts / "style.safetensors").card.steps
    assert 1 <= stopped < 4 and len((parts / "steps.jsonl").read_text().splitlines()) == stopped
    assert json.loads((parts / "summary.json").read_text())["interrupted"] is True
    assert not [name for name in files(parts) if name.startswith(".")]
    (command,) = re.findall(r"to go on, `python -m nada_core (.*)`$", away.out, re.MULTILINE)
    again = shlex.split(command)
    assert again[-2:] == ["--workers", "1"]
    assert away(*again[:-2])[0] == 0 and same_style(whole, parts)
    assert len((parts / "steps.jsonl").read_text().splitlines()) == 4


def test_a_worker_that_dies_is_followed_by_another_and_nothing_is_told_twice(cli, away, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    assert cli("adapt", "Joker", "--steps", 3, "--out", here)[0] == 0
    code, err = away("adapt", "Joker", "--steps", 3, "--out", there, dies_at=[5])  # who, begin, two steps, dead
    assert code == 0 and "The worker was lost: another one begins again." in err and away.ray.begun == 2
    assert same_style(here, there) and len((there / "steps.jsonl").read_text().splitlines()) == 3
    code, err = away("adapt", "Joker", "--steps", 3, "--out", tmp_path / "none", dies_at=[2, 2, 2])
    assert code == 2 and "3 workers died of this" in err and not (tmp_path / "none").exists()


def test_what_is_refused_there_is_refused_here_and_nothing_is_written(away, tmp_path):
    code, err = away("adapt", "Joker", "--steps", 0, "--out", tmp_path / "out")
    assert code == 2 and err.startswith("error: steps is 0; it must be between 1 and 2000.") and not (tmp_path / "out").exists()
    (tmp_path / "letter.png").write_text("dear all")
    code, err = away("adapt", "Joker", "--steps", 1, "--out", tmp_path / "out")
    assert code == 0, err


def test_a_picture_that_cannot_be_read_is_named_before_a_worker_is_asked(cli, tmp_path):
    (tmp_path / "letter.png").write_text("dear all")
    code, err = cli("adapt", "Joker", "--workers", 1, "--images", tmp_path / "letter.png", "--out", tmp_path / "out")
    assert code == 2 and err.startswith("error: letter.png ") and not (tmp_path / "out").exists()


def test_pictures_travel_as_their_contents(monkeypatch, tmp_path):
    sent = []
    monkeypatch.setattr("nada_core.cli.adapt_work.Engine", lambda **parts: pytest.fail("no network is needed for this"))
    task = AdaptTask("Joker", {}, {}, [b"one"])
    monkeypatch.setattr("nada_core.cli.adapt_work.adapt_steps", lambda task, state: iter([sent.append((task, state))]))
    list(adapt_elsewhere(task))
    assert sent == [(task, None)]


def test_without_ray_one_sentence_says_what_to_install(cli, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, err = cli("adapt", "Joker", "--workers", 2, "--out", tmp_path / "out")
    assert code == 2 and err == "error: Workers need Ray, which is not installed here. Run `pip install -r requirements-cluster.txt`.\n"
    code, err = cli("adapt", "Joker", "--cluster", "nowhere", "--out", tmp_path / "out")
    assert code == 2 and err.count("\n") == 1 and "is no address of a cluster" in err
    assert not (tmp_path / "out").exists()
