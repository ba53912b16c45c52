"""Build the Adapt tab: a prompt left, four changing faces right; runs go on without the page, which finds them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.system.files import slug
from nada_core.ui.html.prompt_chips import reading_line
from nada_core.ui.html.text import message_box
from nada_core.ui.html.widgets import loss_chart, progress_bar
from nada_core.ui.jobs.job import Job
from nada_core.ui.jobs.watching import changes
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.page.patches.request_times import arrived
from nada_core.ui.page.scripts import show_stage
from nada_core.ui.page.share_scripts import COPY_PROMPT_LINK
from nada_core.ui.page.shared_components import QUIET, Session, read_memory, session_of, write_memory
from nada_core.ui.server.context import AppContext
from nada_core.ui.server.training_facts import TrainingFacts
from nada_core.ui.style_menu.choices import OWN, style_choices
from nada_core.ui.tabs.adapt.clip_offer import connect_clip_offer
from nada_core.ui.tabs.adapt.cut_off import show_cut_off
from nada_core.ui.tabs.adapt.finished import connect_keeping
from nada_core.ui.tabs.adapt.form import build_form
from nada_core.ui.tabs.adapt.make_live import connect_make_live
from nada_core.ui.tabs.adapt.read_settings import read_request
from nada_core.ui.tabs.adapt.run import AdaptView, read_seed, refused_view, run_adaptation, run_to_continue
from nada_core.ui.tabs.adapt.stage import build_stage

__all__ = ["AdaptTab", "build_adapt_tab"]

_WATCHERS = 96  # pages that may watch runs at once: more than can wait, so that nobody queues to be told their place
_WHOLE = 3  # views in which all that changes with the beginning of a run is said: the browser may leave some out


@dataclass(frozen=True)
class AdaptTab:
    """Hold what the page layout needs: components to fill on loading, and the handler that finds this browser's run again.

    `fit` updates `fitted` to offer what the loaded engine has.
    """

    prompt: gr.Textbox
    chips: gr.HTML
    originals: list[gr.Image]
    previews: list[gr.Image]
    worn: Any  # the event after which the style just made is to be worn on a photo
    strength: gr.Slider  # at which the style just made is worn
    resume: Callable[[Any], Iterator[dict[Any, Any]]]
    outputs: list[Any]
    fit: Callable[[TrainingFacts], dict[Any, Any]]
    fitted: list[Any]


def build_adapt_tab(context: AppContext, session: Session) -> AdaptTab:
    """Build the tab inside the current gr.Tab and connect it. `session` holds what the tabs share (ids, the style dropdown)."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=4, min_width=300, elem_classes="controls"):
            form = build_form(reading_line("Joker"), owned=not context.public)
        with gr.Column(scale=7, min_width=300, elem_classes="stage"):
            stage = build_stage(context.public)

    def show(view: AdaptView, owned: list[str], browser: str, turned: bool, fresh: bool) -> dict[Any, Any]:
        update: dict[Any, Any] = {stage.bar: progress_bar(view.progress)}
        if view.error and not view.job:  # nothing was started: what was made before stays as it is
            return update | {
                form.notice: message_box(view.error, "bad"),
                form.start: gr.update(interactive=True, value="Adapt"),
                form.stop: gr.update(interactive=False, value="Stop"),
            }
        job = context.jobs.find(view.job)
        stopping = view.running and job is not None and job.stop.is_set()
        # in every view: of several that come within one frame the browser takes the last one alone
        words = "Adapting…" if view.running else "Continue" if view.goes_on else "Adapt"
        update[form.start] = gr.update(interactive=not view.running, value=words)
        update[form.stop] = gr.update(interactive=view.running and not stopping, value="Stopping…" if stopping else "Stop")
        if fresh:
            update |= {
                session.job: view.job if view.running else "",
                form.notice: message_box(view.error, "bad") if view.error else "",
                stage.kept: "",
            }
            update |= {button: gr.update(interactive=bool(view.style_id)) for button in (stage.save, stage.fetch, stage.wear)}
            update |= stage.scrubber(view, drawable=job is None or not job.request.photo)
            if view.job and turned:
                mine = [*(key for key in owned if key != view.job), view.job]
                update |= {session.owned: mine, session.memory: write_memory(browser, mine)}
        if view.chart is not None:
            update[stage.chart] = loss_chart(view.chart)
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
        fresh = 0
        try:
            for view in views:
                turned, running = view.running != running or bool(view.error), view.running
                fresh = _WHOLE if turned else fresh - 1
                yield first | show(view, owned, browser, turned, fresh > 0)
                first = {}
        finally:
            close_iterator(views)

    def stopped_run(sent: dict[str, Any]) -> Job | None:
        """Return the run that the button continues with what the page has now. Raises OptionsError."""
        if sent["current"] not in (sent["owned"] or ()):
            return None
        wanted = read_request(sent, read_seed(sent["seed"], False))
        return run_to_continue(context, sent["current"], wanted, any_seed=bool(sent["fresh"]))

    def relabel(**sent: Any) -> dict[str, Any]:
        """Name the button after what it would do, once something was changed."""
        under_way = context.jobs.find(sent["job"])
        if under_way is not None and not under_way.over:
            return gr.skip()
        try:
            return gr.update(value="Continue" if stopped_run(sent) else "Adapt")
        except NadaError:  # it is said when the button is pressed
            return gr.update(value="Adapt")

    def adapt(request: gr.Request, **sent: Any) -> Iterator[dict[Any, Any]]:
        under_way = context.jobs.find(sent["job"])
        if under_way is not None and not under_way.over:
            words = "An adaptation of yours is running already. Stop it first, or wait until it is done."
            yield {form.notice: message_box(words, "bad")}
            return
        if sent["me"] and not sent["photo"]:
            words = "There is no photo of yours yet. Upload one in the Stylise tab, or untick “Watch my own photo change”."
            yield {form.notice: message_box(words, "bad")}
            return
        used = read_seed(sent["seed"], sent["fresh"])
        browser = sent["browser"] or session_of(request)
        try:
            wanted = read_request(sent, used)
            if earlier := stopped_run(sent):
                wanted = replace(wanted, seed=(used := earlier.request.seed), resume=earlier.id)
            views = run_adaptation(context, wanted, browser, arrived(request))
        except NadaError as error:
            views = iter((refused_view(error),))
        yield from stream(views, list(sent["owned"] or ()), browser, {form.seed: used})

    def resume(remembered: Any, page: str = "", linked: str = "") -> Iterator[dict[Any, Any]]:
        """Give a page just loaded the styles of its browser, and the newest run, whether it goes on or is over.

        The prompt of a link that the page came by, ``linked``, stays.
        """
        for update in resumed(remembered, page):
            yield {field: value for field, value in update.items() if not linked or field is not form.prompt}

    def resumed(remembered: Any, page: str) -> Iterator[dict[Any, Any]]:
        browser, keys = read_memory(remembered)
        # also the run whose beginning this browser never heard of, because the connection broke just then
        keys += [job.id for job in context.jobs.all() if job.browser == browser and job.id not in keys]
        known = [key for key in keys if context.jobs.find(key) is not None or key in context.shelf]
        first: dict[Any, Any] = {session.browser: browser, session.owned: known, session.memory: write_memory(browser, known)}
        found = [job for job in map(context.jobs.find, known) if job is not None]
        jobs = [job for job in found if not job.over or job.ended > context.since]  # another world's faces would not fit the page
        if not jobs:
            if known:
                first[session.style] = gr.update(choices=style_choices(context, known))
            yield first | show_cut_off(context, session, form, stage, keys, known)
            return
        job = next((job for job in jobs if not job.over), jobs[-1])
        asked = job.request
        first |= {form.prompt: asked.prompt, form.seed: asked.seed, form.steps: asked.steps, form.layers: asked.layers}
        first |= {form.source: asked.source, form.batch: asked.batch, form.lr: asked.lr or 0, form.fresh: False}
        if asked.truncation is not None:
            first[form.truncation] = asked.truncation
        left = context.pages.recall(page)
        chosen_since = job.over and left is not None and left.edit is not None and left.when > job.ended
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
    shared = {"me": form.me, "photo": session.photo, "owned": session.owned, "browser": session.browser, "job": session.job}
    shared["current"] = session.current
    inputs = {"prompt": form.prompt, **form.usual, **shared, **form.expert.inputs}
    gr.on(
        [form.start.click, form.prompt.submit],
        adapt,
        outputs=outputs,
        inputs_kwargs=inputs,
        **QUIET,
        concurrency_limit=_WATCHERS,
        concurrency_id="adapt",
        trigger_mode="once",
        js=show_stage("adapt-progress"),
    )

    def halt(job: str) -> dict[Any, Any]:
        asked = context.jobs.cancel(job)
        return {form.stop: gr.update(interactive=False, value="Stopping…" if asked else "Stop")}

    quiet: dict[str, Any] = {"queue": False, **QUIET}
    form.stop.click(halt, [session.job], [form.stop], **quiet)

    defaults = {setting: setting.value for setting in form.settings}

    def reset_settings() -> dict[Any, Any]:
        if not context.is_open:
            return defaults
        own = context.open()[1].training
        return defaults | {form.truncation: own.own_truncation, form.steps: own.own_steps}

    form.reset.click(reset_settings, None, form.settings, **quiet)

    def advise(prompt: str) -> str:
        return reading_line(prompt if context.is_open and context.open()[1].concepts else None)

    changed = [form.prompt.change, *(setting.input for setting in form.settings if hasattr(setting, "input"))]
    gr.on(changed, relabel, outputs=[form.start], inputs_kwargs=inputs, trigger_mode="always_last", **quiet)
    form.prompt.change(advise, [form.prompt], [form.advice], trigger_mode="always_last", **quiet)

    if form.clip is not None:
        connect_clip_offer(context, session, form.clip, inputs)
    if stage.live is not None:
        connect_make_live(context, session, stage.live)
    worn = connect_keeping(context, session, stage)
    stage.link.click(None, [form.prompt], [stage.kept], js=COPY_PROMPT_LINK)
    return AdaptTab(
        form.prompt,
        form.chips,
        stage.originals,
        stage.previews,
        worn,
        stage.strength,
        resume,
        [*outputs, session.browser, *form.restored],
        form.fit,
        form.fitted,
    )
