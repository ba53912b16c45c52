"""Tell a person about their photo and the result: sentences, each with what to do next."""

from __future__ import annotations

import numpy as np

from nada_core.editing.portrait import AlignedPhoto

__all__ = ["ONLY_FACES", "photo_notes", "result_notes"]

#: Of a generator that does not draw such faces; see :mod:`nada_core.editing.face_check`.
ONLY_FACES = (
    "This generator draws no human faces placed as FFHQ's are. Photos are aligned by a human face, so only a generator of such faces can "
    "rebuild one: use this one with adapt and sample, and edit photos with another --base."
)

_SMALL = 80  # pixels of face width below which the crop is visibly soft
_DARK, _GREY, _CUT, _TURNED = 0.16, 0.02, 0.08, 0.28


def photo_notes(aligned: AlignedPhoto) -> list[str]:
    """Return what about the photo limits the result: several or small faces, darkness, no colour, a cut or turned face."""
    notes = []
    if len(aligned.faces) > 1:
        notes.append(f"{len(aligned.faces)} faces found; number {aligned.face + 1} by size was used.")
    if aligned.size < _SMALL:
        notes.append(f"The face is only {aligned.size:.0f} pixels wide: a closer photo gives a better likeness.")
    pixels = np.asarray(aligned.crop.resize((64, 64)), dtype=np.float32) / 255
    face = pixels[16:52, 16:48]
    if face.mean() < _DARK:
        notes.append("The face is very dark: more light brings out more of the person.")
    if (face.max(-1) - face.min(-1)).mean() < _GREY:
        notes.append("The photo has no colour; what the style paints shows best on a colour photo.")
    if _outside(aligned) > _CUT:
        notes.append("The face is cut by the edge of the photo; the missing part was filled in by mirroring.")
    if abs(_turn(aligned)) > _TURNED:
        notes.append("The face is turned far to the side; a look towards the camera gives a better likeness.")
    return notes


def result_notes(inverted: float, edited: float | None, mode: str) -> list[str]:
    """Return what to do when the person is lost. Distances are dlib's, 0.6 the limit of one person; ``edited`` None without a style."""
    if inverted > 0.45:
        more = "" if mode == "faithful" else " Or choose the faithful mode, which takes longer."
        return [f"The likeness is weak: try a photo that looks at the camera, evenly lit, nothing in front of the face.{more}"]
    if edited is not None and edited > 0.6:
        return ["The style hides the person: a lower strength keeps more of them."]
    return []


def _outside(aligned: AlignedPhoto) -> float:
    """Return the share of the landmarks that lie outside the photo."""
    x, y = aligned.photo_landmarks.T
    width, height = aligned.photo.size
    return float(((x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)).mean())


def _turn(aligned: AlignedPhoto) -> float:
    """Return how far the nose's tip lies off the face's middle, as a share of the face's width: 0 frontal, 0.5 in profile."""
    points = aligned.landmarks
    left, right, nose = points[1:4, 0].mean(), points[13:16, 0].mean(), points[30, 0]
    return float((nose - (left + right) / 2) / max(right - left, 1.0))
