"""WebP files that lack their end."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from nada_core.errors import PhotoError
from nada_core.images.image_io import decode_photo
from tests.images.test_jpeg_file import _photo

KINDS = {"lossy": {"quality": 85}, "lossless": {"lossless": True}, "transparent": {"quality": 85}, "odd": {"quality": 71}}


def _webp(kind: str) -> bytes:
    photo = _photo(333, 222) if kind == "odd" else _photo(320, 240)
    if kind == "transparent":
        photo.putalpha(Image.new("L", photo.size, 255))
    buffer = io.BytesIO()
    photo.save(buffer, "WEBP", **KINDS[kind], xmp=b"")
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_end_is_no_reason_to_refuse(kind: str) -> None:
    data = _webp(kind)
    whole = np.asarray(decode_photo(data), dtype=int)
    for lost in (*range(1, 40), 200, len(data) // 50):
        read = np.asarray(decode_photo(data[:-lost]), dtype=int)
        assert (np.abs(whole - read).max(-1) > 40).mean() < (0.01 if lost < 40 else 0.06)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_a_lost_part_is_named(kind: str, share: float) -> None:
    data = _webp(kind)
    with pytest.raises(PhotoError, match="damaged"):
        decode_photo(data[: int(len(data) * share)])
