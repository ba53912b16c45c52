"""Print a picture or show it on a screen: stencils, screen prints, halftone, letters, neon, holograms."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.media_lines import outlines
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    floats,
    luminance,
    noise,
    points_grid,
    ramp,
    saturate,
    screen,
    smoothstep,
    stroke,
)

__all__ = ["PRINTS"]


def _stencil(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    light = cv2.GaussianBlur(luminance(image), (0, 0), 2.0 * u)
    level = light - 0.12 * face.hair + 0.02 * noise(rng, s, 1.0 * u)
    black = smoothstep(level, 0.47, 0.42) * np.clip(1 - face.background, 0, 1)
    grey = smoothstep(level, 0.66, 0.62) * (1 - face.background)
    wall = np.clip(
        floats([0.84, 0.82, 0.78]) * (1 + 0.03 * noise(rng, s, 1.2 * u)[..., None] + 0.03 * noise(rng, s, 14 * u)[..., None]), 0, 1
    )
    spray = smoothstep(blur(face.person, 9 * u), 0.15, 0.6) * 0.18
    wall = blend(wall, (0.2, 0.2, 0.2), spray * (0.8 + 0.4 * noise(rng, s, 0.7 * u)) * face.background)
    wall = blend(wall, (0.5, 0.49, 0.48), grey * 0.9)
    return blend(wall, (0.05, 0.05, 0.055), black)


def _silhouette(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    _, y = points_grid(s)
    back = ramp(np.clip(y / s + 0.02 * noise(rng, s, 20 * u, (3, 1)), 0, 1), [(0.98, 0.82, 0.55), (0.98, 0.62, 0.32), (0.86, 0.32, 0.2)])
    person = smoothstep(blur(face.person, 1.2 * u), 0.4, 0.6)
    figure = np.clip(0.03 + 0.1 * luminance(image)[..., None] * floats([1.0, 0.8, 0.8]), 0, 1)
    rim = np.clip(person - blur(person, 2 * u), 0, 1)
    return np.clip(blend(back, figure, person) + 0.3 * rim[..., None] * floats([1, 0.7, 0.4]), 0, 1)


def _neon(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    light = cv2.GaussianBlur(luminance(image), (0, 0), 1.2 * u)
    line = outlines(light, 1.6 * u, 1.6)
    p = face.landmarks
    tubes = line * (0.35 + 0.65 * face.person)
    for part in (
        p[:17],
        p[17:22],
        p[22:27],
        p[27:31],
        p[31:36],
        p[[36, 37, 38, 39, 40, 41, 36]],
        p[[42, 43, 44, 45, 46, 47, 42]],
        p[[*range(48, 60), 48]],
    ):
        tubes = np.maximum(tubes, stroke(part, 2.2 * u, s, 0.6 * u))
    border = np.hypot(cv2.Sobel(blur(face.person, u), cv2.CV_32F, 1, 0), cv2.Sobel(blur(face.person, u), cv2.CV_32F, 0, 1)) * u
    tubes = np.maximum(tubes, smoothstep(border, 0.4, 1.0))
    side = smoothstep(points_grid(s)[0] / s, 0.2, 0.8)[..., None]
    colour = (1 - side) * floats([1, 0.08, 0.72]) + side * floats([0.05, 0.75, 1.0])
    base = 0.42 * (luminance(image) ** 1.3)[..., None] * colour * (0.3 + 0.7 * face.person[..., None]) + 0.012
    glow = 0.9 * blur(tubes, 4 * u) + 0.6 * blur(tubes, 11 * u)
    done = screen(np.clip(base, 0, 1), np.clip(glow[..., None] * colour, 0, 1))
    return screen(done, np.clip(tubes[..., None] * (0.35 + 0.65 * colour), 0, 1) * 0.95)


_GLYPHS = " .,:;!~+=?co*ask%OX#M@"


def _ascii(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    wide, tall = max(4, round(5 * u)), max(6, round(7 * u))
    glyphs = []
    for letter in _GLYPHS:
        tile = np.zeros((tall * 4, wide * 4), np.uint8)
        cv2.putText(
            tile,
            letter,
            (round(wide * 0.5), round(tall * 3.1)),
            cv2.FONT_HERSHEY_SIMPLEX,
            wide * 4 / 24,
            255,
            max(1, round(wide * 0.55)),
            cv2.LINE_AA,
        )
        glyphs.append(cv2.resize(tile.astype(np.float32) / 255, (wide, tall), interpolation=cv2.INTER_AREA))
    order = np.argsort([g.mean() for g in glyphs])
    table = np.stack([glyphs[i] for i in order])
    table = np.clip(table * 1.6, 0, 1)
    columns, rows = -(-s // wide), -(-s // tall)
    grey = cv2.resize(np.clip((luminance(image) - 0.5) * 1.5 + 0.52, 0, 1), (columns, rows), interpolation=cv2.INTER_AREA)
    grey = grey * (0.35 + 0.65 * cv2.resize(face.person, (columns, rows), interpolation=cv2.INTER_AREA))
    index = np.clip((grey * len(table)).astype(int), 0, len(table) - 1)
    screen_of = table[index].transpose(0, 2, 1, 3).reshape(rows * tall, columns * wide)[:s, :s]
    # the letters themselves are brighter where the picture is
    bright = 0.5 + 0.9 * cv2.resize(grey, (s, s), interpolation=cv2.INTER_NEAREST)
    return np.clip((screen_of * bright)[..., None] * floats([0.25, 1.0, 0.4]) + floats([0.005, 0.03, 0.012]), 0, 1)


def _dots_of(light: Array, pitch: float, angle: float) -> Array:
    """Return printed dots for darkness: 1 on the dot."""
    x, y = points_grid(light.shape[0])
    a = (x * np.cos(angle) + y * np.sin(angle)) / pitch
    b = (y * np.cos(angle) - x * np.sin(angle)) / pitch
    wave = 0.5 + 0.25 * (np.cos(2 * np.pi * a) + np.cos(2 * np.pi * b))
    return smoothstep(wave, 1.0 - light - 0.07, 1.0 - light + 0.07)


def _halftone(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u = face.unit
    vivid = saturate(np.clip((image - 0.5) * 1.2 + 0.5, 0, 1), 1.5)
    small = blur(vivid, 1.6 * u)
    paper = floats([0.98, 0.97, 0.94]) * np.ones_like(image)
    black = 0.55 * np.clip(1 - small.max(-1), 0, 1)
    for channel, angle, ink in ((0, 0.26, (0.0, 0.62, 0.88)), (1, 1.31, (0.9, 0.05, 0.5)), (2, 0.0, (1.0, 0.9, 0.0))):
        cover = np.clip(1 - small[..., channel] - black, 0, 1)
        paper = paper * (1 - _dots_of(cover, 6 * u, angle)[..., None] * (1 - floats(ink)))
    return (paper * (1 - 0.92 * _dots_of(black * 1.6, 6 * u, 0.785)[..., None])).astype(np.float32)


def _pop_art(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Flat loud colours by part and lightness, after silk screens of the sixties."""
    u = face.unit
    light = cv2.GaussianBlur(luminance(image), (0, 0), 1.3 * u)
    skin = ramp(
        smoothstep(light, 0.34, 0.42) * 0.5 + smoothstep(light, 0.62, 0.68) * 0.5, [(0.86, 0.1, 0.5), (1.0, 0.5, 0.62), (1.0, 0.82, 0.72)]
    )
    hair = ramp(
        smoothstep(light, 0.3, 0.38) * 0.5 + smoothstep(light, 0.5, 0.56) * 0.5, [(0.1, 0.1, 0.25), (0.98, 0.8, 0.1), (1.0, 0.95, 0.45)]
    )
    cloth = ramp(
        smoothstep(light, 0.35, 0.42) * 0.5 + smoothstep(light, 0.6, 0.68) * 0.5, [(0.1, 0.16, 0.45), (0.1, 0.6, 0.4), (0.55, 0.9, 0.6)]
    )
    back = floats([0.05, 0.72, 0.86]) * np.ones_like(image)
    done = blend(blend(blend(back, skin, face.skin), hair, face.hair), cloth, face.clothing)
    done = blend(done, (0.93, 0.05, 0.15), face.lips * 0.95)
    done = blend(done, (0.1, 0.75, 0.95), np.clip(face.around_eyes(1.5, 1.2, -0.2, 0.6) * (1 - face.eye_openings), 0, 1) * 0.85)
    done = blend(done, saturate(image, 2.2), np.full_like(light, 0.2))
    line = outlines(light, 1.7 * u, 1.5)
    return blend(done, (0.06, 0.03, 0.1), np.clip(np.maximum(line, smoothstep(light, 0.2, 0.15) * face.person), 0, 1) * 0.95)


