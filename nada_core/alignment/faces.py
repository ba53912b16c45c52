"""Find faces in a photo and their 68 landmarks, and tell whether two are the same person (dlib's models).

Two detectors work together: the gradient-histogram one is fast but now and then sees a face in a badge or a coin; what it is
unsure of is shown to the convolutional one, which is slow and hardly ever wrong, and which also looks for what the first one misses.
"""

from __future__ import annotations

import math
import operator
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from nada_core.errors import NoFaceError, OptionsError, shown
from nada_core.images.transparency import on_white

__all__ = ["SAME_PERSON", "Face", "FaceDetector", "FaceRecogniser", "check_face_number", "choose_face", "distance"]

SAME_PERSON = 0.6  # distance below which dlib's recogniser takes two faces for one person (99.4 % right on LFW)

_FLAT = 8  # levels of 255: a picture whose every channel spans no more shows nothing

_SAME_PLACE = 0.4  # shared area, of the smaller one, above which two sightings are of one face

#: Starts of a search for landmarks whose mean is steadier than any: moved right and down, and scaled.
_NUDGES = ((0.0, 0.0, 1.0), (0.04, 0.0, 1.03), (-0.04, 0.0, 1.03), (0.0, 0.04, 0.97), (0.0, -0.04, 0.97))

Box = tuple[float, float, float, float]  # left, top, right, bottom, as edges: the first pixel is 0 to 1
Affine = tuple[float, float, float, float, float, float]  # x' = a x + b y + c, y' = d x + e y + f, in edges


@dataclass(frozen=True, eq=False)
class Face:
    """Hold one face of a photo, in the photo's pixels."""

    box: Box
    landmarks: NDArray[np.float64] = field(repr=False)  # [68, 2] as (x, y), dlib's order
    confidence: float  # the detector's own score: above 0 a face, above 1 a clear one

    @property
    def size(self) -> float:
        """Return the width of the face in pixels; below about 80 the crop is visibly soft."""
        return self.box[2] - self.box[0]


@dataclass(frozen=True)
class _Place:
    """Hold where a detector sees a face: an upright square in the photo turned by `angle` degrees anticlockwise."""

    x: float  # centre, in the photo
    y: float
    side: float
    angle: float
    score: float

    @property
    def box(self) -> Box:
        half = self.side / 2
        return self.x - half, self.y - half, self.x + half, self.y + half


def check_face_number(index: int) -> None:
    """Check that a face is named by a whole number. Raises OptionsError."""
    try:
        operator.index(index)
    except TypeError:
        raise OptionsError(f"face is {shown(index, 40)}; it must be a whole number, 0 for the largest face.") from None


def choose_face(faces: Sequence[Face], index: int = 0) -> Face:
    """Return the face to work on: number `index` of the detector's list, 0 the largest.

    Raises:
        NoFaceError: the list is empty; the message says what to try.
        OptionsError: no number, or there are fewer faces than that.
    """
    check_face_number(index)
    if not faces:
        raise NoFaceError(
            "No face was found in the picture. Crop closer so that the face fills about half of the height, face the camera, "
            "use even light, and take off sunglasses or anything that covers eyes, nose or mouth."
        )
    if not 0 <= index < len(faces):
        found = "1 face was" if len(faces) == 1 else f"{len(faces)} faces were"
        raise OptionsError(f"Face number {index} does not exist: {found} found. Choose 0 to {len(faces) - 1} (0 is the largest).")
    return faces[index]


@cache
def _read_models(convolutional: str, landmarks: str) -> tuple[Any, Any, Any]:
    """Return the histogram detector, the convolutional one and the model of landmarks: loading them takes longer than most searches."""
    import dlib

    return dlib.get_frontal_face_detector(), dlib.cnn_face_detection_model_v1(convolutional), dlib.shape_predictor(landmarks)


