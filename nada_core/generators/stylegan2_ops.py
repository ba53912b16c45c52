"""Compute StyleGAN2's operations in plain PyTorch: modulated convolution, noise + bias + leaky ReLU, [1, 3, 3, 1] resampling.

Every function runs on any device and has gradients. On CUDA the pointwise part may be replaced by one fused kernel (``stylegan2_cuda.py``).
The usual implementation convolves with one group a sample, which is slower on CPUs; nothing here does.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = [
    "bias_act",
    "demodulation",
    "fir_filter",
    "own_weights_pay",
    "shared_conv2d",
    "styled_conv2d",
    "upfirdn2d",
    "upsample2",
]

TAPS = (1.0, 3.0, 3.0, 1.0)
SLOPE = 0.2
#: Leaky ReLU halves the variance; the published networks make up for it.
ACT_GAIN = math.sqrt(2)


def fir_filter(gain: float = 1.0, like: Tensor | None = None) -> Tensor:
    """Return the separable [1, 3, 3, 1] low-pass as a ``[4, 4]`` filter that sums to ``gain``; every value is exact in float32."""
    taps = torch.tensor(TAPS) if like is None else torch.tensor(TAPS, dtype=like.dtype, device=like.device)
    return torch.outer(taps, taps) * (gain / 64)


def _fir(x: Tensor, gain: float) -> Tensor:
    """Apply the low-pass to each channel, padded by 1. The filter is symmetric: correlation and convolution are the same."""
    channels = x.shape[1]
    return F.conv2d(x, fir_filter(gain, x).expand(channels, 1, 4, 4), padding=1, groups=channels)


def upfirdn2d(x: Tensor, kernel: Tensor, up: int = 1, down: int = 1, padding: tuple[int, int] = (0, 0)) -> Tensor:
    """Insert zeros, pad, filter, drop pixels: the general form, readable and slow. The network uses the special cases below.

    Args:
        x: ``[N, C, H, W]``.
        kernel: ``[kh, kw]``, convolved (not correlated) with every channel.
        up, down: factors; ``up - 1`` zeros follow every pixel.
        padding: zeros before and after, on both axes.
    """
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, h, up, w, up)
    spread[:, :, :, 0, :, 0] = x
    padded = F.pad(spread.reshape(n, c, h * up, w * up), (*padding, *padding))
    weight = kernel.to(x).flip(0, 1)[None, None].expand(c, 1, *kernel.shape)
    return F.conv2d(padded, weight, groups=c)[:, :, ::down, ::down]


def upsample2(x: Tensor) -> Tensor:
    """Double the size, ``[N, C, H, W] -> [N, C, 2H, 2W]``: ``upfirdn2d`` with up 2, padding (2, 1), gain 4.

    Its two phases, (1, 3) / 4 and (3, 1) / 4, are those of bilinear interpolation; only the border differs, where this one fades to zero.
    """
    return F.interpolate(F.pad(x, (1, 1, 1, 1)), scale_factor=2.0, mode="bilinear", align_corners=False)[:, :, 2:-2, 2:-2]


class _DoublingConv2d(torch.autograd.Function):
    """Compute ``F.conv_transpose2d(x, weight, stride=2)`` faster on CPUs.

    ``[N, I, H, W]`` and ``[I, O, k, k]`` give ``[N, O, 2H + k - 2, 2W + k - 2]``.
    By definition it is the gradient of a strided convolution. Asked for as that, oneDNN needs less than half the time in bfloat16.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        high, wide = (2 * side + weight.shape[-1] - 2 for side in x.shape[2:])
        layout = torch.channels_last if x.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
        # what the strided convolution would read; its gradient depends on the shape and the layout only
        unread = torch.empty(x.shape[0], weight.shape[1], high, wide, dtype=x.dtype, memory_format=layout)
        return _convolution_backward(x, unread, weight, False, [True, False])[0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return _convolution_backward(grad, x, weight, True, list(ctx.needs_input_grad))


def _convolution_backward(grad: Tensor, x: Tensor, weight: Tensor, transposed: bool, wanted: list[bool]) -> tuple[Tensor, Tensor]:
    """Return the gradients to ``x`` and ``weight``, where ``wanted``, of a convolution of stride 2 without padding."""
    function = torch.ops.aten.convolution_backward.default
    return function(grad, x, weight, None, [2, 2], [0, 0], [1, 1], transposed, [0, 0], 1, [*wanted, False])[:2]


def doubling_conv2d(x: Tensor, weight: Tensor) -> Tensor:
    """Apply a transposed convolution of stride 2, ``weight`` ``[I, O, k, k]``, in the precision that autocast asks for."""
    if x.device.type != "cpu":
        return F.conv_transpose2d(x, weight, stride=2)
    # autocast knows convolutions, but not their gradients
    kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    return _DoublingConv2d.apply(x.to(kind), weight.to(kind))


def shared_conv2d(x: Tensor, weight: Tensor, up: bool = False, bias: Tensor | None = None) -> Tensor:
    """Apply one convolution to all samples of the batch, "same" padding.

    Args:
        x: ``[N, I, H, W]``.
        weight: ``[O, I, k, k]``.
        up: double the size first: a strided transposed convolution and the low-pass are the same as zeros, low-pass and convolution.
        bias: ``[O]``, added at the end.

    Returns:
        ``[N, O, H, W]``, or ``[N, O, 2H, 2W]``.
    """
    if not up:
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)
    x = _fir(doubling_conv2d(x, weight.transpose(0, 1)), gain=4.0)
    return x if bias is None else x.add_(bias.to(x.dtype)[:, None, None])


