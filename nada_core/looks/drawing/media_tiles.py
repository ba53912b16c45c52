"""Build a picture from pieces: mosaic, stained glass, dots, pixels, thread, cut paper. Prints and screens: `media_prints`."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.media_lines import evened, outlines, paper_grain
from nada_core.looks.drawing.media_prints import PRINTS
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    cells,
    drag,
    floats,
    flow,
    kuwahara,
    lab,
    luminance,
    noise,
    points_grid,
    ramp,
    rgb,
    saturate,
    smoothstep,
    tile_means,
)

__all__ = ["TILES", "put_together"]

Labels = NDArray[np.int32]


def _edges(labels: Labels, width: float) -> Array:
    """Return the borders between tiles, ``[S, S]``."""
    edge: Array = (cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0).astype(np.float32)
    if width > 1.5:
        edge = cv2.dilate(edge, np.ones((round(width), round(width)), np.uint8))
    return cv2.GaussianBlur(edge, (0, 0), 0.6)


def _mosaic(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    x, y = points_grid(s)
    pitch = 6.5 * u
    # rows of square stones run round the face
    c = face.place(0, 0.15)
    bend = 0.0009 / u * ((x - c[0]) ** 2)
    row = np.floor((y + bend * 0.5) / pitch)
    shift = (row * 0.37) % 1
    column = np.floor(x / pitch + shift)
    labels = (row * 997 + column).astype(np.int64)
    _, inverse = np.unique(labels, return_inverse=True)
    labels = inverse.reshape(s, s).astype(np.int32)
    flat = tile_means(saturate(image, 1.55), labels)
    tone = rng.normal(0, 0.06, labels.max() + 1).astype(np.float32)[labels]
    flat = np.clip(flat * (1 + tone[..., None]) + 0.5 * tone[..., None] * 0.3, 0, 1)
    ry, rx = ((y + bend * 0.5) / pitch) % 1, (x / pitch + shift) % 1
    joint = smoothstep(np.minimum(np.minimum(rx, 1 - rx), np.minimum(ry, 1 - ry)) * pitch, 1.1 * u, 0.3 * u)
    bevel = 0.12 * (0.5 - rx) + 0.12 * (0.5 - ry)
    return blend(np.clip(flat * (1 + bevel[..., None]), 0, 1), (0.34, 0.31, 0.28), joint * 0.85)


def _stained_glass(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    labels, _ = cells(rng, s, 19 * u, 0.5)
    # the panes follow hair, skin and background
    kind = np.argmax(
        np.stack([face.hair, face.skin - face.lips - face.eye_openings, face.clothing, face.background, face.lips, face.eye_openings]), 0
    )
    labels = (labels * 6 + kind).astype(np.int32)
    _, inverse = np.unique(labels, return_inverse=True)
    labels = inverse.reshape(s, s).astype(np.int32)
    vivid = saturate(np.clip(image * 1.1 + 0.04, 0, 1), 2.4)
    flat = tile_means(vivid, labels)
    pixels = lab(flat)
    count = labels.max() + 1
    hue = rng.normal(0, 16, (count, 2)).astype(np.float32)[labels]
    back = floats([[-30, -35], [30, -45], [50, 35], [0, 60], [-45, 25]])[rng.integers(0, 5, count)][labels]
    pixels[..., 1:] = pixels[..., 1:] * 1.15 + hue * 0.5 + face.background[..., None] * (0.9 * back - 0.4 * pixels[..., 1:])
    pixels[..., 0] += rng.normal(0, 5, count).astype(np.float32)[labels]
    glass = rgb(pixels)
    glass = 0.72 * glass + 0.28 * vivid
    glass = np.clip(glass * (1 + 0.05 * noise(rng, s, 2.5 * u)[..., None]) + 0.12 * blur(luminance(glass), 12 * u)[..., None], 0, 1)
    lead = np.clip(_edges(labels, 2.4 * u) * 1.3, 0, 1)
    feature = outlines(luminance(image), 1.6 * u, 1.2) * face.face
    return blend(glass, (0.03, 0.03, 0.04), np.clip(np.maximum(lead, feature), 0, 1))


def _dabs(image: Array, face: DrawnFace, rng: Rng, pitch: float, size: float, jump: float) -> Array:
    """Cover the picture with round dabs of pure colours."""
    u, s = face.unit, face.size
    labels, distance = cells(rng, s, pitch * u, 0.45)
    flat = tile_means(image, labels)
    pixels = lab(flat)
    count = labels.max() + 1
    pixels += (rng.normal(0, 1, (count, 3)) * (jump * 0.5, jump, jump)).astype(np.float32)[labels]
    pixels[..., 1:] *= 1.25
    return blend(floats([0.93, 0.9, 0.83]) * np.ones_like(image), rgb(pixels), smoothstep(distance, size * u, (size - 0.9) * u))


def _pointillism(image: Array, face: DrawnFace, rng: Rng) -> Array:
    image = saturate(image, 1.7)
    first = _dabs(image, face, rng, 5.2, 3.2, 13)
    second = _dabs(image, face, rng, 4.0, 1.8, 20)
    ground = np.abs(second - floats([0.93, 0.9, 0.83])).sum(-1) > 0.08
    return blend(first, second, ground.astype(np.float32) * 0.85)


def _pixel_art(image: Array, face: DrawnFace, rng: Rng) -> Array:
    s = face.size
    small = cv2.resize(saturate(np.clip((image - 0.5) * 1.2 + 0.5, 0, 1), 1.25), (36, 36), interpolation=cv2.INTER_AREA)
    sharp = np.clip(small + 0.7 * (small - cv2.GaussianBlur(small, (0, 0), 1.2)), 0, 1)
    pixels = lab(sharp)
    pixels[..., 0] = np.round(pixels[..., 0] / 13) * 13
    pixels[..., 1:] = np.round(pixels[..., 1:] / 14) * 14
    return cv2.resize(rgb(pixels), (s, s), interpolation=cv2.INTER_NEAREST)


def _triangles(image: Array, face: DrawnFace, rng: Rng, points: Array, colours: Array) -> Array:
    s = face.size
    mesh = scipy.spatial.Delaunay(points.astype(np.float64))
    labels = np.zeros((s, s), np.int32)
    corners = np.round(points[mesh.simplices] * 8).astype(np.int32)
    for i, triangle in enumerate(corners):
        cv2.fillConvexPoly(labels, triangle, i, shift=3)
    flat = tile_means(colours, labels)
    tone = rng.normal(0, 0.035, len(corners) + 1).astype(np.float32)[labels]
    return np.clip(flat * (1 + tone[..., None]), 0, 1).astype(np.float32)


def _low_poly(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    light = cv2.GaussianBlur(luminance(image), (0, 0), 1.5 * u)
    edge = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)) + 0.03
    chance = (edge / edge.sum()).ravel()
    chosen = rng.choice(s * s, 330, replace=False, p=chance.astype(np.float64) / chance.astype(np.float64).sum())
    line = np.linspace(0, s - 1, 7)
    border = np.array([(a, b) for a in line for b in (0, s - 1)] + [(b, a) for a in line for b in (0, s - 1)], np.float32)
    inside = face.landmarks[((face.landmarks > 1) & (face.landmarks < s - 2)).all(1)]
    points = np.unique(np.concatenate([np.stack([chosen % s, chosen // s], -1).astype(np.float32), inside, border]), axis=0)
    return _triangles(image, face, rng, points, saturate(np.clip((image - 0.5) * 1.25 + 0.5, 0, 1), 1.35))


def _cubism(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Break the picture into large planes, each seen from elsewhere, each shaded on its own."""
    u, s = face.unit, face.size
    labels, _ = cells(rng, s, 42 * u, 0.5)
    count = labels.max() + 1
    x, y = points_grid(s)
    move = rng.normal(0, 6.5 * u, (count, 2)).astype(np.float32)[labels]
    zoom = rng.normal(1.0, 0.09, count).astype(np.float32)[labels]
    turn = rng.normal(0, 0.16, count).astype(np.float32)[labels]
    c = face.place(0, 0.15)
    dx, dy = (x - c[0]) * zoom, (y - c[1]) * zoom
    map_x = c[0] + dx * np.cos(turn) - dy * np.sin(turn) + move[..., 0]
    map_y = c[1] + dx * np.sin(turn) + dy * np.cos(turn) + move[..., 1]
    body = kuwahara(image, max(2, round(5 * u)))
    broken = cv2.remap(body, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    # an earthy palette with a few cool planes
    light = luminance(broken)
    earth = ramp(np.clip(light, 0, 1), [(0.1, 0.08, 0.07), (0.4, 0.26, 0.16), (0.74, 0.56, 0.34), (0.93, 0.84, 0.66)])
    cool = ramp(np.clip(light, 0, 1), [(0.07, 0.1, 0.13), (0.26, 0.36, 0.42), (0.55, 0.66, 0.66), (0.88, 0.92, 0.88)])
    which = (rng.random(count) < 0.35)[labels].astype(np.float32)
    plane = blend(earth, cool, which)
    done = 0.42 * saturate(broken, 1.4) + 0.58 * plane
    angle = rng.uniform(0, 2 * np.pi, count).astype(np.float32)[labels]
    slope = ((x * np.cos(angle) + y * np.sin(angle)) / (42 * u)) % 1
    done = np.clip(done * (0.74 + 0.5 * slope[..., None]), 0, 1)
    line = np.maximum(_edges(labels, 1.6 * u), outlines(light, 1.5 * u, 0.8) * 0.8)
    return blend(done, (0.07, 0.05, 0.04), np.clip(line, 0, 1) * 0.85)


def _thread(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Embroider: short satin stitches along the forms, on linen."""
    u, s = face.unit, face.size
    direction = flow(cv2.GaussianBlur(luminance(image), (0, 0), 2 * u), 8 * u)
    # hair is sewn along its strands, skin in slanting rows: swirls would look like tattoos
    slant = -0.6 + 0.35 * noise(rng, s, 28 * u)
    skin = face.skin > 0.5
    direction = (
        np.where(skin, np.cos(slant), direction[0]).astype(np.float32),
        np.where(skin, np.sin(slant), direction[1]).astype(np.float32),
    )
    flat = kuwahara(saturate(image, 1.6), max(2, round(5 * u)))
    labels, _ = cells(rng, s, 2.6 * u, 0.5)
    near = np.clip(face.around_eyes(1.2, 1.5, 0, 0.7) + blur(face.lips + face.mouth_opening, 1.5 * u), 0, 1)
    flat = blend(drag(tile_means(flat, labels), direction, 2, 1.1 * u), flat, near * 0.8)
    strands = drag(noise(rng, s, 0.85 * u), direction, 7, 1.1 * u)
    strands /= strands.std() + 1e-6
    sewn = np.clip(flat * (1 + 0.13 * strands[..., None]) + 0.06 * np.clip(strands, 0, 2)[..., None], 0, 1)
    x, y = points_grid(s)
    weave = 0.5 + 0.25 * (np.sin(x / (1.5 * u) * np.pi) * np.sin(y / (1.5 * u) * np.pi)) + 0.06 * noise(rng, s, 0.8 * u, (6, 1))
    linen = np.clip(floats([0.9, 0.86, 0.76]) * (0.84 + 0.22 * weave[..., None]), 0, 1)
    cover = smoothstep(blur(face.person, 1.5 * u), 0.35, 0.5)
    shadow = np.clip(blur(cover, 2.5 * u) - cover, 0, 1)
    return blend(blend(linen, linen * 0.5, shadow), sewn, cover)


def _tapestry(image: Array, face: DrawnFace, rng: Rng) -> Array:
    u, s = face.unit, face.size
    x, y = points_grid(s)
    pitch = 3.4 * u
    column, row = np.floor(x / pitch), np.floor((y + (np.floor(x / pitch) % 2) * pitch * 0.5) / pitch)
    _, inverse = np.unique((row * 997 + column).astype(np.int64), return_inverse=True)
    labels = inverse.reshape(s, s).astype(np.int32)
    pixels = lab(tile_means(saturate(image, 1.25), labels))
    pixels[..., 0] = np.round(pixels[..., 0] / 9) * 9
    pixels[..., 1:] = np.round(pixels[..., 1:] / 9) * 9
    wool = rgb(pixels) * floats([0.98, 0.9, 0.76])
    rx, ry = (x / pitch) % 1, ((y + (column % 2) * pitch * 0.5) / pitch) % 1
    thread = np.sin(np.pi * rx) ** 0.6 * (0.65 + 0.35 * np.sin(np.pi * ry))
    wool = np.clip(wool * (0.58 + 0.52 * thread[..., None]) * (1 + 0.05 * noise(rng, s, 0.9 * u)[..., None]), 0, 1)
    inner = np.minimum(np.minimum(x, s - x), np.minimum(y, s - y)) / u
    zigzag = np.abs(((x + y) / (8 * u)) % 2 - 1)
    band = smoothstep(inner, 13.5, 12.5)
    pattern = np.where((zigzag > 0.5)[..., None], floats([0.55, 0.12, 0.12]), floats([0.8, 0.66, 0.3])).astype(np.float32)
    return blend(wool, pattern * (0.58 + 0.52 * thread[..., None]), band)


def _collage(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Glue torn pieces of coloured and printed paper together."""
    u, s = face.unit, face.size
    x, y = points_grid(s)
    labels, _ = cells(rng, s, 44 * u, 0.5)
    torn = cv2.remap(
        labels.astype(np.float32),
        x + 1.6 * u * noise(rng, s, 1.5 * u),
        y + 1.6 * u * noise(rng, s, 1.5 * u),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REFLECT,
    ).astype(np.int32)
    count = torn.max() + 1
    move = rng.normal(0, 3.2 * u, (count, 2)).astype(np.float32)[torn]
    moved = cv2.remap(image, x + move[..., 0], y + move[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    tints = floats(
        [
            (0.95, 0.35, 0.3),
            (0.98, 0.8, 0.25),
            (0.25, 0.6, 0.75),
            (0.4, 0.7, 0.4),
            (0.95, 0.93, 0.85),
            (0.85, 0.5, 0.65),
            (1, 1, 1),
            (1, 1, 1),
        ]
    )
    tint = tints[rng.integers(0, len(tints), count)][torn]
    printed = np.clip((luminance(moved) - 0.5) * 1.35 + 0.55, 0, 1)[..., None] * tint
    colour = saturate(moved, 1.5)
    share = np.where(rng.random(count) < 0.5, 0.85, 0.15).astype(np.float32)[torn]
    done = blend(colour, printed, share)
    lines = (np.abs(((y / (5 * u)) % 1) - 0.5) < 0.16) & (noise(rng, s, 1.2 * u, (3, 1)) > -0.2)
    news = blend(floats([0.88, 0.86, 0.8]) * np.ones_like(image), (0.2, 0.2, 0.2), lines.astype(np.float32) * 0.75)
    done = blend(done, news, face.background * 0.85)
    edge = cv2.dilate(
        (cv2.morphologyEx(torn.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0).astype(np.float32),
        np.ones((2, 2), np.uint8),
    )
    done = blend(done, done * 0.5, cv2.GaussianBlur(np.roll(edge, (2, 2), (0, 1)), (0, 0), 1.5 * u) * 0.9)
    return blend(done, (0.97, 0.96, 0.93), cv2.GaussianBlur(edge, (0, 0), 0.7 * u) * 0.75)


def _paper_cut(image: Array, face: DrawnFace, rng: Rng) -> Array:
    """Stack sheets of paper, each with its shadow on the one below."""
    u = face.unit
    light = cv2.GaussianBlur(kuwahara(image, max(2, round(6 * u))), (0, 0), 1.6 * u)
    grey = luminance(light)
    done = floats([0.16, 0.22, 0.36]) * np.ones_like(image)
    sheets = [(0.0, None, 0), (0.26, None, 1), (0.42, None, 2), (0.56, None, 3), (0.7, None, 4)]
    tones = [(0.2, 0.14, 0.25), (0.55, 0.2, 0.3), (0.86, 0.42, 0.34), (0.97, 0.72, 0.5), (1.0, 0.93, 0.8)]
    body = smoothstep(blur(face.person, 1.5 * u), 0.45, 0.55)
    own = saturate(light, 1.5)
    for level, _, k in sheets:
        mask = body * smoothstep(grey + 0.02 * (k > 0), level - 0.012, level + 0.012) if k else body
        shadow = cv2.GaussianBlur(np.roll(mask, (round(3 * u), round(2 * u)), (0, 1)), (0, 0), 2.2 * u)
        done = blend(done, done * 0.45, np.clip(shadow, 0, 1) * 0.8)
        mean = (own * (mask * smoothstep(np.abs(grey - level - 0.07), 0.09, 0.05))[..., None]).sum((0, 1)) / (
            (mask * smoothstep(np.abs(grey - level - 0.07), 0.09, 0.05)).sum() + 1e-3
        )
        tone = 0.62 * floats(tones[k]) + 0.38 * np.clip(mean, 0, 1)
        done = blend(done, tone, mask)
    return np.clip(done * (1 + 0.02 * paper_grain(rng, face)[..., None]), 0, 1)


TILES: dict[str, Callable[[Array, DrawnFace, Rng], Array]] = {
    "mosaic": _mosaic,
    "stained glass": _stained_glass,
    "pointillism": _pointillism,
    "pixel art": _pixel_art,
    "low poly": _low_poly,
    "cubism": _cubism,
    "embroidery": _thread,
    "tapestry": _tapestry,
    "collage": _collage,
    "paper cut": _paper_cut,
    **PRINTS,
}
#: Target lightness of the face for media that are printed in few tones.
EVEN = {
    "stencil": 0.62,
    "pop art": 0.62,
    "screen print": 0.6,
    "ascii art": 0.62,
    "neon": 0.55,
    "hologram": 0.6,
    "vaporwave": 0.56,
    "silhouette": 0.5,
}


def put_together(image: Array, face: DrawnFace, name: str, rng: Rng) -> Array:
    """Make a picture in one of the media of :data:`TILES`."""
    share = 0.9 if name in EVEN else 0.5
    return np.clip(TILES[name](evened(image, face, EVEN.get(name, 0.57), share, 0.2), face, rng), 0, 1).astype(np.float32)
