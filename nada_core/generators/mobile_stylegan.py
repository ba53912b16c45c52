"""Define MobileStyleGAN (Belousov 2021, arXiv:2104.04767): StyleGAN2 distilled into separable convolutions and wavelets.

Seven blocks go from 4 px to 512 px; each doubles the resolution by an inverse Haar transform (no learned upsampling), and the last
1x1 convolution emits the wavelet coefficients of the 1024 px image. The published network has its demodulation folded into the weights,
so a layer is: scale the input channels by an affine function of ``w``, depthwise 3x3, pointwise 1x1, noise, bias, leaky ReLU.

This file is architecture only. ``generators/openvino_ir.py`` reads the published weights.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.generators.base import LAYER_GROUPS, Generator, LayerGroup, NoiseMode
from nada_core.generators.pointwise import pointwise_conv2d

__all__ = ["MobileStyleGAN", "inverse_haar"]

#: Output channels of the seven blocks (8, 16, ..., 512 px) of the FFHQ network.
FFHQ_CHANNELS = (512, 512, 512, 512, 256, 128, 64)
#: Block whose output feeds the 256 px head.
HEAD_BLOCK = 5
HEAD_CHANNELS = 48
#: Side of the features from which on CPUs compute samples one by one; for two samples anything from 8 to 64 px is as fast.
ALONE_FROM = 32


class _InverseHaar(torch.autograd.Function):
    """Compute twice :func:`inverse_haar`; the transform is orthogonal, so backward is the forward Haar transform and needs nothing saved.

    Written with strided slices because stacking and shuffling copies every large activation three times more; without the half, because
    who multiplies the features by something before can halve that.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        low, vertical, horizontal, diagonal = x.chunk(4, dim=1)
        top, bottom, side, cross = low + vertical, low - vertical, horizontal + diagonal, horizontal - diagonal
        n, c, h, w = low.shape
        out = _empty_as(x, n, c, 2 * h, 2 * w)
        torch.add(top, side, out=out[:, :, 0::2, 0::2])
        torch.sub(top, side, out=out[:, :, 0::2, 1::2])
        torch.add(bottom, cross, out=out[:, :, 1::2, 0::2])
        torch.sub(bottom, cross, out=out[:, :, 1::2, 1::2])
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (g,) = grads
        a, b, c, d = g[:, :, 0::2, 0::2], g[:, :, 0::2, 1::2], g[:, :, 1::2, 0::2], g[:, :, 1::2, 1::2]
        top, side, bottom, cross = a + b, a - b, c + d, c - d
        n, count, h, w = top.shape
        out = _empty_as(g, n, 4 * count, h, w)
        low, vertical, horizontal, diagonal = out.chunk(4, dim=1)
        torch.add(top, bottom, out=low)
        torch.sub(top, bottom, out=vertical)
        torch.add(side, cross, out=horizontal)
        torch.sub(side, cross, out=diagonal)
        return out


def _empty_as(x: Tensor, *shape: int) -> Tensor:
    """Return a tensor of that shape, with the type, place and memory layout of ``x``."""
    last = x.is_contiguous(memory_format=torch.channels_last)
    return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last if last else torch.contiguous_format)


def inverse_haar(x: Tensor) -> Tensor:
    """Apply one level of the inverse 2-D Haar transform, ``[N, 4C, H, W] -> [N, C, 2H, 2W]``.

    The channels hold four bands of ``C`` each: low, vertical, horizontal and diagonal detail.
    """
    return _InverseHaar.apply(x) * 0.5


def modulated_conv2d(x: Tensor, weight: Tensor, styles: Tensor, bias: Tensor | None = None, padding: int = 0, groups: int = 1) -> Tensor:
    """Apply ``F.conv2d`` to ``x * styles``, ``[N, I, H, W]`` by ``[N, I, 1, 1]``; ``groups`` is 1 or ``I``.

    On CPUs a sample that comes alone gets weights of its own instead, where those are fewer numbers than its activations. By linearity the
    result is the same: nothing is demodulated in this network.
    """
    if len(x) == 1 and x.device.type == "cpu" and weight.numel() < x.numel():
        weight = weight * (styles if groups == 1 else styles.transpose(0, 1))
    else:
        x = x * styles.to(x.dtype)
    if weight.shape[-1] == 1:
        return pointwise_conv2d(x, weight, bias)
    return F.conv2d(x, weight, bias, padding=padding, groups=groups)


