"""Colour and texture the parts of a face (skin, hair, eyes, lips, clothing and so on), and tint the light on the whole picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nada_core.looks.drawing.beards import beard_hairs
from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    floats,
    lab,
    luminance,
    recolour,
    rgb,
    rgb_of,
    screen,
    smoothstep,
    statistics,
)
from nada_core.looks.drawing.textures import textured
from nada_core.looks.look import Lab, Paint

__all__ = ["lit", "painted", "part_mask"]

#: The order in which parts are painted: what lies on top comes later. The light is left to the end of the drawing.
ORDER = ("background", "clothing", "skin", "hair", "brows", "cheeks", "around the eyes", "beard", "lips", "teeth", "eyes")
#: part -> deviation of lightness its paint aims at, and how much of its differences of colour stay.
SHADING: dict[str, tuple[float, float]] = {
    "skin": (11, 0.2), "hair": (11, 0.2), "brows": (7, 0.2), "cheeks": (7, 0.3), "around the eyes": (7, 0.15), "beard": (9, 0.15),
    "lips": (7, 0.2), "teeth": (8, 0.2), "eyes": (12, 0.2), "clothing": (10, 0.25), "background": (8, 0.15),
}  # fmt: skip


def part_mask(face: DrawnFace, part: str) -> Array:
    """Return the soft mask of one part, ``[S, S]``."""
    if part == "around the eyes":
        lids = face.around_eyes(1.08, 0.8, 0.0, 0.42)
        return face.around_eyes(1.75, 2.4, 0.05) * (1 - np.maximum(face.eye_openings, lids * face.eye_openings))
    masks = {
        "skin": lambda: face.bare_skin * (1 - 0.25 * face.brows),
        "hair": lambda: face.hair,
        "brows": lambda: face.brows,
        "eyes": lambda: face.irises,
        "lips": lambda: np.clip(1.4 * face.lips, 0, 1),  # lipstick ends in a line
        "teeth": lambda: np.maximum(face.teeth, 0.6 * face.mouth_opening),
        "cheeks": lambda: face.cheeks,
        "beard": lambda: face.beard_area,
        "clothing": lambda: face.clothing,
        "background": lambda: face.background,
    }
    return masks[part]() if part in masks else np.ones((face.size, face.size), np.float32)


def _eyes(image: Array, face: DrawnFace, paint: Paint, colour: Lab) -> Array:
    """Colour the irises round their pupils; black and white eyes have neither."""
    chroma = float(np.hypot(colour[1], colour[2]))
    if chroma < 12 and (colour[0] < 12 or colour[0] > 88):
        return recolour(image, np.clip(face.eye_openings * 1.15, 0, 1), colour, paint.amount, 0.35, 0.1)
    if paint.texture == "glowing":
        pupil = 1 - 0.6 * face.pupils
        image = recolour(image, face.eye_openings, (max(colour[0], 55), colour[1] * 1.1, colour[2] * 1.1), 1.0, 0.8, 0.1)
        image = blend(image, rgb_of((max(colour[0] - 40, 6), colour[1] * 0.5, colour[2] * 0.5)), face.pupils * 0.7)
        halo = blur(face.eye_openings * pupil, 3 * face.unit)
        return screen(image, halo[..., None] * rgb_of(colour) * 0.4)
    glint = smoothstep(luminance(face.image), 0.72, 0.9) * face.irises
    done = recolour(image, face.irises * (1 - 0.85 * face.pupils), colour, min(1.0, paint.amount + 0.05), 0.55 * paint.contrast, 0.15)
    done = blend(done, rgb_of((max(colour[0] - 34, 4), colour[1] * 0.3, colour[2] * 0.3)), face.pupils * 0.75 * paint.amount)
    return blend(done, (1.0, 1.0, 1.0), glint * 0.7)


def _beard(image: Array, face: DrawnFace, rng: Rng, paint: Paint, colour: Lab) -> Array:
    """Give the lower face a beard of this colour, over the person's own where there is one."""
    return beard_hairs(image, face, rng, face.beard_area, colour, paint.amount)


