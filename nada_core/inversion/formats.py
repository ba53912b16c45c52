"""Read the published files of e4e and ReStyle-e4e.

They hold ``{state_dict: encoder.* and decoder.*, opts, latent_avg}``, or an encoder's bare state dict. Only tensors, plain containers and
an inert ``argparse.Namespace`` are read; nothing in a file can run. The decoder inside, a copy of the generator, is left alone.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nada_core.errors import GeneratorError, few, shown
from nada_core.generators.formats import nvidia, rosinality
from nada_core.inversion.ir_se50_files import BACKBONE, STEM, in_our_names, read_file
from nada_core.system.containers import check_floats

__all__ = ["EncoderWeights", "read_encoder"]

EXPECTED = "the .pt of an e4e or ReStyle-e4e encoder on IR-SE50 (its 'state_dict' has 'encoder.*'), or the bare state dict of one"
#: The names of these encoders in the option ``encoder_type`` of their files.
_TYPES = {"e4e": "Encoder4Editing", "restyle-e4e": "ProgressiveBackboneEncoder"}
#: The beginnings of names, theirs and ours.
_PARTS = (
    *BACKBONE,
    (re.compile(r"styles\."), "heads."),
    (re.compile(r"latlayer1\."), "lateral_middle."),
    (re.compile(r"latlayer2\."), "lateral_fine."),
)
_MOST_HEADS, _WIDEST = 20, 1024


@dataclass(frozen=True)
class EncoderWeights:
    """Hold an encoder's tensors in this project's names, and what else its file says.

    ``latent_avg`` is ``[1 or num_ws, w_dim]``, None where the file has none; ``add_average`` is its option ``start_from_latent_avg``,
    True where it does not say: all published encoders were trained so.
    """

    name: str
    num_ws: int
    w_dim: int
    state: Mapping[str, Tensor]
    latent_avg: Tensor | None
    add_average: bool


def read_encoder(path: Path) -> EncoderWeights:
    """Read a file and find out which encoder it holds, for how many layers.

    Raises:
        GeneratorError: missing, damaged, asks for code to be run, or holds something else; the message says what.
    """
    data = read_file(path, "encoder", EXPECTED)
    file = shown(path.name)
    if rosinality.recognises(data) or nvidia.recognises(data):
        raise GeneratorError(f"'{file}' is a generator, not a photo encoder. Give it as the base model; here, expected {EXPECTED}.")
    state = _encoder_of(data, file)
    options = _options(data.get("opts"), file)
    name = _which(state, options, file)
    num_ws, w_dim = _sizes(state, file)
    average = options.get("start_from_latent_avg", True)
    if not isinstance(average, bool):
        raise GeneratorError(f"The option 'start_from_latent_avg' in '{file}' is a {type(average).__name__}; expected True or False.")
    return EncoderWeights(
        name, num_ws, w_dim, in_our_names(state, _PARTS), _latent_avg(data.get("latent_avg"), num_ws, w_dim, file), average
    )


def _encoder_of(data: Mapping[str, Any], file: str) -> dict[str, Tensor]:
    """Return the encoder's tensors in their names without ``encoder.``."""
    inner = data.get("state_dict", data)
    if not isinstance(inner, Mapping):
        raise GeneratorError(f"'state_dict' in '{file}' is a {type(inner).__name__}; expected {EXPECTED}.")
    names = [name for name in inner if isinstance(name, str)]
    prefixed = {name.removeprefix("encoder."): inner[name] for name in names if name.startswith("encoder.")}
    bare = {name: inner[name] for name in names if name not in ("latent_avg", "opts")}
    state = prefixed or bare
    if STEM not in state:
        kind = "an encoder on another backbone" if prefixed else f"the entries {few(inner)}" if inner else "nothing"
        raise GeneratorError(f"'{file}' holds {kind}; expected {EXPECTED}.")
    if wrong := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise GeneratorError(f"'{file}' holds no tensor under {few(wrong)}; expected {EXPECTED}.")
    return state


def _options(opts: Any, file: str) -> Mapping[str, Any]:
    """Return the training's options. Paths and devices among them mean nothing here and are not looked at."""
    if opts is None:
        return {}
    if isinstance(opts, argparse.Namespace):
        return vars(opts)
    if isinstance(opts, Mapping):
        return opts
    raise GeneratorError(f"'opts' in '{file}' is a {type(opts).__name__}; expected the options of a training.")


def _which(state: Mapping[str, Tensor], options: Mapping[str, Any], file: str) -> str:
    """Tell ``e4e`` from ``restyle-e4e``. pSp and ReStyle-pSp have the same tensors and other sums: only their options tell them apart."""
    shape = state[STEM].shape
    channels = shape[1] if len(shape) == 4 else 0
    if channels not in (3, 6):
        raise GeneratorError(f"'{STEM}' in '{file}' has shape {shown(list(shape))}; expected 3 or 6 input channels: {EXPECTED}.")
    name = "e4e" if channels == 3 else "restyle-e4e"
    told = options.get("encoder_type")
    if told is not None and told != _TYPES[name]:
        raise GeneratorError(f"'{file}' calls itself a '{shown(told, 60)}'; expected '{_TYPES[name]}', the kind {name} is of.")
    return name


def _sizes(state: Mapping[str, Tensor], file: str) -> tuple[int, int]:
    """Return ``num_ws`` and ``w_dim``, told by the heads."""
    heads = sorted({int(found[1]) for name in state if (found := re.match(r"styles\.(\d{1,4})\.", name))})
    if heads != list(range(len(heads))) or not 1 <= len(heads) <= _MOST_HEADS:
        raise GeneratorError(
            f"'{file}' has the heads {shown(', '.join(map(str, heads[:30])) or 'none')}; expected 0, 1, 2, ...: {EXPECTED}."
        )
    linear = state.get("styles.0.linear.weight")
    if linear is None or linear.ndim != 2 or not 1 <= linear.shape[0] <= _WIDEST:
        what = "is missing" if linear is None else f"has shape {shown(list(linear.shape))}"
        raise GeneratorError(f"'styles.0.linear.weight' in '{file}' {what}; expected [512, 512]: {EXPECTED}.")
    return len(heads), linear.shape[0]


def _latent_avg(value: Any, num_ws: int, w_dim: int, file: str) -> Tensor | None:
    if value is None:
        return None
    if not isinstance(value, Tensor):
        raise GeneratorError(f"'latent_avg' in '{file}' is a {type(value).__name__}; expected a tensor.")
    if value.shape[-1:] != (w_dim,) or value.numel() not in (w_dim, num_ws * w_dim):
        raise GeneratorError(f"'latent_avg' in '{file}' has shape {shown(list(value.shape))}; expected [{w_dim}] or [{num_ws}, {w_dim}].")
    check_floats("latent_avg", value, file)
    if not torch.isfinite(value).all():
        raise GeneratorError(f"'latent_avg' in '{file}' holds NaN or infinity; expected finite numbers. The file cannot be used.")
    return value.float().reshape(-1, w_dim)
