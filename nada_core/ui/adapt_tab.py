"""The Adapt tab: a prompt on the left, four faces changing on the right; runs go on without the page and are found again by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from ..errors import NadaError
from .adapt_extras import read_extras, read_number, read_whole
from .adapt_form import build_form
from .adapt_keep import connect_keeping
from .adapt_run import AdaptRequest, AdaptView, read_seed, refused_view, run_adaptation
from .adapt_stage import build_stage
from .arrivals import arrived
from .context import AppContext
from .edit_run import OWN, style_choices
from .prompt_advice import advice
from .scripts import show_stage
from .session import Session, read_memory, write_memory
from .text import message_box, slug
from .training_facts import TrainingFacts
from .views import changes
from .worker import close_iterator

__all__ = ["AdaptTab", "build_adapt_tab"]

_WATCHERS = 96  # pages that may watch runs at once: more than can wait, so that nobody queues to be told their place


@dataclass(frozen=True)
class AdaptTab:
    """What the layout needs: components to fill when the page loads, and the handler that finds this browser's run again.

    `fit` makes the updates of `fitted` that offer what the loaded engine has.
    """

    chips: gr.HTML
    originals: list[gr.Image]
    previews: list[gr.Image]
    wear: gr.Button
    strength: gr.Slider  # of what was just made, to be worn at
    resume: Callable[[Any], Iterator[dict[Any, Any]]]
    outputs: list[Any]
    fit: Callable[[TrainingFacts], dict[Any, Any]]
    fitted: list[Any]


def build_adapt_tab(context: AppContext, session: Session) -> AdaptTab:
    """Build the tab inside the current gr.Tab and connect it. `session` holds what the tabs share (ids, the style dropdown)."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="controls"):
            form = build_form(_advice("Joker"), owned=not context.public)
        with gr.Column(scale=7, min_width=300, elem_classes="stage"):
            stage = build_stage(context.public)

    def show(view: AdaptView, owned: list[str], browser: str, turned: bool) -> dict[Any, Any]:
        update: dict[Any, Any] = {stage.bar: view.progress}
        if view.error and not view.job:  # nothing was started: what was made before stays as it is
            return update | {
                form.notice: message_box(view.error, "bad"),
                form.start: gr.update(interactive=True, value="Adapt"),
                form.stop: gr.update(interactive=False, value="Stop"),
            }
        if turned:  # the buttons change only when a run begins or ends: otherwise a pressed Stop would light up again
            update |= {
                session.job: view.job if view.running else "",
                form.notice: message_box(view.error, "bad") if view.error else "",
                form.start: gr.update(interactive=not view.running, value="Adapting…" if view.running else "Adapt"),
                form.stop: gr.update(interactive=view.running, value="Stop"),
                stage.kept: "",
            }
            update |= {button: gr.update(interactive=bool(view.style_id)) for button in (stage.save, stage.fetch, stage.wear)}
            job = context.jobs.find(view.job)
            update |= stage.scrubber(view, drawable=job is None or not job.request.photo)
            if view.job:
                mine = [*(key for key in owned if key != view.job), view.job]
                update |= {session.owned: mine, session.memory: write_memory(browser, mine)}
        if view.chart is not None:
            update[stage.chart] = view.chart
        for pictures, places in ((view.originals, stage.originals), (view.previews, stage.previews)):
            update.update(zip(places, pictures or (), strict=False))
        if view.style_id:
            update[session.current] = view.style_id
            choices = style_choices(context, [*owned, view.style_id])
            update[session.style] = gr.update(choices=choices, value=OWN + view.style_id)
            update[stage.name] = slug(view.prompt)
        return update

    def stream(views: Iterator[AdaptView], owned: list[str], browser: str, first: dict[Any, Any]) -> Iterator[dict[Any, Any]]:
        running: bool | None = None
        try:
            for view in views:
                turned, running = view.running != running or bool(view.error), view.running
                yield first | show(view, owned, browser, turned)
                first = {}
        finally:
            close_iterator(views)

    def adapt(
        text: str,
        count: float,
        layer: str,
        rate: float | None,
        origin: str,
        number: float | None,
        new: bool,
        faces: float = 2,
        variety: float = 0.8,
        images: list[str] | None = None,
        me: bool = False,
        photo: str = "",
        owned: list[str] | None = None,
        browser: str = "",
        job: str = "",
        request: gr.Request = None,  # type: ignore[assignment]  # Gradio puts it in
        *expert: Any,
    ) -> Iterator[dict[Any, Any]]:
        under_way = context.jobs.find(job)
        if under_way is not None and not under_way.finished:
            words = "An adaptation of yours is running already. Stop it first, or wait until it is done."
            yield {form.notice: message_box(words, "bad")}
            return
        if me and not photo:
            words = "There is no photo of yours yet. Upload one in the Stylise tab, or untick “Watch my own photo change”."
            yield {form.notice: message_box(words, "bad")}
            return
        used = read_seed(number, new)
        browser = browser or str(getattr(request, "session_hash", "") or "")
        try:
            wanted = AdaptRequest(
                text,
                read_whole("steps", count),
                read_number("lr", rate or 0) or None,
                layer,
                used,
                (origin or "").strip()[:60] or "face",
                read_whole("batch", faces),
                read_number("truncation_psi", variety),
                photo if me else "",
                tuple(images or ()),
                read_extras(expert),
            )
            views = run_adaptation(context, wanted, browser, arrived(request))
        except NadaError as error:
            views = iter((refused_view(error),))
        yield from stream(views, list(owned or ()), browser, {form.seed: used})

    def resume(remembered: Any, page: str = "") -> Iterator[dict[Any, Any]]:
        """A page has just been loaded: give it back the styles of its browser, and the newest run, whether it goes on or is over."""
        browser, keys = read_memory(remembered)
        known = [key for key in keys if context.jobs.find(key) is not None or key in context.shelf]
        first: dict[Any, Any] = {session.browser: browser, session.owned: known, session.memory: write_memory(browser, known)}
        found = [job for job in map(context.jobs.find, known) if job is not None]
        jobs = [job for job in found if not job.finished or job.ended > context.since]  # another world's faces would not fit the page
        if not jobs:
            if known:
                first[session.style] = gr.update(choices=style_choices(context, known))
            yield first
            return
        job = next((job for job in jobs if not job.finished), jobs[-1])
        asked = job.request
        first |= {form.prompt: asked.prompt, form.seed: asked.seed, form.steps: asked.steps, form.layers: asked.layers}
        first |= {form.source: asked.source, form.batch: asked.batch, form.lr: asked.lr or 0, form.fresh: False}
        if asked.truncation is not None:
            first[form.truncation] = asked.truncation
        left = context.pages.recall(page)
        chosen_since = job.finished and left is not None and left.edit is not None and left.when > job.ended
        try:
            for update in stream(changes(context.jobs.watch(job.id)), known, browser, first):
                if chosen_since and session.style in update:
                    update[session.style].pop("value", None)
                yield update
        except NadaError:  # how it ended stands beside the prompt; a toast on arrival would only startle
            return

    outputs = [
        stage.bar,
        session.job,
        form.seed,
        form.start,
        form.stop,
        form.notice,
        stage.kept,
        stage.chart,
        *stage.originals,
        *stage.previews,
        stage.slider,
        stage.suggest,
        stage.words,
        stage.strength,
        stage.save,
        stage.fetch,
        stage.wear,
        session.owned,
        session.current,
        session.style,
        session.memory,
        stage.name,
    ]
    shared = [form.me, session.photo, session.owned, session.browser, session.job]
    gr.on(
        [form.start.click, form.prompt.submit],
        adapt,
        [form.prompt, *form.usual, *shared, *form.expert.inputs],
        outputs,
        api_visibility="private",
        show_progress="hidden",
        concurrency_limit=_WATCHERS,
        concurrency_id="adapt",
        trigger_mode="once",
        js=show_stage("adapt-progress"),
    )

    def halt(job: str) -> dict[Any, Any]:
        asked = context.jobs.cancel(job)
        return {form.stop: gr.update(interactive=False, value="Stopping…" if asked else "Stop")}

    quiet: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
    form.stop.click(halt, [session.job], [form.stop], **quiet)

    defaults = {setting: setting.value for setting in form.settings}

    def reset_settings() -> dict[Any, Any]:
        own = {form.truncation: context.open()[1].training.own_truncation} if context.is_open else {}
        return defaults | own

    form.reset.click(reset_settings, None, form.settings, **quiet)

    def advise(prompt: str) -> str:
        return _advice(prompt, context.is_open and bool(context.open()[1].concepts))

    form.prompt.change(advise, [form.prompt], [form.advice], trigger_mode="always_last", **quiet)

    connect_keeping(context, session, stage)
    return AdaptTab(
        form.chips,
        stage.originals,
        stage.previews,
        stage.wear,
        stage.strength,
        resume,
        [*outputs, session.browser, *form.restored],
        form.fit,
        form.fitted,
    )


def _advice(prompt: str, known: bool = False) -> str:
    return f'<p class="advice">{escape(advice(prompt, known)) or "&nbsp;"}</p>'
