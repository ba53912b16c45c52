"""How long a press of the button will take: what is missing on the photo's shelf, at this device's pace. No Gradio in here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..errors import NadaError
from .all_faces import people_meant
from .compare_run import CompareRequest, chosen_looks
from .context import AppContext
from .edit_run import EditRequest, look_keys
from .fitting import Person, worn_key
from .portraits import ShelvedPhoto
from .text import rough

__all__ = ["MODES", "compare_seconds", "edit_seconds", "mode_choices", "press_seconds"]

MODES = [("Fast", "fast"), ("Balanced", "balanced"), ("Faithful", "faithful")]


def press_seconds(context: AppContext, entry: ShelvedPhoto, people: Sequence[Person], looks: Sequence[Any]) -> dict[str, float]:
    """Estimated seconds of each likeness mode; 0 where everything has been made, nothing where the pace is not known.

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
        fits = sum(worn_key(person, look) not in entry.worn for person in them for look in looks)
        seconds[mode] = editor.seconds(mode, portraits, fits) if portraits or fits else 0.0
    return seconds


def edit_seconds(context: AppContext, request: EditRequest) -> dict[str, float]:
    """The same for the Stylise tab's button."""
    return _seconds(
        context, request.photo, lambda entry: (people_meant(entry, request.person, request.everyone), look_keys(context, request))
    )


def compare_seconds(context: AppContext, request: CompareRequest) -> dict[str, float]:
    """The same for the Compare tab's button."""

    def wanted(_: ShelvedPhoto) -> tuple[list[Person], list[Any]]:
        return [request.person], [look.key for look in chosen_looks(context, context.open()[0], request)]

    return _seconds(context, request.photo, wanted)


def _seconds(context: AppContext, photo: str | None, wanted: Callable[[ShelvedPhoto], tuple[list[Person], list[Any]]]) -> dict[str, float]:
    if not photo or not context.is_open:
        return {}
    try:
        entry = context.photos.get(photo)
        return press_seconds(context, entry, *wanted(entry))
    except NadaError:  # no photo, or no style chosen: the button says so
        return {}


def mode_choices(seconds: dict[str, float]) -> list[tuple[str, str]]:
    """The likeness modes with what they take, on a line of its own."""
    takes = {mode: f"\n{rough(value) if value else 'ready'}" for mode, value in seconds.items()}
    return [(title + takes.get(mode, ""), mode) for title, mode in MODES]
