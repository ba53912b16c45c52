"""Let Gradio's queue look less often for waiting events, and count nothing that nobody reads.

Gradio (6.31) looks a thousand times a second, each time taking Python's lock from whatever computes. After each event it makes a pandas
table of the last ten thousand events and sums it up for its monitoring page, also where that page is switched off, as here: that takes
longer than most handlers, and the longer the more events there were.

Upstream: no issue known.
Remove when the queue is woken by its events, or when the pause between two looks is a setting; and nothing is summed up where monitoring is
switched off.
"""

from __future__ import annotations

import sys
from typing import Any

import gradio as gr

__all__ = ["CalmQueue"]

_SECONDS = 0.02


class CalmQueue(gr.Blocks):
    """Build a page (`gr.Blocks`) whose queue looks for events fifty times a second and keeps no account of those that are over."""

    def queue(self, *values: Any, **options: Any) -> CalmQueue:
        """Make the queue, with the arguments of `gr.Blocks.queue`."""
        super().queue(*values, **options)
        self._queue.sleep_when_free = _SECONDS
        self._queue.ANAYLTICS_CACHE_FREQUENCY = sys.maxsize  # Gradio's spelling: events between two sums
        self._queue.ANALYTICS_MAX_EVENTS = 1
        return self
