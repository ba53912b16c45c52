"""Define the values that work sends to the page: progress, loss curves, saved steps. Formatting is left to the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.ui.jobs.suggest_step import StepRecord
from nada_core.ui.requests import AdaptRequest

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from nada_core.adaptation.loop import AdaptationStep
    from nada_core.inversion.base import Inversion

__all__ = ["AdaptView", "LossCurve", "Progress", "SavedStep", "Ticket", "WorkView"]


@dataclass(frozen=True)
class Progress:
    """Say how far work is: a share of it, a headline, and what else there is to know."""

    fraction: float  # of the bar, in [0, 1]
    headline: str
    left: str = ""  # beside the headline: what is left, or what it took
    kind: str = "idle"  # "idle" | "wait" (nothing to measure) | "run" | "good" | "bad"
    note: str = ""  # a line below


@dataclass(frozen=True)
class WorkView:
    """Hold what the page should show of a piece of work now; None in a field that is None by default means unchanged."""

    phase: str  # "wait" | "run" | "done" | "stopped" | "failed"
    progress: Progress
    error: str = field(default="", kw_only=True)  # why it failed, for a person
    goes_on: bool = field(default=False, kw_only=True)  # it was stopped, and the button continues from what was kept

    @property
    def running(self) -> bool:
        """Tell whether the work waits or runs, so that Stop makes sense."""
        return self.phase in ("wait", "run")


@dataclass(frozen=True)
class LossCurve:
    """Hold the curves of a run so far, one value a step of each."""

    steps: int  # planned
    losses: tuple[float, ...] = ()
    similarities: tuple[float, ...] = ()


@dataclass(frozen=True)
class SavedStep:
    """Hold a style on disk and how it looked: one position of the scrubber."""

    record: StepRecord
    file: str
    pictures: tuple[str, ...]

    @property
    def step(self) -> int:
        """Return the step after which it was saved."""
        return self.record.step


@dataclass(frozen=True)
class AdaptView(WorkView):
    """Hold what the page should show of an adaptation. In a job it is complete; from `changes` on, None means unchanged."""

    chart: LossCurve | None = None
    originals: tuple[str, ...] | None = None
    previews: tuple[str, ...] | None = None
    job: str = ""
    style_id: str = ""  # set at the end when a style was kept; the same as `job`
    prompt: str = ""
    step: int = 0
    steps: int = 0
    seconds: float = 0.0  # spent on the steps so far
    left: float | None = None  # seconds to go, where known
    saved: tuple[SavedStep, ...] = ()


def _keep_nothing(step: AdaptationStep) -> bool:
    return False


@dataclass(frozen=True)
class Ticket:
    """Hold what a job's work needs. No locks in here, so that it could be sent to another process.

    Attributes:
        keep: is given every step before its view, which always comes when this returns True: it kept the training of that step.
        person: takes the first face's place; None: the one in the request's photo, if there is one.
    """

    id: str
    request: AdaptRequest
    styles: Path  # folder for style files; survives the process
    pictures: Path  # folder for preview pictures; the page may be served from it
    stopping: Callable[[], bool]
    keep: Callable[[AdaptationStep], bool] = _keep_nothing
    person: Inversion | None = None
