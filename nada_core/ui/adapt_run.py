"""One adaptation as the page sees it: checked, put in line, iterated step by step, what was learnt kept. No Gradio in here."""

from __future__ import annotations

import logging
import math
import secrets
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import NadaError, OptionsError
from .blocklist import check_words
from .context import AppContext
from .job import Job, first_view
from .previews import write_faces
from .recorder import StepRecorder
from .shelf import ShelvedStyle
from .suggest import suggest_step
from .text import clean_prompt, duration
from .views import AdaptRequest, AdaptView, SavedStep, Ticket, changes
from .widgets import loss_chart, progress
from .worker import close_iterator

__all__ = [
    "MAX_SHOWN",
    "AdaptRequest",
    "AdaptView",
    "adapt_views",
    "choose_step",
    "faces_at",
    "keep_style",
    "read_seed",
    "refused_view",
    "run_adaptation",
    "start_adaptation",
    "style_at",
]

log = logging.getLogger(__name__)
_MIN_GAP = 0.25  # seconds between updates, so that a fast GPU does not flood the browser
_MAX_IMAGES = 16
_SHORT = 4.0  # seconds that a slider waits for the generator
MAX_SHOWN = 1.3  # where the sliders of strengths end
_NOTCH = 0.05  # and their step
_TARGET_SIDE = 2048  # pixels: target pictures wait on disk no larger than this


def read_seed(value: float | int | None, fresh: bool) -> int:
    """The seed to use: a new one when asked for or when the field is empty, else the given one as a non-negative integer."""
    if fresh or value is None or not math.isfinite(value):
        return secrets.randbelow(2**31)
    return int(value) % 2**31


def run_adaptation(context: AppContext, request: AdaptRequest, browser: str = "", asked: float | None = None) -> Iterator[AdaptView]:
    """Start an adaptation, `asked` for then, and yield its views to the end; a failure is the last view, with a readable `error`.

    Closing the iterator only stops the watching: the job goes on (not in inline mode, see JobRegistry).
    """
    try:
        job = start_adaptation(context, request, browser, asked)
    except NadaError as error:
        yield refused_view(error)
        return
    yield from changes(context.jobs.watch(job.id))


def refused_view(error: NadaError) -> AdaptView:
    """What the page shows where nothing was started."""
    return AdaptView("failed", progress(0, "Not started", kind="bad", note="Why is said under the button."), error=str(error))


def start_adaptation(context: AppContext, request: AdaptRequest, browser: str = "", asked: float | None = None) -> Job:
    """Check a request and put it in line: see :meth:`.jobs.JobRegistry.submit` for `browser` and `asked`.

    Raises:
        NadaError: the prompt, an option or a picture is unusable, or a picture to aim at shows nothing (prompt and options are checked
            where the engine is loaded, else the job itself ends so), or the line is full.
    """
    request = replace(request, prompt=clean_prompt(request.prompt))
    check_words((request.prompt, request.source), context.blocked)
    if len(request.images) > _MAX_IMAGES:
        raise OptionsError(f"{len(request.images)} target pictures; between 1 and {_MAX_IMAGES} are possible.")
    if context.is_open:  # nobody queues only to hear that the prompt is unknown
        _check(context, context.open()[0], request)
    with tempfile.TemporaryDirectory(prefix="nada-targets-") as folder:
        files = []
        for number, image in enumerate(request.images):  # uploads do not outlive a long line: keep a copy of our own
            picture = context.backend.decode(image)
            context.backend.target(picture, Path(image).name)
            picture.thumbnail((_TARGET_SIDE, _TARGET_SIDE))
            files.append(str(Path(folder) / f"{number}.jpg"))
            picture.save(files[-1], quality=95)
        return context.jobs.submit(replace(request, images=tuple(files)), browser, asked)


def _check(context: AppContext, engine: Any, request: AdaptRequest) -> Any:
    """The engine's options for a request. Raises NadaError for what can be seen to be wrong without computing anything."""
    values: dict[str, Any] = {
        "steps": request.steps,
        "layers": request.layers,
        "seed": request.seed,
        "source": request.source or "face",
        "batch": request.batch,
    }
    values |= {name: value for name, value in {"lr": request.lr, "truncation_psi": request.truncation}.items() if value is not None}
    options = context.backend.options(**values, **request.extra.given())
    context.backend.check(engine, None if request.images else request.prompt, options)
    return options


