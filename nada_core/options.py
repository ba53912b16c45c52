"""Options of an adaptation, and what each family of generators takes for the ones that are left open."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from nada_core.device import Precision
from nada_core.encoders.templates import PARTS
from nada_core.errors import OptionsError
from nada_core.generators.base import LAYER_GROUPS, LAYER_SETS

__all__ = ["FAMILY_DEFAULTS", "MAX_STEPS", "MAX_TARGETS", "PRESETS", "AdaptOptions", "resolve_options"]

MAX_STEPS = 2000
MAX_TARGETS = 16
MAX_POOL = 10_000
WHOLE = frozenset({"steps", "batch", "seed", "crops", "warmup", "adaptive_batch", "adaptive_steps"})


@dataclass(frozen=True)
class AdaptOptions:
    """Options of one adaptation. ``None`` means: the default of the generator's family (:data:`FAMILY_DEFAULTS`)."""

    steps: int = 60
    batch: int = 2  # pairs of faces a step
    lr: float | None = None  # Adam's step size
    betas: tuple[float, float] | None = None
    preset: str | None = None  # a published setting (PRESETS), StyleGAN2 only: "paper" or "source"; what is given beside it wins
    layers: str = "all"  # what trains: "all", or shape, texture, colour, default or no_fine (Generator.layer_set)
    adaptive_layers: int | None = None  # train only so many layers a step, chosen anew each time (layer_selection.py); None: all of them
    adaptive_batch: int = 8  # latents that the layers are chosen by
    adaptive_steps: int = 1  # steps on those latents
    adaptive_lr: float = 0.01  # their size
    official_mapping: bool = False  # choose by the published code's table of slots and layers, which is off by one
    layer_rates: tuple[float, float, float] | None = None  # factors on lr for the groups shape, texture, colour
    source: str = "face"  # the text the direction starts from
    seed: int = 0
    resolution: int | None = None  # side of the images the loss sees
    truncation_psi: float | None = None  # of the training latents: 1 all faces, less only those nearer to the mean face
    noise: Literal["const", "random"] | None = None  # in training: the generator's own, or fresh for each picture as in the official code
    mixing: float = 0.0  # probability that a step's faces take their finer layers from second latents; the paper's 0.9 helps some shapes
    latent_pool: int | None = None  # draw training latents from a fixed pool of so many; None: fresh ones every step
    crops: int | None = None  # random crops per image that the encoder reads; 0: the plain image
    direction_weight: float = 1.0
    global_weight: float | None = None  # distance to the target itself: gives the adaptation a place to stop
    manifold_weight: float = 0.0  # holds how far pictures move to how far the texts are apart
    patch_weight: float = 0.0  # compares parts of the pictures with texts about parts
    patch_parts: str = "face"  # whose parts: "face" or "animal"
    keep_weight: float | None = None  # holds regions that the text does not concern, where the encoder knows regions
    average: float | None = None  # decay of the running mean of the weights that previews and styles use; 0: none
    max_gradient: float | None = None  # norm to which gradients are clipped
    warmup: int | None = None  # steps over which the rate rises
    preview_seeds: tuple[int, ...] = (3, 11, 27, 42)
    preview_truncation: float = 0.7
    preview_seconds: float = 1.2  # pause between previews
    precision: Precision = "auto"


#: What ``None`` means for each family. ``stylegan2`` is the setting of the experiment this project reproduces.
FAMILY_DEFAULTS: dict[str, dict[str, Any]] = {
    "mobile_stylegan": {
        "lr": 1.4e-4,
        "betas": (0.5, 0.99),
        "layer_rates": (0.1, 0.5, 1.0),
        "truncation_psi": 0.8,
        "noise": "const",
        "resolution": 256,
        "crops": 2,
        "global_weight": 0.2,
        "keep_weight": 40.0,
        "average": 0.9,
        "max_gradient": 1.0,
        "warmup": 5,
    },
    "stylegan2": {
        "lr": 2e-3,
        "betas": (0.9, 0.999),
        "layer_rates": (1.0, 1.0, 1.0),
        "truncation_psi": 1.0,
        "noise": "const",
        "crops": 0,
        "global_weight": 0.0,
        "keep_weight": 0.0,
        "average": 0.0,
        "max_gradient": math.inf,
        "warmup": 0,
    },
}

