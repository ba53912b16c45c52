"""Draw what is worn on a face and beside it: a surgical mask, earrings, piercings, wings."""

from __future__ import annotations

import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.mark_hair import across_and_along
from nada_core.looks.drawing.operations import Array, Rng, blend, blur, disc, floats, rgb_of, smoothstep, soft_polygon, stroke
from nada_core.looks.look import Lab, Mark

__all__ = ["WORN_DRAWINGS"]


def _surgical_mask(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    outline = [p[2], p[1] * 0.3 + p[2] * 0.7 + face.right * w * 0.1, p[29] - d * w * 0.02, p[15] * 0.3 + p[14] * 0.7 - face.right * w * 0.1]
    outline += [p[14], p[12], p[10], p[8] + d * w * 0.04, p[6], p[4]]
    mask = soft_polygon(np.stack(outline).astype(np.float32), size, 1.0 * u)
    across, along = across_and_along(face)
    strings = np.zeros((size, size), np.float32)
    for a, b in ((p[2], p[0]), (p[14], p[16]), (p[4], p[1]), (p[12], p[15])):
        strings = np.maximum(strings, stroke(np.stack([a, b]), 1.8 * u, size, 0.6 * u))
    image = blend(image, (0.94, 0.95, 0.96), strings * (1 - mask) * 0.9 * mark.amount)
    image = blend(image, image * 0.5, blur(mask, 3 * u) * (1 - mask) * 0.5 * mark.amount)
    folds = 0.05 * np.sin(40 * along - 12 * across**2) * smoothstep(np.abs(along - 0.42), 0.22, 0.12)
    light = 1.06 - 0.9 * across**2 + folds + 0.06 * np.exp(-((across / 0.05) ** 2)) - 0.25 * np.clip(along - 0.5, 0, 1)
    return blend(image, np.clip(rgb_of(colour) * floats(light)[..., None], 0, 1), mask * mark.amount)


def _ring(centre: Array, radius: float, thick: float, face: DrawnFace, tall: float = 1.0) -> Array:
    outer = disc(centre, (radius, radius * tall), face.size, 0.7 * face.unit, face.right)
    return np.clip(outer - disc(centre, (radius - thick, radius * tall - thick), face.size, 0.7 * face.unit, face.right), 0, 1)


def _metal(image: Array, mask: Array, face: DrawnFace, colour: Lab, amount: float) -> Array:
    image = blend(image, image * 0.5, np.roll(blur(mask, 1.5 * face.unit), round(2 * face.unit), 0) * 0.6 * amount)
    image = blend(image, rgb_of(colour), mask * amount)
    shine = np.clip(mask - np.roll(mask, round(1.4 * face.unit), 0), 0, 1)
    return blend(image, (1, 1, 0.95), shine * 0.7 * amount)


def _earrings(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, w, u = face.landmarks, face.width, face.unit
    mask = np.zeros((face.size, face.size), np.float32)
    for side, lobe in ((-1.0, p[2] * 0.75 + p[3] * 0.25), (1.0, p[14] * 0.75 + p[13] * 0.25)):
        at = lobe + face.right * side * w * 0.06
        mask = np.maximum(mask, _ring(at + face.down * w * 0.11, w * 0.085, w * 0.024, face, 1.2))
        mask = np.maximum(mask, disc(at, (w * 0.026, w * 0.026), face.size, 0.8 * u))
    return _metal(image, mask, face, colour, mark.amount)


def _piercings(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    mask = _ring(p[33] + d * w * 0.025, w * 0.058, w * 0.02, face, 1.1)
    mask = np.maximum(mask, _ring(p[58] * 0.6 + p[59] * 0.4 + d * w * 0.005, w * 0.045, w * 0.018, face))
    studs = [p[25] - d * w * 0.025, p[25] + d * w * 0.045, p[57] + d * w * 0.05, p[31] - d * w * 0.03 - face.right * w * 0.008]
    for at in studs:
        mask = np.maximum(mask, disc(at, (w * 0.026, w * 0.026), size, 0.7 * u))
    return _metal(image, mask, face, colour, mark.amount)


def _wings(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    behind = np.clip(face.background * 1.3 - 0.15, 0, 1)
    for side in (-1.0, 1.0):
        for row, (start, reach, wide) in enumerate(((0.0, 1.0, 0.09), (0.12, 0.75, 0.075), (0.22, 0.5, 0.06))):
            for k in np.linspace(0, 1, 10):
                root = face.place(side * (0.5 + 0.12 * k), 0.95 - 1.15 * k + start)
                angle = 0.25 + 1.05 * k
                way = face.right * side * np.cos(angle) - face.down * np.sin(angle)
                feather = disc(root + way * w * reach * 0.3, (w * reach * 0.34, w * wide), size, 1.0 * u, way)
                edge = np.clip(feather - disc(root + way * w * reach * 0.3, (w * reach * 0.32, w * wide * 0.8), size, 2.0 * u, way), 0, 1)
                image = blend(image, np.clip(rgb_of(colour) * (0.92 + 0.04 * row), 0, 1), feather * behind * mark.amount)
                image = blend(image, rgb_of((colour[0] * 0.62, 0, -6)), edge * behind * 0.55 * mark.amount)
    return image


def _monocle(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u = face.landmarks, face.down, face.width, face.unit
    span = float(np.linalg.norm(p[42:48].mean(0) - p[36:42].mean(0)))
    centre, radius = p[42:48].mean(0) + d * span * 0.04, span * 0.36
    glass = disc(centre, (radius, radius), face.size, 0.9 * u)
    image = blend(image, np.clip(image * 1.05 + 0.06, 0, 1), glass * mark.amount)
    edge = centre + face.right * radius * 0.75 + d * radius * 0.66
    hanging = edge + np.linspace(0, 1, 12)[:, None] * (face.right * w * 0.06 + d * w * 0.6)
    hanging = hanging + face.right * w * 0.05 * np.sin(np.linspace(0, np.pi, 12))[:, None]
    chain = stroke(hanging.astype(np.float32), 1.8 * u, face.size, 0.5 * u)
    return _metal(image, np.maximum(_ring(centre, radius, 3.2 * u, face), chain), face, colour, mark.amount)


WORN_DRAWINGS = {"monocle": _monocle, "surgical mask": _surgical_mask, "earrings": _earrings, "piercings": _piercings, "wings": _wings}
