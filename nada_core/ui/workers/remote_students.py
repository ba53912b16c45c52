"""Have the student of a style trained by a worker that is idle: minutes of work that the app's own line does not wait for."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING

from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.errands import MOVED, errands
from nada_core.ui.workers.face_messages import read_student

if TYPE_CHECKING:
    from nada_core.students.distil import DistilStep
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

    parts = context.worker.run(lambda: context.backend.pack_style(style))
    with closing(errands(context, crew, "learning")) as tries:
        for errand in tries:
            with errand, closing(errand.told(stopping, kind="student", style=parts)) as all_news:
                for news in all_news:
                    words = f"{MOVED}, {news.stage}" if errand.moved else news.stage
                    student = read_student(news.made) if news.made else None
                    yield DistilStep(words, news.fraction, float(news.facts["left"]), None, student)
            if stopping():
                return
            if errand.lost:
                yield DistilStep(MOVED, 0.0, 0.0)
