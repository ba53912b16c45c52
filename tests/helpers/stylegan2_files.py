"""Make small StyleGAN2 networks, the golden weights, and files as rosinality's and NVIDIA's own code writes them."""

from __future__ import annotations

import io
import json
import math
import pickle
import sys
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nada_core.errors import GeneratorError
from nada_core.generators.load import load_generator
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from nada_core.styles.files import Style, StyleCard
from tests.helpers.folders import GOLDEN
from tests.helpers.made_once import made_once


@made_once
def tiny(seed: int = 0, channels: tuple[int, ...] = (12, 10, 8, 8, 6), **options) -> StyleGAN2:
    """64 px, a few channels, with noise strengths and biases that matter."""
    torch.manual_seed(seed)
    generator = StyleGAN2(StyleGAN2Config(channels, **({"z_dim": 16, "w_dim": 16, "mapping_layers": 2} | options)))
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.normal_().mul_(0.3)
        elif name.endswith("bias"):
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    generator.w_avg.normal_()
    return generator.eval().requires_grad_(False)


def fill(name: str, *shape: int) -> Tensor:
    """The rule of tests/golden/README.md."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(zlib.crc32(name.encode())))


def fir() -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps) / 64


def golden_state(which: str) -> dict[str, Tensor]:
    """The reference state dict of ``rosinality_64`` or ``nvidia_64``."""
    state = {}
    for name, shape in json.loads((GOLDEN / f"{which}_keys.json").read_text()).items():
        value = fill(name, *shape)
        if name.endswith(".kernel"):
            value = fir() * 4
        elif name.endswith("resample_filter"):
            value = fir()
        elif name.startswith(("style.", "mapping.fc")):
            value *= 100 if name.endswith("weight") else 10
        elif name.endswith(("modulation.bias", "affine.bias")):
            value = 1 + 0.1 * value
        elif name.endswith(("noise.weight", "noise_strength", "bias")):
            value *= 0.1
        elif name.endswith("w_avg"):
            value *= 0.2
        state[name] = value
    return state


def golden_arrays(which: str) -> dict[str, Tensor]:
    with np.load(GOLDEN / f"{which}.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def rosinality_state(generator: StyleGAN2) -> dict[str, Tensor]:
    """Written out by hand, independently of the converter, as rosinality's Generator names and shapes its weights."""
    own = generator.state_dict()
    out: dict[str, Tensor] = {}

    def styled(theirs: str, block: str, noise: int, up: bool) -> None:
        out[f"{theirs}.conv.weight"] = own[f"{block}.weight"][None]
        if up:
            out[f"{theirs}.conv.blur.kernel"] = fir() * 4
        out[f"{theirs}.conv.modulation.weight"], out[f"{theirs}.conv.modulation.bias"] = (
            own[f"{block}.affine.weight"],
            own[f"{block}.affine.bias"],
        )
        out[f"{theirs}.noise.weight"] = own[f"{block}.noise_strength"].reshape(1)
        out[f"{theirs}.activate.bias"] = own[f"{block}.bias"]
        out[f"noises.noise_{noise}"] = own[f"{block}.noise_const"][None, None]

    def to_rgb(theirs: str, block: str) -> None:
        out[f"{theirs}.bias"] = own[f"{block}.bias"].reshape(1, 3, 1, 1)
        out[f"{theirs}.conv.weight"] = own[f"{block}.weight"][None]
        out[f"{theirs}.conv.modulation.weight"], out[f"{theirs}.conv.modulation.bias"] = (
            own[f"{block}.affine.weight"],
            own[f"{block}.affine.bias"],
        )

    for i in range(len(generator.mapping_layers)):
        out[f"style.{i + 1}.weight"], out[f"style.{i + 1}.bias"] = own[f"mapping_layers.{i}.weight"], own[f"mapping_layers.{i}.bias"]
    out["input.input"] = own["blocks.b4.const"][None]
    styled("conv1", "blocks.b4.conv1", 0, False)
    to_rgb("to_rgb1", "blocks.b4.torgb")
    for level in range(3, int(math.log2(generator.img_resolution)) + 1):
        i, block = level - 3, f"blocks.b{2**level}"
        styled(f"convs.{2 * i}", f"{block}.conv0", 2 * i + 1, True)
        styled(f"convs.{2 * i + 1}", f"{block}.conv1", 2 * i + 2, False)
        out[f"to_rgbs.{i}.upsample.kernel"] = fir() * 4
        to_rgb(f"to_rgbs.{i}", f"{block}.torgb")
    return {name: value.clone() for name, value in out.items()}


def nvidia_state(generator: StyleGAN2) -> dict[str, Tensor]:
    """As NVIDIA's Generator names its weights."""
    out: dict[str, Tensor] = {}
    for name, value in generator.state_dict().items():
        if name.startswith("blocks."):
            out["synthesis." + name[len("blocks.") :]] = value.clone()
        elif name == "w_avg":
            out["mapping.w_avg"] = value.clone()
        else:
            out["mapping.fc" + name[len("mapping_layers.") :]] = value.clone()
    for side in (4 << i for i in range(len(generator.config.channels))):
        for part in ("", "conv1.", *(["conv0."] if side > 4 else [])):
            out[f"synthesis.b{side}.{part}resample_filter"] = fir()
    return out


