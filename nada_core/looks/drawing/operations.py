"""Provide the picture operations that all drawings share: colour, blending, masks, noise and brush direction.

Images are RGB float32 ``[S, S, 3]`` in [0, 1], masks ``[S, S]`` in [0, 1]. Lengths are in pixels of the picture at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nada_core.looks.look import Lab

__all__ = [
    "Array",
    "Rng",
    "blend",
    "blur",
    "cells",
    "detail",
    "disc",
    "drag",
    "embossed",
    "floats",
    "flow",
    "guided_filter",
    "kuwahara",
    "lab",
    "luminance",
    "noise",
    "points_grid",
    "ramp",
    "recolour",
    "rgb",
    "rgb_of",
    "saturate",
    "screen",
    "shade",
    "smoothstep",
    "soft_polygon",
    "statistics",
    "stroke",
    "tile_means",
]

#: float32 wherever pixels are concerned; numpy widens intermediate results now and then, so the type is left open.
Array = NDArray[Any]
Rng = np.random.Generator
Colour = Array | Sequence[float]


def floats(values: Any) -> Array:
    """Return values as a float32 array."""
    return np.asarray(values, np.float32)


def lab(image: Array) -> Array:
    """Convert to CIE Lab: L in [0, 100], a and b about [-128, 127]."""
    return cv2.cvtColor(image.astype(np.float32, copy=False), cv2.COLOR_RGB2LAB)


def rgb(image: Array) -> Array:
    """Convert back from Lab, clipped to [0, 1]."""
    return np.clip(cv2.cvtColor(image.astype(np.float32, copy=False), cv2.COLOR_LAB2RGB), 0, 1)


def rgb_of(colour: Lab) -> Array:
    """Return one Lab colour as RGB ``[3]``."""
    return rgb(np.array([[colour]], np.float32))[0, 0]


def luminance(image: Array) -> Array:
    """Return the grey picture ``[S, S]``."""
    return cv2.cvtColor(image.astype(np.float32, copy=False), cv2.COLOR_RGB2GRAY)


def smoothstep(x: Array, low: float | Array, high: float | Array) -> Array:
    """Rise smoothly from 0 at ``low`` to 1 at ``high`` (falls where ``high`` is lower)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def blur(image: Array, sigma: float) -> Array:
    """Blur with a gaussian; wide ones work on a smaller picture, which looks the same and is quicker."""
    factor = min(8, int(sigma / 2.5))
    if factor < 2:
        return cv2.GaussianBlur(image, (0, 0), max(sigma, 0.05))
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(4, width // factor), max(4, height // factor)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * small.shape[1] / width)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def detail(image: Array, sigma: float) -> Array:
    """Return what a gaussian of ``sigma`` removes."""
    return image - blur(image, sigma)


def blend(below: Array, above: Colour, mask: Array) -> Array:
    """Lay ``above`` (a picture or one colour) over ``below`` where ``mask`` is 1."""
    m = np.clip(mask, 0, 1)
    m = cv2.merge((m, m, m))  # numpy takes four times as long where it has to repeat a value for three colours itself
    return (below + (np.asarray(above, np.float32) - below) * m).astype(np.float32, copy=False)


def screen(below: Array, light: Array) -> Array:
    """Add light without burning out."""
    return (1 - (1 - np.clip(below, 0, 1)) * (1 - np.clip(light, 0, 1))).astype(np.float32)


def shade(surface: Array, change: Array) -> Array:
    """Make a surface lighter or darker by a share."""
    return np.clip(surface * (1 + change[..., None]), 0, 1)


def soft_polygon(points: Array, size: int, soft: float = 1.5) -> Array:
    """Fill a polygon with soft edges, ``[S, S]``."""
    mask = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [np.round(points * 8).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=3)
    return cv2.GaussianBlur(mask, (0, 0), max(soft, 0.3))


def stroke(points: Array, width: float, size: int, soft: float = 0.8) -> Array:
    """Draw an open line through points, ``[S, S]``."""
    mask = np.zeros((size, size), np.float32)
    cv2.polylines(mask, [np.round(np.asarray(points) * 8).astype(np.int32)], False, 1.0, max(1, round(width)), cv2.LINE_AA, shift=3)
    return cv2.GaussianBlur(mask, (0, 0), max(soft, 0.3))


def points_grid(size: int) -> tuple[Array, Array]:
    """Return the x and y of every pixel, each ``[S, S]``."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return x, y


def disc(centre: Array, radii: tuple[float, float], size: int, soft: float = 1.5, axis: Array | None = None) -> Array:
    """Fill an ellipse with soft edges: ``radii`` along ``axis`` (a unit vector; to the right) and across it."""
    mask = np.zeros((size, size), np.float32)
    ux, uy = (1.0, 0.0) if axis is None else (float(axis[0]), float(axis[1]))
    edge = soft / max(min(radii), 1e-3)
    reach = max(radii) * (1 + edge) + 1
    # most discs are small: only the square about them is computed
    x0, x1 = (int(np.clip(centre[0] + side * reach + (side > 0), 0, size)) for side in (-1, 1))
    y0, y1 = (int(np.clip(centre[1] + side * reach + (side > 0), 0, size)) for side in (-1, 1))
    if x0 >= x1 or y0 >= y1:
        return mask
    dy, dx = np.mgrid[y0:y1, x0:x1].astype(np.float32) - floats([centre[1], centre[0]])[:, None, None]
    distance = np.hypot((dx * ux + dy * uy) / radii[0], (dy * ux - dx * uy) / radii[1])
    mask[y0:y1, x0:x1] = smoothstep(distance, 1 + edge, 1 - edge)
    return mask


def noise(rng: Rng, size: int, sigma: float, stretch: tuple[float, float] = (1, 1)) -> Array:
    """Make a smooth random field with zero mean and unit deviation, ``[S, S]``; ``stretch`` lengthens it along x and y."""
    sx, sy = sigma * stretch[0], sigma * stretch[1]
    step = max(1.0, min(sx, sy) / 1.5)
    small = int(np.ceil(size / step)) + 4
    field = cv2.GaussianBlur(rng.standard_normal((small, small)).astype(np.float32), (0, 0), sx / step, sigmaY=sy / step)
    if step > 1:
        field = cv2.resize(field, (int(small * step), int(small * step)), interpolation=cv2.INTER_CUBIC)
    field = field[:size, :size]
    return ((field - field.mean()) / (field.std() + 1e-6)).astype(np.float32)


def ramp(x: Array, colours: Sequence[Sequence[float]] | Array, stops: Sequence[float] | None = None) -> Array:
    """Map ``x`` in [0, 1] to colours along a ramp, evenly spaced unless ``stops`` say otherwise: ``[S, S, 3]``."""
    table = np.asarray(colours, np.float32)
    places = np.linspace(0, 1, len(table)) if stops is None else stops
    fine = np.stack([np.interp(np.linspace(0, 1, 256), places, table[:, i]) for i in range(3)], -1).astype(np.float32)
    return fine[np.clip(x * 255, 0, 255).astype(np.uint8)]


def saturate(image: Array, factor: float) -> Array:
    """Multiply the distance from grey."""
    grey = luminance(image)[..., None]
    return np.clip(grey + (image - grey) * factor, 0, 1).astype(np.float32)


def statistics(pixels: Array, mask: Array) -> tuple[Array, Array]:
    """Return the mean and deviation of pixels ``[S, S, C]`` under a mask."""
    weights = mask.ravel().astype(np.float64) + 1e-9
    flat = pixels.reshape(weights.size, -1).astype(np.float64)
    weights /= weights.sum()
    mean = weights @ flat
    return mean.astype(np.float32), np.sqrt(np.maximum(weights @ (flat * flat) - mean**2, 0)).astype(np.float32)


def recolour(
    image: Array,
    mask: Array,
    colour: Lab,
    amount: float = 0.92,
    contrast: float = 1.0,
    chroma: float = 0.25,
    spread: float | None = 10.0,
    known: Array | None = None,
) -> Array:
    """Move a region's mean to a Lab colour while its own shading stays, whatever its colour was.

    Dark and light skin (or hair) reach the same picture: the deviation of lightness goes most of the way to ``spread`` (None keeps it)
    times ``contrast``, so that dark regions do not come out flat; differences of colour inside the region are multiplied by ``chroma``.
    ``known`` is the part of the mask whose statistics count (the mask itself where it is not given).
    """
    if float(mask.sum()) < 2e-4 * mask.size:
        return image
    pixels = lab(image)
    counts = mask * mask if known is None else known * mask  # its soft border is mixed with what lies around it
    mean, deviation = statistics(pixels, counts)
    # black things have less room between their shades than others
    room = float(np.clip(colour[0] / 32, 0.45, 1))
    gain = 1.0 if spread is None else float(np.clip((spread * room / (deviation[0] + 0.5)) ** 0.7, 0.4, 2.4))
    scale = np.array([gain * contrast, chroma, chroma], np.float32) * amount + (1 - amount)
    # thick paint covers: dark skin under it ends as light as light skin, though some of its own hue shines through
    cover = amount + (1 - amount) * float(smoothstep(np.asarray(amount, np.float32), 0.6, 0.9))
    target = mean + np.array([cover, amount, amount], np.float32) * (np.asarray(colour, np.float32) - mean)
    painted = target + scale * (pixels - mean)
    light = painted[..., 0]
    # highlights and shadows roll off instead of clipping to flat patches
    light = np.where(light > 88, 88 + 11 * np.tanh((light - 88) / 11), light)
    painted[..., 0] = np.where(light < 8, 8 + 7 * np.tanh((light - 8) / 9), light)
    # paint in deep shadow and glare has less colour than in full light
    less = np.clip(0.35 + painted[..., 0:1] / max(float(target[0]), 20) * 0.65, 0.35, 1.1)
    painted[..., 1:] *= less / max(0.7, float((less[..., 0] * counts).sum() / (counts.sum() + 1e-6)))
    return blend(image, rgb(painted), mask)


def kuwahara(image: Array, radius: int) -> Array:
    """Flatten to paint dabs and keep edges: each pixel takes the mean of its least varied neighbouring quadrant."""
    k = (radius + 1, radius + 1)
    grey = luminance(image)
    means, variances = [], []
    for anchor in ((0, 0), (radius, 0), (0, radius), (radius, radius)):
        means.append(cv2.boxFilter(image, -1, k, anchor=anchor, borderType=cv2.BORDER_REFLECT))
        mean = cv2.boxFilter(grey, -1, k, anchor=anchor, borderType=cv2.BORDER_REFLECT)
        variances.append(cv2.boxFilter(grey * grey, -1, k, anchor=anchor, borderType=cv2.BORDER_REFLECT) - mean * mean)
    best = np.argmin(np.stack(variances), 0)
    out = means[0]
    for i in range(1, 4):
        out = np.where((best == i)[..., None], means[i], out)
    return out.astype(np.float32)


def guided_filter(guide: Array, mask: Array, radius: int = 5, eps: float = 3e-4) -> Array:
    """Smooth a mask along the edges of a grey ``guide`` (He et al. 2010)."""
    size = (2 * radius + 1, 2 * radius + 1)
    m, q = cv2.blur(guide, size), cv2.blur(mask, size)
    a = (cv2.blur(guide * mask, size) - m * q) / (cv2.blur(guide * guide, size) - m * m + eps)
    return np.clip(cv2.blur(a, size) * guide + cv2.blur(q - a * m, size), 0, 1)


def flow(light: Array, sigma: float) -> tuple[Array, Array]:
    """Return unit vectors (x, y) along the picture's edges, smoothed over ``sigma`` (structure tensor)."""
    gx, gy = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    xx, xy, yy = (blur(v, sigma) for v in (gx * gx, gx * gy, gy * gy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def drag(field: Array, direction: tuple[Array, Array], length: int, step: float = 1.0) -> Array:
    """Smear a picture or noise along directions (line integral convolution): ``length`` steps to each side."""
    size = field.shape[0]
    x, y = points_grid(size)
    vx, vy = direction
    total = field.copy()
    for sign in (1.0, -1.0):
        px, py, lx, ly = x, y, vx * sign, vy * sign
        for _ in range(length):
            px, py = px + lx * step, py + ly * step
            total += cv2.remap(field, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            ix, iy = np.clip(px, 0, size - 1).astype(np.int32), np.clip(py, 0, size - 1).astype(np.int32)
            nx, ny = vx[iy, ix], vy[iy, ix]
            turn = np.where(nx * lx + ny * ly < 0, np.float32(-1), np.float32(1))
            lx, ly = nx * turn, ny * turn
    return (total / (2 * length + 1)).astype(np.float32)


def embossed(height: Array, strength: float = 1.0) -> Array:
    """Return the light that a height map catches from the upper left, about [-1, 1]."""
    gx, gy = cv2.Sobel(height, cv2.CV_32F, 1, 0), cv2.Sobel(height, cv2.CV_32F, 0, 1)
    return np.tanh(-(gx + gy) * strength / 4).astype(np.float32)


def cells(rng: Rng, size: int, spacing: float, jitter: float = 0.5) -> tuple[NDArray[np.int32], Array]:
    """Divide the plane into irregular tiles.

    Returns:
        Tile numbers from 0, ``[S, S]``, and the distance from each tile's centre in pixels.
    """
    count = int(np.ceil(size / spacing)) + 2
    gy, gx = np.mgrid[-1:count, -1:count].astype(np.float32)
    gx = gx + 0.5 * (np.arange(-1, count)[:, None] % 2)  # as bricks lie
    centres = (np.stack([gx, gy], -1).reshape(-1, 2) + 0.5 + rng.uniform(-jitter, jitter, (gx.size, 2))) * spacing
    inside = np.round(centres[((centres >= 0) & (centres < size - 0.5)).all(1)]).astype(int).clip(0, size - 1)
    seeds = np.full((size, size), 255, np.uint8)
    seeds[inside[:, 1], inside[:, 0]] = 0
    distance, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    return (labels - 1).astype(np.int32), distance.astype(np.float32)


def tile_means(image: Array, labels: NDArray[np.int32]) -> Array:
    """Give every tile its mean colour: ``[S, S, 3]`` (or ``[S, S]`` for a grey picture)."""
    flat = labels.ravel()
    number = np.maximum(np.bincount(flat), 1)
    planes = image.reshape(flat.size, -1)
    means = np.stack([np.bincount(flat, planes[:, i]) / number for i in range(planes.shape[1])], -1)
    return means[flat].reshape(image.shape).astype(np.float32)
