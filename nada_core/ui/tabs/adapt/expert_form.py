"""Build the Adapt tab's settings for experts: options of the command line's `adapt`. Left alone, they change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from nada_core.ui.server.training_facts import TrainingFacts
from nada_core.ui.tabs.adapt.read_settings import OWN_VALUE, PLAIN

__all__ = ["ExpertForm", "build_expert_form"]

_PRESETS = {"paper": "Paper (0.0016)", "source": "Source project (0.002)"}
_CROPS = [(str(count), str(count)) for count in range(9)]
_MOST_LAYERS = 64  # until the generator is known


@dataclass(frozen=True)
class ExpertForm:
    """Hold the components of the settings for experts."""

    preset: gr.Dropdown
    resolution: gr.Dropdown
    mixing: gr.Slider
    layers: gr.Slider
    pool: gr.Number
    crops: gr.Dropdown
    direction: gr.Textbox
    overall: gr.Textbox
    manifold: gr.Number
    patch: gr.Number
    start: gr.Dropdown

    @property
    def inputs(self) -> dict[str, Any]:
        """Return all components, by the names of the fields of AdaptExtras."""
        return {
            "preset": self.preset,
            "resolution": self.resolution,
            "mixing": self.mixing,
            "adaptive_layers": self.layers,
            "latent_pool": self.pool,
            "crops": self.crops,
            "direction_weight": self.direction,
            "global_weight": self.overall,
            "manifold_weight": self.manifold,
            "patch_weight": self.patch,
            "start": self.start,
        }

    @property
    def fitted(self) -> list[Any]:
        """Return the components that `fit` updates."""
        return [self.start, self.preset, self.resolution, self.layers, self.crops, self.direction, self.overall, self.patch]

    def fit(self, facts: TrainingFacts) -> dict[Any, Any]:
        """Return updates that offer what an engine has. No values: what was set while a slow engine was loading stays."""
        sizes = [(f"{side} px", str(side)) for side in facts.resolutions]
        presets = [(_PRESETS.get(name, name), name) for name in facts.presets]
        return {
            self.start: gr.update(visible=facts.near),
            self.preset: gr.update(choices=[("Own", OWN_VALUE), *presets], visible=bool(presets)),
            self.resolution: gr.update(choices=[(f"Own ({facts.own_resolution} px)", OWN_VALUE), *sizes]),
            self.layers: gr.update(maximum=facts.layers),
            self.crops: gr.update(choices=[(f"Own ({facts.own_crops})", OWN_VALUE), *_CROPS]),
            self.direction: gr.update(placeholder=f"own: {facts.own_direction:g}"),
            self.overall: gr.update(placeholder=f"own: {facts.own_global:g}"),
            self.patch: gr.update(visible=facts.patches),
        }


def build_expert_form() -> ExpertForm:
    """Build the components inside the current accordion. The preset and the patch weight stay hidden where there is nothing to choose."""
    own = [("Own", OWN_VALUE)]
    preset = gr.Dropdown(
        own,
        value=OWN_VALUE,
        label="Optimiser",
        info="Published settings of Adam; 'paper' also fresh noise. What is set by hand wins.",
        visible=False,
        elem_id="preset",
    )
    resolution = gr.Dropdown(
        own,
        value=OWN_VALUE,
        label="Resolution the loss sees",
        info="Larger shows finer detail and takes longer.",
        elem_id="loss-resolution",
    )
    mixing = gr.Slider(
        0, 1, 0, step=0.05, label="Style mixing", info="Probability that a step mixes two faces; helps some shapes.", elem_id="mixing"
    )
    layers = gr.Slider(
        0,
        _MOST_LAYERS,
        0,
        step=1,
        label="Adaptive layers",
        info="Only so many that matter most learn, chosen anew every step; 0 is off.",
        elem_id="adaptive-layers",
    )
    with gr.Row():
        pool = _number(0, "Latent pool", "Trains on so many faces; 0: fresh ones.", 10_000, 1, "latent-pool")
        crops = gr.Dropdown(
            [*own, *_CROPS],
            value=OWN_VALUE,
            label="Crops a picture",
            info="Views compared; 0: the plain picture.",
            min_width=120,
            elem_id="crops",
        )
    with gr.Row():
        direction = _typed("Direction weight", "Pictures change as the words do; 0: off.", "direction-weight")
        overall = _typed("Global weight", "Pictures come near the target itself; 0: off.", "global-weight")
    with gr.Row():
        manifold = _number(0, "Manifold weight", "Keeps the faces varied; 0: off.", 10, 0.1, "manifold-weight")
        patch = _number(0, "Patch weight", "Compares parts of the picture; 0: off.", 10, 0.1, "patch-weight", visible=False)
    start = gr.Dropdown(
        [("Near the words", OWN_VALUE), ("The plain generator", PLAIN)],
        value=OWN_VALUE,
        label="Begins at",
        info="Near: a blend of ready styles. The plain one takes twice the steps.",
        elem_id="start",
    )
    return ExpertForm(preset, resolution, mixing, layers, pool, crops, direction, overall, manifold, patch, start)


def _number(value: float, label: str, info: str, maximum: float, step: float, elem_id: str, *, visible: bool = True) -> gr.Number:
    return gr.Number(
        value,
        label=label,
        info=info,
        minimum=0,
        maximum=maximum,
        step=step,
        min_width=120,
        elem_id=elem_id,
        visible=visible,
    )


def _typed(label: str, info: str, elem_id: str) -> gr.Textbox:
    """Return a text box for a number that may be left out: Gradio's number box shows 0 when empty, which here means off."""
    return gr.Textbox("", label=label, info=info, placeholder="own", max_lines=1, max_length=8, min_width=120, elem_id=elem_id)
