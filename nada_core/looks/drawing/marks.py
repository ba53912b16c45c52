"""Draw all marks of a look (make-up, scars, beards, glasses) at their places on a face; the `mark_` modules draw further ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nada_core.looks.drawing.beards import bearded
from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.mark_bands import BAND_COLOURS, BAND_DRAWINGS
from nada_core.looks.drawing.mark_features import FEATURE_COLOURS, FEATURE_DRAWINGS
from nada_core.looks.drawing.mark_hair import COLOUR, HAIR_DRAWINGS
from nada_core.looks.drawing.mark_headwear import HEADWEAR_DRAWINGS
from nada_core.looks.drawing.mark_ornaments import ORNAMENTS
from nada_core.looks.drawing.mark_sides import SIDE_COLOURS, SIDE_DRAWINGS
from nada_core.looks.drawing.mark_worn import WORN_DRAWINGS
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    disc,
    floats,
    lab,
    noise,
    points_grid,
    recolour,
    rgb,
    rgb_of,
    smoothstep,
    soft_polygon,
    stroke,
)
from nada_core.looks.drawing.textures import textured
from nada_core.looks.look import Lab, Mark

__all__ = ["COLOURS", "marked"]

#: The colours marks have where their look says nothing else.
COLOURS: dict[str, Lab] = {
    "painted smile": (38, 60, 38), "scarred smile": (30, 40, 24), "clown nose": (48, 68, 46), "cheek spots": (54, 58, 34),
    "eye mask": (8, 0, 0), "eye patch": (7, 0, 0), "eyeliner": (6, 0, 0), "eyeshadow": (40, 30, -36), "mascara tears": (9, 0, 0),
    "blush": (58, 42, 14), "contour": (36, 12, 16), "blood": (26, 48, 34), "scar": (46, 30, 14), "bruise": (28, 22, -16),
    **FEATURE_COLOURS,
    **BAND_COLOURS, **SIDE_COLOURS, "animal nose": (12, 2, 2), "skull": (6, 0, 0), "beard": (18, 5, 8), "stubble": (22, 2, 2),
    "moustache": (15, 4, 6), "goatee": (16, 4, 6), "glasses": (8, 0, 0), "sunglasses": (5, 0, 0), "veins": (26, 14, -18),
    "burns": (24, 22, 16), "mud": (30, 9, 18), **dict.fromkeys(HAIR_DRAWINGS, COLOUR), "crown": (74, 8, 60), "cap": (34, 40, 24),
    "hat": (30, 14, 22), "helmet": (64, -1, -4), "bandana": (40, 58, 36), "headscarf": (46, 6, -30), "halo": (90, 0, 46),
    "cat ears": (16, 3, 4), "bunny ears": (92, 2, 3), "unicorn horn": (90, 4, 16), "surgical mask": (80, -8, -14),
    "earrings": (74, 8, 56), "monocle": (74, 8, 56), "piercings": (78, -1, -3), "wings": (96, 0, 1),
}  # fmt: skip


def _painted(image: Array, mask: Array, colour: Lab, amount: float = 0.95, contrast: float = 0.25) -> Array:
    """Lay greasepaint: the colour with a little of the face's shading."""
    return recolour(image, mask, colour, amount, contrast, 0.1, None)


