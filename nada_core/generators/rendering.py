"""Render at full size, with colours corrected to match the smaller size at which the style was trained."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.generators.base import Generator, NoiseMode

__all__ = ["match_low_band", "render"]


def match_low_band(large: Tensor, small: Tensor, rounds: int = 2) -> Tensor:
    """Replace the low frequencies of ``large`` by those of ``small`` (iterative back-projection, Irani & Peleg 1991).

    Args:
        large: ``[N, 3, kR, kR]``; keeps its detail.
        small: ``[N, 3, R, R]``; area-downsampling the result gives this, nearly exactly after two rounds.
    """
    size = large.shape[-2:]
    for _ in range(rounds):
        difference = small - F.interpolate(large, size=small.shape[-2:], mode="area")
        large = large + F.interpolate(difference, size=size, mode="bicubic", align_corners=False)
    return large


@torch.no_grad()
def render(generator: Generator, ws: Tensor, resolution: int | None = None, noise_mode: NoiseMode = "const") -> Tensor:
    """Render ``ws`` ``[N, num_ws, w_dim]`` as images ``[N, 3, R, R]``; adapted generators are always shown this way.

    A style is made on the generator's smallest output. The layers above it never saw the loss, and alone would render a duller style; they
    supply the fine detail, while everything the smaller picture can hold comes from the smaller picture.
    """
    resolution = resolution or generator.img_resolution
    smallest = generator.resolutions[0]
    images = generator.synthesis(ws, noise_mode, resolution)
    if resolution == smallest or generator.pooled:
        return images
    return match_low_band(images, generator.synthesis(ws, noise_mode, smallest))
