"""The Stylise tab: a photo and a style on the left, before and after on the right."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from .context import AppContext, close_iterator
from .edit_run import EditRequest, EditView, run_edit
from .photo_input import unopened
from .session import SHOW_STAGE, Session
from .text import message_box
from .widgets import identity_panel, progress

__all__ = ["build_stylise_tab"]

_IDLE = progress(0, "Ready for a photo", "", note="One face, looking roughly at the camera, works best.")
_LARGEST = [("Largest", 0)]


def build_stylise_tab(context: AppContext, session: Session) -> None:
    """Build the tab inside the current gr.Tab and connect it."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="controls"):
            photo = unopened(
                gr.Image(
                    label="Your photo",
                    sources=["upload", "webcam", "clipboard"],
                    type="filepath",
                    image_mode=None,
                    format="png",
                    height=300,
                    elem_id="photo",
                    webcam_options=gr.WebcamOptions(mirror=True),
                    buttons=[],
                    placeholder="Drop a photo here, or press to choose one",
                )
            )
            face = gr.Radio(_LARGEST, value=0, label="Which face", visible=False, elem_id="face")
            session.style.render()
            strength = gr.Slider(
                0, 1.5, 1.0, step=0.05, label="Strength", info="0 keeps the person as they are, 1 is the full style.", elem_id="strength"
            )
            start = gr.Button("Stylise", variant="primary", elem_id="stylise")
            notice = gr.HTML("", elem_id="edit-notice")
            with gr.Accordion("Settings", open=False, elem_id="edit-settings"):
                resolution = gr.Radio([("Quick, 256 px", 256), ("Fine, 1024 px (slower)", 1024)], value=256, label="Picture size")
        with gr.Column(scale=7, min_width=300, elem_classes="stage"):
            bar = gr.HTML(_IDLE, elem_id="edit-progress")
            with gr.Row(elem_classes="result"):
                pair = gr.ImageSlider(
                    label="Before and after: drag the handle",
                    interactive=False,
                    type="filepath",
                    format="png",
                    elem_id="pair",
                    buttons=["fullscreen"],
                    max_height=560,
                )
                with gr.Column(min_width=120, elem_classes="result-side"):
                    inverted = gr.Image(
                        label="Rebuilt",
                        interactive=False,
                        type="filepath",
                        format="png",
                        buttons=["fullscreen"],
                        elem_id="inverted",
                        elem_classes="face",
                        alt_text="The photo as the generator rebuilds it before the style",
                        min_width=100,
                    )
                    identity = gr.HTML(identity_panel(empty=True), elem_id="identity")
                    download = gr.DownloadButton("Download PNG", interactive=False, elem_id="download-png")

    def show(view: EditView, turned: bool) -> dict[Any, Any]:
        update: dict[Any, Any] = {bar: view.progress}
        if turned:
            busy = view.phase in ("wait", "run")
            update[start] = gr.update(interactive=not busy, value="Working…" if busy else "Stylise")
            update[notice] = message_box(view.error, "bad") if view.error else ""
        if view.inverted is not None:
            update[inverted] = view.inverted
        if view.phase == "done":
            update |= {
                pair: view.pair,
                identity: view.identity,
                download: gr.update(value=view.download, interactive=True),
            }
        if view.faces is not None and view.faces > 1:
            names = [(f"Face {i + 1}" + (" (largest)" if i == 0 else ""), i) for i in range(view.faces)]
            update[face] = gr.update(choices=names, visible=True)
        return update

    def edit(path: str | None, name: str | None, amount: float, which: int | None, size: int, owned: list[str]) -> Iterator[dict[Any, Any]]:
        views = run_edit(context, EditRequest(path, name, float(amount), int(which or 0), int(size), tuple(owned)))
        failed, busy = "", False
        try:
            for view in views:
                now = view.phase in ("wait", "run")
                failed, turned, busy = view.error, now != busy or bool(view.error), now
                yield show(view, turned)
        finally:
            close_iterator(views)
        if failed:
            raise gr.Error(escape(failed), title="Not stylised", duration=6, print_exception=False)

    start.click(
        edit,
        [photo, session.style, strength, face, resolution, session.owned],
        [bar, start, notice, pair, inverted, identity, download, face],
        api_name="edit",
        api_visibility="undocumented",
        show_progress="hidden",
        concurrency_limit=8,
        concurrency_id="edit",
        trigger_mode="once",
        js=SHOW_STAGE.format("#edit-progress"),
    )
    photo.input(
        lambda: gr.update(choices=_LARGEST, value=0, visible=False),
        None,
        [face],
        queue=False,
        api_visibility="private",
        show_progress="hidden",
    )
