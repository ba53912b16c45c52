"""Measure patterns that repeat every two or four pixels: the fabric that upsampling networks leave where they are pulled hard.

Hair, pores and brush strokes do not keep step with the pixel grid, so that their differences of neighbours cancel out over a small area;
those of a woven pattern add up. What a drawing itself has of them is not counted.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["excess", "pattern"]

#: Periods in pixels, each with the step from one area to the next, in periods: the same places for both.
PERIODS = ((2, 4), (4, 2))
#: Side of an area over which differences are averaged, in periods.
AREA = 9


def pattern(images: Tensor) -> Tensor:
    """Return how strongly pictures ``[N, 3, H, W]`` alternate along rows, columns and both, ``[N, 18, h, w]``, signs kept."""
    signs = torch.tensor([[[1, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]], device=images.device, dtype=images.dtype)
    kernels, found = 0.25 * signs.repeat(3, 1, 1)[:, None], []
    for period, step in PERIODS:
        bands = F.conv2d(F.avg_pool2d(images, period // 2) if period > 2 else images, kernels, stride=2, groups=3)
        found.append(F.avg_pool2d(bands, AREA, step, AREA // 2))
    return torch.cat(found, 1)


def excess(images: Tensor, drawn: Tensor) -> Tensor:
    """Return how much more woven pictures ``[N, 3, H, W]`` are than drawings of which the :func:`pattern` is given."""
    return F.relu(pattern(images).abs() - drawn.abs()).mean()
