"""Turn pictures into addresses for HTML: links to thumbnails, and data URLs for pictures of a visitor's own photo."""

from __future__ import annotations

import base64
from pathlib import Path

__all__ = ["PICTURES", "data_url", "picture_url"]

PICTURES = "pictures"  # where the app serves its thumbnails, see ui/app.py


def picture_url(file: Path) -> str:
    """Return the address of a kept thumbnail. Relative to the page, which may be served below a path of a proxy."""
    return f"{PICTURES}/{file.name}"


def data_url(jpeg: bytes) -> str:
    """Return the picture itself as an address: for what is made from a visitor's photo, which no other page can ask for then."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
