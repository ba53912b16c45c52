"""What every tab shares: the engine made on first use, its fixed facts, the line for heavy work, the jobs, and unsaved styles."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..allocator import release_memory
from ..errors import NadaError
from ..zero_gpu import on_zero_gpu
from .blocklist import blocked_words
from .job import Job, JobLimits
from .job_store import JobStore, default_jobs_folder
from .jobs import JobRegistry
from .pages import PageMemory
from .portraits import PhotoShelf
from .previews import write_faces
from .shelf import ShelvedStyle, StyleShelf
from .text import slug
from .thumbnails import Thumbnails
from .training_facts import TrainingFacts, training_facts
from .turns import Turn, WorkLine
from .views import AdaptView, Ticket
from .worker import Worker

__all__ = ["AppContext", "Backend", "Wish", "World", "WorldChanged", "check_request", "default_backend"]

log = logging.getLogger(__name__)
_DAY = 24 * 3600
_ZERO_GPU_SECONDS = 120


def check_request(engine: Any, prompt: str | None, options: Any) -> None:
    """Check a prompt (None: pictures are aimed at) and options without computing anything on the device.

    Raises:
        PromptError, OptionsError.
    """
    from ..adaptation import check_options
    from ..prompts import CONCEPTS, check_prompt, resolve_concept

    check_options(engine.generator, engine.encoder, options, pictures=prompt is None)
    if prompt is None:
        return
    check_prompt(prompt)
    if titles := set(engine.concepts()):  # empty where any text is understood
        resolve_concept(prompt, [key for key, concept in CONCEPTS.items() if key == "photo" or concept.title in titles])


def check_target(picture: Any, name: str) -> None:
    """Refuse a picture to aim at that shows nothing. Raises PhotoError."""
    from ..target_pictures import check_content

    check_content(picture, name)


@dataclass(frozen=True)
class Backend:
    """The functions the interface calls; tests put a fake engine in their place."""

    engine: Callable[..., Any]  # () -> Engine; world=, base=, encoder= where the page asks for another one, None standing for no wish
    options: Callable[..., Any]  # keywords of AdaptOptions -> AdaptOptions
    export: Callable[[Any, Path], Any]  # (style, path) writes one style file: complete or absent
    decode: Callable[[Any], Any]  # path -> PIL.Image RGB; raises PhotoError
    target: Callable[[Any, str], None] = check_target  # (picture to aim at, its name) raises PhotoError
    check: Callable[[Any, str | None, Any], None] = check_request  # (engine, prompt, options) raises NadaError
    jobs_folder: Callable[[], Path] = default_jobs_folder  # where running styles are saved against crashes


def default_backend(engine_factory: Callable[..., Any] | None = None) -> Backend:
    """The real thing. Every import waits for the first call, so that the page is up before torch is."""

    def engine(world: str | None = None, base: str | None = None, encoder: str | None = None) -> Any:
        from ..engine import Engine

        return Engine(world=world, base=base, encoder=encoder)

    def options(**values: Any) -> Any:
        from ..adaptation import AdaptOptions

        return AdaptOptions(**values)

    def export(style: Any, path: Path) -> Any:
        from ..checkpoints import save_style

        return save_style(style, path)

    def decode(path: Any) -> Any:
        from ..images import decode_photo

        return decode_photo(path)

    return Backend(engine=engine_factory or engine, options=options, export=export, decode=decode)


@dataclass(frozen=True)
class Wish:
    """What an engine is asked for, as :func:`nada_core.worlds.choose_world` takes it; None: no wish."""

    world: str | None = None
    base: str | None = None
    encoder: str | None = None


@dataclass(frozen=True)
class World:
    """Facts of the engine that do not change while it runs. Another engine has another World: see `world_choice.change_world`."""

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
    """The engine that a piece of work was prepared for is not the app's any more."""


