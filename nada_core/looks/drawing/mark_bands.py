"""Paint halves and thirds of a face, as fans paint flags, and cover the eyebrows."""

from __future__ import annotations

import cv2
import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.mark_hair import across_and_along
from nada_core.looks.drawing.operations import Array, Rng, blend, blur, recolour, smoothstep, stroke
from nada_core.looks.look import Lab, Mark

__all__ = ["BAND_COLOURS", "BAND_DRAWINGS"]

BAND_COLOURS: dict[str, Lab] = {
    "half face": (20, 6, -10), "left third": (34, 10, -46), "right third": (42, 60, 38), "upper third": (8, 0, 0),
    "lower third": (76, 6, 72), "lower half": (78, 4, 72), "no brows": (70, 12, 16),
    "cross": (42, 60, 38), "diagonal cross": (96, 0, 0),
}  # fmt: skip
#: Edges in face widths beside and below the bridge of the nose.
_SIDE, _BROWS, _UPPER_LIP, _LIDS, _NOSE, _BAR = 0.17, -0.03, 0.4, 0.2, 0.2, 0.075


def _band(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    """Paint a part of the face on one side of a straight edge."""
    across, along = across_and_along(face)
    soft = 0.8 * face.unit / face.width
    beyond = {
        "half face": across,
        "left third": -across - _SIDE,
        "right third": across - _SIDE,
        "upper third": _BROWS - along,
        "lower third": along - _UPPER_LIP,
        "lower half": along - _LIDS,
        "cross": _BAR - np.minimum(np.abs(across), np.abs(along - _NOSE)),
        "diagonal cross": _BAR - np.abs(np.abs(across) - np.abs(along - _NOSE) * 0.8) * 0.78,
    }[mark.name]
    mask = smoothstep(beyond, -soft, soft) * face.bare_face
    return recolour(image, mask, colour, 0.93 * mark.amount, 1.0, 0.15, 9)


def _no_brows(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    """Fill the brows with the skin around them, whatever colour it has by now."""
    p, w, size = face.landmarks, face.width, face.size
    shape = np.zeros((size, size), np.float32)
    for brow in (p[17:22], p[22:27]):
        shape = np.maximum(shape, stroke(brow + face.down * w * 0.012, w * 0.11, size, 1.0 * face.unit))
    hole = (shape > 0.3).astype(np.uint8)
    filled = cv2.inpaint(np.round(image * 255).clip(0, 255).astype(np.uint8), hole, 5 * face.unit, cv2.INPAINT_TELEA)
    skin = np.asarray(filled, np.float32) / 255
    skin = blend(skin, blur(skin, 2 * face.unit), np.ones_like(shape) * 0.6)
    return blend(image, skin, np.clip(blur(shape, 1.5 * face.unit) * 1.6, 0, 1) * mark.amount)


BAND_DRAWINGS = {
    **dict.fromkeys((name for name in BAND_COLOURS if name != "no brows"), _band),
    "no brows": _no_brows,
}
