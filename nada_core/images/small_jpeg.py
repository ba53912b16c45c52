"""Encode small pictures for pages as JPEG."""

from __future__ import annotations

import io

from PIL import Image

__all__ = ["small_jpeg"]


def small_jpeg(picture: Image.Image, side: int | None = None, quality: int = 90) -> bytes:
    """Return a picture as JPEG; ``side``: made a square of so many pixels first."""
    target = io.BytesIO()
    shown = picture.convert("RGB")
    (shown if side is None else shown.resize((side, side), reducing_gap=2.0)).save(target, "JPEG", quality=quality)
    return target.getvalue()
