"""Define StyleGAN2 (Karras et al. 2020, arXiv:1912.04958): the "skip" generator of config-f and stylegan2-ada, 8 px and up.

Names and shapes of the weights follow NVIDIA's stylegan2-ada-pytorch (``blocks.b64.conv0.weight`` is its ``synthesis.b64.conv0.weight``).
This file is architecture only; ``generators/formats`` reads and writes the files of others.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.generators.base import LAYER_GROUPS, Generator, LayerGroup, NoiseMode
from nada_core.generators.stylegan2_ops import ACT_GAIN, SLOPE, own_weights_pay, styled_conv2d, upsample2

__all__ = ["StyleGAN2", "StyleGAN2Config", "published_channels"]

#: Side to which encoders of photos and losses average full-size pictures (the "face pool" of pSp, e4e and ReStyle).
POOLED_SIZE = 256
#: Sides of the blocks whose convolutions the published code trains, beside those at 4 px: its ``convs[2:10]`` are 16 to 128 px.
_CONVOLUTIONS: dict[str, range] = {"default": range(8, 1 << 20), "no_fine": range(8, 129), "shape": range(8, 9), "texture": range(16, 129)}


def published_channels(resolution: int, multiplier: float = 2) -> tuple[int, ...]:
    """Return the channels at 4, 8, ..., ``resolution`` px of the published networks; ``multiplier`` 2 is config-f."""
    return tuple(min(512, int(16384 * multiplier) >> level) for level in range(2, resolution.bit_length()))


@dataclass(frozen=True)
class StyleGAN2Config:
    """Hold all that the architecture depends on; all but ``conv_clamp`` shows in the shapes of the weights."""

    channels: tuple[int, ...] = published_channels(1024)  # at 4, 8, 16, ... px: their number fixes the resolution
    z_dim: int = 512
    w_dim: int = 512
    mapping_layers: int = 8
    conv_clamp: float | None = None  # NVIDIA's guard against float16 overflow, 256 in its own files; None: no limit

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Return the sides of the blocks: 4, 8, ... px."""
        return tuple(4 << i for i in range(len(self.channels)))


def _gaussian(*shape: int, std: float = 1.0) -> Tensor:
    """Return random start values; none drawn on the meta device, where only shapes exist: that would import half of torch."""
    values = torch.empty(shape)
    return values if values.is_meta else values.normal_(std=std)


