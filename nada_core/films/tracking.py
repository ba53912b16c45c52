"""Follow the people of a film from frame to frame: who is new, who is still there, who has gone, where the camera is another.

Every frame looks for each known face where it should be; the whole frame is searched a few times a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nada_core.alignment.faces import Face

__all__ = ["Sighting", "Tracker", "View", "is_cut"]

Points = NDArray[np.float64]

SEARCH_SIDE = 1280  # longer side of the pictures that are searched
_SEARCH = 0.25  # seconds between two searches of the whole frame
_THOROUGH = 4.0  # seconds between two thorough ones, while nobody is seen
_LOST = 0.25  # seconds without a sight of a face until it is gone
_ASK = 0.1  # seconds between two questions to the slow detector, while the quick one sees nobody
_MOST = 8  # people at once
_SAME = 0.5  # distance of two faces, in their size, below which they are one
_SUDDEN = 0.35  # of its size that a face may jump between two frames


class FindsFaces(Protocol):
    """Describe what finds faces: :class:`nada_core.alignment.faces.FaceDetector`."""

    def glance(self, image: Image.Image) -> list[Face]:
        """Return the upright faces of a frame."""
        ...

    def detect(self, image: Image.Image) -> list[Face]:
        """Return all faces of a frame, turned and covered ones as well."""
        ...

    def follow(self, image: Image.Image, before: Points, thorough: bool = False) -> tuple[Face, bool]:
        """Return the face near where it was, and whether it was seen."""
        ...


@dataclass(frozen=True, eq=False)
class Sighting:
    """Hold where a person is in one frame: landmarks ``[68, 2]`` in pixels of the frame, and whether a face was seen there."""

    landmarks: Points = field(repr=False)
    seen: bool


@dataclass(frozen=True, eq=False)
class View:
    """Hold one frame as it is searched: a small RGB picture, its scale, the number of its shot, and who is in it by their numbers."""

    picture: Image.Image
    scale: float
    seconds: float
    shot: int
    people: dict[int, Sighting]


@dataclass
class _Person:
    landmarks: Points  # in the searched picture
    speed: Points  # a frame
    since: float  # seconds, when last seen
    missed: bool = False
    asked: float = -np.inf  # seconds, when the slow detector was last asked


class Tracker:
    """Follow people through the frames of one film, which come in their order.

    Args:
        detector: finds faces.
    """

    def __init__(self, detector: FindsFaces) -> None:
        self.detector = detector
        #: First and last seconds of people who are not elsewhere in the frame before or after, but not there: nothing of them to be faded.
        self.bounds: dict[int, tuple[float, float]] = {}
        self._people: dict[int, _Person] = {}
        self._next = self._shot = 0
        self._searched = self._looked = -np.inf
        self._thumbnail: NDArray[np.float32] | None = None

    def look(self, picture: Image.Image, scale: float, seconds: float, past: Sequence[View] = ()) -> View:
        """Return who is in a frame. Those seen for the first time are looked for in the frames before it as well, and entered there.

        Args:
            picture: the frame, :data:`SEARCH_SIDE` pixels long or smaller.
            scale: of the picture to the frame: its size over the frame's.
            seconds: the frame's time.
            past: the last frames, which are still to be painted, in their order.
        """
        thumbnail = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float32)
        if self._thumbnail is not None and is_cut(self._thumbnail, thumbnail):
            self._shot += 1
            self._people.clear()
            self._searched = self._looked = -np.inf
        self._thumbnail = thumbnail
        view = View(picture, scale, seconds, self._shot, {})
        self._follow(view, past)
        if seconds - self._searched >= _SEARCH - 1e-6:
            self._search(view, past)
        return view

    def _follow(self, view: View, past: Sequence[View]) -> None:
        for number, person in list(self._people.items()):
            expected = person.landmarks + person.speed
            thorough = person.missed and view.seconds - person.asked >= _ASK
            face, seen = self.detector.follow(view.picture, expected, thorough)
            person.missed, person.asked = not seen or thorough, view.seconds if thorough else person.asked
            moved = np.linalg.norm(face.landmarks.mean(0) - person.landmarks.mean(0)) / max(_size(person.landmarks), 1.0)
            if (not seen and view.seconds - person.since > _LOST) or moved > _SUDDEN or not _inside(face.landmarks, view.picture):
                self._forget(number, view, past)
                continue
            if seen:
                person.since = view.seconds
            step = (face.landmarks - person.landmarks).mean(0)  # of the head: lips and lids have ways of their own
            person.speed = 0.5 * person.speed + 0.5 * step if seen else 0.8 * person.speed
            person.landmarks = face.landmarks
            view.people[number] = Sighting(_in_frame(face.landmarks, view.scale), seen)
        self._part(view, past)

    def _part(self, view: View, past: Sequence[View]) -> None:
        """Forget the younger of two who are in one place."""
        numbers = sorted(self._people)
        for place, older in enumerate(numbers):
            for younger in numbers[place + 1 :]:
                if older in self._people and younger in self._people and self._near(older, self._people[younger].landmarks):
                    self._forget(younger, view, past)
                    view.people.pop(younger, None)

    def _search(self, view: View, past: Sequence[View]) -> None:
        self._searched = view.seconds
        faces = self.detector.glance(view.picture)
        if not faces and not self._people and view.seconds - self._looked >= _THOROUGH:
            self._looked = view.seconds
            faces = self.detector.detect(view.picture)
        for face in faces:
            if len(self._people) < _MOST and not any(self._near(number, face.landmarks) for number in self._people):
                self._welcome(face, view, past)

    def _welcome(self, face: Face, view: View, past: Sequence[View]) -> None:
        number, self._next = self._next, self._next + 1
        face, _ = self.detector.follow(view.picture, face.landmarks)  # as in all later frames: a search starts elsewhere
        self._people[number] = _Person(face.landmarks, np.zeros_like(face.landmarks), view.seconds)
        view.people[number] = Sighting(_in_frame(face.landmarks, view.scale), True)
        landmarks, speed, later = face.landmarks, np.zeros(2), view
        for earlier in reversed(past):
            if earlier.shot != view.shot:
                break
            found, seen = self.detector.follow(earlier.picture, landmarks + speed)
            others = (s.landmarks * earlier.scale for s in earlier.people.values())
            if not seen or _apart(found.landmarks, landmarks) > _SUDDEN or any(_apart(o, found.landmarks) < _SAME for o in others):
                if _vanishes(landmarks, later.picture, earlier.picture):
                    self.bounds[number] = later.seconds, np.inf
                break
            speed = 0.5 * speed + 0.5 * (found.landmarks - landmarks).mean(0)
            landmarks = found.landmarks
            earlier.people[number] = Sighting(_in_frame(landmarks, earlier.scale), True)
            later = earlier

    def _forget(self, number: int, view: View, past: Sequence[View]) -> None:
        """Forget a person, and where they were only thought to be."""
        del self._people[number]
        later = view
        for earlier in reversed(past):
            sighting = earlier.people.get(number)
            if sighting is None:
                break
            if sighting.seen:
                landmarks = (sighting.landmarks + 0.5) * earlier.scale - 0.5
                if _vanishes(landmarks, earlier.picture, later.picture):
                    self.bounds[number] = self.bounds.get(number, (-np.inf, np.inf))[0], earlier.seconds
                break
            del earlier.people[number]
            later = earlier

    def _near(self, number: int, landmarks: Points) -> bool:
        return _apart(self._people[number].landmarks, landmarks) < _SAME


def is_cut(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """Tell whether the film shows something else now; both are small pictures of one shape, 0 to 255. A change of light is none."""
    if float(np.abs(before - now).mean()) < 12:
        return False
    a, b = before - before.mean(), now - now.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return spread < 1e-3 or float((a * b).sum()) / spread < 0.6


def _vanishes(landmarks: Points, there: Image.Image, gone: Image.Image) -> bool:
    """Tell whether what is at a face's place in one picture is not in the other: it left, or something else hides it."""
    low, high = landmarks.min(0), landmarks.max(0)
    if (low < 0).any() or (high > there.size).any():
        return True
    box = float(low[0]), float(low[1]), min(float(high[0]) + 1, there.width), min(float(high[1]) + 1, there.height)
    first, second = (np.asarray(p.resize((24, 24), Image.Resampling.BOX, box), dtype=np.float32) for p in (there, gone))
    return is_cut(first, second)


def _size(landmarks: Points) -> float:
    return float(np.ptp(landmarks, axis=0).max())


def _apart(a: Points, b: Points) -> float:
    """Return the distance of two faces in the size of the larger."""
    return float(np.linalg.norm(a.mean(0) - b.mean(0))) / max(_size(a), _size(b), 1.0)


def _inside(landmarks: Points, picture: Image.Image) -> bool:
    """Tell whether the middle of a face is in the picture."""
    x, y = landmarks[17:].mean(0)
    return 0 <= x < picture.width and 0 <= y < picture.height


def _in_frame(landmarks: Points, scale: float) -> Points:
    return (landmarks + 0.5) / scale - 0.5