def _reconstruct_persistent_obj(meta):
    raise AssertionError("the official loader ran")


class EasyDict(dict):
    """As dnnlib's: attributes are items."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Persistent(nn.Module):
    """Pickles as a class under NVIDIA's ``persistence.persistent_class`` does."""

    source = "raise AssertionError('module_src ran')"

    def __reduce__(self):
        state = dict(self.__dict__)
        meta = {"type": "class", "version": 6, "module_src": self.source, "class_name": state.pop("_class_name"), "state": state}
        return _reconstruct_persistent_obj, (meta,), None


def settings_of(path: str) -> dict[str, object]:
    """What NVIDIA's own modules at this place of ``G_ema`` keep as plain attributes, beside gains of numpy."""
    last = path.rpartition(".")[2]
    if path.startswith("mapping.fc"):
        return {"activation": "lrelu", "bias_gain": 0.01}
    if last == "affine":
        return {"activation": "linear", "bias_gain": 1}
    if last in ("conv0", "conv1"):
        return {"activation": "lrelu", "use_noise": True, "up": 2 if last == "conv0" else 1, "act_gain": math.sqrt(2), "conv_clamp": None}
    return {"architecture": "skip", "is_last": False} if path.startswith("synthesis.b") and path.count(".") == 1 else {}


def persistent(
    state: dict[str, Tensor], class_name: str, source: str = Persistent.source, only: str = "", plain: bool = False, **attributes
) -> Persistent:
    """A tree of persistent modules that holds ``state``, with NVIDIA's settings unless ``plain``.

    Attributes replace those of the modules whose place begins with ``only``; all modules have numpy gains, as theirs.
    """
    root = Persistent()
    buffers = ("resample_filter", "noise_const", "w_avg")
    modules: dict[str, Persistent] = {"": root}
    for name, value in state.items():
        parts = name.split(".")
        for depth in range(1, len(parts)):
            path = ".".join(parts[:depth])
            if path not in modules:
                modules[path] = Persistent()
                modules[".".join(parts[: depth - 1])].add_module(parts[depth - 1], modules[path])
        owner = modules[".".join(parts[:-1])]
        if parts[-1] in buffers:
            owner.register_buffer(parts[-1], value)
        else:
            owner.register_parameter(parts[-1], nn.Parameter(value, requires_grad=False))
    for path, module in modules.items():
        module.__dict__ |= {"_class_name": class_name if not path else "SynthesisLayer", "weight_gain": 1 / np.sqrt(3.0), "source": source}
        module.__dict__ |= {"_init_kwargs": EasyDict(attributes), **({} if plain else settings_of(path))}
        module.__dict__ |= {k: v for k, v in attributes.items() if path.startswith(only) and (k in module.__dict__ or plain)}
    return root


def nvidia_pickle(
    state: dict[str, Tensor], protocol: int = 4, extra: dict | None = None, source: str = Persistent.source, **attributes
) -> bytes:
    """The bytes of a ``.pkl`` as NVIDIA's training loop writes it: the three networks and the data set's options."""
    names = {"torch_utils": [], "torch_utils.persistence": [_reconstruct_persistent_obj], "dnnlib": [], "dnnlib.util": [EasyDict]}
    kept = {thing: (thing.__module__, thing.__qualname__) for things in names.values() for thing in things}
    try:
        for module, things in names.items():  # pickle writes the names of where a thing can be found
            sys.modules[module] = types.ModuleType(module)
            for thing in things:
                setattr(sys.modules[module], thing.__name__, thing)
                thing.__module__ = module
        small = {"b4.weight": torch.randn(3, 3)}
        data = {"training_set_kwargs": EasyDict(path="x.zip", resolution=64), "augment_pipe": None, "D": persistent(small, "Discriminator")}
        data |= {"G": persistent(small, "Generator"), "G_ema": persistent(state, "Generator", source, **attributes)}
        buffer = io.BytesIO()
        pickle.dump(data | (extra or {}), buffer, protocol)
        return buffer.getvalue()
    finally:
        for thing, (module, _) in kept.items():
            thing.__module__ = module
        for module in names:
            del sys.modules[module]


def same(a: StyleGAN2, b: StyleGAN2) -> bool:
    """Bit for bit, ``w_avg`` included."""
    x, y = a.state_dict(), b.state_dict()
    return x.keys() == y.keys() and all(torch.equal(x[name], y[name]) for name in x)


def write(path: Path, content: object, **options) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path, **options)
    return path


def painted(base: StyleGAN2) -> Style:
    torch.manual_seed(9)
    tensors = {n: p + 0.1 * torch.randn_like(p) for n, p in base.named_parameters() if n in base.adaptable()}
    return Style(StyleCard("painted", "painted", base=base.family, base_hash=base.content_hash()), tensors)


def relative(a: Tensor, b: Tensor) -> float:
    """The largest difference, as a share of the largest value."""
    return ((a - b).abs().max() / b.abs().max()).item()


def refused(path, *words):
    """Assert that a file is refused in one short line without its folder, with these words; returns the line."""
    with pytest.raises(GeneratorError) as caught:
        load_generator(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 900 and str(path.parent) not in message
    for word in words:
        assert word in message, message
    return message
