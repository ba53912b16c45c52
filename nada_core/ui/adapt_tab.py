"""The Adapt tab: a prompt on the left, four faces changing on the right."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import NadaError
from .adapt_run import AdaptRequest, AdaptView, read_seed, run_adaptation
from .context import AppContext, close_iterator
from .edit_run import OWN, style_choices
from .session import SHOW_STAGE, Session
from .text import chips, message_box, slug
from .widgets import loss_chart, progress

__all__ = ["AdaptTab", "build_adapt_tab"]

FACES = 4
_IDLE = progress(0, "Ready when you are", "", note="The same four faces for every look, so you see only the style change.")

# A chip writes its word into the prompt box as if it had been typed; done in the page, so it costs no round trip.
_CHIP_SCRIPT = """
element.addEventListener('click', (event) => {
  const chip = event.target.closest('button.chip');
  if (!chip) return;
  const box = document.querySelector('#prompt textarea, #prompt input');
  const proto = box.tagName === 'TEXTAREA' ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
  Object.getOwnPropertyDescriptor(proto, 'value').set.call(box, chip.dataset.prompt);
  box.dispatchEvent(new Event('input', { bubbles: true }));
  box.focus({ preventScroll: true });
});
"""


class AdaptTab:
    """The tab's components, for the layout to fill when the page loads."""

    chips: gr.HTML
    originals: list[gr.Image]
    previews: list[gr.Image]


