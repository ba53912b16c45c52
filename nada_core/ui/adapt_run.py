"""One adaptation as the page sees it: wait for a turn, iterate the engine, stop, keep what there is. No Gradio in here."""

from __future__ import annotations

import logging
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import NadaError
from .context import AppContext, close_iterator
from .previews import write_faces
from .shelf import ShelvedStyle, new_id
from .text import clean_prompt, duration
from .widgets import loss_chart, progress

__all__ = ["AdaptRequest", "AdaptView", "read_seed", "run_adaptation"]

log = logging.getLogger(__name__)
_TICK = 1.0  # seconds between signs of life while waiting; also how late a closed page is noticed
_MIN_GAP = 0.25  # seconds between updates, so that a fast GPU does not flood the browser


@dataclass(frozen=True)
class AdaptRequest:
    """What the person asked for."""

    prompt: str
    steps: int = 60
    lr: float | None = None  # None: the generator family's own default
    layers: str = "all"
    seed: int = 0
    source: str = "face"


@dataclass(frozen=True)
class AdaptView:
    """What the page should show now. None means unchanged."""

    phase: str  # "wait" | "run" | "done" | "stopped" | "failed"
    progress: str
    chart: str | None = None
    originals: tuple[str, ...] | None = None
    previews: tuple[str, ...] | None = None
    job: str = ""
    style_id: str = ""
    prompt: str = ""
    error: str = ""

    @property
    def running(self) -> bool:
        """True while Stop makes sense."""
        return self.phase in ("wait", "run")


def read_seed(value: float | int | None, fresh: bool) -> int:
    """The seed to use: a new one when asked for or when the field is empty, else the given one as a non-negative integer."""
    if fresh or value is None:
        return secrets.randbelow(2**31)
    return int(value) % 2**31


def run_adaptation(context: AppContext, request: AdaptRequest) -> Iterator[AdaptView]:
    """Yield views until the adaptation is done, stopped or refused; a failure is the last view, with a readable `error`.

    Closing the iterator (a closed page) closes the engine's, keeps the style so far on the shelf and gives the turn back.
    """
    job = new_id()
    flag = context.stops[job] = threading.Event()
    try:
        yield from _guarded(context, request, job, flag)
    finally:
        context.stops.pop(job, None)


def _guarded(context: AppContext, request: AdaptRequest, job: str, flag: threading.Event) -> Iterator[AdaptView]:
    try:
        yield from _adapt(context, request, job, flag)
    except NadaError as error:
        yield AdaptView(
            "failed", progress(0, "Not started", kind="bad", note="See the message under the prompt."), job=job, error=str(error)
        )
    except Exception:  # a bug, not the person's doing: the log gets the traceback, the page a sentence
        log.exception("adaptation failed")
        sentence = "Something went wrong on the server and this adaptation was ended. Please try again; the server's log has the details."
        yield AdaptView("failed", progress(0, "Ended early", kind="bad"), job=job, error=sentence)


def _adapt(context: AppContext, request: AdaptRequest, job: str, flag: threading.Event) -> Iterator[AdaptView]:
    prompt = clean_prompt(request.prompt)
    view = AdaptView("wait", progress(0, "Getting the generator ready", kind="wait"), loss_chart((), request.steps), job=job, prompt=prompt)
    yield view
    engine, world = context.open()
    values: dict[str, Any] = {"steps": request.steps, "layers": request.layers, "seed": request.seed, "source": request.source or "face"}
    if request.lr is not None:
        values["lr"] = request.lr
    options = context.backend.options(**values)
    with context.line.join() as turn:
        if not turn.wait(0):
            # Checked at once: nobody queues only to hear that the prompt is unknown. Made again later: waiting holds no memory.
            close_iterator(engine.adapt(prompt, options=options))
        while not turn.wait(_TICK):
            if flag.is_set():
                yield replace(view, phase="stopped", progress=progress(0, "Stopped before it began"), originals=world.originals)
                return
            words = f"Waiting: {_jobs(turn.ahead)} ahead of you"
            yield replace(view, progress=progress(0, words, kind="wait"), originals=world.originals)
        yield replace(view, progress=progress(0, f"Starting “{prompt}”", kind="wait"), originals=world.originals)
        steps = engine.adapt(prompt, options=options)
        yield replace(view, progress=progress(0, f"Starting “{prompt}”", kind="wait"), previews=world.originals)
        try:
            yield from _watch(context, view, flag, steps)
        finally:
            close_iterator(steps)


def _jobs(count: int) -> str:
    return f"{count} job" if count == 1 else f"{count} jobs"


def _watch(context: AppContext, view: AdaptView, flag: threading.Event, steps: Iterator[Any]) -> Iterator[AdaptView]:
    """Iterate the engine's steps; the style is taken from the step at hand before the iterator moves on."""
    losses: list[float] = []
    style_id, note, kept, step, shown = new_id(), "", False, None, 0.0
    with tempfile.TemporaryDirectory(prefix="nada-previews-") as name:
        folder = Path(name)
        try:
            for step in steps:
                losses.append(float(step.loss))
                note = step.note or note
                last = step.index >= step.steps
                stopping = flag.is_set() and not last
                now = time.monotonic()
                if last or stopping:
                    break
                if step.previews is None and now - shown < _MIN_GAP:
                    continue
                shown = now
                pictures = None if step.previews is None else write_faces(step.previews, folder, f"after-{step.index}")
                words = progress(
                    step.index / step.steps, f"Step {step.index} of {step.steps}", f"{duration(step.eta)} left", kind="run", note=note
                )
                yield replace(view, phase="run", progress=words, chart=loss_chart(losses, step.steps), previews=pictures)
            if step is None:
                raise NadaError("The adaptation ended before its first step, so there is no style to keep. Try again with more steps.")
            kept = _keep(context, style_id, view.prompt, step)
            pictures = write_faces(step.previews, folder, f"after-{step.index}") if step.previews is not None else None
            stopped = step.index < step.steps
            words = progress(
                step.index / step.steps,
                f"Stopped at step {step.index} of {step.steps}" if stopped else f"Done: {step.steps} steps",
                duration(step.seconds),
                kind="good",
                note=note or ("The style so far is kept. " if stopped else "") + "Save it, download it, or try it on a photo.",
            )
            yield replace(
                view,
                phase="stopped" if stopped else "done",
                progress=words,
                chart=loss_chart(losses, step.steps),
                previews=pictures,
                style_id=style_id,
            )
        finally:
            if step is not None and not kept:
                _keep(context, style_id, view.prompt, step)


def _keep(context: AppContext, style_id: str, prompt: str, step: Any) -> bool:
    try:
        context.shelf.put(style_id, ShelvedStyle(step.style(), prompt, step.index))
    except Exception:  # the snapshot is a courtesy at this point: losing it must not hide the first error
        log.exception("the style so far could not be kept")
        return False
    return True
