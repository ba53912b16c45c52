"""Give a style's pictures the person's own lines and shades back, and leave alone what the style leaves alone.

Paint covers: the generator's white face has fainter brows, eyes and shades than the face under it, and a student that learns from it blurs
them on a photo. Colours are taken from the style's picture, and of each place's two gradients of lightness the stronger one: mixed
gradients (Pérez et al. 2003, "Poisson Image Editing"), solved with cosines; slow changes of lightness stay the style's.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

__all__ = ["gradients", "is_paint", "lightness", "own_lines"]

#: How strong the face's own gradients become under paint: light paint lies near the end of the scale, where differences look smaller, and a
#: network makes all of them a little fainter.
_OWN = 1.35
#: Pixels (standard deviation) from which on lightness is the style's, and how much any frequency is held to it.
_SLOW, _HELD = 8.0, 0.002
#: A change (the largest of three colours, in [0, 2]) up to the first is none: such places stay as they are; from the second on it is paint.
_NONE, _PAINT = 0.05, 0.13
_LIGHTNESS = (0.299, 0.587, 0.114)


def is_paint(before: Tensor, after: Tensor) -> bool:
    """Tell paint from a medium: what changes the picture's upper corners as well has lines and shades of its own.

    Args:
        before, after: ``[N, 3, S, S]`` uint8, faces that are cut as FFHQ's are.
    """
    high, wide = before.shape[-2] // 4, before.shape[-1] // 6
    change = ((before.float() - after.float()).abs() / 127.5).amax(1)[:, :high]
    corners = torch.cat([change[..., :wide], change[..., -wide:]], -1)
    return bool((corners < _PAINT).float().mean() > 0.5)


def own_lines(face: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Return what a student shall make of faces, ``[N, 3, S, S]`` in [-1, 1] like all arguments.

    Args:
        face: ``before`` as a camera sees it, lit and tinted.
        before, after: without and with the style.
    """
    change = _blurred((after - before).abs().amax(1, keepdim=True), 1.5)
    kept = ((_PAINT - change) / (_PAINT - _NONE)).clamp(0, 1)
    own, styled = (kept * face + (1 - kept) * x for x in (before, after))
    light = lightness(styled)
    stronger = 1 + (_OWN - 1) * (1 - kept)
    right, down = (stronger * x for x in gradients(lightness(own)))
    mixed = _mixed((right, down), gradients(light))
    return (styled + _with_gradients(light, *mixed) - light).clamp(-1, 1)


def _mixed(own: tuple[Tensor, Tensor], styled: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the stronger gradient of each place; where they are about as strong, some of both."""
    ours, theirs = (_blurred(x.square() + y.square(), 1.0).clamp(min=0) for x, y in (own, styled))
    share = ours.square() / (ours.square() + theirs.square() + 1e-9)
    return tuple(share * a + (1 - share) * b for a, b in zip(own, styled))  # type: ignore[return-value]


def _with_gradients(light: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Return the lightness that has these gradients, as nearly as can be, and the slow parts of ``light``."""
    pull = right + down
    pull[..., 1:] -= right[..., :-1]
    pull[..., 1:, :] -= down[..., :-1, :]
    side = light.shape[-1]
    angle = _angles(side)
    steps = 2 - 2 * angle.cos()
    hold = _HELD + _blur(side, _SLOW) / _SLOW**2
    solved = (hold * _cosines(light) - _cosines(pull)) / (steps[:, None] + steps + hold)
    basis = _basis(side)
    return basis.T @ solved @ basis


def lightness(images: Tensor) -> Tensor:
    """Return ``[N, 1, H, W]`` of pictures ``[N, 3, H, W]``."""
    return (images * images.new_tensor(_LIGHTNESS)[:, None, None]).sum(1, keepdim=True)


def gradients(light: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences to the right and downwards; 0 at the last pixels."""
    right, down = torch.zeros_like(light), torch.zeros_like(light)
    right[..., :-1] = light[..., 1:] - light[..., :-1]
    down[..., :-1, :] = light[..., 1:, :] - light[..., :-1, :]
    return right, down


def _blurred(light: Tensor, pixels: float) -> Tensor:
    basis = _basis(light.shape[-1])
    return basis.T @ (_cosines(light) * _blur(light.shape[-1], pixels)) @ basis


def _cosines(light: Tensor) -> Tensor:
    basis = _basis(light.shape[-1])
    return basis @ light @ basis.T


def _angles(side: int) -> Tensor:
    return torch.arange(side) * (math.pi / side)


def _blur(side: int, pixels: float) -> Tensor:
    """Return what a Gaussian of so many pixels leaves of each frequency, ``[side, side]``."""
    square = _angles(side).square()
    return torch.exp(-(square[:, None] + square) * pixels**2 / 2)


@functools.cache
def _basis(side: int) -> Tensor:
    """Return the orthonormal cosines of ``side`` places (DCT-II), ``[side, side]``."""
    basis = torch.cos(_angles(side)[:, None] * (torch.arange(side) + 0.5)) * math.sqrt(2 / side)
    basis[0] /= math.sqrt(2)
    return basis
