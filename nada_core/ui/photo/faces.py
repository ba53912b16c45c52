"""Search an uploaded photo for faces, make it displayable, and draw where the person clicked. No Gradio in here."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.errors import NadaError, PhotoError
from nada_core.ui.requests import FACES_AT_ONCE
from nada_core.ui.server.context import AppContext

if TYPE_CHECKING:
    from PIL import Image

    from nada_core.alignment.faces import Face

__all__ = [
    "FACES_OFFERED",
    "FacesView",
    "displayable",
    "faces_words",
    "find_faces",
    "found_before",
    "pointed_at",
    "send_back",
]

log = logging.getLogger(__name__)
_THUMBNAIL = 112
_CLICKED = 640  # pixels of the longer side of a picture that is clicked on
_SHOWN = 2048  # pixels of the longer side of a photo that is sent back to its page
FACES_OFFERED = 24  # offered to choose from


@dataclass(frozen=True)
class FacesView:
    """Hold what was found in a photo: thumbnails to choose from, or words about what to do."""

    photo: str = ""
    thumbnails: tuple[Image.Image, ...] = ()
    picture: Image.Image | None = None  # for clicking eyes and mouth, where no face was found
    scale: float = 1.0  # pixels of the photo for one of `picture`
    words: str = ""
    error: str = ""


def displayable(context: AppContext, path: str, folder: Path) -> Path | None:
    """Write a copy into ``folder`` of a picture browsers cannot show (HEIC, from phones); None for others and damaged ones."""
    from nada_core.images.image_io import is_heif

    if not is_heif(path):
        return None
    try:
        picture = context.backend.decode(path)
    except NadaError:  # `find_faces` reports it
        return None
    return _written(picture, folder)


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
    faces = tuple(faces[:FACES_OFFERED])
    return _view(context.photos.put(photo, faces, _digest(path)), photo, faces)


def found_before(context: AppContext, path: str | None, key: str) -> FacesView | None:
    """Return what was found in the photo under ``key``, if the file is the one it came in; None where it must be searched."""
    if not path or not key:
        return None if path or key else FacesView()
    try:
        entry = context.photos.get(key)
        return _view(key, entry.photo, entry.faces) if _digest(path) in entry.files else None
    except (PhotoError, OSError):  # no longer on the shelf, or a file that cannot be read: that is said when it is searched
        return None


def send_back(context: AppContext, key: str, folder: Path) -> tuple[Path, FacesView] | None:
    """Write the photo under ``key`` as a picture into ``folder``; return it and its faces, None where it is gone.

    The picture is known as a file of the photo from now on: it is not searched again when it arrives in a box.
    """
    try:
        entry = context.photos.get(key)
        picture = entry.photo.copy()
        picture.thumbnail((_SHOWN, _SHOWN))
        path = _written(picture, folder)
        entry.files.add(_digest(str(path)))
    except (PhotoError, OSError):
        return None
    return path, _view(key, entry.photo, entry.faces)


def _written(picture: Image.Image, folder: Path) -> Path:
    """Write a photo as a JPEG, or as a PNG where it has transparent places."""
    path = folder / ("photo.jpg" if picture.mode == "RGB" else "photo.png")
    picture.save(path, quality=95)
    return path


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _view(key: str, photo: Image.Image, faces: tuple[Face, ...]) -> FacesView:
    if not faces:
        small = pointed_at(photo, ())
        words = (
            "No face was found. Crop closer, face the camera in even light and take off sunglasses; or click here: one eye, the other eye, "
            "then the middle of the mouth."
        )
        return FacesView(key, picture=small, scale=photo.width / small.width, words=words)
    from nada_core.alignment.ffhq import crop_face

    thumbnails = tuple(crop_face(photo, face.landmarks, _THUMBNAIL) for face in faces) if len(faces) > 1 else ()
    return FacesView(key, thumbnails, scale=max(*photo.size, _CLICKED) / _CLICKED, words=faces_words(len(faces)))


def faces_words(count: int) -> str:
    """Return the words on so many faces found; none on a single one."""
    words = f"{count} faces found: choose one." if count > 1 else ""
    return words + (f" All at once are the {FACES_AT_ONCE} largest." if count > FACES_AT_ONCE else "")


def pointed_at(photo: Image.Image, points: Sequence[Sequence[float]], side: int = _CLICKED) -> Image.Image:
    """Return the photo at a size for clicking on, with a ring around each point (in pixels of the photo)."""
    from PIL import ImageDraw

    from nada_core.images.transparency import on_white

    scale = max(*photo.size, side) / side
    small = on_white(photo).resize((max(round(photo.width / scale), 1), max(round(photo.height / scale), 1)), reducing_gap=2.0)
    draw = ImageDraw.Draw(small)
    for x, y in points:
        for radius, colour, width in ((9, "white", 5), (8, (106, 63, 219), 3)):
            draw.circle((x / scale, y / scale), radius, outline=colour, width=width)
    return small
