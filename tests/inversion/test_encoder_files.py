"""Files of photo encoders: every published layout is read, nothing in a file runs, what cannot be used is named."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import torch

from nada_core.errors import GeneratorError, OptionsError
from nada_core.inversion import load_inverter
from tests.helpers.encoder_files import KINDS, NUM_WS, W_DIM, flat, published
from tests.helpers.stylegan2_files import nvidia_pickle, nvidia_state, rosinality_state, tiny, write

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def generator():
    return tiny()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_layout_is_read(tmp_path, kind, zipped):
    state = flat(kind)
    bare = {name: value for name, value in state.items() if "num_batches" not in name}
    options = vars(published(kind, state)["opts"]) | {"device": torch.device("cuda:0"), "exp_dir": None, "betas": (0.9, 0.999)}
    for content in (published(kind, state), published(kind, state, opts=options), published(kind, state, opts=None), bare):
        path = write(tmp_path / "x.pt", content, _use_new_zipfile_serialization=zipped)
        inverter = load_inverter(kind, weights=str(path), device="cpu")
        assert (inverter.name, inverter.num_ws, inverter.w_dim) == (kind, NUM_WS, W_DIM)
    halves = {name: torch.ones((), dtype=torch.half).expand(value.shape) for name, value in state.items()}
    assert next(load_inverter(kind, weights=write(tmp_path / "x.pt", halves)).parameters()).dtype == torch.float32


@pytest.mark.parametrize("num_ws", [4, 8, 14, 16])
def test_the_number_of_heads_is_found(tmp_path, generator, num_ws):
    for kind in KINDS:
        inverter = load_inverter(kind, weights=write(tmp_path / "x.pt", flat(kind, num_ws)))
        assert inverter.num_ws == num_ws
        with pytest.raises(GeneratorError) as caught:
            inverter(torch.zeros(1, 3, 256, 256), generator)
        for word in (kind, f"gives {num_ws} latents of 16", f"{2 ** (num_ws // 2 + 1)} px", "64 px, takes 10 of 16", "Load"):
            assert word in str(caught.value)


def refused(path: Path, *words: str, kind: str = "e4e") -> None:
    with pytest.raises(GeneratorError) as caught:
        load_inverter(kind, weights=path)
    message = str(caught.value)
    assert path.name in message and str(path.parent) not in message and "\n" not in message
    for word in words:
        assert word in message, message


class Bomb:
    """Unpickling it the ordinary way writes a file."""

    def __init__(self, target: Path) -> None:
        self.command = f"touch '{target}'"

    def __reduce__(self):
        return os.system, (self.command,)


def test_foreign_classes_in_options_are_named_and_do_not_run(tmp_path):
    ran = tmp_path / "ran"
    for opts in (Bomb(ran), Namespace(start_from_latent_avg=True, extra=Bomb(ran)), {"extra": [Bomb(ran)]}):
        for zipped in (True, False):
            path = write(tmp_path / "x.pt", published("e4e", flat("e4e"), opts=opts), _use_new_zipfile_serialization=zipped)
            refused(path, f"asks for '{os.system.__module__}.system'", "nothing of it was run")
            assert not ran.exists()
    torch.load(path, weights_only=False)  # the ordinary way
    assert ran.exists()
    refused(write(tmp_path / "y.pt", published("e4e", flat("e4e"), opts=Namespace(path=Path("x")))), "asks for 'pathlib")


def changed(kind: str = "e4e", **values) -> dict:
    """A published file with tensors replaced, or taken out where None; two underscores stand for a dot."""
    state = flat(kind)
    for name, value in values.items():
        state.pop(name.replace("__", "."), None)
        state |= {} if value is None else {name.replace("__", "."): value}
    return published(kind, state)


def without(start: str) -> dict:
    return published("e4e", {name: value for name, value in flat("e4e").items() if not name.startswith(start)})


NAN = torch.tensor([0.0] * 63 + [torch.nan])


BAD = {
    "nan": (lambda: changed(input_layer__1__bias=NAN), ["backbone.stem.1.bias", "NaN"]),
    "integers": (lambda: changed(input_layer__1__bias=torch.zeros(64, dtype=torch.int32)), ["backbone.stem.1.bias", "is stored as int32"]),
    "nan-average": (lambda: published("e4e", flat("e4e"), latent_avg=NAN[-W_DIM:]), ["latent_avg", "NaN"]),
    "average-of-another-size": (lambda: published("e4e", flat("e4e"), latent_avg=torch.zeros(18, 512)), ["[18, 512]", "[10, 16]"]),
    "average-no-tensor": (lambda: published("e4e", flat("e4e"), latent_avg=[0.0]), ["latent_avg", "list"]),
    "shape": (lambda: changed(latlayer1__weight=torch.zeros(512, 128, 1, 1)), ["[512, 128, 1, 1]", "[512, 256, 1, 1]"]),
    "other-depth": (lambda: without("body.23"), ["lacks", "backbone.units.23", "more"]),
    "left-over": (lambda: changed(output_layer__0__weight=torch.zeros(1)), ["output_layer.0.weight"]),
    "missing-head": (lambda: without("styles.4"), ["0, 1, 2, 3, 5", "heads"]),
    "no-heads": (lambda: without("styles"), ["none"]),
    "no-linear": (lambda: changed(styles__0__linear__weight=None), ["styles.0.linear.weight", "missing"]),
    "grey": (lambda: changed(input_layer__0__weight=torch.zeros(64, 1, 3, 3)), ["[64, 1, 3, 3]", "3 or 6"]),
    "no-tensor": (lambda: changed(input_layer__1__bias=3), ["input_layer.1.bias", "no tensor"]),
    "resnet": (lambda: published("e4e", {"conv1.weight": torch.zeros(1)}), ["another backbone"]),
    "psp": (
        lambda: published("e4e", flat("e4e"), opts={"encoder_type": "GradualStyleEncoder"}),
        ["GradualStyleEncoder", "Encoder4Editing"],
    ),
    "option": (lambda: published("e4e", flat("e4e"), opts={"start_from_latent_avg": "yes"}), ["start_from_latent_avg", "str"]),
    "options": (lambda: published("e4e", flat("e4e"), opts=[1]), ["opts", "list"]),
    "restyle": (lambda: published("restyle-e4e", flat("restyle-e4e")), ["is a restyle-e4e encoder", "Load it as 'restyle-e4e'"]),
    "rosinality": (lambda: {"g_ema": rosinality_state(tiny()), "latent_avg": torch.zeros(16)}, ["is a generator", "base model"]),
    "nvidia": (lambda: {"G_ema": nvidia_state(tiny())}, ["is a generator", "base model"]),
    "nvidia-pickle": (lambda: nvidia_pickle(nvidia_state(tiny())), ["no file of torch", "e4e"]),
    "state-dict": (lambda: {"state_dict": [1]}, ["list"]),
    "other": (lambda: {"fc.weight": torch.zeros(1)}, ["fc.weight"]),
    "tensor": (lambda: torch.zeros(3), ["a Tensor"]),
    "empty": (dict, ["nothing"]),
    "text": (lambda: b"<html>404</html>", ["a web page"]),
    "no-file-of-torch": (lambda: b"weights", ["no file of torch"]),
    "average-of-integers": (
        lambda: published("e4e", flat("e4e"), latent_avg=torch.zeros(W_DIM, dtype=torch.int64)),
        ["latent_avg", "is stored as int64"],
    ),
    "eight-bits": (lambda: changed(input_layer__1__bias=torch.zeros(64).to(torch.float8_e5m2)), ["is stored as float8_e5m2"]),
}


@pytest.mark.parametrize("case", BAD)
def test_unusable_files_are_named(tmp_path, case):
    content, words = BAD[case]
    refused(write(tmp_path / "bad.pt", content()), *words)


def test_restyle_psp_is_not_taken_for_restyle_e4e(tmp_path):
    path = write(tmp_path / "x.pt", published("restyle-e4e", flat("restyle-e4e"), opts={"encoder_type": "BackboneEncoder"}))
    refused(path, "BackboneEncoder", "ProgressiveBackboneEncoder", kind="restyle-e4e")


def test_truncated_and_missing_files_are_named(tmp_path):
    for zipped in (True, False):
        path = write(tmp_path / "x.pt", published("e4e", flat("e4e")), _use_new_zipfile_serialization=zipped)
        content = path.read_bytes()
        for share in (0.3, 0.99):
            path.write_bytes(content[: int(share * len(content))])
            refused(path, "damaged", "Download it again")
    refused(tmp_path / "absent.pt", "There is no encoder file")
    refused(tmp_path, "is a folder. Give a file in it.")


def test_names_and_default_files(monkeypatch, tmp_path):
    with pytest.raises(OptionsError, match="e4e and restyle-e4e"):
        load_inverter("psp")
    asked = []
    path = write(tmp_path / "x.pt", flat("e4e"))
    monkeypatch.setattr("nada_core.inversion.load.fetch", lambda name: asked.append(name) or path)
    load_inverter("e4e")
    with pytest.raises(GeneratorError):
        load_inverter("restyle-e4e")
    assert asked == ["e4e-ffhq", "restyle-e4e-ffhq"]


def test_importing_the_package_loads_no_torch():
    code = "import sys, nada_core.inversion as i; assert 'torch' not in sys.modules and 'load_inverter' in i.__all__"
    subprocess.run([sys.executable, "-c", code], check=True)
