"""The Gallery tab's components and where they stand; what they do is in `gallery_tab`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from .gallery_sheet import sheet_html
from .text import style_title
from .widgets import progress

__all__ = ["GalleryTab", "build_gallery_layout", "chosen_html"]

_IDLE = progress(0, "Ready when you are", "", note="The same faces for every style, so you see only the styles differ.")
_LOADING = '<div class="gallery-empty"><span>Looking into the library…</span></div>'
_CARE_PUBLIC = "Export writes the style's compact file, a few megabytes, for another machine."
_CARE = _CARE_PUBLIC + " Import takes such a file; full ones and published networks need `styles --import` on the command line."
# The component's value is the list of chosen names, in the order in which they were chosen; the boxes follow it after every redrawing.
_PICK_SCRIPT = """
const follow = () => {
  const picked = new Set(props.value || []);
  element.querySelectorAll('input[name=style]').forEach((box) => { box.checked = picked.has(box.value); });
};
element.addEventListener('change', (event) => {
  const box = event.target.closest('input[name=style]');
  if (!box) return;
  const others = (props.value || []).filter((name) => name !== box.value);
  props.value = box.checked ? [...others, box.value] : others;
  trigger('input');
});
watch(['cards', 'value'], follow);
follow();
"""


@dataclass(frozen=True)
class GalleryTab:
    """The tab's components."""

    note: gr.HTML
    refresh: gr.Button
    cards: gr.HTML
    chosen: gr.HTML
    seeds: gr.Textbox
    new: gr.Button
    compare: gr.Button
    stroll: gr.Button
    notice: gr.HTML
    which: gr.Dropdown
    name: gr.Textbox
    rename: gr.Button
    export: gr.Button
    upload: gr.UploadButton
    delete: gr.Button
    sure: gr.Column
    question: gr.HTML
    really: gr.Button
    keep: gr.Button
    file: gr.DownloadButton
    bar: gr.HTML
    sheet: gr.HTML
    archive: gr.DownloadButton
    film_row: gr.Row
    film: gr.Image
    fetch_film: gr.DownloadButton
    marked: gr.State  # names one style, whose deletion waits for a yes


def build_gallery_layout(own: bool) -> GalleryTab:
    """Place the components inside the current gr.Tab. `own`: the library belongs to whoever sees it, so it can be changed."""
    with gr.Row(elem_classes="gallery-head"):
        note = gr.HTML("", elem_id="gallery-note")
        refresh = gr.Button("Refresh", size="sm", scale=0, min_width=96, elem_id="gallery-refresh")
    cards = gr.HTML([], html_template="${cards}", cards=_LOADING, js_on_load=_PICK_SCRIPT, elem_id="gallery-cards")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="controls"):
            chosen = gr.HTML(chosen_html(()), elem_id="gallery-chosen")
            with gr.Row(elem_classes="actions"):
                seeds = gr.Textbox(
                    "3, 11, 27, 42",
                    label="Faces",
                    info="Each number is a face.",
                    max_lines=1,
                    max_length=80,
                    scale=3,
                    min_width=150,
                    elem_id="gallery-seeds",
                )
                new = gr.Button("New faces", scale=1, min_width=100, elem_id="gallery-new")
            compare = gr.Button("Compare on the same faces", variant="primary", elem_id="gallery-compare")
            stroll = gr.Button("Film a latent walk", elem_id="gallery-walk")
            notice = gr.HTML("", elem_id="gallery-notice")
            with gr.Accordion("Rename, delete, import, export" if own else "Export", open=False, elem_id="gallery-manage"):
                which = gr.Dropdown([], label="Style", elem_id="gallery-which", filterable=True, allow_custom_value=False)
                with gr.Row(elem_classes="actions", visible=own):
                    name = gr.Textbox(label="New name", max_lines=1, max_length=60, scale=3, min_width=130, elem_id="gallery-name")
                    rename = gr.Button("Rename", interactive=False, scale=1, min_width=90, elem_id="gallery-rename")
                with gr.Row(elem_classes="actions gallery-care"):
                    export = gr.Button("Export", interactive=False, min_width=80, elem_id="gallery-export")
                    upload = gr.UploadButton(
                        "Import",
                        file_types=[".safetensors"],
                        file_count="single",
                        type="filepath",
                        min_width=80,
                        visible=own,
                        elem_id="gallery-import",
                    )
                    delete = gr.Button("Delete", interactive=False, min_width=80, visible=own, elem_id="gallery-delete")
                gr.HTML(f'<p class="quiet">{_CARE if own else _CARE_PUBLIC}</p>')
                with gr.Column(visible=False, elem_classes="gallery-sure") as sure:
                    question = gr.HTML("")
                    with gr.Row(elem_classes="actions"):
                        really = gr.Button("Delete for good", variant="stop", min_width=130, elem_id="gallery-really")
                        keep = gr.Button("Keep it", min_width=90, elem_id="gallery-keep")
                file = gr.DownloadButton("Download file", elem_id="gallery-file", visible="hidden")
        with gr.Column(scale=7, min_width=300, elem_classes="stage"):
            bar = gr.HTML(_IDLE, elem_id="gallery-progress")
            sheet = gr.HTML(sheet_html((), ()), elem_id="gallery-sheet")
            archive = gr.DownloadButton("Download all as zip", interactive=False, elem_id="gallery-zip")
            with gr.Row(visible=False, elem_classes="film") as film_row:
                film = gr.Image(
                    label="Walk",
                    show_label=False,
                    interactive=False,
                    container=False,
                    type="filepath",
                    buttons=["fullscreen"],
                    elem_id="gallery-film",
                    alt_text="Generated faces turning into one another in the chosen style",
                    min_width=120,
                )
                with gr.Column(min_width=120, elem_classes="film-side"):
                    gr.HTML("<p>A walk from face to face in the first chosen style, and back to where it began.</p>")
                    fetch_film = gr.DownloadButton("Download GIF", elem_id="gallery-gif")
    return GalleryTab(
        note=note,
        refresh=refresh,
        cards=cards,
        chosen=chosen,
        seeds=seeds,
        new=new,
        compare=compare,
        stroll=stroll,
        notice=notice,
        which=which,
        name=name,
        rename=rename,
        export=export,
        upload=upload,
        delete=delete,
        sure=sure,
        question=question,
        really=really,
        keep=keep,
        file=file,
        bar=bar,
        sheet=sheet,
        archive=archive,
        film_row=film_row,
        film=film,
        fetch_film=fetch_film,
        marked=gr.State(""),
    )


def chosen_html(names: Sequence[str]) -> str:
    """The chosen styles as tags."""
    if not names:
        return '<div class="picked"><b>Nothing chosen</b><span>Press one or more of the cards.</span></div>'
    tags = "".join(f"<li>{escape(style_title(name)[:60])}</li>" for name in names)
    return f'<div class="picked"><b>{len(names)} chosen</b><ol>{tags}</ol></div>'
