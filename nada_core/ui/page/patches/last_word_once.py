"""Send the last answer of a handler that yields only once; Gradio sends it again when the handler is over.

When a generator ends, Gradio (6.31) sends its last answer a second time, as the answer of the whole event. On a busy machine this comes
seconds later, over what the person did in between: a photo that was taken away came back, a style pressed was marked no longer. What the
page's own handlers said is already there, so here the end says nothing. The public API's clients wait for that answer and get it. So does
a page that arrives: what it is told first meets components that are still being drawn, and what is lost there comes once more.

Upstream: no issue known.
Remove when the end of a generator's event carries no values for the page (test_last_word_once counts them).
"""

from __future__ import annotations

from typing import Any

import gradio as gr

__all__ = ["ARRIVAL", "LastWordOnce"]

#: Names of the handlers of a page's arrival.
ARRIVAL = frozenset({"arrive", "return_page", "resume", "resume_edit", "resume_comparison"})


class LastWordOnce(gr.Blocks):
    """Build a page (`gr.Blocks`) whose own generators say nothing when they are over."""

    def handle_streaming_diffs(
        self, block_fn: Any, data: list[Any], session_hash: str | None, run: str | None, final: bool, simple_format: bool = False
    ) -> list[Any]:
        """Return what Gradio returns: the values to send for each of the event's outputs; at the end, of a handler of the page, none."""
        said = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, simple_format)
        once = block_fn.api_visibility == "private" and getattr(block_fn.fn, "__name__", "") not in ARRIVAL
        return [gr.skip() for _ in said] if final and once else said
