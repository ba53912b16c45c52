"""From files to image-text encoders."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from nada_core.assets import fetch
from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.efficientnet_lite import EfficientNetLite0, fold_batch_norms
from nada_core.encoders.starter import StarterEncoder
from nada_core.errors import GeneratorError
from nada_core.generators.load import CHECKPOINTS

__all__ = ["load_backbone", "load_encoder", "load_starter_encoder"]

ENCODER = "starter-encoder.safetensors"


def load_backbone() -> EfficientNetLite0:
    """EfficientNet-Lite0 with its ImageNet weights, frozen.

    Raises:
        AssetError: the weights could not be fetched.
    """
    backbone = EfficientNetLite0()
    backbone.load_state_dict(fold_batch_norms(torch.load(fetch("efficientnet-lite0"), weights_only=True)))
    return backbone.eval().requires_grad_(False)


def load_starter_encoder(device: torch.device | str = "cpu", path: Path | None = None) -> StarterEncoder:
    """The starter encoder: ImageNet backbone plus the parts trained by ``training/train_starter_encoder.py``.

    Raises:
        AssetError: the backbone could not be fetched.
        GeneratorError: the trained parts are missing from ``checkpoints/``.
    """
    file = path or CHECKPOINTS / ENCODER
    if not file.is_file():
        raise GeneratorError(
            f"checkpoints/{file.name} is missing: it is part of the repository. Restore it with `git checkout checkpoints`."
        )
    with safe_open(file, "pt") as handle:
        card = json.loads((handle.metadata() or {})["card"])
    encoder = StarterEncoder(load_backbone(), card["concepts"])
    try:
        result = encoder.load_state_dict({name: value.float() for name, value in load_file(file).items()}, strict=False)
    except RuntimeError as error:
        raise GeneratorError(
            f"checkpoints/{file.name} does not fit this version: its sizes differ. Restore it with `git checkout checkpoints`."
        ) from error
    missing = [name for name in result.missing_keys if not name.startswith("statistics.backbone.")]
    if missing or result.unexpected_keys:
        raise GeneratorError(f"checkpoints/{file.name} does not fit this version: {(missing + result.unexpected_keys)[0]}.")
    return encoder.eval().requires_grad_(False).to(device)


def load_encoder(name: str = "starter", device: torch.device | str = "cpu") -> ImageTextEncoder:
    """An image-text encoder by name. Only ``starter`` exists so far; CLIP belongs to the full world.

    Raises:
        GeneratorError: unknown name.
        AssetError: its weights could not be fetched.
    """
    if name != "starter":
        raise GeneratorError(f"There is no encoder '{name}' in the starter world; it has 'starter'.")
    return load_starter_encoder(device)
