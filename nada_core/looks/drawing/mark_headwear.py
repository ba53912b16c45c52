"""Put something on a head: a crown, a cap, a hat, a helmet, a bandana, a scarf, a halo, ears or a horn."""

from __future__ import annotations

import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.mark_hair import across_and_along, head_top
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    disc,
    floats,
    noise,
    rgb_of,
    screen,
    smoothstep,
    soft_polygon,
    stroke,
)
from nada_core.looks.look import Lab, Mark

__all__ = ["HEADWEAR_DRAWINGS"]


def _laid(image: Array, mask: Array, colour: Lab, light: Array, face: DrawnFace, amount: float) -> Array:
    """Lay a thing with its own light and a shadow under it."""
    image = blend(image, image * 0.45, blur(np.roll(mask, round(3 * face.unit), 0), 3 * face.unit) * (1 - mask) * 0.6 * amount)
    return blend(image, np.clip(rgb_of(colour) * light[..., None], 0, 1), mask * amount)


def _above(face: DrawnFace, brow: float, sag: float = 0.05, half: float = 0.56, grow: float = 0.03) -> Array:
    """Return the mask of what a close cap covers: from an arc over the brows to the top of the hair."""
    across, along = across_and_along(face)
    soft = 1.2 / face.width
    top = max(head_top(face) + grow, 0.66)
    oval = smoothstep(np.hypot(across / half, np.minimum(along + 0.14, 0) / (top - 0.14)), 1 + soft, 1 - soft)
    line = brow + sag * (1 - (across / half) ** 2)
    return oval * smoothstep(along, line + soft, line - soft)


def _round(face: DrawnFace, half: float = 0.56) -> Array:
    """Return the light on a dome: brightest left of the middle, dark at its sides."""
    across, along = across_and_along(face)
    side = np.minimum(((across + 0.12) / half) ** 2, 1.3)
    return floats(1.12 - 0.5 * side + 0.25 * np.exp(-(((across + 0.16) / 0.2) ** 2) - ((along + 0.55) / 0.14) ** 2))


