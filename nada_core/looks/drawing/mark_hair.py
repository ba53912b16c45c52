"""Cut and grow hair: a bald head, a mohawk, an afro, locks, curls, long hair, sideburns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nada_core.looks.drawing.beards import beard_hairs, hair_tone
from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    disc,
    drag,
    floats,
    lab,
    noise,
    points_grid,
    rgb,
    rgb_of,
    smoothstep,
    soft_polygon,
    statistics,
    stroke,
)
from nada_core.looks.look import Lab, Mark

__all__ = ["COLOUR", "HAIR_DRAWINGS", "across_and_along", "head_top", "shaven"]

#: The colour of hair where a face shows none of its own.
COLOUR: Lab = (16, 5, 7)


def across_and_along(face: DrawnFace) -> tuple[Array, Array]:
    """Return every pixel's place in face widths right of and below the bridge of the nose, each ``[S, S]``."""
    x, y = points_grid(face.size)
    dx, dy = x - face.landmarks[27][0], y - face.landmarks[27][1]
    return (dx * face.right[0] + dy * face.right[1]) / face.width, (dx * face.down[0] + dy * face.down[1]) / face.width


def head_top(face: DrawnFace) -> float:
    """Return how many face widths the hair rises above the bridge of the nose."""
    across, along = across_and_along(face)
    column = (face.hair > 0.5) & (np.abs(across) < 0.22) & (along < -0.2)
    return float(np.clip(-along[column].min(), 0.5, 0.95)) if column.any() else 0.62


def _dome(face: DrawnFace, height: float, half: float = 0.52, soft: float = 1.2) -> Array:
    """Return the mask of a skull: an oval over the brows, ``height`` and ``half`` in face widths."""
    across, along = across_and_along(face)
    # heads turned aside have their ears at other places than in the middle
    p = face.landmarks
    across = across - float(((p[0] + p[16]) / 2 - p[27]) @ face.right) / face.width * 0.8
    half = min(half, half - 0.5 + float(np.linalg.norm(p[16] - p[0])) / face.width / 2)
    # straight sides below the temples, as heads have them, which end above the ears
    rim = np.where(along < -0.02, np.hypot(across / half, (along + 0.02) / height), np.abs(across) / half)
    return floats(smoothstep(rim, 1 + soft / face.width, 1 - soft / face.width) * smoothstep(along, 0.06, -0.06))


def _behind(image: Array, face: DrawnFace, gone: Array) -> Array:
    """Fill what hair hid with what lies around it, background and clothes, near things first."""
    _, along = across_and_along(face)
    # a hat counts as clothes, and is no background
    known = np.clip(face.background + face.clothing * (along > 0.3), 0, 1) * (1 - gone)
    filled = np.broadcast_to(image[known > 0.5].mean(0) if (known > 0.5).any() else floats([0.5, 0.5, 0.5]), image.shape)
    for sigma in (40, 16, 6):
        weight = blur(known, sigma * face.unit)[..., None]
        near = blur(image * known[..., None], sigma * face.unit) / (weight + 1e-4)
        filled = filled + (near - filled) * np.clip(weight * 3, 0, 1)
    return floats(filled)


def shaven(face: DrawnFace, rng: Rng, amount: float = 1.0) -> DrawnFace:
    """Return the face with a bald head, which counts as skin: paint and wrinkles reach it."""
    image, skull = _shaven(face.image, face, rng, amount)
    lost = face.hair * min(1.0, amount * 1.4)
    seen = lost * (1 - skull)
    return replace(
        face,
        image=image,
        hair=face.hair - lost,
        body=np.maximum(face.body, skull * (1 - face.face)),
        clothing=face.clothing * (1 - skull),
        background=np.clip(face.background * (1 - skull) + seen, 0, 1),
    )


