"""Open a page by a shared link: fill in what it names, and say kindly what cannot be had. Nothing is started."""

from __future__ import annotations

from typing import Any

import gradio as gr

from nada_core.ui.html.text import message_box
from nada_core.ui.page.share_scripts import LINK_WORDS
from nada_core.ui.page.shared_components import QUIET, Session
from nada_core.ui.server.context import AppContext
from nada_core.ui.shared_link import read_link
from nada_core.ui.style_menu.choices import style_choices

__all__ = ["connect_link"]


def connect_link(context: AppContext, session: Session, known: Any, prompt: gr.Textbox, arrival: gr.HTML) -> Any:
    """Connect what follows `known`, the event after which a page is restored; return the event after which the link is read."""

    def open_link(search: str, owned: list[str]) -> dict[Any, Any]:
        styles = style_choices(context, owned)
        link = read_link(search, style_choices(context, ()))
        update: dict[Any, Any] = {session.linked: link.prompt}
        if link.prompt:
            update[prompt] = link.prompt
        if link.style:
            update[session.style] = gr.update(choices=styles, value=link.style)
        if link.tab:
            update[session.tabs] = gr.Tabs(selected=link.tab)
        if link.refused:
            update[arrival] = message_box(" ".join(link.refused), "info")
        return update

    outputs = [session.linked, prompt, session.style, session.tabs, arrival]
    return known.then(open_link, [session.words, session.owned], outputs, js=LINK_WORDS, concurrency_limit=None, **QUIET)
