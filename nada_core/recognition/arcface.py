"""Recognise faces for the identity term of StyleCLIP, pSp and e4e: ArcFace (Deng et al. 2019, arXiv:1801.07698) on IR-SE50."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.inversion.ir_se50 import IRSE50, MAP_CHANNELS

__all__ = ["ArcFace", "face_region"]

#: Side of an aligned picture, the part of it that is the face (rows, then columns), and the side that the network reads.
_SIDE, _ROWS, _COLUMNS, _READS = 256, slice(35, 223), slice(32, 220), 112
_STRIDE = 16
_EMBEDDING = 512
_DROPOUT = 0.6  # in training; nothing is dropped here


def face_region(images: Tensor) -> Tensor:
    """Cut the face out of FFHQ-aligned pictures ``[N, 3, R, R]``: ``[N, 3, 112, 112]``, pooled as in StyleCLIP's identity loss.

    Raises:
        ValueError: another shape.
    """
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
        raise ValueError(f"images has shape {tuple(images.shape)}; expected [N, 3, R, R]")
    if images.shape[-2:] != (_SIDE, _SIDE):
        images = F.adaptive_avg_pool2d(images, _SIDE)
    return F.adaptive_avg_pool2d(images[:, :, _ROWS, _COLUMNS], _READS)


class ArcFace(nn.Module):
    """Turn FFHQ-aligned pictures ``[N, 3, R, R]`` in about [-1, 1] into unit vectors ``[N, 512]``.

    Their cosines say how alike people are. Gradients flow through the pictures, so it can guide; what it guided is to be judged by another
    recogniser.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone = IRSE50()
        channels, side = MAP_CHANNELS[-1], _READS // _STRIDE
        self.head = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Dropout(_DROPOUT),
            nn.Flatten(),
            nn.Linear(channels * side * side, _EMBEDDING),
            nn.BatchNorm1d(_EMBEDDING),
        )  # the order is that of the published files

    def forward(self, images: Tensor) -> Tensor:
        # 1 - cosine of two pictures of one person is smaller than what bfloat16 can tell apart
        with torch.autocast(images.device.type, enabled=False):
            *_, maps = self.backbone(face_region(images.float()))
            return F.normalize(self.head(maps), dim=-1)
