"""Convert StyleGAN2 files between rosinality's format and ours; NVIDIA's are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from nada_core.errors import GeneratorError, OptionsError, shown
from nada_core.generators.formats import ours, rosinality
from nada_core.generators.load import load_generator
from nada_core.generators.stylegan2 import StyleGAN2
from nada_core.generators.trial import check_draws
from nada_core.styles.files import Style, styled
from nada_core.system.files import write_bytes

__all__ = ["Conversion", "Target", "convert"]

Target = Literal["rosinality", "safetensors"]
SUFFIXES: dict[str, Target] = {".pt": "rosinality", ".pth": "rosinality", ".safetensors": "safetensors"}


@dataclass(frozen=True)
class Conversion:
    """Hold what was written. ``notes``: what the format cannot hold, or its usual readers cannot build, one sentence each."""

    path: Path
    format: Target
    resolution: int
    style: str = ""
    notes: tuple[str, ...] = ()


def convert(source: Path, out: Path, to: Target | None = None, style: Style | None = None) -> Conversion:
    """Read any StyleGAN2 file, apply ``style`` where given, and write ``out`` completely or not at all.

    Args:
        to: the format; by default what the ending of ``out`` says (``.pt`` or ``.safetensors``).

    Raises:
        OptionsError: the format is neither given nor told by the ending, or both disagree.
        GeneratorError: ``source`` cannot be used.
        StyleError: ``style`` was made for another generator, or is damaged.
    """
    told = SUFFIXES.get(out.suffix.lower())
    chosen = to or told
    if chosen is None:
        raise OptionsError(
            f"'{shown(out.name)}' does not tell the format: end it in .pt or .safetensors, or give --to rosinality or safetensors."
        )
    if to is not None and told not in (None, to):
        raise OptionsError(f"'{shown(out.name)}' is named as a {told} file, but --to says {to}. Change one of them.")
    generator = load_generator(source, trial=False)
    if not isinstance(generator, StyleGAN2):
        raise GeneratorError(f"'{shown(source.name)}' is a {generator.family} network; only StyleGAN2 networks can be converted.")
    check_draws(generator, shown(source.name))
    name = ""
    if style is not None:
        generator = cast(StyleGAN2, styled(generator, style))
        name = style.card.name
    if chosen == "rosinality" and generator.z_dim > generator.w_dim:
        raise GeneratorError(
            f"A rosinality file cannot say that z has {generator.z_dim} numbers and w {generator.w_dim}: it would be taken for a "
            "conditional network. Write a .safetensors."
        )
    write_bytes(out, rosinality.to_bytes(generator) if chosen == "rosinality" else ours.to_bytes(generator))
    notes = tuple(rosinality.compatibility_notes(generator)) if chosen == "rosinality" else ()
    return Conversion(out, chosen, generator.img_resolution, name, notes)
