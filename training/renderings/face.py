"""Describe a face for the renderings, with the image operations that they share. Images are RGB float32 [256, 256, 3] in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "RenderFace", "blend", "detail", "lab", "luminance", "noise_field", "recolour", "rgb", "soft_polygon", "stroke"]

Array = NDArray[np.float32]
SIZE = 256


def lab(image: Array) -> Array:
    """CIE Lab: L in [0, 100], a and b about [-128, 127]."""
    return cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2LAB)


def rgb(image: Array) -> Array:
    """Back from Lab, clipped to [0, 1]."""
    return np.clip(cv2.cvtColor(image.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)


def luminance(image: Array) -> Array:
    return cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY)


def blend(below: Array, above: Array | tuple[float, ...], mask: Array) -> Array:
    """``above`` over ``below`` where ``mask`` [256, 256] is 1."""
    m = np.clip(mask, 0, 1)[..., None]
    return (below * (1 - m) + np.asarray(above, np.float32) * m).astype(np.float32)


def soft_polygon(points: Array, blur: float = 1.5) -> Array:
    """Filled polygon with soft edges, [256, 256] in [0, 1]."""
    mask = np.zeros((SIZE, SIZE), np.float32)
    cv2.fillPoly(mask, [np.round(points * 8).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=3)
    return cv2.GaussianBlur(mask, (0, 0), blur)


def stroke(points: Array, width: float, blur: float = 1.0) -> Array:
    """Open polyline, [256, 256] in [0, 1]."""
    mask = np.zeros((SIZE, SIZE), np.float32)
    cv2.polylines(mask, [np.round(points * 8).astype(np.int32)], False, 1.0, max(1, round(width)), cv2.LINE_AA, shift=3)
    return cv2.GaussianBlur(mask, (0, 0), blur)


def detail(image: Array, sigma: float) -> Array:
    """What a gaussian of ``sigma`` removes."""
    return image - cv2.GaussianBlur(image, (0, 0), sigma)


def noise_field(rng: np.random.Generator, sigma: float) -> Array:
    """Smooth random field with zero mean and unit deviation."""
    field = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), (0, 0), sigma)
    return (field - field.mean()) / (field.std() + 1e-6)


def recolour(
    image: Array, mask: Array, colour: tuple[float, float, float], amount: float = 0.9, contrast: float = 1.0, chroma: float = 0.25
) -> Array:
    """Give a region the mean Lab ``colour`` while keeping its own shading, whatever its colour was.

    Light and dark skin (or hair) reach the same colour: the region's mean goes to ``colour``; lightness differences are kept times
    ``contrast``, colour differences times ``chroma``.
    """
    pixels = lab(image)
    weights = mask[..., None] + 1e-6
    mean = (pixels * weights).sum((0, 1)) / weights.sum((0, 1))
    scale = np.array([contrast, chroma, chroma], np.float32)
    painted = np.array(colour, np.float32) + scale * (pixels - mean)
    # highlights roll off instead of clipping to flat white
    painted[..., 0] = np.where(painted[..., 0] > 88, 88 + 12 * np.tanh((painted[..., 0] - 88) / 12), np.maximum(painted[..., 0], 2))
    return blend(image, rgb(painted), mask * amount)


@dataclass(frozen=True)
class RenderFace:
    """One photo-like face with what is known about it: 68 landmarks [68, 2] in pixels and soft region masks [256, 256] in [0, 1]."""

    image: Array
    landmarks: Array
    hair: Array
    face: Array
    body: Array
    clothing: Array
    background: Array

    @cached_property
    def width(self) -> float:
        """Jaw to jaw, pixels."""
        return float(np.linalg.norm(self.landmarks[16] - self.landmarks[0]))

    @cached_property
    def down(self) -> Array:
        """Unit vector from the eyes to the chin."""
        v = self.landmarks[8] - self.landmarks[27]
        return (v / (np.linalg.norm(v) + 1e-6)).astype(np.float32)

    @cached_property
    def eyes(self) -> list[Array]:
        return [self.landmarks[36:42], self.landmarks[42:48]]

    def around_eyes(self, scale: float, blur: float, sag: float = 0.0) -> Array:
        """Soft discs ``scale`` times the eye's half width around both eyes, pulled down by ``sag`` eye widths."""
        yy, xx = np.mgrid[:SIZE, :SIZE].astype(np.float32)
        mask = np.zeros((SIZE, SIZE), np.float32)
        for eye in self.eyes:
            axis = eye[3] - eye[0]
            half = np.linalg.norm(axis) / 2 + 1e-3
            cx, cy = eye.mean(0) + self.down * sag * 2 * half
            ux, uy = axis / (2 * half)
            along, across = (xx - cx) * ux + (yy - cy) * uy, -(xx - cx) * uy + (yy - cy) * ux
            mask = np.maximum(mask, (np.hypot(along / (half * scale), across / (half * scale * 0.8)) < 1).astype(np.float32))
        return cv2.GaussianBlur(mask, (0, 0), blur)

    @cached_property
    def eye_openings(self) -> Array:
        return np.clip(sum(soft_polygon(e.mean(0) + (e - e.mean(0)) * 1.12, 0.8) for e in self.eyes), 0, 1)

    @cached_property
    def mouth_opening(self) -> Array:
        return soft_polygon(self.landmarks[60:68], 0.8)

    @cached_property
    def lips(self) -> Array:
        return np.clip(soft_polygon(self.landmarks[48:60], 1.2) - self.mouth_opening, 0, 1)

    @cached_property
    def skin(self) -> Array:
        """Face, ears and neck."""
        return np.clip(self.face + self.body, 0, 1)

    @cached_property
    def bare_face(self) -> Array:
        """The face without eyeballs and teeth."""
        return self.face * (1 - self.eye_openings) * (1 - self.mouth_opening)

    @cached_property
    def bare_skin(self) -> Array:
        return self.skin * (1 - self.eye_openings) * (1 - self.mouth_opening)

    @cached_property
    def person(self) -> Array:
        return np.clip(1 - self.background, 0, 1)
