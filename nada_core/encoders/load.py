"""Load image-text encoders by name or from files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from nada_core.assets.shipped import CHECKPOINTS
from nada_core.assets.store import fetch
from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.efficientnet_lite import EfficientNetLite0, fold_batch_norms
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.encoders.starter import StarterEncoder
from nada_core.errors import EncoderError, GeneratorError, shown

__all__ = ["load_backbone", "load_encoder", "load_starter_encoder", "missing_encoders", "parse_member"]

ENCODER = "starter-encoder.safetensors"


def load_backbone() -> EfficientNetLite0:
    """Return EfficientNet-Lite0 with its ImageNet weights, frozen.

    Raises:
        AssetError: the weights could not be fetched.
    """
    backbone = EfficientNetLite0()
    backbone.load_state_dict(fold_batch_norms(torch.load(fetch("efficientnet-lite0"), weights_only=True)))
    return backbone.eval().requires_grad_(False)


def load_starter_encoder(device: torch.device | str = "cpu") -> StarterEncoder:
    """Return the starter encoder: ImageNet backbone plus the parts trained by ``training/train_starter_encoder.py``.

    Raises:
        AssetError: the backbone could not be fetched.
        GeneratorError: the trained parts are missing from ``checkpoints/``.
    """
    file = CHECKPOINTS / ENCODER
    if not file.is_file():
        raise GeneratorError(
            f"checkpoints/{file.name} is missing: it is part of the repository. Restore it with `git checkout checkpoints`."
        )
    encoder = StarterEncoder(load_backbone())
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


def load_encoder(
    name: str | Sequence[str] = "starter",
    device: torch.device | str = "cpu",
    *,
    weights: str | Path | None = None,
    quick_gelu: bool | None = None,
) -> ImageTextEncoder:
    """Return a frozen image-text encoder by name.

    ``"starter"``, or a CLIP model of open_clip: ``"ViT-B-32"`` (OpenAI's weights), ``"ViT-B-32@laion2b_s34b_b79k"`` (others that it knows)
    or ``"ViT-B-32@file.safetensors"``, with the tag where the file's weights are not OpenAI's: ``"ViT-B-32@laion2b_s34b_b79k=FILE"``.
    Several, as a list or with commas between, make an ensemble; a number after a colon is a member's weight in the losses:
    ``"ViT-B-32:1,ViT-B-16:0.5"``.

    Args:
        weights: tag or file of a single CLIP model, in place of ``@``.
        quick_gelu: the activation the CLIP weights were trained with; see :func:`nada_core.encoders.load_clip.load_clip`.

    Raises:
        EncoderError: unknown name or a weight that is no positive number, said before anything is loaded; weights that are damaged or of
            another model.
        AssetError: published weights could not be fetched.
        GeneratorError: the starter encoder's trained parts are missing from ``checkpoints/``.
    """
    wanted = _members(name)
    if len(wanted) > 1 and weights is not None:
        raise EncoderError("One `weights` for several encoders: say which belong to which, as in 'ViT-B-32@openai,ViT-B-16@openai'.")
    sources = [(model, written if weights is None else weights) for model, written, _ in wanted]
    for model, source in sources:
        _check(model, source)
    members: list[ImageTextEncoder] = []
    for model, source in sources:
        if model == "starter":
            members.append(load_starter_encoder(device))
        else:
            from nada_core.encoders.load_clip import load_clip

            members.append(load_clip(model, source, device, quick_gelu=quick_gelu))
    return members[0] if len(members) == 1 else EncoderEnsemble(members, [weight for _, _, weight in wanted])


def missing_encoders(name: str | Sequence[str]) -> list[str]:
    """Return the published weights that :func:`load_encoder` would fetch for ``name``, as :func:`.load_clip.missing_clip` calls them.

    Raises:
        EncoderError: unknown name, or a weight that is no positive number.
    """
    models = [(model, source) for model, source, _ in _members(name) if model != "starter"]
    if not models:
        return []
    from nada_core.encoders.load_clip import missing_clip

    return [missing for model, source in models if (missing := missing_clip(model, source))]


def _check(model: str, source: str | Path | None) -> None:
    """Check that a member could be loaded, as far as names tell. Raises EncoderError."""
    if model != "starter":
        from nada_core.encoders.load_clip import check_clip

        check_clip(model, source)
    elif source is not None:
        raise EncoderError("The starter encoder comes with its own weights; `weights` are for CLIP models such as ViT-B-32.")


def _members(name: str | Sequence[str]) -> list[tuple[str, str | None, float]]:
    """Return model, tag or file, and weight of each member. Raises EncoderError for a weight that is no positive number."""
    given = [part for text in ([name] if isinstance(name, str) else name) for part in str(text).split(",")]
    members = [parse_member(part) for part in given]
    for model, _, weight in members:
        if not (math.isfinite(weight) and weight > 0):
            raise EncoderError(
                f"The weight of the encoder '{shown(model, 60)}' is {weight:g}; each must be a number above 0. Mend the number."
            )
    return members


def parse_member(text: str) -> tuple[str, str | None, float]:
    """Return model, tag or file (None where none is given), and weight of ``model@source:weight``; nothing is looked up."""
    head, colon, tail = text.strip().rpartition(":")
    try:
        weight = float(tail) if colon else 1.0
    except ValueError:  # the colon belongs to a path
        head, weight = "", 1.0
    model, _, source = (head or text.strip()).partition("@")
    return model.strip(), source.strip() or None, weight