def _screen_print(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Print three inks a little out of register on cream paper."""
    u, s = face.unit, face.size
    light = cv2.GaussianBlur(luminance(image), (0, 0), 1.4 * u)
    dark = light - 0.08 * face.hair
    paper = floats([0.95, 0.91, 0.8]) * np.ones_like(image)
    done = paper
    for level, ink, shift in ((0.74, (0.98, 0.72, 0.4), (0, 0)), (0.56, (0.92, 0.3, 0.28), (2, -1)), (0.38, (0.07, 0.2, 0.36), (-1, 1))):
        mask = np.roll(smoothstep(dark, level + 0.02, level - 0.02), (round(shift[0] * u), round(shift[1] * u)), (0, 1))
        worn = 1 - 0.35 * smoothstep(noise(rng, s, 1.2 * u), 1.0, 1.8)
        cover = mask * worn * (1 - face.background * (0.88 if level < 0.7 else 1.0))
        done = done * (1 - cover[..., None] * (1 - floats(ink)))
    back = floats([0.3, 0.66, 0.66])
    return blend(done, back, face.background * 0.85 * (1 - 0.2 * smoothstep(noise(rng, s, 1.2 * u), 1.0, 1.8))).astype(np.float32)


def _hologram(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    x, y = points_grid(s)
    row = (rng.normal(0, 1, s) * (rng.random(s) < 0.06) * 5 * u).astype(np.float32)
    jump = cv2.GaussianBlur(np.repeat(row[:, None], s, 1), (0, 0), 1.2 * u)
    moved = cv2.remap(image, x + jump * 2, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    light = luminance(moved)
    edge = outlines(1 - light, 1.5 * u, 0.8)
    beam = np.clip(light * 1.05 + 0.4 * edge, 0, 1) * face.person + 0.06 * face.background
    scan = 0.72 + 0.28 * np.sin(y / (4 * u) * 2 * np.pi)
    colour = ramp(np.clip(beam, 0, 1), [(0.0, 0.02, 0.08), (0.0, 0.3, 0.55), (0.15, 0.75, 0.95), (0.85, 1.0, 1.0)])
    shimmer = np.stack([np.sin(y / (34 * u) + x / (60 * u) + k * 2.1) for k in range(3)], -1) * 0.1 * beam[..., None]
    done = np.clip(colour * scan[..., None] + shimmer, 0, 1)
    return screen(done, np.clip(blur(face.person, 7 * u) - 0.6 * face.person, 0, 1)[..., None] * floats([0.05, 0.4, 0.6]) * 0.6)


def _vaporwave(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    x, y = points_grid(s)
    light = luminance(image)
    figure = ramp(
        np.clip(light, 0, 1),
        [(0.12, 0.04, 0.3), (0.55, 0.14, 0.66), (1.0, 0.42, 0.75), (0.6, 0.88, 0.98), (0.95, 1.0, 1.0)],
        [0, 0.3, 0.58, 0.82, 1],
    )
    back = ramp(
        np.clip(y / s, 0, 1),
        [(0.16, 0.05, 0.4), (0.55, 0.12, 0.62), (1.0, 0.4, 0.6), (1.0, 0.66, 0.45), (0.15, 0.03, 0.3)],
        [0, 0.35, 0.6, 0.72, 0.76],
    )
    c = floats([s * 0.5, s * 0.36])
    sun = smoothstep(np.hypot(x - c[0], y - c[1]), 78 * u, 76 * u) * (((y / (9 * u)) % 1 > 0.3) | (y < s * 0.3)).astype(np.float32)
    back = blend(back, ramp(np.clip((y - c[1] + 78 * u) / (156 * u), 0, 1), [(1, 0.92, 0.35), (1, 0.35, 0.6)]), sun)
    below = np.clip((y / s - 0.74) / 0.26, 1e-3, 1)
    grid = np.maximum(np.abs(((x - s / 2) / (26 * u * below + 6 * u)) % 1 - 0.5) > 0.45, np.abs((3.2 / (below + 0.25)) % 1 - 0.5) > 0.43)
    back = blend(back, (0.1, 0.95, 0.95), grid.astype(np.float32) * (y / s > 0.75))
    done = blend(blend(back, figure, face.person), saturate(image, 1.4), face.person * 0.15)
    red, blue = np.roll(done[..., 0], round(2 * u), 1), np.roll(done[..., 2], -round(2 * u), 1)
    done = np.stack([red, done[..., 1], blue], -1)
    return np.clip(done * (0.94 + 0.06 * np.sin(y / (2 * u) * np.pi))[..., None], 0, 1)


PRINTS: dict[str, Callable[[Array, DrawnFace, Rng], Array]] = {
    "stencil": _stencil,
    "silhouette": _silhouette,
    "neon": _neon,
    "ascii art": _ascii,
    "halftone": _halftone,
    "pop art": _pop_art,
    "screen print": _screen_print,
    "hologram": _hologram,
    "vaporwave": _vaporwave,
}
