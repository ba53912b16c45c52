"""Apply 1x1 convolutions whose weights are trained on a CPU: their way back by matrix products.

Where pixels are rows in memory (channels last), the gradient of a 1x1 convolution's weights is one product of two matrices. oneDNN's own
kernel for it takes about 1.6 times as long in float32 without AVX-512; the gradient of the picture is its kernel's, which is quicker.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input

__all__ = ["pointwise_conv2d"]


def pointwise_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``F.conv2d(x, weight, bias)`` for ``weight`` ``[O, I, 1, 1]``; the values are the same bit for bit."""
    trained = weight.requires_grad and torch.is_grad_enabled()
    plain = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    if trained and plain and x.is_contiguous(memory_format=torch.channels_last):
        return _Pointwise.apply(x, weight, bias)
    return F.conv2d(x, weight, bias)


class _Pointwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient = grads[0].contiguous(memory_format=torch.channels_last)
        to_x, to_weight, to_bias = ctx.needs_input_grad
        rows = _rows(gradient)
        return (
            conv2d_input(x.shape, weight, gradient) if to_x else None,
            (rows.t() @ _rows(x))[:, :, None, None] if to_weight else None,
            (rows.new_ones(1, len(rows)) @ rows)[0] if to_bias else None,  # as a product: a sum over rows is several times slower
        )


def _rows(pixels: Tensor) -> Tensor:
    """Return ``[N, C, H, W]``, channels last, as ``[N * H * W, C]`` without a copy."""
    return pixels.permute(0, 2, 3, 1).flatten(0, 2)
