"""Place the Compare tab's components; what they do is in `tab`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.detached import Detached
from nada_core.ui.jobs.views import Progress
from nada_core.ui.page.shared_components import Session
from nada_core.ui.photo.box import PhotoBox, PhotoSteps, build_photo_box
from nada_core.ui.photo.controls import likeness_radio, press_bar, strength_slider
from nada_core.ui.requests import STYLES_AT_ONCE
from nada_core.ui.tabs.compare.downloads import COMPARE_KINDS
from nada_core.ui.tabs.compare.run import CompareView
from nada_core.ui.tabs.compare.sheet import OPEN_SCRIPT, compare_html

__all__ = ["COMPARE_IDLE", "COMPARE_READY", "CompareTab", "build_compare_layout"]

COMPARE_IDLE = Progress(0, "Ready for a photo", note="The photo is the same on the Stylise tab: what is made here is ready there.")
COMPARE_READY = Progress(0, "Ready: press Compare", note="The face takes longest, every style a few seconds. What is made once is kept.")
_LOADING = '<div class="picks picks-empty"></div>'
# The component's value is the list of chosen names, in the order in which they were chosen; the boxes follow it after every redrawing,
# and when as many are chosen as can be compared the others rest.
_PICK_SCRIPT = f"""
const most = {STYLES_AT_ONCE};
const follow = () => {{
  const picked = new Set(props.value || []);
  element.querySelectorAll('input[name=style]').forEach((box) => {{
    box.checked = picked.has(box.value);
    box.disabled = !box.checked && picked.size >= most;
  }});
}};
element.addEventListener('change', (event) => {{
  const box = event.target.closest('input[name=style]');
  if (!box) return;
  const others = (props.value || []).filter((name) => name !== box.value);
  props.value = box.checked ? [...others, box.value].slice(0, most) : others;
  follow();
  trigger('input');
}});
watch(['cards', 'value'], follow);
follow();
"""


@dataclass
class CompareTab:
    """Hold the Compare tab's components."""

    box: PhotoBox
    styles: gr.Dropdown
    picks: gr.HTML  # the styles, chosen by picture
    mode: gr.Radio
    start: gr.Button
    stop: gr.Button
    notice: gr.HTML
    bar: gr.HTML
    sheet: gr.HTML
    strength: gr.Slider
    resolution: gr.Radio
    file: gr.DownloadButton
    taking: gr.HTML  # what a download waits for
    offered: gr.State  # true once the styles have been offered: the first choice is made then
    early: gr.State  # whether the styles were asked for before there were any
    compared: gr.State  # what is on show, so that strength and downloads stay with it when other styles are chosen
    downloads: dict[str, gr.Button] = field(default_factory=dict)
    follow: Callable[[gr.Image], None] = lambda other: None  # makes the tab take over the photo of another tab's box
    works: Detached[CompareView] = field(default_factory=Detached)
    steps: PhotoSteps = field(init=False)
    resume: Callable[[str], Iterator[dict[Any, Any]]] = field(init=False)  # what a page that is loaded again is shown
    outputs: list[Any] = field(init=False)  # components that `resume` updates


def build_compare_layout(session: Session) -> CompareTab:
    """Place the components inside the current gr.Tab."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="controls"):
            box = build_photo_box(session, "compare-")
            styles = gr.Dropdown(
                [],
                label="Styles",
                info=f"Up to {STYLES_AT_ONCE}, side by side.",
                multiselect=True,
                max_choices=STYLES_AT_ONCE,
                filterable=True,
                allow_custom_value=False,
                elem_id="compare-styles",
            )
            picks = gr.HTML([], html_template="${cards}", cards=_LOADING, js_on_load=_PICK_SCRIPT, elem_id="compare-picks")
            mode = likeness_radio("compare-mode")
            start, stop, notice = press_bar("Compare", "compare", "compare")
        with gr.Column(scale=7, min_width=300, elem_classes="stage"):
            bar = gr.HTML(progress_bar(COMPARE_IDLE), elem_id="compare-progress")
            sheet = gr.HTML(compare_html(()), js_on_load=OPEN_SCRIPT, elem_id="compare-sheet")
            with gr.Column(elem_classes="live"), gr.Row(elem_classes="live-row"):
                strength = strength_slider("compare-strength", info="0 is you, 1 the full style.", scale=3, min_width=220)
                with gr.Column(scale=2, min_width=210, elem_classes="live-side"):
                    resolution = gr.Radio([], label="Size of downloads", elem_id="compare-size")  # of the generator, when the page loads
            with gr.Row(elem_classes="keep", elem_id="compare-take-away"):
                downloads = {
                    kind: gr.Button(title, interactive=False, min_width=110, elem_id=f"compare-take-{kind}")
                    for kind, title in COMPARE_KINDS.items()
                }
                file = gr.DownloadButton("File", elem_id="compare-file", visible="hidden")
            taking = gr.HTML("", elem_id="compare-taking", elem_classes="taking")
    return CompareTab(
        box, styles, picks, mode, start, stop, notice, bar, sheet, strength, resolution, file, taking,
        offered=gr.State(False), early=gr.State(False), compared=gr.State(None), downloads=downloads,
    )  # fmt: skip