def _crown(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    x = np.linspace(-1, 1, 41)
    low = np.stack([face.place(0.56 * v, -0.36 + 0.07 * (1 - v * v)) for v in x])
    # five points: high in the middle of each fifth
    rise = 0.13 + 0.17 * (1 - np.abs(((x + 1) * 2.5) % 1 - 0.5) * 2)
    high = np.stack([face.place(0.61 * v, -0.36 + 0.07 * (1 - v * v) - r) for v, r in zip(x, rise)])
    mask = soft_polygon(np.concatenate([low, high[::-1]]).astype(np.float32), size, 0.7 * u)
    across, _ = across_and_along(face)
    light = 0.78 + 0.3 * np.cos(across * 9 + 1.2) ** 2 + 0.25 * np.exp(-(((across + 0.2) / 0.06) ** 2)) - 0.5 * across**2
    image = _laid(image, mask, colour, floats(light), face, mark.amount)
    for shift in (0.02, 0.11):
        edge = low - face.down * w * shift
        image = blend(
            image, rgb_of((colour[0] * 0.45, colour[1], colour[2] * 0.6)), stroke(edge, 1.6 * u, size, 0.6 * u) * mask * mark.amount
        )
    jewels: tuple[Lab, ...] = ((34, 58, 32), (30, 20, -54), (40, -44, 24))
    for k, i in enumerate((4, 12, 20, 28, 36)):
        at, tip = low[i] - face.down * w * 0.065, high[i]
        image = blend(image, rgb_of(jewels[k % 3]), disc(at, (w * 0.03, w * 0.036), size, 0.8 * u) * mark.amount)
        image = blend(image, (1, 1, 1), disc(at - floats([1.5, 2]) * u, (1.6 * u, 1.3 * u), size, 0.8 * u) * 0.8 * mark.amount)
        image = blend(image, np.clip(rgb_of(colour) * 1.15, 0, 1), disc(tip, (w * 0.026, w * 0.026), size, 0.8 * u) * mark.amount)
    return image


def _cap(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    image = _laid(image, _above(face, -0.32, half=0.62), colour, _round(face), face, mark.amount)
    for x in (-0.22, 0.22):
        seam = np.stack([face.place(x * v, -0.32 - 0.5 * (1 - v)) for v in np.linspace(0.1, 1, 8)])
        image = blend(
            image, rgb_of(colour) * 0.6, stroke(seam, 1.4 * u, size, 0.6 * u) * _above(face, -0.32, half=0.62) * 0.7 * mark.amount
        )
    turn = np.linspace(0, np.pi, 24)[:, None]
    upper = face.place(0, -0.29) + face.right * w * 0.5 * np.cos(turn) - face.down * w * 0.02 * np.sin(turn)
    lower = face.place(0, -0.29) + face.right * w * 0.55 * np.cos(turn[::-1]) + face.down * w * 0.14 * np.sin(turn[::-1])
    visor = soft_polygon(np.concatenate([upper, lower]).astype(np.float32), size, 0.8 * u)
    return _laid(image, visor, (colour[0] * 0.7, colour[1] * 0.9, colour[2] * 0.9), _round(face, 0.7), face, mark.amount)


def _hat(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    top = max(head_top(face) + 0.1, 0.8)
    sides = [
        face.place(x, y) for x, y in ((-0.56, -0.34), (-0.5, -top + 0.08), (-0.3, -top), (0.3, -top), (0.5, -top + 0.08), (0.56, -0.34))
    ]
    body = soft_polygon(np.stack(sides), size, 1.2 * u)
    felt = _round(face) + 0.03 * noise(rng, size, 1.0 * u)
    image = _laid(image, body, colour, floats(felt), face, mark.amount)
    _across, along = across_and_along(face)
    band = body * smoothstep(along, -0.47, -0.46)
    image = blend(image, rgb_of((8, 2, 2)), band * 0.9 * mark.amount)
    turn = np.linspace(0, 2 * np.pi, 60)[:, None]
    lift = np.where(np.sin(turn) > 0, 0.1, 0.075)
    rim = face.place(0, -0.36) + face.right * w * 0.9 * np.cos(turn) + face.down * w * (lift * np.sin(turn) - 0.1 * np.cos(turn) ** 4)
    brim = soft_polygon(rim.astype(np.float32), size, 0.9 * u)
    return _laid(image, brim, colour, floats(felt * (0.72 + 0.9 * smoothstep(along, -0.3, -0.44))), face, mark.amount)


def _helmet(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    _w, u, size = face.width, face.unit, face.size
    dome = _above(face, -0.28, 0.02, 0.6, 0.05)
    for side in (-1.0, 1.0):
        plate = [
            face.place(side * x, y)
            for x, y in ((0.6, -0.3), (0.61, 0.2), (0.5, 0.52), (0.38, 0.56), (0.4, 0.2), (0.46, -0.02), (0.4, -0.28))
        ]
        dome = np.maximum(dome, soft_polygon(np.stack(plate), size, 0.9 * u))
    nasal = [face.place(x, y) for x, y in ((-0.06, -0.32), (-0.045, 0.1), (-0.06, 0.2), (0.06, 0.2), (0.045, 0.1), (0.06, -0.32))]
    dome = np.maximum(dome, soft_polygon(np.stack(nasal), size, 0.8 * u))
    across, _along = across_and_along(face)
    light = _round(face, 0.6) + 0.3 * np.exp(-(((across + 0.2) / 0.06) ** 2)) + 0.03 * noise(rng, size, 2 * u, (1, 5))
    image = _laid(image, dome, colour, floats(light), face, mark.amount)
    rim = np.clip(dome - np.clip(blur(dome, 3.2 * u) * 1.9 - 0.9, 0, 1), 0, 1)
    image = blend(image, np.clip(rgb_of(colour) * 0.5, 0, 1), rim * 0.8 * mark.amount)
    for x in np.linspace(-0.46, 0.46, 9):
        at = face.place(x, -0.335 + 0.02 * (1 - (x / 0.6) ** 2))
        image = blend(image, rgb_of((colour[0] + 22, 0, 2)), disc(at, (2.2 * u, 2.2 * u), size, 0.8 * u) * 0.9 * mark.amount)
    return image


def _bandana(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    mask = _above(face, -0.34, 0.06, 0.61)
    across, along = across_and_along(face)
    folds = 0.09 * np.sin(26 * (along + 0.35 * across**2) + 1.5 * noise(rng, size, 12 * u)) * smoothstep(along, -0.62, -0.36)
    image = _laid(image, mask, colour, floats(_round(face) + folds), face, mark.amount)
    dots = np.hypot((across * 9 + 0.5 * (np.floor(along * 9) % 2)) % 1 - 0.5, (along * 9) % 1 - 0.5)
    image = blend(image, (0.93, 0.92, 0.9), smoothstep(dots, 0.2, 0.13) * mask * 0.85 * mark.amount)
    for turn, long in ((0.5, 0.34), (1.0, 0.28)):
        knot = face.place(0.58, -0.3)
        end = knot + (face.right * np.cos(turn) + face.down * np.sin(turn)) * w * long
        side = (face.right * np.sin(turn) - face.down * np.cos(turn)) * w * 0.055
        tail = soft_polygon(np.stack([knot - side * 0.3, end - side, end + side, knot + side * 0.3]).astype(np.float32), size, 0.9 * u)
        image = _laid(image, tail, colour, _round(face), face, mark.amount)
    return image


def _headscarf(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    u, size = face.unit, face.size
    across, along = across_and_along(face)
    soft = 1.5 / face.width
    top = max(head_top(face) + 0.02, 0.66)
    # the opening follows the face from the hairline to the chin
    reach = float(np.linalg.norm(face.landmarks[8] - face.landmarks[27])) / face.width
    opening = np.where(along < 0.1, np.hypot(across / 0.47, (along - 0.1) / 0.47), np.hypot(across / 0.47, (along - 0.1) / (reach - 0.1)))
    head = np.where(along < 0, np.hypot(across / 0.66, along / top), np.abs(across) / (0.66 + 0.2 * np.clip(along, 0, 2) ** 2))
    mask = np.maximum(smoothstep(head, 1 + soft, 1 - soft), face.hair) * smoothstep(opening, 1 - soft, 1 + soft)
    swirl = np.sin(13 * (opening + 0.5 * across) + 1.6 * noise(rng, size, 14 * u))
    light = 0.94 + 0.09 * swirl - 0.3 * smoothstep(opening, 1.15, 1.0) - 0.35 * np.clip(np.abs(across) - 0.45, 0, 1)
    return _laid(image, floats(mask), colour, floats(light), face, mark.amount)


def _halo(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    turn = np.linspace(0, 2 * np.pi, 60)[:, None]
    ring = face.place(0, -0.68) + face.right * w * 0.44 * np.cos(turn) + face.down * w * 0.085 * np.sin(turn)
    line = stroke(ring.astype(np.float32), w * 0.04, size, 0.8 * u)
    image = screen(image, (blur(line, 7 * u) * 1.6 * mark.amount)[..., None] * rgb_of(colour))
    image = blend(image, rgb_of(colour), line * mark.amount)
    return blend(image, (1, 1, 0.92), stroke(ring.astype(np.float32), w * 0.014, size, 0.8 * u) * 0.9 * mark.amount)


def _animal_ears(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    tall = mark.name == "bunny ears"
    top = head_top(face)
    for side in (-1.0, 1.0):
        root = face.place(side * (0.2 if tall else 0.33), -top + (0.16 if tall else 0.24))
        if tall:
            up = -face.down * np.cos(0.22) + face.right * side * np.sin(0.22)
            centre = root + up * w * 0.2
            ear = disc(centre, (w * 0.34, w * 0.1), size, 1.2 * u, up)
            inner = disc(centre + up * w * 0.02, (w * 0.27, w * 0.055), size, 1.5 * u, up)
        else:
            out = face.right * side * w
            tip = root + out * 0.08 - face.down * w * 0.36
            outline = np.stack(
                [
                    root - out * 0.17,
                    root - out * 0.08 - face.down * w * 0.2,
                    tip,
                    root + out * 0.17 - face.down * w * 0.1,
                    root + out * 0.15,
                ]
            )
            ear = soft_polygon(outline.astype(np.float32), size, 1.0 * u)
            middle = outline.mean(0)
            inner = soft_polygon((middle + (outline - middle) * 0.6 + face.down * w * 0.02).astype(np.float32), size, 1.4 * u)
        fur = 1 + 0.08 * noise(rng, size, 0.9 * u, (1, 3))
        image = _laid(image, ear, colour, floats(fur), face, mark.amount)
        # ears of a costume are of one colour inside and out
        within = (72, 24, 8) if mark.colour is None else (colour[0] * 0.7, colour[1], colour[2])
        image = blend(image, rgb_of(within), inner * 0.9 * mark.amount)
    return image


def _unicorn_horn(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    root, tip = face.place(0, -0.26), face.place(0, -0.85)
    side = face.right * w * 0.095
    horn = soft_polygon(np.stack([root - side, tip, root + side, root + face.down * w * 0.02]).astype(np.float32), size, 0.8 * u)
    across, along = across_and_along(face)
    turns = 0.5 + 0.5 * np.sin((along + 0.9 * across) * 70)
    light = 0.78 + 0.3 * turns - 1.4 * across
    return _laid(image, horn, colour, floats(light), face, mark.amount)


HEADWEAR_DRAWINGS = {
    "crown": _crown,
    "cap": _cap,
    "hat": _hat,
    "helmet": _helmet,
    "bandana": _bandana,
    "headscarf": _headscarf,
    "halo": _halo,
    "cat ears": _animal_ears,
    "bunny ears": _animal_ears,
    "unicorn horn": _unicorn_horn,
}
