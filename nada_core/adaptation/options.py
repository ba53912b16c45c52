"""Hold the options of an adaptation, and what each family of generators takes for the ones that are left open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from nada_core.encoders.templates import PARTS
from nada_core.errors import OptionsError, shown
from nada_core.generators.base import LAYER_GROUPS, LAYER_SETS
from nada_core.system.device import Precision, check_precision

__all__ = ["FAMILY_DEFAULTS", "MAX_STEPS", "MAX_TARGETS", "PRESETS", "SENTENCE_DEFAULTS", "AdaptOptions", "own_steps", "resolve_options"]

MAX_STEPS = 2000
MAX_TARGETS = 16
MAX_POOL = 10_000
WHOLE = frozenset({"steps", "batch", "seed", "crops", "warmup", "adaptive_batch", "adaptive_steps"})


@dataclass(frozen=True)
class AdaptOptions:
    """Hold the options of one adaptation. ``None`` means: the default of the generator's family (:data:`FAMILY_DEFAULTS`)."""

    steps: int = 60
    batch: int = 2  # pairs of faces a step
    lr: float | None = None  # Adam's step size
    betas: tuple[float, float] | None = None
    preset: str | None = None  # a published setting (PRESETS), StyleGAN2 only: "paper" or "source"; what is given beside it wins
    layers: str = "all"  # what trains: "all", or shape, texture, colour, default or no_fine (Generator.layer_set)
    adaptive_layers: int | None = None  # train only so many layers a step, chosen anew each time (layer_selection.py); None: all of them
    adaptive_batch: int = 8  # latents that the layers are chosen by
    adaptive_steps: int = 1  # steps on those latents
    adaptive_lr: float = 0.01  # step size on those latents
    official_mapping: bool = False  # choose by the published code's table of slots and layers, which is off by one
    layer_rates: tuple[float, float, float] | None = None  # factors on lr for the groups shape, texture, colour
    source: str = "face"  # the text the direction starts from
    start: str | None = None  # ready styles whose blend training begins at (start_near.py); None: found by the text; "": the base itself
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
    keep_weight: float | None = None  # holds pixels that the look leaves alone, where the text is read as one
    average: float | None = None  # decay of the running mean of the weights that previews and styles use; 0: none
    max_gradient: float | None = None  # norm to which gradients are clipped
    warmup: int | None = None  # steps over which the rate rises
    preview_seeds: tuple[int, ...] = (3, 11, 27, 42)
    preview_truncation: float = 0.7
    preview_seconds: float = 1.2  # pause between previews, longer where drawing them would take much of the time; 0: after every step
    preview_start: bool = False  # show the blend that training begins at before the first step, as a step of index 0
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
        "keep_weight": 10.0,
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

#: What changes in these where the encoder reads sentences (CLIP) and not looks. Reasoned, not measured: no weights of CLIP were at hand.
#: What the generator itself bears (betas, warm-up, the limit on gradients, the mean of the weights, truncation) stays as it is.
#: - The rate is what a look or a picture gets that changes every pixel (drawn_targets.RATE): words may ask for just that.
#: - Shape learns three times as fast as by default, because words ask for shapes ("Pixar"), and still not at the full rate: without
#:   drawings nothing holds the pixels that the words leave alone, and what is lost first where the coarse layers run free is the person.
#: - Crops stay at two views a picture: a pattern that pleases CLIP on one grid of pixels and shows nothing has to survive shifts.
#: - Steps: see :func:`own_steps`.
#: Tried with ViT-B-32 at its full size and random weights: 24 steps with finite pictures, 2.7 s each on one core of a CPU.
SENTENCE_DEFAULTS: dict[str, dict[str, Any]] = {"mobile_stylegan": {"lr": 2.8e-4, "layer_rates": (0.3, 0.7, 1.0), "crops": 2}}

#: Published settings for StyleGAN2. ``paper``: the official code's; of Adam 0.002 and beta 0.99 times and to the power of 4/5, as for a
#: regulariser every fourth step, which it does not have. ``source``: the experiment this project reproduces.
PRESETS: dict[str, dict[str, Any]] = {
    "paper": {"lr": 1.6e-3, "betas": (0.0, 0.99**0.8), "truncation_psi": 1.0, "noise": "random"},
    "source": {"lr": 2e-3, "betas": (0.9, 0.999), "truncation_psi": 1.0},
}


def own_steps(family: str, *, looks: bool = True) -> int:
    """Return how many steps suit a generator and what reads the text.

    A drawing tells each face where to go, pixel by pixel: a run that begins near the text (start_near.py) is there after 10 to 30 steps,
    one from the generator itself after 60. CLIP gives all faces one direction. Published runs on StyleGAN2 take 200 to 600 steps of 0.002
    and do most of their way in the first half; 150 of the larger relative steps of MobileStyleGAN are about that half.
    """
    if family not in SENTENCE_DEFAULTS:
        return AdaptOptions.steps
    return 30 if looks else 150


