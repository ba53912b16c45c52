"""Add what brush strokes alone do not give painted media (schools of painting, comics, clay): palettes, haloes, cracks, dots."""

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
    detail,
    embossed,
    floats,
    kuwahara,
    lab,
    luminance,
    noise,
    points_grid,
    ramp,
    rgb,
    saturate,
    smoothstep,
    soft_polygon,
)
from nada_core.looks.drawing.textures import crack_lines

__all__ = ["AFTER", "BEFORE"]


def _impressionism(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Break colour into dabs: shades go to blue and violet, lights to yellow and pink."""
    u, s = face.unit, face.size
    pixels = lab(image)
    level = (luminance(image) - 0.5)[..., None]
    pixels[..., 1:] += level * floats([6, 44]) + np.stack([noise(rng, s, 3 * u) * 6, noise(rng, s, 3 * u) * 9], -1)
    pixels[..., 0] = 12 + pixels[..., 0] * 0.93 + 3.5 * noise(rng, s, 2.2 * u)
    return rgb(pixels)


def _expressionism(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    pixels = lab(image)
    level = (luminance(image) - 0.45)[..., None]
    # sick greens in the shade, burning oranges in the light
    pixels[..., 1:] = pixels[..., 1:] * 0.75 + np.where(level > 0, level * floats([45, 60]), level * floats([80, 10]))
    return rgb(pixels)


def _fauvism(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Choose colours by lightness alone, wild ones; paints on the parts shift them."""
    glow = [(0.1, 0.05, 0.35), (0.05, 0.35, 0.6), (0.1, 0.62, 0.42), (0.93, 0.4, 0.12), (1.0, 0.78, 0.16), (1.0, 0.93, 0.62)]
    wild = ramp(np.clip(light + 0.05 * noise(rng, face.size, 9 * face.unit), 0, 1), glow, [0, 0.24, 0.42, 0.56, 0.75, 1])
    back = ramp(np.clip(light, 0, 1), [(0.35, 0.04, 0.32), (0.86, 0.12, 0.38), (0.95, 0.5, 0.62), (0.4, 0.78, 0.86)])
    image = blend(saturate(image, 1.6), wild, np.full_like(light, 0.72))
    return blend(image, back, face.background * 0.85)


def _surrealism(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Let the face melt downwards, before a desert sky with clouds that also drift over the forehead."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    sag = 9 * u * np.clip(noise(rng, s, 15 * u, (1, 3)), 0, 2) * smoothstep((y - face.place(0, 0.25)[1]) / face.width, -0.05, 0.45)
    image = cv2.remap(image, x, y - sag, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    cloud = smoothstep(noise(rng, s, 12 * u, (2.2, 1)) + 0.5 * noise(rng, s, 4 * u, (2, 1)), 0.3, 1.3)
    sky = ramp(np.clip(y / s, 0, 1), [(0.1, 0.32, 0.7), (0.35, 0.62, 0.9), (0.85, 0.85, 0.75), (0.9, 0.66, 0.32), (0.62, 0.38, 0.16)])
    sky = blend(sky, (1, 0.99, 0.96), cloud * smoothstep(y / s, 0.65, 0.45) * 0.9)
    above = smoothstep((face.place(0, -0.16)[1] - y) / face.width, 0.0, 0.2) * np.clip(face.face + face.hair, 0, 1)
    return blend(image, sky, np.clip(face.background + 0.8 * above, 0, 1))


def _abstract(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Cut the picture into bold shapes of few colours that a face can just be guessed in."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    field = np.clip(light + 0.13 * noise(rng, s, 14 * u), 0, 1)
    palette = floats([(0.07, 0.08, 0.16), (0.1, 0.25, 0.62), (0.78, 0.13, 0.15), (0.96, 0.5, 0.1), (0.98, 0.83, 0.25), (0.97, 0.95, 0.88)])
    bold = palette[np.clip((field * 6).astype(int), 0, 5)]
    image = blend(saturate(image, 1.5), bold, np.full_like(light, 0.8))
    for i in range(7):
        c = rng.uniform(0.05, 0.95, 2) * s
        r = rng.uniform(12, 34) * u
        mask = (np.hypot(x - c[0], y - c[1]) < r).astype(np.float32)
        if i % 2:
            mask = soft_polygon((c + rng.uniform(-1.4, 1.4, (4, 2)) * r).astype(np.float32), s, 0.6)
        image = blend(image, palette[rng.integers(0, 6)], mask * 0.72 * (1 - 0.85 * blur(face.face, 4 * u)))
    return image


def _caricature(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Blow up head, nose and mouth against a small body."""
    s = face.size
    x, y = points_grid(s)
    p = face.landmarks
    for centre, reach, power in (
        (face.place(0, -0.25), 0.62, 0.22),
        (p[30], 0.24, 0.33),
        (p[48:60].mean(0), 0.3, 0.3),
        (p[8], 0.28, -0.22),
    ):
        dx, dy = x - centre[0], y - centre[1]
        weight = np.exp(-(dx * dx + dy * dy) / (2 * (reach * face.width * 0.6) ** 2))
        image = cv2.remap(
            image,
            (x - dx * power * weight).astype(np.float32),
            (y - dy * power * weight).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    return blend(image, (0.96, 0.94, 0.88), face.background * 0.75)


def _watercolour(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Let washes pool at their edges and leave paper at the border of the sheet."""
    u, s = face.unit, face.size
    edges = np.clip(np.abs(detail(luminance(image), 3 * u)) * 4.5, 0, 1)
    wash = 1 - (1 - image) * (0.66 + 0.035 * noise(rng, s, 7 * u)[..., None])
    wash = saturate(np.clip(wash, 0, 1), 1.4) - 0.26 * edges[..., None]
    x, y = points_grid(s)
    reach = np.hypot(x / s * 2 - 1, y / s * 2 - 1) + 0.16 * noise(rng, s, 10 * u)
    bare = np.clip((reach - 0.78) * 3.2, 0, 0.97) * (0.35 + 0.65 * face.background)
    bare = np.maximum(bare, 0.9 * smoothstep(luminance(image), 0.82, 0.98))
    rim = np.clip(blur(bare, 2 * u) - bare, 0, 1)
    wash = wash - 0.25 * rim[..., None]
    return np.clip(blend(np.clip(wash, 0, 1), (0.985, 0.98, 0.965), bare), 0, 1)


def _fresco(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    u, s = face.unit, face.size
    plaster = smoothstep(noise(rng, s, 8 * u) + 0.5 * noise(rng, s, 2.2 * u), 1.2, 1.45) * (1 - 0.8 * blur(face.face, 3 * u))
    image = blend(image, (0.86, 0.8, 0.7), np.clip(0.16 + 0.84 * plaster, 0, 1))
    return blend(image, image * 0.55, np.maximum(0.5 * crack_lines(rng, s, 46 * u, 0.9 * u), 0.15 * crack_lines(rng, s, 22 * u, 0.6 * u)))


def _baroque(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Let one warm light fall on the face out of darkness."""
    s = face.size
    x, y = points_grid(s)
    c = face.place(-0.12, 0.12)
    beam = np.exp(-(((x - c[0]) / (face.width * 0.62)) ** 2 + ((y - c[1]) / (face.width * 0.75)) ** 2)).astype(np.float32)
    dark = ramp(np.clip(light * 0.5, 0, 1), [(0.03, 0.02, 0.015), (0.32, 0.2, 0.1), (0.7, 0.55, 0.35)])
    image = blend(image, dark, np.clip(face.background * 0.92 + 0.25 * face.clothing, 0, 1))
    return np.clip(image * (0.22 + 1.02 * beam[..., None]), 0, 1)


def _renaissance(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Soften borders in smoke, brown varnish over all, a hazy landscape behind, fine cracks."""
    u, s = face.unit, face.size
    _, y = points_grid(s)
    height = y / s + 0.05 * noise(rng, s, 20 * u, (2.5, 1))
    land = ramp(np.clip(height, 0, 1), [(0.68, 0.7, 0.52), (0.55, 0.62, 0.5), (0.36, 0.42, 0.3), (0.3, 0.26, 0.14), (0.2, 0.15, 0.08)])
    land = np.clip(land * (1 + 0.1 * noise(rng, s, 5 * u, (2, 1))[..., None]), 0, 1)
    image = blend(image, land, face.background * 0.88)
    image = 0.55 * image + 0.45 * blur(image, 2 * u)
    image = np.clip(image * floats([1.0, 0.93, 0.68]), 0, 1)
    return blend(image, image * 0.6, 0.28 * crack_lines(rng, s, 15 * u, 0.5 * u))


def _comic(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Print dots in the middle tones, black in the shade."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    pitch = 5.2 * u
    wave = 0.5 + 0.25 * (np.cos(2 * np.pi * (x + y) / pitch / 1.414) + np.cos(2 * np.pi * (x - y) / pitch / 1.414))
    middle = smoothstep(light, 0.75, 0.4) * smoothstep(light, 0.15, 0.35)
    dots = smoothstep(wave, 0.92 - 0.45 * middle, 1.0 - 0.45 * middle) * (middle > 0.05)
    image = blend(image, image * floats([0.72, 0.42, 0.4]), dots * 0.85 * face.person)
    rays = 0.5 + 0.5 * np.sign(np.sin(np.arctan2(y - face.place(0, 0.1)[1], x - face.place(0, 0.1)[0]) * 14))
    image = blend(image, floats([1.0, 0.86, 0.12]) * (0.78 + 0.22 * rays[..., None]), face.background * 0.92)
    return blend(image, (0.03, 0.03, 0.06), smoothstep(light, 0.24, 0.19) * smoothstep(face.background, 0.6, 0.3))


def _anime(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Flat bright skin with one shade, shining hair and eyes."""
    u, s = face.unit, face.size
    _, y = points_grid(s)
    image = np.clip(image * 1.08 + 0.06, 0, 1)
    top = face.place(0, -0.42)[1]
    band = np.exp(-(((y - top - 3 * u * np.sin(points_grid(s)[0] / (5 * u))) / (6 * u)) ** 2)).astype(np.float32)
    image = blend(image, np.clip(image * 1.3 + 0.22, 0, 1), band * face.hair * 0.8)
    eyes = np.clip(face.irises * 1.1, 0, 1)
    image = blend(image, np.clip(saturate(image, 2.2) * 0.95, 0, 1), eyes)
    for (c, r), eye in zip(face.iris_places, face.eyes):
        glint = np.exp(-((points_grid(s)[0] - c[0] + r * 0.35) ** 2 + (y - c[1] + r * 0.4) ** 2) / (0.45 * r) ** 2)
        image = blend(image, (1, 1, 1), glint.astype(np.float32))
        lid = soft_polygon(np.concatenate([eye[:4] - face.down * 2.2 * u, eye[3::-1] + face.down * 0.3 * u]).astype(np.float32), s, 0.6 * u)
        image = blend(image, (0.1, 0.06, 0.08), lid * 0.9)
    sky = ramp(np.clip(y / s, 0, 1), [(0.45, 0.72, 0.98), (0.78, 0.9, 1.0), (1.0, 0.93, 0.95)])
    return blend(image, sky, face.background * 0.75)


def _nouveau(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """A halo with ornaments behind the head, flat muted colours."""
    s = face.size
    x, y = points_grid(s)
    c = face.place(0, -0.05)
    radius = np.hypot(x - c[0], y - c[1]) / face.width
    angle = np.arctan2(y - c[1], x - c[0])
    petals = 0.5 + 0.5 * np.cos(angle * 18)
    back = np.where(radius[..., None] < 0.78, floats([0.93, 0.83, 0.58]), floats([0.36, 0.5, 0.4]))
    ring = smoothstep(np.abs(radius - 0.74 - 0.025 * petals), 0.035, 0.02)
    back = blend(back.astype(np.float32), (0.72, 0.36, 0.16), ring)
    rim = smoothstep(np.abs(radius - 0.82), 0.015, 0.006)
    back = blend(back, (0.16, 0.1, 0.08), rim)
    return blend(image, back, face.background * 0.95)


def _deco(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Black, gold and teal in clean steps, a fan of rays behind."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    flat = np.floor(np.clip(blur(light, 1.2 * u), 0, 0.999) * 6) / 5
    skin = ramp(np.clip(flat, 0, 1), [(0.05, 0.07, 0.1), (0.42, 0.26, 0.1), (0.82, 0.6, 0.26), (0.95, 0.82, 0.52), (1.0, 0.95, 0.8)])
    hair = ramp(np.clip(flat, 0, 1), [(0.02, 0.03, 0.05), (0.04, 0.13, 0.16), (0.08, 0.36, 0.38), (0.45, 0.68, 0.62)])
    done = blend(skin, hair, np.clip(face.hair + face.clothing, 0, 1))
    own = saturate(image, 1.4)
    done = blend(done, own, np.full_like(light, 0.12))
    c = face.place(0, 0.9)
    rays = np.sin(np.arctan2(y - c[1], x - c[0]) * 22) > 0
    back = np.where(rays[..., None], floats([0.84, 0.66, 0.28]), floats([0.05, 0.14, 0.18])).astype(np.float32)
    return blend(done, back, face.background * 0.96)


def _icon(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Gold ground, a halo with a red rim, olive shade under ochre light."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    olive = ramp(np.clip(light, 0, 1), [(0.12, 0.08, 0.03), (0.38, 0.26, 0.11), (0.68, 0.47, 0.22), (0.9, 0.72, 0.44), (0.99, 0.92, 0.74)])
    image = blend(image, olive, face.skin * 0.85)
    c = face.place(0, 0.02)
    radius = np.hypot(x - c[0], y - c[1]) / face.width
    gold = floats([0.87, 0.66, 0.2]) * (1 + 0.07 * noise(rng, s, 2 * u)[..., None])
    halo = floats([0.97, 0.82, 0.36]) * (1 + 0.05 * np.sin(np.arctan2(y - c[1], x - c[0]) * 40)[..., None])
    gold = blend(np.clip(gold, 0, 1), np.clip(halo, 0, 1), smoothstep(radius, 0.87, 0.85))
    gold = blend(gold, (0.55, 0.1, 0.07), smoothstep(np.abs(radius - 0.87), 0.022, 0.012))
    image = blend(image, gold, face.background * 0.97)
    return blend(image, image * 0.7, 0.45 * crack_lines(rng, s, 24 * u, 0.6 * u))


def _woodblock(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Flat colours of a Japanese print: pale faces, indigo, a graded sky, the grain of the block."""
    u, s = face.unit, face.size
    _, y = points_grid(s)
    flat = np.floor(np.clip(blur(light, 1 * u), 0, 0.999) * 4) / 3
    paper = ramp(np.clip(flat, 0, 1), [(0.55, 0.4, 0.32), (0.86, 0.7, 0.55), (0.95, 0.86, 0.71), (0.97, 0.92, 0.8)])
    image = blend(image, paper, face.skin * 0.75)
    image = blend(image, ramp(np.clip(flat, 0, 1), [(0.05, 0.07, 0.14), (0.13, 0.17, 0.3), (0.3, 0.34, 0.44)]), face.hair * 0.7)
    cloth = ramp(np.clip(flat, 0, 1), [(0.08, 0.16, 0.36), (0.16, 0.32, 0.56), (0.74, 0.78, 0.76)])
    image = blend(image, cloth, face.clothing * 0.75)
    sky = ramp(np.clip(y / s, 0, 1), [(0.12, 0.3, 0.52), (0.62, 0.74, 0.74), (0.93, 0.87, 0.72), (0.93, 0.78, 0.6)])
    image = blend(image, sky, face.background * 0.95)
    return np.clip(image * (1 + 0.035 * noise(rng, s, 0.9 * u, (10, 1))[..., None]), 0, 1)


def _graffiti(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Spray on bricks: neon colours, soft borders, drips."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    row = np.floor(y / (13 * u))
    bx = (x + (row % 2) * 15 * u) % (30 * u)
    joint = np.maximum(smoothstep(bx, 1.6 * u, 0.6 * u), smoothstep(y % (13 * u), 1.6 * u, 0.6 * u))
    brick = np.clip(floats([0.55, 0.3, 0.25]) * (1 + 0.14 * noise(rng, s, 6 * u)[..., None]), 0, 1)
    brick = blend(brick, (0.7, 0.67, 0.63), joint)
    spray = ramp(np.clip(light, 0, 1), [(0.08, 0.02, 0.2), (0.45, 0.05, 0.62), (0.95, 0.1, 0.55), (1.0, 0.6, 0.1), (1.0, 0.95, 0.35)])
    image = blend(image, spray, face.skin * 0.62)
    image = blend(image, ramp(np.clip(light, 0, 1), [(0.0, 0.1, 0.3), (0.0, 0.5, 0.85), (0.2, 0.95, 0.9), (0.8, 1, 0.95)]), face.hair * 0.7)
    image = blend(image, brick, face.background * 0.93)
    image = blend(image, image * 0.78, joint * 0.7 * face.person)
    halo = np.clip(blur(face.person, 6 * u) - face.person, 0, 1) * 1.6
    image = blend(image, (0.1, 0.95, 0.75), halo * (0.75 + 0.2 * noise(rng, s, 0.8 * u)))
    drips = noise(rng, s, 1.6 * u, (1, 16))
    return blend(image, (0.06, 0.03, 0.1), smoothstep(drips, 1.9, 2.3) * face.person * 0.75 * (1 - blur(face.face, 2 * u) * 0.6))


def _clay(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Model the picture in coloured clay: soft forms, thumb marks, a low light."""
    u, s = face.unit, face.size
    soft = kuwahara(blur(image, 1.6 * u), max(3, round(5 * u)))
    soft = blend(
        blur(soft, 1.0 * u), image, np.clip(face.around_eyes(1.2, 2, 0, 0.7) + blur(face.lips + face.mouth_opening, 2 * u), 0, 1) * 0.75
    )
    form = embossed(blur(light, 2.2 * u), 9 * u) * 0.2
    dents = embossed(noise(rng, s, 5 * u), 2.2 * u) * 0.1 + embossed(noise(rng, s, 1.3 * u), 0.5) * 0.03
    image = np.clip(soft * (1 + (form + dents)[..., None]) + 0.02, 0, 1)
    shine = smoothstep(detail(blur(light, 1.5 * u), 10 * u), 0.07, 0.2)
    return np.clip(image + 0.16 * shine[..., None], 0, 1)


def _render(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Render the picture: flawless skin, rim light, a studio background."""
    u, s = face.unit, face.size
    soft = image
    for _ in range(2):
        soft = cv2.bilateralFilter(soft, -1, 0.12, 5 * u)
    soft = 0.75 * soft + 0.25 * blur(soft, 2 * u)
    image = blend(soft, soft * 0.4 + 0.6 * image, np.clip(face.around_eyes(1.1, 1.5) + 0.3 * face.hair, 0, 1))
    form = blur(luminance(image), 1.2 * u)
    shine = smoothstep(detail(form, 12 * u), 0.05, 0.18) * face.person
    image = np.clip(image + 0.25 * shine[..., None], 0, 1)
    inner = np.clip(face.person - blur(face.person, 5 * u), 0, 1) * 1.6
    x, y = points_grid(s)
    image = np.clip(image + inner[..., None] * floats([0.35, 0.6, 1.0]) * 0.9, 0, 1)
    radius = np.hypot(x / s - 0.5, y / s - 0.45)
    studio = ramp(np.clip(radius * 1.4, 0, 1), [(0.52, 0.6, 0.74), (0.3, 0.36, 0.5), (0.12, 0.14, 0.22)])
    return blend(image, studio, face.background * 0.95)


def _gouache(image: Array, face: DrawnFace, rng: Rng, light: Array) -> Array:
    """Chalky flat colour with dry edges."""
    image = 0.86 * image + 0.12
    dry = smoothstep(noise(rng, face.size, 1.0 * face.unit, (5, 1)), 1.0, 1.8)
    return blend(image, np.clip(image + 0.14, 0, 1), dry * 0.5)


#: What a medium does before its brush goes over the picture, and after.
BEFORE: dict[str, Callable[[Array, DrawnFace, Rng, Array], Array]] = {
    "impressionism": _impressionism, "expressionism": _expressionism, "fauvism": _fauvism, "abstract": _abstract, "surrealism": _surrealism,
    "caricature": _caricature,
}  # fmt: skip
AFTER: dict[str, Callable[[Array, DrawnFace, Rng, Array], Array]] = {
    "watercolour": _watercolour, "fresco": _fresco, "baroque": _baroque, "renaissance": _renaissance, "comic": _comic, "anime": _anime,
    "art nouveau": _nouveau, "art deco": _deco, "byzantine icon": _icon, "woodblock print": _woodblock, "graffiti": _graffiti,
    "claymation": _clay, "3d render": _render, "gouache": _gouache,
}  # fmt: skip
