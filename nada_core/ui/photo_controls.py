"""Controls that more than one tab has: how strong a style is, how long a face is worked on, the buttons that begin and end the work."""

from __future__ import annotations

from typing import Any

import gradio as gr

from .adapt_run import MAX_SHOWN
from .press_time import MODES
from .text import message_box

__all__ = ["likeness_radio", "press_bar", "show_press", "strength_slider"]


def strength_slider(elem_id: str, **options: Any) -> gr.Slider:
    """How much of a style is shown: 0 nothing of it, 1 as it was made. ``options`` are further ones of `gr.Slider`."""
    return gr.Slider(0, MAX_SHOWN, 1.0, step=0.05, label="Strength", elem_id=elem_id, **options)


def likeness_radio(elem_id: str) -> gr.Radio:
    """How long a face is worked on; :func:`.press_time.mode_choices` writes what each takes."""
    words = "Longer work, closer likeness. The times are estimates."
    return gr.Radio(MODES, value="balanced", label="Likeness", info=words, elem_id=elem_id)


def press_bar(word: str, start_id: str, prefix: str) -> tuple[gr.Button, gr.Button, gr.HTML]:
    """The button that begins, the one that stops, and what they have to say, at the lower edge of the window."""
    with gr.Column(elem_classes="act"):
        with gr.Row(elem_classes="actions"):
            start = gr.Button(word, variant="primary", interactive=False, scale=3, min_width=140, elem_id=start_id)
            stop = gr.Button("Stop", interactive=False, scale=1, min_width=80, elem_id=f"{prefix}-stop")
        notice = gr.HTML("", elem_id=f"{prefix}-notice")
    return start, stop, notice


def show_press(tab: Any, view: Any) -> dict[Any, Any]:
    """Updates of a tab's :func:`press_bar` where work begins or ends with a view (of ``phase`` and ``error``)."""
    busy = view.phase in ("wait", "run")
    return {
        tab.start: gr.update(interactive=not busy, value="Working…" if busy else tab.start.value),
        tab.stop: gr.update(interactive=busy),
        tab.notice: message_box(view.error, "bad") if view.error else "",
    }
