"""Measure a perceptual distance with the ImageNet backbone (after Zhang et al. 2018, "LPIPS", without learned channel weights)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders.efficientnet_lite import EfficientNetLite0

__all__ = ["PerceptualLoss"]

#: Stages compared; later ones are too coarse to say whose face it is.
_STAGES = 5


class PerceptualLoss(nn.Module):
    """Measure the mean squared difference of channel-normalised feature maps, of the picture and again of the enlarged face.

    An FFHQ crop always has the face in its middle, so the second view is a fixed box: it doubles the resolution at which eyes and mouth
    are compared.
    """

    def __init__(self, backbone: EfficientNetLite0, side: int = 192) -> None:
        super().__init__()
        self.backbone = backbone
        self.side = side

    def features(self, images: Tensor) -> list[Tensor]:
        """Return unit-length feature maps of images ``[N, 3, H, W]`` in [-1, 1], whole picture first, then the face."""
        height, width = images.shape[-2:]
        face = images[:, :, int(0.24 * height) : int(0.92 * height), int(0.16 * width) : int(0.84 * width)]
        maps = []
        for part in (images, face):
            small = F.interpolate(part, size=(self.side, self.side), mode="bilinear", antialias=True)
            for feature in self.backbone(small, _STAGES):
                feature = feature.float()
                maps.append(feature / (feature.pow(2).mean(1, keepdim=True).sqrt() + 1e-2))
        return maps

    def forward(self, images: Tensor, target: list[Tensor]) -> Tensor:
        """Return the scalar distance of ``images`` to a target's :meth:`features`."""
        return torch.stack([(a - b).pow(2).mean() for a, b in zip(self.features(images), target, strict=True)]).sum()
