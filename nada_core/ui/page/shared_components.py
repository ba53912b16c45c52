"""Create the components that the tabs share on one page (ids, style menus, browser memory); models and pictures are kept elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.styles import new_id

__all__ = ["QUIET", "Session", "build_session", "read_memory", "session_of", "write_memory"]

#: Keywords of an event of the page itself: no endpoint for other programs, nothing of Gradio's over what it updates. Gradio (6.31) copies
#: all properties of every component that shows progress at each change of an event's state, half of the browser's work; here none does.
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "show_progress_on": []}
_HOURS = 2 * 3600
_REMEMBERED = 12


@dataclass(frozen=True)
class Session:
    """Hold the components that more than one tab reads or writes."""

    owned: gr.State  # ids of the unsaved styles made on this page
    current: gr.State  # id of the newest of them
    job: gr.State  # id of the running adaptation, for Stop
    browser: gr.State  # id of the browser, the same on all of its pages
    memory: gr.BrowserState  # what the browser keeps for its next page: see write_memory
    style: gr.Dropdown  # rendered by the Stylise tab
    blend: gr.Dropdown  # the same list, for a second style
    photo: gr.State  # id of the photo that was uploaded on this page
    face: gr.State  # which of its faces
    points: gr.State  # or the clicked eyes and mouth, in pixels of the photo
    page: gr.State  # key of this page in its browser's tab, which a reload keeps: see pages.PageMemory
    words: gr.Textbox  # what the page says of itself when it is loaded; never shown
    linked: gr.State  # the prompt of the link that the page came by
    tabs: gr.Tabs


def session_of(request: gr.Request) -> str:
    """Return Gradio's own id of the page that asks; empty where it has none."""
    return str(getattr(request, "session_hash", "") or "")


def write_memory(browser: str, jobs: list[str]) -> dict[str, Any]:
    """Return what a browser is given to keep: its own id and those of its newest jobs (a job's style has the same id)."""
    return {"browser": browser, "jobs": jobs[-_REMEMBERED:]}


def read_memory(value: Any) -> tuple[str, list[str]]:
    """Read (browser id, job ids, oldest first) from what a browser sent, be it anything; a fresh browser id when it sent none."""
    value = value if isinstance(value, dict) else {}
    browser, jobs = value.get("browser"), value.get("jobs")
    known = [job[:64] for job in jobs if isinstance(job, str)] if isinstance(jobs, list) else []
    return browser[:64] if isinstance(browser, str) and browser else new_id(), known[-_REMEMBERED:]


def build_session(context: AppContext, tabs: gr.Tabs) -> Session:
    """Create the shared components in the current gr.Blocks. Unsaved styles and photos outlive the page (see their shelves)."""
    return Session(
        owned=gr.State([], time_to_live=_HOURS),
        current=gr.State(""),
        job=gr.State(""),
        browser=gr.State(""),
        # both fixed, or a restart of the server would make the browser's memory unreadable; the ids in it are the secrets
        memory=gr.BrowserState(None, storage_key="nada-demo", secret="nada-demo-memory"),
        style=gr.Dropdown([], label="Style", render=False, elem_id="style", filterable=True, allow_custom_value=False),
        blend=gr.Dropdown([], label="Second style", render=False, elem_id="blend", filterable=True, allow_custom_value=False),
        photo=gr.State("", time_to_live=_HOURS),
        face=gr.State(0),
        points=gr.State([]),
        page=gr.State(""),
        words=gr.Textbox(visible=False),
        linked=gr.State(""),
        tabs=tabs,
    )
