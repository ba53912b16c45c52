"""Put a style on a visitor's film when it is its turn; whoever stops keeps what was made. No Gradio in here."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.errors import FilmError, NadaError
from nada_core.images.small_jpeg import small_jpeg
from nada_core.system.files import slug
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.crew import FilmOrder
from nada_core.ui.jobs.views import Progress, WorkView
from nada_core.ui.jobs.watching import TICK
from nada_core.ui.server.context import AppContext
from nada_core.ui.style_menu.choices import chosen_style
from nada_core.ui.wording import duration, waiting_words

if TYPE_CHECKING:
    from nada_core.films.reading import FilmLimits
    from nada_core.films.restyle import FilmStep
    from nada_core.styles.files import Style

__all__ = ["LONGEST", "MAX_FILM", "FilmRequest", "FilmView", "page_limits", "run_film", "small_frame"]

log = logging.getLogger(__name__)
LONGEST = 20.0  # seconds of a film on the page; the command line takes longer ones
MAX_FILM = 48 * 2**20  # bytes: what a phone makes of that; nothing larger is taken by any part of the page
_PIXELS = 1920 * 1920


@dataclass(frozen=True)
class FilmRequest:
    """Ask for a film in a style."""

    source: str | None
    style: str | None
    strength: float = 1.0
    owned: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilmView(WorkView):
    """Hold how far a film is: a JPEG of a frame now and then, at the end the file, deleted when the iterator goes on."""

    frame: bytes | None = None
    file: str | None = None


def run_film(context: AppContext, request: FilmRequest, stop: threading.Event) -> Generator[FilmView, None, None]:
    """Yield views of the work; the last one is "done", "stopped" or "failed"."""
    try:
        yield from _film(context, request, stop)
    except NadaError as error:
        yield FilmView("failed", Progress(0, "Not made", kind="bad"), error=str(error))
    except Exception:
        log.exception("a film failed")
        words = "Something went wrong on the server and the film was not made. The server's log has the details."
        yield FilmView("failed", Progress(0, "Not made", kind="bad"), error=words)


def _film(context: AppContext, request: FilmRequest, stop: threading.Event) -> Iterator[FilmView]:
    if not request.source:
        raise FilmError(f"There is no film yet. Choose one of up to {LONGEST:g} seconds.")
    yield FilmView("wait", Progress(0, "Getting the models ready", kind="wait"))
    engine, _ = context.open()
    load, _ = chosen_style(context, engine, request.style, request.owned)
    with tempfile.TemporaryDirectory(prefix="nada-film-") as folder:
        out = Path(folder) / f"{slug(request.style or 'film')}.mp4"
        last: FilmStep | None = None
        if context.crew is not None:
            order = FilmOrder(Path(request.source), context.worker.run(load), request.strength, out)
            with closing(context.crew.film(context, order, stop.is_set)) as steps:
                for last, frame in steps:
                    if last.result is None:
                        yield _shown(last, frame or None)
        if not stop.is_set() and (last is None or last.result is None):
            last = yield from _here(context, engine, partial(_steps, engine, load, request.source, request.strength, out), stop)
        yield _ended(last, out)


def _here(
    context: AppContext, engine: AppEngine, begin: Callable[[], Iterator[FilmStep]], stop: threading.Event
) -> Generator[FilmView, None, FilmStep | None]:
    """Paint the film in this process when its turn comes; return the last step."""
    last: FilmStep | None = None
    with context.join(engine) as turn:
        while not turn.wait(TICK):
            if stop.is_set():
                return None
            yield FilmView("wait", Progress(0, waiting_words(turn.ahead), kind="wait"))
        with closing(context.worker.steps(begin)) as steps:
            for step in steps:
                last = step
                if stop.is_set():
                    break
                yield _shown(step, small_frame(step))
    return last


def _steps(engine: AppEngine, load: Callable[[], Style], source: str, strength: float, out: Path) -> Iterator[FilmStep]:
    return engine.film_steps(source, load(), out, strength, limits=page_limits())


def page_limits() -> FilmLimits:
    """Return the limits of the page's films."""
    from nada_core.films.reading import FilmLimits

    return FilmLimits(LONGEST, _PIXELS, "Cut it first, or use the command line.")


def small_frame(step: FilmStep) -> bytes | None:
    """Return the picture of a frame as it is shown, where the step has one."""
    return None if step.picture is None else small_jpeg(step.picture, quality=85)


def _shown(step: FilmStep, frame: bytes | None) -> FilmView:
    if not step.frame:
        return FilmView("run", Progress(0, "Moved to another machine", "It begins again.", kind="run"))
    left = f"about {duration(step.left)} left" if step.left and step.fraction > 0.05 else ""
    count = f"Frame {step.frame}" + (f" of {step.frames}" if step.frames else "")
    return FilmView("run", Progress(step.fraction, count, left, kind="run"), frame=frame)


def _ended(last: FilmStep | None, out: Path) -> FilmView:
    if last is not None and last.result is not None:
        r = last.result
        share = f"{r.painted} of {r.frames} frames have a face that was painted."
        return FilmView("done", Progress(1, "Done", duration(r.took), kind="good", note=" ".join((share, *r.notes))), file=str(out))
    if out.is_file():
        return FilmView("stopped", Progress(1, "Stopped", note="What was painted so far is kept below."), file=str(out))
    return FilmView("stopped", Progress(0, "Stopped", note="Nothing had begun." if last is None else "No frame was finished yet."))
