"""Convert between the page and the editing session: the chosen person in, words for the stages out. No Gradio in here."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING

from nada_core.editing.base import EditProgress, PhotoEditing
from nada_core.editing.session import FaceToFit
from nada_core.ui.requests import Person
from nada_core.ui.shelves.photos import ShelvedPhoto

if TYPE_CHECKING:
    from nada_core.editing.portrait import AlignedPhoto

__all__ = ["align_person", "face_to_fit", "fitted_key", "stage_words"]


def fitted_key(person: Person, style: Hashable) -> tuple[Hashable, Hashable]:
    """Return the key of a style fitted to a person on the photo shelf; ``style`` is the style's own key."""
    return (person.key, style)


def align_person(editor: PhotoEditing, entry: ShelvedPhoto, person: Person) -> AlignedPhoto:
    """Return the chosen face, cut out.

    Raises:
        NadaError: no such face, or points that form none.
    """
    if person.points:
        return editor.align_by_hand(entry.photo, person.points)
    return editor.align_found(entry.photo, entry.faces, person.face)


def face_to_fit(editor: PhotoEditing, entry: ShelvedPhoto, person: Person) -> FaceToFit:
    """Return the person in the form that the photo's session takes."""
    return FaceToFit(person.key, partial(align_person, editor, entry, person), person.mode)


def stage_words(stage: EditProgress, about: str = "") -> str:
    """Return the words for what is being done; ``about`` goes before them."""
    first = stage.stage[:1]
    return about + (first.lower() if about else first.upper()) + stage.stage[1:]
