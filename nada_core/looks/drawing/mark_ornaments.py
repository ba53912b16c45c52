"""Draw the marks that are patterns or additions: stars, stripes, freckles, stitches, tattoos, horns, flowers. Others: `marks`."""

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
    disc,
    floats,
    luminance,
    noise,
    points_grid,
    recolour,
    rgb_of,
    screen,
    smoothstep,
    soft_polygon,
    stroke,
)
from nada_core.looks.drawing.textures import sparkles, textured
from nada_core.looks.look import Lab, Mark

__all__ = ["ORNAMENTS"]


def _paint(image: Array, mask: Array, colour: Lab, amount: float) -> Array:
    return recolour(image, np.clip(mask, 0, 1) * amount, colour, 0.96, 0.6, 0.1, None)


def _star(centre: Array, radius: float, points: int, inner: float) -> Array:
    angle = np.arange(points * 2) * np.pi / points - np.pi / 2
    r = np.where(np.arange(points * 2) % 2 == 0, radius, radius * inner)
    return (centre + np.stack([np.cos(angle) * r, np.sin(angle) * r], -1)).astype(np.float32)


def _eye_shapes(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    clear = 1 - np.clip(face.eye_openings * 1.1, 0, 1)
    mask = np.zeros((size, size), np.float32)
    if mark.name == "eye diamonds":
        for eye in face.eyes:
            for side, length in ((-1, 0.24), (1, 0.22)):
                base = eye.mean(0) + d * w * 0.02 * side
                shape = np.stack(
                    [base - face.right * w * 0.045, base + d * w * length * side, base + face.right * w * 0.045, base - d * side * w * 0.02]
                )
                mask = np.maximum(mask, soft_polygon(shape, size, 0.8 * u))
        return _paint(image, mask * clear, mark.colour or (10, 10, -20), mark.amount)
    if mark.name == "eye star":
        mask = soft_polygon(_star(p[42:48].mean(0), w * 0.27, 5, 0.45), size, 0.8 * u)
        image = _paint(image, mask * clear, mark.colour or (14, 10, -30), mark.amount)
        edge = np.clip(soft_polygon(_star(p[42:48].mean(0), w * 0.295, 5, 0.45), size, 0.8 * u) - mask, 0, 1)
        return blend(image, rgb_of((80, 0, 2)), edge * clear * 0.7 * mark.amount)
    c = p[42:48].mean(0)
    bolt = floats([(-0.02, -0.42), (0.16, -0.44), (0.07, -0.12), (0.19, -0.15), (-0.04, 0.42), (0.02, 0.07), (-0.13, 0.11)])

    def zigzag(grow: float) -> Array:
        middle = bolt.mean(0)
        q = middle + (bolt - middle) * grow
        return soft_polygon((c + (q[:, :1] * face.right + q[:, 1:] * d) * w).astype(np.float32), size, 0.8 * u)

    skin = np.clip(face.face + 0.2, 0, 1) * clear
    image = _paint(image, zigzag(1.16) * skin, (28, 20, -52), mark.amount)
    return _paint(image, zigzag(1.0) * skin, mark.colour or (50, 68, 48), mark.amount)


def _tears(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    d, w, u, size = face.down, face.width, face.unit, face.size
    for eye in face.eyes:
        for i, (x, y, r) in enumerate(((0.0, 0.1, 0.022), (0.01, 0.24, 0.027), (-0.03, 0.38, 0.024))):
            start = eye[4 if i % 2 else 5] + face.right * x * w
            drop = start + d * y * w
            track = stroke(np.stack([start + d * w * 0.01, drop]), 2.4 * u, size, 0.9 * u) * (1 - face.eye_openings)
            image = blend(image, np.clip(image * 1.15 + 0.12, 0, 1), track * 0.6 * mark.amount)
            ball = np.maximum(
                disc(drop, (r * w, r * w * 1.25), size, 0.8 * u),
                soft_polygon(
                    np.stack([drop - face.right * r * w * 0.8, drop - d * r * w * 3, drop + face.right * r * w * 0.8]), size, 0.8 * u
                ),
            )
            tone = rgb_of(mark.colour) if mark.colour else floats([0.62, 0.82, 0.98])
            image = blend(image, tone, ball * 0.72 * mark.amount)
            image = blend(image, image * 0.55, np.clip(np.roll(ball, round(1.5 * u), 0) - ball, 0, 1) * 0.7 * mark.amount)
            image = blend(
                image,
                (1, 1, 1),
                disc(drop - floats([r, r]) * w * 0.35, (r * w * 0.36, r * w * 0.36), size, 0.8 * u) * 0.95 * mark.amount,
            )
    return image


def _fangs(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    for root in (p[61] * 0.75 + p[60] * 0.25, p[63] * 0.75 + p[64] * 0.25):
        shape = np.stack([root - face.right * w * 0.03, root + d * w * 0.11, root + face.right * w * 0.03, root - d * w * 0.008])
        tooth = soft_polygon(shape, size, 0.7 * u)
        image = blend(image, (0.1, 0.02, 0.03), np.clip(blur(tooth, 1.6 * u) * 1.5 - tooth, 0, 1) * 0.75 * mark.amount)
        image = blend(image, rgb_of(mark.colour or (94, 0, 5)), tooth * mark.amount)
    return image


def _forehead(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    d, w, u, size = face.down, face.width, face.unit, face.size
    if mark.name == "forehead scar":
        line = np.stack([face.place(0.03, -0.36), face.place(0.075, -0.28), face.place(0.035, -0.265), face.place(0.09, -0.16)])
        image = blend(image, rgb_of((62, 24, 14)), stroke(line, 6.5 * u, size, 1.8 * u) * 0.75 * mark.amount)
        return blend(image, rgb_of(mark.colour or (34, 40, 24)), stroke(line, 3 * u, size, 0.7 * u) * 0.95 * mark.amount)
    centre = face.place(0, -0.1 if mark.name == "forehead dot" else -0.2)
    if mark.name == "forehead dot":
        return _paint(image, disc(centre, (w * 0.042, w * 0.042), size, 0.9 * u), mark.colour or (38, 60, 36), mark.amount)
    colour = mark.colour or (40, 30, -60)
    setting = disc(centre, (w * 0.072, w * 0.088), size, 0.9 * u, face.right)
    image = blend(image, rgb_of((72, 4, 50)), setting * mark.amount)
    gem = disc(centre, (w * 0.055, w * 0.07), size, 0.9 * u, face.right)
    x, y = points_grid(size)
    facets = 12 * np.sign(np.sin(np.arctan2(y - centre[1], x - centre[0]) * 4 + 0.4)) + 10 * ((centre[1] - y) / (w * 0.07))
    image = blend(image, np.clip(rgb_of(colour) * (1 + facets[..., None] * 0.03), 0, 1), gem * mark.amount)
    return blend(
        image, (1, 1, 1), disc(centre - d * w * 0.03 - face.right * w * 0.02, (w * 0.016, w * 0.013), size, 0.9 * u) * 0.95 * mark.amount
    )


def _stitches(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    p, w, u, size = face.landmarks, face.width, face.unit, face.size
    mask = np.zeros((size, size), np.float32)
    seams = (
        [face.place(-0.36, -0.28), face.place(-0.12, -0.24), face.place(0.12, -0.27), face.place(0.36, -0.22)],
        [p[45] + face.right * w * 0.02 + face.down * w * 0.08, face.place(0.27, 0.24), face.place(0.3, 0.42), face.place(0.2, 0.58)],
        [face.place(-0.42, 0.2), face.place(-0.3, 0.26), face.place(-0.2, 0.22)],
    )
    for seam in seams:
        knots = np.stack(seam)
        t = np.linspace(0, len(knots) - 1, 10 if len(knots) > 3 else 6)
        line = np.stack([np.interp(t, np.arange(len(knots)), knots[:, i]) for i in range(2)], -1).astype(np.float32)
        mask = np.maximum(mask, stroke(line, 2.0 * u, size, 0.6 * u))
        along = np.gradient(line, axis=0)
        normal = np.stack([-along[:, 1], along[:, 0]], -1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-6)
        for point, n in zip(line, normal):
            mask = np.maximum(mask, stroke(np.stack([point - n * w * 0.033, point + n * w * 0.033]), 2.0 * u, size, 0.6 * u))
    image = blend(image, rgb_of((40, 30, 16)), blur(mask, 2.2 * u) * face.skin * 0.7 * mark.amount)
    return blend(image, rgb_of(mark.colour or (8, 2, 2)), mask * face.bare_skin * 0.95 * mark.amount)


def _bars(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    mask = np.zeros((size, size), np.float32)
    if mark.name == "war paint":
        for side, cheek in ((-1.0, face.cheek_points[0]), (1.0, face.cheek_points[1])):
            for k in (-0.045, 0.045):
                line = np.stack(
                    [cheek - face.right * side * w * 0.1 + d * w * (k - 0.01), cheek + face.right * side * w * 0.15 + d * w * (k - 0.03)]
                )
                mask = np.maximum(mask, stroke(line, 0.048 * w, size, 0.9 * u))
        mask = mask * np.clip(0.9 + 0.2 * noise(rng, size, 1.5 * u), 0.3, 1)
        return _paint(image, mask * face.bare_face, mark.colour or (36, 52, 36), mark.amount)
    # stripes: tapering wedges from the edge of the face towards the nose, and down the forehead
    for side, rim in ((-1.0, p[[0, 1, 2, 3, 4]]), (1.0, p[[16, 15, 14, 13, 12]])):
        for k, edge in enumerate(rim):
            target = face.place(side * 0.1, 0.16 + 0.08 * k)
            tip = edge + (target - edge) * (0.62 if k % 2 else 0.78)
            thick = d * w * 0.034
            shape = np.stack(
                [
                    edge + face.right * side * w * 0.05 - thick,
                    (edge + tip) / 2 - thick * 0.75 - d * w * 0.015,
                    tip,
                    (edge + tip) / 2 + thick * 0.5,
                    edge + face.right * side * w * 0.05 + thick,
                ]
            )
            mask = np.maximum(mask, soft_polygon(shape, size, 0.9 * u))
        for x in (0.06, 0.17, 0.28):
            top, tip = face.place(side * x * 1.15, -0.46), face.place(side * x, -0.17 + 0.04 * (x > 0.1))
            mask = np.maximum(
                mask, soft_polygon(np.stack([top - face.right * w * 0.028, tip, top + face.right * w * 0.028]), size, 0.9 * u)
            )
    return _paint(image, mask * face.bare_face * (1 - face.lips), mark.colour or (9, 1, 2), mark.amount)


def _whiskers(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    d, w, u, size = face.down, face.width, face.unit, face.size
    mask = np.zeros((size, size), np.float32)
    for side in (-1.0, 1.0):
        for k in (-1, 0, 1):
            start, end = face.place(side * 0.15, 0.32 + 0.035 * k), face.place(side * 0.55, 0.29 + 0.1 * k)
            mask = np.maximum(mask, stroke(np.stack([start, (start + end) / 2 - d * w * 0.012, end]), 2.2 * u, size, 0.6 * u))
        for k in range(3):
            mask = np.maximum(mask, disc(face.place(side * (0.09 + 0.03 * (k % 2)), 0.33 + 0.03 * k), (1.9 * u, 1.9 * u), size, 0.8 * u))
    colour = mark.colour or ((6, 0, 0) if luminance(image)[face.face > 0.5].mean() > 0.3 else (92, 0, 2))
    return blend(image, rgb_of(colour), mask * 0.95 * mark.amount)


def _lines(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    """Draw the seams of plates, or circuits that glow."""
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    mask = np.zeros((size, size), np.float32)
    rivets = np.zeros((size, size), np.float32)
    if mark.name == "panel seams":
        lines = [
            np.stack([face.place(0, -0.62), face.place(0, -0.05)]),
            np.stack([face.place(-0.42, -0.2), face.place(-0.2, -0.26), face.place(0.2, -0.26), face.place(0.42, -0.2)]),
            np.stack([p[57] + d * w * 0.02, p[8]]),
        ]
        for eye, ear, temple, corner, low, chin, wing in ((36, 1, 0, 48, 5, 6, 31), (45, 15, 16, 54, 11, 10, 35)):
            lines += [
                np.stack([p[eye] - d * w * 0.02, p[temple] - d * w * 0.04]),
                np.stack([p[corner], p[corner] * 0.75 + p[low] * 0.25, p[chin]]),
                np.stack([p[ear], p[ear] * 0.5 + p[wing] * 0.5 + d * w * 0.06, p[wing] + d * w * 0.01]),
            ]
        for line in lines:
            mask = np.maximum(mask, stroke(line, 2.2 * u, size, 0.6 * u))
            for t in (0.15, 0.85):
                rivets = np.maximum(rivets, disc(line[0] * (1 - t) + line[-1] * t + d * w * 0.03, (2.6 * u, 2.6 * u), size, 0.8 * u))
        mask, rivets = mask * face.bare_skin, rivets * face.bare_skin
        image = blend(image, np.clip(image * 1.35 + 0.12, 0, 1), np.roll(mask, (1, 1), (0, 1)) * 0.6 * mark.amount)
        image = blend(image, rgb_of(mark.colour or (7, -1, -3)), np.clip(mask * 1.2, 0, 1) * 0.92 * mark.amount)
        image = blend(image, rgb_of((30, -1, -4)), rivets * 0.85 * mark.amount)
        return blend(image, (0.95, 0.97, 1), np.roll(np.clip(rivets - 0.6, 0, 1) * 2, (-1, -1), (0, 1)) * 0.6 * mark.amount)
    for _ in range(26):
        at = face.place(float(rng.uniform(-0.48, 0.48)), float(rng.uniform(-0.5, 0.72)))
        path = [at]
        turn = int(rng.integers(0, 8))
        for _ in range(4):
            angle = turn * np.pi / 4
            at = at + (face.right * np.cos(angle) + d * np.sin(angle)) * w * float(rng.uniform(0.05, 0.12))
            path.append(at)
            turn = (turn + int(rng.choice([-1, 1]))) % 8
        mask = np.maximum(mask, stroke(np.stack(path).astype(np.float32), 1.5 * u, size, 0.5 * u))
        mask = np.maximum(mask, disc(path[-1], (2.8 * u, 2.8 * u), size, 0.8 * u))
    mask = mask * face.bare_skin
    glow = rgb_of(mark.colour or (80, -42, -24))
    image = blend(image, image * 0.55, face.bare_skin * 0.6 * mark.amount)
    image = screen(image, (blur(mask, 3.5 * u) * 1.1 * mark.amount)[..., None] * glow)
    return blend(image, np.clip(glow * 1.1 + 0.15, 0, 1), mask * 0.95 * mark.amount)


def _tattoo(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    mask = np.zeros((size, size), np.float32)
    t = np.linspace(0, 1, 26)[:, None]
    for side, eye in ((-1.0, p[36]), (1.0, p[45])):
        out = face.right * side
        for start, reach, bend, curl in (
            (eye + out * w * 0.03, 0.3, 0.12, 1.0),
            (eye + out * w * 0.02 - d * w * 0.03, -0.3, 0.1, -1.0),
            (face.place(side * 0.16, 0.2), 0.32, 0.17, 1.0),
        ):
            # blades that curl at the end, as in tribal ornaments
            line = start + d * w * reach * t + out * w * bend * np.sin(t * np.pi * 0.9) - out * w * 0.05 * curl * t**3
            thick = out * w * 0.04 * np.sin(np.pi * t) ** 0.8 * (1 - 0.4 * t)
            mask = np.maximum(mask, soft_polygon(np.concatenate([line - thick, (line + thick)[::-1]]).astype(np.float32), size, 0.7 * u))
        hook = face.place(side * 0.12, -0.2) + out * w * 0.17 * t - d * w * 0.1 * np.sin(t * np.pi) * np.ones(2, np.float32)
        thick = d * w * 0.022 * np.sin(np.pi * t)
        mask = np.maximum(mask, soft_polygon(np.concatenate([hook - thick, (hook + thick)[::-1]]).astype(np.float32), size, 0.7 * u))
    chin = np.stack(
        [
            p[57] + d * w * 0.03,
            p[57] + d * w * 0.03 + face.right * w * 0.05,
            p[8] - d * w * 0.02,
            p[57] + d * w * 0.03 - face.right * w * 0.05,
        ]
    )
    mask = np.maximum(mask, soft_polygon(chin, size, 0.8 * u))
    return _paint(image, mask * face.bare_face * 0.92, mark.colour or (14, -2, -8), mark.amount)


def _dots(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    mask = np.zeros((size, size), np.float32)
    places = [brow - d * w * 0.07 for brow in (*p[17:22], *p[22:27])]
    for side in (-1.0, 1.0):
        places += [face.place(side * (0.13 + 0.055 * k), 0.2 + 0.02 * (k - 2) ** 2 * 0.3) for k in range(6)]
        places += [face.place(side * (0.17 + 0.055 * k), 0.275 + 0.006 * k) for k in range(4)]
    places += [face.place(0, -0.13 - 0.06 * k) for k in range(4)] + [p[8] - d * w * (0.05 + 0.05 * k) for k in range(2)]
    for i, place in enumerate(places):
        r = w * (0.021 if i % 2 else 0.017)
        mask = np.maximum(mask, disc(place, (r, r), size, 0.8 * u))
    return _paint(image, mask * (1 - face.eye_openings), mark.colour or (93, 0, 3), mark.amount)


def _freckles(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    w, u, size = face.width, face.unit, face.size
    area = blur(disc(face.place(0, 0.19), (w * 0.42, w * 0.16), size, 1, face.right), 8 * u)
    area = np.clip(area * 1.2 + 0.25 * face.forehead, 0, 1) * face.bare_face * (1 - face.lips)
    return blend(image, textured(image, face, area, "freckled", rng, mark.colour), area * mark.amount)


def _glitter(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    d, w, u, size = face.down, face.width, face.unit, face.size
    area = np.maximum(*(disc(c - d * w * 0.05, (w * 0.17, w * 0.09), size, 8 * u, face.right) for c in face.cheek_points))
    area = np.maximum(area, face.around_eyes(1.6, 3, -0.25)) * face.bare_face
    tone = rgb_of(mark.colour or (70, 34, 18))
    image = blend(image, tone, area * 0.45 * mark.amount)
    points = sparkles(rng, size, 0.06, u)
    hue = np.stack([np.clip(0.85 + 0.25 * noise(rng, size, 2 * u), 0.3, 1) for _ in range(3)], -1)
    return screen(image, (points * area * mark.amount)[..., None] * (0.5 * hue + 0.5 * np.clip(tone + 0.2, 0, 1)))


def _flowers(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    w, u, size = face.width, face.unit, face.size
    colours: tuple[Lab, ...] = (mark.colour,) if mark.colour else ((60, 60, 0), (88, 2, 60), (92, 2, 2), (55, 40, -50), (58, 62, 45))
    for k, angle in enumerate(np.linspace(-1.22, 1.22, 9)):
        centre = face.place(0.54 * np.sin(angle), -0.12 - 0.42 * np.cos(angle)) + rng.standard_normal(2) * w * 0.012
        r, colour = w * (0.075 if k % 2 else 0.095), rgb_of(colours[k % len(colours)])
        leaves, petals, gaps = (np.zeros((size, size), np.float32) for _ in range(3))
        for leaf in (-0.8, 0.9):
            axis = floats([np.cos(angle + leaf), np.sin(angle + leaf)])
            leaves = np.maximum(leaves, disc(centre + axis * r * 1.15, (r * 0.6, r * 0.3), size, 0.8 * u, axis))
        for petal in range(5):
            turn = petal * 2 * np.pi / 5 + k
            axis = floats([np.cos(turn), np.sin(turn)])
            shape = disc(centre + axis * r * 0.58, (r * 0.52, r * 0.4), size, 0.8 * u, axis)
            gaps = np.maximum(gaps, np.minimum(petals, shape))
            petals = np.maximum(petals, shape)
        image = blend(image, rgb_of((38, -30, 28)), leaves * mark.amount)
        image = blend(image, image * 0.5, cv2.GaussianBlur(petals, (0, 0), 2 * u) * 0.5 * mark.amount)
        image = blend(image, np.clip(colour * (1 - 0.35 * gaps[..., None]), 0, 1), petals * mark.amount)
        image = blend(image, rgb_of((80, 10, 70)), disc(centre, (r * 0.28, r * 0.28), size, 0.8 * u) * mark.amount)
    return image


def _horns(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    d, w, u, size = face.down, face.width, face.unit, face.size
    colour = mark.colour or (26, 14, 12)
    t = np.linspace(0, 1, 16)[:, None]
    for side in (-1.0, 1.0):
        root = face.place(side * 0.24, -0.38)
        line = root - d * w * 0.42 * t + face.right * side * w * (0.17 * np.sin(t * np.pi * 0.75) - 0.03 * t)
        thick = face.right * w * 0.088 * (1 - t) ** 0.75 + 0.3
        outline = np.concatenate([line - thick, (line + thick)[::-1]]).astype(np.float32)
        horn = soft_polygon(outline, size, 0.8 * u)
        image = blend(image, image * 0.4, blur(horn, 3.5 * u) * 0.55 * mark.amount)
        lit = soft_polygon(np.concatenate([line - thick * 0.7, (line - thick * 0.1)[::-1]]).astype(np.float32), size, 1.2 * u)
        x, y = points_grid(size)
        rings = 0.5 + 0.5 * np.sin(((x - root[0]) * d[0] + (y - root[1]) * d[1]) / (w * 0.011))
        body = np.clip(rgb_of(colour)[None, None] * (0.7 + 0.35 * rings[..., None] + 1.1 * lit[..., None]), 0, 1)
        image = blend(image, body, horn * mark.amount)
    return image


def _web(image: Array, face: DrawnFace, rng: Rng, mark: Mark) -> Array:
    u, w, size = face.unit, face.width, face.size
    o = face.place(0, 0.02)
    x, y = points_grid(size)
    dx, dy = (x - o[0]) * face.right[0] + (y - o[1]) * face.right[1], (x - o[0]) * face.down[0] + (y - o[1]) * face.down[1]
    angle, radius = np.arctan2(dy, dx), np.hypot(dx, dy)
    count = 14
    phase = (angle / (2 * np.pi) * count) % 1
    across = np.minimum(phase, 1 - phase) * 2 * np.pi / count * radius
    lines = smoothstep(across, 1.7 * u, 0.6 * u)
    # threads between the spokes sag towards the middle
    sag = radius * (1 - 0.075 * np.cos(phase * 2 * np.pi))
    ring = (sag / (w * 0.12)) % 1
    lines = np.maximum(lines, smoothstep(np.minimum(ring, 1 - ring) * w * 0.12, 1.5 * u, 0.6 * u))
    lines = lines * np.clip(face.bare_face, 0, 1) * smoothstep(radius, 2 * u, 6 * u)
    return blend(image, rgb_of(mark.colour or (6, 0, 0)), lines * 0.92 * mark.amount)


ORNAMENTS: dict[str, Callable[[Array, DrawnFace, Rng, Mark], Array]] = {
    **dict.fromkeys(("eye diamonds", "eye star", "lightning"), _eye_shapes),
    "tears": _tears,
    "fangs": _fangs,
    **dict.fromkeys(("forehead scar", "forehead dot", "forehead gem"), _forehead),
    "stitches": _stitches,
    **dict.fromkeys(("war paint", "stripes"), _bars),
    "whiskers": _whiskers,
    **dict.fromkeys(("panel seams", "circuits"), _lines),
    "tattoo": _tattoo,
    "dots": _dots,
    "freckles": _freckles,
    "glitter": _glitter,
    "flowers": _flowers,
    "horns": _horns,
    "web": _web,
}
