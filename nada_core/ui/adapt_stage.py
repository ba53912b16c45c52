"""The right column of the Adapt tab: the faces, the progress, the curves, the saved steps, what to do with the style."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from .photo_controls import strength_slider
from .suggest import suggest_step, suggestion
from .views import AdaptView
from .widgets import loss_chart, progress

__all__ = ["AdaptStage", "build_stage"]

FACES = 4
_IDLE = progress(0, "Ready when you are", "", note="The same four faces for every look, so you see only the style change.")
_NO_STEPS = "When a run is over, drag to look at its earlier steps, or at the style weaker and stronger."
_TOO_SHORT = "The run was too short for earlier steps to choose from."


@dataclass(frozen=True)
class AdaptStage:
    """The components of the column."""

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
    kept: gr.HTML

    def scrubber(self, view: AdaptView, *, drawable: bool = True) -> dict[Any, Any]:
        """The sliders over the saved steps and the strength of a run that is over; at rest while it runs.

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
    """The quiet line under the slider."""
    return f'<p class="scrub-words">{escape(text)}</p>'


def build_stage(public: bool) -> AdaptStage:
    """Build the column's components inside the current gr.Column."""
    with gr.Row(elem_classes="faces", elem_id="faces"):
        originals = [_face(f"Generated face {i + 1} before the adaptation", f"before-{i}", "before") for i in range(FACES)]
        previews = [_face(f"Generated face {i + 1} with the style so far", f"after-{i}", "after") for i in range(FACES)]
    bar = gr.HTML(_IDLE, elem_id="adapt-progress")
    chart = gr.HTML(loss_chart((), 60), elem_id="loss")
    with gr.Row(elem_classes="scrub", elem_id="scrub"):
        slider = gr.Slider(0, 60, 60, step=1, label="Step", interactive=False, buttons=[], scale=3, min_width=180, elem_id="step")
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
    kept = gr.HTML("", elem_id="kept")
    return AdaptStage(originals, previews, bar, chart, slider, suggest, words, strength, name, save, fetch, file, wear, kept)


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
