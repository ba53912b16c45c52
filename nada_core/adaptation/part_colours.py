"""Compare the mean colours of a face's parts with those of its drawing, in CIE Lab, each part counting the same however small it is.

Pixel by pixel, lips and the skin around the eyes are a hundredth of a picture: a training that is nearly done on cheeks and hair has hardly
begun with them. Squared distances, so that a face that is far from its paint (white on dark skin) is pulled harder than one that is near.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.looks.drawing.drawn_face import DrawnFace

__all__ = ["lab", "mean_colours", "part_distance", "part_masks"]

#: A part that is smaller than this share of the picture is not looked at.
LEAST_SHARE = 0.0015
#: A distance in Lab (a clearly different shade) up to which distances count by their square, and beyond which by themselves.
KNEE = 20.0
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


def lab(images: Tensor) -> Tensor:
    """Turn sRGB pictures ``[N, 3, H, W]`` in [-1, 1] into CIE Lab (D65), with a gradient everywhere; what lies outside is clipped."""
    rgb = ((images + 1) / 2).clamp(0, 1)
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp(min=0.04) + 0.055) / 1.055) ** 2.4)
    matrix = torch.tensor(_TO_XYZ, device=images.device, dtype=images.dtype) / torch.tensor(
        _WHITE, device=images.device, dtype=images.dtype
    ).unsqueeze(1)
    xyz = torch.einsum("ij,njhw->nihw", matrix, linear)
    bent = torch.where(xyz > 0.008856, xyz.clamp(min=0.008) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = bent.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def part_masks(face: DrawnFace, side: int) -> Tensor:
    """Return ``[1, P, side, side]``: where the parts of a face are, each summing to 1, or to 0 where there is too little of it."""
    sockets = face.around_eyes(1.5, 1.5, 0.05, 0.9) * (1 - face.eye_openings) * face.face
    skin = face.plain_skin * face.face * (1 - sockets)
    parts = (skin, face.cheeks * (1 - sockets), face.hair, face.lips, sockets, face.background)
    masks = F.interpolate(torch.from_numpy(np.stack(parts).astype(np.float32))[None], size=(side, side), mode="area")
    total = masks.sum((2, 3), keepdim=True)
    return torch.where(total > LEAST_SHARE * side * side, masks / total.clamp(min=1e-6), 0.0)


def mean_colours(small: Tensor, masks: Tensor) -> Tensor:
    """Return the mean colour in Lab, ``[N, P, 3]``, of each part of pictures ``[N, 3, s, s]`` in [-1, 1]; 0 of a missing one."""
    return torch.einsum("npyx,ncyx->npc", masks, lab(small))


def part_distance(small: Tensor, wanted: Tensor, masks: Tensor) -> Tensor:
    """Return how far the parts' mean colours lie from those wanted: 0 there, about 1 at :data:`KNEE` of Lab; the mean over parts and faces.

    Args:
        small: pictures ``[N, 3, s, s]`` in [-1, 1].
        wanted: of :func:`mean_colours`, of the drawings.
        masks: of :func:`part_masks`, ``[N, P, s, s]``.
    """
    there = (masks.sum((2, 3)) > 0).to(small.dtype)
    far = ((mean_colours(small, masks) - wanted) / KNEE).pow(2).sum(2)
    return 2 * ((torch.sqrt(1 + far) - 1) * there).sum() / there.sum().clamp(min=1)
