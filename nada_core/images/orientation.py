"""Tell how a picture has to be turned to stand upright."""

from __future__ import annotations

from PIL import Image

__all__ = ["turn_of"]

_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return what turns a picture upright by its EXIF orientation; None where it stands so. Its pixels must be loaded.

    Pillow turns a TIFF while it loads the pixels, and forgets the orientation then: read before, it would turn the picture twice.
    """
    return _TURNS.get(_orientation(image))


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation. Pillow's `getexif` takes XMP's where there is none, which no browser looks at."""
    data = image.info.get("exif")
    try:
        if data is None:  # in the file of a PNG it may follow the pixels; a picture that was never a file has it elsewhere
            exif = image.getexif()
            return int(exif.get(_TAG, 1)) if "xmp" not in image.info and "XML:com.adobe.xmp" not in image.info else 1
        exif = Image.Exif()
        exif.load(data)
        return int(exif.get(_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF is common and no reason to refuse the pixels
        return 1
