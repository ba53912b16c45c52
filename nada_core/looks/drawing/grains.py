"""Draw the surface grain of materials: stone veins, rust, wood, facets, drips, cracks. Fabrics and paper: `grains_handmade`."""

from __future__ import annotations

import cv2
import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.grains_handmade import MADE, Grain
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    cells,
    embossed,
    floats,
    noise,
    points_grid,
    ramp,
    rgb_of,
    screen,
    shade,
    smoothstep,
    tile_means,
)
from nada_core.looks.drawing.textures import crack_lines, sparkles

__all__ = ["GRAINS"]


def _veins(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float, tone: tuple[float, ...] = (0.42, 0.43, 0.48)) -> Array:
    u, s = face.unit, face.size
    gx, gy = points_grid(s)
    # veins run diagonally, wide ones with a soft border and thin ones beside them
    slope = (gx * 0.8 + gy) / (60 * u)
    lines = np.exp(-(np.sin(slope * 2.2 + 0.75 * noise(rng, s, 22 * u) + 0.09 * noise(rng, s, 7 * u)) ** 2) / 0.012)
    lines *= 0.25 + 0.75 * smoothstep(noise(rng, s, 20 * u), -0.9, 0.5)
    fine = np.exp(-(np.sin(slope * 4 + 0.9 * noise(rng, s, 16 * u) + 0.08 * noise(rng, s, 6 * u)) ** 2) / 0.004) * smoothstep(
        noise(rng, s, 16 * u), 0, 1
    )
    cloud = 0.3 * smoothstep(noise(rng, s, 16 * u), 0, 1.8) + 0.35 * blur(lines, 4 * u)
    calm = 1 - 0.7 * np.clip(face.around_eyes(1.3, 3) + blur(face.lips, 2 * u), 0, 1)
    return blend(surface, tone, strength * np.clip(lines + 0.6 * fine + cloud, 0, 1) * calm)


