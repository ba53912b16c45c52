"""Offer photos to try without one's own: they come with the project and need no network."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.assets.shipped import PORTRAIT
from nada_core.ui.page.shared_components import QUIET
from nada_core.ui.photo.controls import picture_buttons

__all__ = ["EXAMPLES", "build_examples"]

#: File, what it shows, and the square of it that its small picture shows (left, top, side).
EXAMPLES = (
    (PORTRAIT, "The astronaut Eileen Collins", (116, 0, 220)),
    ("generated-14.jpg", "A man who does not exist", (0, 0, 640)),
    ("generated-101.jpg", "A woman who does not exist", (0, 0, 640)),
)
_WORDS = '<p class="quiet">No photo at hand? Try an astronaut, or people who do not exist.</p>'
_FOLDER = Path(__file__).with_name("photos")


def build_examples(photo: gr.Image, touched: gr.Number, prefix: str) -> None:
    """Place small pictures inside the current column; pressing one puts it into ``photo``, as if it had been uploaded.

    ``touched`` is set to the time of the press, in milliseconds.
    """
    from PIL import Image

    pictures = []
    for file, caption, (left, top, side) in EXAMPLES:
        with Image.open(_FOLDER / file) as picture:
            small = picture.convert("RGB").resize((160, 160), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))
            pictures.append((small, caption))
    gr.HTML(_WORDS, elem_id=f"{prefix}examples-words")
    gallery = picture_buttons(pictures, "Photos to try", len(EXAMPLES), f"{prefix}examples", elem_classes="examples")

    def choose_example(event: gr.SelectData) -> Iterator[dict[Any, Any]]:
        if not isinstance(event.index, int) or not 0 <= event.index < len(EXAMPLES):  # not from this page
            yield {gallery: gr.update(selected_index=None)}
            return
        with tempfile.TemporaryDirectory(prefix="nada-example-") as folder:  # Gradio delivers files of temporary folders only
            copy = shutil.copy(_FOLDER / EXAMPLES[event.index][0], folder)
            # not chosen any more, so that the same one can be pressed again
            yield {photo: str(copy), touched: round(time.time() * 1000), gallery: gr.update(selected_index=None)}

    gallery.select(choose_example, None, [photo, touched, gallery], **QUIET, concurrency_limit=8)
