"""Several faces of one photo at once: whose, their results together, and the one photo they all go back into. No Gradio in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .fitting import Person
from .portraits import ShelvedPhoto

__all__ = ["MOST_FACES", "everyones_note", "mean_scores", "mosaic", "people_meant"]

MOST_FACES = 6


def people_meant(entry: ShelvedPhoto, person: Person, everyone: bool) -> list[Person]:
    """The person chosen, or everyone found in the photo, the largest faces first and MOST_FACES at most."""
    if not everyone or not entry.faces:
        return [person]
    return [replace(person, face=number, points=()) for number in range(min(len(entry.faces), MOST_FACES))]


def mosaic(pictures: Sequence[Any], side: int = 512) -> Any:
    """Square pictures as one, about ``side`` pixels: one, two or three columns, the last row in the middle."""
    from PIL import Image

    if len(pictures) == 1:
        return pictures[0]
    columns = math.ceil(math.sqrt(len(pictures)))
    cell, rows = side // columns, math.ceil(len(pictures) / columns)
    whole = Image.new("RGB", (columns * cell, columns * cell), (112, 104, 136))
    top = (columns - rows) * cell // 2
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        missing = columns - min(len(pictures) - row * columns, columns)
        place = (column * cell + missing * cell // 2, top + row * cell)
        whole.paste(picture.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS), place)
    return whole


def mean_scores(results: Sequence[Any]) -> dict[str, float | None]:
    """Means of the measurements over those faces where they could be made."""
    means: dict[str, float | None] = {}
    for name in ("identity_inverted", "identity_edited", "reconstruction"):
        values = [value for value in (getattr(result, name) for result in results) if value is not None]
        means[name] = round(sum(values) / len(values), 4) if values else None
    return means


def everyones_note(found: int) -> str:
    """What was replaced."""
    if found > MOST_FACES:
        return f"The {MOST_FACES} largest of {found} faces wear the style; the others stay as they are."
    return f"All {found} faces wear the style. Move the strength: the photo follows." if found > 1 else "One face was found."
