"""Compute adaptations and errands in a process of its own: what a worker of the cluster is. It keeps nothing of a job after its end."""

from __future__ import annotations

import importlib
import json
import logging
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.cluster.connect import cores_here
from nada_core.cluster.identity import Identity, check_same, product
from nada_core.cluster.networks import repacked, unpacked, write_file
from nada_core.errors import NadaError
from nada_core.system.files import write_bytes
from nada_core.ui.jobs.process_folder import TempFolder
from nada_core.ui.jobs.store import TRAINING
from nada_core.ui.jobs.views import AdaptView, Ticket
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.server.context import AppContext, Wish
from nada_core.ui.tabs.adapt.work import adapt_views, keep_style
from nada_core.ui.workers.face_messages import FaceNews, FaceTask, read_face_task, write_face_news
from nada_core.ui.workers.face_work import FaceWork
from nada_core.ui.workers.messages import News, Part, Task, read_task, renamed, sendable, unpack_person, write_news

if TYPE_CHECKING:
    from nada_core.adaptation.loop import AdaptationStep
    from nada_core.styles.files import Style

__all__ = ["BACKEND", "AdaptWorker"]

log = logging.getLogger(__name__)
BACKEND = "nada_core.ui.server.backend:default_backend"


@dataclass
class _Work:
    """Hold the one job in hand."""

    task: Task
    folder: Path
    asked: float
    stop: threading.Event = field(default_factory=threading.Event)
    views: Iterator[AdaptView] | None = None
    training: tuple[Sequence[Part], int] = ((), 0)  # the run's own memory, to be sent before it goes on; its step
    packed: dict[str, Sequence[Part]] = field(default_factory=dict)  # styles to be sent, whose files are empty
    known: dict[str, tuple[int, int]] = field(default_factory=dict)  # files that were sent

    @property
    def key(self) -> str:
        return self.task.key


