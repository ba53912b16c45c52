"""Restore a page after a reload: its photo, its choices and its running work. Gradio itself reloads one whose connection broke."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.ui.page.scripts import PAGE_WORDS, shown_tab
from nada_core.ui.page.shared_components import QUIET, Session
from nada_core.ui.photo.faces import send_back
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.pages import read_page_words
from nada_core.ui.style_menu.choices import style_choices
from nada_core.ui.tabs.compare.layout import CompareTab
from nada_core.ui.tabs.compare.tab import restore_comparison
from nada_core.ui.tabs.stylise.asked import restore_request
from nada_core.ui.tabs.stylise.layout import StyliseTab

__all__ = ["connect_return"]


def connect_return(
    context: AppContext, session: Session, arrived: Any, worn: StyliseTab, compared: CompareTab, places: dict[str, gr.Tab]
) -> Any:
    """Connect what follows `arrived`, the event of the page's arrival; return the event after which the page is known.

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
                update |= restore_request(worn, left.edit, style_choices(context, left.edit.owned), context.open()[1].sizes)
            if left.comparison is not None:
                update |= restore_comparison(compared, left.comparison, style_choices(context, left.comparison.owned))
            yield update

    outputs = {
        session.page,
        session.tabs,
        *worn.steps.outputs,
        *compared.steps.outputs,
        *worn.choices,
        compared.strength,
        compared.mode,
        compared.styles,
        compared.offered,
    }
    known = arrived.then(return_page, [session.words], list(outputs), js=PAGE_WORDS, concurrency_limit=None, **QUIET)
    for tab in (worn, compared):
        known.then(tab.resume, [session.page], tab.outputs, concurrency_limit=None, **QUIET)
    return known
