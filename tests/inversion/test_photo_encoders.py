"""Encoders of the full world: parity with the reference, published files, ReStyle's loop, what is refused; nothing in a file runs."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import zlib
from argparse import Namespace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.errors import GeneratorError, OptionsError
from nada_core.inversion import InversionStage, PhotoEncoder, load_inverter
from nada_core.inversion.e4e import E4E
from nada_core.inversion.style_heads import offsets_from_first
from tests.helpers.stylegan2_files import GOLDEN, fill, golden_arrays, nvidia_pickle, nvidia_state, relative, rosinality_state, tiny, write

pytestmark = pytest.mark.heavy

KINDS = {"e4e": ("e4e_encoder", "Encoder4Editing"), "restyle-e4e": ("restyle_e4e_encoder", "ProgressiveBackboneEncoder")}
NORMS = (".bn", "input_layer.1", "res_layer.0", "res_layer.4", "shortcut_layer.1")
W_DIM, NUM_WS = 16, 10  # of the small encoders: for a StyleGAN2 of 64 px


def shapes(kind: str, num_ws: int = 18, w_dim: int = 512) -> dict[str, list[int]]:
    """Names and shapes in the reference's naming, for a generator of any size."""
    out = {}
    for name, shape in json.loads((GOLDEN / f"{KINDS[kind][0]}_keys.json").read_text()).items():
        if name.startswith("styles."):
            if int(name.split(".")[1]) >= num_ws:
                continue
            reads = shape[1] if ".convs.0." in name and len(shape) == 4 else w_dim
            shape = [w_dim, reads, *shape[2:]] if len(shape) > 1 else [w_dim]
        out[name] = shape
    return out


def filled(kind: str, num_ws: int = 18, w_dim: int = 512) -> dict[str, Tensor]:
    """A state dict by the rules of tests/golden/README.md."""
    state = {}
    for name, shape in shapes(kind, num_ws, w_dim).items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
            continue
        value = fill(name, *shape)
        if name.endswith("running_mean"):
            value *= 0.05
        elif name.endswith("running_var"):
            value = 1 + 0.2 * value.abs()
        elif len(shape) == 1 and name.endswith("weight"):
            value = 1 + 0.05 * value if name.removesuffix(".weight").endswith(NORMS) else 0.25 + 0.02 * value
        elif len(shape) == 1:
            value *= 0.02
        elif len(shape) == 4:
            value *= 1.2 / math.sqrt(math.prod(shape[1:]))
        state[name] = value
    return state


def published(kind: str, state: dict[str, Tensor], **parts) -> dict:
    """The layout of the published files; a keyword of None leaves its part out."""
    opts = Namespace(
        encoder_type=KINDS[kind][1], start_from_latent_avg=True, device="cuda", checkpoint_path="/home/someone/e4e.pt", lr=1e-4
    )
    content = {"state_dict": {f"encoder.{name}": value for name, value in state.items()} | {"decoder.input.input": torch.zeros(1, 2, 4, 4)}}
    content |= {"opts": opts, "latent_avg": 0.2 * fill("latent_avg", NUM_WS, W_DIM)} | parts
    return {name: part for name, part in content.items() if part is not None}


def flat(kind: str, num_ws: int = NUM_WS, w_dim: int = W_DIM) -> dict[str, Tensor]:
    """A state dict whose file is small: each tensor is one stored number."""
    return {name: torch.ones(()).expand(shape) for name, shape in shapes(kind, num_ws, w_dim).items()}


def picture(name: str, channels: int = 3, count: int = 1) -> Tensor:
    rng = torch.Generator().manual_seed(int.from_bytes(name.encode(), "big") % 2**31)
    return 2 * torch.rand(count, channels, 256, 256, generator=rng) - 1


