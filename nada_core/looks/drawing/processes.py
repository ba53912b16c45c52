"""Put a picture through a photographic process, a film or a screen, and make it lighter or darker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.media_lines import evened
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    detail,
    floats,
    lab,
    luminance,
    noise,
    points_grid,
    ramp,
    rgb,
    saturate,
    screen,
    smoothstep,
    soft_polygon,
    stroke,
)

__all__ = ["FILMS", "SCREENS", "Film", "brightened", "processed"]


@dataclass(frozen=True)
class Film:
    """How a film renders light.

    Attributes:
        tones: RGB of black to white in hexadecimal for processes of one or two colours; empty keeps the picture's.
        contrast, lift, vivid: factor on contrast, what is added, factor on colours.
        curve: powers on red, green and blue.
        tint: factors on red, green and blue.
        vignette, grain, bloom: strengths of dark corners, of grain and of light that spreads.
    """

    tones: str = ""
    contrast: float = 1.0
    lift: float = 0.0
    vivid: float = 1.0
    curve: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    vignette: float = 0.0
    grain: float = 0.0
    bloom: float = 0.0


FILMS: dict[str, Film] = {
    "sepia": Film("24170d 99734a faE8c2", 1.05, vignette=0.4, grain=0.3),
    "black and white": Film("000000 808080 ffffff", 1.15, grain=0.15),
    "high contrast": Film(contrast=1.75, vivid=1.25),
    "infrared": Film("1a0010 a04060 ffd8dc ffffff", 1.1, bloom=0.45, grain=0.4),
    "faded film": Film(contrast=0.62, lift=0.13, vivid=0.6, tint=(1.06, 1.0, 0.88), grain=0.3),
    "polaroid": Film(contrast=0.85, lift=0.06, vivid=0.9, curve=(0.9, 1.0, 1.12), tint=(1.06, 1.02, 0.88), vignette=0.45),
    "daguerreotype": Film("0c0e12 4c5054 a8a8a0 e8e4d4", 1.2, vignette=1.4, grain=0.8, bloom=0.15),
    "cyanotype": Film("04163e 1c5a9a 9cc8e4 f4faff", 1.15, grain=0.4),
    "lomography": Film(contrast=1.4, vivid=1.75, curve=(0.9, 1.0, 1.15), tint=(1.05, 1.0, 0.92), vignette=1.2, grain=0.35),
    "technicolor": Film(contrast=1.2, vivid=1.8, tint=(1.06, 1.0, 0.98), bloom=0.1),
    "film noir": Film("000000 1c1c1e 8c8c8c f8f8f8", 1.75, -0.06, vignette=1.5, grain=0.35),
    "overexposed": Film(contrast=1.2, lift=0.25, vivid=0.75, bloom=0.35),
    "underexposed": Film(contrast=0.62, lift=-0.24, vivid=0.85, tint=(0.92, 0.97, 1.08), grain=0.4),
    "bleached": Film(contrast=1.35, lift=0.09, vivid=0.32, grain=0.4),
    "cross processed": Film(contrast=1.35, vivid=1.5, curve=(1.1, 0.9, 1.25), tint=(1.04, 1.06, 0.86), lift=0.02),
    "soft focus": Film(contrast=0.92, lift=0.04, vivid=1.05, bloom=0.6),
    "duotone": Film("1c0c58 d4246c ffb02c fff0a0", 1.25),
}


def _tones(text: str) -> Array:
    return np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in text.split()], np.float32)


def _filmed(image: Array, face: DrawnFace, film: Film, rng: Rng) -> Array:
    u, s = face.unit, face.size
    if film.bloom:
        image = (1 - film.bloom * 0.5) * image + film.bloom * 0.5 * screen(image, blur(image, 5 * u) * 0.75)
        if film.bloom > 0.5:
            image = 0.5 * image + 0.5 * blur(image, 2.6 * u)
    image = np.clip((image - 0.5) * film.contrast + 0.5 + film.lift, 0, 1)
    if film.tones:
        image = ramp(luminance(image), _tones(film.tones))
    else:
        image = np.power(np.clip(image, 0, 1), floats(film.curve))
        image = saturate(np.clip(image * floats(film.tint), 0, 1), film.vivid)
    if film.vignette:
        x, y = points_grid(s)
        reach = np.hypot(x / s * 2 - 1, y / s * 2 - 1)
        image = image * (1 - 0.55 * film.vignette * smoothstep(reach, 0.55, 1.45))[..., None]
    if film.grain:
        image = image + 0.045 * film.grain * noise(rng, s, 0.75 * u)[..., None]
    return np.clip(image, 0, 1).astype(np.float32)


def _thermal(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Show warmth: faces glow, hair, clothes and rooms are cold, whatever their colour."""
    u = face.unit
    light = luminance(image)
    local = detail(light, 16 * u)
    warm = 0.66 * face.skin + 0.36 * face.hair + 0.4 * face.clothing + 0.1 * face.background
    warm = blur(warm, 2 * u) + 0.75 * blur(local, 1.4 * u) + 0.1 * face.around_eyes(1.5, 4)
    nose = np.exp(
        -(
            ((points_grid(face.size)[0] - face.landmarks[30][0]) ** 2 + (points_grid(face.size)[1] - face.landmarks[30][1]) ** 2)
            / (face.width * 0.1) ** 2
        )
    )
    warm = warm - 0.16 * nose.astype(np.float32)
    colours = [(0.02, 0.0, 0.15), (0.2, 0.0, 0.55), (0.65, 0.05, 0.6), (0.95, 0.3, 0.2), (1.0, 0.7, 0.1), (1.0, 1.0, 0.75)]
    return ramp(np.clip(warm + 0.01 * noise(rng, face.size, 1.2 * u), 0, 1), colours)