class Modulation(nn.Linear):
    """Map ``w`` to one scale per input channel by an affine function, ``[N, w_dim] -> [N, C, 1, 1]``."""

    def __init__(self, w_dim: int, channels: int, gain: float = 1.0) -> None:
        super().__init__(w_dim, channels)
        self.gain = gain

    def forward(self, w: Tensor) -> Tensor:
        # never in half precision: a style scales a whole channel, its rounding would show
        with torch.autocast(w.device.type, enabled=False):
            return (F.linear(w.to(self.weight.dtype), self.weight, self.bias) * self.gain)[:, :, None, None]


class StyledConv(nn.Module):
    """Apply a modulated (depthwise-separable, or dense 3x3) convolution, noise, bias and leaky ReLU."""

    def __init__(self, w_dim: int, c_in: int, c_out: int, resolution: int, *, dense: bool = False) -> None:
        super().__init__()
        # equalised learning rate of StyleGAN2: the weight scale of a 3x3 kernel, also for the separable layers
        self.modulation = Modulation(w_dim, c_in, gain=1 / math.sqrt(c_in * 9))
        self.depthwise = None if dense else nn.Parameter(torch.randn(c_in, 1, 3, 3))
        self.weight = nn.Parameter(torch.randn(c_out, c_in, *((3, 3) if dense else (1, 1))))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.noise: Tensor
        self.register_buffer("noise", torch.zeros(1, 1, resolution, resolution))

    def forward(self, x: Tensor, w: Tensor, noise_mode: NoiseMode = "const") -> Tensor:
        styles = self.modulation(w)
        if self.depthwise is None:
            x = modulated_conv2d(x, self.weight, styles, self.bias, padding=1)
        else:
            x = pointwise_conv2d(modulated_conv2d(x, self.depthwise, styles, padding=1, groups=x.shape[1]), self.weight, self.bias)
        # in place from here: no gradient needs what a convolution gave
        if noise_mode == "const":
            x.add_(self.noise.to(x.dtype))
        elif noise_mode == "random":
            # the published noise is one fixed draw times its strength: keep the strength, redraw the pattern
            x.add_(torch.randn(x.shape[0], 1, *x.shape[2:], device=x.device, dtype=x.dtype) * self.noise.std())
        return F.leaky_relu(x, 0.2, inplace=True)