@dataclass
class AppContext:
    """One per app. `public` means strangers share the server: nothing is written into the style library for them."""

    backend: Backend
    public: bool = False
    line: WorkLine = field(default_factory=WorkLine)
    worker: Worker = field(default_factory=Worker)
    photos: PhotoShelf = field(default_factory=PhotoShelf)
    pages: PageMemory = field(default_factory=PageMemory)
    thumbnails: Thumbnails = field(default_factory=Thumbnails)
    limits: JobLimits = field(default_factory=JobLimits)
    inline: bool | None = None  # None: only on ZeroGPU

    def __post_init__(self) -> None:
        self.blocked = blocked_words() if self.public else ()  # in prompts
        self.photos.swept = self._rest
        self.shelf = StyleShelf(write=self.backend.export, read=lambda path: self.open()[0].style(path))
        from .adapt_run import adapt_views, keep_style  # late: it needs this module

        zero = on_zero_gpu()

        def work(ticket: Ticket) -> Iterator[AdaptView]:
            yield from adapt_views(self, ticket, "cuda" if zero else None)

        store = JobStore(self.backend.jobs_folder)
        self.jobs = JobRegistry(
            _with_zero_gpu(work) if zero else work,
            lambda job: keep_style(self, job),
            self.line,
            self.worker,
            store,
            self.limits,
            inline=zero if self.inline is None else self.inline,
        )
        self.wish = Wish()  # what the page last asked for
        self._opening = threading.Lock()
        self._engine: Any = None
        self._world: World | None = None
        self._folders: list[tempfile.TemporaryDirectory[str]] = []  # of the preview faces: finished jobs show those of their world

    @property
    def is_open(self) -> bool:
        """True once the engine is loaded."""
        return self._world is not None

    @property
    def since(self) -> float:
        """When the engine in use was loaded, on the monotonic clock; 0 before."""
        return self._world.since if self._world is not None else 0.0

    def open(self) -> tuple[Any, World]:
        """The engine and its facts; the first caller loads it, the others wait. Raises NadaError (and a later call tries again)."""
        if self._world is None:
            self.worker.run(self._load)
        with self._opening:
            assert self._world is not None
            return self._engine, self._world

    def _load(self) -> None:
        if self._world is None:
            engine = self.backend.engine()
            self.install(engine, self.facts(engine), self.wish)

    def facts(self, engine: Any) -> World:
        """Load an engine's networks and draw its preview faces, whose files stay as long as the app. Raises NadaError."""
        faces = engine.preview_originals(self.backend.options())
        self._folders.append(tempfile.TemporaryDirectory(prefix="nada-faces-"))
        originals = write_faces(faces, Path(self._folders[-1].name), "before")
        sizes, concepts = tuple(engine.generator.resolutions), tuple(engine.concepts())
        parts = engine.parts
        return World(parts.name, parts.reason, concepts, originals, training_facts(engine), sizes, str(parts.base), parts.encoder)

    def install(self, engine: Any, world: World, wish: Wish) -> None:
        """Put the engine that was loaded for ``wish`` into the place of the one before. For whoever has the turn; the first needs none."""
        with self._opening:
            first = self._world is None
            self._engine, self._world, self.wish = engine, world, wish
            if first:
                self._recover(engine)

    def unsaved(self, key: str, owned: Iterable[str]) -> ShelvedStyle:
        """An unsaved style, which may have to be read from its file first. Raises StyleError: not kept any more, or not in ``owned``."""
        return self.worker.run(lambda: self.shelf.get(key, owned))

    def join(self, engine: Any) -> Turn:
        """A place in the line for work that was prepared with ``engine``: waiting for it raises WorldChanged where another has come."""

        def same() -> None:
            if engine is not self._engine:
                raise WorldChanged("The world of this server was changed while this waited. Reload the page and try again.")

        return self.line.join(same)

    def _rest(self) -> None:
        """Give back the memory that photos were worked on in, once nothing is computed; adaptations do so themselves when they end."""
        self.pages.tidy()
        if not len(self.line):
            release_memory()

    def _recover(self, engine: Any) -> None:
        """Put the styles of runs that were killed into the library; on a public server, or when that fails for a day, delete them."""
        try:
            for left in self.jobs.store.leftovers():
                if left.file is not None and not self.public:
                    try:
                        name = engine.save_style(engine.style(left.file), f"recovered-{slug(left.prompt)}")
                        log.warning("A style of an earlier run that was cut off is in the library as %s.", name)
                    except Exception:  # a damaged leftover must not keep the app from starting
                        log.exception("a style of an earlier run could not be recovered")
                        if left.age < _DAY:
                            continue
                shutil.rmtree(left.folder, ignore_errors=True)
        except OSError as error:
            log.warning("What earlier runs left could not be looked through: %s", error.strerror)

    def shutdown(self, timeout: float = 5.0) -> None:
        """Stop the running job, wait for it at most `timeout` seconds, and put its style into the library (not on a public server)."""

        def rescue(job: Job) -> None:
            entry = self.shelf.get(job.id, [job.id])
            self._engine.save_style(entry.style, f"recovered-{slug(entry.prompt)}")

        self.jobs.close(timeout, None if self.public else rescue)


def _with_zero_gpu(work: Callable[[Ticket], Iterator[AdaptView]]) -> Callable[[Ticket], Iterator[AdaptView]]:
    """Ask for a GPU around the work of one job. Written after the documentation of `spaces`; never run on ZeroGPU."""
    import spaces

    return spaces.GPU(duration=_ZERO_GPU_SECONDS)(work)
