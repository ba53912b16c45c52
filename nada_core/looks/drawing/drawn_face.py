"""Describe a face for the drawing code: the picture, 68 landmarks, and soft masks of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from nada_core.looks.drawing.operations import (
    Array,
    blur,
    disc,
    floats,
    guided_filter,
    lab,
    luminance,
    smoothstep,
    soft_polygon,
    statistics,
    stroke,
)

__all__ = ["REGIONS", "DrawnFace", "face_from"]

#: Order of the shares that :func:`face_from` takes.
REGIONS = ("hair", "face", "body", "clothing", "background", "eyes", "mouth")


@dataclass(frozen=True)
class DrawnFace:
    """One photo-like face with what is known about it.

    Attributes:
        image: RGB ``[S, S, 3]`` in [0, 1].
        landmarks: ``[68, 2]`` in pixels, dlib's order.
        hair, face, body, clothing, background: soft masks ``[S, S]`` in [0, 1]; the face includes eyes and mouth.
    """

    image: Array
    landmarks: Array
    hair: Array
    face: Array
    body: Array
    clothing: Array
    background: Array

    @property
    def size(self) -> int:
        """Return the side of the picture in pixels."""
        return int(self.image.shape[0])

    @property
    def unit(self) -> float:
        """Return how many pixels are one pixel of a picture 256 wide."""
        return self.size / 256

    @cached_property
    def width(self) -> float:
        """Return the face's width, jaw to jaw, in pixels; heads turned aside count by their height as well."""
        p = self.landmarks
        across = float(np.linalg.norm(p[16] - p[0]))
        return max(across, 1.0 * float(np.linalg.norm(p[8] - p[27])), 8.0)

    @cached_property
    def down(self) -> Array:
        """Return the unit vector from the eyes to the chin."""
        v = self.landmarks[8] - self.landmarks[27]
        return (v / (np.linalg.norm(v) + 1e-6)).astype(np.float32)

    @cached_property
    def right(self) -> Array:
        """Return the unit vector across the face, to the picture's right."""
        v = self.landmarks[42:48].mean(0) - self.landmarks[36:42].mean(0)
        return (v / (np.linalg.norm(v) + 1e-6)).astype(np.float32)

    @cached_property
    def eyes(self) -> tuple[Array, Array]:
        """Return the outlines of both eyes, each ``[6, 2]``."""
        return self.landmarks[36:42], self.landmarks[42:48]

    def place(self, across: float, along: float) -> Array:
        """Return the point ``across`` and ``along`` face widths right of and below the bridge of the nose."""
        return (self.landmarks[27] + self.right * across * self.width + self.down * along * self.width).astype(np.float32)

    @cached_property
    def cheek_points(self) -> tuple[Array, Array]:
        """Return the middle of each cheek."""
        p = self.landmarks
        left, right = p[[36, 48]].mean(0) * 0.72 + p[2] * 0.28, p[[45, 54]].mean(0) * 0.72 + p[14] * 0.28
        return left.astype(np.float32), right.astype(np.float32)

    def around_eyes(self, scale: float, soft: float, sag: float = 0.0, flat: float = 0.8) -> Array:
        """Return soft ovals ``scale`` times the eye's half width around both eyes, pulled down by ``sag`` eye widths."""
        mask = np.zeros((self.size, self.size), np.float32)
        for eye in self.eyes:
            axis = eye[3] - eye[0]
            half = float(np.linalg.norm(axis)) / 2 + 1e-3
            centre = eye.mean(0) + self.down * sag * 2 * half
            mask = np.maximum(mask, disc(centre, (half * scale, half * scale * flat), self.size, 0.5, axis / (2 * half)))
        return blur(mask, soft * self.unit)

    @cached_property
    def eye_openings(self) -> Array:
        """Return the mask of whites and irises."""
        u = self.unit
        parts = [soft_polygon(e.mean(0) + (e - e.mean(0)) * floats([1.05, 1.15]), self.size, 0.8 * u) for e in self.eyes]
        return np.clip(parts[0] + parts[1], 0, 1)

    @cached_property
    def iris_places(self) -> tuple[tuple[Array, float], ...]:
        """Return centre and radius of both irises: the darkest disc between the corners of each eye."""
        light = cv2.GaussianBlur(luminance(self.image), (0, 0), 1.8 * self.unit)
        found = []
        for eye in self.eyes:
            axis, centre = eye[3] - eye[0], eye.mean(0)
            radius = float(np.linalg.norm(axis)) * 0.205 + 0.3
            trials = [centre + axis * t for t in np.linspace(-0.2, 0.2, 9)]
            values = [
                cv2.getRectSubPix(light, (3, 3), (float(q[0]), float(q[1]))).mean() + 0.12 * abs(t)
                for q, t in zip(trials, np.linspace(-2, 2, 9))
            ]
            found.append((np.asarray(trials[int(np.argmin(values))], np.float32), radius))
        return tuple(found)

    @cached_property
    def irises(self) -> Array:
        """Return the mask of the irises, pupils included."""
        mask: Array = np.maximum(*(disc(c, (r, r), self.size, 1.0 * self.unit) for c, r in self.iris_places))
        return np.clip(mask * np.clip(self.eye_openings * 1.3, 0, 1), 0, 1).astype(np.float32)

    @cached_property
    def pupils(self) -> Array:
        """Return the mask of the pupils."""
        mask: Array = np.maximum(*(disc(c, (r * 0.4, r * 0.4), self.size, 0.7 * self.unit) for c, r in self.iris_places))
        return np.clip(mask * self.eye_openings, 0, 1).astype(np.float32)

    @cached_property
    def mouth_opening(self) -> Array:
        """Return the mask of what shows between the lips."""
        inner = self.landmarks[60:68]
        gap = float(np.linalg.norm(inner[2] - inner[6]))
        # lips that touch have landmarks a pixel or two apart
        return soft_polygon(inner, self.size, 0.8 * self.unit) * float(np.clip((gap / self.unit - 2) / 2, 0, 1))

    @cached_property
    def teeth(self) -> Array:
        """Return the mask of the teeth: what is light and pale inside the mouth."""
        pixels = lab(self.image)
        chroma = np.hypot(pixels[..., 1], pixels[..., 2])
        return self.mouth_opening * smoothstep(pixels[..., 0] - 1.1 * chroma, 5, 30)

    @cached_property
    def lips(self) -> Array:
        """Return the mask of the lips without the opening."""
        outer = self.landmarks[48:60]
        grown = outer.mean(0) + (outer - outer.mean(0)) * floats([1.02, 1.06])
        return np.clip(soft_polygon(grown, self.size, 1.2 * self.unit) - self.mouth_opening, 0, 1)

    @cached_property
    def brows(self) -> Array:
        """Return the mask of the eyebrows, denser where they are dark."""
        p, w = self.landmarks, self.width
        shape = np.zeros((self.size, self.size), np.float32)
        for brow in (p[17:22], p[22:27]):
            shape = np.maximum(shape, stroke(brow + self.down * w * 0.012, w * 0.055, self.size, 1.5 * self.unit))
        light = lab(self.image)[..., 0]
        dark = blur(light, 9 * self.unit) - cv2.GaussianBlur(light, (0, 0), 0.8 * self.unit)
        return np.clip(shape * (0.35 + 0.65 * smoothstep(dark, -2, 8)), 0, 1)

    @cached_property
    def cheeks(self) -> Array:
        """Return soft discs on the cheeks."""
        r = self.width * 0.15
        mask = np.maximum(*(disc(c, (r, r), self.size, 0.5) for c in self.cheek_points))
        return blur(mask, self.width * 0.045) * self.bare_face

    @cached_property
    def forehead(self) -> Array:
        """Return the mask of the skin above the brows."""
        brow = self.landmarks[17:27] - self.down * self.width * 0.03
        top = brow[::-1] - self.down * self.width * 0.5
        return soft_polygon(np.concatenate([brow, top]), self.size, 3 * self.unit) * self.face

    @cached_property
    def beard_area(self) -> Array:
        """Return the mask of where a full beard grows: jaw, chin, upper lip."""
        p, d, w = self.landmarks, self.down, self.width
        jaw = p[2:15] + d * w * 0.02
        upper = [p[14] * 0.75 + p[54] * 0.25, p[54] * 0.8 + p[13] * 0.2 - d * w * 0.05, p[35] * 0.4 + p[53] * 0.6, p[33] + d * w * 0.035]
        upper += [p[31] * 0.4 + p[49] * 0.6, p[48] * 0.8 + p[3] * 0.2 - d * w * 0.05, p[2] * 0.75 + p[48] * 0.25]
        area = soft_polygon(np.concatenate([jaw, np.stack(upper)]).astype(np.float32), self.size, 3 * self.unit)
        return area * (1 - np.clip(self.lips + self.mouth_opening, 0, 1)) * np.clip(self.face + self.body, 0, 1)

    @cached_property
    def skin(self) -> Array:
        """Return the mask of face, ears and neck."""
        return np.clip(self.face + self.body, 0, 1)

    @cached_property
    def bare_face(self) -> Array:
        """Return the mask of the face without eyeballs and teeth."""
        return self.face * (1 - self.eye_openings) * (1 - self.mouth_opening)

    @cached_property
    def bare_skin(self) -> Array:
        """Return the mask of all skin without eyeballs and teeth."""
        return self.skin * (1 - self.eye_openings) * (1 - self.mouth_opening)

    @cached_property
    def plain_skin(self) -> Array:
        """Return the mask of skin that shows its own colour: no lips, brows or beard line."""
        return self.bare_skin * (1 - self.lips) * (1 - self.brows)

    @cached_property
    def person(self) -> Array:
        """Return the mask of everything but the background."""
        return np.clip(1 - self.background, 0, 1)

    @cached_property
    def hair_colour(self) -> Array:
        """Return the mean Lab ``[3]`` of the hair, or of the brows where there is none."""
        mask = self.hair if self.hair.mean() > 0.01 else self.brows
        return statistics(lab(self.image), mask)[0]

    def seen_as(self, image: Array) -> DrawnFace:
        """Return the same face with another picture."""
        return replace(self, image=image)


