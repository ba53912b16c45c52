"""What a running adaptation leaves on disk: the newest preview pictures, the saved steps of the scrubber, and a style against crashes."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import NadaError
from .context import AppContext
from .previews import write_faces
from .suggest import StepRecord, measure
from .views import SavedStep, Ticket

__all__ = ["StepRecorder", "planned_steps"]

log = logging.getLogger(__name__)
_SNAPSHOTS = 8
_SAVE_STEPS, _SAVE_SECONDS, _SAVE_GAP = 10, 10.0, 2.0  # save after this many steps or seconds, but not more often than the gap
_LINGER = 10.0  # seconds that replaced pictures stay, for a page that is just fetching them


def planned_steps(steps: int, count: int = _SNAPSHOTS) -> tuple[int, ...]:
    """Evenly spaced steps of 1 to `steps`, the last one included: `count` of them, fewer where they would be less than four apart."""
    count = max(1, min(count, steps // 4))
    return tuple(sorted({round(steps * part / count) for part in range(1, count + 1)}))


class StepRecorder:
    """Writes into the ticket's folders. `engine` draws the faces of a saved step that came without previews."""

    def __init__(self, context: AppContext, engine: Any, options: Any, ticket: Ticket, originals: Sequence[str]) -> None:
        self._context, self._engine, self._options, self._ticket, self._originals = context, engine, options, ticket, tuple(originals)
        self._due = list(planned_steps(ticket.request.steps))
        self._similar: list[float] = []  # since the step saved before
        self._old: list[tuple[float, tuple[str, ...]]] = []  # (when replaced, files)
        self._last_save, self._last_step = time.monotonic(), 0
        self.problem = ""
        self.newest: tuple[str, ...] | None = None
        self.saved: tuple[SavedStep, ...] = ()

    def show(self, step: Any) -> tuple[str, ...]:
        """Write the step's previews and return the files; the ones before are deleted a little later."""
        now = time.monotonic()
        if self.newest:
            self._old.append((now, self.newest))
        while self._old and now - self._old[0][0] > _LINGER:
            for file in self._old.pop(0)[1]:
                Path(file).unlink(missing_ok=True)
        self.newest = write_faces(step.previews, self._ticket.pictures, f"after-{step.index}")
        return self.newest

    def follow(self, step: Any) -> None:
        """To be called for every step: keeps it for the scrubber when it is time, or at least against a crash."""
        self._similar.append(float(step.similarity))
        try:
            self._follow(step)
        except (NadaError, OSError):  # the run itself needs no disk: it goes on, and its page says what is missing
            log.exception("a step could not be saved")
            self.problem = "The disk is full or read-only: earlier steps of this run are not kept."

    def _follow(self, step: Any) -> None:
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

    def finish(self, step: Any) -> tuple[str, ...] | None:
        """Save the last step of a run; returns the files of its pictures, or of the newest ones where it could not be saved."""
        self._similar.append(float(step.similarity))
        try:
            self._keep(step)
        except (NadaError, OSError):
            log.exception("the last step could not be saved")
            return self.newest
        return self.saved[-1].pictures if self.saved and self.saved[-1].step == step.index else self.newest

    def _keep(self, step: Any) -> None:
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

    def rescue(self, step: Any) -> None:
        """Save the style of a run that was broken off. Draws nothing; what fails here is only logged."""
        try:
            if not (self.saved and self.saved[-1].step == step.index):
                self._export(step, "latest")
        except Exception:  # the snapshot is a courtesy at this point: losing it must not hide the first error
            log.exception("the style so far could not be saved")

    def _export(self, step: Any, stem: str) -> Path:
        """Write the style; its name appears when it is complete."""
        file = self._ticket.styles / f"{stem}.safetensors"
        self._context.backend.export(step.style(), file)
        self._last_save, self._last_step = time.monotonic(), step.index
        return file
