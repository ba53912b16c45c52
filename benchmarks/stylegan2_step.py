"""Time a training step of StyleGAN2 here against the usual grouped convolutions: ``python -m benchmarks.stylegan2_step``.

Forward and backward of the generator alone, config-f at 256 px, random weights. Both render the same parameters and are timed in turn.
Given are CPU seconds of this process, all threads together: other work on the machine disturbs them far less than the time on the clock.
"""

from __future__ import annotations

import argparse
import copy
import functools
import math
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.taking_turns import in_turns
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config, SynthesisLayer, ToRGB, published_channels
from nada_core.generators.stylegan2_ops import fir_filter, upfirdn2d
from nada_core.system.device import Precision, precision_context, tune_cpu_allocator


def grouped_conv2d(x: Tensor, weight: Tensor, styles: Tensor, demodulate: bool = True, up: bool = False) -> Tensor:
    """The usual way (rosinality, NVIDIA's fused_modconv): one set of weights a sample, one group a sample."""
    n, c_in, h, w = x.shape
    c_out, _, k, _ = weight.shape
    own = weight[None] * styles[:, None, :, None, None]
    if demodulate:
        own = own * torch.rsqrt(own.square().sum((2, 3, 4)) + 1e-8)[:, :, None, None, None]
    x = x.reshape(1, n * c_in, h, w)
    if up:
        own = own.transpose(1, 2).reshape(n * c_in, c_out, k, k)
        x = F.conv_transpose2d(x, own, stride=2, groups=n)
        x = upfirdn2d(x.reshape(n, c_out, *x.shape[2:]), fir_filter(4.0), padding=(1, 1))
    else:
        x = F.conv2d(x, own.reshape(n * c_out, c_in, k, k), padding=k // 2, groups=n)
    return x.reshape(n, c_out, *x.shape[2:])


def grouped_synthesis(generator: StyleGAN2, ws: Tensor) -> Tensor:
    """``generator.synthesis(ws)`` with grouped convolutions and one plain operation after another."""

    def layer(module: SynthesisLayer, x: Tensor, w: Tensor) -> Tensor:
        x = grouped_conv2d(x, module.weight, module.affine(w), up=module.up)
        x = x + module.noise_const * module.noise_strength
        return F.leaky_relu(x + module.bias[:, None, None], 0.2) * math.sqrt(2)

    def to_rgb(module: ToRGB, x: Tensor, w: Tensor) -> Tensor:
        styles = module.affine(w) / math.sqrt(x.shape[1])
        return grouped_conv2d(x, module.weight, styles, demodulate=False) + module.bias[:, None, None]

    first, *others = generator.blocks.values()
    x = layer(first.conv1, first.const.expand(len(ws), -1, -1, -1), ws[:, 0])
    image = to_rgb(first.torgb, x, ws[:, 1])
    for i, block in enumerate(others):
        x = layer(block.conv0, x, ws[:, 2 * i + 1])
        x = layer(block.conv1, x, ws[:, 2 * i + 2])
        image = upfirdn2d(image, fir_filter(4.0), up=2, padding=(2, 1)) + to_rgb(block.torgb, x, ws[:, 2 * i + 3])
    return image


def stylegan2_step(resolution: int = 256, batch: int = 2, repeats: int = 3, precision: Precision = "float32") -> dict[str, float]:
    """Median CPU seconds of a step of both, and how many times faster ours is."""
    tune_cpu_allocator()
    torch.manual_seed(0)
    plain = StyleGAN2(StyleGAN2Config(published_channels(resolution)))
    plain.mapping_layers.requires_grad_(False)
    fast = copy.deepcopy(plain).laid_out_for_cpu()  # as load_generator does on CPUs
    ws = plain.mapping(plain.sample_z(range(batch)))

    def seconds(render: Callable[[Tensor], Tensor]) -> float:
        for generator in (plain, fast):
            generator.zero_grad(set_to_none=True)
        start = time.process_time()
        with precision_context(torch.device("cpu"), precision):
            picture = render(ws).float()
        picture.square().mean().backward()
        return time.process_time() - start

    works = {"ours": lambda: seconds(fast.synthesis), "grouped": lambda: seconds(functools.partial(grouped_synthesis, plain))}
    in_turns(works, 1)  # warms up
    medians = in_turns(works, repeats)
    mine, theirs = medians["ours"], medians["grouped"]
    return {"stylegan2_step_cpu_s": mine, "stylegan2_step_grouped_cpu_s": theirs, "stylegan2_speedup": theirs / mine}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    args = parser.parse_args()
    for name, value in stylegan2_step(args.resolution, args.batch, args.repeats, args.precision).items():
        print(f"{name:28s} {value:8.3f}")


if __name__ == "__main__":
    main()
