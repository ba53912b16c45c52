"""Give a part of a face a surface: scales, rust, fur, frost and so on."""

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
    detail,
    drag,
    embossed,
    floats,
    lab,
    luminance,
    noise,
    points_grid,
    rgb,
    rgb_of,
    screen,
    smoothstep,
    statistics,
)
from nada_core.looks.look import Lab

__all__ = ["PATCHES", "SURFACES", "crack_lines", "scale_heights", "sparkles", "textured"]

#: Surfaces that are patches of other colours: (size of a patch, threshold, Lab, strength), larger patches first.
PATCHES: dict[str, tuple[tuple[float, float, Lab, float], ...]] = {
    "rotten": ((9, 0.1, (40, -7, 18), 0.6), (5, 0.5, (28, 8, 12), 0.7), (3, 1.1, (24, 28, 18), 0.85), (2, 1.5, (58, -2, 30), 0.6)),
    "dusty": ((14, -1.2, (70, 3, 12), 0.62), (3, 0.5, (80, 2, 10), 0.5)),
    "bloody": ((7, 0.55, (26, 46, 32), 0.92), (3, 1.1, (18, 36, 24), 0.95), (1.6, 1.7, (32, 54, 38), 0.9)),
    "muddy": ((11, -0.25, (32, 9, 18), 0.88), (5, 0.6, (22, 8, 14), 0.85), (2, 1.5, (40, 9, 20), 0.8)),
    "rusty": ((9, -0.5, (42, 28, 36), 0.85), (4, 0.5, (30, 22, 24), 0.85), (2, 1.2, (56, 30, 50), 0.85)),
    "mossy": ((9, -0.3, (42, -20, 34), 0.9), (3, 0.5, (58, -24, 44), 0.8), (2, 1.2, (24, -12, 20), 0.8)),
}
#: Relief of a surface: (size of the bumps, stretch along x and y, strength).
RELIEFS: dict[str, tuple[float, tuple[float, float], float]] = {
    "rough": (1.1, (1, 1), 15),
    "rotten": (1.6, (1, 1), 7),
    "muddy": (2.0, (1, 1), 8),
    "rusty": (1.1, (1, 1), 9),
    "mossy": (1.1, (1, 1), 11),
    "dusty": (1.0, (1, 1), 3),
}


