"""Walk through a generator's latent space: from face to face and back to the first, as the frames of a looped film."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from PIL import Image
from torch import Tensor

from nada_core.errors import OptionsError
from nada_core.generators.base import Generator, check_seeds
from nada_core.generators.rendering import render
from nada_core.images.image_io import to_pil

__all__ = ["MAX_FRAMES", "walk", "walk_latents"]

MAX_FRAMES = 240


@torch.no_grad()
def walk_latents(generator: Generator, seeds: Sequence[int], frames_between: int = 8, truncation_psi: float = 0.7) -> Tensor:
    """Return the latents of a closed walk, ``[len(seeds) * (frames_between + 1), num_ws, w_dim]``, each seed's own among them.

    Straight lines in ``w``, where they stay among faces; the pace slows down at each seed, so that its face can be seen.

    Raises:
        OptionsError: no seeds, fewer than two, no frames between them, or more than :data:`MAX_FRAMES` frames.
    """
    seeds = check_seeds(seeds)
    frames = len(seeds) * (frames_between + 1)
    if len(seeds) < 2 or frames_between < 1 or frames > MAX_FRAMES:
        raise OptionsError(
            f"A walk through {len(seeds)} faces with {frames_between} frames between them is not possible; give at least two faces and at "
            f"most {MAX_FRAMES} frames in all."
        )
    stops = generator.mapping(generator.sample_z(seeds), truncation_psi)
    pace = [(1 - math.cos(math.pi * step / (frames_between + 1))) / 2 for step in range(frames_between + 1)]
    return torch.stack([torch.lerp(here, there, part) for here, there in zip(stops, stops.roll(-1, 0)) for part in pace])


def walk(
    generator: Generator, seeds: Sequence[int], frames_between: int = 8, *, resolution: int | None = None, truncation_psi: float = 0.7
) -> Iterator[Image.Image]:
    """Render :func:`walk_latents` one frame at a time. Arguments are checked before the first frame is asked for.

    Raises:
        OptionsError: see :func:`walk_latents`.
    """
    latents = walk_latents(generator, seeds, frames_between, truncation_psi)
    resolution = resolution or generator.resolutions[0]
    return (to_pil(render(generator, ws[None], resolution)) for ws in latents)
