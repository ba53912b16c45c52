"""Build "Make it live": train a student of the run's style in the line of jobs, so that photos wear it at once."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.ui.html.text import message_box
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.views import Progress
from nada_core.ui.jobs.watching import TICK
from nada_core.ui.page.shared_components import QUIET, Session
from nada_core.ui.server.context import AppContext
from nada_core.ui.wording import duration, waiting_words

if TYPE_CHECKING:
    from nada_core.students.distil import DistilStep
    from nada_core.styles.files import Style
    from nada_core.ui.app_engine import AppEngine

__all__ = ["MakeLive", "build_make_live", "connect_make_live", "live_steps"]

#: A student that makes less than this share of the change of colours is not offered.
GOOD = 0.4
_LIVE = "Live: Stylise shows a photo in this style at once, before the generator has begun."
_POOR = (
    "“{prompt}” cannot be made live: a small network draws it too unlike the generator (it makes {share:.0%} of the change). "
    "Stylise wears it the generator's way."
)
_STOP = "Stop learning"
_EARLY = "Stopped before anything was learnt. Make it live begins again."
_STOPPED = "Stopped early, and what was learnt is kept: Stylise shows a photo in this style at once, less exactly."


@dataclass(frozen=True)
class MakeLive:
    """Hold the components."""

    make: gr.Button
    stop: gr.Button
    status: gr.HTML


def build_make_live() -> MakeLive:
    """Build the components inside the current gr.Column. Not for public servers, which keep nothing."""
    with gr.Row(elem_classes="keep", elem_id="make-live-row"):
        make = gr.Button("Make it live", interactive=False, size="sm", elem_id="make-live")
        stop = gr.Button(_STOP, visible=False, size="sm", elem_id="stop-live")
    return MakeLive(make, stop, gr.HTML("", visible=False, elem_id="live-status"))


def live_steps(context: AppContext, key: str, owned: list[str], stopping: threading.Event) -> Generator[tuple[Progress, str], None, None]:
    """Train the student of an unsaved style when its turn comes, and keep it; yield progress, then what came of it in words.

    Raises:
        StyleError: the style is not kept any more.
    """
    entry = context.shelf.get(key, owned)
    engine, _ = context.open()
    yield Progress(0, "Waiting for the generator", kind="wait"), ""
    last: DistilStep | None = None
    if context.crew is not None:
        with closing(context.crew.learn(context, entry.style, stopping.is_set)) as steps:
            for last in steps:
                yield _learning(last), ""
    if last is None or (last.student is None and not stopping.is_set()):
        last = yield from _learnt_here(context, engine, entry.style, stopping)
    student = None if last is None else last.student
    if student is None:
        yield Progress(0, "Stopped", kind="wait"), _EARLY
        return
    figures = student.card.figures
    if figures and figures["explained"] < GOOD:
        yield Progress(1, "Not made live", kind="bad"), _POOR.format(prompt=entry.prompt, share=max(figures["explained"], 0.0))
        return
    context.worker.run(partial(engine.students.keep, student))
    yield Progress(1, "Done", kind="good"), _LIVE if figures else _STOPPED


def _learnt_here(
    context: AppContext, engine: AppEngine, style: Style, stopping: threading.Event
) -> Generator[tuple[Progress, str], None, DistilStep | None]:
    """Train the student in this process when its turn comes; return the last step."""
    last: DistilStep | None = None
    with context.join(engine) as turn:
        while not turn.wait(TICK):
            if stopping.is_set():
                break
            yield Progress(0, waiting_words(turn.ahead), kind="wait"), ""
        else:
            with closing(context.worker.steps(partial(engine.distil, style))) as steps:
                for step in steps:
                    last = step
                    if stopping.is_set():
                        break
                    yield _learning(step), ""
    return last


def _learning(step: DistilStep) -> Progress:
    words = step.stage[:1].upper() + step.stage[1:]
    return Progress(step.fraction, words, f"about {duration(step.left)} left", kind="run")


def connect_make_live(context: AppContext, session: Session, live: MakeLive) -> None:
    """Connect the button to the style of the run on show."""
    stopping: dict[str, threading.Event] = {}  # by style

    def offered(key: str, owned: list[str]) -> dict[Any, Any]:
        there = key in (owned or ()) and key in context.shelf
        return {live.make: gr.update(interactive=there and key not in stopping), live.status: gr.update(value="", visible=False)}

    def make_live(key: str, owned: list[str]) -> Iterator[dict[Any, Any]]:
        if key in stopping:  # in another window of this browser
            return
        event = stopping[key] = threading.Event()

        def shown(html: str, running: bool, again: bool) -> dict[Any, Any]:
            """Say all of it every time: of several updates within one frame the page takes the last alone."""
            return {
                live.make: gr.update(interactive=again),
                live.stop: gr.update(visible=running, interactive=not event.is_set(), value="Stopping…" if event.is_set() else _STOP),
                live.status: gr.update(value=html, visible=bool(html)),
            }

        html, again = "", True
        yield shown(html, True, False)
        try:
            with closing(live_steps(context, key, owned or [], event)) as steps:
                for progress, words in steps:
                    html, again = (
                        progress_bar(progress) + (message_box(words, "good" if progress.kind == "good" else "info") if words else ""),
                        words != _LIVE,
                    )
                    yield shown(html, not words, False)
        except NadaError as error:
            html = message_box(str(error), "bad")
        finally:
            stopping.pop(key, None)
        yield shown(html, False, again)

    def stop_learning(key: str) -> dict[str, Any]:
        if key in stopping:
            stopping[key].set()
        return gr.update(interactive=False, value="Stopping…")

    mine, quiet = [session.current, session.owned], {"queue": False, **QUIET}
    session.current.change(offered, mine, [live.make, live.status], **quiet)
    live.make.click(
        make_live, mine, [live.make, live.stop, live.status], concurrency_limit=24, concurrency_id="live", trigger_mode="once", **QUIET
    )
    live.stop.click(stop_learning, [session.current], [live.stop], **quiet)
