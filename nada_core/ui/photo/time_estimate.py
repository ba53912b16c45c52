"""Estimate how long a press of the button takes: what the photo's shelf lacks, at this device's pace. No Gradio in here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from nada_core.errors import NadaError
from nada_core.ui.photo.person_to_fit import fitted_key
from nada_core.ui.requests import Person
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.photos import ShelvedPhoto
from nada_core.ui.wording import rough

__all__ = ["MODES", "mode_choices", "press_seconds"]

MODES = [("Fast", "fast"), ("Balanced", "balanced"), ("Faithful", "faithful")]


def press_seconds(context: AppContext, entry: ShelvedPhoto, people: Sequence[Person], looks: Sequence[Hashable]) -> dict[str, float]:
    """Return estimated seconds of each likeness mode; 0 where all has been made, nothing where the pace is not known.

    Args:
        people: whose faces; the mode in them does not matter.
        looks: keys of the styles to wear.
    """
    editor = context.open()[0].editor
    if not editor.paced:
        return {}
    seconds = {}
    for _, mode in MODES:
        them = [replace(person, mode=mode) for person in people]
        portraits = sum(person.key not in entry.portraits for person in them)
        fits = sum(fitted_key(person, look) not in entry.fitted for person in them for look in looks)
        seconds[mode] = editor.seconds(mode, portraits, fits) if portraits or fits else 0.0
    return seconds


def photo_seconds(
    context: AppContext, photo: str | None, wanted: Callable[[ShelvedPhoto], tuple[list[Person], list[Hashable]]]
) -> dict[str, float]:
    if not photo or not context.is_open:
        return {}
    try:
        entry = context.photos.get(photo)
        return press_seconds(context, entry, *wanted(entry))
    except NadaError:  # no photo, or no style chosen: the button says so
        return {}


def mode_choices(seconds: dict[str, float]) -> list[tuple[str, str]]:
    """Return (label, value) pairs of the likeness modes, each with the time it takes on a line of its own."""
    takes = {mode: f"\n{rough(value) if value else 'ready'}" for mode, value in seconds.items()}
    return [(title + takes.get(mode, ""), mode) for title, mode in MODES]