class FaceDetector:
    """Find faces; models are loaded on first use, once for all of them. Safe between threads: calls wait for one another."""

    _lock = threading.Lock()  # dlib's models, which all detectors share, keep scratch memory inside
    _SIDE = 2400  # longer side of the histogram detector's picture: it finds faces from a thirtieth of that
    _TURNED_SIDE = 1000  # the same when the picture is searched in all directions
    _CNN_SIDE = 640  # the convolutional detector needs 2 s here, and 4 times as much at twice the size
    _MAX_UPSAMPLE = 4.0
    _ANGLES = (45, -45, 90, -90, 135, -135, 180)  # the histogram detector stands about 30 degrees of tilt
    _SURE = 1.0  # histogram scores above are faces; badges and folds of cloth reached 0.7
    _LOWEST_TURNED = 0.3  # at the right angle a face is seen clearly
    _MAX_UNSURE = 6  # candidates shown to the convolutional detector, 0.2 s each
    _LANDMARK_SIDE = 200.0  # smaller faces are enlarged first: the landmark model answers in whole pixels
    _FILM_SIDE = 1280  # of a film's frame: faces from a sixteenth of that, in a twentieth of a second
    _FOLLOWED_SIDE = 110.0  # of a face that is looked for where it was a moment ago
    _FOLLOWED = -0.4  # histogram scores from here up, at that place and of that size, are the same face

    def __init__(self) -> None:
        self._models: tuple[Any, Any, Any] | None = None

    def detect(self, image: Image.Image, everyone: bool = False) -> list[Face]:
        """Return the faces of an RGB photo, largest first; an empty list if there are none.

        Tilted, overturned and half covered ones are looked for where no clear face is seen. The landmarks say which way a face is turned.

        Args:
            everyone: look for those beside clear faces as well: a group has all kinds. It takes some seconds more.

        Raises:
            AssetError: a model file is missing and cannot be fetched.
        """
        image = on_white(image)
        # where nothing stands out there is no face, and looking for one takes longest
        if not any(high - low > _FLAT for low, high in cast("tuple[tuple[int, int], ...]", image.getextrema())):
            return []
        with self._lock:
            histogram, convolutional, landmarks = self._load()
            upright = self._candidates(histogram, image, self._SIDE, (0,), 0.0)
            clear = any(place.score >= self._SURE for place in upright)
            # what was seen without being sure of it is looked at again: a tilted face is seen half-heartedly as an upright one
            sure = [place for place in upright if place.score >= self._SURE] if everyone else upright
            found = self._accepted(convolutional, image, sure) if clear else []
            if everyone or not clear:
                turned = self._candidates(histogram, image, self._TURNED_SIDE, self._ANGLES, self._LOWEST_TURNED)
                found += self._accepted(convolutional, image, _elsewhere(upright + turned, found))
            if everyone or not found:
                found += _elsewhere(self._convolutional_pass(convolutional, image), found)  # profiles and covered faces
            faces = [Face(place.box, self._landmarks(landmarks, image, place), place.score) for place in found]
        return sorted(faces, key=lambda face: face.size, reverse=True)

    def glance(self, image: Image.Image) -> list[Face]:
        """Return the upright faces of a film's frame (RGB), largest first: what :meth:`detect` sees of them in a twentieth of a second."""
        with self._lock:
            histogram, convolutional, landmarks = self._load()
            found = self._accepted(convolutional, image, self._candidates(histogram, image, self._FILM_SIDE, (0,), 0.0))
            faces = [Face(place.box, self._landmarks(landmarks, image, place), place.score) for place in found]
        return sorted(faces, key=lambda face: face.size, reverse=True)

    def follow(self, image: Image.Image, before: ArrayLike, thorough: bool = False) -> tuple[Face, bool]:
        """Return the face whose landmarks [68, 2] are expected near ``before``, turned as those are, and whether a face was seen there.

        Args:
            thorough: ask the convolutional detector where the histogram detector sees none: it knows profiles and covered faces.
        """
        place = _place_of(np.asarray(before, dtype=np.float64))
        with self._lock:
            histogram, convolutional, landmarks = self._load()
            seen = self._seen_near(histogram, image, place)
            if seen is not None:
                place = seen
            there = seen is not None or (thorough and self._confirmed(convolutional, image, place))
            return Face(place.box, self._landmarks(landmarks, image, place, _NUDGES), place.score), there

    def _seen_near(self, histogram: Any, image: Image.Image, place: _Place) -> _Place | None:
        """Return the place with the histogram detector's score, moved where the face is not in its middle; None where it sees no face."""
        zoom = self._FOLLOWED_SIDE / place.side
        view, to_photo = _view(image, place, margin=0.6, zoom=zoom)
        middle = view.width / 2
        for rectangle, score in zip(*histogram.run(np.asarray(view), 0, self._FOLLOWED)[:2]):  # the best first
            left, top, right, bottom = _box(rectangle, 1.0)
            centre = np.array([(left + right) / 2, (top + bottom) / 2])
            off = float(np.abs(centre - middle).max()) / self._FOLLOWED_SIDE
            if off > 0.4 or not 0.6 < (right - left) / self._FOLLOWED_SIDE < 1.7:
                continue
            if off < 0.15:  # the detector answers in steps of eight pixels: landmarks are steadier where they were
                return replace(place, score=float(score))
            x, y = _moved((centre - 0.5)[None], to_photo)[0] + 0.5
            return replace(place, x=float(x), y=float(y), score=float(score))
        return None

    def _load(self) -> tuple[Any, Any, Any]:
        if self._models is None:
            from nada_core.assets.store import fetch

            self._models = _read_models(str(fetch("dlib-cnn-detector")), str(fetch("dlib-landmarks-68")))
        return self._models

    def _candidates(self, histogram: Any, image: Image.Image, side: int, angles: Sequence[int], lowest: float) -> list[_Place]:
        """Return what the histogram detector sees in the picture turned by each of the angles, with scores from `lowest` up."""
        small, scale = _scaled(image, side, self._MAX_UPSAMPLE)
        places = []
        for angle in angles:
            turned = small.rotate(angle, Image.Resampling.BILINEAR, expand=True) if angle else small
            rectangles, scores, _ = histogram.run(np.asarray(turned), 0, lowest)
            places += [_place(r, turned, image, scale, float(s), angle) for r, s in zip(rectangles, scores)]
        return places

    def _accepted(self, convolutional: Any, image: Image.Image, candidates: list[_Place]) -> list[_Place]:
        """Return each face once; unsure and turned ones only where the convolutional detector agrees."""
        found: list[_Place] = []
        doubtful = 0
        for best in sorted(candidates, key=lambda candidate: candidate.score, reverse=True):
            if any(_overlap(best.box, other.box) > _SAME_PLACE for other in found):
                continue
            # a face tilted by 20 degrees is seen at 0 and at 45: the truth lies between
            sightings = [other for other in candidates if _overlap(best.box, other.box) > _SAME_PLACE and _between(best, other) <= 45]
            place = replace(best, angle=_mean_angle(sightings))
            if place.score < self._SURE or place.angle:
                doubtful += 1
                if doubtful > self._MAX_UNSURE or not self._confirmed(convolutional, image, place):
                    continue
            found.append(place)
        return found

    def _confirmed(self, convolutional: Any, image: Image.Image, place: _Place) -> bool:
        """Tell whether the convolutional detector sees a face at this place."""
        view, _ = _view(image, place, margin=0.7, zoom=max(1.0, 100 / place.side))
        small, scale = _scaled(view, 240, 1.0)  # the face is then 100 px wide, what that detector was trained on
        middle = view.width / 2
        for face in convolutional(np.asarray(small), 0):
            left, top, right, bottom = _box(face.rect, scale)
            if face.confidence > 0.5 and left < middle < right and top < middle < bottom:
                return True
        return False

    def _convolutional_pass(self, convolutional: Any, image: Image.Image) -> list[_Place]:
        small, scale = _scaled(image, self._CNN_SIDE, self._MAX_UPSAMPLE)
        faces = [face for face in convolutional(np.asarray(small), 0) if face.confidence > 0.5]
        return [_place(face.rect, small, image, scale, float(face.confidence), 0) for face in faces]

    def _landmarks(
        self, model: Any, image: Image.Image, place: _Place, nudges: Sequence[tuple[float, float, float]] = ((0, 0, 1),)
    ) -> NDArray[np.float64]:
        """Return landmarks [68, 2] at the photo's full resolution, finer than that for small faces.

        ``nudges`` are starts of the search, moved and scaled by shares of the place's side: the answer is the mean.
        """
        import dlib

        zoom = max(1.0, self._LANDMARK_SIDE / place.side)
        view, to_photo = _view(image, place, margin=0.5, zoom=zoom)
        pixels, side, points = np.asarray(view), place.side * zoom, []
        for right, down, scale in nudges:
            half = side * scale / 2
            x, y = view.width / 2 + right * side, view.width / 2 + down * side
            shape = model(pixels, dlib.rectangle(round(x - half), round(y - half), round(x + half) - 1, round(y + half) - 1))
            points.append([(part.x, part.y) for part in shape.parts()])
        return _moved(np.array(points, dtype=np.float64).mean(0), to_photo)


