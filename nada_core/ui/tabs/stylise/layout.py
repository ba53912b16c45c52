"""Place the Stylise tab's components; what they do is in `tab`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from nada_core.ui.html.widgets import identity_panel, progress_bar
from nada_core.ui.jobs.detached import Detached
from nada_core.ui.jobs.views import Progress
from nada_core.ui.page.shared_components import Session
from nada_core.ui.photo.box import PhotoBox, PhotoSteps, build_photo_box
from nada_core.ui.photo.controls import likeness_radio, picture_buttons, press_bar, strength_slider
from nada_core.ui.tabs.stylise.downloads import KINDS
from nada_core.ui.tabs.stylise.history import MOST_PAST
from nada_core.ui.tabs.stylise.run import EditView
from nada_core.ui.tabs.stylise.stage import edit_outlook

__all__ = ["EDIT_IDLE", "EDIT_READY", "StyliseTab", "build_stylise_layout"]

EDIT_IDLE = Progress(0, "Ready for a photo", note="One face, looking roughly at the camera, works best.")
EDIT_READY = Progress(0, "Ready: press Stylise", note="The first time takes longest; another style or strength is quick then.")


@dataclass
class StyliseTab:
    """Hold the Stylise tab's components."""

    box: PhotoBox
    everyone: gr.Checkbox  # all faces instead of one
    style: gr.Dropdown
    looks: gr.Gallery  # the style, chosen by picture
    blending: gr.Accordion
    blend: gr.Dropdown
    share: gr.Slider
    mode: gr.Radio
    start: gr.Button
    stop: gr.Button
    notice: gr.HTML
    strength: gr.Slider
    shape: gr.Slider
    texture: gr.Slider
    colour: gr.Slider
    resolution: gr.Radio
    paste: gr.Checkbox
    bar: gr.HTML
    working: gr.HTML  # the face on its way, in the place of the result
    pair: gr.ImageSlider
    inverted: gr.Image
    identity: gr.HTML
    file: gr.DownloadButton
    zoom: gr.Button  # shows the result closer
    copy: gr.Button  # the picture on show, into the clipboard
    link: gr.Button  # to a page with this style
    taking: gr.HTML  # what a download waits for, and what became of a copy
    past: gr.State  # the looks of `history`
    history: gr.Gallery  # the last results, to be shown again
    listed: gr.JSON  # what the pictures stand for: values of the dropdown; the browser reads it too
    picked: gr.State  # counts the pictures that were pressed
    on_show: gr.State  # the request whose result is shown, which downloads take: other choices may have been made since
    at_once: gr.State  # the request whose style is on the face without the generator, while nothing else has been made
    downloads: dict[str, gr.Button] = field(default_factory=dict)
    follow: Callable[[gr.Image], None] = lambda other: None  # makes the tab take over the photo of another tab's box
    works: Detached[EditView] = field(default_factory=Detached)
    steps: PhotoSteps = field(init=False)
    resume: Callable[[str], Iterator[dict[Any, Any]]] = field(init=False)  # what a page that is loaded again is shown
    outputs: list[Any] = field(init=False)  # components that `resume` updates
    wear: Callable[[Any], None] = field(init=False)  # edits the photo, if there is one, after an event that has chosen a style

    @property
    def choices(self) -> list[Any]:
        """Return the components that are set where a look is shown again."""
        layers = [self.strength, self.shape, self.texture, self.colour]
        return [self.style, *layers, self.share, self.mode, self.paste, self.blend, self.resolution]


def build_stylise_layout(session: Session) -> StyliseTab:
    """Place the components inside the current gr.Tab."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="controls"):
            box = build_photo_box(session)
            everyone = gr.Checkbox(False, label="All faces", visible=False, container=False, elem_id="everyone")
            session.style.render()
            looks = picture_buttons(None, "Styles", 5, "style-pictures", container=False)
            with gr.Accordion("Blend with a second style", open=False, elem_id="blending") as blending:
                session.blend.render()
                share = gr.Slider(0, 1, 0.5, step=0.05, label="Share of the second style", elem_id="share")
            mode = likeness_radio("mode")
            start, stop, notice = press_bar("Stylise", "stylise", "edit")
        with gr.Column(scale=7, min_width=300, elem_classes="stage"):
            bar = gr.HTML(progress_bar(EDIT_IDLE), elem_id="edit-progress")
            with gr.Row(elem_classes="result"):
                gr.HTML(edit_outlook(), elem_id="edit-outlook")
                working = gr.HTML("", elem_id="edit-working")
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
                    identity = gr.HTML(identity_panel(), elem_id="identity")
            with gr.Column(elem_classes="live", elem_id="live"):
                with gr.Row(elem_classes="live-row"):
                    strength = strength_slider("strength", info="0 is you, 1 the full style.", scale=3, min_width=220)
                    with gr.Column(scale=2, min_width=210, elem_classes="live-side"):
                        resolution = gr.Radio([], label="Size", elem_id="size")  # those of the generator, when the page loads
                        paste = gr.Checkbox(False, label="Show it in the whole photo", elem_id="paste")
                        zoom = gr.Button("Look closer", interactive=False, size="sm", elem_id="look-closer")
                with gr.Accordion("Strength by layer", open=False, elem_id="by-layer"), gr.Row(elem_classes="layers"):
                    shape, texture, colour = (
                        gr.Slider(0, 1, 1, step=0.05, label=name, info=info, min_width=150, elem_id=f"layer-{name.lower()}")
                        for name, info in (
                            ("Shape", "pose and form"),
                            ("Texture", "features, hair"),
                            ("Colour", "paint, fine detail"),
                        )
                    )
            with gr.Row(elem_classes="keep", elem_id="take-away"):
                downloads = {
                    kind: gr.Button(title, interactive=False, min_width=110, elem_id=f"take-{kind}") for kind, title in KINDS.items()
                }
                file = gr.DownloadButton("File", elem_id="edit-file", visible="hidden")
                copy = gr.Button("Copy picture", interactive=False, min_width=110, elem_id="copy-picture")
                link = gr.Button("Copy link", min_width=110, elem_id="copy-style-link")
            taking = gr.HTML("", elem_id="taking", elem_classes="taking")
            history = picture_buttons([], "Your last results", MOST_PAST, "history", container=False, visible=False)
    return StyliseTab(
        box, everyone, session.style, looks, blending, session.blend, share, mode, start, stop, notice, strength, shape, texture, colour,
        resolution, paste, bar, working, pair, inverted, identity, file, zoom, copy, link, taking, gr.State(()), history,
        listed=gr.JSON([], visible=False), picked=gr.State(0), on_show=gr.State(None), at_once=gr.State(None), downloads=downloads,
    )  # fmt: skip
