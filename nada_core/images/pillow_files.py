"""Find the file behind a picture that Pillow has opened: it says more of the picture than Pillow hands on.

Pillow (12.3) keeps neither an AVIF's code points nor a PNG's cICP chunk, and gives up where a JPEG lacks its end mark.
"""

from __future__ import annotations

import contextlib
import os
from typing import IO, Any

from PIL import Image, ImageFile

from nada_core.images import png_file
from nada_core.images.isobmff import read_media

__all__ = ["coded_colours", "file_behind"]

_READ_HERE = frozenset({"JPEG", "MPO", "PNG", "WEBP", "AVIF", "HEIF"})


def file_behind(image: Image.Image, most: int) -> bytes | None:
    """Return the whole file of a picture that was opened and not touched since: its pixels are still in the file and nowhere else.

    Args:
        image: the caller's; it stays as it is, and so does the place in its stream.
        most: bytes; a larger file is left alone.

    Returns:
        None where pixels were decoded (they may have been painted on), another frame or a smaller size was chosen, or no file is left.
    """
    if not isinstance(image, ImageFile.ImageFile) or image.format not in _READ_HERE:
        return None
    if getattr(image, "_im", None) is not None or image.decoderconfig or image.tell():
        return None
    return _by_stream(image, most) or _by_name(image, most)


def coded_colours(image: Image.Image, most: int) -> dict[Any, Any]:
    """Return what the file behind an opened picture adds to its ``info``: the code points of its colours; nothing without a file.

    The picture may have been painted on: only what the file says of its colours is taken from it.
    """
    if not isinstance(image, ImageFile.ImageFile) or image.format not in ("AVIF", "PNG"):
        return {}
    data = _by_name(image, most) or _by_stream(image, most) or b""
    if (media := read_media(data)) is not None and media.nclx is not None:
        return {"nclx_profile": {"color_primaries": media.nclx[0], "transfer_characteristics": media.nclx[1]}}
    with contextlib.suppress(ValueError):  # damaged: for the decoder to find
        if data.startswith(png_file.SIGNATURE) and (cicp := png_file.read_png(data).cicp):
            return {"cicp": cicp}
    return {}


def _by_stream(image: ImageFile.ImageFile, most: int) -> bytes | None:
    with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
        if image.fp is not None:
            place = image.fp.tell()
            image.fp.seek(0)
            try:
                return _whole(image.fp, most)
            finally:
                image.fp.seek(place)
    return None


def _by_name(image: ImageFile.ImageFile, most: int) -> bytes | None:
    with contextlib.suppress(OSError, ValueError):
        if image.filename and os.path.isfile(image.filename):
            with open(image.filename, "rb") as stream:
                return _whole(stream, most)
    return None


def _whole(stream: IO[bytes], most: int) -> bytes | None:
    data = stream.read(most + 1)
    return data if 0 < len(data) <= most else None
