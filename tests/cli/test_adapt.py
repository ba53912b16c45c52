"""The command line of the training modes, and Ctrl-C and resuming there, on small networks."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shlex
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from nada_core.adaptation.options import AdaptOptions
from nada_core.cli import adapt_work as command
from nada_core.cli.adapt_flags import add_adapt_flags, given_options, parts_again
from nada_core.cli.interrupt import finishing_steps
from nada_core.cli.main import main
from nada_core.engine import Engine
from nada_core.styles.files import load_style
from nada_core.ui.requests import AdaptExtras
from tests.helpers.small_adaptations import (
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
    """``main`` on a small network: exit code, standard error. Of the last call ``.out`` is its output, ``.asked`` its engine's parts."""

    def call(*argv, encoder=None, base=None):
        engine = Engine("cpu", styles_folder=tmp_path / "styles")
        vars(engine).update(generator=base or small_stylegan2(), encoder=encoder or ReadingEncoder())

        def make(device, **parts):
            call.asked = {"device": device, **parts}
            return engine

        monkeypatch.setattr(command, "Engine", make)
        capfd.readouterr()
        code = main([str(word) for word in argv])
        call.out, err = capfd.readouterr()
        return code, err

    return call


#: Values for the flags that take no single number.
EXAMPLES = {"--betas": ["0.5", "0.9"], "--layer-rates": ["1", "1", "1"], "--precision": ["auto"], "--official-mapping": []}

FLAGS = (
    *("--layers", "default", "--mixing", 0.5, "--adaptive-layers", 3, "--adaptive-batch", 2, "--adaptive-steps", 2, "--official-mapping"),
    *("--preset", "paper", "--manifold-weight", 0.3, "--patch-weight", 0.2, "--seed", 5, "--batch", 1),
    *("--truncation", 0.9, "--latent-pool", 9, "--crops", 1, "--direction-weight", 0.8, "--global-weight", 0.1, "--keep-weight", 2),
    *("--adaptive-lr", 0.02, "--patch-parts", "animal", "--average", 0.5, "--warmup", 3, "--max-gradient", 5, "--precision", "float32"),
    *("--betas", 0.1, 0.98, "--layer-rates", 1, 0.5, 0.25),
)


def test_flags_reach_the_options(cli, tmp_path):
    code, err = cli("adapt", "Joker", "--steps", 2, *FLAGS, "--out", tmp_path / "out")
    assert code == 0, err
    options = load_style(tmp_path / "out" / "style.safetensors").card.options
    wanted = {"layers": "default", "mixing": 0.5, "adaptive_layers": 3, "adaptive_batch": 2, "adaptive_steps": 2, "official_mapping": True}
    wanted |= {"preset": "paper", "lr": 0.0016, "manifold_weight": 0.3, "patch_weight": 0.2, "seed": 5, "batch": 1, "steps": 2}
    wanted |= {"truncation_psi": 0.9, "latent_pool": 9, "crops": 1, "direction_weight": 0.8, "global_weight": 0.1, "keep_weight": 2}
    wanted |= {"adaptive_lr": 0.02, "patch_parts": "animal", "average": 0.5, "warmup": 3, "max_gradient": 5, "precision": "float32"}
    wanted |= {"betas": [0.1, 0.98], "layer_rates": [1, 0.5, 0.25], "noise": "random"}  # the noise by the preset
    assert {name: options[name] for name in wanted} == wanted
    lines = [json.loads(line) for line in (tmp_path / "out" / "steps.jsonl").read_text().splitlines()]
    assert [len(line["layers"]) for line in lines] == [3, 3]
    assert not (tmp_path / "out" / "training.safetensors").exists()