def _shaven(image: Array, face: DrawnFace, rng: Rng, amount: float) -> tuple[Array, Array]:
    """Return the picture with a bald head, and the mask of its skull."""
    u, size = face.unit, face.size
    height = float(np.clip(head_top(face) * 0.9, 0.52, 0.66))
    skull = _dome(face, height)
    across, along = across_and_along(face)
    worn = face.clothing * (along < 0.1) * (np.abs(across) < 0.9)
    gone = np.clip(blur(np.clip(face.hair + worn, 0, 1), 3 * u) * 3, 0, 1) * (1 - face.face)
    cut = min(1.0, amount * 1.4)  # cropped hair lies on the skull, too
    hairs = rgb_of(hair_tone(face, image, Mark("bald"), COLOUR))
    image = blend(image, _behind(image, face, gone), gone * (1 - skull) * cut)
    tone = statistics(lab(image), face.forehead + face.cheeks * 0.3 + 1e-6)[0]
    edge = np.hypot(across / 0.52, (along + 0.02) / height)
    light = np.exp(-(((across + 0.08) / 0.16) ** 2) - ((along + 0.43) / 0.09) ** 2)
    tint = tone[0] * (1.03 - 0.28 * edge**6) + 11 * light + 0.7 * noise(rng, size, 1.2 * u)
    skin = rgb(np.stack([tint, np.full_like(tint, tone[1] * 0.95), np.full_like(tint, tone[2])], -1).clip(-100, 100))
    # the forehead runs into the skull without a seam
    own = face.face * smoothstep(along, -0.32, -0.2)
    crop = (1 - amount) * 2.2 * np.clip(0.75 + 0.35 * noise(rng, size, 0.7 * u), 0, 1) * smoothstep(along, -0.27, -0.36)
    return blend(image, blend(skin, hairs, crop), skull * (1 - own) * cut), skull


def _locks(face: DrawnFace, rng: Rng, tone: Lab, direction: tuple[Array, Array], length: int = 9) -> Array:
    """Return a picture full of strands of one colour along a direction."""
    strands = drag(noise(rng, face.size, 0.8 * face.unit), direction, length, face.unit)
    strands /= strands.std() + 1e-6
    broad = noise(rng, face.size, 7 * face.unit)
    light = np.clip(tone[0] + 6.5 * strands + 3 * broad, 3, 97)
    return rgb(np.stack([light, *(np.full_like(light, c) for c in tone[1:])], -1))