#: How much of the way up to a lighter colour painted lips stay behind, and how much more their own shading is kept, at most.
_HELD_BACK, _MODELLED = 0.2, 9.0


def _lips(image: Array, face: DrawnFace, paint: Paint, colour: Lab) -> Array:
    """Colour the lips as a lipstick does: what lies lighter on them than they are still has their folds, their shadows and their gleam.

    A light colour alone would end as a flat patch, brighter than anything else in the face.
    """
    mask = part_mask(face, "lips")
    spread, chroma = SHADING["lips"]
    light = lab(image)[..., 0]
    own = float(statistics(light, face.lips * face.lips)[0][0])
    lighter = float(smoothstep(floats(colour[0] - own), 8, 35))
    held = (colour[0] - lighter * _HELD_BACK * (colour[0] - own), colour[1], colour[2])
    done = recolour(image, mask, held, paint.amount, paint.contrast, chroma, spread + lighter * _MODELLED)
    # the gleam lies on the paint and has none of its colour
    gleam = smoothstep(light - blur(light, 0.045 * face.width), 2, 14) * mask
    return screen(done, (0.5 * lighter * paint.amount * gleam)[..., None] * floats([1, 1, 1]))


def _paint(image: Array, face: DrawnFace, rng: Rng, part: str, paint: Paint) -> Array:
    mask = part_mask(face, part)
    if paint.colour is not None:
        if part == "eyes":
            image = _eyes(image, face, paint, paint.colour)
        elif part == "lips":
            image = _lips(image, face, paint, paint.colour)
        elif part == "beard":
            image = _beard(image, face, rng, paint, paint.colour)
        else:
            spread, chroma = SHADING[part]
            # the colour that people see a face in is that of cheeks and forehead: not of shadows at its sides, lips or brows
            known = face.plain_skin * (0.1 * face.face + face.cheeks + 0.6 * face.forehead + 1e-3) if part == "skin" else None
            image = recolour(image, mask, paint.colour, paint.amount, paint.contrast, chroma, spread, known)
    elif paint.contrast != 1.0:
        pixels = lab(image)
        mean = float((pixels[..., 0] * mask).sum() / (mask.sum() + 1e-6))
        pixels[..., 0] += (pixels[..., 0] - mean) * (paint.contrast - 1) * mask
        image = rgb(pixels)
    if paint.texture and not (part == "eyes" and paint.colour is not None and paint.texture == "glowing"):
        image = textured(image, face, face.eye_openings if part == "eyes" else mask, paint.texture, rng, paint.colour)
    return image


def painted(image: Array, face: DrawnFace, paints: Mapping[str, Paint], rng: Rng) -> Array:
    """Paint every part that has a paint (all but the light), from the background to the eyes."""
    for part in ORDER:
        if part in paints:
            image = _paint(image, face, rng, part, paints[part])
    return image


def lit(image: Array, face: DrawnFace, paint: Paint) -> Array:
    """Light the whole picture with one colour."""
    if paint.colour is None:
        return image
    tint = rgb_of(paint.colour)
    if paint.colour[0] > 12:  # a lamp of this hue; how bright it is follows below
        tint = tint / max(float(np.max(tint)), 1e-3)
    grey = luminance(image)
    # the same light on dark and light faces: the exposure follows the person's mean
    mean = float((grey * face.person).sum() / (face.person.sum() + 1e-6))
    exposed = np.clip(grey * np.clip((0.5 / (mean + 0.05)) ** 0.5, 0.7, 1.6), 0, 1)
    strength = 0.55 + 0.01 * paint.colour[0]
    light = np.clip(exposed[..., None] * 1.35 * tint * strength + 0.25 * (exposed[..., None] ** 3), 0, 1)
    return (image + (light - image) * paint.amount * 0.9).astype(np.float32)