class Block(nn.Module):
    """Upsample by 2 with wavelets, then apply two styled convolutions. Uses three slots of ``ws``."""

    def __init__(self, w_dim: int, c_in: int, c_out: int, resolution: int) -> None:
        super().__init__()
        self.up = Modulation(w_dim, c_in)
        self.conv1 = StyledConv(w_dim, c_in // 4, c_out, resolution)
        self.conv2 = StyledConv(w_dim, c_out, c_out, resolution)

    def forward(self, x: Tensor, ws: Tensor, noise_mode: NoiseMode = "const") -> Tensor:
        # the transform's half goes into the few numbers of the modulation: not once more through all features
        x = _InverseHaar.apply(x * (0.5 * self.up(ws[:, 0])).to(x.dtype))
        x = self.conv1(x, ws[:, 1], noise_mode)
        return self.conv2(x, ws[:, 2], noise_mode)


class ToImage(nn.Module):
    """Turn features into RGB: a modulated 1x1 convolution to 12 wavelet coefficients, then the inverse transform."""

    def __init__(self, w_dim: int, c_in: int) -> None:
        super().__init__()
        self.modulation = Modulation(w_dim, c_in, gain=1 / math.sqrt(c_in))
        self.weight = nn.Parameter(torch.randn(12, c_in, 1, 1))
        self.bias = nn.Parameter(torch.zeros(12))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return inverse_haar(modulated_conv2d(x, self.weight, self.modulation(w), self.bias))


class SmallHead(nn.Module):
    """Turn features of block 5 (256 px) into RGB: this project's own output, fitted to the area-downsampled 1024 px image.

    The layers it replaces are modulated by ``w`` too, hence the modulation of both its layers and the overall ``tone``.
    """

    def __init__(self, w_dim: int, c_in: int, width: int = HEAD_CHANNELS) -> None:
        super().__init__()
        self.modulation = Modulation(w_dim, c_in)
        self.hidden = nn.Conv2d(c_in, width, 1)
        self.skip = nn.Conv2d(c_in, 3, 1)
        self.hidden_modulation = Modulation(w_dim, width)
        self.out = nn.Conv2d(width, 3, 3, padding=1)
        self.tone = Modulation(w_dim, 3)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        styles = self.modulation(w)
        # both 1x1 convolutions as one: the features, the largest there are, are read once, and on the way back their gradient written once
        assert self.hidden.bias is not None and self.skip.bias is not None
        weight, bias = torch.cat([self.hidden.weight, self.skip.weight]), torch.cat([self.hidden.bias, self.skip.bias])
        hidden, skip = modulated_conv2d(x, weight, styles, bias).split([len(self.hidden.weight), len(self.skip.weight)], dim=1)
        out = modulated_conv2d(F.leaky_relu(hidden, 0.2), self.out.weight, self.hidden_modulation(w), self.out.bias, padding=1)
        return skip + out + self.tone(w)


def _grow(blocks: list[Block], head: ToImage | SmallHead, x: Tensor, ws: Tensor, noise_mode: NoiseMode) -> Tensor:
    """Render pictures ``[N, 3, R, R]`` with ``blocks`` and ``head``.

    On CPUs samples go through the large layers one by one: alone, each gets weights of its own (:func:`modulated_conv2d`) and less memory
    has to be walked through at a time. Only pictures are put together again.

    Args:
        x: features ``[N, C, r, r]``.
        ws: ``[N, 3 * len(blocks) or more, w_dim]``; the last is the head's.
    """
    if len(x) > 1 and x.device.type == "cpu" and x.shape[2] >= ALONE_FROM:
        return torch.cat([_grow(blocks, head, *row, noise_mode) for row in zip(x.split(1), ws.split(1), strict=True)])
    if not blocks:
        return head(x, ws[:, -1])
    return _grow(blocks[1:], head, blocks[0](x, ws[:, :3], noise_mode), ws[:, 3:], noise_mode)


class MobileStyleGAN(Generator):
    """Render faces by MobileStyleGAN from W+ (23 slots for the 1024 px network); with its small head, also fast at 256 px.

    Args:
        channels: output channels of each block; ``len(channels)`` fixes the resolution at ``2 ** (len + 3)``.
        z_dim, w_dim: latent sizes.
        mapping_layers: depth of the mapping network.
        small_head: build the 256 px head (needs at least ``HEAD_BLOCK + 1`` blocks).
    """

    family = "mobile_stylegan"

    def __init__(
        self,
        channels: tuple[int, ...] = FFHQ_CHANNELS,
        z_dim: int = 512,
        w_dim: int = 512,
        mapping_layers: int = 8,
        *,
        small_head: bool = True,
    ) -> None:
        super().__init__()
        self.z_dim, self.w_dim = z_dim, w_dim
        self.num_ws = 2 + 3 * len(channels)
        self.img_resolution = 2 ** (len(channels) + 3)
        self.resolutions = (256, self.img_resolution) if small_head else (self.img_resolution,)
        names = [f"blocks.{i}.{part}" for i in range(len(channels)) for part in ("up", "conv1", "conv2")]
        self.layer_names = ("conv1", *names, "to_img")
        self.mapping_layers = nn.ModuleList(nn.Linear(z_dim if i == 0 else w_dim, w_dim) for i in range(mapping_layers))
        self.register_buffer("w_avg", torch.zeros(w_dim))
        self.const = nn.Parameter(torch.randn(1, channels[0], 4, 4))
        self.conv1 = StyledConv(w_dim, channels[0], channels[0], 4, dense=True)
        inputs = (channels[0], *channels[:-1])
        self.blocks = nn.ModuleList(
            Block(w_dim, c_in, c_out, 2 ** (i + 3)) for i, (c_in, c_out) in enumerate(zip(inputs, channels, strict=True))
        )
        self.to_img = ToImage(w_dim, channels[-1])
        self.small_head = SmallHead(w_dim, channels[HEAD_BLOCK]) if small_head else None
        # oneDNN's CPU convolutions, above all in bfloat16, are several times faster on channels-last memory
        self.to(memory_format=torch.channels_last)

    def mapping(self, z: Tensor, truncation_psi: float = 1.0) -> Tensor:
        w = z * torch.rsqrt(z.pow(2).mean(1, keepdim=True) + 1e-8)
        for layer in self.mapping_layers:
            w = F.leaky_relu(layer(w), 0.2) * math.sqrt(2)
        if truncation_psi != 1:
            w = torch.lerp(self.w_avg.to(w).expand_as(w), w, truncation_psi)
        return w[:, None].expand(-1, self.num_ws, -1)

    def features(self, ws: Tensor, noise_mode: NoiseMode = "const", blocks: int | None = None) -> list[Tensor]:
        """Return the outputs of the first ``blocks`` blocks (all by default), ``[N, C_i, 2**(i+3), 2**(i+3)]`` each."""
        x = self.conv1(self.const.expand(ws.shape[0], -1, -1, -1), ws[:, 0], noise_mode)
        outputs = []
        for i, block in enumerate(self.blocks[:blocks]):
            x = block(x, ws[:, 1 + 3 * i : 4 + 3 * i], noise_mode)
            outputs.append(x)
        return outputs

    def synthesis(self, ws: Tensor, noise_mode: NoiseMode = "const", resolution: int | None = None) -> Tensor:
        if ws.ndim != 3 or ws.shape[1:] != (self.num_ws, self.w_dim):
            raise ValueError(f"ws has shape {tuple(ws.shape)}; expected [N, {self.num_ws}, {self.w_dim}]: one w per layer")
        blocks = cast("list[Block]", list(self.blocks))
        head: ToImage | SmallHead = self.to_img
        if resolution not in (None, self.img_resolution):
            if self.small_head is None or resolution not in self.resolutions:
                raise ValueError(f"this generator renders at {self.resolutions}, not at {resolution}")
            blocks, head = blocks[: HEAD_BLOCK + 1], self.small_head
        x = self.conv1(self.const.expand(ws.shape[0], -1, -1, -1), ws[:, 0], noise_mode)
        return _grow(blocks, head, x, ws[:, 1:], noise_mode)

    def layer_group(self, parameter: str) -> LayerGroup:
        head = parameter.split(".")
        if head[0] in ("const", "conv1"):
            return "shape"
        if head[0] == "blocks":
            # 8-32 px decide geometry, 64-128 px features and texture, 256 px and above paint
            return "shape" if int(head[1]) < 3 else "texture" if int(head[1]) < 5 else "colour"
        return "colour"

    def adaptable(self, layers: str = "all") -> list[str]:
        if layers != "all" and layers not in LAYER_GROUPS:
            raise ValueError(f"layers is {layers!r}; expected 'all' or one of {', '.join(LAYER_GROUPS)}")
        frozen = ("mapping_layers.", "small_head.")
        names = [n for n, _ in self.named_parameters() if not n.startswith(frozen)]
        return [n for n in names if layers == "all" or self.layer_group(n) == layers]

    def layer_set(self, layers: str = "all") -> list[str]:
        """Return the names in a :meth:`Generator.layer_set`; ``shape`` and ``texture`` are the layer groups, together ``no_fine``."""
        if layers == "default":
            return [n for n in self.adaptable() if not n.startswith("to_img.")]
        if layers == "no_fine":
            return [n for n in self.adaptable() if self.layer_group(n) != "colour"]
        return self.adaptable(layers)

    def slot_parameters(self, slot: int, *, official: bool = False) -> list[str]:
        if official:
            raise ValueError("the published code selects layers of StyleGAN2 only")
        return [n for n in self.adaptable() if n.startswith(f"{self.layer_names[slot]}.")]

    def unused_at(self, resolution: int | None) -> list[str]:
        if resolution in (None, self.img_resolution):
            return []
        used = ("const", "conv1.", *(f"blocks.{i}." for i in range(HEAD_BLOCK + 1)))
        return [n for n in self.adaptable() if not n.startswith(used)]
