"""Apply a student's gain and offset to one tracked person of a film, frame by frame, steadied over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nada_core.alignment.ffhq import crop_face, crop_landmarks, ffhq_quad
from nada_core.editing.paste import change_back, oval_mask
from nada_core.errors import PhotoError
from nada_core.films.frames import Box, Frame
from nada_core.films.smoothing import SteadyChange
from nada_core.images.image_io import to_tensor
from nada_core.students.files import StyleStudent
from nada_core.students.network import SIDE
from nada_core.students.wear import change_of, changed_planes

__all__ = ["HeadMask", "Painter"]

Points = NDArray[np.float64]
#: Returns the soft mask ``[n, n]`` of the head in an aligned crop: crop, landmarks in its 256 px version.
HeadMask = Callable[[Image.Image, Points], NDArray[np.float32]]

_MARGIN = 0.35  # of the crop's side: what lies around a crop continues it where it leaves the frame
_KEPT = 0.7  # share of the last frame's mask
_SMALLEST = 24  # pixels of a crop's side: what is smaller is nobody's face


class Painter:
    """Paint one person in the frames of one shot, which come in their order.

    Args:
        students: of a blend, with their shares.
        head: see :data:`HeadMask`.
    """

    def __init__(self, students: Sequence[tuple[StyleStudent, float]], head: HeadMask) -> None:
        self._students, self._head = students, head
        self._steady = SteadyChange()
        self._mask: NDArray[np.float32] | None = None

    def paint(self, frame: Frame, landmarks: Points, strength: float, onto: Frame | None = None) -> Frame:
        """Return ``onto``, by default the frame itself, with the person in the style; unchanged where no face is in it.

        Args:
            frame: the film's own, which the student sees.
            landmarks: [68, 2] in its pixels.
            onto: the same frame with others painted already.
        """
        onto = onto or frame
        try:
            quad = ffhq_quad(landmarks)
        except PhotoError:
            return onto
        side = float(np.hypot(*(quad[3] - quad[0])))
        box = _box_around(quad, side, frame.size)
        if box is None or side < _SMALLEST or strength <= 0:
            return onto
        local = landmarks - box[:2]
        picture = frame.picture(box)
        crop = crop_face(picture, local, SIDE)
        change = self._steady(to_tensor(crop), change_of(crop, self._students)).times(strength)
        if onto is not frame:
            picture = onto.picture(box)
        painted = change_back(picture, local, changed_planes(change), self._steady_mask(crop, local))
        touched = (np.asarray(painted) != np.asarray(picture)).any(-1)
        return onto.painted(box, painted, touched)

    def _steady_mask(self, crop: Image.Image, landmarks: Points) -> NDArray[np.float32]:
        inside = crop_landmarks(landmarks, SIDE)
        try:
            mask = self._head(crop, inside)
        except PhotoError:  # blurred by a movement, say
            mask = oval_mask(inside, SIDE) if self._mask is None else self._mask
        if self._mask is not None:
            mask = mask + _KEPT * (self._mask - mask)
        self._mask = mask
        return mask


def _box_around(quad: Points, side: float, size: tuple[int, int]) -> Box | None:
    """Return the box of a frame that holds a crop and what is around it; None where it lies outside the frame."""
    low = np.floor((quad.min(0) - _MARGIN * side) / 2).astype(int) * 2
    high = np.ceil((quad.max(0) + _MARGIN * side) / 2).astype(int) * 2
    left, top = (max(int(edge), 0) for edge in low)
    right, bottom = (min(int(edge), whole) for edge, whole in zip(high, size))
    inside = quad.max(0) > 0
    if left + 8 > right or top + 8 > bottom or not inside.all() or (quad.min(0) >= size).any():
        return None
    return left, top, right, bottom