#: Published settings for StyleGAN2. ``paper``: the official code's; of Adam 0.002 and beta 0.99 times and to the power of 4/5, as for a
#: regulariser every fourth step, which it does not have. ``source``: the experiment this project reproduces.
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {"lr": 1.6e-3, "betas": (0.0, 0.99**0.8), "truncation_psi": 1.0, "noise": "random"},
    "source": {"lr": 2e-3, "betas": (0.9, 0.999), "truncation_psi": 1.0},
}


def resolve_options(options: AdaptOptions, family: str) -> AdaptOptions:
    """Fill in the preset's values, then the family's defaults, and check ranges.

    Raises:
        OptionsError: an option is out of range; the message gives the range.
    """
    if options.preset is not None:
        if options.preset not in PRESETS:
            raise OptionsError(f"preset is '{options.preset}'; it must be {' or '.join(PRESETS)}.")
        if family != "stylegan2":
            raise OptionsError(f"preset is '{options.preset}'; presets are for StyleGAN2, and this is {family}. Leave it out.")
    defaults = FAMILY_DEFAULTS.get(family, FAMILY_DEFAULTS["stylegan2"]) | PRESETS.get(options.preset or "", {})
    missing = {name: value for name, value in defaults.items() if getattr(options, name) is None}
    options = replace(options, **missing)
    ranges: dict[str, tuple[float, float]] = {
        "steps": (1, MAX_STEPS),
        "batch": (1, 16),
        "lr": (1e-6, 0.1),
        "seed": (0, 2**63 - 1),
        "truncation_psi": (0, 2),
        "crops": (0, 8),
        "direction_weight": (0, 10),
        "global_weight": (0, 10),
        "manifold_weight": (0, 10),
        "patch_weight": (0, 10),
        "mixing": (0, 1),
        "adaptive_batch": (1, 64),
        "adaptive_steps": (1, 100),
        "adaptive_lr": (1e-6, 10),
        "keep_weight": (0, 1000),
        "average": (0, 0.9999),
        "max_gradient": (0, math.inf),
        "warmup": (0, MAX_STEPS),
        "preview_truncation": (0, 2),
    }
    for name, (low, high) in ranges.items():
        value = getattr(options, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise OptionsError(f"{name} is {value}; it must be between {low:g} and {high:g}.")
        if name in WHOLE and not isinstance(value, int):
            raise OptionsError(f"{name} is {value}; it must be a whole number.")
    if not any((options.direction_weight, options.global_weight, options.manifold_weight, options.patch_weight)):
        raise OptionsError(
            "The weights of direction, global, manifold and patch are all 0: nothing would be learnt. Give one of them a value."
        )
    pool = options.latent_pool
    if pool is not None and (isinstance(pool, bool) or not isinstance(pool, int) or not 1 <= pool <= MAX_POOL):
        raise OptionsError(f"latent_pool is {pool}; it must be a whole number between 1 and {MAX_POOL}, or None for fresh faces.")
    factors, betas = options.layer_rates or (), options.betas or ()
    if len(factors) != len(LAYER_GROUPS) or not all(0 <= f <= 10 for f in factors):
        raise OptionsError(f"layer_rates is {factors}; it must be three factors between 0 and 10, for {', '.join(LAYER_GROUPS)}.")
    if len(betas) != 2 or not all(0 <= b < 1 for b in betas):
        raise OptionsError(f"betas is {betas}; both must be at least 0 and below 1.")
    if options.noise not in ("const", "random"):
        raise OptionsError(f"noise is '{options.noise}'; it must be const or random.")
    if options.patch_parts not in PARTS:
        raise OptionsError(f"patch_parts is '{options.patch_parts}'; it must be {' or '.join(PARTS)}.")
    if options.patch_parts != "face" and not options.patch_weight:
        raise OptionsError(f"patch_parts is '{options.patch_parts}' where patch_weight is 0. Give patch_weight a value, or leave both out.")
    if options.layers not in LAYER_SETS:
        raise OptionsError(f"layers is '{options.layers}'; it must be {', '.join(LAYER_SETS[:-1])} or {LAYER_SETS[-1]}.")
    chosen = options.adaptive_layers
    if chosen is not None and (isinstance(chosen, bool) or not isinstance(chosen, int) or chosen < 1):
        raise OptionsError(f"adaptive_layers is {chosen}; it must be a whole number of at least 1, or None to train all layers.")
    if options.official_mapping and (chosen is None or family != "stylegan2"):
        raise OptionsError("official_mapping is about adaptive_layers of StyleGAN2 only. Leave it out.")
    if not 1 <= len(options.preview_seeds) <= 16:
        raise OptionsError(f"{len(options.preview_seeds)} preview faces; between 1 and 16 are possible.")
    return options