def resolve_options(options: AdaptOptions, family: str, *, looks: bool = True) -> AdaptOptions:
    """Fill in the preset's values, then the family's defaults, and check ranges.

    Args:
        looks: the encoder reads texts as looks, as the starter's does, and not as sentences.

    Raises:
        OptionsError: an option is out of range; the message gives the range.
    """
    if options.preset is not None:
        if not isinstance(options.preset, str) or options.preset not in PRESETS:
            raise OptionsError(f"preset is '{shown(options.preset, 40)}'; it must be {' or '.join(PRESETS)}.")
        if family != "stylegan2":
            raise OptionsError(f"preset is '{options.preset}'; presets are for StyleGAN2, and this is {family}. Leave it out.")
    defaults = FAMILY_DEFAULTS.get(family, FAMILY_DEFAULTS["stylegan2"]) | PRESETS.get(options.preset or "", {})
    if not looks:
        defaults |= SENTENCE_DEFAULTS.get(family, {})
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
        "preview_seconds": (0, math.inf),
    }
    for name, (low, high) in ranges.items():
        value = getattr(options, name)
        if not _is_number(value) or not low <= value <= high:
            raise OptionsError(f"{name} is {shown(value, 40)}; it must be between {low:g} and {high:g}.")
        if name in WHOLE and not isinstance(value, int):
            raise OptionsError(f"{name} is {shown(value, 40)}; it must be a whole number.")
    if not any((options.direction_weight, options.global_weight, options.manifold_weight, options.patch_weight)):
        raise OptionsError(
            "The weights of direction, global, manifold and patch are all 0: nothing would be learnt. Give one of them a value."
        )
    pool = options.latent_pool
    if pool is not None and (isinstance(pool, bool) or not isinstance(pool, int) or not 1 <= pool <= MAX_POOL):
        raise OptionsError(
            f"latent_pool is {shown(pool, 40)}; it must be a whole number between 1 and {MAX_POOL}, or None for fresh faces."
        )
    factors, betas = options.layer_rates or (), options.betas or ()
    if not _are_numbers(factors, len(LAYER_GROUPS)) or not all(0 <= f <= 10 for f in factors):
        raise OptionsError(f"layer_rates is {shown(factors)}; it must be three factors between 0 and 10, for {', '.join(LAYER_GROUPS)}.")
    if not _are_numbers(betas, 2) or not all(0 <= b < 1 for b in betas):
        raise OptionsError(f"betas is {shown(betas)}; it must be two numbers of at least 0 and below 1.")
    if options.noise not in ("const", "random"):
        raise OptionsError(f"noise is '{shown(options.noise, 40)}'; it must be const or random.")
    if not isinstance(options.patch_parts, str) or options.patch_parts not in PARTS:
        raise OptionsError(f"patch_parts is '{shown(options.patch_parts, 40)}'; it must be {' or '.join(PARTS)}.")
    if options.patch_parts != "face" and not options.patch_weight:
        raise OptionsError(f"patch_parts is '{options.patch_parts}' where patch_weight is 0. Give patch_weight a value, or leave both out.")
    if options.layers not in LAYER_SETS:
        raise OptionsError(f"layers is '{shown(options.layers, 40)}'; it must be {', '.join(LAYER_SETS[:-1])} or {LAYER_SETS[-1]}.")
    chosen = options.adaptive_layers
    if chosen is not None and (isinstance(chosen, bool) or not isinstance(chosen, int) or chosen < 1):
        raise OptionsError(f"adaptive_layers is {shown(chosen, 40)}; it must be a whole number of at least 1, or None to train all layers.")
    for name in ("official_mapping", "preview_start"):
        if not isinstance(getattr(options, name), bool):
            raise OptionsError(f"{name} is {shown(getattr(options, name), 40)}; it must be true or false.")
    if options.official_mapping and (chosen is None or family != "stylegan2"):
        raise OptionsError("official_mapping is about adaptive_layers of StyleGAN2 only. Leave it out.")
    if options.resolution is not None and not _is_whole(options.resolution):
        raise OptionsError(f"resolution is {shown(options.resolution, 40)}; it must be a whole number of pixels.")
    check_precision(options.precision)
    for name in ("source", "start"):
        if (text := getattr(options, name)) is not None and not isinstance(text, str):
            raise OptionsError(f"{name} is {shown(text, 40)}; it must be a text.")
    if options.source is None:
        raise OptionsError("source is None; it must be a text: what the pictures show now.")
    _check_seeds(options.preview_seeds)
    return options


def _check_seeds(seeds: object) -> None:
    if not isinstance(seeds, Sequence) or not all(_is_whole(seed) and 0 <= seed < 2**63 for seed in seeds):
        raise OptionsError(f"preview_seeds is {shown(seeds)}; it must be a list of whole numbers between 0 and {2**63 - 1}.")
    if not 1 <= len(seeds) <= 16:
        raise OptionsError(f"{len(seeds)} preview faces; between 1 and 16 are possible.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """Tell whether a value is a number that a float can hold: a file may have whole ones of any length."""
    return isinstance(value, float) or (_is_whole(value) and abs(value) < 2**63)  # type: ignore[arg-type]


def _are_numbers(values: object, count: int) -> bool:
    return isinstance(values, (tuple, list)) and len(values) == count and all(map(_is_number, values))
