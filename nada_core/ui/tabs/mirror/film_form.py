"""Build the part of the Mirror tab that takes a film of up to twenty seconds and shows it in a style."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from nada_core.ui.html.pictures import data_url
from nada_core.ui.html.text import message_box
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.views import Progress
from nada_core.ui.page.shared_components import QUIET, Session, session_of
from nada_core.ui.photo.controls import press_bar, strength_slider
from nada_core.ui.server.context import AppContext
from nada_core.ui.style_menu.choices import style_choices
from nada_core.ui.tabs.mirror.film_work import LONGEST, FilmRequest, run_film

__all__ = ["build_film_part"]

_IDLE = Progress(0, "Ready when you are", note=f"Up to {LONGEST:g} seconds. Sound stays; frames without a face are left alone.")
_OUTLOOK = '<div class="outlook"><b>You, moving, in another look</b><p>Everybody in the film is found and followed.</p></div>'


def build_film_part(context: AppContext, session: Session, place: gr.Tab) -> None:
    """Build it inside the current gr.Accordion and connect it; `place` is the tab around it."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="controls"):
            source = gr.Video(label="Your film", sources=["upload"], elem_id="film-source", height=300)
            style = gr.Dropdown([], label="Style", elem_id="film-style", filterable=True)
            strength = strength_slider("film-strength", info="0 is the film as it is, 1 the full style.")
            start, stop, notice = press_bar("Paint the film", "film-start", "film")
        with gr.Column(scale=7, min_width=300, elem_classes="stage"):
            bar = gr.HTML(progress_bar(_IDLE), elem_id="film-progress")
            frame = gr.HTML(_OUTLOOK, elem_id="film-frame")
            result = gr.Video(label="In its style", interactive=False, visible=False, elem_id="film-result", height=480)
    stopping: dict[str, threading.Event] = {}  # by page

    def film_styles(owned: list[str], chosen: str | None) -> dict[str, Any]:
        if not context.is_open:
            return gr.skip()
        styles = style_choices(context, owned or [])
        names = [value for _, value in styles]
        return gr.update(choices=styles, value=chosen if chosen in names else "joker" if "joker" in names else None)

    def paint_film(request: gr.Request, film: str | None, name: str | None, share: float, owned: list[str]) -> Iterator[dict[Any, Any]]:
        page = session_of(request)
        event = stopping[page] = threading.Event()
        shown = _OUTLOOK
        try:
            with closing(run_film(context, FilmRequest(film, name, float(share), tuple(owned or ())), event)) as views:
                for view in views:
                    if view.frame is not None:
                        shown = f'<img class="film-frame" src="{data_url(view.frame)}" alt="A frame of the film in its style">'
                    words = "Stopping…" if event.is_set() and view.running else "Stop"
                    # all of it every time: of several updates within one frame the page takes the last alone
                    yield {
                        bar: progress_bar(view.progress),
                        frame: "" if view.file else shown,
                        result: gr.update(value=view.file, visible=bool(view.file)),
                        notice: message_box(view.error, "bad") if view.error else "",
                        start: gr.update(interactive=not view.running),
                        stop: gr.update(interactive=view.running and not event.is_set(), value=words),
                    }
        finally:
            if stopping.get(page) is event:
                del stopping[page]

    def stop_film(request: gr.Request) -> dict[str, Any]:
        page = session_of(request)
        if page in stopping:
            stopping[page].set()
        return gr.update(interactive=False, value="Stopping…" if page in stopping else "Stop")

    quiet: dict[str, Any] = {"queue": False, **QUIET}
    source.change(lambda film: gr.update(interactive=bool(film)), [source], [start], **quiet)
    place.select(film_styles, [session.owned, style], [style], **quiet)
    start.click(
        paint_film,
        [source, style, strength, session.owned],
        [bar, frame, result, notice, start, stop],
        concurrency_limit=24,
        concurrency_id="film",
        trigger_mode="once",
        **QUIET,
    )
    stop.click(stop_film, None, [stop], **quiet)
