"""Sample the inputs of one training step: latents, noise, and the crops of the pictures that the encoder reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.adaptation.options import AdaptOptions
from nada_core.generators.base import Generator

__all__ = ["draw_ws", "mix_slots", "random_crops", "seeded_noise", "training_pool", "training_ws", "view"]


def training_pool(options: AdaptOptions, z_dim: int) -> Tensor | None:
    """Return the latents ``[latent_pool, z_dim]`` of a run with a fixed pool, a function of its seed; None where they are fresh."""
    if options.latent_pool is None:
        return None
    return torch.randn(options.latent_pool, z_dim, generator=torch.Generator().manual_seed(options.seed))


def draw_ws(base: Generator, options: AdaptOptions, count: int, rng: torch.Generator, pool: Tensor | None = None) -> Tensor:
    """Return latents ``[count, num_ws, w_dim]`` of the frozen generator, fresh or from ``pool`` ``[P, z_dim]``; no mixing here.

    Here and below ``options`` have the family's defaults filled in.
    """
    assert options.truncation_psi is not None
    if pool is None:
        z = torch.randn(count, base.z_dim, generator=rng)
    else:
        z = pool[torch.randint(len(pool), (count,), generator=rng)]
    return base.mapping(z.to(base.device), options.truncation_psi)


def mix_slots(first: Tensor, second: Tensor, rng: torch.Generator) -> Tensor:
    """Mix styles of ``ws``: ``second`` from one random slot on (Karras et al. 2019, "A Style-Based Generator", section 3.1).

    As in the StyleGAN2 code that StyleGAN-NADA trains with, the slot is the same for the whole batch and never the first.
    """
    start = int(torch.randint(1, first.shape[1], (), generator=rng))
    return torch.cat([first[:, :start], second[:, start:]], dim=1)


def training_ws(base: Generator, options: AdaptOptions, rng: torch.Generator, pool: Tensor | None = None) -> Tensor:
    """Return the latents ``[batch, num_ws, w_dim]`` of one step, mixed with the options' probability."""
    ws = draw_ws(base, options, options.batch, rng, pool)
    if options.mixing and float(torch.rand((), generator=rng)) < options.mixing:
        ws = mix_slots(ws, draw_ws(base, options, options.batch, rng, pool), rng)
    return ws


@contextmanager
def seeded_noise(options: AdaptOptions, rng: torch.Generator, device: torch.device) -> Iterator[None]:
    """Make a generator's random noise a function of ``rng`` inside: it draws from torch's own numbers, restored afterwards.

    Where the options ask for no random noise, nothing is drawn from ``rng``.
    """
    if options.noise != "random":
        yield
        return
    seed = int(torch.randint(2**62, (), generator=rng))
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def random_crops(count: int, rng: torch.Generator, device: torch.device) -> Tensor:
    """Return affine maps ``[count, 2, 3]`` of slightly zoomed, shifted, mirrored views: the loss must hold for all, not one pixel grid."""
    scale = 0.75 + 0.3 * torch.rand(count, generator=rng)
    shift = 0.25 * (torch.rand(2, count, generator=rng) - 0.5)
    mirror = torch.randint(0, 2, (count,), generator=rng) * 2.0 - 1
    zero = torch.zeros(count)
    rows = [torch.stack([scale * mirror, zero, shift[0]], 1), torch.stack([zero, scale, shift[1]], 1)]
    return torch.stack(rows, 1).to(device)


def view(images: Tensor, crops: Tensor | None, side: int = 160) -> Tensor:
    """Return crops ``[N * k, 3, side, side]`` of images ``[N, 3, R, R]``, or the images themselves."""
    if crops is None:
        return images
    k = len(crops) // len(images)
    small = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True).repeat_interleave(k, 0)
    grid = F.affine_grid(crops, list(small.shape), align_corners=False)
    return F.grid_sample(small, grid, padding_mode="reflection", align_corners=False)
