"""A picture is turned once, whether Pillow turns it while loading or not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from nada_core.images.image_io import decode_photo


def _picture() -> Image.Image:
    picture = Image.new("RGB", (100, 80), (200, 120, 90))
    picture.paste((0, 0, 255), (0, 0, 50, 40))
    picture.paste((0, 90, 0), (0, 0, 20, 10))
    return picture


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP"])
@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_turned_once(kind: str, orientation: int, loaded: bool, named: bool, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = tmp_path / "photo" if named else io.BytesIO()
    _picture().save(source, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    plain = _picture()
    plain.getexif()[0x0112] = orientation
    image = Image.open(source)
    if loaded:
        image.load()
    assert np.array_equal(decode_photo(image), ImageOps.exif_transpose(plain))
