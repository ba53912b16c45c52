"""Build the form at the foot of the page in which a private server's owner switches to another world (set of networks)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.ui.html.text import message_box
from nada_core.ui.page.replies import refusal
from nada_core.ui.page.shared_components import QUIET
from nada_core.ui.server.change_world import BASES, ENCODERS, FROM_FILE, WORLDS, change_world, in_use, read_wish
from nada_core.ui.server.context import AppContext, EngineFacts

__all__ = ["WorldForm", "build_world_form"]

_EXAMPLE = "/models/mine.pkl"
_LOADING = message_box("Loading the networks: up to a minute. The page reloads by itself when they are ready.")
_NOTE = (
    '<p class="quiet">It changes for everybody who uses this server, until the server is started again. Nothing is downloaded from the '
    "Hub from here, and the old networks stay until the new ones are ready.</p>"
)


@dataclass(frozen=True)
class WorldForm:
    """Hold what the layout needs of the form: `fit` makes the updates of `fitted` that show what is in use."""

    fit: Callable[[EngineFacts], dict[Any, Any]]
    fitted: list[Any]


def build_world_form(context: AppContext) -> WorldForm:
    """Build and connect the form inside the current gr.Blocks. Not for public servers: strangers must neither reload nor name files."""
    with gr.Accordion("Change the world", open=False, elem_id="change-world"):
        with gr.Row(elem_classes="world-parts"):
            world = gr.Radio(
                WORLDS, value="", label="World", info="Automatic: the best this machine has.", elem_id="wish-world", min_width=260
            )
            base = gr.Dropdown(BASES, value="", label="Generator", info="What draws the faces.", elem_id="wish-base", min_width=260)
            encoder = gr.Dropdown(
                ENCODERS,
                value="",
                label="Text encoder",
                info="Choose, or type any CLIP model of open_clip.",
                allow_custom_value=True,
                elem_id="wish-encoder",
                min_width=260,
            )
        file = gr.Textbox(
            label="The generator's file",
            info="A path on this server: StyleGAN2 as .pt, .pkl or .safetensors.",
            placeholder=_EXAMPLE,
            max_lines=1,
            visible=False,
            elem_id="wish-file",
        )
        with gr.Row(elem_classes="world-apply"):
            words = gr.HTML(_NOTE, elem_id="wish-words")
            apply = gr.Button("Apply", scale=0, min_width=120, elem_id="wish-apply")
        notice = gr.HTML("", elem_id="wish-notice")

    def show_file(chosen: str | None) -> dict[str, Any]:
        return gr.update(visible=chosen == FROM_FILE)

    def apply_wish(*values: Any) -> Iterator[dict[Any, Any]]:
        yield {notice: _LOADING, apply: gr.update(interactive=False)}
        try:
            wish = read_wish(*values)
            change_world(context, wish)
        except NadaError as error:
            yield {notice: message_box(str(error), "bad"), apply: gr.update(interactive=True)}
            raise refusal(error, "The world stays as it was", 6) from None
        yield {notice: message_box("Ready. The page is loaded again.", "good")}

    base.change(show_file, [base], [file], queue=False, **QUIET)
    apply.click(
        apply_wish,
        [world, base, file, encoder],
        [notice, apply],
        concurrency_limit=1,
        concurrency_id="world",
        trigger_mode="once",
        **QUIET,
    ).success(None, None, None, js="() => { window.location.reload(); }")

    def fit(facts: EngineFacts) -> dict[Any, Any]:
        wish = context.wish
        offered = wish.base in {value for _, value in BASES} or not wish.base
        return {
            words: f'<p class="quiet">In use: {escape(in_use(facts))}</p>{_NOTE}',
            world: wish.world or "",
            base: (wish.base or "") if offered else FROM_FILE,
            file: gr.update(value="", placeholder=_EXAMPLE if offered else Path(str(wish.base)).name, visible=not offered),
            encoder: wish.encoder or "",
        }

    return WorldForm(fit, [words, world, base, file, encoder])
