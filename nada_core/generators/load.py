"""Load generators from files; the family is found from what a file holds, not from its name or its container."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from nada_core.assets.shipped import CHECKPOINTS
from nada_core.assets.store import fetch
from nada_core.errors import GeneratorError, few, shown
from nada_core.generators.base import Generator
from nada_core.generators.formats import mobile, nvidia, ours, rosinality
from nada_core.generators.formats.kinds import kind_of
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.generators.openvino_ir import read_mobile_stylegan
from nada_core.generators.trial import check_draws
from nada_core.system.containers import check_claims, held_bytes, is_torch_file, read_safetensors, read_start, read_torch_file, reading
from nada_core.system.files import check_file
from nada_core.system.wrong_downloads import wrong_download

__all__ = ["STARTER_NAMES", "generator_file", "load_generator", "load_starter_generator", "names_stylegan2"]

log = logging.getLogger(__name__)
HEAD = "mobile-stylegan-ffhq-head256.safetensors"
#: What the starter world's generator is called, in the place of a file.
STARTER_NAMES = ("starter", "mobile-stylegan-ffhq")
_PARALLEL = "module."
#: Under which names files keep the generator beside other things; a container without folders writes them before every name.
_PARTS = ("g_ema", "G_ema", "g")
#: Where networks of other kinds usually lie, in the order in which they are named; then any other place, so many at most.
_PLACES, _MOST_PARTS = (*_PARTS, "state_dict", "d", "D"), 20
READABLE = (
    "a StyleGAN2 generator (rosinality's .pt with g_ema or g, NVIDIA's .pkl of PyTorch or TensorFlow, its state dict under G_ema, this "
    "project's .safetensors) or a MobileStyleGAN .safetensors"
)


def load_starter_generator(device: torch.device | str = "cpu") -> MobileStyleGAN:
    """Load MobileStyleGAN-FFHQ with this project's 256 px head and mean latent, frozen.

    Raises:
        AssetError: the published weights could not be fetched.
        GeneratorError: the head is missing from ``checkpoints/``, or does not fit.
    """
    head = CHECKPOINTS / HEAD
    if not head.is_file():
        raise GeneratorError(f"checkpoints/{HEAD} is missing: it is part of the repository. Restore it with `git checkout checkpoints`.")
    generator = MobileStyleGAN()
    with reading(head, "The weights of MobileStyleGAN do not fit: a file is damaged. Restore checkpoints/, or fetch them again."):
        generator.load_state_dict(read_mobile_stylegan(fetch("mobile-stylegan-ffhq")) | load_file(head))
    return generator.eval().requires_grad_(False).to(device)


def load_generator(path: str | Path | None = None, device: torch.device | str = "cpu", *, trial: bool = True) -> Generator:
    """Load a frozen generator from a file, or the starter world's without one. No file can run code here.

    Reads rosinality's ``.pt``, NVIDIA's ``.pkl`` of StyleGAN2 (PyTorch's and TensorFlow's, or PyTorch's state dict as ``.pt``), and this
    project's ``.safetensors``; the same names in a container of another kind too.

    Args:
        trial: draw one face, to see that the weights make sense; without, do it yourself (:func:`check_draws`).

    Raises:
        GeneratorError: the file is missing, damaged, of no known family, or draws nothing; the message says what was found.
        AssetError: the starter generator's weights could not be fetched.
    """
    if path is None or str(path) in STARTER_NAMES:
        return load_starter_generator(device)
    file = generator_file(path)
    name = shown(file.name)
    with reading(file, f"'{name}' is damaged, and nothing here can read it. Download it again."):
        generator = _read(file).to(device)
        generator = generator.laid_out_for_cpu() if generator.device.type == "cpu" else generator
        if trial:
            check_draws(generator, name)
        return generator


def generator_file(path: str | Path) -> Path:
    """Return the file that a path means; ``~`` is the home folder.

    Raises:
        GeneratorError: it is empty, there is no such file, or it is none.
    """
    if not str(path).strip():
        raise GeneratorError("The name of the generator's file is empty. Give one, or 'starter'.")
    file = Path(os.path.expanduser(path))
    check_file(file, f"There is no generator file '{shown(file.name)}'. Give the path of one, or 'starter'.", GeneratorError)
    return file


def names_stylegan2(names: Iterable[str]) -> bool:
    """Tell whether tensors of these names, in a container without folders, are a StyleGAN2 that :func:`load_generator` reads."""
    data = {key: _unwrapped(part) if isinstance(part, Mapping) else part for key, part in _unflattened(dict.fromkeys(names)).items()}
    return any(family.recognises(_unwrapped(data)) for family in (ours, rosinality, nvidia))


def _read(file: Path) -> Generator:
    name, start = shown(file.name), read_start(file)
    if start[8:9] == b"{":
        state, metadata = read_safetensors(file, f"'{name}' is not a safetensors file, or it is damaged. Expected {READABLE}.")
        if metadata.get("format") == "nada-style":
            raise GeneratorError(f"'{name}' is a style, not a generator. Expected {READABLE}.")
        return _from_names(_unflattened(state), metadata, file)
    if is_torch_file(file):
        return _from_names(read_torch_file(file, READABLE), {}, file)
    if start[:1] == b"\x80":
        return _built(nvidia.read_pkl(file), name)
    if wrong := wrong_download(file):
        raise GeneratorError(f"'{name}' is {wrong}")
    raise GeneratorError(f"'{name}' is not a safetensors file, nor one of torch or a pickle. Expected {READABLE}.")


def _from_names(data: Any, metadata: Mapping[str, str], file: Path) -> Generator:
    """Build the network that tensors of these names are; training options may lie beside them."""
    name, held = shown(file.name), held_bytes(file)
    if isinstance(data, Mapping):
        data = _unwrapped({key: _unwrapped(part) if isinstance(part, Mapping) else part for key, part in data.items()})
        for state in (data, *(part for key in _PARTS if isinstance(part := data.get(key), Mapping))):
            check_claims(state, held, file)
        if ours.recognises(data):
            return _built(ours.from_safetensors(_tensors(data, name), metadata, file), name)
        if mobile.recognises(data):
            ours.check_saved(_tensors(data, name), metadata, name)
            return mobile.build(_tensors(data, name), name)
        if rosinality.recognises(data):
            return _built(rosinality.to_ours(data, name), name)
        if nvidia.recognises(data):
            return _built(nvidia.to_ours(data.get("G_ema", data), name, bare=True), name)
    raise GeneratorError(f"'{name}' {_described(data)}. Expected {READABLE}.")


def _built(weights: ours.Weights, file: str) -> Generator:
    generator = ours.build(weights, file)
    for note in weights.notes:
        log.warning(note)
    return generator


def _tensors(state: Mapping[Any, Any], file: str) -> dict[str, Tensor]:
    if wrong := [name for name, value in state.items() if not isinstance(value, Tensor) or not isinstance(name, str)]:
        raise GeneratorError(f"'{file}' holds no tensor under {few(wrong)}; expected the state dict of a generator.")
    return dict(state)


def _unwrapped(state: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return a state dict without the ``module.`` that ``DataParallel`` puts before every name; others as they are."""
    if state and all(isinstance(name, str) and name.startswith(_PARALLEL) for name in state):
        return {name[len(_PARALLEL) :]: value for name, value in state.items()}
    return state


def _unflattened(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return tensors named ``g_ema.conv1...`` as ``g_ema`` with ``conv1...`` in it, as the same file of torch has them."""
    nested: dict[str, Any] = {}
    for name, value in state.items():
        part, dot, rest = name.partition(".")
        if dot and part in _PARTS:
            nested.setdefault(part, {})[rest] = value
        else:
            nested[name] = value
    return nested


def _parts(data: Mapping[Any, Any]) -> Iterator[Mapping[Any, Any]]:
    """Yield the state dicts that a file may hold: itself, then what lies in it, the usual places first, whatever the wrapper is called.

    Names that all begin alike, as a container without folders writes a wrapper (``params_ema.conv1...``), are yielded without that, too.
    """
    yield data
    inner = {key: part for key, part in data.items() if isinstance(part, Mapping)}
    places = [*(key for key in _PLACES if key in inner), *(key for key in inner if key not in _PLACES)]
    wrapped = [inner[key] for key in places[:_MOST_PARTS]]
    yield from wrapped
    for part in wrapped:
        yield from itertools.islice((deeper for deeper in part.values() if isinstance(deeper, Mapping)), _MOST_PARTS)
    for part in (data, *wrapped):
        names = [name.partition(".") for name in part if isinstance(name, str)]
        if names and len({first for first, _, _ in names}) == 1:
            yield {rest: None for _, _, rest in names}


def _described(data: Any) -> str:
    """Say what a foreign checkpoint is, as far as its names tell."""
    if isinstance(data, Tensor):
        return f"holds a Tensor of shape {shown(list(data.shape))}, such as a latent, and no network"
    if not isinstance(data, Mapping):
        return f"holds a {type(data).__name__}"
    inner = data.get("state_dict")
    if isinstance(inner, Mapping) and any(str(name).startswith("encoder.") for name in inner):
        return "holds an encoder (its 'state_dict' has 'encoder.*'), as of e4e or ReStyle"
    for part in _parts(data):
        if found := kind_of(part):
            told, kind, way_out = found
            return f"is {kind} (it has '{shown(told)}')" + (f". {way_out}" if way_out else "")
    for name in _PARTS:
        if isinstance(inner := data.get(name), Mapping):
            return f"holds '{name}' with {f'the entries {few(inner)}' if inner else 'nothing in it'}, which are not a generator's"
    return f"is of no family known here: it holds the entries {few(data)}" if data else "holds nothing"
