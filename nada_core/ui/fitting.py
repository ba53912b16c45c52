"""A face in the generator's terms and the styles fitted to it: made once, then taken from the photo's shelf. No Gradio in here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from ..errors import NadaError
from .portraits import ShelvedPhoto
from .worker import close_iterator

__all__ = ["FitStage", "Person", "align_person", "fit_look", "fit_person", "relay", "worn_key"]

Stage = TypeVar("Stage")
View = TypeVar("View")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Person:
    """Whose face of a photo, and how long it is worked on: all that an inversion depends on."""

    face: int = 0
    points: tuple[tuple[float, float], ...] = ()  # instead of a face: clicked eyes and mouth
    mode: str = "balanced"

    @property
    def key(self) -> Any:
        """What the shelf keeps the inversion under."""
        return (self.points or self.face, self.mode)


@dataclass(frozen=True)
class FitStage:
    """How far one part of the work is, in [0, 1]; a picture where there is a new one."""

    fraction: float
    words: str
    image: Any = None
    part: str = "portrait"  # or "worn"


def worn_key(person: Person, style: Any) -> Any:
    """What the shelf keeps a style fitted to a person under; ``style`` is the style's own key."""
    return (person.key, style)


def align_person(editor: Any, entry: ShelvedPhoto, person: Person) -> Any:
    """The chosen face, cut out.

    Raises:
        NadaError: no such face, or points that form none.
    """
    if person.points:
        return editor.align_by_hand(entry.photo, person.points)
    return editor.align_found(entry.photo, entry.faces, person.face)


def fit_person(editor: Any, entry: ShelvedPhoto, person: Person) -> Generator[FitStage, None, Any]:
    """The portrait of a person, from the shelf or made now and kept."""
    portrait = entry.portraits.get(person.key)
    if portrait is None:
        aligned = align_person(editor, entry, person)
        portrait = yield from _watch(editor.invert_steps(aligned, person.mode), "portrait", partial(entry.keep_portrait, person.key))
    return portrait


def fit_look(
    editor: Any, entry: ShelvedPhoto, person: Person, portrait: Any, load: Callable[[], Any], style: Any
) -> Generator[FitStage, None, Any]:
    """A style fitted to a person, from the shelf or made now and kept; ``load`` reads the style, ``style`` is its key."""
    key = worn_key(person, style)
    worn = entry.worn.get(key)
    if worn is None:
        worn = yield from _watch(editor.wear_steps(portrait, load()), "worn", partial(entry.keep_worn, key))
    return worn


def relay(stages: Generator[Stage, None, Result], view: Callable[[Stage], View]) -> Generator[View, None, Result]:
    """Each of the stages as ``view`` makes it; what they return is returned."""
    try:
        while True:
            try:
                stage = next(stages)
            except StopIteration as end:
                return end.value
            yield view(stage)
    finally:
        close_iterator(stages)


def _watch(stages: Iterator[Any], wanted: str, keep: Callable[[Any], None]) -> Generator[FitStage, None, Any]:
    """Follow the editor's stages; returns what the last one carries as ``wanted``, which is kept before anybody hears of it: whoever
    stops the work at that stage loses nothing."""
    found = None
    try:
        for stage in stages:
            made = getattr(stage, wanted)
            if made is not None:
                found = made
                keep(made)
            yield FitStage(stage.fraction, stage.stage[:1].upper() + stage.stage[1:], stage.image, wanted)
    finally:
        close_iterator(stages)
    if found is None:
        raise NadaError("The edit ended without a picture. Try again.")
    return found
