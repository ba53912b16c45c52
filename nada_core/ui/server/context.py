"""Hold what every tab shares: the engine made on first use, its fixed facts, the line for heavy work, the jobs, unsaved styles."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nada_core.errors import NadaError
from nada_core.system.allocator import release_memory
from nada_core.system.files import slug
from nada_core.system.zero_gpu import on_zero_gpu
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.crew import Crew
from nada_core.ui.jobs.job import Job, JobLimits
from nada_core.ui.jobs.line import Turn, WorkLine
from nada_core.ui.jobs.registry import JobRegistry
from nada_core.ui.jobs.store import JobStore, write_faces
from nada_core.ui.jobs.views import AdaptView, Ticket
from nada_core.ui.jobs.worker import Worker
from nada_core.ui.server.backend import Backend
from nada_core.ui.server.blocklist import blocked_words
from nada_core.ui.server.recovery import CutOff, recovered
from nada_core.ui.server.training_facts import TrainingFacts, training_facts
from nada_core.ui.shelves.pages import PageMemory
from nada_core.ui.shelves.photos import PhotoShelf
from nada_core.ui.shelves.styles import ShelvedStyle, StyleShelf
from nada_core.ui.shelves.thumbnails import Thumbnails

__all__ = ["AppContext", "EngineFacts", "Wish", "WorldChanged"]

log = logging.getLogger(__name__)
_ZERO_GPU_SECONDS = 120


@dataclass(frozen=True)
class Wish:
    """Say what an engine is asked for, as :func:`nada_core.worlds.choose_world` takes it; None: no wish."""

    world: str | None = None
    base: str | None = None
    encoder: str | None = None


@dataclass(frozen=True)
class EngineFacts:
    """Hold facts of the engine that do not change while it runs. Another engine has others: see `change_world.change_world`."""

    name: str  # "starter" | "full" | "mixed"
    reason: str
    concepts: tuple[str, ...]
    originals: tuple[str, ...]  # picture files of the fixed preview faces, before any adaptation
    training: TrainingFacts
    sizes: tuple[int, ...]  # sides in pixels that the generator renders, smallest first
    base: str  # the generator: "starter", an asset's name or a file
    encoder: str  # of texts, as `load_encoder` takes it
    since: float = field(default_factory=time.monotonic)  # when it was loaded


class WorldChanged(NadaError):
    """Say that the engine a piece of work was prepared for is not the app's any more."""


