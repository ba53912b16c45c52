"""Hand an uploaded photo on as it came, so that the project's own decoder is the only one that opens it.

Gradio (6.31) opens the file of a `gr.Image` with Pillow before any handler runs, and answers a text file named .jpg with a bare "Error". A
data URL, which can come over HTTP, also passes by `max_file_size`.

Upstream: gradio-app/gradio issue 6489 is the same failure with an SVG file.
Remove when `gr.Image(type="filepath")` opens no file and the limit holds for data URLs.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from abc import ABCMeta
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from nada_core.errors import PhotoError

__all__ = ["MAX_UPLOAD", "data_url_bytes", "unopened"]

MAX_UPLOAD = 25 * 2**20  # bytes


def unopened(**options: Any) -> gr.Image:
    """Return a `gr.Image` that hands its file on as it came; ``options`` are its other ones."""
    return _unopened_class()(type="filepath", image_mode=None, **options)


@cache
def _unopened_class() -> type[gr.Image]:
    """Return a class of its own, from which Gradio can make a session's components anew when they are updated.

    Made past Gradio's metaclass, which would write a stub file into the sources.
    """
    attributes = {"preprocess": _preprocess, "is_template": True, "__module__": __name__}
    return ABCMeta.__new__(type(gr.Image), "UnopenedImage", (gr.Image,), attributes)


def _preprocess(box: gr.Image, payload: Any) -> str | None:
    if payload is None:
        return None
    if payload.url and payload.url.startswith("data:"):  # possible over HTTP, and past the upload limit
        try:
            content = data_url_bytes(payload.url)
        except PhotoError as error:
            raise gr.Error(str(error), print_exception=False) from None
        folder = Path(box.GRADIO_CACHE) / secrets.token_hex(20)
        folder.mkdir(parents=True)
        path = folder / "photo"
        path.write_bytes(content)
        app = LocalContext.blocks.get(None)
        (box.temp_files if app is None else app.upload_file_set).add(str(path))  # so that Gradio deletes it like an upload
        return str(path)
    return payload.path


def data_url_bytes(url: str) -> bytes:
    """Decode a base64 `data:` URL. Raises PhotoError when it is too large or not base64."""
    if len(url) > MAX_UPLOAD * 4 // 3 + 200:
        raise PhotoError(f"The picture is larger than {MAX_UPLOAD // 2**20} MB. Send a smaller one.")
    head, _, body = url.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        raise PhotoError("The picture could not be read from the request: it is not base64. Upload it as a file.") from None
