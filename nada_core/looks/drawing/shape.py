"""Change a face's geometry: landmarks move, the picture and its masks follow smoothly, the border of the picture stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import cv2
import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    detail,
    disc,
    floats,
    lab,
    noise,
    rgb,
    soft_polygon,
    statistics,
    stroke,
)

__all__ = ["reshaped", "shaded"]

Points = Array
#: Displacements of landmarks in pixels at amount 1.
Move = Callable[[DrawnFace, Points], Points]
GRID = 48


def _outer(face: DrawnFace) -> float:
    p = face.landmarks
    return float(np.linalg.norm(p[45] - p[36]))


def _by_weight(face: DrawnFace, table: Mapping[int, tuple[float, float]], scale: float) -> Points:
    """Return displacements of a table: landmark -> (outwards, down) in units of ``scale``; the other half follows by mirroring."""
    moves = np.zeros((68, 2), np.float32)
    for number, (out, down) in table.items():
        side = -1.0 if number in _LEFT else (1.0 if number in _RIGHT else 0.0)
        moves[number] += (face.right * side * out + face.down * down) * scale
    return moves


_LEFT = frozenset((*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67))
_RIGHT = frozenset((*range(9, 17), *range(22, 27), 34, 35, *range(42, 48), 52, 53, 54, 55, 56, 63, 64, 65))
_MIRROR = {
    **{i: 16 - i for i in range(8)}, **{17 + i: 26 - i for i in range(5)}, 31: 35, 32: 34, 36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46,
    48: 54, 49: 53, 50: 52, 58: 56, 59: 55, 60: 64, 61: 63, 67: 65,
}  # fmt: skip


def _both(table: Mapping[int, tuple[float, float]]) -> dict[int, tuple[float, float]]:
    return {**table, **{_MIRROR[n]: move for n, move in table.items() if n in _MIRROR}}


#: Shape -> landmark of the left half or middle -> (outwards, down), in distances of the outer corners of the eyes.
TABLES: dict[str, dict[int, tuple[float, float]]] = {
    "smile": {
        48: (0.165, -0.105), 60: (0.15, -0.092), 49: (0.08, -0.033), 59: (0.085, -0.024), 50: (0.03, 0.0), 58: (0.03, 0.022),
        61: (0.035, 0.0),
        67: (0.035, 0.033), 57: (0, 0.03), 66: (0, 0.03), 41: (0, -0.014), 40: (0, -0.014), 3: (0.02, -0.005), 4: (0.025, 0.0),
        31: (0.02, 0),
    },
    "open mouth": {
        **dict.fromkeys((57, 66), (0.0, 0.14)), 58: (0.0, 0.135), 59: (-0.01, 0.095), 67: (0.0, 0.135), 48: (-0.02, 0.03),
        60: (-0.02, 0.03),
        8: (0, 0.1), 7: (0, 0.1), 6: (0, 0.085), 5: (-0.01, 0.06), 4: (-0.01, 0.035), 51: (0, -0.01), 50: (0, -0.01), 62: (0, -0.01),
        61: (0, -0.01),
    },
    "wide face": {
        0: (0.09, 0), 1: (0.11, 0), 2: (0.13, 0), 3: (0.14, 0), 4: (0.14, 0), 5: (0.12, 0), 6: (0.08, 0), 7: (0.03, 0), 17: (0.03, 0),
        48: (0.02, 0), 31: (0.01, 0),
    },
    "long nose": {30: (0, 0.09), 33: (0, 0.11), 31: (0, 0.085), 32: (0, 0.1), 29: (0, 0.05), 28: (0, 0.02), 51: (0, 0.025), 50: (0, 0.02)},
    "wide nose": {31: (0.075, 0), 32: (0.045, 0), 30: (0, 0), 50: (0.01, 0)},
    "strong chin": {8: (0, 0.12), 7: (0.05, 0.11), 6: (0.085, 0.08), 5: (0.085, 0.04), 4: (0.05, 0.0), 57: (0, 0.01)},
    "full lips": {
        50: (0.0, -0.045), 49: (0.01, -0.035), 51: (0, -0.04), 58: (0, 0.05), 57: (0, 0.055), 59: (0.01, 0.04), 61: (0, -0.002),
        67: (0, 0.002),
    },
    "raised brows": {17: (0.015, -0.06), 18: (0.01, -0.1), 19: (0, -0.115), 20: (0, -0.105), 21: (0.0, -0.08)},
    "full cheeks": {2: (0.06, 0), 3: (0.1, 0), 4: (0.1, 0.0), 5: (0.06, 0.01), 1: (0.02, 0), 48: (0.0, 0)},
    "high forehead": {17: (0, 0.01)},
    "long face": {
        8: (0, 0.16), 7: (0, 0.16), 6: (0, 0.15), 5: (-0.01, 0.125), 4: (-0.02, 0.09), 3: (-0.03, 0.05), 2: (-0.03, 0.02),
        57: (0, 0.1), 58: (0, 0.1),
        59: (0, 0.09), 48: (-0.01, 0.08), 60: (-0.01, 0.08), 49: (0, 0.08), 50: (0, 0.08), 51: (0, 0.08), 61: (0, 0.08), 62: (0, 0.08),
        66: (0, 0.09), 67: (0, 0.09), 33: (0, 0.05), 30: (0, 0.04), 31: (0, 0.045), 32: (0, 0.05), 19: (0, -0.03), 18: (0, -0.03),
        17: (0, -0.02),
    },
    "age": {3: (0.015, 0.03), 4: (0.03, 0.045), 5: (0.035, 0.04), 6: (0.03, 0.02), 48: (0.0, 0.025), 60: (0, 0.02), 17: (0.0, 0.03),
    18: (0, 0.02)},
}  # fmt: skip


def _big_eyes(face: DrawnFace, moves: Points, amount: float) -> None:
    """Enlarge both eyes about their middle, the opening more than the width."""
    for first in (36, 42):
        eye = face.landmarks[first : first + 6]
        away = eye - eye.mean(0)
        across = (away @ face.right)[:, None] * face.right
        moves[first : first + 6] += amount * (0.3 * across + (0.4125 if amount > 0 else 0.45) * (away - across))
        # lids that lie close together need a pull of their own
        lift = amount * 0.0175 * _outer(face) * face.down
        moves[[first + 1, first + 2]] -= lift
        moves[[first + 4, first + 5]] += lift * 0.8
    moves[17:27] -= amount * 0.0375 * _outer(face) * face.down


def _moves(face: DrawnFace, shape: Mapping[str, float]) -> tuple[Points, Points, Points]:
    """Return the displacements of the landmarks, and further points of the head with theirs."""
    scale = _outer(face)
    moves = np.zeros((68, 2), np.float32)
    for name, amount in shape.items():
        if name == "big eyes":
            _big_eyes(face, moves, amount)
        elif name in TABLES:
            limit = amount
            table = _both(TABLES[name])
            if name == "smile" and amount < 0:
                # a frown draws the corners down, hardly in
                table = {n: (out * 0.25, down * 1.1) for n, (out, down) in table.items()}
            if name == "full lips" and amount < 0:
                limit = max(amount, -1.0) * 0.6
            if name == "open mouth":
                limit = max(amount, -0.3)
            moves += _by_weight(face, table, scale) * limit
    crown = [face.place(x, -0.62) for x in (-0.35, 0.0, 0.35)]
    hairline = [face.place(x, -0.42) for x in (-0.27, 0.0, 0.27)]
    extra = np.stack([*crown, *hairline])
    lift = face.down * scale
    up = shape.get("high forehead", 0.0) * 0.15 + shape.get("long face", 0.0) * 0.05
    extra_moves = np.concatenate([np.repeat(-lift[None] * up * 0.75, 3, 0), np.repeat(-lift[None] * up, 3, 0)]).astype(np.float32)
    return moves, extra, extra_moves


def _spline(points: Points, values: Points, size: int) -> Array:
    """Interpolate displacements ``[K, 2]`` known at points by a thin plate: ``[S, S, 2]``."""
    scale = float(size)
    q = points.astype(np.float64) / scale

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        square = ((a[:, None] - b[None]) ** 2).sum(-1)
        return square * np.log(square + 1e-9)

    count = len(q)
    system = np.zeros((count + 3, count + 3))
    # a little stiffness: landmarks a pixel apart may move apart without tearing what lies between
    system[:count, :count] = kernel(q, q) + np.eye(count) * 2e-4
    system[:count, count:] = np.c_[np.ones(count), q]
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.solve(system, np.r_[values.astype(np.float64), np.zeros((3, 2))])
    line = np.linspace(0, 1 - 1 / size, GRID)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    field = kernel(grid, q) @ weights[:count] + np.c_[np.ones(len(grid)), grid] @ weights[count:]
    step = (size - 1) / (GRID - 1)
    y, x = np.mgrid[:size, :size].astype(np.float32) / floats(step)
    return cv2.remap(field.reshape(GRID, GRID, 2).astype(np.float32), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _border(size: int) -> Points:
    line = np.linspace(0, size - 1, 7)
    edge = [(x, y) for x in line for y in (0, size - 1)] + [(x, y) for y in line[1:-1] for x in (0, size - 1)]
    return np.array(edge, np.float32)


def _pulled(face: DrawnFace, moves: Points, extra: Points, extra_moves: Points) -> DrawnFace:
    """Return the face with its landmarks moved and the picture and masks drawn along."""
    size = face.size
    still = _border(size)
    # landmarks outside the picture or on its border must not fight the border that stays
    known = np.concatenate([face.landmarks + moves, extra + extra_moves])
    values = np.concatenate([moves, extra_moves])
    inside = ((known > 2) & (known < size - 3)).all(1)
    field = _spline(np.concatenate([known[inside], still]), np.concatenate([values[inside], np.zeros_like(still)]), size)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    map_x, map_y = x - field[..., 0], y - field[..., 1]

    def pull(picture: Array) -> Array:
        return cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)

    image = np.clip(cv2.remap(face.image, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), 0, 1)
    some = pull(np.stack([face.hair, face.face, face.body, face.clothing], -1))
    hair, skin, body, clothing = (np.ascontiguousarray(some[..., i]) for i in range(4))
    return DrawnFace(image, (face.landmarks + moves).astype(np.float32), hair, skin, body, clothing, pull(face.background))


def _ears(face: DrawnFace, pointed: float, big: float) -> DrawnFace:
    """Draw ears, pointed or large, in the colour of the skin (hair hides many people's own), and count them as skin."""
    p, w, d, size = face.landmarks, face.width, face.down, face.size
    u = face.unit
    image, ears = face.image, np.zeros((size, size), np.float32)
    skin = lab(image)
    # the cheeks have the clearest colour: beards and glasses darken the mean of a face
    tone = statistics(skin, face.cheeks)[0]
    colour = rgb(np.array([[[np.clip(tone[0] - 4, 12, 85), tone[1] + 3, tone[2] + 1]]], np.float32))[0, 0]
    dark = colour * 0.62
    shade = 0.9 + 0.003 * detail(skin[..., 0], 3 * u)
    for side, top, low, middle in ((-1.0, p[0], p[2], p[1]), (1.0, p[16], p[14], p[15])):
        out = face.right * side * w
        if pointed > 0:
            # a long leaf: its front edge runs straight from the temple to the tip, its back bends down to the lobe
            tip = top + out * (0.17 + 0.03 * big) * pointed - d * w * (0.27 + 0.1 * big) * pointed
            root, lobe = top - out * 0.03 - d * w * 0.06, low * 0.6 + middle * 0.4 - out * 0.01
            back = middle * 0.45 + top * 0.55 + out * (0.13 + 0.05 * big)
            smooth = _rounded(np.stack([root, root * 0.5 + tip * 0.5 + out * 0.01, tip, tip * 0.3 + back * 0.7 + out * 0.01, back, lobe]))
        else:
            turn = np.linspace(0, 2 * np.pi, 40)[:, None]
            centre = top * 0.55 + middle * 0.45 + out * (0.05 + 0.05 * big)
            # a round shell, wider above than below
            smooth = (
                centre + out * (0.1 + 0.05 * big) * np.cos(turn) * (1 - 0.25 * np.sin(turn)) + d * w * (0.17 + 0.06 * big) * np.sin(turn)
            )

        def shell(share: float, soft: float, outline: Array = smooth) -> Array:  # the default binds the ear of this turn
            middle_of = outline.mean(0)
            return soft_polygon((middle_of + (outline - middle_of) * share).astype(np.float32), size, soft * u)

        mask = shell(1, 0.9) * (1 - 0.9 * face.face)  # ears stand behind the cheeks
        ear = np.clip(colour * shade[..., None] * (1 + 0.12 * np.clip(mask - shell(0.86, 1.2), 0, 1)[..., None]), 0, 1)
        ear = blend(ear, dark, shell(0.58, 2.0 if pointed == 0 else 3.0) * 0.6)
        ear = blend(ear, dark * 0.7, np.clip(mask - shell(0.95, 0.8), 0, 1) * 0.8)
        image = blend(image, dark * 0.6, blur(mask, 2.5 * u) * 0.4)
        mask = mask * min(1.0, 0.2 + max(pointed, big))
        image, ears = blend(image, ear, mask), np.maximum(ears, mask)
    rest = 1 - ears
    body = np.maximum(face.body, ears * (1 - face.face))
    return replace(face, image=image, hair=face.hair * rest, body=body, clothing=face.clothing * rest, background=face.background * rest)


def _rounded(corners: Array, steps: int = 8) -> Array:
    """Return a closed curve ``[N * steps, 2]`` through ``[N, 2]`` corners (Catmull and Rom 1974), tight at the third: the tip."""
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[:, None]
    count, parts = len(corners), []
    slopes = 0.5 * (np.roll(corners, -1, 0) - np.roll(corners, 1, 0))
    slopes[2] *= 0.15
    for i in range(count):
        a, b, u, v = corners[i], corners[(i + 1) % count], slopes[i], slopes[(i + 1) % count]
        parts.append((2 * t**3 - 3 * t**2 + 1) * a + (t**3 - 2 * t**2 + t) * u + (3 * t**2 - 2 * t**3) * b + (t**3 - t**2) * v)
    return np.concatenate(parts).astype(np.float32)


def _open_mouth(face: DrawnFace, amount: float) -> Array:
    """Draw the dark opening between the moved lips, with a hint of teeth."""
    inner = face.landmarks[60:68]
    u = face.unit
    mask = soft_polygon(inner, face.size, 0.8 * u) * min(1.0, amount * 1.5)
    image = blend(face.image, (0.14, 0.03, 0.04), mask * 0.93)
    upper = np.concatenate([inner[:5], inner[1:4][::-1] * 0.7 + inner[[7, 6, 5]][::-1] * 0.3])
    teeth = soft_polygon(upper.astype(np.float32), face.size, 0.8 * u) * mask
    image = blend(image, (0.86, 0.83, 0.78), teeth * 0.8)
    tongue = soft_polygon((inner[[5, 6, 7]].mean(0) + (inner[4:] - inner[4:].mean(0)) * 0.5).astype(np.float32), face.size, 2 * u) * mask
    return blend(image, (0.6, 0.22, 0.24), tongue * 0.45)


def _folds(face: DrawnFace, rng: Rng) -> Array:
    """Return the lines along which old faces crease, ``[S, S]``."""
    p, d, w, size, u = face.landmarks, face.down, face.width, face.size, face.unit
    crease = np.zeros((size, size), np.float32)

    def add(points: Array, width: float, soft: float, strength: float) -> None:
        nonlocal crease
        crease = np.maximum(crease, strength * stroke(points, width * u, size, soft * u))

    for wing, corner in ((p[31], p[48]), (p[35], p[54])):
        side = (corner - wing) * 0.35
        add(np.stack([wing + side * 0.6, (wing + corner) / 2 + side * 1.1, corner + side * 0.7 + d * w * 0.03]), 2.6, 1.3, 1.0)
        add(np.stack([corner + side * 0.3 + d * w * 0.04, corner + side * 0.2 + d * w * 0.13]), 2.2, 1.3, 0.85)
    for k in (0.1, 0.165, 0.23, 0.295):
        add((p[17:27] - d * w * k)[1:-1] + rng.standard_normal((8, 2)).astype(np.float32) * 0.7 * u, 1.6, 0.9, 0.8)
    for eye, outer in ((p[36:42], p[36]), (p[42:48], p[45])):
        away = (outer - eye.mean(0)) / (np.linalg.norm(outer - eye.mean(0)) + 1e-6)
        for lift in (-0.8, -0.2, 0.4, 1.0):
            add(np.stack([outer + away * 3 * u, outer + away * w * 0.12 + d * lift * w * 0.05]), 1.1, 0.8, 0.8)
        add(eye[[0, 5, 4, 3]] + d * w * 0.055, 2, 1.4, 0.9)
        add(eye[[0, 5, 4, 3]] + d * w * 0.095, 1.4, 1.2, 0.6)
    for x in (-0.025, 0.025):
        add(np.stack([face.place(x, -0.11), face.place(x * 0.8, -0.02)]), 1.4, 0.9, 0.7)
    for k in range(-3, 4):
        lip = p[51] + face.right * w * 0.035 * k
        add(np.stack([lip - d * w * 0.055, lip - d * w * 0.02]), 1.0, 0.7, 0.5)
    return crease * face.bare_skin


def _aged(face: DrawnFace, rng: Rng, amount: float) -> Array:
    """Crease the skin, or smooth it where ``amount`` is negative."""
    u = face.unit
    if amount < 0:
        soft = cv2.bilateralFilter(face.image, -1, 0.12, 6 * u)
        soft = lab(0.6 * soft + 0.4 * cv2.GaussianBlur(soft, (0, 0), 2.5 * u))
        soft[..., 0] += 3
        return blend(face.image, rgb(soft), face.bare_skin * (1 - face.lips) * (1 - face.brows) * min(1.0, -amount * 0.95))
    crease = _folds(face, rng)
    light = np.roll(crease, max(1, round(2 * u)), axis=0) * face.bare_skin
    pixels = lab(face.image)
    fine = detail(pixels[..., 0], 2.5 * u)
    change = fine * 0.5 * face.bare_skin - 17 * crease + 6 * np.clip(light - crease, 0, 1)
    change -= 9 * np.clip(noise(rng, face.size, 2.2 * u) - 1.3, 0, 1) * face.bare_skin
    # bags under the eyes, hollow cheeks
    change -= 6 * face.around_eyes(1.3, 2, 0.35, 0.5) * face.bare_skin
    pixels[..., 0] += amount * change
    pixels[..., 1:] *= 1 - 0.22 * amount * face.bare_skin[..., None]
    return rgb(pixels)


def shaded(face: DrawnFace, shape: Mapping[str, float], rng: Rng) -> Array:
    """Shade what a change of shape brings with it: folds beside a smile, the inside of a mouth, round cheeks, creases."""
    image, u, p, d, w = face.image, face.unit, face.landmarks, face.down, face.width
    change = np.zeros((face.size, face.size), np.float32)
    smile = shape.get("smile", 0.0)
    if smile > 0:
        for wing, corner in ((p[31], p[48]), (p[35], p[54])):
            side = (corner - wing) * 0.3
            line = np.stack([wing + side * 0.5, (wing + corner) / 2 + side * 0.95, corner + side * 0.75 + d * w * 0.02])
            change -= 9 * smile * stroke(line, 2.5 * u, face.size, 2 * u)
        change += 4 * smile * face.cheeks
    elif smile < 0:
        for corner, chin in ((p[48], p[6]), (p[54], p[10])):
            change += 10 * smile * stroke(np.stack([corner + d * w * 0.01, corner * 0.75 + chin * 0.25]), 2.5 * u, face.size, 1.8 * u)
    full = shape.get("full cheeks", 0.0)
    if full:
        change += full * (6 * face.cheeks - 5 * blur(face.cheeks, 9 * u)) * face.bare_face
        if full < 0:
            change += full * 6 * face.cheeks
    brow = shape.get("raised brows", 0.0)
    if brow < 0:
        for x in (-0.022, 0.022):
            change += 12 * brow * stroke(np.stack([face.place(x, -0.1), face.place(x, -0.015)]), 1.8 * u, face.size, 1.2 * u)
    if change.any():
        pixels = lab(image)
        pixels[..., 0] += change * face.bare_skin
        image = rgb(pixels)
    if shape.get("full lips", 0.0) > 0:
        shine = disc(p[57] * 0.6 + p[66] * 0.4, (w * 0.06, w * 0.014), face.size, 3 * u)
        image = blend(image, np.clip(image * 1.3 + 0.05, 0, 1), shine * 0.6 * shape["full lips"])
    if shape.get("open mouth", 0.0) > 0.1:
        image = _open_mouth(face.seen_as(image), shape["open mouth"])
    if shape.get("age", 0.0):
        image = _aged(face.seen_as(image), rng, shape["age"])
    return image


def reshaped(face: DrawnFace, shape: Mapping[str, float], rng: Rng) -> DrawnFace:
    """Return the face with another shape: landmarks, picture and masks moved, shading added."""
    moves, extra, extra_moves = _moves(face, shape)
    if np.abs(moves).max() > 0.05 or np.abs(extra_moves).max() > 0.05:
        face = _pulled(face, moves, extra, extra_moves)
    face = replace(face, image=shaded(face, shape, rng))
    pointed, big = (max(0.0, shape.get(name, 0.0)) for name in ("pointed ears", "big ears"))
    return _ears(face, pointed, big) if pointed or big else face
