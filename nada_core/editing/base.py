"""Define the values that a photo edit yields (progress, result), and the interface of a photo editor.

Neither needs torch: the page and its tests use both before, or without, any network.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from PIL import Image

    from nada_core.alignment.faces import Face
    from nada_core.editing.portrait import AlignedPhoto, FittedStyle, Portrait, Scores
    from nada_core.errors import NadaError
    from nada_core.inversion.base import Inversion
    from nada_core.students.wear import Change
    from nada_core.styles.files import Style
    from nada_core.styles.mixing import Strength

__all__ = ["FITTING_STAGE", "EditProgress", "EditResult", "EditStages", "FittedPortrait", "InstantFace", "PhotoEditing"]

#: Name of the stage that fits a style to a person.
FITTING_STAGE = "painting"


class FittedPortrait(NamedTuple):
    """Hold a person's portrait, and the styles fitted to it with their shares."""

    portrait: Portrait
    styles: Sequence[tuple[FittedStyle, float]]


class InstantFace(NamedTuple):
    """Hold a person and the change that a student made to them."""

    aligned: AlignedPhoto
    change: Change


@dataclass(frozen=True)
class EditResult:
    """Hold an edit's pictures, of equal size; identity values are dlib distances to the aligned photo (below 0.6: the same person).

    An instant edit has no inversion: ``inverted`` is the aligned photo itself, ``portrait`` and ``identity_inverted`` are None.
    """

    aligned: Image.Image
    inverted: Image.Image
    edited: Image.Image
    identity_inverted: float | None
    identity_edited: float | None
    faces: int
    face: int
    seconds: float
    notes: tuple[str, ...] = ()
    reconstruction: float | None = None
    portrait: Portrait | None = field(default=None, repr=False)
    fitted: tuple[tuple[FittedStyle, float], ...] = field(default=(), repr=False)
    instant: InstantFace | None = field(default=None, repr=False)

    @property
    def inversion(self) -> Inversion | None:
        """Return the photo's inversion."""
        return self.portrait.inversion if self.portrait else None


@dataclass(frozen=True)
class EditProgress:
    """Describe one stage of an edit: what is being done, the share done, a new picture if any; at its end what it made.

    ``person`` and ``style`` are the places, among those asked for, of the face that is worked on and of the style that is being fitted to
    it. ``style`` is None before any is, ``person`` where the work is on all of them. ``refused`` says why that style cannot be worn. Only
    the last stage has ``made``, and ``results`` if they were asked for: one for each face.
    """

    stage: str
    fraction: float
    image: Image.Image | None = None
    portrait: Portrait | None = field(default=None, repr=False)
    fitted: FittedStyle | None = field(default=None, repr=False)
    person: int | None = None
    style: int | None = None
    refused: NadaError | None = None
    made: tuple[FittedPortrait, ...] = field(default=(), repr=False)
    results: tuple[EditResult, ...] = ()

    @property
    def result(self) -> EditResult | None:
        """Return the first face's result, on the last stage."""
        return self.results[0] if self.results else None


EditStages = Generator[EditProgress, None, None]


@runtime_checkable
class PhotoEditing(Protocol):
    """Describe what edits people in photos: :class:`nada_core.editing.editor.PhotoEditor`, or what stands in for it."""

    def find(self, image: Any) -> tuple[Image.Image, tuple[Face, ...]]:
        """Return the decoded photo and its faces, largest first."""
        ...

    def align_found(self, photo: Image.Image, faces: Sequence[Face], face: int) -> AlignedPhoto:
        """Cut one of the faces out of the photo."""
        ...

    def align_by_hand(self, photo: Image.Image, points: Sequence[Sequence[float]]) -> AlignedPhoto:
        """Cut out the face whose eyes and mouth are given."""
        ...

    def invert_steps(self, aligned: AlignedPhoto, mode: str) -> EditStages:
        """Yield ever better inversions; the last stage carries the portrait."""
        ...

    def fit_steps(self, portrait: Portrait, style: Style) -> EditStages:
        """Fit a style to a person; the last stage carries the fitted style."""
        ...

    def finish(self, portrait: Portrait, fitted: Sequence[tuple[FittedStyle, float]], strength: Strength, resolution: int) -> EditResult:
        """Render the person with and without the styles, and score both."""
        ...

    def render(
        self,
        portrait: Portrait,
        fitted: Sequence[tuple[FittedStyle, float]] = (),
        strengths: Sequence[Strength] = (),
        resolution: int | None = None,
    ) -> list[Image.Image]:
        """Return the person in a blend of styles, one picture for each strength."""
        ...

    def scores(self, portrait: Portrait, image: Image.Image) -> Scores:
        """Measure how much of the person is left in a picture."""
        ...

    def paste(self, portrait: Portrait, edited: Image.Image, inverted: Image.Image, onto: Image.Image | None = None) -> Image.Image:
        """Return the photo, or ``onto``, with the edited face in it."""
        ...

    def paste_change(self, face: InstantFace, onto: Image.Image | None = None) -> Image.Image:
        """Return the photo, or ``onto``, with a student's change in it."""
        ...
