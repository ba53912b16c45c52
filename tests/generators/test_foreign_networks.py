"""Networks of other kinds, and facts that a conversion lost: named or read, never guessed in silence."""

from __future__ import annotations

import io
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from nada_core.generators.formats import mobile
from nada_core.generators.load import load_generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from tests.helpers.stylegan2_files import nvidia_pickle, nvidia_state, refused, rosinality_state, same, tiny, write


@pytest.fixture(scope="module")
def generator():
    return tiny()


# the same readers whatever the container


@pytest.mark.heavy
def test_every_kind_of_names_is_read_from_every_container(tmp_path, generator):
    mean = {"latent_avg": generator.w_avg}
    states = {"rosinality": rosinality_state(generator) | mean, "nvidia": nvidia_state(generator), "ours": generator.state_dict()}
    for kind, state in states.items():
        for wrapper in ("", "module."):
            named = {wrapper + name: value.clone() for name, value in state.items()}
            save_file(named, tmp_path / f"{kind}.safetensors")
            write(tmp_path / f"{kind}.pt", named)
            assert same(load_generator(tmp_path / f"{kind}.safetensors"), generator), kind
            assert same(load_generator(tmp_path / f"{kind}.pt"), generator), kind
    save_file({f"G_ema.{name}": value for name, value in states["nvidia"].items()}, tmp_path / "nested.safetensors")
    assert same(load_generator(tmp_path / "nested.safetensors"), generator)


def painting_mobile() -> MobileStyleGAN:
    """A small one whose pictures are no single colour."""
    torch.manual_seed(0)
    small = MobileStyleGAN((8, 8), mapping_layers=1, small_head=False).eval().requires_grad_(False)
    for name, parameter in small.named_parameters():
        if name.endswith(("bias", "const")):
            parameter.normal_()
    return small


def test_mobile_stylegan_is_read_from_every_container(tmp_path):
    small = painting_mobile()
    (tmp_path / "x.safetensors").write_bytes(mobile.to_bytes(small))
    write(tmp_path / "x.pt", small.state_dict())
    for name in ("x.safetensors", "x.pt"):
        loaded = load_generator(tmp_path / name)
        assert loaded.content_hash() == small.content_hash() and not any(p.requires_grad for p in loaded.parameters())


# other kinds of networks


def grey(generator, colours, mobile_names=False):
    state = generator.state_dict()
    for name, value in state.items():
        if "torgb." in name and ".affine" not in name:
            state[name] = value[:1].repeat(colours, *[1] * (value.ndim - 1))
    return state


@pytest.mark.parametrize(("colours", "words"), [(1, "1 colour channel;"), (4, "4 colour channels;"), (12, "12 colour channels;")])
@pytest.mark.parametrize("form", ["pt", "pkl", "safetensors"])
def test_networks_of_other_colours_are_named_as_that(tmp_path, generator, colours, words, form):
    state = grey(generator, colours)
    theirs = {name.replace("blocks.", "synthesis.").replace("mapping_layers.", "mapping.fc"): value for name, value in state.items()}
    theirs["mapping.w_avg"] = theirs.pop("w_avg")
    if form == "safetensors":
        save_file(state, tmp_path / "x.safetensors")
    else:
        write(tmp_path / f"x.{form}", {"G_ema": theirs} if form == "pt" else nvidia_pickle(theirs))
    message = refused(tmp_path / f"x.{form}", words, "red, green and blue")
    assert "damaged" not in message


def test_grey_networks_of_rosinality_are_named_too(tmp_path, generator):
    state = rosinality_state(generator)
    for name, value in state.items():
        if name.startswith("to_rgb") and value.ndim >= 4 and value.shape[1] == 3:
            state[name] = value[:, :1].clone()
    assert "damaged" not in refused(write(tmp_path / "x.pt", {"g_ema": state}), "1 colour channel;")


