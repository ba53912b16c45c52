"""Build the button below the chips that brings CLIP for words not known here, and connect it: then the same prompt runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.ui.html.text import message_box
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.page.patches.request_times import arrived
from nada_core.ui.page.shared_components import QUIET, Session, session_of, write_memory
from nada_core.ui.server.clip_on_demand import clip_offer, take_clip
from nada_core.ui.server.context import AppContext
from nada_core.ui.tabs.adapt.read_settings import read_request
from nada_core.ui.tabs.adapt.run import read_seed, start_adaptation

__all__ = ["ClipOffer", "build_clip_offer", "connect_clip_offer"]

_STOPPED = "Stopped. What has arrived is kept, and the next press goes on from there."
_RELOAD = "(done) => { if (done) window.location.reload(); }"  # as after any change of the world: other sizes, styles, settings


@dataclass(frozen=True)
class ClipOffer:
    """Hold the offer's components, all of them hidden until there is something to offer."""

    take: gr.Button
    stop: gr.Button
    status: gr.HTML
    done: gr.Textbox  # what was started; never shown


def build_clip_offer() -> ClipOffer:
    """Build the components inside the current gr.Column. Not for public servers."""
    take = gr.Button("", visible=False, size="sm", elem_id="take-clip")
    status = gr.HTML("", visible=False, elem_id="clip-status")
    stop = gr.Button("Stop the download", visible=False, size="sm", elem_id="stop-clip")
    return ClipOffer(take, stop, status, gr.Textbox(visible=False))


def connect_clip_offer(context: AppContext, session: Session, offer: ClipOffer, inputs: dict[str, Any]) -> None:
    """Connect the offer to the prompt box; ``inputs`` are what Adapt sends, by name."""
    stopping = threading.Event()  # of the one download there can be
    prompt = inputs["prompt"]

    def show_offer(prompt: str | None) -> dict[str, Any]:
        words = clip_offer(context, prompt)
        return gr.update(value=words, visible=bool(words))

    def fetch_clip(request: gr.Request, **sent: Any) -> Iterator[dict[Any, Any]]:
        stopping.clear()
        changed = False
        yield {offer.take: gr.update(visible=False)}
        try:
            asked = read_request(sent, read_seed(sent["seed"], sent["fresh"]))
            before = context.open()[1].training
            with closing(take_clip(context)) as steps:
                for progress in steps:
                    if stopping.is_set():
                        raise NadaError(_STOPPED)
                    yield {
                        offer.status: gr.update(value=progress_bar(progress), visible=True),
                        offer.stop: gr.update(visible=progress.fraction < 1),
                    }
            changed = True
            if asked.steps == before.own_steps:  # left alone: CLIP has another number of its own
                asked = replace(asked, steps=context.open()[1].training.own_steps)
            browser = sent["browser"] or session_of(request)
            job = start_adaptation(context, asked, browser, arrived(request))
        except NadaError as error:
            words = f"{error} CLIP reads the words from now on: reload the page." if changed else str(error)
            said = message_box(words, "info" if stopping.is_set() else "bad")
            yield {
                offer.status: gr.update(value=said, visible=True),
                offer.stop: gr.update(visible=False),
                offer.take: show_offer(sent["prompt"]),
            }
            return
        mine = [*(sent["owned"] or ()), job.id]
        yield {
            offer.status: gr.update(value=message_box("Ready. The page is loaded again.", "good"), visible=True),
            offer.stop: gr.update(visible=False),
            session.memory: write_memory(browser, mine),
            offer.done: job.id,
        }

    def stop_clip() -> dict[str, Any]:
        stopping.set()
        return gr.update(visible=False)

    quiet: dict[str, Any] = {"queue": False, **QUIET}
    prompt.change(show_offer, [prompt], [offer.take], trigger_mode="always_last", **quiet)
    offer.stop.click(stop_clip, None, [offer.stop], **quiet)
    offer.take.click(
        fetch_clip,
        outputs=[offer.take, offer.stop, offer.status, offer.done, session.memory],
        inputs_kwargs=inputs,
        concurrency_limit=1,
        concurrency_id="world",  # not beside the form that changes the world
        trigger_mode="once",
        **QUIET,
    ).success(None, [offer.done], None, js=_RELOAD)