class FaceRecogniser:
    """Describe a face by 128 numbers that depend on the person, not on the photo; loaded on first use, safe between threads."""

    _FACE_SIDE = 300.0  # smaller faces are enlarged, since dlib takes landmarks in whole pixels

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    def embed(self, image: Image.Image, landmarks: ArrayLike) -> NDArray[np.float64]:
        """Return the description [128] of the face whose landmarks [68, 2] are given; compare two with `distance`.

        The face need not be detectable: a painted one is described from the landmarks of the photo it was made of.

        Raises:
            AssetError: the model file is missing and cannot be fetched.
        """
        points = np.asarray(landmarks, dtype=np.float64)
        if points.shape != (68, 2) or not np.isfinite(points).all():
            raise ValueError(f"expected finite landmarks [68, 2], got {list(points.shape)}")
        import dlib

        low, high = points.min(0), points.max(0)
        extent = max(float((high - low).max()), 1.0)
        middle = (low + high + 1) / 2
        zoom = max(1.0, self._FACE_SIDE / extent)
        place = _Place(float(middle[0]), float(middle[1]), extent, 0, 0.0)
        view, to_photo = _view(on_white(image), place, margin=0.75, zoom=zoom)
        points = np.rint((points + 0.5 - (to_photo[2], to_photo[5])) * zoom - 0.5).astype(int)
        rectangle = dlib.rectangle(*(int(value) for value in (*points.min(0), *points.max(0))))
        shape = dlib.full_object_detection(rectangle, [dlib.point(int(x), int(y)) for x, y in points])
        with self._lock:
            if self._model is None:
                from nada_core.assets.store import fetch

                self._model = dlib.face_recognition_model_v1(str(fetch("dlib-recognition")))
            return np.array(self._model.compute_face_descriptor(np.asarray(view), shape), dtype=np.float64)


