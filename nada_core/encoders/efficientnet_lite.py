"""Define EfficientNet-Lite0 (Tan & Le 2019, and its mobile variant: ReLU6, no squeeze-and-excitation), features only.

Batch normalisation is folded into the convolutions when weights are loaded, since the network is only ever used frozen.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["EfficientNetLite0", "fold_batch_norms"]

#: kernel, stride of the first block, expansion, output channels, repeats
_STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))
_STEM = 32
_BN_EPS = 1e-3


class InvertedResidual(nn.Module):
    """Expand 1x1, convolve each channel, project 1x1; skip connection where shapes allow."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = c_in * expansion
        self.skip = stride == 1 and c_in == c_out
        self.expand = nn.Conv2d(c_in, hidden, 1) if expansion > 1 else None
        self.depthwise = nn.Conv2d(hidden, hidden, kernel, stride, kernel // 2, groups=hidden)
        self.project = nn.Conv2d(hidden, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.skip else y


class EfficientNetLite0(nn.Module):
    """Turn images ``[N, 3, H, W]`` in [-1, 1] into the outputs of seven stages, strides 2, 4, 8, 16, 16, 32, 32."""

    channels = tuple(stage[3] for stage in _STAGES)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _STEM, 3, 2, 1)
        stages, c_in = [], _STEM
        for kernel, stride, expansion, c_out, repeats in _STAGES:
            blocks = []
            for i in range(repeats):
                blocks.append(InvertedResidual(c_in, c_out, kernel, stride if i == 0 else 1, expansion))
                c_in = c_out
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor, stages: int | None = None) -> list[Tensor]:
        """Return the outputs of the first ``stages`` stages, all by default; what comes after them is not computed."""
        # the network was trained on (pixel - 127) / 128, which is [-1, 1] but for half a grey level
        x = F.relu6(self.stem((images * 127.5 + 0.5) / 128))
        outputs = []
        for stage in self.stages[:stages]:
            x = stage(x)
            outputs.append(x)
        return outputs


def fold_batch_norms(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state dict for :class:`EfficientNetLite0` from the published one.

    The published tensors come in execution order: conv, batch norm, conv, ...

    Raises:
        ValueError: the tensors are not those of EfficientNet-Lite0.
    """
    tensors = [value for name, value in published.items() if "num_batches_tracked" not in name]
    slots = [name.removesuffix(".weight") for name in EfficientNetLite0().state_dict() if name.endswith(".weight")]
    folded: dict[str, Tensor] = {}
    for i, slot in enumerate(slots):
        group = tensors[5 * i : 5 * i + 5]
        if len(group) < 5 or group[0].ndim != 4:
            raise ValueError(
                f"not EfficientNet-Lite0: expected a convolution and its batch norm for {slot}, tensor {5 * i} of {len(tensors)}"
            )
        weight, gamma, beta, mean, variance = (t.float() for t in group)
        scale = gamma / (variance + _BN_EPS).sqrt()
        folded[f"{slot}.weight"] = weight * scale[:, None, None, None]
        folded[f"{slot}.bias"] = beta - mean * scale
    return folded
