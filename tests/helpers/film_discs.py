"""A stand-in for people in films: red discs, a detector that finds them, and a student that turns what it sees blue. No weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image
from scipy import ndimage

from nada_core.alignment.faces import Face
from nada_core.students.files import StudentCard, StyleStudent
from nada_core.students.network import Student

__all__ = ["DiscDetector", "blue", "discs", "head"]

WALL, RED = (60, 120, 90), (230, 40, 40)


def discs(places: Sequence[Sequence[tuple[float, float]]], size: tuple[int, int] = (160, 120), radius: float = 14) -> Iterator[np.ndarray]:
    """Frames with red discs at these places."""
    y, x = np.ogrid[: size[1], : size[0]]
    for centres in places:
        frame = np.empty((size[1], size[0], 3), np.uint8)
        frame[:] = WALL
        for cx, cy in centres:
            frame[(x - cx) ** 2 + (y - cy) ** 2 <= radius**2] = RED
        yield frame


def landmarks_of(x: float, y: float, side: float) -> np.ndarray:
    """Landmarks of a face of this width, as far as anything here looks at them."""
    angles = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.stack([np.cos(angles), np.sin(angles)], 1) * 0.5
    points[36:42], points[42:48] = (-0.2, -0.15), (0.2, -0.15)
    points[48], points[54] = (-0.15, 0.25), (0.15, 0.25)
    return points * side + (x, y)


class DiscDetector:
    """Finds discs, as quickly as the real one finds faces slowly; ``glances`` counts searches, ``hidden`` makes it blind."""

    def __init__(self, tremble: float = 0.0) -> None:
        self.glances = self.follows = 0
        self.hidden = False
        self._tremble, self._rng = tremble, np.random.default_rng(1)

    def _seen(self, image: Image.Image) -> list[Face]:
        red, green, blue = np.moveaxis(np.asarray(image), -1, 0)
        parts, count = ndimage.label((red > 170) & (green < 110) & (blue < 110))
        faces = []
        for part in range(1, count + 1):
            rows, columns = np.nonzero(parts == part)
            if self.hidden or len(rows) < 40:
                continue
            x, y = np.array([columns.mean(), rows.mean()]) + self._rng.normal(0, self._tremble, 2)
            side = 2 * np.sqrt(len(rows) / np.pi)
            faces.append(Face((x - side / 2, y - side / 2, x + side / 2, y + side / 2), landmarks_of(x, y, side), 1.5))
        return sorted(faces, key=lambda face: -face.size)

    def glance(self, image):
        self.glances += 1
        return self._seen(image)

    def detect(self, image):
        return self._seen(image)

    def follow(self, image, before, thorough=False):
        self.follows += 1
        centre = before.mean(0)
        near = [face for face in self._seen(image) if np.linalg.norm(face.landmarks.mean(0) - centre) < face.size]
        if near:
            return min(near, key=lambda face: np.linalg.norm(face.landmarks.mean(0) - centre)), True
        return Face((0, 0, 1, 1), np.array(before), 0.0), False


def head(crop: Image.Image, landmarks: np.ndarray) -> np.ndarray:
    """A round mask of the middle of a crop."""
    y, x = np.mgrid[:64, :64]
    return np.clip(3 * (1 - np.hypot(x - 31.5, y - 31.5) / 28), 0, 1).astype(np.float32)


def blue() -> list[tuple[StyleStudent, float]]:
    """A student that takes red away and adds blue."""
    network = Student((8, 8, 8, 8)).eval().requires_grad_(False)
    code = network.neutral()
    out = code[:, -24 * 9 :].view(24, 9)
    out[12:16, -1], out[20:24, -1] = -0.8, 0.8
    return [(StyleStudent(StudentCard("blue", "blue", "b" * 64, 1), network, code), 1.0)]