def _mohawk(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    tone = hair_tone(face, image, mark, colour)
    image, _ = _shaven(image, face, rng, mark.amount)
    w, u, size = face.width, face.unit, face.size
    comb = np.zeros((size, size), np.float32)
    for x in np.linspace(-1, 1, 9):
        root = face.place(0.085 * x, -0.37)
        tip = face.place(0.2 * x, -0.92 + 0.07 * x * x + 0.02 * float(rng.standard_normal()))
        side = face.right * w * 0.05
        comb = np.maximum(comb, soft_polygon(np.stack([root - side, tip - side * 0.15, tip + side * 0.15, root + side]), size, 0.8 * u))
    across, along = across_and_along(face)
    dx, dy = across * 1.2, along - 0.4
    length = np.hypot(dx, dy) + 1e-6
    x = (dx * face.right[0] + dy * face.down[0]) / length
    y = (dx * face.right[1] + dy * face.down[1]) / length
    image = blend(image, image * 0.55, blur(comb, 3 * u) * 0.6 * mark.amount)
    return blend(image, _locks(face, rng, tone, (floats(x), floats(y))), comb * mark.amount)


def _afro(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    u, size = face.unit, face.size
    tone = hair_tone(face, image, mark, colour)
    across, along = across_and_along(face)
    rim = np.hypot(across / 0.8, (along + 0.22) / 0.72) + 0.02 * noise(rng, size, 2.5 * u)
    clear = np.clip(face.face + (along > 0.02) * face.body, 0, 1)
    hairline = smoothstep(np.hypot(across / 0.46, (along - 0.02) / 0.45), 0.94, 1.04)
    ball = np.maximum(smoothstep(rim, 1.01, 0.97) * (1 - clear) * smoothstep(along, 0.52, 0.38), face.hair) * np.clip(
        hairline + clear * 0, 0, 1
    )
    curls = noise(rng, size, 1.5 * u)
    light = np.clip(tone[0] * 0.9 + 5.5 * np.sin(2.6 * curls) + 5 * (0.6 - rim), 3, 97)
    return blend(image, rgb(np.stack([light, *(np.full_like(light, c) for c in tone[1:])], -1)), ball * mark.amount)


def _curls(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    u, size = face.unit, face.size
    tone = hair_tone(face, image, mark, colour)
    near = blur(face.hair, 4 * u)
    grown = np.clip(near * 1.9 + 0.25 * noise(rng, size, 3 * u) * smoothstep(near, 0.05, 0.25) - 0.2, 0, 1) * (1 - face.face)
    grown = np.maximum(grown * (1 - face.body), face.hair * (1 - face.face))
    # ringlets: bands that turn about randomly placed middles
    turn = noise(rng, size, 4.5 * u)
    rings = np.sin(7.5 * turn)
    light = np.clip(tone[0] + 10 * rings + 3 * noise(rng, size, 0.8 * u), 3, 97)
    return blend(image, rgb(np.stack([light, *(np.full_like(light, c) for c in tone[1:])], -1)), grown * mark.amount)


def _long(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    _w, u, size = face.width, face.unit, face.size
    tone = hair_tone(face, image, mark, colour)
    curtain = np.zeros((size, size), np.float32)
    for side in (-1.0, 1.0):
        outer = [face.place(side * x, y) for x, y in ((0.42, -0.45), (0.58, -0.2), (0.66, 0.15), (0.72, 0.6), (0.74, 1.4))]
        inner = [face.place(side * x, y) for x, y in ((0.34, 1.4), (0.42, 0.75), (0.475, 0.4), (0.47, 0.1), (0.43, -0.2))]
        curtain = np.maximum(curtain, soft_polygon(np.stack(outer + inner), size, 1.5 * u))
    crown = np.maximum(face.hair, _dome(face, max(0.62, head_top(face) - 0.02), 0.58) * (1 - face.face))
    whole = np.clip(np.maximum(curtain, crown) * (1 - face.face * 0.95), 0, 1)
    sway = 0.12 * noise(rng, size, 30 * u)
    down = (floats(face.down[0] + sway), floats(np.full((size, size), face.down[1])))
    image = blend(image, image * 0.6, blur(whole, 4 * u) * 0.4 * (1 - whole) * mark.amount)
    across, _ = across_and_along(face)
    hair = _locks(face, rng, tone, down, 14) * (1.06 - 0.35 * smoothstep(np.abs(np.abs(across) - 0.56), 0.06, 0.2))[..., None]
    return blend(image, np.clip(hair, 0, 1), whole * (1 - 0.5 * face.hair) * mark.amount)


def _dreadlocks(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    tone = hair_tone(face, image, mark, colour)
    # rows of locks over the head, seen from their roots
    across, along = across_and_along(face)
    rows = 0.62 + 0.38 * np.abs(np.sin(34 * np.arctan2(across, 0.75 - along) + 0.5 * noise(rng, size, 3 * u)))
    knots = rows * np.clip(0.9 + 0.2 * noise(rng, size, 1.5 * u), 0.4, 1.3)
    base = np.maximum(face.hair, _dome(face, 0.62, 0.55) * (1 - face.face))
    image = blend(image, np.clip(rgb_of(tone) * knots[..., None], 0, 1), base * mark.amount)
    middle = rgb_of(tone)
    for angle in rng.permutation(np.linspace(-1.75, 1.75, 30)):
        root = face.place(0.42 * np.sin(angle), -0.16 - 0.42 * np.cos(angle))
        out = np.sin(angle) + 0.05 * rng.standard_normal()
        reach = 0.62 + 0.4 * abs(np.sin(angle)) + 0.1 * rng.random()
        t = np.linspace(0, 1, 12)[:, None]
        path = (
            root
            + face.right * w * (0.34 * np.sign(out) * (abs(out) ** 0.6)) * t**0.6
            + face.down * w * reach * (t**1.4 - 0.12 * np.sin(np.pi * t))
        )
        path = (path + face.right * w * 0.012 * rng.standard_normal((12, 1))).astype(np.float32)
        lock = stroke(path, w * 0.062, size, 0.7 * u) * (1 - np.clip(face.face * 1.1 - 0.05, 0, 1))
        core = stroke(path - face.right * w * 0.008, w * 0.026, size, 1.2 * u)
        knots = np.clip(0.9 + 0.28 * noise(rng, size, 1.5 * u), 0.4, 1.4)[..., None]
        image = blend(
            image, middle * 0.3, np.clip(stroke(path, w * 0.08, size, 0.8 * u) - lock, 0, 1) * (1 - face.face) * 0.8 * mark.amount
        )
        image = blend(image, np.clip(middle * knots * (0.75 + 0.5 * core[..., None]), 0, 1), lock * mark.amount)
    return image


def _short(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    u = face.unit
    across, along = across_and_along(face)
    top = head_top(face)
    kept = smoothstep(np.hypot(across / 0.56, np.minimum(along + 0.05, 0) / (top - 0.05)), 1.04, 0.98) * smoothstep(along, 0.16, 0.06)
    gone = np.clip(blur(face.hair, 3 * u) * 3, 0, 1) * (1 - face.face) * (1 - kept)
    return blend(image, _behind(image, face, gone), gone * mark.amount)


def _spikes(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    tone = hair_tone(face, image, mark, colour)
    mask = np.zeros((size, size), np.float32)
    top = min(head_top(face), 0.68)
    for angle in np.linspace(-1.35, 1.35, 19):
        way = face.right * np.sin(angle) - face.down * np.cos(angle)
        root = face.place(0.44 * np.sin(angle), -0.1 - (top - 0.24) * np.cos(angle))
        tip = root + way * w * (0.3 + 0.1 * float(rng.random())) + face.right * w * 0.04 * float(rng.standard_normal())
        side = (face.right * np.cos(angle) + face.down * np.sin(angle)) * w * 0.075
        mask = np.maximum(mask, soft_polygon(np.stack([root - side, tip, root + side]).astype(np.float32), size, 0.7 * u))
    across, along = across_and_along(face)
    length = np.hypot(across, along - 0.2) + 1e-6
    x, y = across / length, (along - 0.2) / length
    way = floats(x * face.right[0] + y * face.down[0]), floats(x * face.right[1] + y * face.down[1])
    whole = np.maximum(mask, face.hair * smoothstep(along, 0.1, -0.1)) * (1 - face.face)
    image = blend(image, image * 0.55, np.clip(blur(mask, 2.5 * u) - mask, 0, 1) * mark.amount)
    return blend(image, _locks(face, rng, tone, way), whole * mark.amount)


def _braids(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    w, u, size = face.width, face.unit, face.size
    tone = hair_tone(face, image, mark, colour)
    strands = _locks(face, rng, tone, (np.full((size, size), face.down[0], np.float32), np.full((size, size), face.down[1], np.float32)), 5)
    for side in (-1.0, 1.0):
        for k in range(9):
            for half in (-1.0, 1.0):
                at = face.place(side * (0.56 + 0.015 * k) + half * 0.04, 0.16 + 0.1 * k + 0.05 * (half > 0))
                axis = face.down * 0.8 + face.right * half * -0.6
                bead = disc(at, (w * 0.085, w * 0.062), size, 0.9 * u, axis)
                image = blend(image, image * 0.35, np.clip(blur(bead, 1.2 * u) * 1.3 - bead, 0, 1) * 0.8 * mark.amount)
                image = blend(image, strands, bead * mark.amount)
    return image


def _sideburns(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, size = face.landmarks, face.down, face.width, face.size
    area = np.zeros((size, size), np.float32)
    for side, rim in ((1.0, p[[0, 1, 2, 3]]), (-1.0, p[[16, 15, 14, 13]])):
        inward = face.right * side * w
        wide = np.array([0.06, 0.06, 0.075, 0.1])[:, None]
        edge = np.concatenate([rim[:1] - d * w * 0.06 + inward * 0.01, rim - inward * 0.015])
        inner = np.concatenate([rim[:1] - d * w * 0.06 + inward * 0.06, rim + inward * wide])
        area = np.maximum(area, soft_polygon(np.concatenate([edge, inner[::-1]]).astype(np.float32), size, 1.5 * face.unit))
    return beard_hairs(image, face, rng, area, hair_tone(face, image, mark, colour), mark.amount)


HAIR_DRAWINGS = {
    "mohawk": _mohawk,
    "afro": _afro,
    "curly hair": _curls,
    "long hair": _long,
    "dreadlocks": _dreadlocks,
    "short hair": _short,
    "spiky hair": _spikes,
    "braids": _braids,
    "sideburns": _sideburns,
}
