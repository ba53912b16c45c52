"""A photo that has just arrived: shown where browsers cannot, searched for faces, pointed at where none is found. No Gradio in here."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NadaError, PhotoError
from .all_faces import MOST_FACES
from .context import AppContext

__all__ = ["MAX_FACES", "FacesView", "displayable", "find_faces", "found_before", "pointed_at", "send_back", "taken_away"]

log = logging.getLogger(__name__)
_THUMBNAIL = 112
_SHOWN = 2048  # pixels of the longer side of a photo that is sent back to its page
MAX_FACES = 24  # offered to choose from


@dataclass(frozen=True)
class FacesView:
    """What was found in a photo: thumbnails to choose from, or words about what to do."""

    photo: str = ""
    thumbnails: tuple[Any, ...] = ()
    picture: Any = None  # for clicking eyes and mouth, where no face was found
    scale: float = 1.0  # pixels of the photo for one of `picture`
    words: str = ""
    error: str = ""


def displayable(context: AppContext, path: str, folder: Path) -> Path | None:
    """A JPEG in ``folder`` of a picture that browsers cannot show (HEIC, from phones); None for all others, and for a damaged one."""
    from ..images import is_heif

    if not is_heif(path):
        return None
    try:
        picture = context.backend.decode(path)
    except NadaError:  # it is said when its faces are looked for
        return None
    target = folder / "photo.jpg"
    picture.save(target, quality=95)
    return target


def find_faces(context: AppContext, path: str | None, before: str | None = None) -> FacesView:
    """Decode an uploaded photo, look for faces and keep both; ``before`` is the id of the photo it replaces."""
    context.photos.discard(before)
    if not path:
        return FacesView()
    try:
        engine, _ = context.open()
        photo, faces = engine.editor.find(context.backend.decode(path))
    except NadaError as error:
        return FacesView(error=str(error))
    except Exception:
        log.exception("looking for faces failed")
        return FacesView(error="The photo could not be searched for faces. Try another one; the server's log has the details.")
    faces = tuple(faces[:MAX_FACES])
    return _view(context.photos.put(photo, faces, _digest(path)), photo, faces)


def found_before(context: AppContext, path: str | None, key: str) -> FacesView | None:
    """What was found in the photo under ``key``, where the file is the one it came in; None where it is to be searched."""
    if not path or not key:
        return None if path or key else FacesView()
    try:
        entry = context.photos.get(key)
        return _view(key, entry.photo, entry.faces) if entry.digest == _digest(path) else None
    except (PhotoError, OSError):  # no longer on the shelf, or a file that cannot be read: that is said when it is searched
        return None


def send_back(context: AppContext, key: str, folder: Path) -> tuple[Path, FacesView] | None:
    """A picture in ``folder`` of the photo under ``key``, and its faces; None where it is gone.

    The picture is known as the photo's file from now on: it is not searched again when it arrives in a box.
    """
    try:
        entry = context.photos.get(key)
        picture = entry.photo.copy()
        picture.thumbnail((_SHOWN, _SHOWN))
        picture.save(folder / "photo.jpg", quality=95)
        entry.digest = _digest(str(folder / "photo.jpg"))
    except (PhotoError, OSError):
        return None
    return folder / "photo.jpg", _view(key, entry.photo, entry.faces)


def taken_away(context: AppContext, path: str | None, key: str) -> bool:
    """Whether the file is the one of the photo that was discarded under ``key``: the box of another tab has not been emptied yet."""
    return bool(path and key) and Path(str(path)).is_file() and context.photos.was(key, _digest(str(path)))


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _view(key: str, photo: Any, faces: tuple[Any, ...]) -> FacesView:
    if not faces:
        small = pointed_at(photo, ())
        words = (
            "No face was found. Crop closer, face the camera in even light and take off sunglasses; or click here: one eye, the other eye, "
            "then the middle of the mouth."
        )
        return FacesView(key, picture=small, scale=photo.width / small.width, words=words)
    from ..alignment import crop_face

    thumbnails = tuple(crop_face(photo, face.landmarks, _THUMBNAIL) for face in faces) if len(faces) > 1 else ()
    words = f"{len(faces)} faces found: choose one." if thumbnails else ""
    if len(faces) > MOST_FACES:
        words += f" All at once are the {MOST_FACES} largest."
    return FacesView(key, thumbnails, words=words)


def pointed_at(photo: Any, points: Sequence[Sequence[float]], side: int = 640) -> Any:
    """The photo at a size for clicking on, with a ring around each point (in pixels of the photo)."""
    from PIL import ImageDraw

    scale = max(*photo.size, side) / side
    small = photo.resize((max(round(photo.width / scale), 1), max(round(photo.height / scale), 1)), reducing_gap=2.0)
    draw = ImageDraw.Draw(small)
    for x, y in points:
        for radius, colour, width in ((9, "white", 5), (8, (106, 63, 219), 3)):
            draw.circle((x / scale, y / scale), radius, outline=colour, width=width)
    return small
