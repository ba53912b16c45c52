"""Refine an inversion: first the latent codes, then the generator around them.

W+ optimisation (Abdal et al. 2019) moves one latent per layer; pivotal tuning (Roich et al. 2021, "PTI") then moves the generator's
weights a little so that this one latent renders this one photo. The weights' change is kept apart, so that a style's change can be added
to it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nada_core.adam import adam
from nada_core.errors import OptionsError, shown
from nada_core.generators.base import Generator
from nada_core.inversion.base import Inversion, InversionStage
from nada_core.inversion.perceptual import PerceptualLoss
from nada_core.system.device import Precision, precision_context

__all__ = ["LATENT_STAGE", "MODES", "TUNING_STAGE", "InvertOptions", "invert", "invert_options"]

#: Names of the two stages that take steps.
LATENT_STAGE, TUNING_STAGE = "rebuilding the face", "learning the person"


@dataclass(frozen=True)
class InvertOptions:
    """Say how long and how hard to refine."""

    latent_steps: int = 40
    latent_lr: float = 0.05  # of the one latent all layers share
    layer_lr: float = 0.01  # of each layer's difference to it
    prior: float = 0.05  # weight of moving those differences: styles were made on codes without any, and fade where they are large
    tuning_steps: int = 35
    tuning_lr: float = 8e-4
    pixel_weight: float = 2.0
    resolution: int | None = None  # the generator's smallest
    precision: Precision = "auto"
    preview_every: int = 6


#: How much time to spend: from a first impression to the closest likeness.
MODES: dict[str, InvertOptions] = {
    "fast": InvertOptions(latent_steps=10, tuning_steps=8, latent_lr=0.08, tuning_lr=1.2e-3),
    "balanced": InvertOptions(),
    "faithful": InvertOptions(latent_steps=60, tuning_steps=140),
}


def invert_options(mode: str, also: Sequence[str] = ()) -> InvertOptions:
    """Return the options of a mode.

    Args:
        also: modes that the caller has besides, without inversion, which a message then names as well.

    Raises:
        OptionsError: no such mode; the message names those there are.
    """
    if not isinstance(mode, str) or mode not in MODES:
        raise OptionsError(f"mode is '{shown(mode, 20)}'; it must be {', '.join((*MODES, *also))}.")
    return MODES[mode]


def invert(
    generator: Generator, perceptual: PerceptualLoss, photo: Tensor, start: Tensor, options: InvertOptions | None = None
) -> Iterator[InversionStage]:
    """Yield ever better inversions of ``photo``; the last one is the result.

    Args:
        generator: frozen; not changed.
        photo: aligned, ``[1, 3, R, R]`` in [-1, 1] at ``options.resolution``.
        start: first guess, ``[1, num_ws, w_dim]``.
    """
    o = options or InvertOptions()
    o = replace(o, resolution=o.resolution or generator.resolutions[0])
    device = generator.device
    with torch.no_grad(), precision_context(device, o.precision):
        target = perceptual.features(photo)
        first = generator.synthesis(start, resolution=o.resolution).float()
    total = o.latent_steps + o.tuning_steps + 1

    def distance(images: Tensor) -> Tensor:
        return perceptual(images, target) + o.pixel_weight * (images - photo).pow(2).mean()

    yield InversionStage("encoding", 1 / total, first, Inversion(start.detach()))
    shared = start.mean(1, keepdim=True).detach().clone().requires_grad_(True)
    apart = (start - shared).detach()  # of an encoder that gives each layer its own code
    layers = apart.clone().requires_grad_(True)
    optimiser = adam([{"params": [shared], "peak": o.latent_lr}, {"params": [layers], "peak": o.layer_lr}], o.latent_lr, (0.9, 0.99))
    for step in range(o.latent_steps):
        schedule = min(1, (step + 1) / 4) * (0.1 + 0.45 * (1 + math.cos(math.pi * step / o.latent_steps)))
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * schedule
        with precision_context(device, o.precision):
            images = generator.synthesis(shared + layers, resolution=o.resolution).float()
            loss = distance(images) + o.prior * (layers - apart).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        shown = images.detach() if step % o.preview_every == 0 else None
        yield InversionStage(LATENT_STAGE, (step + 2) / total, shown, Inversion((shared + layers).detach()))
    ws = shared + layers
    pivot = ws.detach().clone()
    if not o.tuning_steps:
        return
    yield from _tune(generator, distance, pivot, o, total)


def _tune(
    generator: Generator, distance: Callable[[Tensor], Tensor], pivot: Tensor, o: InvertOptions, total: int
) -> Iterator[InversionStage]:
    tuned = copy.deepcopy(generator).requires_grad_(False)
    names = set(generator.adaptable())
    parameters = {n: p.requires_grad_(True) for n, p in tuned.named_parameters() if n in names}
    base = {n: p for n, p in generator.named_parameters() if n in names}
    optimiser = adam(parameters.values(), lr=o.tuning_lr, betas=(0.9, 0.99))

    def offsets() -> dict[str, Tensor]:
        return {n: (p.detach() - base[n]) for n, p in parameters.items()}

    for step in range(o.tuning_steps):
        optimiser.param_groups[0]["lr"] = (
            o.tuning_lr * min(1, (step + 1) / 3) * (0.1 + 0.45 * (1 + math.cos(math.pi * step / o.tuning_steps)))
        )
        with precision_context(generator.device, o.precision):
            images = tuned.synthesis(pivot, resolution=o.resolution).float()
            loss = distance(images)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        last = step == o.tuning_steps - 1
        shown = images.detach() if step % o.preview_every == 0 else None
        fraction = (o.latent_steps + step + 2) / total
        yield InversionStage(TUNING_STAGE, fraction, shown, Inversion(pivot, offsets() if last else {}))