@pytest.fixture(scope="module")
def generator():
    return tiny()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Files of both kinds for the 64 px generator, removed afterwards."""
    folder = tmp_path_factory.mktemp("encoders")
    yield {kind: write(folder / f"{kind}.pt", published(kind, filled(kind, NUM_WS, W_DIM))) for kind in KINDS}
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture(scope="module")
def e4e(small) -> PhotoEncoder:
    return load_inverter("e4e", weights=small["e4e"])


@pytest.fixture(scope="module")
def restyle(small) -> PhotoEncoder:
    return load_inverter("restyle-e4e", weights=small["restyle-e4e"])


# parity, first in the file: the largest networks are gone before others are made


@pytest.mark.parametrize(("kind", "seed"), [("e4e", "photo"), ("restyle-e4e", "photo6")])
def test_equal_to_the_reference(tmp_path, kind, seed):
    average = 0.2 * fill("latent_avg", 18, 512)
    path = write(tmp_path / "x.pt", published(kind, filled(kind), latent_avg=average))
    try:
        inverter = load_inverter(kind, weights=path)
    finally:
        path.unlink()
    assert (inverter.num_ws, inverter.w_dim) == (18, 512)
    channels = 3 if kind == "e4e" else 6
    photo = 2 * torch.rand(1, channels, 256, 256, generator=torch.Generator().manual_seed(zlib.crc32(seed.encode()))) - 1
    golden = golden_arrays(KINDS[kind][0])["codes"]
    codes = inverter.encode(photo)
    assert codes.shape == (1, 18, 512)
    error = relative(codes, golden)
    print(f"{kind}: relative error {error:.1e}")
    assert error <= 1e-4
    assert relative(inverter.encode(photo.flip(3)), golden) > 1e-2  # the tolerance tells pictures apart
    if kind == "e4e":
        ws = inverter(photo, tiny(channels=(2,) * 9, w_dim=512, z_dim=512), "float32")
        assert relative(ws, golden + average) <= 1e-4


# e4e


@torch.no_grad()
def test_e4e_adds_the_average_where_its_options_say_so(monkeypatch, tmp_path, generator, e4e):
    photo = picture("face")
    codes, average = e4e.encode(photo), 0.2 * fill("latent_avg", NUM_WS, W_DIM)
    assert torch.equal(e4e(photo, generator, "float32"), codes + average)
    monkeypatch.setattr(E4E, "encode", lambda self, images: codes)  # below, the files differ in what is beside the weights
    state, row = flat("e4e"), average[:1]
    for content, expected in (
        (published("e4e", state), codes + average),
        (published("e4e", state, latent_avg=average[None]), codes + average),
        (published("e4e", state, opts={"start_from_latent_avg": False}), codes),
        (published("e4e", state, opts=Namespace(start_from_latent_avg=True), latent_avg=row[0]), codes + row),
        (published("e4e", state, opts={}, latent_avg=row.half()), codes + row.half().float()),
        (published("e4e", state, latent_avg=None), codes + generator.w_avg),
        (state, codes + generator.w_avg),
    ):
        inverter = load_inverter("e4e", weights=write(tmp_path / "x.pt", content))
        assert torch.equal(inverter(photo, generator, "float32"), expected)


def test_e4e_gives_one_stage_with_its_picture(generator, e4e):
    photos = picture("two", count=2)
    (stage,) = e4e.stages(photos, generator, "float32")
    assert isinstance(stage, InversionStage) and stage.fraction == 1 and stage.name == "encoding"
    assert stage.inversion.ws.shape == (2, NUM_WS, W_DIM) and stage.image.shape == (2, 3, 256, 256)
    rendered = generator.synthesis(stage.inversion.ws)
    torch.testing.assert_close(stage.image, F.adaptive_avg_pool2d(rendered, 256))
    for i in (0, 1):  # a photo's codes do not depend on what stands beside it
        torch.testing.assert_close(e4e(photos[i : i + 1], generator, "float32")[0], stage.inversion.ws[i], rtol=1e-4, atol=1e-4)


def test_photos_of_other_sizes_are_resized(generator, e4e):
    photo = F.interpolate(picture("large"), scale_factor=2)
    small_photo = F.interpolate(photo, size=(256, 256), mode="bilinear", antialias=True)
    torch.testing.assert_close(e4e(photo, generator, "float32"), e4e(small_photo, generator, "float32"))


def test_first_latent_and_differences():
    latents = torch.arange(6.0).reshape(1, 3, 2)
    assert offsets_from_first(latents).tolist() == [[[0, 1], [2, 4], [4, 6]]]


# ReStyle


@torch.no_grad()
def test_restyle_corrects_its_own_reconstruction(monkeypatch, generator, restyle):
    photo = picture("person")
    stages = list(restyle.stages(photo, generator, "float32"))
    assert [round(s.fraction, 2) for s in stages] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert [s.name for s in stages] == [f"encoding, look {i} of 5" for i in range(1, 6)]
    ws = (0.2 * fill("latent_avg", NUM_WS, W_DIM))[None]
    for stage in stages:
        shown = F.adaptive_avg_pool2d(generator.synthesis(ws), 256)
        ws = ws + restyle.encode(torch.cat([photo, shown], 1))
        assert relative(stage.inversion.ws, ws) <= 1e-4
        assert relative(stage.image, F.adaptive_avg_pool2d(generator.synthesis(ws), 256)) <= 1e-3
        ws = stage.inversion.ws
    assert ws.shape == (1, NUM_WS, W_DIM) and stages[-1].image.shape == (1, 3, 256, 256)
    assert all(relative(a.inversion.ws, b.inversion.ws) > 1e-3 for a, b in pairwise(stages))
    monkeypatch.setattr(restyle, "steps", 2)  # and again, in a batch
    both = restyle(torch.cat([photo, picture("other")]), generator, "float32")
    # a batch is summed up in another order, and two looks of a random network magnify the rounding
    assert both.shape == (2, NUM_WS, W_DIM) and relative(both[:1], stages[1].inversion.ws) <= 1e-3 < relative(both[1:], both[:1])


@torch.no_grad()
@pytest.mark.parametrize("content", ["no-average", "not-from-average"])
def test_restyle_always_starts_from_an_average(tmp_path, small, generator, restyle, content):
    """As in its authors' code, whatever ``start_from_latent_avg`` says; a file without an average takes the generator's."""
    data = torch.load(small["restyle-e4e"], weights_only=False)
    if content == "no-average":
        del data["latent_avg"]
        start = generator.w_avg.expand(1, NUM_WS, -1)
    else:
        data["opts"].start_from_latent_avg = False
        start = data["latent_avg"][None]
    inverter = load_inverter("restyle-e4e", weights=write(tmp_path / "x.pt", data))
    (tmp_path / "x.pt").unlink()
    first = next(iter(inverter.stages(picture("person"), generator, "float32")))
    shown = F.adaptive_avg_pool2d(generator.synthesis(start), 256)
    expected = start + restyle.encode(torch.cat([picture("person"), shown], 1))
    assert relative(first.inversion.ws, expected) <= 1e-4


def test_encoders_are_frozen_and_leave_the_caller_alone(generator, e4e, restyle):
    photo = picture("face").requires_grad_()
    for inverter in (e4e, restyle):
        assert not inverter.training and not any(p.requires_grad for p in inverter.parameters())
        stages = inverter.stages(photo, generator, "float32")
        stage = next(stages)
        assert torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
        assert not stage.inversion.ws.requires_grad and not stage.image.requires_grad
        stages.close()
    assert all(m.running_var.dtype == torch.float32 for m in e4e.modules() if isinstance(m, torch.nn.BatchNorm2d))


@pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="bfloat16 is only emulated on this processor: minutes, and never chosen here"
)
def test_bfloat16_is_close(generator, e4e):
    exact, fast = (e4e(picture("face"), generator, precision) for precision in ("float32", "bfloat16"))
    assert fast.dtype == torch.float32 and 0 < relative(fast, exact) < 0.05


# files


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


def test_wrong_photos_and_latents_are_named(generator, e4e):
    for shape in ((3, 256, 256), (1, 1, 256, 256), (1, 6, 256, 256), (0, 3, 256, 256)):
        with pytest.raises(ValueError, match="expected \\[N, 3, H, W\\]"):
            e4e(torch.zeros(shape), generator)
    with pytest.raises(GeneratorError, match="10 latents of 16 numbers"):
        e4e(torch.zeros(1, 3, 256, 256), tiny(w_dim=8))


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
