"""Name the files of the mirror's page, in the folder ``web``; needs no torch."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MIRROR_CSS", "PAGE_FILES", "RUNTIME", "WEB", "panel_html"]

WEB = Path(__file__).with_name("web")
#: What the mirror's part of a page needs besides its style sheet.
PAGE_FILES = ("camera.js", "film.js", "marked_png.js", "mirror.js", "network.js", "paint.js", "worker.js")
MIRROR_CSS = WEB / "mirror.css"
#: What runs the network in a browser, as the asset store calls it.
RUNTIME = "onnxruntime-web"


def panel_html() -> str:
    """Return the mirror's part of a page."""
    return (WEB / "panel.html").read_text("utf-8")