class EqualLinear(nn.Module):
    """Apply a linear layer with equalised learning rate: weights are kept at unit variance and scaled where used."""

    def __init__(self, c_in: int, c_out: int, bias_init: float = 0.0, lr_multiplier: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(_gaussian(c_out, c_in, std=1 / lr_multiplier))
        self.bias = nn.Parameter(torch.full((c_out,), float(bias_init)))
        self.weight_gain, self.bias_gain = lr_multiplier / math.sqrt(c_in), lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        # never in half precision: a style scales a whole channel, its rounding would show
        with torch.autocast(x.device.type, enabled=False):
            return F.linear(x.to(self.weight.dtype) * self.weight_gain, self.weight, self.bias * self.bias_gain)


class SynthesisLayer(nn.Module):
    """Apply a modulated 3x3 convolution (after doubling the size where ``up``), noise, bias and leaky ReLU."""

    def __init__(self, w_dim: int, c_in: int, c_out: int, resolution: int, up: bool, clamp: float | None) -> None:
        super().__init__()
        self.up, self.clamp = up, clamp
        self.affine = EqualLinear(w_dim, c_in, bias_init=1.0)
        self.weight = nn.Parameter(_gaussian(c_out, c_in, 3, 3))
        self.bias = nn.Parameter(torch.zeros(c_out))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.noise_const: Tensor
        self.register_buffer("noise_const", _gaussian(resolution, resolution))

    def forward(self, x: Tensor, w: Tensor, noise_mode: NoiseMode) -> Tensor:
        noise = None
        if noise_mode == "const":
            noise = self.noise_const[None, None] * self.noise_strength
        elif noise_mode == "random":
            fresh = torch.randn(x.shape[0], 1, *self.noise_const.shape, device=x.device, dtype=self.noise_const.dtype)
            noise = fresh * self.noise_strength
        return styled_conv2d(x, self.weight, self.bias, self.affine(w), noise, self.up, self.clamp)


class ToRGB(nn.Module):
    """Turn features into RGB by a modulated 1x1 convolution to three channels, not demodulated."""

    def __init__(self, w_dim: int, c_in: int, clamp: float | None) -> None:
        super().__init__()
        self.clamp = clamp
        self.affine = EqualLinear(w_dim, c_in, bias_init=1.0)
        self.weight = nn.Parameter(_gaussian(3, c_in, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        styles = self.affine(w) / math.sqrt(x.shape[1])
        # three rows a sample: modulating them is cheaper than scaling all of x
        rows = (self.weight[:, :, 0, 0] * styles[:, None]).to(x.dtype)
        # pixels as rows: the gradient of x then comes back in its own memory layout
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2) if x.is_contiguous(memory_format=torch.channels_last) else x.flatten(2).transpose(1, 2)
        rgb = torch.bmm(pixels, rows.transpose(1, 2)).transpose(1, 2).unflatten(2, x.shape[2:]).to(self.bias.dtype)
        rgb = rgb + self.bias[:, None, None]
        return rgb if self.clamp is None else rgb.clamp(-self.clamp, self.clamp)


class SynthesisBlock(nn.Module):
    """Compute one resolution: ``conv0`` (doubles the size), ``conv1``, ``torgb``. At 4 px ``const`` takes the place of ``conv0``."""

    def __init__(self, w_dim: int, c_in: int, c_out: int, resolution: int, clamp: float | None) -> None:
        super().__init__()
        if c_in:
            self.conv0 = SynthesisLayer(w_dim, c_in, c_out, resolution, True, clamp)
        else:
            self.const = nn.Parameter(_gaussian(c_out, 4, 4))
        self.conv1 = SynthesisLayer(w_dim, c_out, c_out, resolution, False, clamp)
        self.torgb = ToRGB(w_dim, c_out, clamp)


def _grow(blocks: list[SynthesisBlock], x: Tensor, image: Tensor | None, ws: Tensor, noise_mode: NoiseMode) -> Tensor:
    """Render the full picture ``[N, 3, R, R]`` with all of ``blocks``.

    Where samples get weights of their own they go the rest of the way one by one, so that only pictures have to be put together again.

    Args:
        x: what ``conv1`` of the first of the blocks takes, ``[N, C, r, r]``.
        image: the picture so far, ``[N, 3, r / 2, r / 2]``; None at the first block of all.
        ws: ``[N, 2 * len(blocks), w_dim]``.
    """
    block, *others = blocks
    if len(x) > 1 and image is not None and own_weights_pay(x, block.conv1.weight, up=False):
        return torch.cat([_grow(blocks, *row, noise_mode) for row in zip(x.split(1), image.split(1), ws.split(1), strict=True)])
    x = block.conv1(x, ws[:, 0], noise_mode)
    rgb = block.torgb(x, ws[:, 1])
    # the picture is summed up over the blocks, in the precision of the weights
    image = rgb if image is None else upsample2(image) + rgb
    return _grow(others, others[0].conv0(x, ws[:, 1], noise_mode), image, ws[:, 2:], noise_mode) if others else image


class StyleGAN2(Generator):
    """Render images by StyleGAN2 from W+: ``num_ws = 2 log2(resolution) - 2`` slots, the last for the last ``torgb``.

    Each other ``torgb`` shares its slot with the next block's ``conv0``, as in NVIDIA's networks.

    Raises:
        ValueError: ``config`` has fewer than two blocks or no mapping layer.
    """

    family = "stylegan2"
    pooled = True

    def __init__(self, config: StyleGAN2Config | None = None) -> None:
        super().__init__()
        self.config = config = config or StyleGAN2Config()
        if len(config.channels) < 2 or config.mapping_layers < 1:
            raise ValueError(f"{config} is too small: at least two blocks (8 px) and one mapping layer are needed")
        self.z_dim, self.w_dim = config.z_dim, config.w_dim
        self.img_resolution = config.resolutions[-1]
        self.resolutions = (POOLED_SIZE, self.img_resolution) if self.img_resolution > POOLED_SIZE else (self.img_resolution,)
        names = [f"blocks.b{r}.{part}" for r in config.resolutions for part in ("conv0", "conv1")][1:]
        self.layer_names = (*names, f"blocks.b{self.img_resolution}.torgb")
        self.num_ws = len(self.layer_names)
        self.mapping_layers = nn.ModuleList(
            EqualLinear(config.z_dim if i == 0 else config.w_dim, config.w_dim, lr_multiplier=0.01) for i in range(config.mapping_layers)
        )
        self.register_buffer("w_avg", torch.zeros(config.w_dim))
        self.blocks = nn.ModuleDict()
        for resolution, c_in, c_out in zip(config.resolutions, (0, *config.channels), config.channels, strict=False):
            self.blocks[f"b{resolution}"] = SynthesisBlock(config.w_dim, c_in, c_out, resolution, config.conv_clamp)

    def mapping(self, z: Tensor, truncation_psi: float = 1.0) -> Tensor:
        if z.ndim != 2 or z.shape[1] != self.z_dim:
            raise ValueError(f"z has shape {tuple(z.shape)}; expected [N, {self.z_dim}]")
        w = z.to(self.w_avg.dtype)
        w = w * torch.rsqrt(w.square().mean(1, keepdim=True) + 1e-8)
        for layer in self.mapping_layers:
            w = F.leaky_relu(layer(w), SLOPE) * ACT_GAIN
        if truncation_psi != 1:
            w = torch.lerp(self.w_avg.to(w).expand_as(w), w, truncation_psi)
        return w[:, None].expand(-1, self.num_ws, -1)

    def synthesis(self, ws: Tensor, noise_mode: NoiseMode = "const", resolution: int | None = None) -> Tensor:
        if ws.ndim != 3 or ws.shape[1:] != (self.num_ws, self.w_dim):
            raise ValueError(f"ws has shape {tuple(ws.shape)}; expected [N, {self.num_ws}, {self.w_dim}]: one w per layer")
        if noise_mode not in ("const", "random", "none"):
            raise ValueError(f"noise_mode is {noise_mode!r}; expected 'const', 'random' or 'none'")
        if resolution is not None and resolution not in self.resolutions:
            raise ValueError(f"this generator renders at {' or '.join(map(str, self.resolutions))} only, not at {resolution}")
        blocks = cast("list[SynthesisBlock]", list(self.blocks.values()))
        image = _grow(blocks, blocks[0].const.expand(ws.shape[0], -1, -1, -1), None, ws, noise_mode)
        return image if resolution in (None, self.img_resolution) else F.adaptive_avg_pool2d(image, resolution)

    def laid_out_for_cpu(self) -> StyleGAN2:
        """Arrange the weights in memory as CPUs compute fastest.

        A transposed convolution takes its weights input channels first. Where they lie so, neither they nor their gradients are
        rearranged in every step.
        """
        placed = self.to(memory_format=torch.channels_last)
        for layer in placed.modules():
            if isinstance(layer, SynthesisLayer) and layer.up:
                layer.weight.data = layer.weight.data.transpose(0, 1).contiguous(memory_format=torch.channels_last).transpose(0, 1)
        return placed

    @torch.no_grad()
    def estimate_w_avg(self, seed: int = 0, count: int = 8192) -> Tensor:
        """Return the mean of ``w`` over ``count`` seeded latents, ``[w_dim]``: for files that do not store it."""
        z = torch.randn(count, self.z_dim, generator=torch.Generator().manual_seed(seed)).to(self.device)
        return self.mapping(z)[:, 0].mean(0)

    def content_hash(self) -> str:
        """Return a SHA-256 over names, shapes and values of all weights but ``w_avg``.

        Files of adapted networks often lack ``w_avg``; estimating it rounds differently on other machines, and they are the same base.
        """
        digest = hashlib.sha256()
        for name, value in sorted(self.state_dict().items()):
            if name != "w_avg":
                digest.update(f"{name}{tuple(value.shape)}".encode())
                digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def layer_group(self, parameter: str) -> LayerGroup:
        head = parameter.split(".")
        if head[0] != "blocks":
            return "shape"
        side = int(head[1][1:])
        # 4-32 px decide geometry, 64-128 px texture, 256 px and above paint; below 256 px the borders move down with the size
        if side >= min(256, self.img_resolution):
            return "colour"
        return "texture" if side >= min(64, max(8, self.img_resolution // 4)) else "shape"

    def adaptable(self, layers: str = "all") -> list[str]:
        if layers != "all" and layers not in LAYER_GROUPS:
            raise ValueError(f"layers is {layers!r}; expected 'all' or one of {', '.join(LAYER_GROUPS)}")
        names = [n for n, _ in self.named_parameters() if not n.startswith("mapping_layers.")]
        return [n for n in names if layers == "all" or self.layer_group(n) == layers]

    def layer_set(self, layers: str = "all") -> list[str]:
        """Return the names in a published set, also ``shape`` and ``texture`` (:meth:`Generator.layer_set`), or the group ``colour``."""
        if layers not in _CONVOLUTIONS:
            return self.adaptable(layers)
        sides = (4, *(side for side in self.config.resolutions if side in _CONVOLUTIONS[layers]))
        return [n for n in self.adaptable() if int(n.split(".")[1][1:]) in sides and ".torgb." not in n]

    def slot_parameters(self, slot: int, *, official: bool = False) -> list[str]:
        """Return the names of the parameters of all layers that ``ws[:, slot]`` modulates.

        ``official``: slot 1 is for the first ``torgb`` and slot j for the convolution that slot j - 1 modulates.
        """
        if official:
            owners = [self.layer_names[0], "blocks.b4.torgb", *self.layer_names[1:]][slot : slot + 1]
        else:
            owners = [self.layer_names[slot]]
            if slot % 2:  # a torgb shares its slot with the next block's conv0
                owners.append(f"blocks.b{self.config.resolutions[slot // 2]}.torgb")
        return [n for n in self.adaptable() if n.rpartition(".affine.")[0] in owners or n.rpartition(".")[0] in owners]
