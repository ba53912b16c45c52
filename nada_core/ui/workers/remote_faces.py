"""Have faces rebuilt and styles fitted by a worker that is idle; what it makes lies in the photo's session as if it had been made here.

Nothing waits for a worker here: where none is idle, or the last one was lost, the app does the work itself, in its own line.
"""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from nada_core.cluster.identity import Identity, product
from nada_core.editing.base import EditProgress, EditStages, PhotoEditing
from nada_core.editing.session import FaceToFit, PhotoSession, StyleToFit
from nada_core.errors import ClusterError, NadaError, NoFaceError, OptionsError, PhotoError, PromptError, StyleError
from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.colleague import Colleague, WorkerLost
from nada_core.ui.workers.face_messages import (
    FaceNews,
    FaceTask,
    crop_parts,
    read_face_news,
    read_fitted,
    read_portrait,
    write_face_task,
)
from nada_core.ui.workers.messages import pack_person

if TYPE_CHECKING:
    from nada_core.editing.portrait import AlignedPhoto, Portrait
    from nada_core.styles.files import Style
    from nada_core.ui.workers.crew import RayCrew

__all__ = ["make_elsewhere"]

log = logging.getLogger(__name__)
_MOVED = "moved to another machine"
#: Refusals that mean something to who asked; a session leaves out a style that cannot be worn, and not a wrong option.
_REFUSALS: tuple[type[NadaError], ...] = (ClusterError, NoFaceError, OptionsError, PhotoError, PromptError, StyleError)
_KINDS = {kind.__name__: kind for kind in _REFUSALS}


def make_elsewhere(
    context: AppContext, crew: RayCrew, session: PhotoSession, faces: Sequence[FaceToFit], styles: Sequence[StyleToFit], *, lenient: bool
) -> EditStages:
    """Yield the stages of making what a session lacks, as its own :meth:`~PhotoSession.steps` does but for the last one.

    It ends early, without an error, where no worker is idle: what is missing then is to be made here.

    Raises:
        NadaError: no such face, a style that cannot be worn, or a worker that has other weights than this app.
    """
    if session.made([face.key for face in faces], styles) is not None:
        return
    engine, world = context.open()
    identity, moved = Identity(product(), world.base, engine.base_hash, world.encoder), False
    wanted = [replace(style, load=partial(context.worker.run, style.load)) for style in styles]
    while (colleague := _idle(crew, context)) is not None:
        maker = _Maker(context, colleague, identity, str(getattr(engine.generator, "device", "cpu")))
        try:
            with closing(session.steps(cast(PhotoEditing, maker), faces, wanted, lenient=lenient)) as stages:
                for stage in stages:
                    if not stage.made:
                        yield replace(stage, stage=f"{_MOVED}, {stage.stage}") if moved and stage.stage else stage
            return
        except WorkerLost as error:
            log.warning("a worker was lost with an edit: %s", str(error).partition("\n")[0])
            crew.lose(colleague, identity)
            moved = True
            yield EditProgress(_MOVED, 0.0, person=0)
        except _Unreachable as error:
            log.warning("an edit is done in the app's own process: %s", error)
            return
        finally:
            crew.give_back(colleague)


class _Unreachable(Exception):
    """Say that no worker can be asked, and why: the app needs none for photos."""


def _idle(crew: RayCrew, context: AppContext) -> Colleague | None:
    try:
        crew.start(context)
        return crew.take(0.0, doing="editing")
    except ClusterError as error:
        log.warning("an edit is done in the app's own process: %s", error)
        return None


class _Maker:
    """Stand in for the photo editor in a session: the two kinds of work that take long are done by a worker."""

    def __init__(self, context: AppContext, colleague: Colleague, identity: Identity, device: str) -> None:
        self._context, self._colleague, self._device = context, colleague, device
        self._blank = FaceTask("", identity.base, identity.base_hash, identity.encoder)

    def invert_steps(self, aligned: AlignedPhoto, mode: str) -> EditStages:
        """Yield ever better inversions; the last stage carries the portrait."""
        facts, crop = crop_parts(aligned)
        for news in self._done(replace(self._blank, key=secrets.token_hex(8), mode=mode, facts=facts, crop=crop)):
            yield replace(_stage(news), portrait=read_portrait(news, aligned, self._device) if news.made else None)

    def fit_steps(self, portrait: Portrait, style: Style) -> EditStages:
        """Fit a style to a person; the last stage carries the fitted style."""
        person, parts = self._context.worker.run(lambda: (pack_person(portrait.inversion), self._context.backend.pack_style(style)))
        for news in self._done(replace(self._blank, key=secrets.token_hex(8), person=person, style=parts)):
            yield replace(_stage(news), fitted=read_fitted(news, self._device) if news.made else None)

    def _done(self, task: FaceTask) -> Iterator[FaceNews]:
        with closing(self._colleague.faces(task.key, write_face_task(task))) as told:
            while (message := self._next(told)) is not None:
                news = read_face_news(message)
                if news.broken:
                    raise RuntimeError(f"a worker's program failed: {news.error}")
                if news.error:
                    raise _KINDS.get(news.kind, NadaError)(news.error)
                if news.over:
                    return
                yield news

    def _next(self, told: Iterator[Any]) -> Any:
        try:
            return next(told, None)
        except ClusterError as error:  # its head or its store, and not what the worker says
            raise _Unreachable(str(error)) from error


def _stage(news: FaceNews) -> EditProgress:
    from PIL import Image

    image = None
    if news.picture:
        image = Image.open(io.BytesIO(news.picture), formats=("JPEG",))
        image.load()
    return EditProgress(news.stage, news.fraction, image)