def test_other_sizes_of_the_start_and_of_kernels_are_named(tmp_path, generator):
    state = generator.state_dict()
    wide = state | {"blocks.b4.const": torch.zeros(12, 4, 8)}
    save_file(wide, tmp_path / "wide.safetensors")
    assert "damaged" not in refused(tmp_path / "wide.safetensors", "not square", "4 x 8")
    points = {
        name: value[..., :1, :1].clone() if name.endswith(("conv0.weight", "conv1.weight")) else value for name, value in state.items()
    }
    save_file(points, tmp_path / "points.safetensors")
    assert "damaged" not in refused(tmp_path / "points.safetensors", "convolutions of 1 x 1", "3 x 3")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"state_dict": {"student.layers.0.conv1.conv.weight_dw": torch.zeros(1)}}, ["MobileStyleGAN's own project", "--base starter"]),
        ({"m.layers.0.up.modulation.weight": torch.zeros(1)}, ["MobileStyleGAN's own project", "--base starter"]),
        ({"g_ema": {"input.input": torch.zeros(1), "conv1.conv.weight": torch.zeros(1), "to_rgbs.0.iwt.ll": torch.zeros(1)}}, ["SWAGAN"]),
        ({"d": {"final_linear.0.weight": torch.zeros(1)}}, ["a discriminator", "g_ema"]),
        ({"b4.fc.weight": torch.zeros(1), "b8.fromrgb.weight": torch.zeros(1)}, ["a discriminator"]),
        ({"g_mapping.0.weight": torch.zeros(1)}, ["StyleGAN1"]),
        ({"model.diffusion_model.x": torch.zeros(1)}, ["a diffusion model"]),
        (torch.zeros(1, 18, 512), ["[1, 18, 512]", "a latent"]),
    ],
)
def test_other_kinds_are_named(tmp_path, content, words):
    assert "damaged" not in refused(write(tmp_path / "x.pt", content), *words, "xpected")


class _Saved:
    """Pickles as a module of another program's."""

    def __init__(self, module: str, name: str) -> None:
        self.place = (module, name)

    def __reduce__(self):
        return _named(*self.place), ()


def _named(module, name):
    kind = type(name, (), {})
    kind.__module__ = module
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:count]), types.ModuleType(parts[count - 1]))
    setattr(sys.modules[module], name, kind)
    return kind


@pytest.fixture
def modules():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("torch_utils.persistence", ["PTI", "G.state_dict()"]),
        ("training.networks_stylegan2", ["PTI", "G.state_dict()"]),
        ("pytorch_lightning.callbacks", ["Lightning", "state_dict"]),
    ],
)
def test_networks_saved_as_objects_are_named_with_the_way_out(tmp_path, modules, module, words):
    for zipped in (True, False):
        content = {"state_dict": {}, "x": _Saved(module, "Thing")}
        refused(write(tmp_path / "x.pt", content, _use_new_zipfile_serialization=zipped), "nothing of it was run", *words)


def test_objects_beside_or_in_place_of_tensors_are_named_with_the_way_out(tmp_path, generator):
    weights = {"g_ema": rosinality_state(generator)}
    for content, words in (
        (nn.Linear(2, 2), ("a whole network saved as an object", "network.state_dict()")),
        (weights | {"iter": np.float64(3)}, ("other values beside its weights", "numpy.", "tensors alone")),
        (weights | {"opts": Path("x")}, ("other values beside its weights", "pathlib.", "tensors alone")),
    ):
        refused(write(tmp_path / "x.pt", content), "nothing of it was run", *words)


# a stranger's network beside the generator


