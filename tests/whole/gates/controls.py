"""Hand-made pictures that must pass one concept's checks and fail the others': the checks' own test.

Plain retouching on the measured regions, meant for the checks only; no style is made or judged with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage
from skimage import color
from torch import Tensor

from tests.whole.gates.regions import Regions, to_lab, to_rgb

__all__ = ["CONTROLS", "control", "paint"]

Colour = tuple[float | None, float, float]  # change of L (None: leave), a, b


def paint(rgb: np.ndarray, regions: Regions, **colours: Colour) -> np.ndarray:
    """Give regions (``face`` first, details after it) new a, b and shift L, with soft edges."""
    lab = to_lab(rgb)
    for name, (light, a, b) in colours.items():
        if name not in regions.masks:
            continue
        mask = regions.masks[name] | regions.masks["skin"] if name == "face" else regions.masks[name]
        soft = ndimage.gaussian_filter(ndimage.binary_dilation(mask, iterations=1).astype(np.float32), 0.8)
        if name == "face":  # what a painter leaves free
            for part in ("eyes", "lips"):
                if part in regions.masks:
                    soft = np.where(regions.masks[part], 0, soft)
        lab[..., 0] += soft * (light or 0)
        for channel, value in ((1, a), (2, b)):
            lab[..., channel] += soft * (value - lab[..., channel])
    return _rgb(lab)


def _rgb(lab: np.ndarray) -> np.ndarray:
    lab[..., 0] = np.clip(lab[..., 0], 0, 99)
    with warnings.catch_warnings():  # colours outside sRGB are clipped, as paint would be
        warnings.simplefilter("ignore", UserWarning)
        return np.clip(color.lab2rgb(lab), 0, 0.985).astype(np.float32)


def _tone(lab_of: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray, Regions], np.ndarray]:
    return lambda rgb, regions: _rgb(lab_of(to_lab(rgb)))


def _painter(**colours: Colour) -> Callable[[np.ndarray, Regions], np.ndarray]:
    return lambda rgb, regions: paint(rgb, regions, **colours)


def _one_hue(a: float, b: float, gain: float = 1.0, lift: float = 0.0) -> Callable[[np.ndarray, Regions], np.ndarray]:
    def change(lab: np.ndarray) -> np.ndarray:
        light = np.maximum((lab[..., 0] - 50) * gain + 50 + lift, np.minimum(lab[..., 0], 10))
        chroma = np.clip(light / 60, 0.1, 1.1)  # shadows hold less colour
        return np.stack([light, a * chroma, b * chroma], -1)

    return _tone(change)


def _sketch(rgb: np.ndarray, regions: Regions) -> np.ndarray:
    light = to_lab(rgb)[..., 0]
    lines = (
        94 - 2.4 * np.hypot(ndimage.sobel(light, 0), ndimage.sobel(light, 1)) / 4 - np.clip(45 - ndimage.gaussian_filter(light, 2), 0, 25)
    )
    lines[regions.masks.get("background", np.zeros_like(light, bool))] = 92
    return _rgb(np.stack([lines, 0 * lines, 0 * lines], -1))


def _oil(rgb: np.ndarray, regions: Regions) -> np.ndarray:
    lab = np.stack([ndimage.median_filter(channel, 5) for channel in to_lab(rgb).transpose(2, 0, 1)], -1)
    noise = np.random.default_rng(0).normal(size=lab.shape[:2])
    strokes = ndimage.gaussian_filter(noise, (0.8, 5.0))
    lab[..., 0] += 5 * strokes / strokes.std()
    lab[..., 2] += 6
    return _rgb(lab)


def _watercolour(rgb: np.ndarray, regions: Regions) -> np.ndarray:
    lab = np.stack([ndimage.gaussian_filter(channel, 1.5) for channel in to_lab(rgb).transpose(2, 0, 1)], -1)
    lab[..., 0] = 96 - 0.6 * (96 - lab[..., 0])
    paper = ndimage.gaussian_filter(regions.masks["background"].astype(np.float32), 5) if "background" in regions.masks else 0
    lab[..., 0] += paper * (90 - lab[..., 0])
    return _rgb(lab)


def _pixels(rgb: np.ndarray, regions: Regions) -> np.ndarray:
    blocks = rgb.reshape(32, 8, 32, 8, 3).mean((1, 3))
    return blocks.repeat(8, 0).repeat(8, 1)


def _cartoon(rgb: np.ndarray, regions: Regions) -> np.ndarray:
    lab = np.stack([ndimage.median_filter(channel, 7) for channel in to_lab(rgb).transpose(2, 0, 1)], -1)
    lab[..., 1:] *= 1.5
    return _rgb(lab)


def _neon(rgb: np.ndarray, regions: Regions) -> np.ndarray:
    lab = to_lab(rgb)
    glow = np.clip(lab[..., 0] / 80, 0, 1) ** 1.5
    return _rgb(np.stack([5 + 45 * glow, 15 + 70 * glow, -30 - 30 * glow], -1))


def _old(rgb: np.ndarray, regions: Regions) -> np.ndarray:
    lab = to_lab(paint(rgb, regions, hair=(20, 0, 2)))
    lines = np.random.default_rng(0).normal(size=lab.shape[:2])
    lab[..., 0] += np.where(regions.masks["face"] & ~regions.masks.get("eyes", False), 6 * ndimage.gaussian_filter(lines, (0.5, 2)), 0)
    return _rgb(lab)


#: Concept -> retouching of ``[H, W, 3]`` in [0, 1].
CONTROLS: dict[str, Callable[[np.ndarray, Regions], np.ndarray]] = {
    "joker": _painter(face=(12, 2, 3), hair=(12, -32, 28), lips=(-8, 60, 32)),
    "joker face": _painter(lips=(-10, 62, 34), sockets=(-18, 6, 2)),
    "joker smile": _painter(lips=(-4, 60, 32)),
    "joker makeup": _painter(face=(12, 2, 3), sockets=(-30, 2, 0), lips=(-8, 58, 30)),
    "joker cosplay": _painter(hair=(12, -32, 28)),
    "zombie": _painter(face=(-10, -6, 12), body=(-10, -6, 12)),
    "vampire": _painter(face=(6, 4, 3), lips=(-18, 46, 20)),
    "clown": _painter(face=(14, 2, 3), nose=(-8, 60, 35), lips=(-5, 58, 32), hair=(15, 42, 40)),
    "devil": _painter(face=(-8, 52, 34), body=(-8, 52, 34)),
    "sunburnt": _painter(face=(-4, 36, 22), body=(-4, 30, 20)),
    "green skin": _painter(face=(-6, -32, 30), body=(-6, -32, 30)),
    "blue skin": _painter(face=(-8, -4, -34), body=(-8, -4, -34)),
    "purple skin": _painter(face=(-8, 28, -30), body=(-8, 28, -30)),
    "green hair": _painter(hair=(12, -32, 28)),
    "blue hair": _painter(hair=(12, 6, -40)),
    "pink hair": _painter(hair=(25, 45, -6)),
    "red hair": _painter(hair=(15, 40, 32)),
    "blond hair": _painter(hair=(38, 6, 32)),
    "old": _old,
    "sketch": _sketch,
    "oil painting": _oil,
    "watercolour": _watercolour,
    "pixel art": _pixels,
    "cartoon": _cartoon,
    "neon": _neon,
    "sepia": _one_hue(6, 18),
    "black and white": _one_hue(0, 0),
    "bronze": _one_hue(14, 26, 1.55, -25),
    "gold": _one_hue(8, 48, 1.3, 4),
    "silver": _one_hue(-1, -3, 1.35),
    "marble": _one_hue(0, 3, 0.7, 24),
}


def control(concept: str, before: Tensor, regions: Regions) -> Tensor:
    """A hand-made picture of ``concept``, ``[3, H, W]`` in [-1, 1]."""
    changed = CONTROLS[concept](to_rgb(before), regions)
    return torch.from_numpy(np.ascontiguousarray(changed.transpose(2, 0, 1) * 2 - 1)).float()
