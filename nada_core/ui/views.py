"""The values that travel between an adaptation and the page: what was asked for, what to show now, the steps that were saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from .adapt_extras import AdaptExtras
from .suggest import StepRecord
from .worker import close_iterator

__all__ = ["AdaptRequest", "AdaptView", "SavedStep", "Ticket", "changes"]


@dataclass(frozen=True)
class AdaptRequest:
    """What the person asked for."""

    prompt: str
    steps: int = 60
    lr: float | None = None  # None: the generator family's own default
    layers: str = "all"
    seed: int = 0
    source: str = "face"
    batch: int = 2
    truncation: float | None = None  # None: the generator family's own default
    photo: str = ""  # id of an uploaded photo whose person takes the first face's place
    images: tuple[str, ...] = ()  # picture files to aim at instead of the words, which then are a name
    extra: AdaptExtras = field(default_factory=AdaptExtras)  # the settings for experts


@dataclass(frozen=True)
class SavedStep:
    """A style on disk and how it looked: one position of the scrubber."""

    record: StepRecord
    file: str
    pictures: tuple[str, ...]

    @property
    def step(self) -> int:
        """The step after which it was saved."""
        return self.record.step


@dataclass(frozen=True)
class AdaptView:
    """What the page should show. In a job it is complete; from `changes` on, None means unchanged."""

    phase: str  # "wait" | "run" | "done" | "stopped" | "failed"
    progress: str
    chart: str | None = None
    originals: tuple[str, ...] | None = None
    previews: tuple[str, ...] | None = None
    job: str = ""
    style_id: str = ""  # set at the end when a style was kept; the same as `job`
    prompt: str = ""
    error: str = ""
    step: int = 0
    steps: int = 0
    seconds: float = 0.0  # spent on the steps so far
    left: float | None = None  # seconds to go, where known
    saved: tuple[SavedStep, ...] = ()

    @property
    def running(self) -> bool:
        """True while Stop makes sense."""
        return self.phase in ("wait", "run")


@dataclass(frozen=True)
class Ticket:
    """What a job's work needs. No locks in here, so that it could be sent to another process."""

    id: str
    request: AdaptRequest
    styles: Path  # folder for style files; survives the process
    pictures: Path  # folder for preview pictures; the page may be served from it
    stopping: Callable[[], bool]


def changes(views: Iterable[AdaptView]) -> Iterator[AdaptView]:
    """The same views with every chart and picture that has not changed since the view before left out (None)."""
    last: AdaptView | None = None
    try:
        for view in views:
            if last is None:
                yield view
            else:
                yield replace(
                    view,
                    chart=None if view.chart == last.chart else view.chart,
                    originals=None if view.originals == last.originals else view.originals,
                    previews=None if view.previews == last.previews else view.previews,
                )
            last = view
    finally:
        close_iterator(views)