def _smile(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, size, u = face.landmarks, face.down, face.width, face.size, face.unit
    scar = mark.name == "scarred smile"
    lips = soft_polygon(p[48:60].mean(0) + (p[48:60] - p[48:60].mean(0)) * floats([1.06, 1.16]), size, 1.2 * u)
    mask = lips * (1 - face.mouth_opening) * (0.45 if scar else 1)
    # a faint one stays near the mouth, a whole one runs far up the cheeks
    more = max(0.0, mark.amount - 0.55)
    reach, thick = (0.62, 0.016) if scar else (0.58 + 0.36 * more, 0.038 + 0.05 * more)
    for corner, cheek in ((p[48], p[2]), (p[54], p[14])):
        tip = corner + (cheek - corner) * reach - d * w * (0.03 if scar else 0.02)
        bend = corner + (cheek - corner) * reach * 0.55 + d * w * 0.035
        t = np.linspace(0, 1, 13)[:, None]
        curve = (1 - t) ** 2 * corner + 2 * t * (1 - t) * bend + t**2 * tip
        normal = d * w * thick * (1 - t) + d * 0.7 * u
        if scar:
            normal = normal * (1 + 0.9 * np.abs(rng.standard_normal((13, 1))))
        mask = np.maximum(mask, soft_polygon(np.concatenate([curve - normal, (curve + normal)[::-1]]).astype(np.float32), size, 0.9 * u))
    if not scar:
        return _painted(image, mask, colour, 0.95 * mark.amount)
    swollen = np.clip(blur(mask, 3 * u) * 1.6 - mask, 0, 1)
    image = blend(image, rgb_of((52, 34, 20)), swollen * 0.6 * mark.amount)
    image = _painted(image, mask, colour, 0.95 * mark.amount)
    return blend(image, rgb_of((12, 22, 14)), smoothstep(mask, 0.75, 1.0) * (1 - lips) * 0.85 * mark.amount)


def _discs(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u = face.landmarks, face.down, face.width, face.unit
    if mark.name == "cheek spots":
        mask = np.maximum(*(disc(c, (w * 0.105, w * 0.105), face.size, 2 * u) for c in face.cheek_points))
        return _painted(image, mask * (1 - face.eye_openings), colour, 0.9 * mark.amount)
    centre, r = p[30] + d * w * 0.012, w * 0.115
    x, y = points_grid(face.size)
    ball = disc(centre, (r, r), face.size, 1.2 * u)
    dx, dy = (x - centre[0]) / r, (y - centre[1]) / r
    sphere = np.clip(0.35 + 0.75 * np.sqrt(np.clip(1 - dx * dx - dy * dy, 0, 1)) - 0.3 * (dx + dy) * 0.7, 0.1, 1.3)
    image = blend(image, image * 0.6, blur(np.roll(ball, round(r * 0.35), 0), 3 * u) * face.face * 0.7)
    image = blend(image, np.clip(rgb_of(colour) * sphere[..., None], 0, 1), ball * mark.amount)
    return blend(image, (1, 1, 1), disc(centre - r * floats([0.35, 0.4]), (r * 0.24, r * 0.17), face.size, 2 * u) * 0.85 * mark.amount)


def _eye_band(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    if mark.name == "eye patch":
        eye = p[42:48]
        centre = eye.mean(0) + d * w * 0.01
        string = np.maximum(
            stroke(np.stack([centre, centre + face.right * w * 0.5 - d * w * 0.18]), 2.2 * u, size, 0.6 * u),
            stroke(np.stack([centre, centre - face.right * w * 0.95 - d * w * 0.42]), 2.2 * u, size, 0.6 * u),
        )
        image = blend(image, rgb_of(colour), string * face.person * 0.95 * mark.amount)
        t = np.linspace(-np.pi, np.pi, 40)[:, None]
        shape = centre + face.right * np.cos(t) * w * 0.165 + d * np.where(np.sin(t) > 0, 0.165, 0.1) * np.sin(t) * w
        patch = soft_polygon(shape.astype(np.float32), size, 0.8 * u)
        image = blend(image, image * 0.5, blur(patch, 4 * u) * 0.6)
        image = blend(image, rgb_of(colour), patch * mark.amount)
        rim = np.clip(patch - disc(centre - d * w * 0.02, (w * 0.13, w * 0.1), size, 6 * u), 0, 1)
        return blend(image, rgb_of((colour[0] + 16, colour[1], colour[2])), rim * 0.35)
    outer = [face.landmarks[0] - d * w * 0.01, p[17] - d * w * 0.035, p[19] - d * w * 0.055, p[21] - d * w * 0.02, p[27] - d * w * 0.03]
    outer += [p[22] - d * w * 0.02, p[24] - d * w * 0.055, p[26] - d * w * 0.035, p[16] - d * w * 0.01]
    lower = [
        p[15] * 0.6 + p[16] * 0.4,
        p[46] + d * w * 0.12,
        p[47] + d * w * 0.11,
        p[28] + d * w * 0.02,
        p[40] + d * w * 0.11,
        p[41] + d * w * 0.12,
    ]
    lower += [p[1] * 0.6 + p[0] * 0.4]
    mask = soft_polygon(np.stack(outer + lower).astype(np.float32), size, 1.0 * u)
    mask = mask * np.clip(face.face + face.hair * 0.5 + 0.3, 0, 1) * (1 - np.clip(face.eye_openings * 1.1, 0, 1))
    return _painted(image, mask, colour, 0.97 * mark.amount, 0.55)


def _lids(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    mask = np.zeros((size, size), np.float32)
    for eye, brow, sign in ((p[36:42], p[17:22], -1.0), (p[42:48], p[22:27], 1.0)):
        outer, inner = (eye[0], eye[3]) if sign < 0 else (eye[3], eye[0])
        out = face.right * sign
        if mark.name == "eyeliner":
            lid = np.stack([eye[0], eye[1], eye[2], eye[3]]) - d * w * 0.004
            wing = np.stack([outer - d * w * 0.002, outer + out * w * 0.05 - d * w * 0.035])
            under = np.stack([eye[0], eye[5], eye[4], eye[3]]) + d * w * 0.006
            for line, width in ((lid, 3.2), (wing, 2.6)):
                mask = np.maximum(mask, stroke(line, width * u, size, 0.7 * u))
            mask = np.maximum(mask, 0.75 * stroke(under, 1.6 * u, size, 0.7 * u))
        else:  # eyeshadow: from the lid most of the way to the brow, out past the corner
            lift = brow[::-1] * 0.62 + eye[[3, 3, 2, 1, 0]] * 0.38
            past = outer + out * w * 0.055 - d * w * 0.03
            ring = [eye[0], eye[1], eye[2], eye[3]]
            shape = [*ring, *([past] if sign > 0 else []), *lift, *([past] if sign < 0 else [])]
            mask = np.maximum(mask, soft_polygon(np.stack(shape).astype(np.float32), size, 2.0 * u))
            mask = np.maximum(mask, 0.45 * stroke(np.stack([inner, eye[5], eye[4], outer]) + d * w * 0.015, 2.5 * u, size, 1.5 * u))
    clear = 1 - np.clip(face.eye_openings * (0.6 if mark.name == "eyeliner" else 1.05), 0, 1)
    return _painted(image, mask * clear * mark.amount, colour, 0.92, 0.6)


def _runs(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    """Let something run down from the eyes or the mouth."""
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    mask = np.zeros((size, size), np.float32)
    starts: list[tuple[Array, float, float]] = []
    if mark.name == "blood":
        low = p[[48, 59, 58, 57, 56, 55, 54]]
        starts = [(low[i], float(rng.uniform(0.1, 0.24)), float(rng.uniform(2.4, 4.2))) for i in (0, 1, 2, 4, 5, 6)]
        mask = np.maximum(mask, 0.85 * face.lips)
        starts[0] = (low[0], 0.3, 4.5)
        starts[-1] = (low[-1], 0.25, 4.0)
    else:
        for eye in face.eyes:
            starts += [(eye[i] + d * w * 0.01, float(rng.uniform(0.18, 0.42)), float(rng.uniform(2.0, 3.4))) for i in (0, 5, 4, 3)]
    for start, length, thick in starts:
        steps = np.linspace(0, 1, 7)[:, None]
        path = start + d * w * length * steps + face.right * (np.cumsum(rng.standard_normal((7, 1)), 0) * 0.006 * w)
        mask = np.maximum(mask, stroke(path.astype(np.float32), thick * u, size, 0.8 * u))
        mask = np.maximum(mask, disc(path[-1], (thick * 0.75 * u, thick * 0.95 * u), size, 0.8 * u))
    if mark.name == "mascara tears":
        mask = np.maximum(mask, 0.85 * face.around_eyes(1.25, 2.0, 0.12, 0.6))
    mask = mask * (1 - face.eye_openings) * (1 - 0.7 * face.mouth_opening)
    return _painted(image, mask * mark.amount, colour, 0.93, 0.5)


def _soft_spots(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    """Colour cheeks, cheekbones or the surroundings of one eye softly."""
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    pixels = lab(image)
    if mark.name == "blush":
        pixels = pixels + floats([0, 0, 0])
        tone = np.stack([pixels[..., 0] * 0.93, *(np.full((size, size), c, np.float32) for c in colour[1:])], -1)
        nose = 0.4 * disc(p[30], (w * 0.06, w * 0.05), size, 6 * u)
        return blend(image, rgb(tone), np.maximum(np.clip(face.cheeks * 1.4, 0, 1), nose) * face.bare_face * 0.85 * mark.amount)
    if mark.name == "bruise":
        eye = p[42:48]
        centre = eye.mean(0) + d * w * 0.025
        mask = blur(disc(centre, (w * 0.17, w * 0.14), size, 1), 4 * u) * (1 - 0.9 * face.eye_openings)
        patches = np.clip(0.75 + 0.3 * noise(rng, size, 6 * u), 0.2, 1)
        image = _painted(image, np.clip(mask * 1.3 - 0.15, 0, 1) * patches * mark.amount, colour, 0.85, 0.8)
        yellow = np.clip(blur(mask, 5 * u) - mask * 1.1, 0, 1) * face.face
        return blend(image, rgb_of((58, 2, 40)), yellow * 0.8 * mark.amount)
    # contour: under the cheekbone, along the nose and the jaw; light on the bones
    shade = np.zeros((size, size), np.float32)
    for ear, corner in ((p[1], p[48]), (p[15], p[54])):
        shade = np.maximum(shade, stroke(np.stack([ear, ear * 0.4 + corner * 0.6 - d * w * 0.03]), 8 * u, size, 4 * u))
    for x in (-0.045, 0.045):
        shade = np.maximum(shade, 0.7 * stroke(np.stack([face.place(x, 0.0), face.place(x * 0.9, 0.25)]), 3 * u, size, 2 * u))
    shade = np.maximum(shade, 0.7 * stroke(p[3:14], 6 * u, size, 4 * u))
    pixels[..., 0] -= 17 * np.clip(shade * 1.3, 0, 1) * face.bare_face * mark.amount
    bones = 0.6 * np.maximum(*(disc(c - d * w * 0.06, (w * 0.09, w * 0.035), size, 4 * u) for c in face.cheek_points))
    bones = np.maximum(bones, stroke(np.stack([face.place(0, 0.0), face.place(0, 0.25)]), 3 * u, size, 2 * u))
    pixels[..., 0] += 10 * np.clip(bones, 0, 1) * face.bare_face * mark.amount
    return rgb(pixels)


def _wounds(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    if mark.name == "veins":
        mask = np.zeros((size, size), np.float32)
        roots = [
            (p[39], -0.2),
            (p[36], -0.9),
            (p[41], -0.5),
            (p[42], 0.2),
            (p[45], 0.9),
            (p[46], 0.5),
            (p[17], -0.9),
            (p[26], 0.9),
            (p[41], 0.2),
        ]
        for root, side in [*roots, *roots[:6]]:
            step = face.right * side + d * float(rng.uniform(-0.4, 1.0))
            path = root + d * w * 0.02 + np.cumsum(step * w * 0.035 + rng.standard_normal((9, 2)) * w * 0.017, 0)
            for k, width in ((9, 1.0), (5, 1.8)):
                mask = np.maximum(mask, stroke(path[:k].astype(np.float32), width * u, size, 0.7 * u))
        mask = np.maximum(mask * 1.2, 0.6 * face.around_eyes(1.3, 3, 0.08)) * face.bare_face
        return blend(image, rgb_of(colour), np.clip(mask, 0, 1) * 0.85 * mark.amount)
    if mark.name in ("burns", "mud"):
        if mark.name == "mud":
            smears = smoothstep(noise(rng, size, 13 * u, (1.5, 1)), -0.15, 0.5) * np.clip(
                face.bare_skin + 0.4 * face.hair + 0.5 * face.clothing, 0, 1
            )
            return blend(image, textured(image, face, smears, "muddy", rng), smears * mark.amount)
        field = noise(rng, size, 10 * u) + 0.9 * disc(face.cheek_points[0], (w * 0.3, w * 0.35), size, 30 * u)
        area = smoothstep(field, 0.75, 1.15) * face.bare_skin
        image = _painted(image, area * mark.amount, (44, 40, 26), 0.8, 1.2)
        char = smoothstep(field + 0.45 * noise(rng, size, 2.5 * u), 1.4, 1.8) * face.bare_skin
        image = blend(image, rgb_of(colour), char * 0.9 * mark.amount)
        rough = textured(image, face, area, "rough", rng)
        return blend(image, rough, area * 0.7 * mark.amount)
    # a scar from the brow over the eye down the cheek: a pale ridge between red borders
    path = np.stack(
        [face.place(0.16, -0.2), face.place(0.2, -0.05), face.place(0.215, 0.1), face.place(0.25, 0.27), face.place(0.26, 0.42)]
    )
    path = path + rng.standard_normal(path.shape).astype(np.float32) * w * 0.008
    clear = 1 - face.eye_openings
    image = blend(image, rgb_of(colour), stroke(path, 7.5 * u, size, 1.8 * u) * clear * 0.9 * mark.amount)
    image = blend(image, rgb_of((74, 14, 10)), stroke(path, 2.6 * u, size, 0.7 * u) * clear * 0.9 * mark.amount)
    return blend(image, rgb_of((24, 22, 14)), np.roll(stroke(path, 1.2 * u, size, 0.6 * u), round(2.2 * u), 1) * clear * 0.7 * mark.amount)


def _animal_nose(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    tip = np.stack(
        [
            p[31] + (p[31] - p[33]) * 0.1 - d * w * 0.035,
            p[30] - d * w * 0.035,
            p[35] + (p[35] - p[33]) * 0.1 - d * w * 0.035,
            p[34],
            p[33] + d * w * 0.03,
            p[32],
        ]
    )
    mask = np.maximum(soft_polygon(tip, size, 1.2 * u), stroke(np.stack([p[33], p[51]]), 2.4 * u, size, 0.8 * u))
    image = _painted(image, mask * mark.amount, colour, 0.96, 0.7)
    return blend(image, (1, 1, 1), disc(p[30] - d * w * 0.012, (w * 0.025, w * 0.011), size, 1.5 * u) * 0.55 * mark.amount)


def _skull(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    dark = face.around_eyes(1.85, 1.6, 0.02, 0.95) * (1 - 0.85 * face.eye_openings)
    nose = np.stack(
        [p[29] * 0.4 + p[30] * 0.6, p[35] + (p[35] - p[33]) * 0.15, p[34], p[33] - d * w * 0.03, p[32], p[31] + (p[31] - p[33]) * 0.15]
    )
    dark = np.maximum(dark, soft_polygon(nose, size, 1.3 * u))
    for ear, corner in ((p[2], p[48]), (p[14], p[54])):
        hollow = np.stack(
            [
                ear * 0.8 + corner * 0.2,
                ear * 0.4 + corner * 0.6 - d * w * 0.02,
                ear * 0.35 + corner * 0.65 + d * w * 0.06,
                ear * 0.75 + corner * 0.25 + d * w * 0.1,
            ]
        )
        dark = np.maximum(dark, 0.55 * soft_polygon(hollow, size, 4 * u))
    # teeth: a pale band over the lips, crossed by dark lines
    left, right = p[48] - face.right * w * 0.09, p[54] + face.right * w * 0.09
    t = np.linspace(0, 1, 15)[:, None]
    line = left * (1 - t) + right * t + d * w * 0.03 * np.sin(np.pi * t)
    tall = d * w * (0.035 + 0.035 * np.sin(np.pi * t))
    band = soft_polygon(np.concatenate([line - tall, (line + tall)[::-1]]).astype(np.float32), size, 0.9 * u)
    image = blend(image, rgb_of((86, 1, 8)), band * 0.95 * mark.amount)
    lines = stroke(line, 1.6 * u, size, 0.6 * u)
    for i in range(15):
        lines = np.maximum(lines, stroke(np.stack([line[i] - tall[i], line[i] + tall[i]]), 1.5 * u, size, 0.6 * u))
    return blend(image, rgb_of(colour), np.maximum(dark, lines) * np.clip(face.face + band, 0, 1) * 0.95 * mark.amount)


def _spectacles(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    p, d, w, u, size = face.landmarks, face.down, face.width, face.unit, face.size
    dark = mark.name == "sunglasses"
    span = float(np.linalg.norm(p[42:48].mean(0) - p[36:42].mean(0)))
    rx, ry = span * (0.43 if dark else 0.38), span * (0.34 if dark else 0.38)
    frame, lens = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    for eye in face.eyes:
        centre = eye.mean(0) + d * span * 0.05
        outer = disc(centre, (rx, ry), size, 0.9 * u, face.right)
        inner = disc(centre, (rx - 2.6 * u, ry - 2.6 * u), size, 0.9 * u, face.right)
        lens, frame = np.maximum(lens, outer), np.maximum(frame, np.clip(outer - inner, 0, 1))
    bridge = p[27] + d * span * 0.02
    frame = np.maximum(
        frame,
        stroke(
            np.stack([bridge - face.right * span * 0.13, bridge - d * span * 0.03, bridge + face.right * span * 0.13]), 3 * u, size, 0.6 * u
        ),
    )
    for eye, ear, sign in ((p[36:42], p[0], -1), (p[42:48], p[16], 1)):
        edge = eye.mean(0) + face.right * sign * rx
        frame = np.maximum(frame, stroke(np.stack([edge, ear * 0.8 + edge * 0.2 - d * w * 0.02]), 2.6 * u, size, 0.6 * u))
    if dark:
        _, y = points_grid(size)
        sheen = np.clip(0.35 - (y - p[27][1]) / (2.4 * ry), 0, 1)[..., None] * floats([0.16, 0.18, 0.22])
        image = blend(image, np.clip(rgb_of(colour) + sheen, 0, 1), lens * 0.96 * mark.amount)
    else:
        image = blend(image, np.clip(image * 1.06 + 0.03, 0, 1), lens * mark.amount)
    return blend(image, rgb_of(colour), frame * 0.95 * mark.amount)


Drawing = Callable[[Array, DrawnFace, Rng, Mark, Lab], Array]
DRAWINGS: dict[str, Drawing] = {
    **dict.fromkeys(("painted smile", "scarred smile"), _smile),
    **dict.fromkeys(("clown nose", "cheek spots"), _discs),
    **dict.fromkeys(("eye mask", "eye patch"), _eye_band),
    **dict.fromkeys(("eyeliner", "eyeshadow"), _lids),
    **dict.fromkeys(("mascara tears", "blood"), _runs),
    **dict.fromkeys(("blush", "bruise", "contour"), _soft_spots),
    **dict.fromkeys(("scar", "veins", "burns", "mud"), _wounds),
    **BAND_DRAWINGS,
    "animal nose": _animal_nose,
    "skull": _skull,
    **dict.fromkeys(("beard", "stubble", "moustache", "goatee"), bearded),
    **dict.fromkeys(("glasses", "sunglasses"), _spectacles),
    **FEATURE_DRAWINGS,
    **HAIR_DRAWINGS,
    **HEADWEAR_DRAWINGS,
    **WORN_DRAWINGS,
    **SIDE_DRAWINGS,
}
#: Marks that belong under others: a beard lies under the paint on a mouth, glasses lie over all.
LAYERS = {
    "wings": -2,
    **dict.fromkeys(HAIR_DRAWINGS, -1),
    **dict.fromkeys((*BAND_DRAWINGS, "half hair", "hair strands", "hair tips"), 0),
    "skull": 0,
    "stripes": 0,
    "web": 0,
    "beard": 1,
    "long beard": 1,
    "stubble": 1,
    "moustache": 1,
    "goatee": 1,
    "sideburns": 1,
    "glasses": 3,
    "sunglasses": 3,
    "eye patch": 3,
    "closed eyes": 1,
    "monocle": 3,
    "surgical mask": 4,
}


def marked(image: Array, face: DrawnFace, marks: tuple[Mark, ...], rng: Rng) -> Array:
    """Draw all marks, those that lie on the skin first."""
    for mark in sorted(marks, key=lambda m: LAYERS.get(m.name, 2)):
        if mark.name == "bald":
            continue  # done before the paints: a bald head takes the skin's
        if mark.name in DRAWINGS:
            image = DRAWINGS[mark.name](image, face, rng, mark, mark.colour or COLOURS[mark.name])
        else:
            image = ORNAMENTS[mark.name](image, face, rng, mark)
    return np.clip(image, 0, 1)
