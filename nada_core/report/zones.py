"""Find zones of a face from dlib's landmarks, and measure the colours in them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from nada_core.adaptation import part_colours

__all__ = ["ZONES", "colour_change", "find_zones", "mouth_width", "redness", "to_lab"]

#: Zones whose colour change is reported. The mouth is the lips.
ZONES = ("skin", "eyes", "mouth", "hair")
_LEAST = 12  # fewer pixels say nothing about a zone


def to_lab(image: Image.Image) -> NDArray[np.float64]:
    """Return CIE Lab (D65) ``[H, W, 3]`` of an sRGB picture: L 0 to 100, a red-green, b yellow-blue."""
    values = np.asarray(image.convert("RGB"), dtype=np.float64) / 255
    return part_colours.lab(torch.from_numpy(2 * values - 1).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()


def find_zones(size: tuple[int, int], landmarks: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Return masks ``[H, W]`` of :data:`ZONES` for landmarks ``[68, 2]``; zones outside the picture are left out.

    Hair is a band above the forehead: right for most heads, wrong for bald ones, so read means over several faces.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    left, right = points[36:42].mean(0), points[42:48].mean(0)
    scale = float(np.hypot(*(right - left)))
    across = (right - left) / max(scale, 1e-6)
    up = np.array([across[1], -across[0]])
    middle = (left + right) / 2
    masks = {}
    sides = (([40, 41], 48, 2), ([46, 47], 54, 14))  # lower lid, corner of the mouth, jaw
    cheeks = [0.45 * points[lid].mean(0) + 0.3 * points[corner] + 0.25 * points[jaw] for lid, corner, jaw in sides]
    masks["skin"] = np.logical_or(*(_disc(size, centre, 0.18 * scale) for centre in cheeks))
    eyeballs = [points[a:b] for a, b in ((36, 42), (42, 48))]
    around = [_polygon(size, eye.mean(0) + (eye - eye.mean(0)) * [1.5, 3.0]) for eye in eyeballs]
    open_eyes = [_polygon(size, eye.mean(0) + (eye - eye.mean(0)) * [1.1, 1.3]) for eye in eyeballs]
    masks["eyes"] = np.logical_or(*around) & ~np.logical_or(*open_eyes)
    masks["mouth"] = _polygon(size, points[48:60]) & ~_polygon(size, points[60:68])
    low, high = middle + 1.2 * scale * up, middle + 1.6 * scale * up
    half = 0.6 * scale * across
    masks["hair"] = _polygon(size, np.stack([low - half, low + half, high + half, high - half]))
    return {name: mask for name, mask in masks.items() if mask.sum() >= _LEAST}


def colour_change(before: NDArray[np.float64], after: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Return the distance of the median colours in a zone, in Lab units; about 2 can just be seen."""
    return float(np.linalg.norm(np.median(after[mask], 0) - np.median(before[mask], 0)))


def redness(lab: NDArray[np.float64], zones: dict[str, NDArray[np.bool_]]) -> float | None:
    """Return how much redder the lips are than the skin (difference of the median a*); None where either cannot be seen."""
    if "mouth" not in zones or "skin" not in zones:
        return None
    return float(np.median(lab[zones["mouth"]][:, 1]) - np.median(lab[zones["skin"]][:, 1]))


def mouth_width(landmarks: NDArray[np.float64]) -> float:
    """Return the distance of the mouth's corners, in distances of the eyes: a smile makes it grow."""
    points = np.asarray(landmarks, dtype=np.float64)
    eyes = np.hypot(*(points[42:48].mean(0) - points[36:42].mean(0)))
    return float(np.hypot(*(points[54] - points[48])) / max(eyes, 1e-6))


def _polygon(size: tuple[int, int], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    mask = Image.new("1", size)
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in points], fill=1)
    return np.asarray(mask)


def _disc(size: tuple[int, int], centre: NDArray[np.float64], radius: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[: size[1], : size[0]]
    return (x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2
