"""Show a finished run at another saved step or another strength."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.errors import NadaError, OptionsError
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.job import Job
from nada_core.ui.jobs.store import write_faces
from nada_core.ui.jobs.suggest_step import suggest_step
from nada_core.ui.jobs.views import SavedStep
from nada_core.ui.requests import MAX_SHOWN
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.styles import ShelvedStyle

if TYPE_CHECKING:
    from nada_core.styles.files import Style

__all__ = ["choose_step", "faces_at", "style_at"]

_SHORT = 4.0  # seconds that a slider waits for the generator
_NOTCH = 0.05  # the step of the sliders of strengths


def choose_step(context: AppContext, key: str, owned: list[str], value: float) -> SavedStep | None:
    """Make the saved step nearest to `value` (below 0: the suggested one) the style kept under the job's id; return it.

    None when the job is not this session's, or has no saved steps any more. Raises StyleError when the file cannot be read.
    """
    job = context.jobs.find(key)
    if job is None or key not in owned or not job.over or not job.view.saved:
        return None
    wanted = suggest_step([saved.record for saved in job.view.saved]) if value < 0 else value
    chosen = min(job.view.saved, key=lambda saved: abs(saved.step - wanted))
    if key not in context.shelf or context.shelf.label(key, [key]).steps != chosen.step:
        context.worker.run(partial(_shelve, context, key, chosen, job.request.prompt))
    return chosen


def _shelve(context: AppContext, key: str, chosen: SavedStep, prompt: str) -> None:
    engine, _ = context.open()
    context.shelf.put(key, ShelvedStyle(engine.style(Path(chosen.file)), prompt, chosen.step))


def style_at(engine: AppEngine, style: Style, strength: float) -> Style:
    """Return the style at a strength of 0 to 1.3. Raises OptionsError."""
    _check_strength(strength)
    return engine.scaled(style, strength)


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= MAX_SHOWN:
        raise OptionsError(f"The strength is {strength:g}; it must be between 0 and {MAX_SHOWN}.")


def faces_at(context: AppContext, key: str, owned: list[str], strength: float) -> tuple[str, ...] | None:
    """Return pictures of the run's four faces with its style at another strength, drawn once.

    None when the run is not this session's, not over, or led by a photo, whose person only the run itself can draw.

    Raises:
        StyleError: the style is not kept any more. NadaError: the generator is busy. OptionsError: a strength out of range.
    """
    _check_strength(strength)
    job = context.jobs.find(key)
    if job is None or key not in owned or not job.over or job.request.photo:
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


def _draw(context: AppContext, engine: AppEngine, job: Job, owned: list[str], strength: float) -> tuple[tuple[str, ...], int]:
    """Draw new pictures at a strength; return them and the step of the style they show."""
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
    """Return the pictures of an earlier call, if all are there."""
    files = sorted(str(file) for file in job.folder.pictures.glob(f"{_stem(steps, strength)}-*.jpg"))
    return tuple(files) if len(files) == len(job.view.previews or ()) else ()
