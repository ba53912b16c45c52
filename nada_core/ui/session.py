"""What the tabs share on one page: ids only, never models or pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from .context import AppContext
from .shelf import new_id

__all__ = ["Session", "build_session", "read_memory", "write_memory"]

_HOURS = 2 * 3600
_REMEMBERED = 12


@dataclass(frozen=True)
class Session:
    """Components that more than one tab reads or writes."""

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
    tabs: gr.Tabs


def write_memory(browser: str, jobs: list[str]) -> dict[str, Any]:
    """What a browser is given to keep: its own id and those of its newest jobs (a job's style has the same id)."""
    return {"browser": browser, "jobs": jobs[-_REMEMBERED:]}


def read_memory(value: Any) -> tuple[str, list[str]]:
    """(browser id, job ids, oldest first) from what a browser sent; a fresh browser id when it sent none. Anything may have been sent."""
    value = value if isinstance(value, dict) else {}
    browser, jobs = value.get("browser"), value.get("jobs")
    known = [job[:64] for job in jobs if isinstance(job, str)] if isinstance(jobs, list) else []
    return browser[:64] if isinstance(browser, str) and browser else new_id(), known[-_REMEMBERED:]


def build_session(context: AppContext, tabs: gr.Tabs) -> Session:
    """Create them inside the current gr.Blocks. Unsaved styles and photos do not go with the page: it may come back, see their shelves."""
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
        tabs=tabs,
    )
