"""Read and write style files: what an adaptation changed, in one self-describing safetensors file.

A file holds the trained parameters and, in its metadata, ``format = nada-style`` and a JSON card that names the base generator by
content hash. Three storages: ``full`` keeps the values bit for bit; ``delta`` keeps differences to the base in half precision, large
matrices as two thin factors; ``delta8`` keeps those factors in eight bits, with a scale for each of their components. ``sha256`` in the
metadata is the checksum of the tensors; files written before there was one are read without it.
"""

from __future__ import annotations

import copy
import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save, save_file
from torch import Tensor

from nada_core.assets.checksums import sha256_of_tensors
from nada_core.errors import StyleError, shown
from nada_core.generators.base import Generator
from nada_core.styles.low_rank import Factors, factorise, layer_gains, packed, unpacked
from nada_core.system.containers import read_safetensors, reading, safetensors_header
from nada_core.system.files import check_file, slug
from nada_core.system.safetensors_writing import safetensors_parts

__all__ = [
    "COMPACT_BYTES",
    "COMPACT_STORAGES",
    "SCHEMA",
    "TEMPORARY",
    "Style",
    "StyleCard",
    "compact_style",
    "load_card",
    "load_style",
    "resolved_weights",
    "save_style",
    "slug",
    "style_bytes",
    "style_parts",
    "styled",
]

FORMAT = "nada-style"
SCHEMA = 1
MAX_BYTES = 512 << 20
#: How the names of files begin that are being written.
TEMPORARY = ".style-"
#: Largest file of a style that :func:`compact_style` makes.
COMPACT_BYTES = 1_000_000
#: Storages of small files: differences to the base.
COMPACT_STORAGES = ("delta", "delta8", "delta4")
#: Ends of the names of factors -> what their values are kept in.
_WHOLE_NUMBERS = {"|up": torch.int8, "|down": torch.int8, "|up4": torch.uint8, "|down4": torch.uint8}


@dataclass(frozen=True)
class StyleCard:
    """Describe a style and where it came from: everything needed to make it again."""

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
    made_from: str = ""  # "text" or "pictures"; empty for styles of other programs and of earlier versions: their name is only a name
    reading: dict[str, Any] = field(default_factory=dict)  # what the text was understood as: "look", "understood", "unknown"
    storage: str = "full"
    created: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA
    title: str = ""  # the name as a person spelled it, where a file's name cannot hold that


@dataclass(frozen=True)
class Style:
    """Hold a card and tensors: values by name (``full``), or differences ``NAME``, or ``NAME|up`` and ``NAME|down`` (``delta``).

    ``delta8`` also has ``NAME|scale``; its factors are int8. ``delta4`` may have ``NAME|up4``, ``NAME|scale4`` and ``NAME|down4`` beside or
    instead of those: two values in a byte (:func:`nada_core.styles.low_rank.packed`). Everything else in any storage is floating point.
    """

    card: StyleCard
    tensors: Mapping[str, Tensor]


def save_style(style: Style, path: Path) -> Path:
    """Write a style file atomically: it is complete or absent.

    Raises:
        StyleError: the folder cannot be written, or the disk is full.
    """
    tensors, metadata = _content(style)
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY, suffix=".tmp")
        os.close(handle)
        save_file(tensors, temporary, metadata)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or "the disk may be full"
        raise StyleError(
            f"The style could not be saved as '{shown(path.name)}': {reason}. Choose another folder or free some space."
        ) from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
    return path


def style_bytes(style: Style) -> bytes:
    """Return the content of a style's file, for what keeps or sends it otherwise than :func:`save_style`."""
    return save(*_content(style))


def style_parts(style: Style) -> list[bytes | memoryview]:
    """Return the content of a style's file in parts whose numbers are the style's own memory, not copies."""
    return safetensors_parts(*_content(style))


def _content(style: Style) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a style's file."""
    metadata = {"format": FORMAT, "card": json.dumps(asdict(style.card)), "sha256": sha256_of_tensors(style.tensors)}
    return {name: tensor.contiguous() for name, tensor in style.tensors.items()}, metadata


