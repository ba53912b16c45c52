"""What every tab shares: the engine made on first use, its fixed facts, the line for heavy work, and unsaved styles."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .previews import write_faces
from .shelf import StyleShelf
from .turns import WorkLine

__all__ = ["AppContext", "Backend", "World", "close_iterator", "default_backend"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backend:
    """The functions the interface calls; tests put a fake engine in their place."""

    engine: Callable[[], Any]  # () -> Engine
    options: Callable[..., Any]  # keywords of AdaptOptions -> AdaptOptions
    export: Callable[[Any, Path], Any]  # (style, path) writes one style file
    decode: Callable[[Any], Any]  # path -> PIL.Image RGB; raises PhotoError


def default_backend(engine_factory: Callable[[], Any] | None = None) -> Backend:
    """The real thing. Every import waits for the first call, so that the page is up before torch is."""

    def engine() -> Any:
        from ..engine import Engine

        return Engine()

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
class World:
    """Facts of the engine that do not change while it runs."""

    name: str  # "starter" | "full"
    reason: str
    concepts: tuple[str, ...]
    originals: tuple[str, ...]  # picture files of the fixed preview faces, before any adaptation


def close_iterator(steps: Any) -> None:
    """Close a generator of the engine, so that it frees what it holds (again is harmless)."""
    close = getattr(steps, "close", None)
    if close is not None:
        close()


@dataclass
class AppContext:
    """One per app. `public` means strangers share the server: nothing is written into the style library for them."""

    backend: Backend
    public: bool = False
    line: WorkLine = field(default_factory=WorkLine)
    shelf: StyleShelf = field(default_factory=StyleShelf)
    stops: dict[str, threading.Event] = field(default_factory=dict)  # running adaptations: unguessable id -> stop flag

    def __post_init__(self) -> None:
        self._opening = threading.Lock()
        self._engine: Any = None
        self._world: World | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def is_open(self) -> bool:
        """True once the engine is loaded."""
        return self._world is not None

    def open(self) -> tuple[Any, World]:
        """The engine and its facts; the first caller loads it, the others wait. Raises NadaError (and a later call tries again)."""
        with self._opening:
            if self._world is None:
                engine = self.backend.engine()
                self._folder = tempfile.TemporaryDirectory(prefix="nada-faces-")
                originals = write_faces(engine.preview_originals(self.backend.options()), Path(self._folder.name), "before")
                self._world = World(engine.world, engine.world_reason, tuple(engine.concepts()), originals)
                self._engine = engine
            return self._engine, self._world

    def stop(self, job: str) -> bool:
        """Ask a running adaptation to end after its current step; False when it is not running."""
        flag = self.stops.get(job)
        if flag is not None:
            flag.set()
        return flag is not None