class Odd(nn.Module):
    """A discriminator of other code: its class is not in the table."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU())
        self.kind, self.nested = nn.GELU, [nn.Linear(2, 2), {"x": nn.Identity()}]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_foreign_network_beside_the_generator_does_not_matter(tmp_path, generator, protocol):
    for number, beside in enumerate((nn.Conv2d(3, 3, 1), Odd(), nn.ModuleDict({"a": nn.Linear(1, 1)}))):
        path = write(tmp_path / f"{number}.pkl", nvidia_pickle(nvidia_state(generator), protocol, extra={"D": beside, "other": [beside]}))
        assert same(load_generator(path), generator)


def test_a_foreign_network_within_the_generator_is_refused(tmp_path, generator):
    for place in ("", "synthesis", "mapping.fc0"):
        content = nvidia_pickle(nvidia_state(generator), only=place, plain=True, helper=[{"deep": nn.Conv2d(1, 1, 1)}])
        refused(write(tmp_path / "x.pkl", content), "Conv2d", "Nothing of it was run")
    refused(write(tmp_path / "y.pkl", pickle.dumps({"G_ema": nn.Conv2d(1, 1, 1)})), "torch.nn.modules.conv.Conv2d", "Nothing of it was run")


def test_what_a_foreign_class_would_do_is_not_done(tmp_path, generator):
    ran = tmp_path / "ran"

    pickle.loads(pickle.dumps(Quiet(ran)))  # noqa: S301 (our own: it does write the file)
    assert ran.exists()
    ran.unlink()
    assert same(load_generator(write(tmp_path / "x.pkl", nvidia_pickle(nvidia_state(generator), extra={"D": Quiet(ran)}))), generator)
    assert not ran.exists()


class Quiet:
    """Writes a file when it is filled with its state."""

    def __init__(self, path) -> None:
        self.path = str(path)

    def __setstate__(self, state) -> None:
        open(state["path"], "w").close()


def test_a_pickle_of_a_foreign_class_alone_is_refused(tmp_path):
    buffer = io.BytesIO()
    pickle.dump(Odd(), buffer)
    refused(write(tmp_path / "x.pkl", buffer.getvalue()), "Odd", "Nothing of it was run")


NETWORKS = {
    "a GFPGAN network": "stylegan_decoder.style_conv1.weight",
    "a CLIP model": "visual.conv1.weight",
    "a StyleGAN3 network": "synthesis.input.weight",
    "a diffusion model": "model.diffusion_model.input_blocks.0.weight",
    "an encoder of photos": "encoder.input_layer.0.weight",
}
WRAPPERS = {
    "GFPGAN's": lambda state: {"params_ema": state},
    "any name": lambda state: {"epoch": 3, "my network": state, "optimiser": {"state": {}, "param_groups": []}},
    "two levels": lambda state: {"checkpoint": {"model": state}},
    "in parallel": lambda state: {"params": {f"module.{name}": value for name, value in state.items()}},
}


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_other_networks_are_named_in_any_wrapper(tmp_path, kind, wrapper):
    refused(write(tmp_path / "x.pt", WRAPPERS[wrapper]({NETWORKS[kind]: torch.zeros(2)})), f"is {kind}", NETWORKS[kind])


@pytest.mark.parametrize("kind", NETWORKS)
def test_other_networks_are_named_in_a_container_without_folders(tmp_path, kind):
    save_file({f"params_ema.{NETWORKS[kind]}": torch.zeros(2)}, tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", f"is {kind}")


def test_what_has_no_end_of_wrappers_is_refused(tmp_path):
    endless: dict = {f"part{number}": {"inner": {"deeper": {}}} for number in range(1000)}
    refused(write(tmp_path / "x.pt", endless), "is of no family known here")


FOREIGN_TYPES = [torch.int8, torch.int32, torch.bool, torch.float8_e4m3fn, torch.float8_e5m2]


@pytest.mark.parametrize("dtype", FOREIGN_TYPES)
@pytest.mark.parametrize(
    "part", ["latent_avg", "conv1.conv.weight", "to_rgbs.0.upsample.kernel", "noises.noise_0", "style.1.bias", "input.input"]
)
def test_numbers_of_another_type_are_called_that(tmp_path, generator, dtype, part):
    state = rosinality_state(generator) | {"latent_avg": generator.w_avg}
    state[part] = state[part].to(dtype)
    average = state.pop("latent_avg")
    said = refused(write(tmp_path / "x.pt", {"g_ema": state, "latent_avg": average}), f"is stored as {str(dtype)[6:]}; expected float32")
    assert "damaged" not in said and "NaN" not in said and "filter" not in said


@pytest.mark.parametrize("dtype", FOREIGN_TYPES)
@pytest.mark.parametrize("names", ["nvidia", "ours"])
def test_whole_networks_of_another_type_are_called_that(tmp_path, generator, dtype, names):
    state = nvidia_state(generator) if names == "nvidia" else generator.state_dict()
    content = {name: value.to(dtype) for name, value in state.items()}
    refused(
        write(tmp_path / "x.pt", {"G_ema": content} if names == "nvidia" else content), f"is stored as {str(dtype)[6:]}; expected float32"
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read(tmp_path, generator, dtype):
    content = {name: value.to(dtype) for name, value in rosinality_state(generator).items()}
    read = load_generator(write(tmp_path / "x.pt", {"g_ema": content, "latent_avg": generator.w_avg.to(dtype)}))
    assert all(value.dtype == torch.float32 for value in read.state_dict().values())