class _Energy(torch.autograd.Function):
    """Compute ``sum_k w_oik^2`` of weights ``[O, I, kh, kw]`` as ``[O, I]``, tap by tap, so that their squares are never stored.

    Reads and writes in whatever order the weights lie in memory (``StyleGAN2.laid_out_for_cpu``). As a sum over two dimensions those of the
    upsampling layers, which lie input channels first, and the gradients cost a tenth of a training step.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor) -> Tensor:
        ctx.save_for_backward(weight)
        first, *others = weight.flatten(2).unbind(2)
        energy = first.square()
        for tap in others:
            energy.addcmul_(tap, tap)
        return energy

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (weight,) = ctx.saved_tensors
        # into memory of the same order: left to itself, the product takes another one
        return torch.mul(weight, (2 * grad)[:, :, None, None], out=torch.empty_like(weight))


def demodulation(weight: Tensor, styles: Tensor) -> Tensor:
    """Return ``1 / ||weight * style||`` per sample and output channel, ``[N, O]``, at least float32 (Karras et al. 2020, equation 3).

    ``sum_ik (s_i w_oik)^2 = sum_i s_i^2 sum_k w_oik^2``, so the modulated weights are never built.
    """
    wide = torch.promote_types(styles.dtype, torch.float32)
    with torch.autocast(styles.device.type, enabled=False):
        weight = weight.to(wide)
        energy = _Energy.apply(weight) if weight.device.type == "cpu" else weight.square().sum((2, 3))
        return torch.rsqrt(F.linear(styles.to(wide).square(), energy) + 1e-8)


def _activate(x: Tensor, noise: Tensor | None, clamp: float | None) -> Tensor:
    """Apply noise, leaky ReLU and clamp; overwrites ``x``."""
    if noise is not None:
        # one for each sample: the gradient's sum over channels and samples at once would be many times slower
        x = x.add_(noise.to(x.dtype).expand(x.shape[0], -1, -1, -1))
    x = F.leaky_relu(x, SLOPE, inplace=True)
    return x if clamp is None else x.clamp(-clamp, clamp)


def bias_act(x: Tensor, bias: Tensor, scale: Tensor, noise: Tensor | None = None, clamp: float | None = None) -> Tensor:
    """Return ``leaky_relu(x * scale + noise + bias)``, clamped to ``[-clamp, clamp]``.

    Args:
        x: ``[N, C, H, W]``.
        bias: ``[C]``.
        scale: ``[N, C]``.
        noise: ``[1 or N, 1, H, W]``.
    """
    if x.is_cuda:
        from nada_core.generators.stylegan2_cuda import fused_bias_act

        fused = fused_bias_act(x, bias, scale, noise, clamp)
        if fused is not None:
            return fused
    return _activate(torch.addcmul(bias.to(x.dtype)[:, None, None], x, scale.to(x.dtype)[:, :, None, None]), noise, clamp)


def own_weights_pay(x: Tensor, weight: Tensor, up: bool) -> bool:
    """Tell whether modulating weights is faster than scaling activations; where these are less than 8 times larger, both are even."""
    activations = x.shape[2] * x.shape[3] * (weight.shape[1] + weight.shape[0] * (4 if up else 1))
    return x.device.type == "cpu" and 8 * weight.numel() < activations


def styled_conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    styles: Tensor,
    noise: Tensor | None = None,
    up: bool = False,
    clamp: float | None = None,
    own_weights: bool | None = None,
) -> Tensor:
    """Compute a whole layer: ``sqrt(2) * leaky_relu(conv(x) + noise + bias)``, ``conv`` modulated by ``styles`` and demodulated.

    Either the activations are scaled, before and after one convolution for the whole batch; or each sample is convolved by itself with its
    own weights, which spares most passes over memory where pictures are far larger than weights. By linearity the result is the same.

    Args:
        x: ``[N, I, H, W]``.
        weight: ``[O, I, k, k]``.
        bias: ``[O]``.
        styles: ``[N, I]``, one scale per input channel.
        noise: ``[1 or N, 1, H, W]`` of the output's size.
        up: double the size.
        clamp: limits the result to ``[-clamp, clamp]``.
        own_weights: convolve each sample with its own weights; by default what is faster.
    """
    # the gain is positive: it may go in before the leaky ReLU, where the factors are small tensors
    factor, bias, noise = demodulation(weight, styles) * ACT_GAIN, bias * ACT_GAIN, None if noise is None else noise * ACT_GAIN
    if own_weights is None:
        own_weights = own_weights_pay(x, weight, up)
    if own_weights:
        own = weight * styles[:, None, :, None, None] * factor[:, :, None, None, None]
        rows = [shared_conv2d(row, kernel, up, bias) for row, kernel in zip(x.split(1), own, strict=True)]
        return _activate(rows[0] if len(rows) == 1 else torch.cat(rows), noise, clamp)
    x = shared_conv2d(x * styles.to(x.dtype)[:, :, None, None], weight, up)
    return bias_act(x, bias, factor, noise, clamp)
