"""Refuse target pictures of one flat colour, which would train nothing meaningful."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nada_core.errors import PhotoError

__all__ = ["check_content"]

#: Side at which a picture is judged: as the encoders will see it.
_SIDE = 256
#: Grey levels by which a pixel, and the mean of 4 x 4 pixels, must stand out. Noise of two levels reaches 9 and 2.3, and the mean 2.7 after
#: JPEG; a pencil line two pixels wide that is six levels darker than its paper reaches 6 and 3.4.
_PIXEL, _CELL, _CELL_SIDE = 4.0, 2.5, 4
#: As many must stand out: single ones are noise.
_COUNT = 8
_NAMES: dict[tuple[int, ...], str] = {(255, 255, 255): "white", (0, 0, 0): "black"}


def check_content(picture: Image.Image, name: str) -> None:
    """Refuse a picture of one flat colour, or of nearly one.

    Args:
        picture: RGB, decoded; transparent places are white by then.
        name: of the file, for the message.

    Raises:
        PhotoError: it shows nothing.
    """
    small = picture if picture.size == (_SIDE, _SIDE) else picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    pixels = np.asarray(small.convert("RGB"), dtype=np.float32)
    cells = pixels.reshape(_SIDE // _CELL_SIDE, _CELL_SIDE, _SIDE // _CELL_SIDE, _CELL_SIDE, 3).mean((1, 3))
    if _contrast(pixels) > _PIXEL and _contrast(cells) > _CELL:
        return
    colour = tuple(int(value) for value in np.rint(np.median(pixels, (0, 1))))
    called = _NAMES.get(colour, "RGB {}, {}, {}".format(*colour))
    nearly = "" if (pixels == pixels[0, 0]).all() else "nearly "
    also = ", as empty and wholly transparent pictures are" if called == "white" and not nearly else ""
    raise PhotoError(
        f"{name} is {nearly}one flat colour ({called}){also}: there is nothing in it to learn from. "
        "Use a picture that shows the look you want."
    )


def _contrast(pixels: NDArray[np.float32]) -> float:
    """Return by how many grey levels the places that stand out most differ from the middle one, in brightness or colour."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    channels = (grey, 0.564 * (blue - grey), 0.713 * (red - grey))  # YCbCr
    return max(float(np.sort(np.abs(channel - np.median(channel)), axis=None)[-_COUNT]) for channel in channels)
