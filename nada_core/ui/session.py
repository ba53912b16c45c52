"""What the tabs share on one page: ids only, never models or pictures."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from .context import AppContext

__all__ = ["SHOW_STAGE", "Session", "build_session"]

_HOURS = 2 * 3600
# On a phone the result is below the fold: bring it into view when the work starts. The arguments pass through unchanged.
SHOW_STAGE = """(...values) => {{ if (window.innerWidth <= 760) {{
  document.querySelector('{}').scrollIntoView({{ behavior: 'smooth', block: 'start' }}); }} return values; }}"""


@dataclass(frozen=True)
class Session:
    """Components that more than one tab reads or writes."""

    owned: gr.State  # ids of the unsaved styles made on this page
    current: gr.State  # id of the newest of them
    job: gr.State  # id of the running adaptation, for Stop
    style: gr.Dropdown  # rendered by the Stylise tab
    tabs: gr.Tabs


def build_session(context: AppContext, tabs: gr.Tabs) -> Session:
    """Create them inside the current gr.Blocks. When the page is gone its unsaved styles leave the shelf."""
    return Session(
        owned=gr.State([], time_to_live=_HOURS, delete_callback=context.shelf.discard),
        current=gr.State(""),
        job=gr.State(""),
        style=gr.Dropdown([], label="Style", render=False, elem_id="style", filterable=True, allow_custom_value=False),
        tabs=tabs,
    )