def build_adapt_tab(context: AppContext, session: Session) -> AdaptTab:
    """Build the tab inside the current gr.Tab and connect it. `session` holds what the tabs share (ids, the style dropdown)."""
    tab = AdaptTab()
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="controls"):
            prompt = gr.Textbox(label="Turn faces into", value="Joker", placeholder="Joker", max_lines=1, max_length=200, elem_id="prompt")
            with gr.Row(elem_classes="actions"):
                start = gr.Button("Adapt", variant="primary", scale=3, min_width=120, elem_id="adapt")
                stop = gr.Button("Stop", interactive=False, scale=1, min_width=90, elem_id="stop")
            notice = gr.HTML("", elem_id="adapt-notice")
            tab.chips = gr.HTML(chips(()), js_on_load=_CHIP_SCRIPT, elem_id="chips")
            with gr.Accordion("Settings", open=False, elem_id="settings"):
                steps = gr.Slider(5, 300, 60, step=1, label="Steps", info="More steps, stronger style; too many and the people are lost.")
                layers = gr.Dropdown(
                    [("All", "all"), ("Shape only", "shape"), ("Texture only", "texture"), ("Colour only", "colour")],
                    value="all",
                    label="Layers that learn",
                )
                lr = gr.Number(
                    0, label="Learning rate", info="0 takes the value that suits this generator.", minimum=0, maximum=0.05, step=0.0001
                )
                source = gr.Textbox(
                    "face", label="Starting from", info="The word for what the generator makes now.", max_lines=1, max_length=60
                )
                with gr.Row():
                    seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1, min_width=120, elem_id="seed")
                    fresh = gr.Checkbox(True, label="New seed each run", min_width=120)
        with gr.Column(scale=7, min_width=300, elem_classes="stage"):
            with gr.Row(elem_classes="faces", elem_id="faces"):
                tab.originals = [_face(f"Generated face {i + 1} before the adaptation", f"before-{i}", "before") for i in range(FACES)]
                tab.previews = [_face(f"Generated face {i + 1} with the style so far", f"after-{i}", "after") for i in range(FACES)]
            bar = gr.HTML(_IDLE, elem_id="adapt-progress")
            chart = gr.HTML(loss_chart((), 60), elem_id="loss")
            with gr.Row(elem_classes="keep", elem_id="keep"):
                name = gr.Textbox(
                    label="Name", placeholder="my-joker", max_lines=1, max_length=60, scale=3, min_width=140, visible=not context.public
                )
                save = gr.Button("Save style", interactive=False, scale=2, min_width=110, elem_id="save", visible=not context.public)
                fetch = gr.Button("Download file", interactive=False, scale=2, min_width=110, elem_id="fetch-style")
                file = gr.DownloadButton("Download file", elem_id="style-file", visible="hidden")
                wear = gr.Button("Try it on a photo", interactive=False, scale=2, min_width=150, elem_id="wear")
            kept = gr.HTML("", elem_id="kept")

    def show(view: AdaptView, owned: list[str], used: int, turned: bool) -> dict[Any, Any]:
        update: dict[Any, Any] = {bar: view.progress}
        if turned:  # the buttons change only when a run begins or ends: otherwise a pressed Stop would light up again
            update |= {
                session.job: view.job if view.running else "",
                seed: used,
                notice: message_box(view.error, "bad") if view.error else "",
                start: gr.update(interactive=not view.running, value="Adapting…" if view.running else "Adapt"),
                stop: gr.update(interactive=view.running, value="Stop"),
                kept: "",
            }
            update |= {button: gr.update(interactive=bool(view.style_id)) for button in (save, fetch, wear)}
        if view.chart is not None:
            update[chart] = view.chart
        for pictures, places in ((view.originals, tab.originals), (view.previews, tab.previews)):
            update.update(zip(places, pictures or (), strict=False))
        if view.style_id:
            update[session.owned] = [*owned, view.style_id]
            update[session.current] = view.style_id
            update[session.style] = gr.update(choices=style_choices(context, [*owned, view.style_id]), value=OWN + view.style_id)
            update[name] = slug(view.prompt)
        return update

    def adapt(
        text: str, count: float, layer: str, rate: float | None, origin: str, number: float | None, new: bool, owned: list[str]
    ) -> Iterator[dict[Any, Any]]:
        used = read_seed(number, new)
        request = AdaptRequest(text, int(count), rate or None, layer, used, (origin or "").strip()[:60] or "face")
        views = run_adaptation(context, request)
        failed, running = "", False
        try:
            for view in views:
                failed, turned, running = view.error, view.running != running or bool(view.error), view.running
                yield show(view, owned, used, turned)
        finally:
            close_iterator(views)
        if failed:
            raise gr.Error(escape(failed), title="Not adapted", duration=6, print_exception=False)

    outputs = [
        bar,
        session.job,
        seed,
        start,
        stop,
        notice,
        kept,
        chart,
        *tab.originals,
        *tab.previews,
        save,
        fetch,
        wear,
        session.owned,
        session.current,
        session.style,
        name,
    ]
    gr.on(
        [start.click, prompt.submit],
        adapt,
        [prompt, steps, layers, lr, source, seed, fresh, session.owned],
        outputs,
        api_name="adapt",
        api_visibility="undocumented",
        show_progress="hidden",
        concurrency_limit=16,
        concurrency_id="adapt",
        trigger_mode="once",
        js=SHOW_STAGE.format("#adapt-progress"),
    )

    def halt(job: str) -> dict[Any, Any]:
        asked = context.stop(job)
        return {stop: gr.update(interactive=False, value="Stopping…" if asked else "Stop")}

    stop.click(halt, [session.job], [stop], queue=False, api_visibility="private", show_progress="hidden")

    def store(key: str, owned: list[str], wanted: str) -> dict[Any, Any]:
        try:
            if context.public:
                raise NadaError("On a public server styles are not stored; download the file instead.")
            entry = context.shelf.get(key, owned)
            engine, _ = context.open()
            saved = engine.save_style(entry.style, (wanted or "").strip()[:60] or slug(entry.prompt))
        except NadaError as error:
            raise gr.Error(escape(str(error)), title="Not saved", print_exception=False) from None
        return {
            kept: message_box(f"Saved as “{saved}”. It is in the list of the Stylise tab from now on.", "good"),
            save: gr.update(interactive=False),
            session.style: gr.update(choices=style_choices(context, owned), value=saved),
        }

    save.click(
        store,
        [session.current, session.owned, name],
        [kept, save, session.style],
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=2,
    )

    def export(key: str, owned: list[str]) -> Iterator[dict[Any, Any]]:
        try:
            entry = context.shelf.get(key, owned)
            with tempfile.TemporaryDirectory(prefix="nada-style-") as folder:  # Gradio takes its own copy when the value is delivered
                path = Path(folder) / f"{slug(entry.prompt)}.safetensors"
                context.backend.export(entry.style, path)
                yield {file: str(path)}
        except NadaError as error:
            raise gr.Error(escape(str(error)), title="Not downloaded", print_exception=False) from None

    fetch.click(
        export, [session.current, session.owned], [file], api_visibility="private", show_progress="hidden", concurrency_limit=2
    ).success(
        None, None, None, js="() => { const a = document.querySelector('#style-file'); (a.querySelector('a, button') || a).click(); }"
    )
    wear.click(lambda: gr.Tabs(selected="stylise"), None, [session.tabs], queue=False, api_visibility="private", show_progress="hidden")
    return tab


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
