"""Fit a style to one person: a few more steps of the loss that made it, on their own inverted photo.

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

from nada_core.adam import adam
from nada_core.adaptation.drawn_targets import WIDEST_PIXEL, drawn_loss, drawn_pair, find_face
from nada_core.adaptation.options import FAMILY_DEFAULTS
from nada_core.adaptation.training_inputs import random_crops, view
from nada_core.adaptation.training_run import rate_groups
from nada_core.encoders.base import ImageTextEncoder, ReadsLooks, StressesColour
from nada_core.generators.base import Generator
from nada_core.inversion.base import Inversion
from nada_core.looks.look import Look
from nada_core.losses import DirectionalLoss, GlobalLoss
from nada_core.styles.mixing import Delta, apply_mix
from nada_core.system.device import Precision, precision_context

__all__ = ["PersonalOptions", "PersonalStep", "fit_style"]


@dataclass(frozen=True)
class PersonalOptions:
    """Say how far a style is fitted to a person."""

    steps: int = 20
    lr: float = 4e-4
    crops: int = 4
    colour_stress: float = 3.0  # on one person, whose structure the inversion holds, paint is what comes out too faint
    resolution: int | None = None  # the generator's smallest
    seed: int = 0
    precision: Precision = "auto"


@dataclass(frozen=True)
class PersonalStep:
    """Hold one step of a fit: ``image`` ``[1, 3, R, R]`` in the style; on the last, ``offsets``: changes beyond style and inversion."""

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
    look: Look | None = None,
    options: PersonalOptions | None = None,
) -> Iterator[PersonalStep]:
    """Yield the steps of fitting a style to a person's inversion; the last carries the offsets.

    Args:
        delta: the style's change of the weights.
        source, prompt: the texts it was made with.
        look: what the prompt was read as: it is drawn on the person, and the picture fitted to the drawing. None: fitted to the texts.

    Raises:
        PromptError: the encoder does not know the texts.
    """
    o = options or PersonalOptions()
    resolution = o.resolution or base.resolutions[0]
    if isinstance(encoder, StressesColour):
        encoder = encoder.stressing_colour(o.colour_stress)
    if look is None:
        direction, target = DirectionalLoss(encoder, source, prompt), GlobalLoss(encoder, prompt)
    person = apply_mix(copy.deepcopy(base), base, (), offsets=inversion.offsets)
    with torch.no_grad(), precision_context(base.device, o.precision):
        original = person.synthesis(inversion.ws, resolution=resolution).float()
    if look is not None:
        assert isinstance(encoder, ReadsLooks)
        pair = drawn_pair(encoder, look, inversion.ws, original, find_face(encoder, original), o.seed, o.precision)
    apply_mix(person, base, [(delta, 1.0)], offsets=inversion.offsets)
    defaults = FAMILY_DEFAULTS[base.family]
    trained = set(base.adaptable())
    parameters = {n: p.requires_grad_(True) for n, p in person.named_parameters() if n in trained}
    start = {n: p.detach().clone() for n, p in parameters.items()}
    groups = rate_groups(base, parameters, defaults["layer_rates"])
    optimiser = adam(groups, lr=o.lr, betas=defaults["betas"])
    rng = torch.Generator().manual_seed(o.seed)
    for step in range(o.steps):
        schedule = min(1, (step + 1) / 3) * (0.2 + 0.4 * (1 + math.cos(math.pi * step / o.steps)))
        for group in optimiser.param_groups:
            group["lr"] = o.lr * group["factor"] * schedule
        crops = random_crops(o.crops, rng, base.device)
        with precision_context(base.device, o.precision):
            image = person.synthesis(inversion.ws, resolution=resolution).float()
            if look is not None:
                assert isinstance(encoder, ReadsLooks)
                place, keep = 2 * defaults["global_weight"], defaults["keep_weight"]
                loss, similarity = drawn_loss(encoder, [pair], image, crops, direction=1.0, place=place, keep=keep)
            else:
                with torch.no_grad():
                    before = encoder.encode_image(view(original, crops))
                after = encoder.encode_image(view(image.clamp(-WIDEST_PIXEL, WIDEST_PIXEL), crops))
                similarity = direction.similarity(before, after).mean()
                loss = 1 - similarity + 2 * defaults["global_weight"] * target.distance(after).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), defaults["max_gradient"])
        optimiser.step()
        last = step == o.steps - 1
        changed = {n: p.detach() - start[n] for n, p in parameters.items()} if last else {}
        yield PersonalStep(step + 1, o.steps, similarity.item(), image.detach(), changed)
