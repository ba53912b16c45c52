"""Style files: what an adaptation changed, in one self-describing safetensors file.

A file holds the trained parameters and, in its metadata, ``format = nada-style`` and a JSON card that names the base generator by
content hash. Three storages: ``full`` keeps the values bit for bit; ``delta`` keeps differences to the base in half precision, large
matrices as two thin factors; ``delta8`` keeps those factors in eight bits, with a scale for each of their components. ``sha256`` in the
metadata is the checksum of the tensors; files written before there was one are read without it.
"""

from __future__ import annotations

import copy
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

from nada_core.checksums import sha256_of_tensors
from nada_core.errors import StyleError
from nada_core.generators.base import Generator
from nada_core.low_rank import Factors, factorise, layer_gains

__all__ = [
    "COMPACT_BYTES",
    "COMPACT_STORAGES",
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
    "styled",
]

FORMAT = "nada-style"
SCHEMA = 1
MAX_BYTES = 512 << 20
#: Largest file of a style that :func:`compact_style` makes.
COMPACT_BYTES = 1_000_000
#: Storages of small files: differences to the base.
COMPACT_STORAGES = ("delta", "delta8")


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
    """A card and tensors: values by parameter name (``full``), or differences ``NAME``, or ``NAME|up`` and ``NAME|down`` (``delta``).

    ``delta8`` also has ``NAME|scale``; its factors are int8, everything else in any storage is floating point.
    """

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
    metadata = {"format": FORMAT, "card": json.dumps(asdict(style.card)), "sha256": sha256_of_tensors(style.tensors)}
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
        StyleError: as :func:`load_card`, or the tensors are cut off, not finite, or not the ones that were written.
    """
    card = load_card(path)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (safe_open is no mapping)
            expected = (file.metadata() or {}).get("sha256")
    except (SafetensorError, OSError) as error:
        raise StyleError(f"'{path.name}' is damaged: its end is missing. Save or download it again.") from error
    bad = [name for name, tensor in tensors.items() if not _usable(tensor, card.storage == "delta8" and name.endswith(("|up", "|down")))]
    if bad or not tensors:
        raise StyleError(
            f"'{path.name}' holds no usable weights ({bad[0] if bad else 'it is empty'}). It is damaged; make the style again."
        )
    if expected is not None and sha256_of_tensors(tensors) != expected:
        raise StyleError(f"The weights in '{path.name}' are not the ones that were saved: it is damaged. Export or download it again.")
    return Style(card, tensors)


def _usable(tensor: Tensor, eight_bits: bool) -> bool:
    if eight_bits:
        return tensor.dtype == torch.int8
    return tensor.is_floating_point() and bool(torch.isfinite(tensor).all())


def check_base(card: StyleCard, base: Generator, base_hash: str) -> None:
    """See that a style was made for ``base``, whose content hash is ``base_hash``.

    Raises:
        StyleError: for another one.
    """
    if (card.base, card.base_hash) != (base.family, base_hash):
        raise StyleError(
            f"The style '{card.name}' was made for {card.base or 'an unknown base'} {card.base_hash[:8]}; the loaded generator is "
            f"{base.family} {base_hash[:8]}. Load the matching base, or make the style again on this one."
        )


def resolved_weights(style: Style, base: Generator, base_hash: str | None = None) -> dict[str, Tensor]:
    """The style's values for the parameters of ``base``, by name. ``base_hash`` saves hashing a base whose hash is known.

    Raises:
        StyleError: made for another base, or names and shapes that do not fit.
    """
    card = style.card
    if card.storage not in ("full", *COMPACT_STORAGES):
        raise StyleError(
            f"The style '{card.name}' is stored as '{card.storage}'; this version reads full, {' and '.join(COMPACT_STORAGES)}. "
            "Update the program."
        )
    check_base(card, base, base_hash or base.content_hash())
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
    up, down, scale = (style.tensors.get(f"{name}|{part}") for part in ("up", "down", "scale"))
    rows, columns = reference.flatten(1).shape if reference.ndim > 1 else (0, 0)
    fitting = up is not None and down is not None and up.ndim == down.ndim == 2 and up.shape[1] == down.shape[0]
    eight_bits = style.card.storage == "delta8"
    if eight_bits:
        fitting = fitting and scale is not None and up is not None and scale.shape == (up.shape[1],)
    if up is None or down is None or not fitting or (up.shape[0], down.shape[1]) != (rows, columns):
        raise StyleError(f"The factors of '{name}' in the style '{style.card.name}' do not fit the generator. Make the style again.")
    if eight_bits and scale is not None:
        return Factors(up, scale, down).matrix().to(reference).reshape(reference.shape)
    return (up.to(reference) @ down.to(reference)).reshape(reference.shape)


def styled(base: Generator, style: Style, base_hash: str | None = None) -> Generator:
    """A copy of ``base`` in a style; ``base`` stays. ``base_hash`` saves hashing a base whose hash is known.

    Raises:
        StyleError: as :func:`resolved_weights`.
    """
    generator = copy.deepcopy(base)
    with torch.no_grad():
        for name, value in resolved_weights(style, base, base_hash).items():
            generator.get_parameter(name).copy_(value)
    return generator


@torch.no_grad()
def apply_style(generator: Generator, base: Generator, style: Style | None, strength: float = 1.0) -> Generator:
    """Set ``generator``'s trainable weights to ``base + strength * (style - base)``; ``None`` restores the base. Returns ``generator``."""
    weights = {} if style is None else resolved_weights(style, base)
    current = dict(generator.named_parameters())
    for name, reference in base.named_parameters():
        value = weights.get(name)
        current[name].copy_(reference if value is None else value if strength == 1 else torch.lerp(reference, value, strength))
    return generator


def compact_style(style: Style, base: Generator, most: int = COMPACT_BYTES) -> Style:
    """A ``delta8`` copy small enough to ship: its file has at most ``most`` bytes.

    Vectors and small kernels keep their differences in half precision. The rest of the bytes go to the singular components of the
    matrices' differences that the picture shows most (:mod:`nada_core.low_rank`), in eight bits. What did not change is left out.

    Raises:
        StyleError: made for another base, or ``most`` does not even hold the vectors.
    """
    parameters = dict(base.named_parameters())
    weights = resolved_weights(style, base)
    changes = {name: value - parameters[name].detach() for name, value in weights.items()}
    tensors: dict[str, Tensor] = {}
    matrices: dict[str, Tensor] = {}
    for name, change in changes.items():
        if not change.any():
            continue
        if change.ndim > 1 and min(change.flatten(1).shape) > 9:  # a depthwise 3x3 kernel has nothing to factor
            matrices[name] = change.flatten(1)
        else:
            tensors[name] = change.half()
    if not tensors:  # a file cannot be empty
        name = min(changes, key=lambda key: changes[key].numel())
        tensors[name] = changes[name].half()
        matrices.pop(name, None)
    card = replace(style.card, storage="delta8")
    spent = len(json.dumps(asdict(card))) + 1024 + sum(2 * t.numel() + 160 for t in tensors.values())
    if spent > most:
        raise StyleError(f"The style '{card.name}' cannot be stored in {most} bytes: its vectors alone take {spent}. Allow more.")
    gains = layer_gains(base, matrices) if matrices else {}
    for name, factors in factorise(matrices, gains, most - spent).items():
        tensors[f"{name}|up"], tensors[f"{name}|scale"], tensors[f"{name}|down"] = factors.up, factors.scale, factors.down
    return Style(card, tensors)
