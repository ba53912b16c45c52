"""Style files: what an adaptation changed, in one self-describing safetensors file.

A file holds the trained parameters and, in its metadata, ``format = nada-style`` and a JSON card that names the base generator by
content hash. Two storages: ``full`` keeps the values bit for bit; ``delta`` keeps differences to the base in half precision, large
matrices as two thin factors.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nada_core.errors import StyleError
from nada_core.generators.base import Generator

__all__ = [
    "SCHEMA",
    "Style",
    "StyleCard",
    "apply_style",
    "compact_style",
    "load_card",
    "load_style",
    "resolved_weights",
    "save_style",
    "slug",
]

FORMAT = "nada-style"
SCHEMA = 1
MAX_BYTES = 512 << 20


@dataclass(frozen=True)
class StyleCard:
    """What a style is and where it came from. Everything needed to make it again."""

    name: str
    prompt: str
    source: str = "face"
    base: str = ""
    base_hash: str = ""
    encoder: str = ""
    steps: int = 0
    loss: float | None = None
    similarity: float | None = None
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    storage: str = "full"
    created: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA


@dataclass(frozen=True)
class Style:
    """A card and tensors: values by parameter name (``full``), or ``NAME``, ``NAME|down`` and ``NAME|up`` differences (``delta``)."""

    card: StyleCard
    tensors: Mapping[str, Tensor]


def slug(name: str) -> str:
    """A file-system-safe identifier: lower-case letters, digits and dashes, at most 60."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].rstrip("-") or "style"


def save_style(style: Style, path: Path) -> Path:
    """Write atomically: the file is complete or absent.

    Raises:
        StyleError: the folder cannot be written, or the disk is full.
    """
    metadata = {"format": FORMAT, "card": json.dumps(asdict(style.card))}
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".style-", suffix=".tmp")
        os.close(handle)
        save_file({name: tensor.contiguous() for name, tensor in style.tensors.items()}, temporary, metadata)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or "the disk may be full"
        raise StyleError(f"The style could not be saved as '{path.name}': {reason}. Choose another folder or free some space.") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return path


