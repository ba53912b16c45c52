"""Fitting a style to one person: a few more steps of the directional loss on their own inverted photo.

A style was made on faces the generator draws by itself. A tuned inversion lies a little beside those, and the style comes out fainter on
it. Starting from style and inversion together, the same loss that made the style closes the gap on this one latent; the further change is
kept apart, so that the strength slider scales it together with the style.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nada_core.device import Precision, precision_context
from nada_core.encoders.base import ImageTextEncoder, KnowsRegions, StressesColour
from nada_core.generators.base import Generator
from nada_core.inversion.base import Inversion
from nada_core.losses import DirectionalLoss, GlobalLoss, kept_distance
from nada_core.mixing import Delta, apply_mix
from nada_core.options import FAMILY_DEFAULTS
from nada_core.training_inputs import random_crops, view
from nada_core.training_run import WIDEST_PIXEL, rate_groups

__all__ = ["PersonalOptions", "PersonalStep", "fit_style"]


@dataclass(frozen=True)
class PersonalOptions:
    """How far a style is fitted."""

    steps: int = 20
    lr: float = 4e-4
    crops: int = 4
    colour_stress: float = 3.0  # on one person, whose structure the inversion holds, paint is what comes out too faint
    resolution: int | None = None  # the generator's smallest
    seed: int = 0
    precision: Precision = "auto"


@dataclass(frozen=True)
class PersonalStep:
    """``image`` ``[1, 3, R, R]`` is the person in the style; ``offsets`` are the changes beyond style and inversion, on the last step."""

    index: int
    steps: int
    similarity: float
    image: Tensor
    offsets: dict[str, Tensor]


def fit_style(
    base: Generator,
    encoder: ImageTextEncoder,
    delta: Delta,
    inversion: Inversion,
    *,
    source: str,
    prompt: str,
    options: PersonalOptions | None = None,
) -> Iterator[PersonalStep]:
    """Yield one step after another; the last carries the offsets.

    Args:
        delta: the style's change of the weights.
        source, prompt: the texts it was made with.

    Raises:
        PromptError: the encoder does not know the style's prompt (a style made from pictures, say).
    """
    o = options or PersonalOptions()
    resolution = o.resolution or base.resolutions[0]
    if isinstance(encoder, StressesColour):
        encoder = encoder.stressing_colour(o.colour_stress)
    direction, target = DirectionalLoss(encoder, source, prompt), GlobalLoss(encoder, prompt)
    person = apply_mix(copy.deepcopy(base), base, (), offsets=inversion.offsets)
    with torch.no_grad(), precision_context(base.device, o.precision):
        original = person.synthesis(inversion.ws, resolution=resolution).float()
        mask = encoder.untouched(original, source, prompt) if isinstance(encoder, KnowsRegions) else None
    apply_mix(person, base, [(delta, 1.0)], offsets=inversion.offsets)
    defaults = FAMILY_DEFAULTS[base.family]
    trained = set(base.adaptable())
    parameters = {n: p.requires_grad_(True) for n, p in person.named_parameters() if n in trained}
    start = {n: p.detach().clone() for n, p in parameters.items()}
    groups = rate_groups(base, parameters, defaults["layer_rates"])
    optimiser = torch.optim.Adam(groups, lr=o.lr, betas=defaults["betas"])
    rng = torch.Generator().manual_seed(o.seed)
    for step in range(o.steps):
        schedule = min(1, (step + 1) / 3) * (0.2 + 0.4 * (1 + math.cos(math.pi * step / o.steps)))
        for group in optimiser.param_groups:
            group["lr"] = o.lr * group["factor"] * schedule
        crops = random_crops(o.crops, rng, base.device)
        with precision_context(base.device, o.precision):
            with torch.no_grad():
                before = encoder.encode_image(view(original, crops))
            image = person.synthesis(inversion.ws, resolution=resolution).float()
            after = encoder.encode_image(view(image.clamp(-WIDEST_PIXEL, WIDEST_PIXEL), crops))
        similarity = direction.similarity(before, after).mean()
        loss = 1 - similarity + 2 * defaults["global_weight"] * target.distance(after).mean()
        if mask is not None:
            loss = loss + defaults["keep_weight"] * kept_distance(original, image, mask)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), defaults["max_gradient"])
        optimiser.step()
        last = step == o.steps - 1
        changed = {n: p.detach() - start[n] for n, p in parameters.items()} if last else {}
        yield PersonalStep(step + 1, o.steps, similarity.item(), image.detach(), changed)
