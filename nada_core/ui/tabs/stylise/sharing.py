"""Connect what is done with a result besides downloads: copies of the picture and of a link, and the last results."""

from __future__ import annotations

from typing import Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.ui.page.share_scripts import COPY_PICTURE, COPY_STYLE_LINK
from nada_core.ui.page.shared_components import QUIET
from nada_core.ui.page.zoom_script import LOOK_CLOSER
from nada_core.ui.photo.group import mosaic
from nada_core.ui.requests import EditRequest
from nada_core.ui.server.context import AppContext
from nada_core.ui.style_menu.choices import style_choices
from nada_core.ui.tabs.stylise.history import PastLook, captioned, with_look
from nada_core.ui.tabs.stylise.layout import StyliseTab

__all__ = ["connect_sharing", "noted"]


def connect_sharing(context: AppContext, tab: StyliseTab) -> None:
    """Connect the two copies, which are the browser's alone, and note every result that is shown."""
    tab.zoom.click(None, None, None, js=LOOK_CLOSER)
    tab.copy.click(None, None, [tab.taking], js=COPY_PICTURE)
    tab.link.click(None, [tab.style], [tab.taking], js=COPY_STYLE_LINK)

    def note_result(past: tuple[PastLook, ...], shown: EditRequest | None) -> dict[Any, Any]:
        now = noted(context, past, shown)
        if now == past:
            return {tab.past: gr.skip()}
        # from the second on: one alone is on show
        return {tab.past: now, tab.history: gr.update(value=captioned(now), visible=len(now) > 1, selected_index=None)}

    tab.pair.change(note_result, [tab.past, tab.on_show], [tab.past, tab.history], concurrency_limit=8, trigger_mode="always_last", **QUIET)


def noted(context: AppContext, past: tuple[PastLook, ...], shown: EditRequest | None) -> tuple[PastLook, ...]:
    """Return the last results with the one on show among them; unchanged where there is none, or its photo is gone."""
    if shown is None:
        return past
    try:
        rendered = context.photos.get(shown.photo).rendered
    except NadaError:
        return past
    if rendered is None:
        return past
    titles = {value: title for title, value in style_choices(context, shown.owned)}
    styles = [shown.style, shown.blend if shown.blend != shown.style and shown.share else None]
    title = " and ".join(titles.get(style, "A style that is gone") for style in styles if style)
    return with_look(past, shown, title, mosaic([face.edited for face in rendered.faces]))
