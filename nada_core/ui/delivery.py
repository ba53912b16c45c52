"""A finished file on its way to the browser's downloads."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import NadaError
from .refusals import refusal

__all__ = ["delivered"]


def delivered(write: Callable[[Path], Path], button: gr.DownloadButton, title: str) -> Iterator[dict[Any, Any]]:
    """Put what `write` makes in a folder into the hidden download button; `title` names it where that fails.

    Raises:
        gr.Error: it could not be made; the sentence says why.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="nada-download-") as folder:  # Gradio copies the file when it is delivered
            yield {button: str(write(Path(folder)))}
    except NadaError as error:
        raise refusal(error, f"{title}: not downloaded") from None
