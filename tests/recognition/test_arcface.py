"""ArcFace: equal to a plain re-implementation on the published names, what its file may be, and that it guides where it is present."""

from __future__ import annotations

import copy
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.adaptation.latent_edit import LatentOptions
from nada_core.assets.registry import REGISTRY, AssetFile
from nada_core.assets.sources import HubFile
from nada_core.engine import Engine
from nada_core.errors import AssetError, GeneratorError, OptionsError
from nada_core.inversion.base import Inversion
from nada_core.recognition.arcface import ArcFace, face_region
from nada_core.recognition.load import ARCFACE, load_arcface, read_arcface
from tests.helpers.small_adaptations import StandInEncoder, small_stylegan2
from tests.helpers.stylegan2_files import GOLDEN, write

pytestmark = pytest.mark.heavy

HEAD = {
    **{f"output_layer.0.{name}": [512] for name in ("weight", "bias", "running_mean", "running_var")},
    "output_layer.3.weight": [512, 512 * 7 * 7],
    "output_layer.3.bias": [512],
    **{f"output_layer.4.{name}": [512] for name in ("weight", "bias", "running_mean", "running_var")},
}


def shapes() -> dict[str, list[int]]:
    """Names and shapes as published: the backbone's from the reference's e4e, which has the same one, then the head's."""
    golden = json.loads((GOLDEN / "e4e_encoder_keys.json").read_text())
    backbone = {name: shape for name, shape in golden.items() if name.startswith(("input_layer.", "body."))}
    return {name: shape for name, shape in backbone.items() if "num_batches" not in name} | HEAD


def filled() -> dict[str, Tensor]:
    """Random weights through which a picture keeps its size."""
    rng = torch.Generator().manual_seed(3)
    state = {}
    for name, shape in shapes().items():
        value = torch.randn(shape, generator=rng)
        if name.endswith("running_var"):
            value = 1 + 0.2 * value.abs()
        elif len(shape) == 1 and name.endswith("weight"):
            slope = name.endswith(("input_layer.2.weight", "res_layer.2.weight"))
            branch = name.endswith("res_layer.4.weight")  # small: else the numbers grow until rounding decides where a gate opens
            value = 0.25 + 0.02 * value if slope else (0.2 if branch else 1.0) * (1 + 0.05 * value)
        elif len(shape) == 1:
            value *= 0.05
        else:
            value *= 1.2 / value[0].numel() ** 0.5
        state[name] = value
    return state


def flat(**changed: Tensor | None) -> dict[str, Tensor]:
    """A state dict whose file is small: each tensor is one stored number; two underscores stand for a dot, None takes out."""
    state = {name: torch.ones(()).expand(shape) for name, shape in shapes().items()}
    for name, value in changed.items():
        state.pop(name.replace("__", "."), None)
        state |= {} if value is None else {name.replace("__", "."): value}
    return state


def picture(seed: int, side: int = 256) -> Tensor:
    coarse = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, size=(side, side), mode="bicubic").clamp(-1, 1)


