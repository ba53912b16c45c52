"""Run one adaptation step by step and yield views for the page; keep the style even if the run is stopped or fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from nada_core.errors import NadaError
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.job import Job, first_view
from nada_core.ui.jobs.store import TRAINING, write_faces
from nada_core.ui.jobs.views import AdaptView, LossCurve, Progress, Ticket
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.photo.person_to_fit import face_to_fit
from nada_core.ui.requests import Person
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.styles import ShelvedStyle
from nada_core.ui.tabs.adapt.run import check_options
from nada_core.ui.tabs.adapt.step_recorder import StepRecorder
from nada_core.ui.wording import duration

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from nada_core.adaptation.loop import AdaptationStep
    from nada_core.inversion.base import Inversion

__all__ = ["adapt_views", "find_person", "keep_style"]

log = logging.getLogger(__name__)
_MIN_GAP = 0.25  # seconds between updates, so that a fast GPU does not flood the browser


def adapt_views(context: AppContext, ticket: Ticket, device: str | None = None) -> Iterator[AdaptView]:
    """Do the work of a job and yield complete views. Closing the iterator closes the engine's, with the style so far on disk.

    ``device``: where to work, if it is not where the app's engine is.
    """
    request = ticket.request
    yield (view := first_view(ticket.id, request))
    engine, world = context.open()
    if device is not None:
        engine = engine.on(device)
    options = check_options(context, engine, request)
    originals, person = world.originals, None
    if request.photo:
        view = replace(view, originals=originals, previews=originals)
        person = ticket.person or (yield from find_person(context, engine, view, request.photo))
        person = person if device is None else person.to(device)
        originals = write_faces(engine.preview_originals(options, person), ticket.pictures, "before")
    earlier = context.jobs.find(request.resume)
    starting = Progress(0, f"{'Going on with' if request.resume else 'Starting'} “{request.prompt}”", kind="wait")
    view = replace(view, progress=starting, originals=originals, previews=originals)
    if earlier is not None:
        view = replace(view, chart=earlier.view.chart, previews=earlier.view.previews)
    yield view
    resume = context.backend.read_training(ticket.styles / TRAINING) if request.resume else None
    steps = engine.adapt(request.prompt, options=options, images=list(request.images) or None, person=person, resume=resume)
    try:
        yield from _follow(context, view, ticket, steps, StepRecorder(context, engine, options, ticket, originals))
    finally:
        close_iterator(steps)


def find_person(context: AppContext, engine: AppEngine, view: AdaptView, photo: str) -> Generator[AdaptView, None, Inversion]:
    """Return the newest inversion of an uploaded photo, else a quick one made now. Raises PhotoError when the photo is gone."""
    entry = context.photos.get(photo)
    newest = next(reversed(entry.portraits.values()), None)
    if newest is not None:
        return newest.inversion
    largest = face_to_fit(engine.editor, entry, Person(mode="fast"))
    with closing(entry.steps(engine.editor, [largest])) as stages:
        for stage in stages:
            if stage.made:
                return stage.made[0].portrait.inversion
            yield replace(view, progress=Progress(stage.fraction, "Finding you in the generator", kind="wait"))
    raise AssertionError("a session's last stage carries what was made")


def _follow(
    context: AppContext, view: AdaptView, ticket: Ticket, steps: Iterator[AdaptationStep], recorder: StepRecorder
) -> Iterator[AdaptView]:
    """Iterate the engine's steps; the style is taken from the step at hand before the iterator moves on."""
    losses, similar = (list(values) for values in ((view.chart.losses, view.chart.similarities) if view.chart else ((), ())))
    note, begun, step, shown, kept = "", "", None, 0.0, False

    def curve(steps: int) -> LossCurve:
        return LossCurve(steps, tuple(losses), tuple(similar))

    try:
        for step in steps:
            if step.index == 0:  # nothing is trained yet: the ready styles' blend, shown while the first step is computed
                assert step.previews is not None
                waiting = replace(view.progress, note=step.begun)
                yield (view := replace(view, previews=recorder.show(0, step.previews), progress=waiting))
                continue
            losses.append(float(step.loss))
            similar.append(float(step.similarity))
            note, begun = step.note or recorder.problem or note, step.begun or begun
            if step.index >= step.steps or ticket.stopping():
                break
            recorder.follow(step)
            now, kept_training = time.monotonic(), ticket.keep(step)
            if step.previews is None and now - shown < _MIN_GAP and not kept_training:
                continue
            if step.previews is not None:
                view = replace(view, previews=recorder.show(step.index, step.previews))
            shown = now
            done = step.index / step.steps
            words = Progress(done, f"Step {step.index} of {step.steps}", f"{duration(step.eta)} left", kind="run", note=note or begun)
            view = replace(view, phase="run", progress=words, chart=curve(step.steps), step=step.index, saved=recorder.saved)
            yield (view := replace(view, seconds=float(step.seconds), left=float(step.eta)))
        if step is None:
            raise NadaError("The adaptation ended before its first step, so there is no style to keep. Try again with more steps.")
        context.shelf.put(ticket.id, ShelvedStyle(step.style(), view.prompt, step.index))
        kept = True
        pictures = recorder.finish(step) or view.previews
        stopped = step.index < step.steps
        view = replace(view, previews=pictures, saved=recorder.saved, step=step.index, seconds=float(step.seconds))
        words = Progress(
            step.index / step.steps,
            f"Stopped at step {step.index} of {step.steps}" if stopped else f"Done: {step.steps} steps",
            duration(step.seconds),
            kind="good",
            note=note or ("The style so far is kept. " if stopped else "") + "Save it, download it, or try it on a photo.",
        )
        goes_on = stopped and _training_kept(context, ticket, step)
        yield replace(view, phase="stopped" if stopped else "done", progress=words, chart=curve(step.steps), goes_on=goes_on)
    finally:
        if step is not None and not kept:
            context.shelf.put(ticket.id, ShelvedStyle(step.style(), view.prompt, step.index))
            recorder.rescue(step)


def _training_kept(context: AppContext, ticket: Ticket, step: AdaptationStep) -> bool:
    """Write down what the run's next step depends on; tell whether it can go on from there. Pictures to aim at are not kept."""
    if ticket.request.images:
        return False
    try:
        context.backend.keep_training(step, ticket.styles / TRAINING)
    except (NadaError, OSError):
        log.exception("the training of a stopped run could not be kept")
        return False
    return True


def keep_style(context: AppContext, job: Job) -> bool:
    """Tell whether the job's style is on the shelf; one only on disk (made in another process) is put there first."""
    if job.id not in context.shelf:
        files = sorted(job.folder.styles.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
        if not files:
            return False
        engine, _ = context.open()
        style = engine.style(files[-1])
        context.shelf.put(job.id, ShelvedStyle(style, job.request.prompt, int(style.card.steps)))
    return True