class AdaptWorker:
    """Hold a warm engine and work on one adaptation, or one errand, at a time.

    All that is given and returned is bytes, arrays of them, texts and numbers. ``keep_file``, ``begin``, ``begin_face``, ``more``,
    ``hello`` and ``forget`` come one after the other; ``stop``, ``doing`` and ``leave`` at any time, from other threads.

    Args:
        plan: JSON: ``backend``, the ``module:function`` that makes the engine, its ``arguments``, ``cores``, and ``keep``, the
            seconds between two trainings that leave the worker: what is lost with it is less than that and a step.
    """

    def __init__(self, plan: str) -> None:
        wanted = json.loads(plan)
        _use_cores(wanted["cores"])
        self._keep_every = wanted["keep"]
        self._temporary = TempFolder()
        self._networks = self._temporary.path / "networks"
        self._words = set[str]()  # of files that lie there
        module, _, function = wanted["backend"].partition(":")
        backend = getattr(importlib.import_module(module), function)(**wanted["arguments"])
        # an app on this machine keeps its jobs in the usual folder, and recovers what it left there itself
        backend = replace(
            backend,
            jobs_folder=lambda: self._temporary.path / "jobs",
            export=partial(self._pack, backend.export, backend.pack_style),
            keep_training=lambda step, path: self._take(step),
        )
        self._context = AppContext(backend, adapt_views, keep_style)
        self._work: _Work | FaceWork | None = None
        self._doing = "loading"

    def hello(self, base: str, encoder: str) -> str:
        """Load these networks and return who this is, as JSON: its identity, and what it runs on.

        An error is in the JSON, for a person.
        """
        try:
            identity = self._identity(base, encoder)
        except NadaError as error:
            return json.dumps({"error": str(error)})
        finally:
            self._doing = "idle"
        return json.dumps({"identity": asdict(identity), "host": socket.gethostname(), "pid": os.getpid(), "device": self._device()})

    def keep_file(self, word: str, content: Any) -> str:
        """Keep a file that networks are named by, for as long as this process lives; return what went wrong, for a person."""
        try:
            write_file(word, memoryview(content), self._networks)
        except NadaError as error:
            return str(error)
        self._words.add(word)
        return ""

    def doing(self) -> str:
        """Say what it does now, as JSON."""
        return json.dumps(
            {"doing": self._doing, "host": socket.gethostname(), "pid": os.getpid(), "product": product(), "cores": cores_here()}
        )

    def begin(self, task: bytes, training: Sequence[Part] = ()) -> None:
        """Take on an adaptation, after this training where there is one; :meth:`more` does the work."""
        self._drop()
        work = _Work(read_task(task), Path(tempfile.mkdtemp(prefix="job-")), time.monotonic())
        (work.folder / "styles").mkdir()
        (work.folder / "pictures" / "targets").mkdir(parents=True)
        if training:
            write_bytes(work.folder / "styles" / TRAINING, *training, synced=False)
        self._work, self._doing = work, "adapting"
        work.views = self._context.worker.steps(partial(self._views, work))

    def begin_face(self, message: Sequence[Part]) -> None:
        """Take on an errand; :meth:`more_of_face` does it."""
        self._drop()
        task = read_face_task(message)
        self._doing = {"student": "learning", "film": "filming"}.get(task.kind, "editing")
        self._work = FaceWork(self._context, task, self._check, self._device)

    def more_of_face(self, key: str) -> list[Any]:
        """Do the errand until there is news, and return them; where it is not in hand they say that it is over."""
        work = self._work
        news = work.more() if isinstance(work, FaceWork) and work.key == key else FaceNews(over=True)
        if news.over and work is not None and work.key == key:
            self._drop()
        return sendable(write_face_news(news))

    def more(self, key: str) -> tuple[list[Any], list[Any]]:
        """Work until there is another view; return the news, and where they name a step the training after it.

        Both are read where they lie before the work goes on. Once a job is over, or where another one is in hand, the news say so and
        nothing else.
        """
        work = self._work
        if not isinstance(work, _Work) or work.key != key or work.views is None:
            return sendable(write_news(News(over=True))), []
        try:
            view = next(work.views, None)
            news = News(over=True) if view is None else self._news(work, view)
        except NadaError as error:
            news = News(files=_new_files(work)[0], error=str(error), over=True)
        except Exception as error:
            log.exception("an adaptation failed on a worker")
            news = News(files=_new_files(work)[0], error=f"{type(error).__name__} on {socket.gethostname()}", broken=True, over=True)
        if news.over:
            self._drop()
        (training, step), work.training = work.training, ((), 0)
        return sendable(write_news(replace(news, step=step))), sendable(training)

    def stop(self, key: str) -> None:
        """Ask the job to end after the step at hand."""
        work = self._work
        if work is not None and work.key == key:
            work.stop.set()

    def forget(self, key: str) -> None:
        """Break the job off, if it is still in hand."""
        if self._work is not None and self._work.key == key:
            self._drop()

    def leave(self) -> None:
        """Get ready to be ended: break off what is in hand, and delete all files."""
        work = self._work
        if work is not None:
            work.stop.set()
        self._temporary.remove()

    # --- in the thread that works ---

    def _views(self, work: _Work) -> Iterator[AdaptView]:
        task = work.task
        self._check(task)
        files = []
        for number, (ending, content) in enumerate(task.images):
            files.append(work.folder / "pictures" / "targets" / f"{number}{ending}")
            files[-1].write_bytes(content)
        person = unpack_person(task.person, self._device()) if task.person else None
        styles = work.folder / "styles"
        going_on = task.key if (styles / TRAINING).exists() else ""
        request = replace(task.request, images=tuple(map(str, files)), resume=going_on)
        keep = partial(self._keep, work)
        ticket = Ticket(task.key, request, styles, work.folder / "pictures", work.stop.is_set, keep, person)
        yield from adapt_views(self._context, ticket)

    def _check(self, task: Task | FaceTask) -> None:
        """Load the networks that a task is for. Raises ClusterError: they are others here."""
        ours = self._identity(task.base, task.encoder)
        check_same(f"The worker on {socket.gethostname()}", ours, Identity(ours.product, task.base, task.base_hash, task.encoder))

    def _keep(self, work: _Work, step: AdaptationStep) -> bool:
        if time.monotonic() - work.asked < self._keep_every:
            return False
        self._take(step)
        return True

    def _take(self, step: AdaptationStep) -> None:
        """Have a step's training sent with its view."""
        if isinstance(work := self._work, _Work):
            work.training, work.asked = (self._context.backend.take_training(step), step.index), time.monotonic()

    def _pack(self, export: Callable[[Style, Path], Any], pack: Callable[[Style], Sequence[Part]], style: Style, path: Path) -> None:
        """Have a style of the job sent with the next view, from memory: its file is written where the app is."""
        work = self._work
        if not isinstance(work, _Work) or path.parent != work.folder / "styles":
            export(style, path)
            return
        path.touch()
        work.packed[f"styles/{path.name}"] = pack(style)

    def _news(self, work: _Work, view: AdaptView) -> News:
        """Return a view with the files that came, changed or went since the last one."""
        files, gone = _new_files(work)
        return News(renamed(view, self._naming(work)), files, gone)

    def _naming(self, work: _Work) -> Callable[[str], str]:
        originals = {name: f"originals/{number}" for number, name in enumerate(self._context.open()[1].originals)}
        return lambda name: originals.get(name) or f"{Path(name).parent.name}/{Path(name).name}"

    def _identity(self, base: str, encoder: str) -> Identity:
        """Load these networks where they are not the ones in use, and return what they are. Raises NadaError."""
        context = self._context
        if not context.is_open or self._names() != (base, encoder):
            wish = Wish(base=unpacked(base, self._words, self._networks), encoder=unpacked(encoder, self._words, self._networks))
            engine = context.worker.run(lambda: context.backend.engine(**asdict(wish)))
            context.install(engine, context.worker.run(lambda: context.facts(engine)), wish)
        loaded, its = self._names()
        return Identity(product(), loaded, context.open()[0].base_hash, its)

    def _names(self) -> tuple[str, str]:
        """Return the generator and the encoder in use, as other machines know them."""
        facts = self._context.open()[1]
        return repacked(facts.base, self._words, self._networks), repacked(facts.encoder, self._words, self._networks)

    def _device(self) -> str:
        return str(getattr(self._context.open()[0].generator, "device", "cpu"))

    def _drop(self) -> None:
        work, self._work = self._work, None
        if work is None:
            return
        try:
            if isinstance(work, FaceWork):
                work.close()
            else:
                close_iterator(work.views)
        finally:
            if isinstance(work, _Work):
                self._context.shelf.discard([work.key])
                shutil.rmtree(work.folder, ignore_errors=True)
            self._doing = "idle"


def _new_files(work: _Work) -> tuple[tuple[tuple[str, Sequence[Part]], ...], tuple[str, ...]]:
    """Return the files of a job that came or changed since the last look, and the names of those that went."""
    found: dict[str, tuple[int, int]] = {}
    for folder in ("styles", "pictures"):
        for file in (work.folder / folder).iterdir():
            if file.is_file() and not file.name.startswith(".") and file.name != TRAINING:
                stat = file.stat()
                found[f"{folder}/{file.name}"] = (stat.st_mtime_ns, stat.st_size)
    changed = [name for name, stamp in found.items() if name in work.packed or work.known.get(name) != stamp]
    files = tuple((name, work.packed.get(name) or ((work.folder / name).read_bytes(),)) for name in changed)
    gone = tuple(name for name in work.known if name not in found)
    work.known, work.packed = found, {}
    return files, gone


def _use_cores(cores: int) -> None:
    """Let torch use so many cores of this machine, before it is imported."""
    os.environ["OMP_NUM_THREADS"] = str(cores)
    from nada_core.system.allocator import tune_cpu_allocator
    from nada_core.system.threads import wait_politely

    wait_politely()
    tune_cpu_allocator()
