"""What was not done, as the note that Gradio shows over the page."""

from __future__ import annotations

import gradio as gr

from .text import coded

__all__ = ["refusal"]


def refusal(error: Exception | str, title: str, seconds: float = 10) -> gr.Error:
    """To be raised: the sentence, shown for so long, and no line in the server's log. Gradio 6.31 does not show the `title`."""
    return gr.Error(coded(str(error)), title=title, duration=seconds, print_exception=False)
