"""Turn an aligned photo into a first guess of ``w``, in one pass: the starter generator's own photo encoder.

Maps of the ImageNet backbone keep where things are; three small convolutions shrink them, two linear layers give the latent. Trained on
generated faces, whose latents are known (``training/train_inverter.py``), under the kinds of damage photos have.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders.efficientnet_lite import EfficientNetLite0

__all__ = ["StarterInverter"]

#: Side at which the photo is read.
INPUT_SIZE = 160
#: Stages used (strides 8, 16, 32) with the kernel that brings each to 5 x 5 and the channels kept.
_MAPS = ((2, 4, 32), (4, 2, 64), (6, 1, 96))


class StarterInverter(nn.Module):
    """Turn images ``[N, 3, H, W]`` in [-1, 1] into ``w`` ``[N, w_dim]``."""

    def __init__(self, backbone: EfficientNetLite0, w_dim: int = 512, hidden: int = 384) -> None:
        super().__init__()
        self.backbone = backbone
        self.shrink = nn.ModuleList(nn.Conv2d(backbone.channels[i], c, k, k) for i, k, c in _MAPS)
        size = 25 * sum(c for _, _, c in _MAPS)
        self.hidden = nn.Linear(size, hidden)
        self.out = nn.Linear(hidden, w_dim)
        self.register_buffer("w_avg", torch.zeros(w_dim))
        self.register_buffer("w_scale", torch.ones(w_dim))

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return the three backbone maps the trained part reads."""
        small = F.interpolate(images, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", antialias=True)
        features = self.backbone(small)
        return [features[i] for i, _, _ in _MAPS]

    def from_maps(self, maps: list[Tensor]) -> Tensor:
        """Return ``w`` ``[N, w_dim]`` from :meth:`maps`."""
        shrunk = [F.gelu(layer(m)).flatten(1) for layer, m in zip(self.shrink, maps, strict=True)]
        return self.w_avg + self.w_scale * self.out(F.gelu(self.hidden(torch.cat(shrunk, 1))))

    def forward(self, images: Tensor) -> Tensor:
        return self.from_maps([m.float() for m in self.maps(images)])
