"""Do photo work on a worker: rebuild one face, or fit one style to a person. It is all in memory, and goes with its end."""

from __future__ import annotations

import logging
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from nada_core.editing.base import EditProgress
from nada_core.errors import NadaError
from nada_core.images.small_jpeg import small_jpeg
from nada_core.system.files import write_bytes
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.face_messages import FaceNews, FaceTask, crop_of, made_parts
from nada_core.ui.workers.messages import unpack_person

__all__ = ["FaceWork"]

log = logging.getLogger(__name__)


class FaceWork:
    """Hold the one piece of photo work in hand.

    Args:
        check: raises NadaError where the worker's networks are not those that the task names; it loads them.
        device: tells where the networks are.
    """

    def __init__(self, context: AppContext, task: FaceTask, check: Callable[[FaceTask], None], device: Callable[[], str]) -> None:
        self.key, self.stop = task.key, threading.Event()
        self._context, self._task, self._check, self._device = context, task, check, device
        self._stages: Iterator[EditProgress] = context.worker.steps(self._work)

    def more(self) -> FaceNews:
        """Work until there is another stage."""
        try:
            stage = None if self.stop.is_set() else next(self._stages, None)
            if stage is None:
                return FaceNews(over=True)
            facts, made = made_parts(stage) if stage.portrait or stage.fitted else ({}, ())
            picture = b"" if stage.image is None else small_jpeg(stage.image, 256)
            return FaceNews(stage.stage, stage.fraction, picture, facts, made)
        except NadaError as error:
            return FaceNews(error=str(error), kind=type(error).__name__, over=True)
        except Exception as error:
            log.exception("photo work failed on a worker")
            return FaceNews(error=f"{type(error).__name__} on {socket.gethostname()}", broken=True, over=True)

    def close(self) -> None:
        """Let go of everything."""
        close_iterator(self._stages)

    def _work(self) -> Iterator[EditProgress]:
        task = self._task
        self._check(task)
        engine, _ = self._context.open()
        if task.mode:
            yield from engine.editor.invert_steps(crop_of(task.facts, task.crop), task.mode)
            return
        with tempfile.TemporaryDirectory(prefix="job-") as folder:
            write_bytes(path := Path(folder) / "style.safetensors", *task.style, synced=False)
            style = engine.style(path)
        person = SimpleNamespace(inversion=unpack_person(bytes(task.person), self._device()))  # all of a portrait that a fit looks at
        yield from engine.editor.fit_steps(cast(Any, person), style)