def distance(a: ArrayLike, b: ArrayLike) -> float:
    """Return the distance of two descriptions [128]: 0 the same picture, below SAME_PERSON the same person."""
    return float(np.linalg.norm(np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)))


def _scaled(image: Image.Image, side: int, most: float) -> tuple[Image.Image, float]:
    """Return the picture with its longer side at `side` (enlarged at most `most` times), and the scale."""
    scale = min(side / max(image.size), most)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0), scale


def _box(rectangle: Any, scale: float) -> Box:
    return rectangle.left() / scale, rectangle.top() / scale, (rectangle.right() + 1) / scale, (rectangle.bottom() + 1) / scale


def _overlap(a: Box, b: Box) -> float:
    """Return the shared area over the area of the smaller box."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def _elsewhere(places: Sequence[_Place], found: Sequence[_Place]) -> list[_Place]:
    """Return the places where no face has been found yet."""
    return [place for place in places if all(_overlap(place.box, other.box) <= _SAME_PLACE for other in found)]


def _place(rectangle: Any, searched: Image.Image, photo: Image.Image, scale: float, score: float, angle: float) -> _Place:
    """Return a detector's rectangle in the scaled and turned picture as a place in the photo."""
    left, top, right, bottom = _box(rectangle, scale)
    # turning keeps the middle of the picture where it is
    u, v = (left + right - searched.width / scale) / 2, (top + bottom - searched.height / scale) / 2
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = photo.width / 2 + cosine * u - sine * v, photo.height / 2 + sine * u + cosine * v
    return _Place(x, y, (right - left + bottom - top) / 2, angle, score)


def _place_of(points: NDArray[np.float64]) -> _Place:
    """Return where, as large and turned as the histogram detector would, a detector sees the face with these landmarks [68, 2]."""
    left, right = points[36:42].mean(0), points[42:48].mean(0)
    down = (points[48] + points[54] - left - right) / 2
    across = right - left
    axis = across + np.array([down[1], -down[0]])  # of the head: the eyes, and what is square to the line down to the mouth
    side = max(2.2 * float(np.hypot(*across)), 2.43 * float(np.hypot(*down)), 1.0)  # the one that a turned head shortens less
    x, y = points.mean(0) + 0.5
    return _Place(float(x), float(y), side, -math.degrees(math.atan2(axis[1], axis[0])), 0.0)


def _between(a: _Place, b: _Place) -> float:
    """Return the degrees between two places' angles, 0 to 180."""
    return abs((a.angle - b.angle + 180) % 360 - 180)


def _mean_angle(places: Sequence[_Place]) -> float:
    """Average the angles of places, in degrees, weighted by score."""
    sine = sum(max(place.score, 0.0) * math.sin(math.radians(place.angle)) for place in places)
    cosine = sum(max(place.score, 0.0) * math.cos(math.radians(place.angle)) for place in places)
    return math.degrees(math.atan2(sine, cosine))


def _view(photo: Image.Image, place: _Place, margin: float, zoom: float) -> tuple[Image.Image, Affine]:
    """Cut out the square around a place, `margin` times its side more on each side, turned upright, enlarged; black outside the photo.

    Returns:
        The view, and the map from its coordinates to the photo's.
    """
    half = math.ceil(place.side * (0.5 + margin) * zoom)
    x, y = (place.x, place.y) if zoom > 1 or place.angle else (round(place.x), round(place.y))  # whole pixels stay unchanged
    a, d = math.cos(math.radians(place.angle)) / zoom, math.sin(math.radians(place.angle)) / zoom
    to_photo = (a, -d, x - (a - d) * half, d, a, y - (d + a) * half)
    view = photo.transform((2 * half, 2 * half), Image.Transform.AFFINE, to_photo, Image.Resampling.BICUBIC)
    return view, to_photo


def _moved(points: NDArray[np.float64], affine: Affine) -> NDArray[np.float64]:
    """Return points [N, 2] (pixel centres at whole numbers) moved by an affine map of edges."""
    matrix = np.array(affine, dtype=np.float64).reshape(2, 3)
    return (points + 0.5) @ matrix[:, :2].T + matrix[:, 2] - 0.5
