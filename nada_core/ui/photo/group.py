"""Handle several faces of one photo at once: choose them, join their pictures, average their scores. No Gradio in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nada_core.editing.base import EditResult
from nada_core.ui.requests import FACES_AT_ONCE, Person
from nada_core.ui.shelves.photos import ShelvedPhoto

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["everyones_note", "mean_scores", "mosaic", "people_meant"]


def people_meant(entry: ShelvedPhoto, person: Person, everyone: bool) -> list[Person]:
    """Return the person chosen, or everyone found in the photo, largest faces first, FACES_AT_ONCE at most, and who was pointed at."""
    if not everyone or not entry.faces:
        return [person]
    found = [replace(person, face=number, points=()) for number in range(min(len(entry.faces), FACES_AT_ONCE))]
    return [*found, person] if person.points else found


def mosaic(pictures: Sequence[Image.Image], side: int = 512) -> Image.Image:
    """Join square pictures into one of about ``side`` pixels: one, two or three columns, the last row in the middle."""
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


def mean_scores(results: Sequence[EditResult]) -> dict[str, float | None]:
    """Return the means of the measurements over the faces where they could be made."""
    means: dict[str, float | None] = {}
    for name in ("identity_inverted", "identity_edited", "reconstruction"):
        values = [value for value in (getattr(result, name) for result in results) if value is not None]
        means[name] = round(sum(values) / len(values), 4) if values else None
    return means


def everyones_note(found: int) -> str:
    """Return the sentence on how many faces wear the style."""
    if found > FACES_AT_ONCE:
        return f"The {FACES_AT_ONCE} largest of {found} faces wear the style; the others stay as they are."
    return f"All {found} faces wear the style. Move the strength: the photo follows." if found > 1 else "One face was found."