def adapt_views(context: AppContext, ticket: Ticket, device: str | None = None) -> Iterator[AdaptView]:
    """Do the work of a job and yield complete views. Closing the iterator closes the engine's; the style so far is on disk then.

    ``device``: where to work, if it is not where the app's engine is.
    """
    request = ticket.request
    yield (view := first_view(ticket.id, request))
    engine, world = context.open()
    if device is not None:
        engine = engine.on(device)
    options = _check(context, engine, request)
    more: dict[str, Any] = {"images": list(request.images)} if request.images else {}
    originals = world.originals
    if request.photo:
        view = replace(view, originals=originals, previews=originals)
        person = yield from _person(context, engine, view, request.photo)
        more["person"] = person if device is None else person.to(device)
        originals = write_faces(engine.preview_originals(options, more["person"]), ticket.pictures, "before")
    starting = progress(0, f"Starting “{request.prompt}”", kind="wait")
    view = replace(view, progress=starting, originals=originals, previews=originals)
    yield view
    steps = engine.adapt(request.prompt, options=options, **more)
    try:
        yield from _follow(context, view, ticket, steps, StepRecorder(context, engine, options, ticket, originals))
    finally:
        close_iterator(steps)


def _person(context: AppContext, engine: Any, view: AdaptView, photo: str) -> Generator[AdaptView, None, Any]:
    """The inversion of an uploaded photo: the newest there is, else a quick one made now. Raises PhotoError when the photo is gone."""
    entry = context.photos.get(photo)
    if not entry.portraits:
        aligned = engine.editor.align_found(entry.photo, entry.faces, 0)
        for stage in engine.editor.invert_steps(aligned, "fast"):
            words = progress(stage.fraction, "Finding you in the generator", kind="wait")
            yield replace(view, progress=words)
            if stage.portrait is not None:
                entry.keep_portrait((0, "fast"), stage.portrait)
    return next(reversed(entry.portraits.values())).inversion


def _follow(context: AppContext, view: AdaptView, ticket: Ticket, steps: Iterator[Any], recorder: StepRecorder) -> Iterator[AdaptView]:
    """Iterate the engine's steps; the style is taken from the step at hand before the iterator moves on."""
    losses: list[float] = []
    similar: list[float] = []
    note, step, shown, kept = "", None, 0.0, False
    try:
        for step in steps:
            losses.append(float(step.loss))
            similar.append(float(step.similarity))
            note = step.note or recorder.problem or note
            if step.index >= step.steps or ticket.stopping():
                break
            recorder.follow(step)
            now = time.monotonic()
            if step.previews is None and now - shown < _MIN_GAP:
                continue
            if step.previews is not None:
                view = replace(view, previews=recorder.show(step))
            shown = now
            done = step.index / step.steps
            words = progress(done, f"Step {step.index} of {step.steps}", f"{duration(step.eta)} left", kind="run", note=note)
            chart = loss_chart(losses, step.steps, similar)
            view = replace(view, phase="run", progress=words, chart=chart, step=step.index, saved=recorder.saved)
            yield (view := replace(view, seconds=float(step.seconds), left=float(step.eta)))
        if step is None:
            raise NadaError("The adaptation ended before its first step, so there is no style to keep. Try again with more steps.")
        context.shelf.put(ticket.id, ShelvedStyle(step.style(), view.prompt, step.index))
        kept = True
        pictures = recorder.finish(step) or view.previews
        stopped = step.index < step.steps
        view = replace(view, previews=pictures, saved=recorder.saved, step=step.index, seconds=float(step.seconds))
        words = progress(
            step.index / step.steps,
            f"Stopped at step {step.index} of {step.steps}" if stopped else f"Done: {step.steps} steps",
            duration(step.seconds),
            kind="good",
            note=note or ("The style so far is kept. " if stopped else "") + "Save it, download it, or try it on a photo.",
        )
        yield replace(view, phase="stopped" if stopped else "done", progress=words, chart=loss_chart(losses, step.steps, similar))
    finally:
        if step is not None and not kept:
            context.shelf.put(ticket.id, ShelvedStyle(step.style(), view.prompt, step.index))
            recorder.rescue(step)


