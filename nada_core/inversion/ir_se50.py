"""Define IR-SE50, the backbone of pSp, e4e and ReStyle: a face recogniser without its last layers.

It gives maps at three scales. Improved residual units (Deng et al. 2019, ArcFace, arXiv:1801.07698) with squeeze-and-excitation (Hu et
al. 2018, arXiv:1709.01507).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["IRSE50", "MAP_CHANNELS"]

#: Output channels and repeats of the four stages; each halves the size in its first unit.
_STAGES = ((64, 3), (128, 4), (256, 14), (512, 3))
_REDUCTION = 16
#: Channels of the maps that :class:`IRSE50` gives, at strides 4, 8 and 16.
MAP_CHANNELS = (128, 256, 512)


class SqueezeExcitation(nn.Module):
    """Scale each channel by a factor computed from the means of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // _REDUCTION, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // _REDUCTION, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))


class Unit(nn.Module):
    """Add a residual with normalisation before the first convolution; the second one has the stride."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.shortcut = (
            nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)) if c_in != c_out else None
        )  # the order in both sequences is that of the published files
        self.residual = nn.Sequential(
            nn.BatchNorm2d(c_in),
            nn.Conv2d(c_in, c_out, 3, 1, 1, bias=False),
            nn.PReLU(c_out),
            nn.Conv2d(c_out, c_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(c_out),
            SqueezeExcitation(c_out),
        )

    def forward(self, x: Tensor) -> Tensor:
        skip = x[:, :, :: self.stride, :: self.stride] if self.shortcut is None else self.shortcut(x)
        return skip + self.residual(x)


class IRSE50(nn.Module):
    """Turn images ``[N, C, H, W]`` in [-1, 1] into maps of strides 4, 8 and 16, with :data:`MAP_CHANNELS` channels.

    Args:
        in_channels: 3 for a photo; 6 for a photo and its reconstruction, as in ReStyle.
    """

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(in_channels, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        units, c_in = [], 64
        for c_out, repeats in _STAGES:
            for i in range(repeats):
                units.append(Unit(c_in, c_out, 2 if i == 0 else 1))
                c_in = c_out
        self.units = nn.ModuleList(units)
        ends = [sum(repeats for _, repeats in _STAGES[: i + 1]) - 1 for i in range(len(_STAGES))]
        self.taps = tuple(ends[1:])  # units 6, 20 and 23: the ends of the last three stages

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, maps = self.stem(images), []
        for index, unit in enumerate(self.units):
            x = unit(x)
            if index in self.taps:
                maps.append(x)
        fine, middle, coarse = maps
        return fine, middle, coarse