@dataclass
class AppContext:
    """Hold what one app has. `public` means strangers share the server: nothing is written into the style library for them."""

    backend: Backend
    adapt: Callable[[AppContext, Ticket, str | None], Iterator[AdaptView]]  # does a job's work, on this device (None: the engine's)
    keep: Callable[[AppContext, Job], bool]  # keeps what a job that failed has learnt, if it can
    public: bool = False
    line: WorkLine = field(default_factory=WorkLine)
    worker: Worker = field(default_factory=Worker)
    photos: PhotoShelf = field(default_factory=PhotoShelf)
    pages: PageMemory = field(default_factory=PageMemory)
    thumbnails: Thumbnails = field(default_factory=Thumbnails)
    limits: JobLimits = field(default_factory=JobLimits)
    inline: bool | None = None  # None: only on ZeroGPU
    crew: Crew | None = None  # workers outside of this process, which jobs are given to

    def __post_init__(self) -> None:
        self.blocked = blocked_words() if self.public else ()  # in prompts
        self.photos.swept = self._rest
        self.shelf = StyleShelf(write=self.backend.export, read=lambda path: self.open()[0].style(path))
        zero = on_zero_gpu()

        adapt = self.adapt if self.crew is None else self.crew.adapt

        def work(ticket: Ticket) -> Iterator[AdaptView]:
            yield from adapt(self, ticket, "cuda" if zero else None)

        store = JobStore(self.backend.jobs_folder)
        self.jobs = JobRegistry(
            _with_zero_gpu(work) if zero else work,
            lambda job: self.keep(self, job),
            self.line,
            self.worker,
            store,
            self.limits,
            inline=zero if self.inline is None else self.inline,
            lanes=0 if self.crew is None else self.crew.size,
        )
        self.cut_off: dict[str, CutOff] = {}  # runs of an earlier process, by their ids
        self.wish = Wish()  # what the page last asked for
        self._opening = threading.Lock()
        self._engine: AppEngine | None = None
        self._world: EngineFacts | None = None
        self._folders: list[tempfile.TemporaryDirectory[str]] = []  # of the preview faces: finished jobs show those of their world

    @property
    def is_open(self) -> bool:
        """Tell whether the engine is loaded."""
        return self._world is not None

    @property
    def since(self) -> float:
        """Return when the engine in use was loaded, on the monotonic clock; 0 before."""
        return self._world.since if self._world is not None else 0.0

    def open(self) -> tuple[AppEngine, EngineFacts]:
        """Return the engine and its facts; the first caller loads it, the others wait. Raises NadaError (and a later call tries again)."""
        if self._world is None:
            self.worker.run(self._load)
        with self._opening:
            assert self._engine is not None and self._world is not None
            return self._engine, self._world

    def _load(self) -> None:
        if self._world is None:
            engine = self.backend.engine()
            self.install(engine, self.facts(engine), self.wish)

    def facts(self, engine: AppEngine) -> EngineFacts:
        """Load an engine's networks and draw its preview faces, whose files stay as long as the app. Raises NadaError."""
        faces = engine.preview_originals(self.backend.options())
        self._folders.append(tempfile.TemporaryDirectory(prefix="nada-faces-"))
        originals = write_faces(faces, Path(self._folders[-1].name), "before")
        sizes, concepts = tuple(engine.generator.resolutions), tuple(engine.concepts())
        parts = engine.parts
        return EngineFacts(parts.name, parts.reason, concepts, originals, training_facts(engine), sizes, str(parts.base), parts.encoder)

    def install(self, engine: AppEngine, world: EngineFacts, wish: Wish) -> None:
        """Put the engine loaded for ``wish`` into the place of the one before. All but the first need a turn in the line."""
        with self._opening:
            first = self._world is None
            self._engine, self._world, self.wish = engine, world, wish
            if first:
                self.cut_off = recovered(self.jobs.store, engine, self.shelf, public=self.public, keep=self.jobs.limits.keep)

    def unsaved(self, key: str, owned: Iterable[str]) -> ShelvedStyle:
        """Return an unsaved style, perhaps read from its file first. Raises StyleError: not kept any more, or not in ``owned``."""
        return self.worker.run(lambda: self.shelf.get(key, owned))

    def join(self, engine: AppEngine) -> Turn:
        """Take a place in the line for work prepared with ``engine``: waiting for it raises WorldChanged where another has come."""

        def same() -> None:
            if engine is not self._engine:
                raise WorldChanged("The world of this server was changed while this waited. Reload the page and try again.")

        return self.line.join(same)

    def _rest(self) -> None:
        """Give back the memory that photos were worked on in, once nothing is computed; adaptations do so themselves when they end."""
        self.pages.tidy()
        if not len(self.line):
            release_memory()

    def shutdown(self, timeout: float = 5.0) -> None:
        """Stop the running job, wait for it at most `timeout` seconds, and put its style into the library (not on a public server)."""

        def rescue(job: Job) -> str:
            entry = self.shelf.get(job.id, [job.id])
            engine, _ = self.open()
            return engine.save_style(entry.style, f"recovered-{slug(entry.prompt)}")

        self.jobs.close(timeout, None if self.public else rescue)


def _with_zero_gpu(work: Callable[[Ticket], Iterator[AdaptView]]) -> Callable[[Ticket], Iterator[AdaptView]]:
    """Ask for a GPU around the work of one job. Written after the documentation of `spaces`; never run on ZeroGPU."""
    import spaces

    return spaces.GPU(duration=_ZERO_GPU_SECONDS)(work)
