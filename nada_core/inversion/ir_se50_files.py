"""Published files of networks on IR-SE50: how they are read, and how a network takes their tensors, checked to the last one.

Only tensors, plain containers and an inert ``argparse.Namespace`` are read; nothing in a file can run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nada_core.errors import GeneratorError
from nada_core.generators.formats.ours import few
from nada_core.generators.formats.torch_files import is_torch_file, read_torch_file

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
    """The entries that the file holds.

    Args:
        kind: what it is of, in one word: "encoder".
        expected: what it should have been, for the messages.

    Raises:
        GeneratorError: missing, damaged, no file of torch, without entries, or it asks for code to be run.
    """
    file = path.name[:80]
    try:
        if not path.is_file():
            raise GeneratorError(f"There is no {kind} file '{file}'.")
        of_torch = is_torch_file(path)
    except OSError as error:
        raise GeneratorError(f"'{file}' cannot be read: {error.strerror}.") from error
    if not of_torch:
        raise GeneratorError(f"'{file}' is no file of torch. Expected {expected}.")
    data = read_torch_file(path, expected)
    if not isinstance(data, Mapping):
        raise GeneratorError(f"'{file}' holds a {type(data).__name__}; expected {expected}.")
    return data


def in_our_names(state: Mapping[str, Tensor], parts: Sequence[tuple[re.Pattern[str], str]]) -> dict[str, Tensor]:
    """The tensors under this project's names. Names that no pattern begins stay: :func:`fitting` refuses them by name."""
    renamed = {}
    for name, value in state.items():
        if name.endswith(_COUNTER):
            continue
        ours = next((pattern.sub(new, name, count=1) for pattern, new in parts if pattern.match(name)), name)
        renamed[ours] = value
    return renamed


def fitting(network: nn.Module, state: Mapping[str, Tensor], kind: str, file: str) -> dict[str, Tensor]:
    """The tensors of a file in single precision, ready for ``load_state_dict(..., assign=True)``.

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
            raise GeneratorError(f"'{name}' in '{file}' has shape {list(value.shape)}; expected {list(shapes[name])}: {kind}.")
        if not value.is_floating_point() or not torch.isfinite(value).all():
            raise GeneratorError(f"'{name}' in '{file}' holds NaN or infinity; expected finite numbers. The file cannot be used.")
        taken[name] = value.to(torch.float32).contiguous()
    return taken
