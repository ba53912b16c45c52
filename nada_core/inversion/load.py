"""From files to inverters."""

from __future__ import annotations

import torch
from safetensors.torch import load_file

from nada_core.encoders.load import load_backbone
from nada_core.errors import GeneratorError
from nada_core.generators.load import CHECKPOINTS
from nada_core.inversion.starter import StarterInverter

__all__ = ["load_starter_inverter"]

INVERTER = "starter-inverter.safetensors"


def load_starter_inverter(device: torch.device | str = "cpu") -> StarterInverter:
    """The starter generator's photo encoder, frozen.

    Raises:
        AssetError: the backbone could not be fetched.
        GeneratorError: the trained part is missing from ``checkpoints/``.
    """
    file = CHECKPOINTS / INVERTER
    if not file.is_file():
        raise GeneratorError(
            f"checkpoints/{INVERTER} is missing: it is part of the repository. Restore it with `git checkout checkpoints`."
        )
    inverter = StarterInverter(load_backbone())
    result = inverter.load_state_dict({name: value.float() for name, value in load_file(file).items()}, strict=False)
    missing = [name for name in result.missing_keys if not name.startswith("backbone.")]
    if missing or result.unexpected_keys:
        raise GeneratorError(f"checkpoints/{INVERTER} does not fit this version: {(missing + result.unexpected_keys)[0]}.")
    return inverter.eval().requires_grad_(False).to(device)
