"""A page that is loaded again: the photo, the choices and the work in hand come back. Gradio itself reloads one whose connection broke."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from .compare_layout import CompareTab
from .compare_tab import choose_again_to_compare
from .context import AppContext
from .edit_run import style_choices
from .pages import read_page_words
from .photo_faces import send_back
from .scripts import PAGE_WORDS, shown_tab
from .session import Session
from .stylise_tab import StyliseTab, choose_again

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
            again = send_back(context, left.photo, Path(folder))
            if again is not None:
                path, view = again
                for tab in (worn, compared):
                    update |= tab.steps.restored(view, str(path), left.face, left.points)
                if left.everyone:
                    update[worn.everyone] |= {"value": True}
            if left.edit is not None:
                update |= choose_again(worn, left.edit, style_choices(context, left.edit.owned), context.open()[1].sizes)
            if left.comparison is not None:
                update |= choose_again_to_compare(compared, left.comparison, style_choices(context, left.comparison.owned))
            yield update

    choices = [worn.style, worn.strength, worn.shape, worn.texture, worn.colour, worn.share, worn.mode, worn.paste, worn.blend]
    outputs = {
        session.page,
        session.tabs,
        *worn.steps.outputs,
        *compared.steps.outputs,
        *choices,
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
