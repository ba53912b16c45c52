"""Draw marks of one side or a part only: another eye, half the hair, its strands or tips in another colour, a beauty spot, a long beard."""

from __future__ import annotations

import numpy as np

from nada_core.looks.drawing.beards import beard_hairs, hair_tone
from nada_core.looks.drawing.drawn_face import DrawnFace
from nada_core.looks.drawing.mark_hair import across_and_along
from nada_core.looks.drawing.operations import Array, Rng, blend, disc, floats, noise, rgb_of, smoothstep, soft_polygon
from nada_core.looks.drawing.paints import painted
from nada_core.looks.look import Lab, Mark, Paint

__all__ = ["SIDE_COLOURS", "SIDE_DRAWINGS"]

SIDE_COLOURS: dict[str, Lab] = {
    "other eye": (66, -10, -34), "half hair": (92, 0, 4), "hair strands": (80, 4, 36), "hair tips": (80, 4, 36), "long beard": (18, 5, 8),
    "beauty spot": (16, 8, 8),
}  # fmt: skip


def _share(face: DrawnFace, rng: Rng, name: str) -> Array:
    """Return which share of the hair or the eyes takes the other colour, ``[S, S]``."""
    across, along = across_and_along(face)
    if name in ("other eye", "half hair"):
        return floats(smoothstep(across, -0.02, 0.02))
    if name == "hair tips":
        return floats(smoothstep(along + 0.05 * noise(rng, face.size, 3 * face.unit), 0.02, 0.3))
    # strands fall from the parting, bent by the head, some broad and some fine
    fall = across / (0.55 + 0.5 * np.clip(along + 0.6, 0, 1.2)) + 0.012 * noise(rng, face.size, 14 * face.unit)
    strands = np.sin(34 * fall + 0.8) + 0.6 * np.sin(93 * fall) + 0.5 * noise(rng, face.size, 9 * face.unit)
    return floats(0.85 * smoothstep(strands, 0.1, 1.3))


def _part_in_another_colour(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    part = "eyes" if mark.name == "other eye" else "hair"
    whole = painted(image, face, {part: Paint(colour, 0.9, 1.0)}, rng)
    return blend(image, whole, _share(face, rng, mark.name) * mark.amount)


def _long_beard(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    """Draw a full beard that goes on below the chin, narrower and narrower."""
    p, size, u = face.landmarks, face.size, face.unit
    tone = hair_tone(face, image, mark, colour)
    sides = [p[3], face.place(-0.4, 0.75), face.place(-0.25, 1.15), face.place(-0.05, 1.5)]
    sides += [face.place(0.05, 1.5), face.place(0.25, 1.15), face.place(0.4, 0.75), p[13]]
    hanging = soft_polygon(np.stack(sides).astype(np.float32), size, 2 * u) * (1 - face.face)
    return beard_hairs(image, face, rng, np.maximum(face.beard_area, hanging), tone, mark.amount)


def _beauty_spot(image: Array, face: DrawnFace, rng: Rng, mark: Mark, colour: Lab) -> Array:
    place = face.cheek_points[1] * 0.4 + face.landmarks[54] * 0.6
    spot = disc(place, (face.width * 0.022, face.width * 0.022), face.size, 0.7 * face.unit)
    return blend(image, rgb_of(colour), spot * 0.95 * mark.amount)


SIDE_DRAWINGS = {
    **dict.fromkeys(("other eye", "half hair", "hair strands", "hair tips"), _part_in_another_colour),
    "long beard": _long_beard,
    "beauty spot": _beauty_spot,
}