def choose_step(context: AppContext, key: str, owned: list[str], value: float) -> SavedStep | None:
    """Make the saved step nearest to `value` (below 0: the suggested one) the style that is kept under the job's id; returns it.

    None when the job is not this session's, or has no saved steps any more. Raises StyleError when the file cannot be read.
    """
    job = context.jobs.find(key)
    if job is None or key not in owned or not job.finished or not job.view.saved:
        return None
    wanted = suggest_step([saved.record for saved in job.view.saved]) if value < 0 else value
    chosen = min(job.view.saved, key=lambda saved: abs(saved.step - wanted))
    if key not in context.shelf or context.shelf.label(key, [key]).steps != chosen.step:
        context.worker.run(partial(_shelve, context, key, chosen, job.request.prompt))
    return chosen


def _shelve(context: AppContext, key: str, chosen: SavedStep, prompt: str) -> None:
    engine, _ = context.open()
    context.shelf.put(key, ShelvedStyle(engine.style(Path(chosen.file)), prompt, chosen.step))


def style_at(engine: Any, style: Any, strength: float) -> Any:
    """The style at a strength of 0 to 1.3. Raises OptionsError."""
    _check_strength(strength)
    return engine.scaled(style, strength)


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= MAX_SHOWN:
        raise OptionsError(f"The strength is {strength:g}; it must be between 0 and {MAX_SHOWN}.")


def faces_at(context: AppContext, key: str, owned: list[str], strength: float) -> tuple[str, ...] | None:
    """Pictures of the run's four faces with its style at another strength, drawn once.

    None when the run is not this session's, not over, or led by a photo, whose person only the run itself can draw.

    Raises:
        StyleError: the style is not kept any more. NadaError: the generator is busy. OptionsError: a strength out of range.
    """
    _check_strength(strength)
    job = context.jobs.find(key)
    if job is None or key not in owned or not job.finished or job.request.photo:
        return None
    strength = round(strength / _NOTCH) * _NOTCH  # the slider's own steps: no more pictures than those
    entry = context.shelf.label(key, owned)
    saved = next((saved for saved in job.view.saved if saved.step == entry.steps), None)
    if abs(strength - 1) < _NOTCH / 2 and saved is not None:
        return saved.pictures
    if drawn := _drawn(job, entry.steps, strength):
        return drawn
    engine, _ = context.open()
    with context.join(engine) as turn:
        if not turn.wait(_SHORT):
            raise NadaError("The generator is busy with another job: move the strength again when that is done.")
        if drawn := _drawn(job, entry.steps, strength):  # by a request before this one
            return drawn
        files, steps = context.worker.run(partial(_draw, context, engine, job, owned, strength))
    return files if context.shelf.label(key, owned).steps == steps else None


def _draw(context: AppContext, engine: Any, job: Job, owned: list[str], strength: float) -> tuple[tuple[str, ...], int]:
    """New pictures at a strength, and the step of the style they show."""
    shelved = context.shelf.get(job.id, owned)
    o = context.backend.options()
    faces = engine.sample(o.preview_seeds, style_at(engine, shelved.style, strength), truncation_psi=o.preview_truncation)
    try:
        hidden = write_faces(faces, job.folder.pictures, f".{_stem(shelved.steps, strength)}")
        files = tuple(str(Path(file).rename(Path(file).with_name(Path(file).name[1:]))) for file in hidden)
        job.size += sum(Path(file).stat().st_size for file in files)
    except OSError:  # the job has been forgotten meanwhile, or the disk is full
        raise NadaError("The faces could not be drawn at this strength. Try again, or adapt again.") from None
    return files, shelved.steps


def _stem(steps: int, strength: float) -> str:
    return f"strength-{steps}-{round(100 * strength)}"


def _drawn(job: Job, steps: int, strength: float) -> tuple[str, ...]:
    """The pictures of an earlier call, if all are there."""
    files = sorted(str(file) for file in job.folder.pictures.glob(f"{_stem(steps, strength)}-*.jpg"))
    return tuple(files) if len(files) == len(job.view.previews or ()) else ()


def keep_style(context: AppContext, job: Job) -> bool:
    """Whether the job's style is on the shelf; one that is only on disk (made in another process) is put there first."""
    if job.id not in context.shelf:
        files = sorted(job.folder.styles.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
        if not files:
            return False
        engine, _ = context.open()
        style = engine.style(files[-1])
        context.shelf.put(job.id, ShelvedStyle(style, job.request.prompt, int(style.card.steps)))
    return True
