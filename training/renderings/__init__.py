"""Draw the concepts that the starter encoder is taught, by procedure: one function a concept, ``(RenderFace, Generator) -> image``.

They are teaching material, not a product: the encoder learns from them which change in a picture each concept is, and the generator then
finds its own way to make that change.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from training.renderings import characters as c
from training.renderings import media as m
from training.renderings.face import Array, RenderFace

__all__ = ["RENDERINGS", "RenderFace"]

Rendering = Callable[[RenderFace, np.random.Generator], Array]

#: Concept (the key the text side knows it by) -> rendering. Order is the order of the encoder's concept table.
RENDERINGS: dict[str, Rendering] = {
    "joker": c.joker,
    "joker face": c.joker_face,
    "joker smile": c.joker_smile,
    "joker makeup": c.joker_makeup,
    "joker cosplay": c.joker_cosplay,
    "zombie": c.zombie,
    "vampire": c.vampire,
    "clown": c.clown,
    "devil": c.devil,
    "ghost": c.ghost,
    "robot": c.robot,
    "old": c.ageing,
    "sunburnt": c.sunburnt,
    "green skin": c.skin_colour((50, -38, 36)),
    "blue skin": c.skin_colour((47, 4, -40)),
    "purple skin": c.skin_colour((44, 34, -36)),
    "yellow skin": c.skin_colour((78, 4, 62)),
    "dark skin": c.skin_colour((30, 11, 15)),
    "pale skin": c.skin_colour((84, 4, 6), 0.85),
    "green hair": c.hair_colour((50, -46, 38)),
    "blue hair": c.hair_colour((40, 10, -48)),
    "pink hair": c.hair_colour((64, 46, -6)),
    "red hair": c.hair_colour((38, 38, 34)),
    "blond hair": c.hair_colour((76, 5, 38)),
    "white hair": c.hair_colour((86, 0, 2), 0.9),
    "black hair": c.hair_colour((10, 0, 0), 0.5),
    "purple hair": c.hair_colour((38, 42, -42)),
    "sketch": m.sketch,
    "oil painting": m.oil,
    "watercolour": m.watercolour,
    "pixel art": m.pixel_art,
    "cartoon": m.cartoon,
    "neon": m.neon,
    "sepia": m.sepia,
    "black and white": m.black_and_white,
    "bronze": m.metal([(0.1, 0.05, 0.02), (0.38, 0.21, 0.09), (0.72, 0.46, 0.22), (1, 0.85, 0.6)], 1.4, -0.2),
    "silver": m.metal([(0.06, 0.07, 0.09), (0.36, 0.38, 0.42), (0.72, 0.74, 0.78), (1, 1, 1)], 1.8),
    "gold": m.gold,
    "marble": m.marble,
    "red light": m.coloured_light((1, 0.12, 0.1)),
    "green light": m.coloured_light((0.12, 1, 0.16)),
    "blue light": m.coloured_light((0.15, 0.25, 1)),
    "orange light": m.coloured_light((1, 0.6, 0.15)),
    "purple light": m.coloured_light((0.75, 0.2, 1)),
    "green background": c.background_colour((55, -45, 38)),
    "red background": c.background_colour((42, 56, 38)),
    "blue background": c.background_colour((42, 14, -52)),
    "white background": c.background_colour((98, 0, 0)),
    "black background": c.background_colour((5, 0, 0)),
    "dark": m.brightness(0.4),
    "bright": m.brightness(1.2, 0.16),
}
