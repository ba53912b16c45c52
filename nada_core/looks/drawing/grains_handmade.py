"""Draw the surface grain of materials that people make: knitting, felt, denim, velvet, paper, cardboard, porcelain."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    cells,
    drag,
    embossed,
    floats,
    noise,
    points_grid,
    shade,
    smoothstep,
)

__all__ = ["MADE", "Grain"]

#: A grain takes the surface, the light on it, the face, a random generator and its strength, and returns the surface.
Grain = Callable[[Array, Array, DrawnFace, Rng, float], Array]


def _knit(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    """Knit rows of V-shaped stitches."""
    u, s = face.unit, face.size
    gx, gy = points_grid(s)
    gx, gy = gx + 8 * u * (x - 0.5), gy + 8 * u * (x - 0.5)
    wide, tall = 8.5 * u, 7.5 * u
    across = (gx / wide) % 1 - 0.5
    along = (gy / tall + 1.15 * np.abs(across)) % 1
    stitch = (
        np.sin(np.pi * along) ** 0.7 * (1 - 0.9 * np.exp(-((np.abs(across) - 0.5) ** 2) / 0.006)) * (1 - 0.7 * np.exp(-(across**2) / 0.004))
    )
    return shade(surface, strength * (0.75 * stitch - 0.55 + 0.05 * noise(rng, s, 0.8 * u)))


def _fibres(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    turn = noise(rng, s, 7 * u) * 2.5
    hairs = drag(noise(rng, s, 0.8 * u), (np.cos(turn), np.sin(turn)), 6, u)
    return shade(surface, 0.13 * strength * hairs / (hairs.std() + 1e-6))


def _sewn(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    """Sew along the borders of hair and face with pale thread."""
    u, s = face.unit, face.size
    edge = np.zeros((s, s), np.float32)
    for mask in (face.hair, face.skin):
        clean = (blur(mask, 2 * u) > 0.5).astype(np.uint8)
        contours, _ = cv2.findContours(
            cv2.erode(clean, np.ones((3, 3), np.uint8), iterations=max(1, round(2 * u))), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        for contour in contours:
            if len(contour) < 40:
                continue
            points, step = contour[:, 0], max(4, round(7 * u))
            for i in range(0, len(points) - step, step):
                cv2.line(
                    edge, tuple(map(int, points[i])), tuple(map(int, points[i + step * 4 // 7])), 1.0, max(1, round(1.6 * u)), cv2.LINE_AA
                )
    return blend(surface, (0.96, 0.94, 0.85), edge * strength)


def _twill(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    gx, gy = points_grid(s)
    diagonal = np.sin((gx + gy * 0.6) / (3.4 * u) * 2 * np.pi)
    threads = noise(rng, s, 0.8 * u, (1, 6)) + noise(rng, s, 0.8 * u, (6, 1))
    worn = smoothstep(x, 0.62, 0.95)[..., None] * 0.35
    return np.clip(shade(surface, strength * (0.14 * diagonal + 0.06 * threads)) * (1 - worn) + worn * floats([0.86, 0.9, 0.96]), 0, 1)


def _nap(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    """Brighten slopes instead of heights, as velvet does."""
    u, s = face.unit, face.size
    rim = np.clip(np.hypot(cv2.Sobel(blur(x, 2 * u), cv2.CV_32F, 1, 0), cv2.Sobel(blur(x, 2 * u), cv2.CV_32F, 0, 1)) * 3.5 * u, 0, 1)
    brushed = smoothstep(noise(rng, s, 10 * u, (2, 1)), -0.4, 0.6)
    return np.clip(shade(surface, strength * (0.9 * rim + 0.25 * brushed - 0.2)) + 0.02 * noise(rng, s, 0.7 * u)[..., None], 0, 1)


def _crumples(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    labels, _ = cells(rng, s, 24 * u, 0.5)
    gx, gy = points_grid(s)
    tilt = rng.uniform(-1, 1, (labels.max() + 1, 2)).astype(np.float32)[labels]
    fold = (tilt[..., 0] * (gx % (24 * u)) + tilt[..., 1] * (gy % (24 * u))) / (24 * u)
    height = cv2.GaussianBlur(tilt[..., 0] + 0.5 * fold, (0, 0), 1.1 * u)
    return shade(surface, strength * (0.1 * height + 0.16 * embossed(height, 3)))


def _corrugation(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    gx, _ = points_grid(s)
    wave = np.sin((gx + 10 * u * (x - 0.5)) / (7 * u) * 2 * np.pi)
    torn = smoothstep(noise(rng, s, 11 * u), 0.5, 0.6)
    return shade(surface, strength * ((0.05 + 0.2 * torn) * wave - 0.1 * torn + 0.04 * noise(rng, s, 0.8 * u, (4, 1))))


def _candy_stripes(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    gx, gy = points_grid(face.size)
    turn = np.sin(((gx + gy) / (30 * face.unit) + 1.2 * (x - 0.5)) * 2 * np.pi)
    light = np.clip(0.45 + 0.75 * x, 0, 1)[..., None]
    return blend(surface, light * floats([1.0, 0.99, 1.0]), smoothstep(turn, -0.15, 0.15) * strength)


def _blue_flowers(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    """Paint blue tendrils and flowers under the glaze."""
    u, s = face.unit, face.size
    mask = np.zeros((s, s), np.float32)
    for _ in range(8):
        c = face.place(float(rng.uniform(-0.6, 0.6)), float(rng.uniform(-0.75, 0.8)))
        r = float(rng.uniform(6, 10)) * u
        for petal in range(6):
            a = petal * np.pi / 3
            at = (round((c[0] + np.cos(a) * r) * 8), round((c[1] + np.sin(a) * r) * 8))
            cv2.ellipse(mask, at, (round(r * 4.8), round(r * 3)), np.degrees(a), 0, 360, 0.85, -1, cv2.LINE_AA, 3)
        cv2.ellipse(mask, (round(c[0] * 8), round(c[1] * 8)), (round(r * 2), round(r * 2)), 0, 0, 360, 0.25, -1, cv2.LINE_AA, 3)
        for side in (-1, 1):
            cv2.ellipse(
                mask,
                (round((c[0] + side * r * 2.4) * 8), round(c[1] * 8)),
                (round(r * 12), round(r * 9)),
                0,
                200,
                340,
                0.8,
                max(1, round(1.6 * u)),
                cv2.LINE_AA,
                3,
            )
    mask = cv2.GaussianBlur(mask, (0, 0), 0.7 * u) * (1 - np.clip(face.around_eyes(1.3, 2) + face.lips + face.mouth_opening, 0, 1))
    return blend(surface, surface * floats([0.16, 0.28, 0.72]), mask * strength)


MADE: dict[str, Grain] = {
    "knit": _knit,
    "fibres": _fibres,
    "sewn": _sewn,
    "twill": _twill,
    "nap": _nap,
    "crumples": _crumples,
    "corrugation": _corrugation,
    "candy stripes": _candy_stripes,
    "blue flowers": _blue_flowers,
}
