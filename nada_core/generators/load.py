"""From files to generators: the family is found from what a file holds, not from its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from nada_core.assets import fetch
from nada_core.errors import GeneratorError
from nada_core.generators.base import Generator
from nada_core.generators.formats import nvidia, ours, rosinality
from nada_core.generators.formats.torch_files import is_torch_file, read_torch_file
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.generators.openvino_ir import read_mobile_stylegan

__all__ = ["CHECKPOINTS", "load_generator", "load_starter_generator"]

#: Weights this project trained and ships.
CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
HEAD = "mobile-stylegan-ffhq-head256.safetensors"
_PARALLEL = "module."
READABLE = (
    "a StyleGAN2 generator (rosinality's .pt with g_ema or g, NVIDIA's .pkl of PyTorch or TensorFlow, its state dict under G_ema, this "
    "project's .safetensors) or a MobileStyleGAN .safetensors"
)


def load_starter_generator(device: torch.device | str = "cpu") -> MobileStyleGAN:
    """MobileStyleGAN-FFHQ with this project's 256 px head and mean latent, frozen.

    Raises:
        AssetError: the published weights could not be fetched.
        GeneratorError: the head is missing from ``checkpoints/``, or does not fit.
    """
    head = CHECKPOINTS / HEAD
    if not head.is_file():
        raise GeneratorError(f"checkpoints/{HEAD} is missing: it is part of the repository. Restore it with `git checkout checkpoints`.")
    generator = MobileStyleGAN()
    state = read_mobile_stylegan(fetch("mobile-stylegan-ffhq")) | load_file(head)
    try:
        generator.load_state_dict(state)
    except RuntimeError as error:
        raise GeneratorError(f"The weights of MobileStyleGAN do not fit: {error}") from error
    return generator.eval().requires_grad_(False).to(device)


def load_generator(path: str | Path | None = None, device: torch.device | str = "cpu") -> Generator:
    """A frozen generator from a file, or the starter world's without one. No file can run code here.

    Reads rosinality's ``.pt``, NVIDIA's ``.pkl`` of StyleGAN2 (PyTorch's and TensorFlow's, or PyTorch's state dict as ``.pt``), and this
    project's ``.safetensors``.

    Raises:
        GeneratorError: the file is missing, damaged, or of no known family; the message says what was found.
        AssetError: the starter generator's weights could not be fetched.
    """
    if path is None or str(path) in ("starter", "mobile-stylegan-ffhq"):
        return load_starter_generator(device)
    file = Path(path)
    try:
        if not file.is_file():
            raise GeneratorError(f"There is no generator file '{file.name[:80]}'.")
        of_torch = is_torch_file(file)
        with open(file, "rb") as stream:
            start = stream.read(9)
    except OSError as error:
        raise GeneratorError(f"'{file.name[:80]}' cannot be read: {error.strerror}.") from error
    if start[8:9] == b"{":
        return _placed(_from_safetensors(file), device)
    if of_torch:
        return _placed(ours.build(_from_torch_file(file), file.name), device)
    if start[:1] == b"\x80":
        return _placed(ours.build(nvidia.read_pkl(file), file.name), device)
    raise GeneratorError(f"'{file.name}' is not a safetensors file, nor one of torch or a pickle. Expected {READABLE}.")


def _placed(generator: Generator, device: torch.device | str) -> Generator:
    generator = generator.to(device)
    return generator.laid_out_for_cpu() if generator.device.type == "cpu" else generator


def _from_safetensors(file: Path) -> Generator:
    try:
        with safe_open(file, "pt") as handle:
            names, metadata = set(handle.keys()), handle.metadata() or {}
    except Exception as error:
        raise GeneratorError(f"'{file.name}' is not a safetensors file, or it is damaged. Expected {READABLE}.") from error
    if metadata.get("format") == "nada-style":
        raise GeneratorError(f"'{file.name}' is a style, not a generator. Expected {READABLE}.")
    if ours.recognises(names):
        return ours.build(ours.read_safetensors(file), file.name)
    if "blocks.0.up.weight" in names:
        return _mobile_stylegan(file)
    raise GeneratorError(f"'{file.name}' is of no family known here: it holds {ours.few(sorted(names))}. Expected {READABLE}.")


def _mobile_stylegan(file: Path) -> MobileStyleGAN:
    state = load_file(file)
    try:
        channels = tuple(state[f"blocks.{i}.conv2.weight"].shape[0] for i in range(sum(n.endswith("conv2.weight") for n in state)))
        generator = MobileStyleGAN(channels, small_head=any(n.startswith("small_head.") for n in state))
        generator.load_state_dict(state)
    except (RuntimeError, KeyError, IndexError) as error:
        raise GeneratorError(f"'{file.name}' is a MobileStyleGAN file, but does not fit: {error}") from error
    return generator.eval().requires_grad_(False)


def _from_torch_file(file: Path) -> ours.Weights:
    """A ``.pt`` of either origin; training options may lie beside its tensors."""
    data = read_torch_file(file, READABLE)
    if isinstance(data, Mapping):
        data = _unwrapped({name: _unwrapped(part) if isinstance(part, Mapping) else part for name, part in data.items()})
        if rosinality.recognises(data):
            return rosinality.to_ours(data, file.name)
        if nvidia.recognises(data):
            return nvidia.to_ours(data.get("G_ema", data), file.name)
    raise GeneratorError(f"'{file.name}' holds {_described(data)}. Expected {READABLE}.")


def _unwrapped(state: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """A state dict without the ``module.`` that ``DataParallel`` puts before every name; others as they are."""
    if state and all(isinstance(name, str) and name.startswith(_PARALLEL) for name in state):
        return {name[len(_PARALLEL) :]: value for name, value in state.items()}
    return state


def _described(data: Any) -> str:
    """What a foreign checkpoint is, as far as its names tell."""
    if not isinstance(data, Mapping):
        return f"a {type(data).__name__}"
    inner = data.get("state_dict")
    if isinstance(inner, Mapping) and any(str(name).startswith("encoder.") for name in inner):
        return "an encoder (its 'state_dict' has 'encoder.*'), as of e4e or ReStyle"
    for name in ("g_ema", "g", "G_ema"):
        if isinstance(inner := data.get(name), Mapping):
            return f"'{name}' with {f'the entries {ours.few(inner)}' if inner else 'nothing in it'}, which are not a generator's"
    return f"the entries {ours.few(data)}" if data else "nothing"
