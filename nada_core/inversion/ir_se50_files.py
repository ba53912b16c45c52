"""Read published files of networks on IR-SE50, and fit their tensors to a network, checked to the last one.

Only tensors, plain containers and an inert ``argparse.Namespace`` are read; nothing in a file can run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nada_core.errors import GeneratorError, few, shown
from nada_core.system.containers import check_floats, check_plain, is_torch_file, read_torch_file
from nada_core.system.files import check_file
from nada_core.system.wrong_downloads import wrong_download

__all__ = ["BACKBONE", "STEM", "fitting", "in_our_names", "read_file"]

#: The first tensor of the backbone in published files.
STEM = "input_layer.0.weight"
#: The beginnings of the backbone's names, theirs and ours.
BACKBONE = (
    (re.compile(r"input_layer\."), "backbone.stem."),
    (re.compile(r"body\.(\d+)\.shortcut_layer\."), r"backbone.units.\1.shortcut."),
    (re.compile(r"body\.(\d+)\.res_layer\."), r"backbone.units.\1.residual."),
)
_COUNTER = "num_batches_tracked"  # of training; some files have it and some have not


def read_file(path: Path, kind: str, expected: str) -> Mapping[Any, Any]:
    """Return the entries that a network's file holds.

    Args:
        kind: what it is of, in one word: "encoder".
        expected: what it should have been, for the messages.

    Raises:
        GeneratorError: missing, damaged, no file of torch, without entries, or it asks for code to be run.
    """
    file = shown(path.name)
    check_file(path, f"There is no {kind} file '{file}'.", GeneratorError)
    if wrong := wrong_download(path):
        raise GeneratorError(f"'{file}' is {wrong}")
    if not is_torch_file(path):
        raise GeneratorError(f"'{file}' is no file of torch. Expected {expected}.")
    data = read_torch_file(path, expected)
    if not isinstance(data, Mapping):
        raise GeneratorError(f"'{file}' holds a {type(data).__name__}; expected {expected}.")
    for part in (data, *(inner for inner in data.values() if isinstance(inner, Mapping))):
        check_plain(part, path)  # the networks' own sizes limit what is copied, whatever a file claims
    return data


def in_our_names(state: Mapping[str, Tensor], parts: Sequence[tuple[re.Pattern[str], str]]) -> dict[str, Tensor]:
    """Rename tensors to this project's names. Names that no pattern begins stay: :func:`fitting` refuses them by name."""
    renamed = {}
    for name, value in state.items():
        if name.endswith(_COUNTER):
            continue
        ours = next((pattern.sub(new, name, count=1) for pattern, new in parts if pattern.match(name)), name)
        renamed[ours] = value
    return renamed


def fitting(network: nn.Module, state: Mapping[str, Tensor], kind: str, file: str) -> dict[str, Tensor]:
    """Return the tensors of a file in single precision, ready for ``load_state_dict(..., assign=True)``.

    Args:
        network: for its names and shapes only; it may lie on the meta device.
        state: in this project's names.
        kind: what the file should hold, for the messages.

    Raises:
        GeneratorError: something is missing, left over, of another shape or not finite.
    """
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    counters = {name for name in shapes if name.endswith(_COUNTER)}
    if missing := [name for name in shapes if name not in state and name not in counters]:
        raise GeneratorError(f"'{file}' lacks {few(missing)}; expected {kind}.")
    if unknown := [name for name in state if name not in shapes]:
        raise GeneratorError(f"'{file}' also holds {few(unknown)}; expected only {kind}.")
    taken = {name: torch.tensor(0) for name in counters}
    for name, value in state.items():
        if value.shape != shapes[name]:
            found = shown(list(value.shape))
            raise GeneratorError(f"'{name}' in '{file}' has shape {found}; expected {list(shapes[name])}: {kind}.")
        check_floats(name, value, file)
        if not torch.isfinite(value).all():
            raise GeneratorError(f"'{name}' in '{file}' holds NaN or infinity; expected finite numbers. The file cannot be used.")
        taken[name] = value.to(torch.float32).contiguous()
    return taken
