"""Build the Adapt tab's left column: prompt, two buttons, suggestions, settings; those for experts are in `expert_form`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from nada_core.ui.html.text import chips
from nada_core.ui.page.patches.heic_upload import HEIC_SCRIPT
from nada_core.ui.server.change_world import ENCODERS
from nada_core.ui.server.training_facts import TrainingFacts
from nada_core.ui.tabs.adapt.clip_offer import ClipOffer, build_clip_offer
from nada_core.ui.tabs.adapt.expert_form import ExpertForm, build_expert_form

__all__ = ["AdaptForm", "build_form"]

# A chip writes its text into the prompt box as if it had been typed, a cross the text without its words: in the page, with no round trip.
_CHIP_SCRIPT = """
element.addEventListener('click', (event) => {
  const chip = event.target.closest('button.chip, button.read-off');
  if (!chip) return;
  const box = document.querySelector('#prompt textarea, #prompt input');
  const proto = box.tagName === 'TEXTAREA' ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
  Object.getOwnPropertyDescriptor(proto, 'value').set.call(box, chip.dataset.prompt);
  box.dispatchEvent(new Event('input', { bubbles: true }));
  box.focus({ preventScroll: true });
});
"""
_LAYERS = {
    "all": "All",
    "shape": "Shape only",
    "texture": "Texture only",
    "colour": "Colour only",
    "default": "Paper's default: none that makes colours",
    "no_fine": "Paper's no_fine: up to 128 px",
}
_EVERYWHERE = ("all", "shape", "texture", "colour")  # until the generator is known


@dataclass(frozen=True)
class AdaptForm:
    """Hold the components of the Adapt tab's left column."""

    prompt: gr.Textbox
    me: gr.Checkbox
    start: gr.Button
    stop: gr.Button
    notice: gr.HTML
    advice: gr.HTML
    chips: gr.HTML
    steps: gr.Slider
    layers: gr.Dropdown
    lr: gr.Number
    source: gr.Textbox
    seed: gr.Number
    fresh: gr.Checkbox
    batch: gr.Slider
    truncation: gr.Slider
    images: gr.File
    encoder: gr.HTML  # which one judges the pictures
    expert: ExpertForm
    reset: gr.Button
    clip: ClipOffer | None
    owned: bool  # by whoever sees the page, who may choose another encoder

    @property
    def usual(self) -> dict[str, Any]:
        """Return the settings that are not for experts, by name."""
        names = ("steps", "layers", "lr", "source", "seed", "fresh", "batch", "truncation", "images")
        return {name: getattr(self, name) for name in names}

    @property
    def restored(self) -> list[Any]:
        """Return the components, besides the seed, that are filled in again when a page finds its run."""
        return [self.prompt, self.steps, self.layers, self.source, self.batch, self.truncation, self.lr, self.fresh]

    @property
    def fitted(self) -> list[Any]:
        """Return the components that `fit` updates."""
        return [self.steps, self.layers, self.truncation, self.encoder, *self.expert.fitted]

    def fit(self, facts: TrainingFacts) -> dict[Any, Any]:
        """Return updates that offer what an engine has."""
        return {
            self.steps: gr.skip() if facts.own_steps == self.steps.value else facts.own_steps,
            self.layers: gr.update(choices=_layer_choices(facts.layer_sets)),
            self.truncation: facts.own_truncation,
            self.encoder: _encoder_words(facts.encoder, self.owned),
            **self.expert.fit(facts),
        }

    @property
    def settings(self) -> list[Any]:
        """Return the components that a reset sets back."""
        return [*self.usual.values(), *self.expert.inputs.values()]


def _layer_choices(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(_LAYERS.get(name, name), name) for name in names]


def _encoder_words(name: str, owned: bool) -> str:
    known = {value: words for words, value in ENCODERS}
    other = " Another one is chosen at the foot of the page, under “Change the world”." if owned else ""
    return f'<p class="quiet">Text encoder, which compares faces with words: {escape(known.get(name, name))}.{other}</p>'


def build_form(words: str, owned: bool = True) -> AdaptForm:
    """Build the column's components inside the current gr.Column; `words` is the advice for the first prompt."""
    prompt = gr.Textbox(label="Turn faces into", value="Joker", placeholder="Joker", max_lines=1, max_length=200, elem_id="prompt")
    advice = gr.HTML(words, js_on_load=_CHIP_SCRIPT, elem_id="advice")
    clip = build_clip_offer() if owned else None
    me = gr.Checkbox(
        False,
        label="Watch my own photo change",
        info="Takes the first face's place. Upload the photo in the Stylise tab first.",
        elem_id="me",
    )
    with gr.Column(elem_classes="hold"), gr.Row(elem_classes="actions"):
        start = gr.Button("Adapt", variant="primary", scale=3, min_width=120, elem_id="adapt")
        stop = gr.Button("Stop", interactive=False, scale=1, min_width=90, elem_id="stop", elem_classes="halt")
    notice = gr.HTML("", elem_id="adapt-notice")
    suggested = gr.HTML(chips(()), js_on_load=_CHIP_SCRIPT + HEIC_SCRIPT, elem_id="chips")
    with gr.Accordion("Settings", open=False, elem_id="settings"):
        steps = gr.Slider(5, 300, 30, step=1, label="Steps", info="More steps, stronger style; too many and the people are lost.")
        layers = gr.Dropdown(_layer_choices(_EVERYWHERE), value="all", label="Layers that learn")
        lr = gr.Number(0, label="Learning rate", info="0 takes the value that suits this generator.", minimum=0, maximum=0.05, step=0.0001)
        source = gr.Textbox("face", label="Starting from", info="The word for what the generator makes now.", max_lines=1, max_length=60)
        with gr.Row():
            seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, min_width=120, elem_id="seed")
            fresh = gr.Checkbox(True, label="New seed each run", min_width=120)
        batch = gr.Slider(1, 8, 2, step=1, label="Faces a step", info="More are steadier and take longer.")
        nearer = "Truncation: lower is nearer to the mean face."
        truncation = gr.Slider(0.3, 1.0, 0.8, step=0.05, label="Variety of the faces", info=nearer, elem_id="variety")
        images = gr.File(
            label="Pictures to aim at instead of words (up to 16)",
            file_count="multiple",  # of any kind: what a file holds decides, and HEIC_SCRIPT has the browser offer pictures
            type="filepath",
            height=150,
            elem_id="targets",
        )
        encoder = gr.HTML("", elem_id="encoder-in-use")
        with gr.Accordion("For experts", open=False, elem_id="experts"):
            expert = build_expert_form()
        reset = gr.Button("Reset settings", size="sm", elem_id="reset-settings")
    return AdaptForm(
        prompt, me, start, stop, notice, advice, suggested, steps, layers, lr, source, seed, fresh, batch, truncation, images, encoder,
        expert, reset, clip, owned,
    )  # fmt: skip
