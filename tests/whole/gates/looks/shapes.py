"""Measure how the form of a face changed, by landmarks found anew, in distances of the eyes' outer corners."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from torch import Tensor

from nada_core.alignment.ffhq import FaceDetector
from nada_core.images.image_io import to_pil
from tests.whole.gates.measure import Measures

__all__ = ["LEAST", "shape_changes", "shape_measures"]

#: shape -> the least change at amount 1 that people see. The first two are asked for; the others are half of what a drawing shows.
LEAST = {"smile": 0.12, "big eyes": 0.25, "open mouth": 0.07, "wide face": 0.06}


def _far(points: np.ndarray, one: int, other: int) -> float:
    return float(np.hypot(*(points[other] - points[one])))


def shape_measures(before: np.ndarray, after: np.ndarray) -> Measures:
    """Return what changed between two sets of landmarks ``[68, 2]`` of one face.

    ``shape.smile``: the mouth is wider. ``shape.corners``: its corners are higher, as against its middle. ``shape.big eyes``: share by
    which the eyes are opened more. ``shape.open mouth``: the lips are further apart. ``shape.wide face``: share by which the jaw is wider.
    """
    unit = _far(before, 36, 45)

    def corners(points: np.ndarray) -> float:
        return float((points[[51, 57], 1].mean() - points[[48, 54], 1].mean()) / unit)

    def opened(points: np.ndarray) -> float:
        return sum(_far(points, i, j) for i, j in ((37, 41), (38, 40), (43, 47), (44, 46)))

    def jaw(points: np.ndarray) -> float:
        return sum(_far(points, i, 16 - i) for i in (2, 3, 4, 5))

    return {
        "shape.smile": (_far(after, 48, 54) - _far(before, 48, 54)) / unit,
        "shape.corners": corners(after) - corners(before),
        "shape.big eyes": opened(after) / opened(before) - 1,
        "shape.open mouth": (_far(after, 62, 66) - _far(before, 62, 66)) / unit,
        "shape.wide face": jaw(after) / jaw(before) - 1,
    }


def shape_changes(after: Iterable[Tensor], landmarks: Iterable[np.ndarray]) -> list[Measures]:
    """Return the changes of each picture ``[3, S, S]`` in [-1, 1] as against the face's landmarks before; none where no face is found."""
    detector = FaceDetector()
    found = []
    for picture, marks in zip(after, landmarks, strict=True):
        seen = detector.detect(to_pil(picture.clamp(-1, 1)))
        found.append(shape_measures(marks, seen[0].landmarks) if seen else {})
    return found
