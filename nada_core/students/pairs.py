"""Draw pairs of faces to learn a style from: the same latent before and after, seen as photos are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.generators.base import Generator
from nada_core.students.lines import own_lines
from nada_core.students.network import SIDE
from nada_core.system.device import precision_context

__all__ = ["Pairs", "draw_pairs", "seen"]

_AT_ONCE = 2
#: Truncations of the latents: from faces near the mean to all that the generator can draw.
_PSI = (0.55, 1.0)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Hold faces before and after, ``[N, 3, 256, 256]`` uint8 each."""

    before: Tensor
    after: Tensor

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.before)

    def split(self, held: int) -> tuple[Pairs, Pairs]:
        """Return pairs to learn from, and the last ``held`` that are only looked at."""
        return Pairs(self.before[:-held], self.after[:-held]), Pairs(self.before[-held:], self.after[-held:])


@torch.no_grad()
def draw_pairs(base: Generator, styled: Generator, count: int, seed: int) -> Iterator[Pairs]:
    """Yield pairs, a few at a time, ``count`` in all; the same seed draws the same faces."""
    rng = torch.Generator().manual_seed(seed)
    left = count
    while left > 0:
        z = torch.randn(min(_AT_ONCE, left), base.z_dim, generator=rng).to(base.device)
        low, high = _PSI
        ws = base.mapping(z, low + (high - low) * torch.rand(1, generator=rng).item())
        with precision_context(base.device):
            pictures = [network.synthesis(ws, resolution=base.resolutions[0]) for network in (base, styled)]
        yield Pairs(*(_bytes(picture) for picture in pictures))
        left -= len(z)


def _bytes(pictures: Tensor) -> Tensor:
    shown = pictures.float().clamp(-1, 1)
    if shown.shape[-1] != SIDE:
        shown = F.interpolate(shown, size=SIDE, mode="bilinear", antialias=True)
    return ((shown + 1) * 127.5).round().byte().cpu()


def seen(before: Tensor, after: Tensor, rng: torch.Generator, painted: Sequence[bool] = ()) -> tuple[Tensor, Tensor]:
    """Return pairs in [-1, 1] as a camera may see them.

    Both are turned, scaled, shifted and mirrored alike, since photos are aligned less exactly than the generator's faces; only the face
    that goes in is lit, tinted, blurred and given noise: the style that comes out is the same in any light.

    Args:
        before, after: ``[N, 3, 256, 256]`` uint8.
        painted: for which of them the style is a paint, under which a face keeps its own lines (:func:`own_lines`); by default for none.
    """

    def noise(*shape: int) -> Tensor:
        return torch.rand(shape, generator=rng)

    count = len(before)
    both = torch.cat([before, after], 1).float() / 127.5 - 1
    both = F.grid_sample(both, F.affine_grid(_poses(noise, count), list(both.shape), align_corners=False), "bilinear", "reflection", False)
    face, wanted = both[:, :3], both[:, 3:]
    light, tint, level = 0.7 + 0.5 * noise(count, 1, 1, 1), 1 + 0.15 * (noise(count, 3, 1, 1) - 0.5), 0.1 * (noise(count, 1, 1, 1) - 0.5)
    before, face = face, (face + 1) * light * tint - 1 + level
    if rows := [row for row, paint in enumerate(painted) if paint]:
        wanted[rows] = own_lines(face[rows].clamp(-1, 1), before[rows], wanted[rows])
    if noise(1).item() < 0.2:
        face = F.interpolate(F.avg_pool2d(face, 2), scale_factor=2.0, mode="bilinear")
    if noise(1).item() < 0.3:
        face = face + torch.randn(face.shape, generator=rng) * 0.02 * noise(1).item()
    return face.clamp(-1, 1).contiguous(memory_format=torch.channels_last), wanted


def _poses(noise: Callable[..., Tensor], count: int) -> Tensor:
    """Return matrices ``[count, 2, 3]`` of small turns, scales and shifts; half of them are mirrored."""
    angle, scale = 0.4 * (noise(count) - 0.5), 0.82 + 0.38 * noise(count)
    cos, sin, mirror = angle.cos() * scale, angle.sin() * scale, torch.where(noise(count) < 0.5, -1.0, 1.0)
    shift = 0.24 * (noise(count, 2) - 0.5)
    rows = [torch.stack([cos * mirror, -sin, shift[:, 0]], 1), torch.stack([sin * mirror, cos, shift[:, 1]], 1)]
    return torch.stack(rows, 1)
