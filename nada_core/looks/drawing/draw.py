"""Draw a look (what a prompt means, see `look.py`) on a face: run all drawing steps, from shape to brightness, in order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.mark_hair import shaven
from nada_core.looks.drawing.marks import marked
from nada_core.looks.drawing.materials import made_of
from nada_core.looks.drawing.media_lines import LINES, drawn_in_lines
from nada_core.looks.drawing.media_paint import PAINT, painted_in
from nada_core.looks.drawing.media_tiles import put_together
from nada_core.looks.drawing.operations import Array, blend, floats
from nada_core.looks.drawing.paints import lit, painted, part_mask
from nada_core.looks.drawing.processes import brightened, processed
from nada_core.looks.drawing.shape import reshaped
from nada_core.looks.look import Look

__all__ = ["draw"]

#: What takes the colour out of a picture: a colour that is said of one part is laid over it afterwards ("black and white with red lips").
COLOURLESS_MEDIA = frozenset(("pencil", "charcoal", "ink", "engraving", "etching", "ballpoint pen", "manga", "chalk"))
COLOURLESS_PROCESSES = frozenset(("black and white", "high contrast", "film noir", "sepia", "daguerreotype", "cyanotype", "newspaper"))


def _in_part(before: Array, after: Array, look: Look, whole: str) -> Array:
    """Go the look's amount of the way to a material, a medium or a process; past it where there is to be more of it than usual."""
    amount = look.amounts.get(whole, 1.0)
    return after if amount == 1 else np.clip(before + (after - before) * floats(np.clip(amount, 0, 1.3)), 0, 1)


def draw(look: Look, face: DrawnFace, seed: int = 0) -> Array:
    """Paint a look on a face: shape, a shaven head, paints, marks, material, medium, process, light and brightness, in this order.

    Args:
        look: what to paint; an empty look returns the picture as it is.
        face: the face.
        seed: of all that is random (where freckles and cracks lie); the same seed gives the same picture.

    Returns:
        RGB ``[S, S, 3]`` in [0, 1].
    """
    if not look:
        return face.image

    def rng(step: int) -> np.random.Generator:
        # each step has its own stream: a changed paint must not move the cracks of a material
        return np.random.default_rng((seed, step))

    shape = {name: float(np.clip(amount, -1.3, 1.3)) for name, amount in look.shape.items() if amount}
    if shape:
        face = reshaped(face, shape, rng(0))
    for mark in look.marks:
        if mark.name == "bald":
            face = shaven(face, rng(6), min(1.0, mark.amount))
    image = face.image
    if look.paints:
        image = painted(image, face, look.paints, rng(1))
    if look.marks:
        image = marked(image, face, look.marks, rng(2))
    over = {part: look.paints[part] for part in look.over if part in look.paints}
    if look.material:
        made = made_of(image, face, look.material, look.tint, rng(3))
        image = _in_part(image, made, look, "material")
        if over:
            image = painted(image, face, over, rng(1))
    if look.medium:
        if look.medium in LINES:
            made = drawn_in_lines(image, replace(face, image=image), look.medium, rng(4), None if look.material else look.tint)
        else:
            way = painted_in if look.medium in PAINT else put_together
            made = way(image, replace(face, image=image), look.medium, rng(4))
        image = _in_part(image, made, look, "medium")
        if over and look.medium in COLOURLESS_MEDIA:
            image = painted(image, face, over, rng(1))
    if look.process:
        image = _in_part(image, processed(image, face, look.process, rng(5)), look, "process")
        if over and look.process in COLOURLESS_PROCESSES:
            image = painted(image, face, over, rng(1))
    for part in look.over:
        if part not in look.paints:  # "black and white except the eyes"
            image = blend(image, face.image, face.eye_openings if part == "eyes" else part_mask(face, part))
    if "light" in look.paints:
        image = lit(image, face, look.paints["light"])
    if look.brightness:
        image = brightened(image, float(np.clip(look.brightness, -1, 1)))
    return np.clip(image, 0, 1).astype(np.float32)
