"""List what an engine can be trained with (layer sets, resolutions, presets) and its defaults, for the Adapt tab's form."""

from __future__ import annotations

from dataclasses import dataclass

from nada_core.errors import OptionsError
from nada_core.ui.app_engine import AppEngine

__all__ = ["TrainingFacts", "training_facts"]


@dataclass(frozen=True)
class TrainingFacts:
    """Hold the training choices of one engine. The ``own`` values are those of options that are left alone."""

    layer_sets: tuple[str, ...]  # names that `AdaptOptions.layers` takes
    layers: int  # how many adaptive layers can be chosen from
    resolutions: tuple[int, ...]
    own_steps: int
    own_resolution: int
    own_truncation: float
    own_crops: int
    own_direction: float
    own_global: float
    presets: tuple[str, ...]  # published settings of the optimiser for this family
    encoder: str  # of texts and pictures, as `load_encoder` takes it
    patches: bool  # whether the patch loss can be computed
    near: bool  # whether a run can begin at a blend of ready styles


def training_facts(engine: AppEngine) -> TrainingFacts:
    """Return the training choices of an engine whose networks are loaded; computes nothing."""
    from nada_core.adaptation.options import PRESETS, AdaptOptions, own_steps, resolve_options
    from nada_core.adaptation.start_near import style_effects
    from nada_core.generators.base import LAYER_SETS
    from nada_core.losses import check_patches
    from nada_core.worlds import STARTER

    generator = engine.generator
    looks = engine.parts.encoder == STARTER
    own = resolve_options(AdaptOptions(), generator.family, looks=looks)
    try:
        check_patches(engine.encoder)
        patches = True
    except OptionsError:
        patches = False
    return TrainingFacts(
        layer_sets=tuple(name for name in LAYER_SETS if generator.layer_set(name)),
        layers=generator.num_ws,
        resolutions=tuple(generator.resolutions),
        own_steps=own_steps(generator.family, looks=looks),
        own_resolution=own.resolution or generator.img_resolution,
        own_truncation=own.truncation_psi or 0.0,
        own_crops=own.crops or 0,
        own_direction=own.direction_weight,
        own_global=own.global_weight or 0.0,
        encoder=str(engine.parts.encoder),
        presets=tuple(PRESETS) if generator.family == "stylegan2" else (),
        patches=patches,
        near=looks and style_effects().base_hash == engine.base_hash,
    )