def _x_ray(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Show bones: light seams round dark sockets, nose and teeth, in a faint blue body."""
    u, s, p, d, w = face.unit, face.size, face.landmarks, face.down, face.width
    light = 1 - luminance(image)
    body = 0.3 * face.person + 0.32 * np.clip(face.skin, 0, 1) + 0.5 * detail(light, 14 * u)
    sockets = face.around_eyes(1.75, 2.2, 0.02, 0.9)
    nose = soft_polygon(np.stack([p[28] * 0.4 + p[29] * 0.6, p[35], p[33], p[31]]), s, 2.2 * u)
    bone = blur(body, u) * (1 - 0.75 * sockets) * (1 - 0.75 * nose)
    bone += 0.22 * np.clip(blur(sockets, 2 * u) * 1.5 - sockets, 0, 1) * face.face
    bone += 0.3 * stroke(p[2:15], 6 * u, s, 4 * u) * face.skin
    left, right = p[48], p[54]
    t = np.linspace(0, 1, 12)[:, None]
    line = left * (1 - t) + right * t + d * w * 0.02 * np.sin(np.pi * t)
    band = soft_polygon(np.concatenate([line - d * w * 0.07, (line + d * w * 0.07)[::-1]]).astype(np.float32), s, 1.5 * u)
    gaps = np.zeros((s, s), np.float32)
    for point in line:
        gaps = np.maximum(gaps, stroke(np.stack([point - d * w * 0.07, point + d * w * 0.07]), 1.6 * u, s, 0.7 * u))
    gaps = np.maximum(gaps, stroke(line, 2 * u, s, 0.8 * u))
    bone = bone * (1 - 0.4 * band) + band * (0.42 - 0.4 * gaps)
    return ramp(np.clip(bone, 0, 1), [(0.0, 0.01, 0.03), (0.1, 0.22, 0.34), (0.5, 0.72, 0.84), (0.95, 1.0, 1.0)])


def _night_vision(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    x, y = points_grid(s)
    light = luminance(evened(image, face, 0.52, 0.9))
    light = np.clip(light + 0.06 * noise(rng, s, 0.8 * u) + 0.75 * face.pupils, 0, 1)
    scan = 0.88 + 0.12 * np.sin(y / (3 * u) * 2 * np.pi)
    reach = np.hypot(x / s * 2 - 1, y / s * 2 - 1)
    light = light * scan * smoothstep(reach, 1.3, 0.75)
    return ramp(np.clip(light, 0, 1), [(0.0, 0.04, 0.0), (0.02, 0.35, 0.06), (0.2, 0.85, 0.25), (0.82, 1.0, 0.75)])


def _negative(image: Array, face: DrawnFace, rng: Rng) -> Array:
    return 1 - image


def _vhs(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Smear colours sideways, tear some lines, add noise."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    wave = 1.4 * u * np.sin(y / (21 * u)) + (rng.normal(0, 1.0, s) * u).astype(np.float32)[:, None] * 0.6
    torn = np.where((y > s * 0.86) & (y < s * 0.93), 14 * u * noise(rng, s, 2 * u, (8, 1)), 0)
    image = cv2.remap(image, (x + wave + torn).astype(np.float32), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    pixels = lab(image)
    colours = cv2.GaussianBlur(np.roll(pixels[..., 1:], round(4 * u), 1), (0, 0), sigmaX=5 * u, sigmaY=0.8 * u)
    pixels = np.concatenate([cv2.GaussianBlur(pixels[..., :1], (0, 0), sigmaX=1.6 * u, sigmaY=0.4)[..., None], colours * 1.35], -1)
    tape = rgb(pixels) * (0.9 + 0.1 * np.sin(y / (2 * u) * np.pi))[..., None] + 0.03
    tape = tape + 0.035 * noise(rng, s, 0.7 * u, (3, 1))[..., None] * floats([1.2, 0.8, 1.2])
    streaks = smoothstep(noise(rng, s, 0.7 * u, (22, 1)), 2.5, 3.2)
    return screen(np.clip(tape, 0, 1), streaks[..., None] * 0.7)


def _glitch(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Move bands of lines sideways and part the colours."""
    u, s = face.unit, face.size
    shift = np.zeros(s, int)
    for _ in range(11):
        top, tall = int(rng.integers(0, s)), int(rng.integers(round(4 * u), max(round(18 * u), round(4 * u) + 1)))
        shift[top : top + tall] = int(rng.normal(0, 13 * u))
    columns = (np.arange(s)[None] + shift[:, None]) % s
    moved = image[np.arange(s)[:, None], columns]
    apart = round(5 * u)
    out = np.stack([np.roll(moved[..., 0], apart, 1), moved[..., 1], np.roll(moved[..., 2], -apart, 1)], -1)
    for _ in range(7):
        top, left = int(rng.integers(0, s - 8)), int(rng.integers(0, s - 20))
        tall, wide = round(float(rng.uniform(3, 8)) * u), round(float(rng.uniform(20, 80)) * u)
        colour = floats([(0, 1, 1), (1, 0, 1), (0.1, 1, 0.2), (1, 1, 0)][int(rng.integers(0, 4))])
        out[top : top + tall, left : left + wide] = 0.35 * out[top : top + tall, left : left + wide] + 0.65 * colour
    y = points_grid(s)[1]
    return np.clip(out * (0.93 + 0.07 * np.sin(y / (2 * u) * np.pi))[..., None], 0, 1)


def _newspaper(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Print coarse black dots on yellowed paper."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    light = np.clip((luminance(evened(image, face, 0.6, 0.6)) - 0.5) * 1.35 + 0.52, 0.02, 0.98)
    p = 4.6 * u
    wave = 0.5 + 0.25 * (np.cos(2 * np.pi * (x + y) / p / 1.414) + np.cos(2 * np.pi * (x - y) / p / 1.414))
    ink = smoothstep(wave, light - 0.1, light + 0.1)
    paper = np.clip(floats([0.86, 0.82, 0.71]) * (1 + 0.03 * noise(rng, s, 0.8 * u) + 0.04 * noise(rng, s, 16 * u))[..., None], 0, 1)
    return blend(paper, (0.13, 0.12, 0.12), ink * 0.93)


def _solarised(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Turn the lights over into darks, with the pale lines between that Sabattier's effect draws."""
    u = face.unit
    light = luminance(image)
    turned = np.where(light < 0.5, light * 1.9, (1 - light) * 1.9)
    edge = smoothstep(np.abs(blur(light, u) - 0.5), 0.05, 0.0)
    silver = ramp(np.clip(turned * 0.95 + 0.25 * edge, 0, 1), [(0.03, 0.03, 0.05), (0.42, 0.4, 0.45), (0.93, 0.92, 0.9)])
    colour = np.where(image < 0.5, image * 1.9, (1 - image) * 1.9)
    return np.clip(0.55 * silver + 0.45 * colour, 0, 1)


SCREENS: dict[str, Callable[[Array, DrawnFace, Rng], Array]] = {
    "thermal": _thermal, "x-ray": _x_ray, "night vision": _night_vision, "negative": _negative, "vhs": _vhs, "glitch": _glitch,
    "newspaper": _newspaper, "solarised": _solarised,
}  # fmt: skip


def processed(image: Array, face: DrawnFace, name: str, rng: Rng) -> Array:
    """Put a picture through one of the named processes."""
    if name in SCREENS:
        return np.clip(SCREENS[name](image, face, rng), 0, 1).astype(np.float32)
    film = FILMS[name]
    if film.tones:
        image = evened(image, face, 0.55, 0.45)
    done = _filmed(image, face, film, rng)
    if name == "polaroid":
        s = face.size
        x, y = points_grid(s)
        inner = np.minimum(np.minimum(x, s - 1 - x), np.minimum(y, (s - 1 - y) * 0.42)) / face.unit
        done = blend(done, (0.95, 0.94, 0.9), smoothstep(inner, 9.5, 8.5))
    if name == "infrared":
        # leaves and skin shine, skies and eyes are dark
        done = blend(done, np.clip(done * 1.12 + 0.06, 0, 1), blur(face.skin, 4 * face.unit) * 0.8)
    return done


def brightened(image: Array, amount: float) -> Array:
    """Make a picture darker (to -1, night) or lighter (to 1, glaring)."""
    if amount < 0:
        night = image * (1 + 0.78 * amount) * (1 + amount * floats([0.14, 0.06, -0.06]))
        return np.clip(night, 0, 1).astype(np.float32)
    return np.clip(screen(image, np.full_like(image, 0.45 * amount)) * (1 + 0.12 * amount), 0, 1).astype(np.float32)
