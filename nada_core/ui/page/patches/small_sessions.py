"""Reduce the memory of a page's sessions by leaving out the descriptions of its components.

Gradio (6.31) keeps a description of every component in every session, half a megabyte each, until 256 pages later. Nothing but links into
a page's state would read it, and this page has none: the copies of the page's components that sessions get do not describe them again.

Upstream: gradio-app/gradio issue 11602 is about memory for each session; the descriptions stayed when it was closed.
Remove when a new `SessionState` holds no `config_values` of components that nobody has changed.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.blocks import BlocksConfig

__all__ = ["SmallSessions"]


class _Config(BlocksConfig):
    """Hold the page's components; its copies, one a session, do not describe them again."""

    def __copy__(self) -> BlocksConfig:
        copied = super().__copy__()
        copied.config_for_block = lambda *_: {}
        return copied


class SmallSessions(gr.Blocks):
    """Build a page (`gr.Blocks`) whose sessions hold no descriptions of its components."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # makes a configuration that nothing is in yet: this one takes its place
        small = _Config(self)
        vars(small).update(vars(self.default_config))
        self.default_config = small
