"""Grow beards, moustaches and stubble."""

from __future__ import annotations

import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    detail,
    drag,
    luminance,
    noise,
    points_grid,
    rgb,
    rgb_of,
    smoothstep,
    soft_polygon,
)
from nada_core.looks.look import Lab, Mark

__all__ = ["beard_hairs", "bearded", "hair_tone"]


def beard_hairs(image: Array, face: DrawnFace, rng: Rng, area: Array, colour: Lab, amount: float = 1.0) -> Array:
    """Grow hair of one colour on an area: fine strands that fall away from the mouth, denser towards the chin."""
    u, size = face.unit, face.size
    x, y = points_grid(size)
    middle = face.landmarks[51]
    dx, dy = (x - middle[0]) * 0.55, np.abs(y - middle[1]) * 0.6 + 14 * u
    turn = 0.35 * noise(rng, size, 5 * u)
    length = np.hypot(dx, dy)
    dx, dy = dx / length, dy / length
    direction = (dx * np.cos(turn) - dy * np.sin(turn), dx * np.sin(turn) + dy * np.cos(turn))
    strands = drag(noise(rng, size, 0.8 * u), direction, 5, u)
    strands /= strands.std() + 1e-6
    cover = np.clip(area * 1.15 + 0.22 * strands * (area > 0.02) * (1 - area), 0, 1) * np.clip(area * 4, 0, 1)
    light = luminance(image)
    shade = blur(detail(light, 20 * u), 2 * u) * 45
    hair = np.stack([colour[0] + 7.5 * strands + shade, *(np.full_like(light, c) for c in colour[1:])], -1)
    hair[..., 0] = np.clip(hair[..., 0], 3, 97)
    return blend(image, rgb(hair), cover * min(1.0, amount))


def hair_tone(face: DrawnFace, image: Array, mark: Mark, own: Lab) -> Lab:
    """Return the colour of a beard: the mark's, else that of the hair as painted, else the usual dark one."""
    if mark.colour is not None:
        return mark.colour
    if face.hair.mean() < 0.02:
        return own
    tone = face.seen_as(image).hair_colour
    return float(tone[0]) * 0.85, float(tone[1]), float(tone[2])


def bearded(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    tone = hair_tone(face, image, mark, colour)
    if mark.name == "stubble":
        dots = smoothstep(noise(rng, size, 0.6 * u), -0.3, 1.5)
        return blend(image, rgb_of(mark.colour or colour), face.beard_area * (0.34 + 0.3 * dots) * mark.amount)
    if mark.name == "beard":
        return beard_hairs(image, face, rng, face.beard_area, tone, mark.amount)
    lips = 1 - np.clip(face.lips * 0.8 + face.mouth_opening, 0, 1)
    if mark.name == "moustache":
        t = np.linspace(-1, 1, 21)[:, None]
        middle = p[33] * 0.42 + p[51] * 0.58
        half = float(np.linalg.norm(p[54] - p[48])) * 0.64
        line = middle + face.right * half * t + d * w * (0.062 * np.abs(t) ** 1.7 - 0.004)
        tall = d * w * 0.044 * (1 - 0.75 * np.abs(t) ** 2) * (1 - 0.3 * np.exp(-((t / 0.12) ** 2)))
        area = soft_polygon(np.concatenate([line - tall, (line + tall)[::-1]]).astype(np.float32), size, 1.3 * u)
        return beard_hairs(image, face, rng, area * lips, tone, mark.amount)
    chin = np.stack(
        [
            p[48] * 0.7 + p[59] * 0.3 + d * w * 0.05,
            p[58] + d * w * 0.035,
            p[57] + d * w * 0.045,
            p[56] + d * w * 0.035,
            p[54] * 0.7 + p[55] * 0.3 + d * w * 0.05,
            p[10] * 0.45 + p[9] * 0.55,
            p[8] + d * w * 0.05,
            p[6] * 0.45 + p[7] * 0.55,
        ]
    )
    return beard_hairs(image, face, rng, soft_polygon(chin, size, 2 * u) * lips, tone, mark.amount)
