"""Have a film painted by a worker that is idle: it travels as bytes, both ways, and nothing of it stays there."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.errors import ClusterError, FilmError, shown
from nada_core.system.files import check_file, write_bytes
from nada_core.ui.jobs.crew import FilmOrder
from nada_core.ui.server.context import AppContext
from nada_core.ui.workers.errands import errands
from nada_core.ui.workers.face_messages import FaceNews, student_bytes

if TYPE_CHECKING:
    from nada_core.films.restyle import FilmStep
    from nada_core.ui.workers.crew import RayCrew

__all__ = ["film_elsewhere"]


def film_elsewhere(
    context: AppContext, crew: RayCrew, order: FilmOrder, stopping: Callable[[], bool]
) -> Generator[tuple[FilmStep, bytes], None, None]:
    """Yield the steps of painting a film, each with the JPEG of a frame or nothing; the last one has the result, and the file is there.

    Once ``stopping`` says so it ends after the frame at hand, and the file holds the frames so far. It ends without either, and without
    an error, where no worker is idle: then it is to be painted here. Where a worker dies, another one begins again: a step says frame 0.

    Raises:
        NadaError: what is wrong with the film, or with the style.
    """
    from nada_core.films.restyle import FilmStep

    check_file(order.source, f"There is no film '{shown(order.source.name, 60)}'. Upload it again.", FilmError)
    with closing(errands(context, crew, "filming")) as tries:
        for errand in tries:
            style, student = context.worker.run(lambda: _packed(context, order))
            facts = {"name": order.source.name, "strength": order.strength}
            film = order.source.read_bytes()
            with errand, closing(errand.told(stopping, kind="film", facts=facts, film=film, student=student, style=style)) as all_news:
                for news in all_news:
                    if news.made:
                        write_bytes(order.out, *news.made, synced=False)
                    yield _step(news, order.out if news.made else None), bytes(news.picture)
            if stopping():
                return
            if errand.lost:
                yield FilmStep(0, None, 0.0, None, 0), b""


def _packed(context: AppContext, order: FilmOrder) -> tuple[Any, bytes]:
    """Return the style's file in parts, and its student's. Raises OptionsError: it has none."""
    ((student, _),) = context.open()[0].students.of([(order.style, 1.0)], "or choose another style")
    return context.backend.pack_style(order.style), student_bytes(student)


def _step(news: FaceNews, out: Path | None) -> FilmStep:
    """Return what a worker told; the result only with the file, which comes after it."""
    from nada_core.films.restyle import FilmResult, FilmStep

    facts = dict(news.facts)
    try:
        result = facts.pop("result", None)
        made = None if result is None or out is None else FilmResult(**{**result, "path": out, "notes": tuple(result["notes"])})
        return FilmStep(fraction=news.fraction, result=made, **facts)
    except (KeyError, TypeError) as error:
        raise ClusterError("News of a worker cannot be read: its machine has another version of the product.") from error
