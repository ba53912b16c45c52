"""Spoil pictures in ways that must not count as style (blur, grain, grids, warps): the encoder gives each a direction of its own."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from training.renderings.face import SIZE, Array, detail, luminance, noise_field

__all__ = ["ARTEFACTS", "random_distortion"]

Rng = np.random.Generator


def _emboss(image: Array, rng: Rng) -> Array:
    relief = detail(luminance(image), 2.0 + 2 * rng.random())[..., None]
    return image * 0.7 + 0.15 + relief * (2 + 2 * rng.random())


def _grain(image: Array, rng: Rng) -> Array:
    return image + (0.06 + 0.1 * rng.random()) * rng.standard_normal(image.shape).astype(np.float32)


def _blur(image: Array, rng: Rng) -> Array:
    return cv2.GaussianBlur(image, (0, 0), 1.5 + 3 * rng.random())


def _grid(image: Array, rng: Rng) -> Array:
    """Period of 2 to 8 px: what convolutions on a lattice leave behind."""
    period = int(rng.choice([2, 4, 8]))
    line = (np.arange(SIZE) % period < max(1, period // 2)).astype(np.float32) - 0.5
    return image + (line[:, None] * line[None])[..., None] * (0.15 + 0.35 * rng.random())


def _warp(image: Array, rng: Rng) -> Array:
    yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    strength = 4 + 6 * rng.random()
    return cv2.remap(
        image, xx + strength * noise_field(rng, 18), yy + strength * noise_field(rng, 18), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


def _harsh(image: Array, rng: Rng) -> Array:
    return (image - 0.5) * (1.6 + 1.2 * rng.random()) + 0.5


def _flat(image: Array, rng: Rng) -> Array:
    return (image - 0.5) * (0.3 + 0.3 * rng.random()) + 0.5


def _blotches(image: Array, rng: Rng) -> Array:
    mask = np.clip(noise_field(rng, 10) - 0.2, 0, 1)[..., None]
    return image * (1 - mask) + rng.random(3).astype(np.float32) * mask


ARTEFACTS: dict[str, Callable[[Array, Rng], Array]] = {
    "emboss": _emboss,
    "grain": _grain,
    "blur": _blur,
    "grid": _grid,
    "warp": _warp,
    "harsh": _harsh,
    "flat": _flat,
    "blotches": _blotches,
}


def random_distortion(image: Array, rng: Rng) -> Array:
    """A change that is no concept at all: a random hue turn, a random wash of colour, or colours swapped between channels."""
    kind = rng.integers(3)
    if kind == 0:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0] + 40 + 280 * rng.random()) % 360
        return np.clip(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), 0, 1)
    if kind == 1:
        amount = 0.2 + 0.5 * rng.random()
        return image * (1 - amount) + rng.random(3).astype(np.float32) * amount
    return np.ascontiguousarray(image[..., rng.permutation(3)])