def plainly(state: dict[str, Tensor], image: Tensor) -> Tensor:
    """The published code's sums, written from its names alone: pool, cut, pool, 24 units, head, unit length."""

    def normalised(x: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        wide = (1, -1, *(1,) * (x.ndim - 2))
        return (x - mean.view(wide)) / (var.view(wide) + 1e-5).sqrt() * weight.view(wide) + bias.view(wide)

    if image.shape[-1] > 256:
        image = F.avg_pool2d(image, image.shape[-1] // 256)
    region = image[:, :, 35:223, 32:220]
    bins = [(i * 188 // 112, -(-(i + 1) * 188 // 112)) for i in range(112)]  # adaptive pooling: windows that may overlap
    rows = torch.stack([region[:, :, a:b].mean(2) for a, b in bins], 2)
    x = torch.stack([rows[..., a:b].mean(3) for a, b in bins], 3)
    x = F.prelu(normalised(F.conv2d(x, state["input_layer.0.weight"], padding=1), "input_layer.1"), state["input_layer.2.weight"])
    starts = {0, 3, 7, 21}  # of the stages of 3, 4, 14 and 3 units
    for unit in range(24):
        stride, body = 2 if unit in starts else 1, f"body.{unit}.res_layer"
        skip = F.max_pool2d(x, 1, stride)
        if f"body.{unit}.shortcut_layer.0.weight" in state:
            skip = F.conv2d(x, state[f"body.{unit}.shortcut_layer.0.weight"], stride=stride)
            skip = normalised(skip, f"body.{unit}.shortcut_layer.1")
        y = F.prelu(F.conv2d(normalised(x, f"{body}.0"), state[f"{body}.1.weight"], padding=1), state[f"{body}.2.weight"])
        y = normalised(F.conv2d(y, state[f"{body}.3.weight"], stride=stride, padding=1), f"{body}.4")
        gate = F.relu(F.conv2d(F.adaptive_avg_pool2d(y, 1), state[f"{body}.5.fc1.weight"]))
        x = skip + y * torch.sigmoid(F.conv2d(gate, state[f"{body}.5.fc2.weight"]))
    x = normalised(x, "output_layer.0").flatten(1) @ state["output_layer.3.weight"].T + state["output_layer.3.bias"]
    x = normalised(x, "output_layer.4")
    return x / x.norm(dim=1, keepdim=True)


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return filled()


@pytest.fixture(scope="module")
def placed(tmp_path_factory, weights):
    """The folder of a user who has placed the file by hand; removed afterwards."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / ARCFACE).mkdir()
    path = write(folder / ARCFACE / "model_ir_se50.pth", weights, _use_new_zipfile_serialization=False)  # as the published one, of 2019
    yield folder
    path.unlink()


@pytest.fixture(scope="module")
def arcface(placed) -> ArcFace:
    return load_arcface(placed / ARCFACE / "model_ir_se50.pth")


@torch.no_grad()
@pytest.mark.parametrize("side", [256, 512])
def test_equal_to_the_published_sums(arcface, weights, side):
    images = torch.cat([picture(1, side), picture(2, side)])
    expected = plainly({name: value.double() for name, value in weights.items()}, images.double())
    exact = copy.deepcopy(arcface).double()
    *_, maps = exact.backbone(face_region(images.double()))
    torch.testing.assert_close(F.normalize(exact.head(maps), dim=1), expected, rtol=0, atol=1e-12)
    found = arcface(images)
    assert found.shape == (2, 512) and found.dtype == torch.float32
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    error, apart = (found - expected).norm(dim=1).max(), (expected[0] - expected[1]).norm()
    print(f"error {error:.1e} in single precision, two pictures are {apart:.2f} apart")
    assert error <= 1e-5 and apart > 0.1


def test_the_region_is_the_aligned_face():
    image = torch.zeros(1, 3, 256, 256)
    image[:, :, :35], image[:, :, 223:], image[:, :, :, :32], image[:, :, :, 220:] = 1, 1, 1, 1
    assert face_region(image).shape == (1, 3, 112, 112) and face_region(image).abs().max() == 0
    image[:, :, 35, 32] = 1
    assert face_region(image)[0, 0, 0, 0] > 0
    small = picture(1, 64)
    torch.testing.assert_close(face_region(small), face_region(small.repeat_interleave(4, 2).repeat_interleave(4, 3)))
    for shape in ((3, 256, 256), (1, 1, 256, 256), (0, 3, 256, 256)):
        with pytest.raises(ValueError, match="expected \\[N, 3, R, R\\]"):
            face_region(torch.zeros(shape))


def test_gradients_reach_the_picture_and_nothing_else(arcface):
    assert not arcface.training and not any(parameter.requires_grad for parameter in arcface.parameters())
    image = picture(1).requires_grad_()
    before = arcface(picture(2))
    assert not before.requires_grad
    (1 - (arcface(image) * before).sum()).backward()
    outside = image.grad.clone()
    outside[:, :, 35:223, 32:220] = 0
    assert image.grad.abs().max() > 0 and outside.abs().max() == 0
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(arcface(picture(2)), before), "too coarse for a cosine near 1"


def test_the_file_is_the_networks_size(weights):
    (file,) = REGISTRY[ARCFACE].files
    stored = 4 * sum(value.numel() for value in weights.values())
    assert file.size is not None and 0 < file.size - stored < 100_000, "what is left for names and the like"


def test_every_tensor_is_taken(arcface, placed, weights):
    state = read_arcface(placed / ARCFACE / "model_ir_se50.pth")
    assert len(state) == len(weights)
    own = {name: value for name, value in arcface.state_dict().items() if "num_batches" not in name}
    assert own.keys() == state.keys() and all(torch.equal(own[name], state[name]) for name in own)


@pytest.mark.parametrize("zipped", [True, False])
def test_other_layouts_of_the_same_tensors(tmp_path, zipped):
    content = flat(input_layer__1__num_batches_tracked=torch.tensor(9))
    content = {name: value.half() if value.is_floating_point() else value for name, value in content.items()}
    path = write(tmp_path / "x.pth", content, _use_new_zipfile_serialization=zipped)
    assert next(load_arcface(str(path)).parameters()).dtype == torch.float32


class Bomb:
    """Unpickling it the ordinary way runs a command."""

    def __reduce__(self):
        return os.system, ("exit 1",)


BAD = {
    "missing": (lambda: flat(output_layer__3__bias=None), ["lacks", "head.3.bias"]),
    "backbone-only": (lambda: {n: v for n, v in flat().items() if not n.startswith("output")}, ["lacks", "head.0.weight", "more"]),
    "other-depth": (lambda: {n: v for n, v in flat().items() if not n.startswith("body.23.")}, ["lacks", "backbone.units.23"]),
    "left-over": (lambda: flat(fc__weight=torch.ones(1)), ["also holds", "fc.weight"]),
    "for-224-px": (
        lambda: flat(output_layer__3__weight=torch.ones(()).expand(512, 512 * 14 * 14)),
        ["[512, 100352]", "[512, 25088]", "112 px"],
    ),
    "six-channels": (lambda: flat(input_layer__0__weight=torch.ones(()).expand(64, 6, 3, 3)), ["[64, 6, 3, 3]"]),
    "nan": (lambda: flat(output_layer__4__bias=torch.tensor([0.0] * 511 + [torch.nan])), ["head.4.bias", "NaN"]),
    "no-tensor": (lambda: flat() | {"output_layer.4.bias": 3}, ["output_layer.4.bias", "no tensor"]),
    "an-encoder": (lambda: {"state_dict": {"encoder.input_layer.0.weight": torch.ones(1)}, "opts": {}}, ["'state_dict'", "model_ir_se50"]),
    "another-network": (lambda: {"conv1.weight": torch.ones(1)}, ["conv1.weight", "model_ir_se50.pth"]),
    "list": (lambda: [1], ["a list"]),
    "empty": (dict, ["nothing"]),
    "code": (lambda: flat() | {"x": Bomb()}, ["system'", "nothing of it was run"]),
    "text": (lambda: b"nothing of any kind", ["no file of torch"]),
    "a-page": (lambda: b"<html>404</html>", ["a web page"]),
}


@pytest.mark.parametrize("case", BAD)
def test_unusable_files_are_named(tmp_path, case):
    content, words = BAD[case]
    path = write(tmp_path / "bad.pth", content())
    with pytest.raises(GeneratorError) as caught:
        load_arcface(path)
    message = str(caught.value)
    assert "bad.pth" in message and str(tmp_path) not in message and "\n" not in message
    for word in words:
        assert word in message, message


def test_absent_and_damaged_files_are_named(tmp_path):
    with pytest.raises(GeneratorError, match="no recogniser file 'none"):
        load_arcface(tmp_path / "none.pth")
    path = write(tmp_path / "half.pth", flat())
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(GeneratorError, match="damaged"):
        load_arcface(path)


# in the engine


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A machine without the file, and without a network."""
    monkeypatch.setenv("NADA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NADA_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("NADA_OFFLINE", "1")
    monkeypatch.setattr(HubFile, "locate", lambda self, file: None)
    return tmp_path


@pytest.fixture
def engine() -> Engine:
    engine = Engine("cpu")
    engine.generator, engine.encoder = small_stylegan2(), StandInEncoder()
    return engine


@pytest.fixture
def face(engine) -> Inversion:
    with torch.no_grad():
        return Inversion(engine.generator.mapping(engine.generator.sample_z([5]), 0.7))


def present(monkeypatch, folder: Path) -> None:
    """``folder`` has the file, as if it were the published one."""
    asset = replace(REGISTRY[ARCFACE], files=(AssetFile("model_ir_se50.pth"),))
    monkeypatch.setitem(REGISTRY, ARCFACE, asset)
    monkeypatch.setenv("NADA_ASSETS", str(folder))


QUICK = LatentOptions(steps=2, precision="float32", resolution=64, identity_weight=0.5)


def test_guides_where_it_is_present(empty, engine, face, monkeypatch, placed, weights):
    present(monkeypatch, placed)
    steps = list(engine.latent_edit_steps("Joker", face, QUICK))
    assert [step.identity is None for step in steps] == [False] * 3
    expected = 1 - (plain64(weights, steps[0].image) * plain64(weights, steps[-1].image)).sum().item()
    assert steps[-1].identity == pytest.approx(expected, abs=2e-5) and expected > 1e-4
    assert engine.identity_guide() is engine.identity_guide(True), "loaded once"
    assert engine.identity_guide(False) is None
    assert {step.identity for step in engine.latent_edit_steps("Joker", face, QUICK, False)} == {None}
    unweighted = replace(QUICK, identity_weight=0)
    assert {step.identity for step in engine.latent_edit_steps("Joker", face, unweighted)} == {None}


def plain64(weights: dict[str, Tensor], image: Tensor) -> Tensor:
    return plainly(weights, image.repeat_interleave(4, 2).repeat_interleave(4, 3))


def test_without_the_file_nothing_guides_and_nothing_is_fetched(empty, engine, face, monkeypatch):
    def forbidden(*args, **options):
        raise AssertionError("nothing may be downloaded unasked")

    with monkeypatch.context() as patch:
        patch.setattr("nada_core.recognition.load.fetch", forbidden)
        assert engine.identity_guide() is None
        assert {step.identity for step in engine.latent_edit_steps("Joker", face, QUICK)} == {None}
    with pytest.raises(AssetError, match=r"arcface-ir-se50 .*175 MB.*working offline"):
        engine.latent_edit_steps("Joker", face, QUICK, True)
    with pytest.raises(OptionsError, match="identity_weight is 0"):
        engine.latent_edit_steps("Joker", face, replace(QUICK, identity_weight=0), True)


def test_a_file_with_another_checksum_is_not_used(empty, engine):
    (empty / "assets" / ARCFACE).mkdir(parents=True)
    write(empty / "assets" / ARCFACE / "model_ir_se50.pth", flat())
    assert engine.identity_guide() is None
    with pytest.raises(AssetError, match="expected 175,367,323"):
        engine.identity_guide(True)
