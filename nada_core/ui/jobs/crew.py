"""Define what the page asks of workers in other processes, and what it tells of each. Needs neither Ray nor torch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nada_core.ui.jobs.views import AdaptView, Ticket

if TYPE_CHECKING:
    from nada_core.editing.base import EditStages
    from nada_core.editing.session import FaceToFit, PhotoSession, StyleToFit
    from nada_core.films.restyle import FilmStep
    from nada_core.students.distil import DistilStep
    from nada_core.styles.files import Style
    from nada_core.ui.server.context import AppContext

__all__ = ["DOINGS", "Crew", "FilmOrder", "WorkerFacts"]

DOINGS = ("starting", "idle", "adapting", "editing", "learning", "filming")


@dataclass(frozen=True)
class FilmOrder:
    """Ask for the film ``source`` in a style, as the file ``out``."""

    source: Path
    style: Style
    strength: float
    out: Path


@dataclass(frozen=True)
class WorkerFacts:
    """Say of one worker where it is and what it does, without a word of whose work it is."""

    name: str
    host: str = ""
    device: str = ""
    doing: str = "starting"  # one of DOINGS, or why it is not used

    def sentence(self, *, public: bool = False) -> str:
        """Return all of it in words; strangers are not told what machines are called, nor what is wrong with one."""
        if public:
            device = f" ({self.device})" if self.device else ""
            return f"{self.name}{device}: {self.doing if self.doing in DOINGS else 'not in use'}"
        place = f" on {self.host} ({self.device})" if self.host else ""
        return f"{self.name}{place}: {self.doing}"


class Crew(Protocol):
    """Describe workers that adaptations and photo work are given to: :class:`nada_core.ui.workers.crew.RayCrew`."""

    @property
    def size(self) -> int:
        """Return how many adaptations they work on at once."""
        ...

    def adapt(self, context: Any, ticket: Ticket, device: str | None = None, /) -> Iterator[AdaptView]:
        """Have the work of a job done and yield complete views."""
        ...

    def make(
        self, context: Any, session: PhotoSession, faces: Sequence[FaceToFit], styles: Sequence[StyleToFit], /, *, lenient: bool = False
    ) -> EditStages:
        """Have a worker that is idle make what a photo's session lacks, and yield the stages; nothing where none is idle."""
        ...

    def learn(self, context: Any, style: Style, stopping: Callable[[], bool], /) -> Generator[DistilStep, None, None]:
        """Have a worker that is idle train a style's student; the last step carries it, where there was one idle."""
        ...

    def film(self, context: Any, order: FilmOrder, stopping: Callable[[], bool], /) -> Generator[tuple[FilmStep, bytes], None, None]:
        """Have a worker that is idle put a style on a film; yield its steps, each with the JPEG of a frame or nothing.

        The last one has the result, where there was one idle; once ``stopping`` says so the file holds what was painted.
        """
        ...

    def start(self, context: AppContext, /) -> None:
        """Let the workers get ready for the app's engine; again is harmless."""
        ...

    def report(self) -> list[WorkerFacts]:
        """Return what is known of each worker."""
        ...