def _white_veins(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    return _veins(surface, x, face, rng, strength, (0.86, 0.85, 0.82))


def _relief(sigma: float, amount: float) -> Grain:
    def draw(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
        return shade(surface, amount * strength * embossed(noise(rng, face.size, sigma * face.unit), 0.9 * face.unit))

    return draw


def _blotches(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    return shade(surface, 0.16 * strength * noise(rng, face.size, 10 * face.unit))


def _patina(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    cover = smoothstep(noise(rng, face.size, 9 * face.unit) + (0.45 - x) * 4, 0.2, 1.4)
    return blend(surface, rgb_of((52, -24, 2)), cover * strength)


def _rust(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    orange = np.clip(0.35 + x, 0, 1)[..., None] * floats([0.86, 0.45, 0.14])
    surface = blend(surface, orange, smoothstep(noise(rng, s, 6 * u), 0.3, 1.0) * 0.7 * strength)
    return blend(
        surface,
        surface * floats([0.4, 0.35, 0.4]),
        smoothstep(noise(rng, s, 7 * u) + 0.4 * noise(rng, s, 2 * u), 0.6, 1.1) * 0.75 * strength,
    )


def _brushed(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    return shade(surface, 0.09 * strength * noise(rng, face.size, 0.8 * face.unit, (14, 1)))


def _speckle(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    surface = blend(surface, (0.1, 0.09, 0.1), smoothstep(noise(rng, s, 1.3 * u), 0.75, 1.1) * 0.85 * strength)
    surface = blend(surface, (0.93, 0.91, 0.9), smoothstep(noise(rng, s, 1.4 * u), 0.95, 1.3) * 0.8 * strength)
    return blend(surface, (0.66, 0.45, 0.42), smoothstep(noise(rng, s, 1.9 * u), 0.9, 1.3) * 0.55 * strength)


def _strata(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    _, y = points_grid(face.size)
    place = y / (13 * face.unit) + 0.5 * noise(rng, face.size, 26 * face.unit) + 1.1 * x
    return shade(surface, 0.15 * strength * (np.sin(place * 2 * np.pi) + 0.5 * np.sin(place * 5.3)))


def _ripples(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    _, y = points_grid(face.size)
    return shade(surface, 0.12 * strength * np.sin((y / (7 * face.unit) + 0.8 * noise(rng, face.size, 14 * face.unit) + 2 * x) * 2 * np.pi))


def _wood(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    gx, gy = points_grid(s)
    place = (gx / (15 * u)) + 0.16 * np.sin(gy / (37 * u)) + 0.9 * noise(rng, s, 20 * u, (1, 3.5)) + 1.6 * x
    rings = place % 1
    line = smoothstep(rings, 0.55, 0.95) * smoothstep(rings, 1.0, 0.95)
    fibre = noise(rng, s, 0.8 * u, (1, 12))
    surface = blend(surface, surface * floats([0.5, 0.4, 0.32]), (0.35 * rings + 0.5 * line) * strength)
    return shade(surface, 0.07 * strength * fibre)


def _facets(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    labels, _ = cells(rng, s, 12 * u, 0.48)
    flat = tile_means(np.clip((surface - 0.5) * 1.25 + 0.5, 0, 1), labels)
    tilt = rng.uniform(-0.22, 0.25, labels.max() + 1).astype(np.float32)[labels]
    edge = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
    cut = shade(0.5 * flat + 0.5 * surface, strength * tilt)
    cut = screen(cut, (smoothstep(tilt, 0.19, 0.25) * 0.4 * strength)[..., None])
    calm = 1 - 0.75 * np.clip(face.around_eyes(1.3, 2) + face.lips + face.mouth_opening, 0, 1)
    lines = cv2.GaussianBlur(edge.astype(np.float32), (0, 0), 0.6)
    return blend(surface, np.clip(cut + 0.16 * strength * lines[..., None], 0, 1), calm)


def _fire(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    """Break light into colours, as cut diamonds do."""
    s = face.size
    labels, _ = cells(rng, s, 9 * face.unit, 0.5)
    count = labels.max() + 1
    hsv = np.stack([rng.uniform(0, 360, count), np.full(count, 0.55), np.ones(count)], -1).astype(np.float32)[None]
    hue = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0][labels]
    chosen = (rng.random(count) < 0.22)[labels].astype(np.float32)
    return blend(surface, surface * 0.35 + hue * 0.65, cv2.GaussianBlur(chosen, (0, 0), 0.8) * 0.7 * strength)


def _sparkle(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    return screen(surface, (sparkles(rng, face.size, 0.006, face.unit) * strength)[..., None])


def _swirl(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    field = noise(rng, s, 12 * u) + 0.6 * noise(rng, s, 5 * u)
    return np.clip(surface + (0.13 * strength * np.sin(field * 2.6))[..., None] * floats([1, 0.85, 0.9]), 0, 1)


def _bubbles(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    light, dark = np.zeros((s, s), np.float32), np.zeros((s, s), np.float32)
    for _ in range(75):
        r = float(rng.uniform(1.6, 5)) * u
        c = rng.uniform(0, s, 2)
        at = (round(c[0] * 8), round(c[1] * 8))
        cv2.circle(dark, at, round(r * 8), 1.0, max(1, round(0.8 * u)), cv2.LINE_AA, 3)
        cv2.circle(light, (at[0] - round(r * 3), at[1] - round(r * 3)), max(1, round(r * 2.6)), 1.0, -1, cv2.LINE_AA, 3)
    surface = blend(surface, surface * 0.55, dark * 0.8 * strength)
    return screen(surface, (cv2.GaussianBlur(light, (0, 0), 0.6 * u) * 0.85 * strength)[..., None])


def _drips(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    height = noise(rng, s, 3.6 * u, (1, 6)) + 0.4 * noise(rng, s, 9 * u)
    surface = shade(surface, 0.3 * strength * embossed(height, 4 * u))
    return screen(surface, (smoothstep(embossed(height, 5 * u), 0.55, 0.95) * 0.4 * strength)[..., None])


def _sheen(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    """Add the soft pinks and greens of mother of pearl."""
    phase = 7 * blur(x, 3 * face.unit) + 0.9 * noise(rng, face.size, 18 * face.unit)
    tint = np.stack([np.sin(phase), np.sin(phase + 2.1), np.sin(phase + 4.2)], -1)
    return np.clip(surface + 0.055 * strength * tint, 0, 1)


def _polyps(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    _, distance = cells(rng, face.size, 6 * face.unit, 0.4)
    hole = smoothstep(distance, 2.0 * face.unit, 0.8 * face.unit)
    return shade(surface, strength * (0.16 * smoothstep(distance, 1.2 * face.unit, 3 * face.unit) - 0.45 * hole))


def _holes(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    big = strength > 0.6
    clear = 1 - np.clip(face.around_eyes(1.2, 1.5) + face.lips + face.mouth_opening, 0, 1)
    hole, rim = np.zeros((s, s), np.float32), np.zeros((s, s), np.float32)
    for _ in range(60 if big else 110):
        r = float(rng.uniform(2.5, 9.5) if big else rng.uniform(0.8, 2.4)) * u
        c = rng.uniform(0, s, 2)
        axes = (round(r * 8), round(r * 8 * rng.uniform(0.7, 1)))
        at = (round(c[0] * 8), round(c[1] * 8))
        cv2.ellipse(hole, at, axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA, 3)
        cv2.ellipse(rim, (at[0] + round(8 * u), at[1] + round(8 * u)), axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA, 3)
    inner = cv2.GaussianBlur(hole, (0, 0), 2.2 * u if big else 0.5 * u)
    surface = blend(surface, np.clip(surface * 1.25 + 0.06, 0, 1), np.clip(rim - hole, 0, 1) * clear * 0.8)
    return blend(surface, surface * floats([0.6, 0.48, 0.3] if big else [0.5, 0.5, 0.5]), hole * (1.15 - 0.5 * inner) * clear)


def _cracks(spacing: float, width: float) -> Grain:
    def draw(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
        u = face.unit
        return blend(surface, surface * 0.3, crack_lines(rng, face.size, spacing * u, width * u) * strength)

    return draw


def _fracture(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    lines = np.maximum(crack_lines(rng, s, 34 * u, 1.0 * u), 0.5 * crack_lines(rng, s, 17 * u, 0.7 * u))
    cloud = smoothstep(noise(rng, s, 9 * u), 0.2, 1.6) * 0.35
    surface = shade(surface, 0.12 * strength * embossed(noise(rng, s, 5 * u), 3))
    return screen(surface, (strength * np.clip(0.75 * lines + cloud, 0, 1))[..., None] * floats([0.85, 0.95, 1]))


def _caustics(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    web = np.exp(-((noise(rng, s, 6 * u) + 0.8 * (x - 0.5)) ** 2) / 0.03)
    web = np.maximum(web, 0.7 * np.exp(-(noise(rng, s, 9 * u) ** 2) / 0.02))
    surface = shade(surface, 0.2 * strength * embossed(noise(rng, s, 5 * u, (2, 1)), 4))
    return screen(surface, (0.45 * strength * web)[..., None] * floats([0.8, 0.96, 1]))


def _billows(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    gx, gy = points_grid(s)
    wx, wy = gx + 9 * u * noise(rng, s, 12 * u), gy + 9 * u * noise(rng, s, 12 * u)
    field = cv2.remap(noise(rng, s, 8 * u) + 0.5 * noise(rng, s, 4 * u), wx, wy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    worn = cv2.remap(
        surface, gx + 1.5 * u * noise(rng, s, 8 * u), gy + 1.5 * u * noise(rng, s, 8 * u), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    calm = 1 - 0.75 * np.clip(face.around_eyes(1.2, 2) + face.lips, 0, 1)
    return shade(blend(surface, worn, calm), 0.17 * strength * field * calm)


def _flames(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    gx, gy = points_grid(s)
    tongues = noise(rng, s, 4 * u, (1, 3.5))
    tongues = cv2.remap(tongues, gx + 6 * u * noise(rng, s, 11 * u), gy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    calm = 1 - 0.6 * np.clip(face.around_eyes(1.2, 2) + face.lips, 0, 1)
    heat = np.clip(x * 0.9 + 0.17 * strength * tongues * calm + 0.2 * face.hair, 0, 1)
    return ramp(heat, [[0.1, 0, 0], [0.6, 0.06, 0], [0.95, 0.33, 0], [1, 0.7, 0.12], [1, 0.97, 0.7]], [0, 0.3, 0.52, 0.74, 1])


def _molten(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    line = np.maximum(crack_lines(rng, s, 30 * u, 2.4 * u), 0.4 * crack_lines(rng, s, 15 * u, 0.8 * u))
    line = line * (1 - 0.85 * np.clip(face.around_eyes(1.3, 2) + face.lips, 0, 1))
    line = np.maximum(line, np.clip(face.eye_openings * smoothstep(x, 0.35, 0.7) + face.mouth_opening * 0.8, 0, 1))
    surface = shade(surface, 0.25 * embossed(noise(rng, s, 1.8 * u), 1.0))
    heat = np.clip(line * 0.95 + 0.35 * blur(line, 3 * u) * (1 - line), 0, 1)
    glow = ramp(heat, [[0, 0, 0], [0.45, 0.03, 0], [0.95, 0.25, 0.0], [1, 0.62, 0.08], [1, 0.95, 0.6]])
    return screen(surface, glow * strength)


def _powder(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    height = noise(rng, face.size, 1.3 * face.unit) + noise(rng, face.size, 5 * face.unit)
    return shade(surface, 0.11 * strength * embossed(height, 2))


def _fuzz(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    surface = shade(surface, strength * (0.3 * embossed(noise(rng, s, 1.2 * u), 1.5) + 0.25 * embossed(noise(rng, s, 4 * u), 3)))
    return blend(surface, (0.62, 0.78, 0.24), smoothstep(noise(rng, s, 1.5 * u), 1.1, 1.6) * 0.55 * strength)


def _prints(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    """Leave the dents that thumbs leave in clay."""
    u, s = face.unit, face.size
    gx, _ = points_grid(s)
    whorl = np.sin((noise(rng, s, 12 * u) * 1.6 + gx / (30 * u)) * 2 * np.pi * 1.6) * smoothstep(noise(rng, s, 12 * u), 0.1, 0.9)
    return shade(surface, strength * (0.22 * embossed(noise(rng, s, 4.5 * u), 4) + 0.05 * whorl))


def _hide(surface: Array, x: Array, face: DrawnFace, rng: Rng, strength: float) -> Array:
    u, s = face.unit, face.size
    fine = crack_lines(rng, s, 4.5 * u, 0.8 * u)
    return shade(surface, strength * (0.1 - 0.33 * fine + 0.1 * embossed(noise(rng, s, 2.5 * u), 2)))


GRAINS: dict[str, Grain] = {
    "veins": _veins, "white veins": _white_veins, "pits": _relief(1.6, 0.5), "sand": _relief(0.9, 0.38), "blotches": _blotches,
    "patina": _patina,
    "rust": _rust, "brushed": _brushed, "speckle": _speckle, "strata": _strata, "ripples": _ripples, "wood": _wood, "facets": _facets,
    "fire": _fire, "sparkle": _sparkle, "swirl": _swirl, "bubbles": _bubbles, "drips": _drips, "sheen": _sheen, "polyps": _polyps,
    "holes": _holes, "cracks": _cracks(26, 1.6), "fine cracks": _cracks(38, 0.8), "fracture": _fracture, "caustics": _caustics,
    "billows": _billows, "flames": _flames, "molten": _molten, "powder": _powder, "fuzz": _fuzz, "prints": _prints, "hide": _hide,
    **MADE,
}  # fmt: skip