def load_card(path: Path) -> StyleCard:
    """Return only the card of a style file.

    Raises:
        StyleError: no such file, not a style file, or of a newer schema.
    """
    missing = f"There is no style file '{shown(path.name, 60)}'. `python -m nada_core styles` lists the ones there are."
    size = check_file(path, missing, StyleError)  # asked once: a file may be deleted between two questions
    file = shown(path.name)
    damaged = f"'{file}' is not a style file, or it is damaged. Save or download it again."
    if size > MAX_BYTES:
        raise StyleError(f"'{file}' has {size >> 20} MB; a style has at most {MAX_BYTES >> 20}. It is not a style file.")
    names, metadata = safetensors_header(path, damaged, StyleError)
    if metadata.get("format") != FORMAT:
        raise StyleError(f"'{file}' is a safetensors file but not a style: it {_instead(names)}")
    with reading(path, damaged, StyleError):
        raw = json.loads(metadata["card"])
        schema = raw.get("schema", 0)
        if not isinstance(schema, int) or isinstance(schema, bool):
            raise StyleError(damaged)  # no version of the program wrote that
        if schema != SCHEMA:
            raise StyleError(
                f"'{file}' has style schema {shown(schema, 40)}; this version reads {SCHEMA}. Update the program that is older."
            )
        known = {f.name for f in fields(StyleCard)}
        card = {key: value for key, value in raw.items() if key in known}
        wrong = [key for key in ("name", "prompt") if key not in card]
        wrong += [key for key, value in card.items() if not _fits(key, value)]
        if wrong:
            raise StyleError(f"The card of '{file}' is damaged: '{wrong[0]}' is missing or of a wrong kind. Save or download it again.")
        made = StyleCard(**card)
        json.dumps(asdict(made))  # what is nested too deep to be written again is refused here
    return made


def _instead(names: Sequence[str]) -> str:
    """Return what a file without a card holds, and what to do."""
    if any("lora_" in name.lower() for name in names):
        return "is a LoRA for diffusion models, whose layers no face generator has. Adapt to its subject in words instead."
    return f"has no '{FORMAT}' card. Give one that an adaptation saved; a whole generator is given as the base model."


#: What JSON may hold for each field of a card; fields not named here are texts.
_CARD_TYPES: dict[str, tuple[type, ...]] = {
    "steps": (int,),
    "seed": (int,),
    "schema": (int,),
    "loss": (int, float, type(None)),
    "similarity": (int, float, type(None)),
    "options": (dict,),
    "reading": (dict,),
    "versions": (dict,),
}


def _fits(key: str, value: object) -> bool:
    """Tell whether a value may stand in this field of a card; numbers that no adaptation counts up to may not."""
    return isinstance(value, _CARD_TYPES.get(key, str)) and not (isinstance(value, int) and abs(value) >= 1 << 63)


def load_style(path: Path) -> Style:
    """Return card and tensors of a style file.

    Raises:
        StyleError: as :func:`load_card`, or the tensors are cut off, not finite, or not the ones that were written.
    """
    card = load_card(path)
    file = shown(path.name)
    damaged = f"'{file}' is damaged: its end is missing. Save or download it again."
    tensors, metadata = read_safetensors(path, damaged, StyleError)
    with reading(path, f"'{file}' holds no usable weights. It is damaged; make the style again.", StyleError):
        bad = [name for name, tensor in tensors.items() if not _usable(name, tensor, card.storage)]
        if bad or not tensors:
            what = shown(bad[0]) if bad else "it is empty"
            raise StyleError(f"'{file}' holds no usable weights ({what}). It is damaged; make the style again.")
        expected = metadata.get("sha256")
        if expected is not None and sha256_of_tensors(tensors) != expected:
            raise StyleError(f"The weights in '{file}' are not the ones that were saved: it is damaged. Export or download it again.")
    return Style(card, tensors)


def _usable(name: str, tensor: Tensor, storage: str) -> bool:
    kind = _WHOLE_NUMBERS.get(name[name.find("|") :]) if storage in ("delta8", "delta4") else None
    if kind is not None:
        return tensor.dtype == kind
    return tensor.is_floating_point() and bool(torch.isfinite(tensor).all())


def check_base(card: StyleCard, base: Generator, base_hash: str) -> None:
    """Check that a style was made for ``base``, whose content hash is ``base_hash``.

    Raises:
        StyleError: for another one.
    """
    if (card.base, card.base_hash) != (base.family, base_hash):
        raise StyleError(
            f"The style '{shown(card.name)}' was made for {shown(card.base) or 'an unknown base'} {shown(card.base_hash[:8])}; the loaded "
            "generator is "
            f"{base.family} {base_hash[:8]}. Load the matching base, or make the style again on this one."
        )


