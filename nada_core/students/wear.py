"""Put a student's change on a face and on the photo that the face is from.

A student says by which gain and offset each pixel of a 256 px face changes. These vary slowly, so they are enlarged and applied to the
photo's own pixels: pores, lashes and single hairs stay as sharp as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from nada_core.images.image_io import to_pil, to_tensor
from nada_core.students.files import StyleStudent
from nada_core.students.network import SIDE

__all__ = ["Change", "change_of", "changed_crop", "changed_planes"]


@dataclass(frozen=True, eq=False)
class Change:
    """Hold a change of a face: gain and offset, ``[1, 3, 256, 256]`` each; pixels in [-1, 1] become ``x * (1 + gain) + offset``."""

    gain: Tensor
    offset: Tensor

    def times(self, strength: float) -> Change:
        """Return the change ``strength`` times as strong."""
        return Change(self.gain * strength, self.offset * strength)


@torch.no_grad()
def change_of(crop: Image.Image, students: Sequence[tuple[StyleStudent, float]]) -> Change:
    """Return what a blend of styles does to an aligned face.

    Args:
        crop: the FFHQ crop of a photo, of any size.
        students: with their shares.
    """
    face = to_tensor(crop.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    gain, offset = torch.zeros_like(face), torch.zeros_like(face)
    for student, share in students:
        own_gain, own_offset = student.network.change(face, student.code)
        gain, offset = gain + share * own_gain, offset + share * own_offset
    return Change(gain, offset)


@torch.no_grad()
def changed_crop(crop: Image.Image, change: Change, size: int) -> Image.Image:
    """Return the aligned face with the change, ``size`` pixels wide."""
    face = to_tensor(crop.resize((size, size), Image.Resampling.LANCZOS))
    gain, offset = (F.interpolate(x, size=size, mode="bicubic", align_corners=False) for x in (change.gain, change.offset))
    return to_pil((face * (1 + gain) + offset).clamp(-1, 1)[0])


def changed_planes(change: Change) -> np.ndarray:
    """Return gain and offset as ``[256, 256, 6]`` for pixels in grey levels, 0 to 255: ``x * (1 + gain) + offset``."""
    gain, offset = change.gain[0].numpy(), change.offset[0].numpy()
    return np.concatenate([gain, (offset - gain) * 127.5]).transpose(1, 2, 0)
