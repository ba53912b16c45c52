"""Draw closed eyes, lips that are sewn shut, and antlers."""

from __future__ import annotations

import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.operations import Array, Rng, blend, blur, disc, floats, rgb_of, soft_polygon, stroke
from nada_core.looks.look import Lab, Mark

__all__ = ["FEATURE_COLOURS", "FEATURE_DRAWINGS"]

FEATURE_COLOURS: dict[str, Lab] = {"closed eyes": (12, 4, 4), "sewn lips": (10, 2, 2), "antlers": (44, 10, 24)}


def _closed_eyes(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    """Lay the upper lid, in the colour of the skin around it, over the eye, and lashes along its lower edge."""
    d, w, u, size = face.down, face.width, face.unit, face.size
    for eye in face.eyes:
        middle, wide = eye.mean(0), float(np.linalg.norm(eye[3] - eye[0]))
        across = (eye[3] - eye[0]) / wide
        t = np.linspace(-1, 1, 21)[:, None]
        arch = np.sqrt(np.clip(1 - t**2, 0, 1))
        lid = middle + across * t * wide * 0.58
        upper, lower = lid - d * wide * 0.34 * arch, lid + d * wide * 0.26 * arch
        cover = soft_polygon(np.concatenate([upper, lower[::-1]]).astype(np.float32), size, 1.6 * u)
        ring = np.clip(disc(middle + d * wide * 0.5, (wide * 0.5, wide * 0.16), size, 2 * u) - cover, 0, 1)
        skin = (image * ring[..., None]).sum((0, 1)) / max(float(ring.sum()), 1e-3)
        bulge = blur(disc(middle - d * wide * 0.03, (wide * 0.34, wide * 0.17), size, 3 * u), 2 * u)
        tone = np.clip(floats(skin) * (0.88 + 0.16 * bulge)[..., None], 0, 1)
        image = blend(image, tone, cover * mark.amount)
        fold = middle + across * t * wide * 0.5 - d * wide * 0.24 * arch
        image = blend(image, image * 0.72, stroke(fold.astype(np.float32), 1.8 * u, size, 1.2 * u) * 0.7 * mark.amount)
        line = middle + across * t * wide * 0.53 + d * wide * 0.17 * arch
        lashes = stroke(line.astype(np.float32), 2.6 * u, size, 0.7 * u)
        for k in range(1, 20, 2):
            lean = across * float(t[k, 0]) * 0.5 + d
            lashes = np.maximum(lashes, stroke(np.stack([line[k], line[k] + lean * w * 0.03]).astype(np.float32), 1.3 * u, size, 0.6 * u))
        image = blend(image, rgb_of(colour), lashes * 0.92 * mark.amount)
    return image


def _sewn_lips(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    """Close the mouth by a dark line, and draw thread through both lips."""
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    t = np.linspace(0, 1, 9)[:, None]
    line = p[48] * (1 - t) + p[54] * t + (p[[62, 66]].mean(0) - p[[48, 54]].mean(0)) * np.sin(np.pi * t)
    lips = (image * face.lips[..., None]).sum((0, 1)) / max(float(face.lips.sum()), 1e-3)
    image = blend(image, np.clip(floats(lips), 0, 1), face.mouth_opening * mark.amount)
    thread = stroke(line.astype(np.float32), 2.6 * u, size, 0.8 * u)
    swollen = np.zeros((size, size), np.float32)
    for k in range(1, 8):
        lean = face.right * w * 0.018 * (-1) ** k
        ends = np.stack([line[k] - d * w * 0.095 - lean, line[k] + d * w * 0.095 + lean]).astype(np.float32)
        thread = np.maximum(thread, stroke(ends, 3.0 * u, size, 0.7 * u))
        for end in ends:
            swollen = np.maximum(swollen, disc(end, (w * 0.02, w * 0.02), size, 1.5 * u))
    image = blend(image, rgb_of((44, 36, 20)), swollen * 0.7 * mark.amount)
    return blend(image, rgb_of(colour), thread * 0.96 * mark.amount)


def _antlers(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    """Let two branching antlers grow from the hairline."""
    w, u, size = face.width, face.unit, face.size
    for side in (-1.0, 1.0):

        def at(across: float, along: float, side: float = side) -> Array:
            return face.place(side * across, along)

        beam = [at(0.17, -0.4), at(0.26, -0.6), at(0.42, -0.75), at(0.5, -0.98)]
        tines = ([at(0.26, -0.6), at(0.17, -0.82)], [at(0.38, -0.71), at(0.34, -0.95)], [at(0.42, -0.75), at(0.62, -0.84)])
        shape = np.zeros((size, size), np.float32)
        for k in range(3):
            shape = np.maximum(shape, stroke(np.stack(beam[k : k + 2]).astype(np.float32), (0.075 - 0.014 * k) * w, size, 1.0 * u))
        for tine in tines:
            shape = np.maximum(shape, stroke(np.stack(tine).astype(np.float32), 0.042 * w, size, 1.0 * u))
        image = blend(image, image * 0.6, blur(np.roll(shape, round(3 * u), 0), 2 * u) * 0.5 * mark.amount)
        image = blend(image, rgb_of(colour), shape * 0.97 * mark.amount)
        light = np.clip(shape - np.roll(shape, round(2 * u), 1), 0, 1)
        image = blend(image, rgb_of((min(94.0, colour[0] + 26), colour[1], colour[2])), light * 0.6 * mark.amount)
    return image


FEATURE_DRAWINGS = {"closed eyes": _closed_eyes, "sewn lips": _sewn_lips, "antlers": _antlers}
