"""A page that is loaded again: the photo, the choices and the work in hand come back. Gradio itself reloads one whose connection broke."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from .compare_layout import CompareTab
from .compare_tab import asked_for_comparison
from .context import AppContext
from .edit_run import style_choices
from .pages import read_page_words
from .photo_faces import shown_again
from .scripts import PAGE_WORDS, shown_tab
from .session import Session
from .stylise_tab import StyliseTab, asked_for

__all__ = ["connect_return"]

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def connect_return(
    context: AppContext, session: Session, arrived: Any, worn: StyliseTab, compared: CompareTab, places: dict[str, gr.Tab]
) -> Any:
    """Connect what follows `arrived`, the event of the page's arrival; returns the event after which the page is known.

    `places` are the tabs by their ids.
    """
    for name, place in places.items():
        place.select(None, None, None, js=shown_tab(name))

    def return_page(words: str) -> Iterator[dict[Any, Any]]:
        key, place = read_page_words(words)
        update: dict[Any, Any] = {session.page: key}
        if place not in ("", "adapt"):
            update[session.tabs] = gr.Tabs(selected=place)
        left = context.pages.recall(key)
        if left is None or not context.is_open:
            yield update
            return
        with tempfile.TemporaryDirectory(prefix="nada-photo-") as folder:  # Gradio takes its own copy when the value is delivered
            again = shown_again(context, left.photo, Path(folder))
            if again is not None:
                path, view = again
                for steps in (worn.steps, compared.steps):
                    update |= steps.restored(view, str(path), left.face, left.points) if steps is not None else {}
            if left.edit is not None:
                update |= asked_for(worn, left.edit, style_choices(context, left.edit.owned))
                if again is not None and left.edit.everyone:
                    update[worn.everyone] |= {"value": True}
            if left.comparison is not None:
                update |= asked_for_comparison(compared, left.comparison, style_choices(context, left.comparison.owned))
            yield update

    steps = [steps for steps in (worn.steps, compared.steps) if steps is not None]
    wearing = [worn.style, worn.strength, worn.shape, worn.texture, worn.colour, worn.share, worn.mode, worn.paste, worn.blend]
    outputs = {
        session.page,
        session.tabs,
        *(output for one in steps for output in one.outputs),
        *wearing,
        worn.resolution,
        compared.strength,
        compared.mode,
        compared.styles,
        compared.offered,
    }
    known = arrived.then(return_page, [session.words], list(outputs), js=PAGE_WORDS, concurrency_limit=None, **_QUIET)
    for tab in (worn, compared):
        known.then(tab.resume, [session.page], tab.outputs, concurrency_limit=None, **_QUIET)
    return known
