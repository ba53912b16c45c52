"""The photo box: hands the uploaded file on as it is, so that the project's own decoder is the only one that opens it."""

from __future__ import annotations

import base64
import binascii
import secrets
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import PhotoError

__all__ = ["MAX_UPLOAD", "data_url_bytes", "unopened"]

MAX_UPLOAD = 25 * 2**20  # bytes


def unopened(box: gr.Image) -> gr.Image:
    """Make `box` hand its file on as it came, and return it.

    gr.Image opens the file with Pillow before any handler runs, and answers a text file named .jpg with a bare "Error". (An override on
    the instance, because Gradio writes a stub file into the sources for every component class it sees.)
    """

    def preprocess(payload: Any) -> str | None:
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
            return str(path)
        return payload.path

    box.preprocess = preprocess  # type: ignore[method-assign]
    return box


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
