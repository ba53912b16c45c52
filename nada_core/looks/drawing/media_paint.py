"""Paint a picture in a painted medium: oil, watercolour, schools of painting, cartoons, clay. More than strokes: `media_paint_effects`."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.media_lines import evened, outlines, paper_grain
from nada_core.looks.drawing.media_paint_effects import AFTER, BEFORE
from nada_core.looks.drawing.operations import (
    Array,
    Rng,
    blend,
    blur,
    drag,
    embossed,
    floats,
    flow,
    kuwahara,
    luminance,
    noise,
    saturate,
    smoothstep,
)

__all__ = ["PAINT", "Brush", "painted_in"]


@dataclass(frozen=True)
class Brush:
    """How a picture is painted.

    Attributes:
        flat: radius of the dabs in pixels; 0 for none.
        strokes: length of brush strokes along the forms in pixels; 0 for none.
        ridge: how thick the paint stands.
        vivid: factor on the colours.
        contrast: factor on light and shade.
        warm: tint (RGB factors).
        lines: strength of dark outlines, ``line_width`` in pixels.
        steps: number of flat tones; 0 for none.
        grain: strength of the ground's grain.
        even: how far all faces get the same exposure.
    """

    flat: int = 0
    strokes: int = 0
    ridge: float = 0.0
    vivid: float = 1.3
    contrast: float = 1.1
    warm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    lines: float = 0.0
    line_width: float = 1.4
    steps: int = 0
    grain: float = 0.0
    even: float = 0.4


_B = Brush
PAINT: dict[str, Brush] = {
    "oil": _B(4, 7, 0.34, 1.3, 1.15, (1.05, 0.99, 0.88)),
    "acrylic": _B(6, 4, 0.2, 1.4, 1.2, steps=7),
    "watercolour": _B(7, 0, 0, 1.9, 0.9, grain=0.5, even=0.5),
    "gouache": _B(6, 0, 0, 1.35, 0.95, (1.02, 1.0, 0.97), steps=6, grain=0.25, even=0.5),
    "fresco": _B(4, 0, 0, 0.75, 0.85, (1.06, 0.99, 0.86), grain=0.8, even=0.5),
    "impasto swirls": _B(4, 16, 1.2, 1.9, 1.2, (0.98, 1.0, 1.05)),
    "impressionism": _B(4, 6, 0.5, 1.6, 0.95, (1.0, 1.0, 1.03)),
    "expressionism": _B(5, 10, 0.6, 1.9, 1.35, lines=0.9, line_width=2.4),
    "fauvism": _B(7, 6, 0.3, 1.0, 1.1, lines=0.55, line_width=2.2, even=0.85),
    "baroque": _B(3, 3, 0.15, 1.1, 1.45, (1.08, 0.96, 0.74)),
    "renaissance": _B(3, 2, 0.08, 0.85, 0.95, (1.07, 1.0, 0.8), grain=0.2, even=0.6),
    "surrealism": _B(3, 3, 0.1, 1.5, 1.2, (1.02, 1.0, 0.95)),
    "abstract": _B(9, 12, 0.6, 2.2, 1.4),
    "cartoon": _B(5, 0, 0, 1.45, 1.1, lines=1.2, line_width=1.7, steps=5, even=0.6),
    "comic": _B(5, 0, 0, 1.6, 1.35, lines=1.5, line_width=1.8, steps=4, even=0.6),
    "anime": _B(6, 0, 0, 1.35, 0.95, (1.02, 1.0, 1.03), lines=1.0, line_width=1.1, steps=3, even=0.8),
    "caricature": _B(4, 3, 0.1, 1.3, 1.2, lines=0.9, line_width=1.5, even=0.5),
    "art nouveau": _B(6, 0, 0, 1.05, 1.0, (1.08, 1.0, 0.8), lines=1.3, line_width=2.0, steps=5, grain=0.2, even=0.7),
    "art deco": _B(7, 0, 0, 0.0, 1.3, lines=0.9, line_width=1.8, steps=5, even=0.9),
    "byzantine icon": _B(5, 0, 0, 1.0, 1.2, (1.08, 0.95, 0.7), lines=1.3, line_width=1.7, steps=5, grain=0.3, even=0.8),
    "woodblock print": _B(7, 0, 0, 1.1, 1.1, (1.0, 0.97, 0.86), lines=1.5, line_width=1.8, steps=4, grain=0.3, even=0.8),
    "graffiti": _B(5, 0, 0, 2.6, 1.4, lines=1.4, line_width=2.6, steps=5, even=0.6),
    "claymation": _B(5, 0, 0.0, 1.6, 1.15, (1.04, 1.0, 0.95), even=0.5),
    "3d render": _B(0, 0, 0, 1.25, 1.1, (1.02, 1.0, 1.0), even=0.6),
}


def _stroked(image: Array, face: DrawnFace, rng: Rng, brush: Brush, sigma: float) -> tuple[Array, Array]:
    """Smear the picture along its forms; return it with the height of the paint."""
    u = face.unit
    light = cv2.GaussianBlur(luminance(image), (0, 0), 1.5 * u)
    direction = flow(light, sigma * u)
    length = max(2, round(brush.strokes * 0.6))
    mixed = drag(image, direction, max(2, length // 2), 1.1 * u)
    bristles = drag(noise(rng, face.size, 0.9 * u), direction, length, 1.2 * u)
    return mixed, bristles / (bristles.std() + 1e-6)


def _stepped(image: Array, steps: int) -> Array:
    """Flatten tones to a few steps with narrow transitions; hues stay."""
    light = luminance(image)
    place = light * steps
    flat = (np.floor(place) + smoothstep(place % 1, 0.35, 0.65)) / steps
    return np.clip(image * ((flat + 0.03) / (light + 0.03))[..., None], 0, 1)


def painted_in(image: Array, face: DrawnFace, name: str, rng: Rng) -> Array:
    """Paint a picture in one of the media of :data:`PAINT`."""
    brush, u = PAINT[name], face.unit
    image = evened(image, face, 0.57, brush.even, 0.19)
    if name in BEFORE:
        image = BEFORE[name](image, face, rng, luminance(image))
    ridges = None
    # eyes and mouths are painted with a finer brush, or broad dabs would close them
    fine = np.clip(face.around_eyes(1.2, 1.5, 0.0, 0.7) + blur(np.clip(face.lips + face.mouth_opening, 0, 1), 1.5 * u), 0, 1)
    close = kuwahara(image, max(1, round(2 * u))) if brush.flat > 2 else image
    if brush.flat:
        radius = max(2, round(brush.flat * u))
        image = kuwahara(image, radius)
    if brush.strokes:
        image, ridges = _stroked(image, face, rng, brush, 9 if brush.strokes > 9 or name == "oil" else 4)
        if brush.flat and brush.strokes < 12:
            image = kuwahara(image, max(2, round(0.6 * brush.flat * u)))
    if name != "abstract":
        image = blend(image, close, fine * 0.85)
    pixels = np.clip((image - 0.5) * brush.contrast + 0.5, 0, 1)
    if brush.vivid:
        pixels = saturate(pixels, brush.vivid)
    image = np.clip(pixels * floats(brush.warm), 0, 1)
    light = luminance(image)
    if brush.steps:
        image = _stepped(image, brush.steps)
    if name in AFTER:
        image = AFTER[name](image, face, rng, light)
    if brush.lines:
        line = outlines(cv2.GaussianBlur(light, (0, 0), 1.0 * u), brush.line_width * u, brush.lines)
        border = np.hypot(cv2.Sobel(blur(face.person, u), cv2.CV_32F, 1, 0), cv2.Sobel(blur(face.person, u), cv2.CV_32F, 0, 1)) * u
        line = np.maximum(line * (1 - 0.7 * face.background), smoothstep(border, 0.5, 1.1) * min(1, brush.lines) * 0.8)
        image = blend(image, (0.06, 0.04, 0.06), line * 0.92)
    if ridges is not None and brush.ridge:
        thick = embossed(ridges, 1.6) * brush.ridge * 0.2 + ridges * 0.05 * brush.ridge
        image = np.clip(image * (1 + thick[..., None]) + 0.25 * np.clip(thick, 0, 1)[..., None] * brush.ridge, 0, 1)
    if name in ("oil", "acrylic", "impressionism"):
        weave = noise(rng, face.size, 0.8 * u) * 0.015
        image = np.clip(image + weave[..., None], 0, 1)
    if brush.grain:
        image = np.clip(image * (1 + 0.05 * brush.grain * paper_grain(rng, face)[..., None]), 0, 1)
    return image.astype(np.float32)
