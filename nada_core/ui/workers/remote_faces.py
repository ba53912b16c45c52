"""Have faces rebuilt and styles fitted by a worker that is idle; what it makes lies in the photo's session as if it had been made here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from nada_core.editing.base import EditProgress, EditStages, PhotoEditing
from nada_core.editing.session import FaceToFit, PhotoSession, StyleToFit
from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.errands import MOVED, Errand, errands
from nada_core.ui.workers.face_messages import FaceNews, crop_parts, read_fitted, read_portrait
from nada_core.ui.workers.messages import pack_person

if TYPE_CHECKING:
    from nada_core.editing.portrait import AlignedPhoto, Portrait
    from nada_core.styles.files import Style
    from nada_core.ui.workers.crew import RayCrew

__all__ = ["make_elsewhere"]


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
    wanted = [replace(style, load=partial(context.worker.run, style.load)) for style in styles]
    with closing(errands(context, crew, "editing")) as tries:
        for errand in tries:
            maker = _Maker(context, errand)
            with errand, closing(session.steps(cast(PhotoEditing, maker), faces, wanted, lenient=lenient)) as stages:
                for stage in stages:
                    if not stage.made:
                        yield replace(stage, stage=f"{MOVED}, {stage.stage}") if errand.moved and stage.stage else stage
            if errand.lost:
                yield EditProgress(MOVED, 0.0, person=0)


class _Maker:
    """Stand in for the photo editor in a session: the two kinds of work that take long are done by a worker."""

    def __init__(self, context: AppContext, errand: Errand) -> None:
        self._context, self._errand = context, errand
        self._device = str(getattr(context.open()[0].generator, "device", "cpu"))

    def invert_steps(self, aligned: AlignedPhoto, mode: str) -> EditStages:
        """Yield ever better inversions; the last stage carries the portrait."""
        facts, crop = crop_parts(aligned)
        with closing(self._errand.told(kind="face", mode=mode, facts=facts, crop=crop)) as all_news:
            for news in all_news:
                yield replace(_stage(news), portrait=read_portrait(news, aligned, self._device) if news.made else None)

    def fit_steps(self, portrait: Portrait, style: Style) -> EditStages:
        """Fit a style to a person; the last stage carries the fitted style."""
        person, parts = self._context.worker.run(lambda: (pack_person(portrait.inversion), self._context.backend.pack_style(style)))
        with closing(self._errand.told(kind="style", person=person, style=parts)) as all_news:
            for news in all_news:
                yield replace(_stage(news), fitted=read_fitted(news, self._device) if news.made else None)


def _stage(news: FaceNews) -> EditProgress:
    from PIL import Image

    image = None
    if news.picture:
        image = Image.open(io.BytesIO(news.picture), formats=("JPEG",))
        image.load()
    return EditProgress(news.stage, news.fraction, image)