def load_card(path: Path) -> StyleCard:
    """Only the card of a style file.

    Raises:
        StyleError: no such file, not a style file, or of a newer schema.
    """
    if not _is_file(path):
        raise StyleError(f"There is no style file '{path.name[:60]}'. `python -m nada_core styles` lists the ones there are.")
    if path.stat().st_size > MAX_BYTES:
        raise StyleError(
            f"'{path.name}' has {path.stat().st_size >> 20} MB; a style has at most {MAX_BYTES >> 20}. It is not a style file."
        )
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise StyleError(f"'{path.name}' is a safetensors file but not a style: it has no '{FORMAT}' card.")
        raw = json.loads(metadata["card"])
        schema = raw.get("schema", 0)
    except StyleError:
        raise
    except (SafetensorError, OSError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise StyleError(f"'{path.name}' is not a style file, or it is damaged. Save or download it again.") from error
    if schema != SCHEMA:
        raise StyleError(f"'{path.name}' has style schema {schema}; this version reads {SCHEMA}. Update the program that is older.")
    known = {f.name for f in fields(StyleCard)}
    card = {key: value for key, value in raw.items() if key in known}
    wrong = [key for key in ("name", "prompt") if key not in card]
    wrong += [key for key, value in card.items() if not isinstance(value, _CARD_TYPES.get(key, str))]
    if wrong:
        raise StyleError(f"The card of '{path.name}' is damaged: '{wrong[0]}' is missing or of a wrong kind. Save or download it again.")
    return StyleCard(**card)


#: What JSON may hold for each field of a card; fields not named here are texts.
_CARD_TYPES: dict[str, tuple[type, ...]] = {
    "steps": (int,),
    "seed": (int,),
    "schema": (int,),
    "loss": (int, float, type(None)),
    "similarity": (int, float, type(None)),
    "options": (dict,),
    "versions": (dict,),
}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the file system takes
        return False


def load_style(path: Path) -> Style:
    """Card and tensors of a style file.

    Raises:
        StyleError: as :func:`load_card`, or the tensors are cut off or not finite.
    """
    card = load_card(path)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
    except (SafetensorError, OSError) as error:
        raise StyleError(f"'{path.name}' is damaged: its end is missing. Save or download it again.") from error
    bad = [name for name, tensor in tensors.items() if not tensor.is_floating_point() or not torch.isfinite(tensor).all()]
    if bad or not tensors:
        raise StyleError(
            f"'{path.name}' holds no usable weights ({bad[0] if bad else 'it is empty'}). It is damaged; make the style again."
        )
    return Style(card, tensors)


def resolved_weights(style: Style, base: Generator) -> dict[str, Tensor]:
    """The style's values for the parameters of ``base``, by name.

    Raises:
        StyleError: made for another base, or names and shapes that do not fit.
    """
    card = style.card
    if card.storage not in ("full", "delta"):
        raise StyleError(f"The style '{card.name}' is stored as '{card.storage}'; this version reads full and delta. Update the program.")
    if card.base != base.family or card.base_hash != base.content_hash():
        raise StyleError(
            f"The style '{card.name}' was made for {card.base or 'an unknown base'} {card.base_hash[:8]}; the loaded generator is "
            f"{base.family} {base.content_hash()[:8]}. Load the matching base, or make the style again on this one."
        )
    parameters = dict(base.named_parameters())
    weights: dict[str, Tensor] = {}
    for name in sorted({key.split("|")[0] for key in style.tensors}):
        if name not in parameters:
            raise StyleError(f"The style '{card.name}' changes '{name}', which {base.family} does not have.")
        reference = parameters[name].detach()
        stored = _stored(style, name, reference)
        weights[name] = stored if card.storage == "full" else reference + stored
    return weights


def _stored(style: Style, name: str, reference: Tensor) -> Tensor:
    """The tensor kept for ``name``, its factors multiplied, in the shape and on the device of ``reference``."""
    if name in style.tensors:
        value = style.tensors[name]
        if value.shape != reference.shape:
            raise StyleError(
                f"'{name}' has shape {tuple(value.shape)} in the style '{style.card.name}', {tuple(reference.shape)} in the generator. "
                "Make the style again."
            )
        return value.to(reference)
    up, down = style.tensors.get(f"{name}|up"), style.tensors.get(f"{name}|down")
    rows, columns = reference.flatten(1).shape if reference.ndim > 1 else (0, 0)
    fitting = up is not None and down is not None and up.ndim == down.ndim == 2 and up.shape[1] == down.shape[0]
    if up is None or down is None or not fitting or (up.shape[0], down.shape[1]) != (rows, columns):
        raise StyleError(f"The factors of '{name}' in the style '{style.card.name}' do not fit the generator. Make the style again.")
    return (up.to(reference) @ down.to(reference)).reshape(reference.shape)


@torch.no_grad()
def apply_style(generator: Generator, base: Generator, style: Style | None, strength: float = 1.0) -> Generator:
    """Set ``generator``'s trainable weights to ``base + strength * (style - base)``; ``None`` restores the base. Returns ``generator``."""
    weights = {} if style is None else resolved_weights(style, base)
    current = dict(generator.named_parameters())
    for name, reference in base.named_parameters():
        value = weights.get(name)
        current[name].copy_(reference if value is None else value if strength == 1 else torch.lerp(reference, value, strength))
    return generator


def compact_style(style: Style, base: Generator, rank: int = 24) -> Style:
    """A ``delta`` copy small enough to ship: half-precision differences, matrices above 64k values as factors of at most ``rank``.

    A thin stand-in: it fixes one rank for every layer.
    """
    tensors: dict[str, Tensor] = {}
    parameters = dict(base.named_parameters())
    for name, value in resolved_weights(style, base).items():
        delta = value - parameters[name].detach()
        if delta.numel() <= 1 << 16:
            tensors[name] = delta.half()
            continue
        u, s, v = torch.svd_lowrank(delta.flatten(1), q=min(rank, *delta.flatten(1).shape), niter=4)
        root = s.sqrt()
        tensors[f"{name}|up"], tensors[f"{name}|down"] = (u * root).half(), (root[:, None] * v.T).half()
    return Style(replace(style.card, storage="delta"), tensors)