def resolved_weights(style: Style, base: Generator, base_hash: str | None = None) -> dict[str, Tensor]:
    """Return the style's values for the parameters of ``base``, by name. ``base_hash`` saves hashing a base whose hash is known.

    Raises:
        StyleError: made for another base, or names and shapes that do not fit.
    """
    card = style.card
    if card.storage not in ("full", *COMPACT_STORAGES):
        raise StyleError(
            f"The style '{shown(card.name)}' is stored as '{shown(card.storage, 20)}'; this version reads full, "
            f"{', '.join(COMPACT_STORAGES)}. Update the program."
        )
    check_base(card, base, base_hash or base.content_hash())
    parameters = dict(base.named_parameters())
    weights: dict[str, Tensor] = {}
    for name in sorted({key.split("|")[0] for key in style.tensors}):
        if name not in parameters:
            raise StyleError(f"The style '{shown(card.name)}' changes '{shown(name)}', which {base.family} does not have.")
        reference = parameters[name].detach()
        stored = _stored(style, name, reference)
        weights[name] = stored if card.storage == "full" else reference + stored
    return weights


def _stored(style: Style, name: str, reference: Tensor) -> Tensor:
    """Return the tensor kept for ``name``, its factors multiplied, in the shape and on the device of ``reference``."""
    if name in style.tensors:
        value = style.tensors[name]
        if value.shape != reference.shape:
            raise StyleError(
                f"'{name}' has shape {shown(tuple(value.shape))} in the style '{shown(style.card.name)}', {tuple(reference.shape)} in the "
                "generator. Make the style again."
            )
        return value.to(reference)
    rows, columns = reference.flatten(1).shape if reference.ndim > 1 else (0, 0)
    parts = [found for bits in (8, 4) if (found := _factors(style, name, bits, rows, columns)) is not None]
    if not parts:
        raise StyleError(f"The factors of '{name}' in the style '{shown(style.card.name)}' do not fit the generator. Make the style again.")
    return sum(parts[1:], parts[0]).to(reference).reshape(reference.shape)


def _factors(style: Style, name: str, bits: int, rows: int, columns: int) -> Tensor | None:
    """Return the product ``[rows, columns]`` of the factors that are kept in ``bits``; None where there are none.

    Raises:
        StyleError: some are missing, or of another shape.
    """
    end = "4" if bits == 4 else ""
    up, scale, down = (style.tensors.get(f"{name}|{part}{end}") for part in ("up", "scale", "down"))
    if up is None and scale is None and down is None:
        return None
    whole = style.card.storage != "delta"
    wanted = (math.ceil(rows / 2), math.ceil(columns / 2)) if bits == 4 else (rows, columns)
    fits = up is not None and down is not None and up.ndim == down.ndim == 2 and (up.shape[0], down.shape[1]) == wanted
    if not fits or up is None or down is None or up.shape[1] != down.shape[0] or rows == 0:
        raise StyleError(f"The factors of '{name}' in the style '{shown(style.card.name)}' do not fit the generator. Make the style again.")
    if not whole:
        return up.float() @ down.float()
    if scale is None or scale.shape != (up.shape[1],):
        raise StyleError(f"The factors of '{name}' in the style '{shown(style.card.name)}' do not fit the generator. Make the style again.")
    if bits == 4:
        up, down = unpacked(up, rows), unpacked(down.T.contiguous(), columns).T
    return Factors(up, scale, down).matrix()


def styled(base: Generator, style: Style, base_hash: str | None = None) -> Generator:
    """Return a copy of ``base`` in a style; ``base`` stays. ``base_hash`` saves hashing a base whose hash is known.

    Raises:
        StyleError: as :func:`resolved_weights`.
    """
    generator = copy.deepcopy(base)
    with torch.no_grad():
        for name, value in resolved_weights(style, base, base_hash).items():
            generator.get_parameter(name).copy_(value)
    return generator


def compact_style(style: Style, base: Generator, most: int = COMPACT_BYTES) -> Style:
    """Return a ``delta4`` copy small enough to ship: its file has at most ``most`` bytes.

    Vectors and small kernels keep their differences in half precision. The rest of the bytes go to the singular components of the
    matrices' differences that the picture shows most (:mod:`nada_core.styles.low_rank`), in eight or four bits. What did not change is
    left out.

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
    card = replace(style.card, storage="delta4")
    spent = len(json.dumps(asdict(card))) + 1024 + sum(2 * t.numel() + 160 for t in tensors.values())
    if spent > most:
        raise StyleError(f"The style '{shown(card.name)}' cannot be stored in {most} bytes: its vectors alone take {spent}. Allow more.")
    gains = layer_gains(base, matrices) if matrices else {}
    for name, parts in factorise(matrices, gains, most - spent).items():
        for bits, factors in parts.items():
            up, down, end = (
                (factors.up, factors.down, "") if bits == 8 else (packed(factors.up), packed(factors.down.T).T.contiguous(), "4")
            )
            tensors |= {f"{name}|up{end}": up, f"{name}|scale{end}": factors.scale, f"{name}|down{end}": down}
    return Style(card, tensors)
