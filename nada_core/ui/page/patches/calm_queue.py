"""Let Gradio's queue look less often for waiting events.

Gradio (6.31) looks a thousand times a second, each time taking Python's lock from whatever computes.

Upstream: no issue known.
Remove when the queue is woken by its events, or when the pause between two looks is a setting.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

__all__ = ["CalmQueue"]

_SECONDS = 0.02


class CalmQueue(gr.Blocks):
    """Build a page (`gr.Blocks`) whose queue looks for events fifty times a second."""

    def queue(self, *values: Any, **options: Any) -> CalmQueue:
        """Make the queue, with the arguments of `gr.Blocks.queue`."""
        super().queue(*values, **options)
        self._queue.sleep_when_free = _SECONDS
        return self
