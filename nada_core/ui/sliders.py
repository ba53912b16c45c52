"""Sliders that more than one tab has."""

from __future__ import annotations

from typing import Any

import gradio as gr

from .adapt_run import MAX_SHOWN

__all__ = ["strength_slider"]


def strength_slider(elem_id: str, **options: Any) -> gr.Slider:
    """How much of a style is shown: 0 nothing of it, 1 as it was made. ``options`` are further ones of `gr.Slider`."""
    return gr.Slider(0, MAX_SHOWN, 1.0, step=0.05, label="Strength", elem_id=elem_id, **options)