def test_every_option_of_an_adaptation_has_a_flag(tmp_path):
    parser = argparse.ArgumentParser()
    add_adapt_flags(parser)
    nothing = parser.parse_args(["--out", str(tmp_path)])
    flags = set(vars(nothing))
    fields = {field.name for field in dataclasses.fields(AdaptOptions) if not field.name.startswith("preview_")}
    assert fields <= flags, fields - flags
    assert {field.name for field in dataclasses.fields(AdaptExtras)} <= fields, "the page's settings for experts are options too"
    assert given_options(nothing) == {} and parts_again(nothing) == ""
    everything = ["--" + name.removesuffix("_psi").replace("_", "-") for name in sorted(fields)]
    words = [word for flag in everything for word in (flag, *EXAMPLES.get(flag, ["1"]))]
    assert set(given_options(parser.parse_args([*words, "--out", str(tmp_path)]))) == fields


def continuation(text: str) -> list[str]:
    """The words of the command that is printed, as a shell reads them, without the program."""
    (command,) = re.findall(r"to go on, `python -m nada_core (.*)`$", text, re.MULTILINE)
    return shlex.split(command)


@pytest.mark.heavy
def test_the_printed_continuation_works_as_it_stands(cli, capfd, tmp_path, monkeypatch):
    """With everything a person gave: a base, an encoder's file, a world, a device, pictures, in folders with blanks."""
    folder = tmp_path / "it's my folder"
    folder.mkdir()
    pictures = [folder / "one face.png", folder / "two.png"]
    for number, file in enumerate(pictures):
        Image.effect_noise((64, 64), 60 + 30 * number).convert("RGB").save(file)
    monkeypatch.setattr("nada_core.engine.Engine.editor", SimpleNamespace(target=Image.open))
    parts = ["--device", "cpu", "--world", "full", "--base", str(folder / "ffhq.pt"), "--encoder", f"ViT-B-32@{folder / 'clip.pt'}"]
    parts += ["--images", *map(str, pictures)]
    out = folder / "out"
    assert cli("adapt", "Joker", "--steps", 2, "--keep-training", "--out", out, *parts)[0] == 0
    again = continuation(cli.out)
    assert again == ["adapt", "--resume", str(out / "training.safetensors"), "--out", str(out), "--steps", "4", *parts]
    assert cli(*again)[0] == 0, "the same command goes on"
    assert cli.asked == {"device": "cpu", "world": "full", "base": parts[5], "encoder": parts[7]}
    assert load_style(out / "style.safetensors").card.steps == 4


def test_the_printed_continuation_names_only_what_was_given(cli, tmp_path):
    out = tmp_path / "out"
    assert cli("adapt", "Joker", "--steps", 4, "--out", out, encoder=Interrupting(3))[0] == 130
    again = continuation(cli.out)
    assert again == ["adapt", "--resume", str(out / "training.safetensors"), "--out", str(out)]
    assert cli(*again)[0] == 0 and load_style(out / "style.safetensors").card.steps == 4


@pytest.mark.heavy
def test_ctrl_c_keeps_a_training_that_goes_on_bit_for_bit(cli, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert cli("adapt", "Joker", "--steps", 4, *FLAGS, "--out", whole)[0] == 0
    code, err = cli("adapt", "Joker", "--steps", 4, *FLAGS, "--out", parts, encoder=Interrupting(6 * 2 - 1))
    assert code == 130 and "finishing this step" in err and "keeping the style so far" in err
    stopped = load_style(parts / "style.safetensors").card.steps
    assert 1 <= stopped < 4
    assert cli("adapt", "--resume", parts / "training.safetensors", "--out", parts)[0] == 0
    one, two = (load_style(folder / "style.safetensors") for folder in (whole, parts))
    assert all(torch.equal(one.tensors[name], two.tensors[name]) for name in one.tensors)
    assert replace(one.card, created="") == replace(two.card, created="")
    logs = [[json.loads(line)["loss"] for line in (folder / "steps.jsonl").read_text().splitlines()] for folder in (whole, parts)]
    assert logs[0] == logs[1] and len(logs[0]) == 4


@pytest.mark.heavy
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
