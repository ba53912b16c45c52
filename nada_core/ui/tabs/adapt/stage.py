"""Build the Adapt tab's right column: faces, progress, curves, saved steps, what to do with the style."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from nada_core.ui.html.widgets import loss_chart, progress_bar
from nada_core.ui.jobs.suggest_step import suggest_step, suggestion
from nada_core.ui.jobs.views import AdaptView, LossCurve, Progress
from nada_core.ui.photo.controls import strength_slider
from nada_core.ui.tabs.adapt.make_live import MakeLive, build_make_live

__all__ = ["AdaptStage", "build_stage"]

FACES = 4
_FIRST = 30  # steps of a look in the starter world, shown until a run says its own
_IDLE = Progress(0, "Ready when you are", note="The same four faces for every look, so you see only the style change.")
_NO_STEPS = "When a run is over, drag to look at its earlier steps, or at the style weaker and stronger."
_TOO_SHORT = "The run was too short for earlier steps to choose from."


@dataclass(frozen=True)
class AdaptStage:
    """Hold the components of the Adapt tab's right column."""

    originals: list[gr.Image]
    previews: list[gr.Image]
    bar: gr.HTML
    chart: gr.HTML
    slider: gr.Slider
    suggest: gr.Button
    words: gr.HTML
    strength: gr.Slider
    name: gr.Textbox
    save: gr.Button
    fetch: gr.Button
    file: gr.DownloadButton
    wear: gr.Button
    link: gr.Button  # copies a link to the page with the prompt
    kept: gr.HTML
    live: MakeLive | None  # not on public servers

    def scrubber(self, view: AdaptView, *, drawable: bool = True) -> dict[Any, Any]:
        """Return updates of the sliders of saved steps and strength, which rest until the run is over.

        `drawable`: the faces can be drawn again at another strength.
        """
        strength = {self.strength: gr.update(value=1.0, interactive=bool(view.style_id) and drawable)}
        if not view.style_id or not view.saved:
            steps = max(view.steps, 1)
            return strength | {
                self.slider: gr.update(maximum=steps, value=steps, interactive=False),
                self.suggest: gr.update(interactive=False, value="Suggested step"),
                self.words: scrub_words(_NO_STEPS),
            }
        records = [saved.record for saved in view.saved]
        several, best, last = len(records) > 1, suggest_step(records), records[-1].step
        return strength | {
            self.slider: gr.update(maximum=last, value=last, interactive=several),
            self.suggest: gr.update(interactive=several, value=f"Suggested: step {best}" if several else "Suggested step"),
            self.words: scrub_words(f"Step {best} is suggested: {suggestion(records)}." if several else _TOO_SHORT),
        }


def scrub_words(text: str) -> str:
    """Return the HTML of the quiet line under the slider."""
    return f'<p class="scrub-words">{escape(text)}</p>'


def build_stage(public: bool) -> AdaptStage:
    """Build the column's components inside the current gr.Column."""
    with gr.Row(elem_classes="faces", elem_id="faces"):
        originals = [_face(f"Generated face {i + 1} before the adaptation", f"before-{i}", "before") for i in range(FACES)]
        previews = [_face(f"Generated face {i + 1} with the style so far", f"after-{i}", "after") for i in range(FACES)]
    bar = gr.HTML(progress_bar(_IDLE), elem_id="adapt-progress")
    chart = gr.HTML(loss_chart(LossCurve(_FIRST)), elem_id="loss")
    with gr.Row(elem_classes="scrub", elem_id="scrub"):
        slider = gr.Slider(0, _FIRST, _FIRST, step=1, label="Step", interactive=False, buttons=[], scale=3, min_width=180, elem_id="step")
        suggest = gr.Button("Suggested step", interactive=False, scale=1, min_width=160, elem_id="suggested")
    words = gr.HTML(scrub_words(_NO_STEPS), elem_id="scrub-words")
    with gr.Row(elem_classes="scrub"):
        strength = strength_slider("made-strength", interactive=False, buttons=[])
    with gr.Row(elem_classes="keep", elem_id="keep"):
        name = gr.Textbox(label="Name", placeholder="my-joker", max_lines=1, max_length=60, scale=3, min_width=140, visible=not public)
        save = gr.Button("Save style", interactive=False, scale=2, min_width=110, elem_id="save", visible=not public)
        fetch = gr.Button("Download file", interactive=False, scale=2, min_width=110, elem_id="fetch-style")
        file = gr.DownloadButton("Download file", elem_id="style-file", visible="hidden")
        wear = gr.Button("Try it on a photo", interactive=False, scale=2, min_width=150, elem_id="wear")
        link = gr.Button("Copy link", scale=1, min_width=100, elem_id="copy-prompt-link")
    kept = gr.HTML("", elem_id="kept")
    live = None if public else build_make_live()
    return AdaptStage(originals, previews, bar, chart, slider, suggest, words, strength, name, save, fetch, file, wear, link, kept, live)


def _face(alt: str, ident: str, kind: str) -> gr.Image:
    return gr.Image(
        label=kind.capitalize(),
        show_label=False,
        interactive=False,
        container=False,
        buttons=["fullscreen"],
        alt_text=alt,
        elem_id=ident,
        elem_classes=["face", kind],
        type="filepath",
        format="jpeg",
        min_width=60,
    )
