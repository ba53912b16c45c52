"""Write a running adaptation to disk: newest previews, the saved steps of the slider, and a style in case of a crash."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.errors import NadaError
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.store import write_faces
from nada_core.ui.jobs.suggest_step import StepRecord, measure
from nada_core.ui.jobs.views import SavedStep, Ticket
from nada_core.ui.server.context import AppContext

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from torch import Tensor

    from nada_core.adaptation.loop import AdaptationStep
    from nada_core.adaptation.options import AdaptOptions

__all__ = ["StepRecorder", "planned_steps"]

log = logging.getLogger(__name__)
_SNAPSHOTS = 8
_SAVE_STEPS, _SAVE_SECONDS, _SAVE_GAP = 10, 10.0, 2.0  # save after this many steps or seconds, but not more often than the gap
_LINGER = 10.0  # seconds that replaced pictures stay, for a page that is just fetching them


def planned_steps(steps: int, count: int = _SNAPSHOTS) -> tuple[int, ...]:
    """Return `count` evenly spaced steps of 1 to `steps`, the last included; fewer where they would be under four apart."""
    count = max(1, min(count, steps // 4))
    return tuple(sorted({round(steps * part / count) for part in range(1, count + 1)}))


class StepRecorder:
    """Write a run's steps into the ticket's folders. `engine` draws the faces of a saved step that came without previews."""

    def __init__(self, context: AppContext, engine: AppEngine, options: AdaptOptions, ticket: Ticket, originals: Sequence[str]) -> None:
        self._context, self._engine, self._options, self._ticket, self._originals = context, engine, options, ticket, tuple(originals)
        self._due = list(planned_steps(ticket.request.steps))
        self._similar: list[float] = []  # since the step saved before
        self._old: list[tuple[float, tuple[str, ...]]] = []  # (when replaced, files)
        self._last_save, self._last_step = time.monotonic(), 0
        self.problem = ""
        self.newest: tuple[str, ...] | None = None
        self.saved: tuple[SavedStep, ...] = ()

    def show(self, index: int, previews: Tensor) -> tuple[str, ...]:
        """Write a step's previews and return the files; the previous ones are deleted a little later."""
        now = time.monotonic()
        if self.newest:
            self._old.append((now, self.newest))
        while self._old and now - self._old[0][0] > _LINGER:
            for file in self._old.pop(0)[1]:
                Path(file).unlink(missing_ok=True)
        self.newest = write_faces(previews, self._ticket.pictures, f"after-{index}")
        return self.newest

    def follow(self, step: AdaptationStep) -> None:
        """Keep a step for the slider when it is due, or at least in case of a crash; to be called for every step."""
        self._similar.append(float(step.similarity))
        try:
            self._follow(step)
        except (NadaError, OSError):  # the run itself needs no disk: it goes on, and its page says what is missing
            log.exception("a step could not be saved")
            self.problem = "The disk is full or read-only: earlier steps of this run are not kept."

    def _follow(self, step: AdaptationStep) -> None:
        if self._due and step.index >= self._due[0]:
            after = self._due[1] if len(self._due) > 1 else step.steps
            # no previews for half the way to the next: draw them, unless a person leads them, whom only the run itself can draw
            late = not self._ticket.request.photo and step.index >= (self._due[0] + after) // 2
            if step.previews is not None or late:
                self._keep(step)
                return
        waited = time.monotonic() - self._last_save
        if waited >= _SAVE_SECONDS or (step.index - self._last_step >= _SAVE_STEPS and waited >= _SAVE_GAP):
            self._export(step, "latest")

    def finish(self, step: AdaptationStep) -> tuple[str, ...] | None:
        """Save the last step of a run; return the files of its pictures, or of the newest ones where it could not be saved."""
        self._similar.append(float(step.similarity))
        try:
            self._keep(step)
        except (NadaError, OSError):
            log.exception("the last step could not be saved")
            return self.newest
        return self.saved[-1].pictures if self.saved and self.saved[-1].step == step.index else self.newest

    def _keep(self, step: AdaptationStep) -> None:
        """Add the step to the saved ones, with pictures of exactly this step."""
        if self.saved and self.saved[-1].step == step.index:
            return
        faces = step.previews
        if faces is None and self._ticket.request.photo:
            self._export(step, "latest")
            return
        if faces is None:
            o = self._options
            faces = self._engine.sample(o.preview_seeds, step.style(), truncation_psi=o.preview_truncation)
        file = self._export(step, f"step-{step.index:04d}")
        pictures = write_faces(faces, self._ticket.pictures, f"saved-{step.index}")
        similarity = sum(self._similar) / max(len(self._similar), 1)
        record = StepRecord(step.index, similarity, *measure(self._originals, pictures))
        self.saved = (*self.saved, SavedStep(record, str(file), pictures))
        self._similar.clear()
        while self._due and self._due[0] <= step.index:
            self._due.pop(0)
        (self._ticket.styles / "latest.safetensors").unlink(missing_ok=True)

    def rescue(self, step: AdaptationStep) -> None:
        """Save the style of a run that was broken off. Draws nothing; what fails here is only logged."""
        try:
            if not (self.saved and self.saved[-1].step == step.index):
                self._export(step, "latest")
        except Exception:  # the snapshot is a courtesy at this point: losing it must not hide the first error
            log.exception("the style so far could not be saved")

    def _export(self, step: AdaptationStep, stem: str) -> Path:
        """Write the style; its name appears when it is complete."""
        file = self._ticket.styles / f"{stem}.safetensors"
        self._context.backend.export(step.style(), file)
        self._last_save, self._last_step = time.monotonic(), step.index
        return file
