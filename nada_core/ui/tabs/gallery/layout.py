"""Place the Gallery tab's components; what they do is in `tab`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from nada_core.ui.html.text import coded
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.views import Progress
from nada_core.ui.requests import FACES_AT_ONCE, STYLES_AT_ONCE
from nada_core.ui.tabs.gallery.sheet import sheet_html
from nada_core.ui.tabs.gallery.views import Sheet
from nada_core.ui.wording import style_title

__all__ = ["IMPORT_MB", "GalleryTab", "build_gallery_layout", "chosen_html"]

IMPORT_MB = 8  # styles.MAX_COMPACT_BYTES, which cannot be asked before torch is there
_IDLE = Progress(0, "Ready when you are", note="The same faces for every style, so you see only the styles differ.")
_LOADING = '<div class="gallery-empty"><span>Looking into the library…</span></div>'
_IMPORT_NOTE = (
    f"Import takes compact style files up to {IMPORT_MB} MB, as Export writes them (at most 1 MB). "
    "For full files: `python -m nada_core styles --import FILE`"
)
# The component's value is the list of chosen names, in the order in which they were chosen; the boxes follow it after every redrawing,
# and cards that were opened are open again.
_PICK_SCRIPT = r"""
const opened = new Set();
const named = (card) => card.querySelector('input[name=style]').value;
const follow = () => {
  const picked = new Set(props.value || []);
  element.querySelectorAll('input[name=style]').forEach((box) => { box.checked = picked.has(box.value); });
  element.querySelectorAll('.style-card').forEach((card) => { card.querySelector('details').open = opened.has(named(card)); });
};
element.addEventListener('click', (event) => {
  const card = event.target.closest('summary')?.closest('.style-card');
  if (!card) return;
  if (card.querySelector('details').open) opened.delete(named(card));  // as it was before the press
  else opened.add(named(card));
});
element.addEventListener('change', (event) => {
  const box = event.target.closest('input[name=style]');
  if (!box) return;
  const others = (props.value || []).filter((name) => name !== box.value);
  props.value = box.checked ? [...others, box.value] : others;
  trigger('input');
});
element.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !event.target.closest('input[name=style]:checked, .gallery:has(:checked) input[name=style]')) return;
  event.preventDefault();
  document.querySelector('#gallery-compare').focus();
});
const fold = (text) => text.toLowerCase().normalize('NFKD').replace(/[\u0300-\u036f\u2018\u2019']/g, '');
const search = () => document.querySelector('#gallery-search :is(input, textarea)');
const find = () => {
  const words = fold(search()?.value || '').split(/\s+/).filter(Boolean);
  let left = 0;
  element.querySelectorAll('.gallery-groups section').forEach((group) => {
    let shown = 0;
    group.querySelectorAll('.style-card').forEach((card) => {
      card.hidden = !words.every((word) => fold(card.dataset.words).includes(word));
      shown += !card.hidden;
    });
    group.hidden = !shown;
    left += shown;
  });
  const nothing = element.querySelector('.gallery-nothing');
  if (nothing) nothing.hidden = left > 0;
};
document.addEventListener('input', (event) => { if (event.target === search()) find(); });
watch(['cards', 'value'], () => { follow(); find(); });
follow();
"""
# A region that is announced must be there before its words change, so the component itself is the region.
_POLITE = "element.setAttribute('role', 'status');"


@dataclass(frozen=True)
class GalleryTab:
    """Hold the Gallery tab's components."""

    note: gr.HTML
    upload: gr.UploadButton
    refresh: gr.Button
    cards: gr.HTML
    seeds: gr.Textbox
    new: gr.Button
    archive: gr.DownloadButton
    bar: gr.HTML
    sheet: gr.HTML
    film_row: gr.Row
    film: gr.Image
    fetch_film: gr.DownloadButton
    notice: gr.HTML
    sure: gr.Column
    question: gr.HTML
    really: gr.Button
    keep: gr.Button
    naming: gr.Row
    name: gr.Textbox
    named: gr.Button
    unnamed: gr.Button
    chosen: gr.HTML
    compare: gr.Button
    wear: gr.Button  # for one style
    stroll: gr.Button
    export: gr.Button
    rename: gr.Button
    delete: gr.Button
    clear: gr.Button
    file: gr.DownloadButton
    marked: gr.State  # names of the styles whose deletion waits for a yes


def build_gallery_layout(own: bool) -> GalleryTab:
    """Place the components inside the current gr.Tab. `own`: the library belongs to the viewer, who may change it."""
    with gr.Row(elem_classes="gallery-head"):
        note = gr.HTML("", elem_id="gallery-note")
        upload = gr.UploadButton(
            "Import",
            size="sm",
            scale=0,
            min_width=78,
            file_count="single",  # of any kind: what it holds decides, and phones offer no file at all for an ending that they do not know
            type="filepath",
            visible=own,
            elem_id="gallery-import",
        )
        refresh = gr.Button("Refresh", size="sm", scale=0, min_width=78, elem_id="gallery-refresh")
    gr.HTML(f'<p class="quiet">{coded(_IMPORT_NOTE)}</p>', elem_id="gallery-import-note", visible=own)
    gr.Textbox(
        label="Find a style",
        show_label=False,
        container=False,
        placeholder="Find a style: name, hair, painting …",
        max_lines=1,
        max_length=60,
        elem_id="gallery-search",
    )
    cards = gr.HTML([], html_template="${cards}", cards=_LOADING, js_on_load=_PICK_SCRIPT, elem_id="gallery-cards")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=280, elem_classes="controls"):
            seeds = gr.Textbox(
                "3, 11, 27, 42",
                label="Faces",
                info=f"Seeds, at most {FACES_AT_ONCE}. A number always gives the same person; other numbers are other people.",
                max_lines=1,
                max_length=80,
                elem_id="gallery-seeds",
            )
            new = gr.Button("New faces", elem_id="gallery-new")
            archive = gr.DownloadButton("Download all as zip", interactive=False, elem_id="gallery-zip")
        with gr.Column(scale=9, min_width=300, elem_classes="stage"):
            bar = gr.HTML(progress_bar(_IDLE), elem_id="gallery-progress")
            sheet = gr.HTML(sheet_html(Sheet()), elem_id="gallery-sheet")
            with gr.Row(visible=False, elem_classes="film", elem_id="gallery-film-row") as film_row:
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
    # Last in the page and stuck to the window's lower edge: what can be done with the chosen cards is always at hand.
    with gr.Column(elem_classes="gallery-dock", elem_id="gallery-dock"):
        notice = gr.HTML("", elem_id="gallery-notice")
        with gr.Column(visible=False, elem_classes="gallery-sure", elem_id="gallery-sure") as sure:
            question = gr.HTML("")
            with gr.Row(elem_classes="actions"):
                really = gr.Button("Delete for good", variant="stop", min_width=130, elem_id="gallery-really")
                keep = gr.Button("Keep", min_width=90, elem_id="gallery-keep")
        with gr.Row(visible=False, elem_classes="actions gallery-naming", elem_id="gallery-naming") as naming:
            name = gr.Textbox(
                label="New name", show_label=False, container=False, max_lines=1, max_length=60, min_width=140, elem_id="gallery-name"
            )
            named = gr.Button("Save name", variant="primary", scale=0, min_width=110, elem_id="gallery-named")
            unnamed = gr.Button("Cancel", scale=0, min_width=90, elem_id="gallery-unnamed")
        with gr.Row(elem_classes="gallery-bar"):
            chosen = gr.HTML(chosen_html((), {}), js_on_load=_POLITE, elem_id="gallery-chosen")
            with gr.Row(elem_classes="gallery-acts"):
                compare = gr.Button("Compare", variant="primary", scale=0, min_width=0, elem_id="gallery-compare")
                wear = gr.Button("Wear on my photo", scale=0, min_width=0, visible=False, elem_id="gallery-wear")
                stroll = gr.Button("Film a walk", scale=0, min_width=0, elem_id="gallery-walk")
                export = gr.Button("Export", scale=0, min_width=0, elem_id="gallery-export")
                rename = gr.Button("Rename", scale=0, min_width=0, visible=False, elem_id="gallery-rename")
                delete = gr.Button("Delete", scale=0, min_width=0, visible=False, elem_id="gallery-delete")
                clear = gr.Button("Clear", scale=0, min_width=0, elem_id="gallery-clear")
        file = gr.DownloadButton("Download file", elem_id="gallery-file", visible="hidden")
    return GalleryTab(
        note, upload, refresh, cards, seeds, new, archive, bar, sheet, film_row, film, fetch_film, notice, sure, question, really, keep,
        naming, name, named, unnamed, chosen, compare, wear, stroll, export, rename, delete, clear, file, marked=gr.State([]),
    )  # fmt: skip


def chosen_html(names: Sequence[str], titles: Mapping[str, str]) -> str:
    """Return the chosen styles as tags; without any, what choosing is good for."""
    if not names:
        return '<div class="picked picked-none">Choose cards to compare, film or export.</div>'
    tags = "".join(f"<li>{escape(titles.get(name, style_title(name))[:60])}</li>" for name in names)
    most = f" <small>(at most {STYLES_AT_ONCE} can be compared)</small>" if len(names) > STYLES_AT_ONCE else ""
    return f'<div class="picked"><b>{len(names)} chosen{most}</b><ol>{tags}</ol></div>'