def _pixels(image: Any) -> Array:
    """Read a tensor ``[3, S, S]`` (or ``[1, 3, S, S]``) in [-1, 1] or an array ``[S, S, 3]`` in [0, 1]."""
    if hasattr(image, "detach"):
        image = image.detach().cpu().numpy()
    pixels: Array = np.asarray(image, np.float32)
    if pixels.ndim == 4:
        pixels = pixels[0]
    if pixels.shape[0] == 3 and pixels.shape[-1] != 3:
        pixels = pixels.transpose(1, 2, 0) / 2 + 0.5
    return np.ascontiguousarray(np.clip(pixels, 0, 1), np.float32)


def _settled(prior: Array, image: Array) -> Array:
    """Settle soft borders ``[5, S, S]`` by the colours of this face, then snap them to the picture's edges."""
    unit = image.shape[0] / 256
    pixels = lab(cv2.GaussianBlur(image, (0, 0), 1.0 * unit))
    logits = np.log(prior + 1e-3)
    for k in range(len(prior)):
        sure = prior[k] > 0.9
        if sure.sum() < 60:
            logits[k] -= 0.8  # a region that is nowhere sure of itself must not win for want of colours that speak against it
            continue
        # the lightness of hair and cloth varies with the light far more than their hue
        mean, deviation = pixels[sure].mean(0), pixels[sure].std(0) + floats([8, 4, 4])
        logits[k] += 0.4 * np.maximum(-0.5 * (((pixels - mean) / deviation) ** 2).sum(-1), -8)
    posterior = np.exp(logits - logits.max(0))
    posterior /= posterior.sum(0)
    guide = luminance(image)
    masks = np.stack([guided_filter(guide, p.astype(np.float32), max(2, round(5 * unit))) for p in posterior])
    # soft borders of the filter spread a veil of every region over all others
    masks = smoothstep(masks / (masks.sum(0) + 1e-6), 0.08, 0.92)
    return (masks / (masks.sum(0) + 1e-6)).astype(np.float32)


def face_from(image: Any, shares: Any, landmarks: Any) -> DrawnFace:
    """Make a face of its picture, region shares and landmarks.

    Args:
        image: tensor ``[3, S, S]`` in [-1, 1], or array ``[S, S, 3]`` in [0, 1].
        shares: ``[7, h, w]``, the share of each of :data:`REGIONS` (hair, face, body, clothing, background, eyes, mouth) at each place.
        landmarks: ``[68, 2]`` in pixels.
    """
    pixels = _pixels(image)
    size = pixels.shape[0]
    if hasattr(shares, "detach"):
        shares = shares.detach().float().cpu().numpy()
    coarse = np.asarray(shares, np.float32)
    if coarse.shape[0] != len(REGIONS):
        raise ValueError(f"{len(REGIONS)} regions expected, not {coarse.shape[0]}")
    large = np.stack([cv2.resize(share, (size, size), interpolation=cv2.INTER_CUBIC) for share in coarse]).clip(0, 1)
    large[1] += large[5] + large[6]
    masks = _settled(large[:5] / (large[:5].sum(0) + 1e-6), pixels)
    return DrawnFace(pixels, np.asarray(landmarks, np.float32).reshape(68, 2), *masks)
