"""Write and read the JPEG pictures of the report's folders, with errors that say what to do."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from nada_core.errors import NadaError
from nada_core.images.sheets import AI_NOTE

__all__ = ["jpeg", "open_picture", "picture_bytes"]


def jpeg(image: Image.Image, quality: int, generated: bool = True) -> bytes:
    """Encode a picture as JPEG; generated ones say so in their comment."""
    target = io.BytesIO()
    image.convert("RGB").save(target, "JPEG", quality=quality, optimize=True, comment=AI_NOTE.encode() if generated else b"")
    return target.getvalue()


def picture_bytes(path: Path, quality: int | None = None) -> bytes:
    """Return a run's stored picture as JPEG; ``quality`` None takes the file as it is.

    Raises:
        NadaError: it is missing or damaged.
    """
    try:
        content = path.read_bytes()
        if quality is not None:
            target = io.BytesIO()
            with Image.open(path) as image:
                image.convert("RGB").save(target, "JPEG", quality=quality, optimize=True)
            content = target.getvalue()
        return content
    except OSError as error:
        raise _unusable(path) from error


def open_picture(path: Path) -> Image.Image:
    """Return a run's stored picture, decoded.

    Raises:
        NadaError: it is missing or damaged.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except OSError as error:
        raise _unusable(path) from error


def _unusable(path: Path) -> NadaError:
    return NadaError(
        f"The picture '{path.name}' of the run '{path.parent.name}' is missing or damaged. Delete the folder runs/{path.parent.name} "
        "and give the same command again."
    )
