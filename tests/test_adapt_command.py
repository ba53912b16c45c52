"""The command line of the training modes, and Ctrl-C and resuming there, on small networks."""

from __future__ import annotations

import json
import signal
from dataclasses import replace

import pytest
import torch

from nada_core import commands
from nada_core.__main__ import main
from nada_core.checkpoints import load_style
from nada_core.engine import Engine
from nada_core.interrupt import finishing_steps
from tests.small_adaptations import (
    ReadingEncoder,
    small_mobile,
    small_stylegan2,
)


class Interrupting(ReadingEncoder):
    """Ctrl-C in the middle of step ``at``."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def encode_image(self, images):
        if images.requires_grad:
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)
        return super().encode_image(images)


@pytest.fixture
def cli(monkeypatch, capfd, tmp_path):
    """``main`` on a small network: exit code, standard error."""

    def call(*argv, encoder=None, base=None):
        engine = Engine("cpu", styles_folder=tmp_path / "styles")
        vars(engine).update(generator=base or small_stylegan2(), encoder=encoder or ReadingEncoder())
        monkeypatch.setattr(commands, "Engine", lambda *_args, **_options: engine)
        capfd.readouterr()
        code = main([str(word) for word in argv])
        return code, capfd.readouterr().err

    return call


FLAGS = (
    *("--layers", "default", "--mixing", 0.5, "--adaptive-layers", 3, "--adaptive-batch", 2, "--adaptive-steps", 2, "--official-mapping"),
    *("--preset", "paper", "--manifold-weight", 0.3, "--patch-weight", 0.2, "--seed", 5, "--batch", 1),
)


def test_flags_reach_the_options(cli, tmp_path):
    code, err = cli("adapt", "Joker", "--steps", 2, *FLAGS, "--out", tmp_path / "out")
    assert code == 0, err
    options = load_style(tmp_path / "out" / "style.safetensors").card.options
    wanted = {"layers": "default", "mixing": 0.5, "adaptive_layers": 3, "adaptive_batch": 2, "adaptive_steps": 2, "official_mapping": True}
    wanted |= {"preset": "paper", "lr": 0.0016, "manifold_weight": 0.3, "patch_weight": 0.2, "seed": 5, "batch": 1, "steps": 2}
    assert {name: options[name] for name in wanted} == wanted
    lines = [json.loads(line) for line in (tmp_path / "out" / "steps.jsonl").read_text().splitlines()]
    assert [len(line["layers"]) for line in lines] == [3, 3]
    assert not (tmp_path / "out" / "training.safetensors").exists()


def test_ctrl_c_keeps_a_training_that_goes_on_bit_for_bit(cli, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert cli("adapt", "Joker", "--steps", 6, *FLAGS, "--out", whole)[0] == 0
    code, err = cli("adapt", "Joker", "--steps", 6, *FLAGS, "--out", parts, encoder=Interrupting(6 * 3 - 1))
    assert code == 130 and "finishing this step" in err and "keeping the style so far" in err
    stopped = load_style(parts / "style.safetensors").card.steps
    assert 1 <= stopped < 6
    assert cli("adapt", "--resume", parts / "training.safetensors", "--out", parts)[0] == 0
    one, two = (load_style(folder / "style.safetensors") for folder in (whole, parts))
    assert all(torch.equal(one.tensors[name], two.tensors[name]) for name in one.tensors)
    assert replace(one.card, created="") == replace(two.card, created="")
    logs = [[json.loads(line)["loss"] for line in (folder / "steps.jsonl").read_text().splitlines()] for folder in (whole, parts)]
    assert logs[0] == logs[1] and len(logs[0]) == 6


def test_a_kept_training_can_be_lengthened(cli, tmp_path):
    out = tmp_path / "out"
    assert cli("adapt", "Joker", "--steps", 2, "--keep-training", "--out", out)[0] == 0
    code, err = cli("adapt", "--resume", out / "training.safetensors", "--out", out)
    assert code == 2 and "has 2 steps already" in err
    code, err = cli("adapt", "zombie", "--steps", 4, "--resume", out / "training.safetensors", "--out", out)
    assert code == 2 and "was for 'Joker', not for 'zombie'" in err
    code, err = cli("adapt", "--mixing", 0.5, "--steps", 4, "--resume", out / "training.safetensors", "--out", out)
    assert code == 2 and "had mixing 0.0, not 0.5" in err
    code, err = cli("adapt", "--steps", 4, "--resume", out / "training.safetensors", "--out", out, base=small_mobile())
    assert code == 2
    assert cli("adapt", "--steps", 4, "--resume", out / "training.safetensors", "--out", out)[0] == 0
    assert load_style(out / "style.safetensors").card.steps == 4


def test_a_prompt_is_needed_unless_a_run_is_resumed(cli, tmp_path):
    code, err = cli("adapt", "--out", tmp_path / "out")
    assert code == 2 and "prompt is empty" in err
    code, err = cli("adapt", "--resume", tmp_path / "none.safetensors", "--out", tmp_path / "out")
    assert code == 2 and "There is no training file 'none.safetensors'" in err
    assert not (tmp_path / "out").exists()


def test_the_second_ctrl_c_stops_at_once():
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with finishing_steps() as asked:
            assert not asked()
            signal.raise_signal(signal.SIGINT)
            assert asked()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
