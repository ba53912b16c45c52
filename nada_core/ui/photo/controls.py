"""Build controls that several tabs have: strength of a style, time spent on a face, buttons that begin and end the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import gradio as gr

from nada_core.ui.html.text import message_box
from nada_core.ui.jobs.views import WorkView
from nada_core.ui.photo.time_estimate import MODES
from nada_core.ui.requests import MAX_SHOWN

__all__ = ["likeness_radio", "picture_buttons", "press_bar", "show_press", "size_choices", "strength_slider"]


def strength_slider(elem_id: str, **options: Any) -> gr.Slider:
    """Return the slider of a style's strength: 0 shows nothing of it, 1 as it was made. ``options`` go to `gr.Slider`."""
    return gr.Slider(0, MAX_SHOWN, 1.0, step=0.05, label="Strength", elem_id=elem_id, **options)


def likeness_radio(elem_id: str) -> gr.Radio:
    """Return the choice of how long a face is worked on; :func:`.time_estimate.mode_choices` adds what each takes."""
    words = "Longer work, closer likeness. The times are estimates."
    return gr.Radio(MODES, value="balanced", label="Likeness", info=words, elem_id=elem_id)


def size_choices(sizes: Sequence[int]) -> list[tuple[str, int]]:
    """Return (label, side in pixels) pairs to choose from, in the generator's order: smallest first."""
    return [(f"{side} px", side) for side in sizes]


class PressBar(Protocol):
    """Describe a tab that has what :func:`press_bar` returns."""

    @property
    def start(self) -> gr.Button:
        """Return the button that begins the work."""
        ...

    @property
    def stop(self) -> gr.Button:
        """Return the one that stops it."""
        ...

    @property
    def notice(self) -> gr.HTML:
        """Return the place for what went wrong."""
        ...


def press_bar(word: str, start_id: str, prefix: str) -> tuple[gr.Button, gr.Button, gr.HTML]:
    """Return the button that begins, the one that stops, and their notice, at the lower edge of the window."""
    with gr.Column(elem_classes="act"):
        with gr.Row(elem_classes="actions"):
            start = gr.Button(word, variant="primary", interactive=False, scale=3, min_width=140, elem_id=start_id)
            stop = gr.Button("Stop", interactive=False, scale=1, min_width=80, elem_id=f"{prefix}-stop", elem_classes="halt")
        notice = gr.HTML("", elem_id=f"{prefix}-notice")
    return start, stop, notice


def show_press(tab: PressBar, view: WorkView) -> dict[Any, Any]:
    """Return updates of a tab's :func:`press_bar` where work begins or ends with a view."""
    busy = view.running
    words = "Working…" if busy else "Continue" if view.goes_on else tab.start.value
    return {
        tab.start: gr.update(interactive=not busy, value=words),
        tab.stop: gr.update(interactive=busy),
        tab.notice: message_box(view.error, "bad") if view.error else "",
    }


def picture_buttons(pictures: Sequence[Any] | None, label: str, columns: int, elem_id: str, **options: Any) -> gr.Gallery:
    """Return a gallery of pictures to press. ``label`` is for screen readers; ``options`` go to `gr.Gallery`."""
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
