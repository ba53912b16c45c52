"""Measure patterns that repeat every two pixels: the fabric that upsampling networks leave where they are pulled hard.

Hair, pores and brush strokes do not keep step with the pixel grid, so that their differences of neighbours cancel out over a small area;
those of a woven pattern add up. What a drawing itself has of them is not counted.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["excess", "pattern"]

#: Side of the area over which differences are averaged, in pairs of pixels, and the step from one area to the next.
AREA, STEP = 9, 4


def pattern(images: Tensor) -> Tensor:
    """Return how strongly pictures ``[N, 3, H, W]`` alternate along rows, columns and both, ``[N, 9, h, w]``, signs kept."""
    signs = torch.tensor([[[1, -1], [1, -1]], [[1, 1], [-1, -1]], [[1, -1], [-1, 1]]], device=images.device, dtype=images.dtype)
    bands = F.conv2d(images, 0.25 * signs.repeat(3, 1, 1)[:, None], stride=2, groups=3)
    return F.avg_pool2d(bands, AREA, STEP, AREA // 2)


def excess(images: Tensor, drawn: Tensor) -> Tensor:
    """Return how much more woven pictures ``[N, 3, H, W]`` are than drawings of which the :func:`pattern` is given."""
    return F.relu(pattern(images).abs() - drawn.abs()).mean()
