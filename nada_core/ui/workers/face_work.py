"""Do an errand on a worker: rebuild a face, fit a style to a person, train a student, paint a film. All of it goes with its end."""

from __future__ import annotations

import logging
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from nada_core.editing.base import EditStages
from nada_core.errors import NadaError
from nada_core.images.small_jpeg import small_jpeg
from nada_core.system.files import write_bytes
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.server.context import AppContext
from nada_core.ui.tabs.mirror.film_work import page_limits, small_frame
from nada_core.ui.workers.face_messages import FaceNews, FaceTask, crop_of, made_parts, read_student, student_bytes
from nada_core.ui.workers.messages import unpack_person

if TYPE_CHECKING:
    from nada_core.films.restyle import FilmStep
    from nada_core.styles.files import Style

__all__ = ["FaceWork"]

log = logging.getLogger(__name__)
_KEPT = ("student", "film")  # what these have come to when they are stopped is sent


class FaceWork:
    """Hold the one errand in hand.

    Args:
        check: raises NadaError where the worker's networks are not those that the task names; it loads them.
        device: tells where the networks are.
    """

    def __init__(self, context: AppContext, task: FaceTask, check: Callable[[FaceTask], None], device: Callable[[], str]) -> None:
        self.key, self.stop = task.key, threading.Event()
        self._context, self._task, self._check, self._device = context, task, check, device
        self._news: Iterator[FaceNews] = context.worker.steps(self._work)

    def more(self) -> FaceNews:
        """Work until there is news."""
        try:
            if self.stop.is_set() and self._task.kind not in _KEPT:
                return FaceNews(over=True)
            return next(self._news, None) or FaceNews(over=True)
        except NadaError as error:
            return FaceNews(error=str(error), kind=type(error).__name__, over=True)
        except Exception as error:
            log.exception("photo work failed on a worker")
            return FaceNews(error=f"{type(error).__name__} on {socket.gethostname()}", broken=True, over=True)

    def close(self) -> None:
        """Let go of everything."""
        close_iterator(self._news)

    def _work(self) -> Iterator[FaceNews]:
        self._check(self._task)
        return {"student": self._learnt, "film": self._painted}.get(self._task.kind, self._made)()

    def _made(self) -> Iterator[FaceNews]:
        for stage in self._stages():
            facts, made = made_parts(stage) if stage.portrait or stage.fitted else ({}, ())
            picture = b"" if stage.image is None else small_jpeg(stage.image, 256)
            yield FaceNews(stage.stage, stage.fraction, picture, facts, made)

    def _stages(self) -> EditStages:
        task, editor = self._task, self._context.open()[0].editor
        if task.kind == "face":
            return editor.invert_steps(crop_of(task.facts, task.crop), task.mode)
        person = SimpleNamespace(inversion=unpack_person(bytes(task.person), self._device()))  # all of a portrait that a fit looks at
        return editor.fit_steps(cast(Any, person), self._style())

    def _learnt(self) -> Iterator[FaceNews]:
        """Yield the steps of a student's training; the file comes with the last one, or with the one at which it is stopped."""
        last, steps = None, self._context.open()[0].distil(self._style())
        try:
            for last in steps:
                if self.stop.is_set():
                    break
                yield FaceNews(last.stage, last.fraction, facts={"left": last.left})
        finally:
            close_iterator(steps)
        if last is not None and last.student is not None:
            yield FaceNews(last.stage, last.fraction, facts={"left": 0.0}, made=(student_bytes(last.student),))

    def _painted(self) -> Iterator[FaceNews]:
        """Yield the steps of a film's painting; the file comes after the last one, or after the one at which it is stopped."""
        task, engine = self._task, self._context.open()[0]
        student = read_student([task.student])
        with tempfile.TemporaryDirectory(prefix="job-") as folder:
            source, out = Path(folder) / "source" / _plain(str(task.facts["name"])), Path(folder) / "film.mp4"
            write_bytes(source, task.film, synced=False)
            strength = float(task.facts["strength"])
            last, steps = None, engine.film_steps(source, self._style(), out, strength, limits=page_limits(), students=[(student, 1.0)])
            try:
                for last in steps:
                    if self.stop.is_set():
                        break
                    yield _film_news(last)
            finally:
                close_iterator(steps)
            if last is not None and out.is_file():
                yield replace(_film_news(last), made=(out.read_bytes(),))

    def _style(self) -> Style:
        with tempfile.TemporaryDirectory(prefix="job-") as folder:
            write_bytes(path := Path(folder) / "style.safetensors", *self._task.style, synced=False)
            return self._context.open()[0].style(path)


def _film_news(step: FilmStep) -> FaceNews:
    facts = {name: getattr(step, name) for name in ("frame", "frames", "left", "people")}
    if step.result is not None:
        facts["result"] = {name: getattr(step.result, name) for name in ("frames", "painted", "people", "seconds", "took", "notes")}
    return FaceNews(fraction=step.fraction, picture=small_frame(step) or b"", facts=facts)


def _plain(name: str) -> str:
    """Return a film's name, which messages quote; another one where it is not just a name."""
    return name if name == Path(name).name and "\\" not in name and not name.startswith(".") else "film"
