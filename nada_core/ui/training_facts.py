"""What an engine's generator and encoder can be trained with: the choices that the Adapt tab's settings have there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import OptionsError

__all__ = ["TrainingFacts", "training_facts"]


@dataclass(frozen=True)
class TrainingFacts:
    """Facts of one engine. The ``own`` values are those of options that are left alone."""

    layer_sets: tuple[str, ...]  # names that `AdaptOptions.layers` takes
    layers: int  # how many adaptive layers can be chosen from
    resolutions: tuple[int, ...]
    own_resolution: int
    own_truncation: float
    own_crops: int
    own_direction: float
    own_global: float
    presets: tuple[str, ...]  # published settings of the optimiser for this family
    encoder: str  # of texts and pictures, as `load_encoder` takes it
    patches: bool  # whether the patch loss can be computed


def training_facts(engine: Any) -> TrainingFacts:
    """The facts of an engine whose networks are loaded; computes nothing."""
    from ..generators.base import LAYER_SETS
    from ..losses import check_patches
    from ..options import PRESETS, AdaptOptions, resolve_options

    generator = engine.generator
    own = resolve_options(AdaptOptions(), generator.family)
    try:
        check_patches(engine.encoder)
        patches = True
    except OptionsError:
        patches = False
    return TrainingFacts(
        layer_sets=tuple(name for name in LAYER_SETS if generator.layer_set(name)),
        layers=generator.num_ws,
        resolutions=tuple(generator.resolutions),
        own_resolution=own.resolution or generator.img_resolution,
        own_truncation=own.truncation_psi or 0.0,
        own_crops=own.crops or 0,
        own_direction=own.direction_weight,
        own_global=own.global_weight or 0.0,
        encoder=str(engine.parts.encoder),
        presets=tuple(PRESETS) if generator.family == "stylegan2" else (),
        patches=patches,
    )
