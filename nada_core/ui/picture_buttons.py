"""Small pictures to press: a gallery that chooses, and neither opens nor offers its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

__all__ = ["picture_buttons"]


def picture_buttons(pictures: Sequence[Any] | None, label: str, columns: int, elem_id: str, **options: Any) -> gr.Gallery:
    """The gallery. ``label`` is for those who listen; ``options`` are further ones of `gr.Gallery`."""
    return gr.Gallery(
        pictures,
        label=label,
        show_label=False,
        columns=columns,
        elem_id=elem_id,
        interactive=False,
        allow_preview=False,
        object_fit="cover",
        format="jpeg",
        buttons=[],
        **options,
    )
