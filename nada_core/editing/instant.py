"""Edit photos with students (small networks that draw a style): no inversion, no generator, milliseconds a face, the photo stays sharp."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PIL import Image

from nada_core.editing.base import EditProgress, EditResult, EditStages, InstantFace
from nada_core.editing.editor import PhotoEditor
from nada_core.editing.notes import photo_notes
from nada_core.editing.portrait import AlignedPhoto
from nada_core.errors import OptionsError
from nada_core.students.files import StyleStudent
from nada_core.students.wear import change_of, changed_crop
from nada_core.styles.mixing import Strength

__all__ = ["SIDE", "edit_instantly", "one_strength"]

SIDE = 1024  # pixels of the result where nothing else is asked for


def edit_instantly(
    editor: PhotoEditor,
    align: Callable[[], Sequence[AlignedPhoto]],
    students: Sequence[tuple[StyleStudent, float]],
    *,
    strength: Strength,
    resolution: int | None = None,
) -> EditStages:
    """Put students on the people of a photo, stage by stage; the last stage carries the results.

    Args:
        align: looks for the faces and cuts out those that are meant.
        strength: one number for shape, texture and colour: a student does not tell them apart.

    Raises:
        PhotoError, NoFaceError, OptionsError.
    """
    strong = one_strength(strength)
    if resolution is not None and not 64 <= resolution <= 2 * SIDE:
        raise OptionsError(f"The resolution {resolution} cannot be had in the mode instant; it must be 64 to {2 * SIDE}.")
    return _stages(editor, align, students, strong, resolution or SIDE)


def one_strength(strength: Strength) -> float:
    """Return the one number that a student takes.

    Raises:
        OptionsError: shape, texture and colour are of different strengths.
    """
    if len({strength.shape, strength.texture, strength.colour}) > 1:
        raise OptionsError("The mode instant has one strength for shape, texture and colour. Give one number, or use the mode balanced.")
    return strength.colour


def _stages(
    editor: PhotoEditor,
    align: Callable[[], Sequence[AlignedPhoto]],
    students: Sequence[tuple[StyleStudent, float]],
    strength: float,
    side: int,
) -> EditStages:
    begun = time.monotonic()
    yield EditProgress("looking for the face", 0.0)
    found, results = align(), list[EditResult]()
    for number, aligned in enumerate(found):
        results.append(_result(editor, aligned, students, strength, side, begun))
        yield EditProgress("painting", (number + 1) / (len(found) + 1), results[-1].edited, person=number)
        begun = time.monotonic()
    yield EditProgress("done", 1.0, results[0].edited, results=tuple(results))


def _result(
    editor: PhotoEditor, aligned: AlignedPhoto, students: Sequence[tuple[StyleStudent, float]], strength: float, side: int, begun: float
) -> EditResult:
    change = change_of(aligned.crop, students).times(strength)
    edited = changed_crop(aligned.crop, change, side)
    crop = aligned.crop.resize((side, side), Image.Resampling.LANCZOS)
    reference = editor.recogniser.embed(aligned.crop.resize((256, 256), Image.Resampling.LANCZOS), aligned.landmarks)
    return EditResult(
        aligned=crop,
        inverted=crop,
        edited=edited,
        identity_inverted=None,
        identity_edited=editor.identity(aligned, edited, reference),
        faces=len(aligned.faces),
        face=aligned.face,
        seconds=time.monotonic() - begun,
        notes=tuple(photo_notes(aligned)),
        instant=InstantFace(aligned, change),
    )
