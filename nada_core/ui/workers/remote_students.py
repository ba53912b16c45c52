"""Have the student of a style trained by a worker that is idle: minutes of work that the app's own line does not wait for."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.errors import StyleError
from nada_core.system.files import write_bytes
from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.errands import MOVED, errands, told
from nada_core.ui.workers.face_messages import FaceNews, FaceTask

if TYPE_CHECKING:
    from nada_core.students.distil import DistilStep
    from nada_core.students.files import StyleStudent
    from nada_core.styles.files import Style
    from nada_core.ui.workers.crew import RayCrew

__all__ = ["learn_elsewhere"]


def learn_elsewhere(context: AppContext, crew: RayCrew, style: Style, stopping: Callable[[], bool]) -> Generator[DistilStep, None, None]:
    """Yield the steps of training a style's student; the last one carries it. Once ``stopping`` says so that is the one at hand.

    It ends without a student, and without an error, where no worker is idle: then it is to be trained here.

    Raises:
        NadaError: the style is of another generator, or the worker has other weights than this app.
    """
    from nada_core.students.distil import DistilStep

    engine, world = context.open()
    parts = context.worker.run(lambda: context.backend.pack_style(style))
    with closing(errands(context, crew, "learning")) as tries:
        for errand in tries:
            task = FaceTask(secrets.token_hex(8), world.base, engine.base_hash, world.encoder, kind="student", style=parts)
            with errand, closing(told(errand.colleague, task, stopping)) as all_news:
                for news in all_news:
                    words = f"{MOVED}, {news.stage}" if errand.moved else news.stage
                    yield DistilStep(words, news.fraction, float(news.facts["left"]), None, _student(news) if news.made else None)
            if stopping():
                return
            if errand.lost:
                yield DistilStep(MOVED, 0.0, 0.0)


def _student(news: FaceNews) -> StyleStudent:
    from nada_core.students.files import load_students

    with tempfile.TemporaryDirectory(prefix="nada-student-") as folder:
        write_bytes(path := Path(folder) / "student.safetensors", *news.made, synced=False)
        found = list(load_students(path).values())
    if len(found) != 1:
        raise StyleError("A worker sent another number of students than one. Try again.")
    return found[0]