def crack_lines(rng: Rng, size: int, spacing: float, width: float) -> Array:
    """Return a net of cracks, 1 on the lines, ``[S, S]``."""
    labels, _ = cells(rng, size, spacing, 0.5)
    # straight borders of cells wander along a noise field
    x, y = points_grid(size)
    wander = spacing * 0.14
    warped = cv2.remap(
        labels.astype(np.float32), x + wander * noise(rng, size, spacing / 5), y + wander * noise(rng, size, spacing / 5),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    edge = cv2.morphologyEx(warped, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
    line = cv2.GaussianBlur(edge.astype(np.float32), (0, 0), max(0.4, width / 2))
    return np.clip(line * (1.2 + width / 2), 0, 1)


def scale_heights(size: int, spacing: float) -> tuple[Array, Array]:
    """Return rows of round scales, each over the one below: height in [0, 1] and the dark line along each rim, ``[S, S]``."""
    x, y = points_grid(size)
    high = 0.5 * spacing
    distance = np.ones((size, size), np.float32)
    # the row painted last lies on top
    for back in (1, 0, -1, -2):
        row = np.floor(y / high) + back
        shift = 0.5 * (row % 2)
        across = ((x / spacing + shift) % 1 - 0.5) * spacing
        from_centre = np.hypot(across / (0.56 * spacing), (y - row * high) / (0.72 * spacing))
        distance = np.where(from_centre < 1, from_centre, distance)
    return np.sqrt(np.clip(1 - distance**2, 0, 1)), smoothstep(distance, 0.8, 0.98)


def sparkles(rng: Rng, size: int, density: float, unit: float) -> Array:
    """Return bright points of several sizes with a small glow, ``[S, S]``."""
    points = (rng.random((size, size)) < density / unit**2).astype(np.float32) * rng.uniform(0.4, 1, (size, size)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(points, (0, 0), 0.7 * unit) * 4 + cv2.GaussianBlur(points, (0, 0), 2 * unit) * 9, 0, 1)


def _lightened(image: Array, mask: Array, change: Array) -> Array:
    pixels = lab(image)
    pixels[..., 0] += change * mask
    return rgb(pixels)


def _evened(image: Array, mask: Array, sigma: float) -> Array:
    """Return local lightness of the region, about [-1, 1]: detail over ``sigma`` in deviations of it."""
    light = luminance(image)
    local = detail(light, sigma)
    spread = float(np.sqrt((local**2 * mask).sum() / (mask.sum() + 1e-6))) + 0.01
    return np.clip(local / (2.2 * spread), -1.5, 1.5)


def _smooth(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u = face.unit
    soft = cv2.bilateralFilter(image, -1, 0.16, 5 * u)
    soft = 0.5 * soft + 0.5 * cv2.GaussianBlur(soft, (0, 0), 2.2 * u)
    image = blend(image, soft, mask)
    return _lightened(image, mask, 9 * smoothstep(_evened(soft, mask, 16 * u), 0.1, 1.0))


def _glossy(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u = face.unit
    local = cv2.GaussianBlur(_evened(image, mask, 9 * u), (0, 0), 1.0 * u)
    image = _lightened(image, mask, 20 * local - 7)
    shine = smoothstep(local, 0.3, 0.75) * mask
    return screen(image, (shine * 0.8 + 0.25 * blur(shine, 3 * u))[..., None])


def _wrinkled(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    x, y = points_grid(size)
    cx, cy = face.place(0, 0.1)
    # level on the forehead, hanging outwards and down below the eyes
    across, below = (x - cx) / face.width, (y - cy) / face.width
    angle = np.clip(below * 4, -0.3, 1) * np.tanh(across * 5) * 0.9 + 0.35 * noise(rng, size, 12 * u)
    lines = drag(noise(rng, size, 1.5 * u), (np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)), 7, 1.5 * u)
    lines /= lines.std() + 1e-6
    return _lightened(image, mask, 9 * embossed(lines, 3) - 13 * smoothstep(lines, 0.4, 1.6))


def _scaly(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    height, line = scale_heights(face.size, 13 * face.unit)
    return _lightened(image, mask, 26 * (height - 0.55) - 14 * line)


def _cracked(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    line = np.maximum(crack_lines(rng, size, 26 * u, 1.6 * u), 0.4 * crack_lines(rng, size, 13 * u, 0.8 * u))
    light = np.roll(line, (1, 1), (0, 1))
    return _lightened(image, mask, -48 * line + 14 * np.clip(light - line, 0, 1))


def _furry(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    x, y = points_grid(size)
    cx, cy = face.place(0, 0.25)
    # fur lies away from the nose
    dx, dy = x - cx, (y - cy) + 0.25 * face.width
    turn = 0.35 * noise(rng, size, 7 * u)
    length = np.hypot(dx, dy) + 1e-3
    dx, dy = dx / length, dy / length
    direction = (dx * np.cos(turn) - dy * np.sin(turn), dx * np.sin(turn) + dy * np.cos(turn))
    hairs = drag(noise(rng, size, 0.9 * u), direction, 7, 1.0 * u)
    hairs /= hairs.std() + 1e-6
    clumps = drag(noise(rng, size, 2.5 * u), direction, 6, 1.5 * u)
    clumps /= clumps.std() + 1e-6
    soft = blend(image, cv2.GaussianBlur(image, (0, 0), 1.5 * u), mask * 0.7)
    return _lightened(soft, mask, 7.5 * hairs + 5 * clumps)


def _freckled(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    spots = smoothstep(noise(rng, size, 1.5 * u), 1.15, 1.75)
    spots = np.maximum(spots, smoothstep(noise(rng, size, 2.1 * u), 1.5, 2.0))
    pixels = lab(image)
    mean = statistics(pixels, mask)[0]
    shift = floats([-min(22.0, 0.5 * float(mean[0])), 9, 13])
    return blend(image, rgb(pixels + shift), spots * mask * 0.95)


def _veined(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    lines = np.zeros((size, size), np.float32)
    for sigma, width, gate, strength in ((14, 0.1, -1.2, 1.0), (8, 0.09, -0.5, 0.9), (5, 0.1, 0.0, 0.7)):
        field = noise(rng, size, sigma * u) + 0.22 * noise(rng, size, 3.2 * u)
        lines = np.maximum(lines, strength * np.exp(-((field / width) ** 2)) * smoothstep(noise(rng, size, 14 * u), gate, gate + 0.7))
    tint = blend(image, rgb_of((30, 10, -22)), np.clip(lines, 0, 1) * mask * 0.75)
    return blend(tint, rgb_of((44, 14, -10)), blur(lines.astype(np.float32), 3 * u) * mask * 0.35)


def _glittering(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    grains = noise(rng, size, 0.9 * u)
    image = _lightened(image, mask, 7 * grains)
    points = sparkles(rng, size, 0.035, u) * mask
    hue = np.stack([0.8 + 0.2 * noise(rng, size, 4 * u) for _ in range(3)], -1)
    return screen(image, points[..., None] * np.clip(hue, 0.4, 1))


def _metallic(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u = face.unit
    local = cv2.GaussianBlur(_evened(image, mask, 12 * u), (0, 0), 1.2 * u)
    # dark and bright bands, as polished metal mirrors a room
    bands = 24 * np.sin(local * 3.2) + 8 * local - 5
    shine = smoothstep(local, 0.35, 0.7) * smoothstep(local, 1.4, 0.8) * mask * 0.6
    if colour is None:
        return screen(_lightened(image, mask, bands), shine[..., None])
    room = float(np.clip((100 - colour[0]) / 42, 0.3, 1))  # a light metal must not burn out
    image = _lightened(image, mask, np.clip(bands, -30, 30) * np.where(bands > 0, room, 1))
    glow = rgb_of((max(88.0, colour[0]), 0.7 * colour[1], 0.7 * colour[2]))  # metal mirrors light in its own colour
    return blend(image, glow, shine)


def _striped(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    x, y = points_grid(size)
    cx = face.place(0, 0.2)[0]
    # stripes fall from the middle to the sides and split up
    wave = (y + 0.35 * np.abs(x - cx)) / (15 * u) + 0.22 * noise(rng, size, 9 * u)
    stripes = smoothstep(np.sin(2 * np.pi * wave), 0.1, 0.55)
    mean = float(statistics(lab(image), mask)[0][0])
    ink: Lab = (8, 0, 2) if mean > 38 else (82, 0, 4)
    pixels = lab(image)
    pixels[..., 0] = ink[0] + (pixels[..., 0] - mean) * 0.4
    pixels[..., 1:] = floats(ink[1:])
    return blend(image, rgb(pixels), stripes * mask * 0.92)


def _spotted(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    """Draw a leopard's rosettes: broken dark rings about a warmer middle."""
    u, size = face.unit, face.size
    labels, distance = cells(rng, size, 15 * u, 0.35)
    radius = rng.uniform(3.6, 5.6, labels.max() + 1).astype(np.float32)[labels] * u
    place = distance + 0.9 * u * noise(rng, size, 2.2 * u)
    ring = smoothstep(np.abs(place - radius), 1.9 * u, 1.0 * u) * smoothstep(noise(rng, size, 3 * u), -1.1, -0.6)
    pixels = lab(image)
    warm = blend(image, rgb(pixels * floats([0.72, 1.0, 1.0]) + floats([0, 6, 12])), smoothstep(place, radius, 0.5 * radius) * mask * 0.8)
    mean = float(statistics(pixels, mask)[0][0])
    ink: Lab = (9, 2, 4) if mean > 30 else (74, 4, 22)
    return blend(warm, rgb_of(ink), ring * mask * 0.92)


def _glowing(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u = face.unit
    base = colour or tuple(float(v) for v in statistics(lab(image), mask)[0])
    glow = rgb_of((max(base[0], 62), base[1] * 1.2, base[2] * 1.2))
    image = _lightened(image, mask, np.full((face.size, face.size), 9, np.float32))
    image = screen(image, (mask * 0.3 * (0.4 + luminance(image)))[..., None] * glow)
    halo = np.clip(blur(mask, 7 * u) - 0.6 * mask, 0, 1)
    return screen(image, halo[..., None] * glow * 0.8)


def _starry(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    cloud, other = noise(rng, size, 14 * u), noise(rng, size, 10 * u)
    pixels = lab(image)
    mean = statistics(pixels, mask)[0]
    base = floats(colour) if colour is not None else floats([20, 16, -36])
    deep = np.stack([base[0] * 0.8 + 9 * cloud + 0.8 * (pixels[..., 0] - mean[0]), base[1] + 16 * other, base[2] - 10 * cloud], -1)
    image = blend(image, rgb(deep), mask * 0.93)
    return screen(image, (sparkles(rng, size, 0.012, u) * mask)[..., None] * floats([0.95, 0.95, 1.0]))


def _frosty(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    u, size = face.unit, face.size
    needles = np.zeros((size, size), np.float32)
    for angle in (0.3, 1.35, 2.4):
        direction = (np.full((size, size), np.cos(angle), np.float32), np.full((size, size), np.sin(angle), np.float32))
        field = drag(noise(rng, size, 0.8 * u), direction, 6, 1.2 * u)
        needles = np.maximum(needles, field / (field.std() + 1e-6))
    cover = smoothstep(_evened(image, mask, 12 * u) + 0.6 * noise(rng, size, 7 * u), -1.1, 0.6)
    image = blend(image, rgb_of((70, -6, -14)), mask * 0.45)
    return blend(image, rgb_of((93, -3, -5)), mask * np.clip(cover * 0.6 + smoothstep(needles, 0.9, 2.2) * 0.6, 0, 0.95))


def _rainbow(image: Array, face: DrawnFace, mask: Array, rng: Rng, colour: Lab | None) -> Array:
    x, y = points_grid(face.size)
    cx, cy = face.place(0, 0)
    place = ((x - cx) * 0.75 + (y - cy) * 0.66) / (face.width * 0.95) + 0.5
    hsv = np.stack([(place % 1) * 360, np.full_like(x, 0.9), np.full_like(x, 1.0)], -1).astype(np.float32)
    hue = lab(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
    pixels = lab(image)
    mean, deviation = statistics(pixels, mask)
    gain = float(np.clip(12 / (deviation[0] + 0.5), 0.6, 2.2))
    hue[..., 0] = 0.55 * hue[..., 0] + 27 + (pixels[..., 0] - mean[0]) * gain
    return blend(image, rgb(hue), mask * 0.92)


def _patched(image: Array, face: DrawnFace, mask: Array, name: str, rng: Rng) -> Array:
    """Lay patches of other colours on the part; the shading shows through them."""
    pixels = lab(image)
    mean, deviation = statistics(pixels, mask)
    shade = (pixels[..., 0] - mean[0]) * float(np.clip(10 / (deviation[0] + 0.5), 0.6, 2.0))
    for sigma, threshold, colour, strength in PATCHES[name]:
        cover = (
            smoothstep(noise(rng, face.size, sigma * face.unit), threshold, threshold + (1.0 if name == "rotten" else 0.45))
            * mask
            * strength
        )
        patch = np.stack([colour[0] + shade * 0.7, np.full_like(shade, colour[1]), np.full_like(shade, colour[2])], -1)
        image = blend(image, rgb(patch), cover)
    if name == "bloody":  # it runs
        drips = drag(noise(rng, face.size, 1.6 * face.unit), (np.zeros_like(shade), np.ones_like(shade)), 9, 2 * face.unit)
        drips /= drips.std() + 1e-6
        image = blend(image, rgb_of((24, 44, 30)), smoothstep(drips, 1.2, 1.7) * mask * 0.9)
    return image


Surface = Callable[[Array, DrawnFace, Array, Rng, "Lab | None"], Array]
#: Surfaces that are neither patches nor plain relief.
SURFACES: dict[str, Surface] = {
    "smooth": _smooth, "glossy": _glossy, "wrinkled": _wrinkled, "scaly": _scaly, "cracked": _cracked, "furry": _furry,
    "freckled": _freckled, "veined": _veined, "glittering": _glittering, "metallic": _metallic, "striped": _striped, "spotted": _spotted,
    "glowing": _glowing,
    "starry": _starry, "frosty": _frosty, "rainbow": _rainbow,
}  # fmt: skip


def textured(image: Array, face: DrawnFace, mask: Array, name: str, rng: Rng, colour: Lab | None = None) -> Array:
    """Give what lies under a mask one of the named surfaces; ``colour`` is the part's paint, where it has one."""
    if float(mask.sum()) < 2e-4 * mask.size:
        return image
    if name in PATCHES:
        image = _patched(image, face, mask, name, rng)
    if name in RELIEFS:
        sigma, stretch, strength = RELIEFS[name]
        height = noise(rng, face.size, sigma * face.unit, stretch)
        image = _lightened(image, mask, strength * embossed(height, 0.8 * face.unit))
    if name in SURFACES:
        image = SURFACES[name](image, face, mask, rng, colour)
    return image
