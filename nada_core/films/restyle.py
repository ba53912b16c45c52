"""Put a style on everybody in a film, from file to file, a frame at a time: memory does not grow with the film."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from nada_core.errors import FilmError, shown
from nada_core.films.frames import Frame
from nada_core.films.painting import HeadMask, Painter
from nada_core.films.reading import Film, FilmFacts, FilmLimits
from nada_core.films.smoothing import steadied
from nada_core.films.tracking import SEARCH_SIDE, FindsFaces, Tracker, View
from nada_core.films.writing import FilmWriter, check_target
from nada_core.students.files import StyleStudent

__all__ = ["FilmResult", "FilmStep", "FilmSteps", "restyle_film"]

_AHEAD = 0.3  # seconds that the faces are known ahead of what is painted
_FEWEST, _MOST = 4, 12  # frames of it
_PREVIEW, _PREVIEW_SIDE = 0.5, 640  # seconds between two pictures for whoever watches, and their longer side


@dataclass(frozen=True)
class FilmResult:
    """Say what was made.

    Attributes:
        path: of the film.
        frames, painted: how many there are, and how many of them have a face that was painted.
        people: how many were followed; one who leaves and comes back counts twice.
        seconds, took: length of the film, and how long the work took.
        notes: sentences about what of the source was left out.
    """

    path: Path
    frames: int
    painted: int
    people: int
    seconds: float
    took: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FilmStep:
    """Describe one frame's work: its number from 1, how many there are (None: the file does not say), share done, seconds left.

    ``people`` is how many are painted in it; ``picture`` a small picture of it, now and then. Only the last step has the ``result``.
    """

    frame: int
    frames: int | None
    fraction: float
    left: float | None
    people: int
    picture: Image.Image | None = field(default=None, repr=False)
    result: FilmResult | None = None


FilmSteps = Generator[FilmStep, None, None]


@dataclass(eq=False)
class _Work:
    """Hold what one film's work needs: who does it, and what was done so far."""

    tracker: Tracker
    painter: Callable[[], Painter]
    strength: float
    reach: int
    painters: dict[int, Painter] = field(default_factory=dict)
    painted: int = 0
    people: set[int] = field(default_factory=set)


def restyle_film(
    source: str | Path,
    out: str | Path,
    students: Sequence[tuple[StyleStudent, float]],
    detector: FindsFaces,
    head: HeadMask,
    *,
    strength: float = 1.0,
    limits: FilmLimits | None = None,
    overwrite: bool = False,
    labels: Mapping[str, str] | None = None,
) -> FilmSteps:
    """Yield a step a frame; the last one carries the result. Whoever stops early (``close()``, Ctrl-C) keeps a film of what was painted.

    Source and target are checked before it returns.

    Args:
        source: any film that PyAV reads; out: ends in ``.mp4``, ``.m4v``, ``.mov`` or ``.mkv``.
        students: of a blend, with their shares.
        detector: finds faces and follows them.
        head: masks a head in an aligned crop.
        strength: 0 to 1.5.
        limits: of the source.
        overwrite: replace a film that is there.
        labels: text entries for the file.

    Raises:
        FilmError: the source is no film, too long or too large, or shows nobody; the target cannot be written. NadaError: disk full.
    """
    target = check_target(Path(out), Path(source), overwrite)
    film = Film(source, limits)
    rate = float(film.facts.rate)
    reach = min(max(round(_AHEAD * rate), _FEWEST), _MOST)
    work = _Work(Tracker(detector), lambda: Painter(students, head), strength, reach)
    return _steps(film, target, work, labels)


def _steps(film: Film, target: Path, work: _Work, labels: Mapping[str, str] | None) -> FilmSteps:
    begun, watched = time.monotonic(), -np.inf
    with film:
        writer = FilmWriter(target, film.facts, film.sound, labels)
        done = False
        try:
            last = 0.0
            for frame, people in _painted(film, work, writer):
                writer.add(frame)
                last, now = float(frame.ticks * film.facts.time_base), time.monotonic()
                picture = None
                if now - watched >= _PREVIEW:
                    watched, picture = now, _small(frame, _PREVIEW_SIDE)[0]
                yield _step(film.facts, writer.frames, last, now - begun, people, picture)
            if not work.painted:
                name = shown(film.path.name, 60)
                raise FilmError(
                    f"No face was found in '{name}', so nothing was written. Use a film in which a face fills a tenth of the width."
                )
            writer.finish()
            done = True
            length = last + 1 / float(film.facts.rate)
            took = time.monotonic() - begun
            result = FilmResult(target, writer.frames, work.painted, len(work.people), length, took, film.notes())
            yield FilmStep(writer.frames, writer.frames, 1.0, 0.0, 0, _small(frame, _PREVIEW_SIDE)[0], result)
        except (GeneratorExit, KeyboardInterrupt):
            if not done and work.painted:
                writer.finish(stopped=True)
                done = True
            raise
        finally:
            if not done:
                writer.abandon()


def _painted(film: Film, work: _Work, writer: FilmWriter) -> Iterator[tuple[Frame, int]]:
    """Yield finished frames, each once the faces of those that follow it are known; hand the sound on."""
    waiting: deque[Frame] = deque()
    views: deque[View] = deque()  # of the frames that wait, and of the last ones before them
    for event in film.events():
        if not isinstance(event, Frame):
            writer.hear(event)
            continue
        picture, scale = _small(event, SEARCH_SIDE)
        seconds = float(event.ticks * film.facts.time_base)
        views.append(work.tracker.look(picture, scale, seconds, list(views)[len(views) - len(waiting) :]))
        waiting.append(event)
        if len(waiting) > work.reach:
            yield _finished(waiting.popleft(), views, len(views) - 1 - work.reach, work)
            if len(views) > 2 * work.reach:
                views.popleft()
    while waiting:
        yield _finished(waiting.popleft(), views, len(views) - 1 - len(waiting), work)


def _finished(frame: Frame, views: Sequence[View], place: int, work: _Work) -> tuple[Frame, int]:
    """Paint everybody into a frame, whose view has this place among those around it."""
    here = views[place]
    around = [v for v in list(views)[max(place - work.reach, 0) : place + work.reach + 1] if v.shot == here.shot]
    onto, people = frame, 0
    numbers = sorted({number for view in around for number in view.people})
    for number in numbers:
        first, last = work.tracker.bounds.get(number, (-np.inf, np.inf))
        if not first <= here.seconds <= last:
            continue
        possible = [view for view in around if first <= view.seconds <= last]
        seen = [view for view in possible if number in view.people]
        # 0 where a face is seen first or last, 1 as soon as it is seen for good; a frame in which it was missed is bridged
        share = 2 * len(seen) / len(possible) - 1
        if share <= 0:
            continue
        points = np.stack([view.people[number].landmarks for view in seen])
        landmarks = steadied([view.seconds for view in seen], points, here.seconds)
        painter = work.painters.setdefault(number, work.painter())
        onto, people = painter.paint(frame, landmarks, work.strength * share, onto), people + 1
        work.people.add(number)
    for number in set(work.painters) - set(numbers):
        del work.painters[number]
        work.tracker.bounds.pop(number, None)
    work.painted += people > 0
    return onto, people


def _small(frame: Frame, side: int) -> tuple[Image.Image, float]:
    """Return a frame as a picture whose longer side is at most ``side``, and its scale."""
    scale = min(side / max(frame.size), 1.0)
    width, height = (max(1, round(length * scale)) for length in frame.size)
    return frame.picture(size=(width, height)), scale


def _step(facts: FilmFacts, frame: int, seconds: float, passed: float, people: int, picture: Image.Image | None) -> FilmStep:
    if not facts.seconds:
        return FilmStep(frame, None, 0.0, None, people, picture)
    fraction = min((seconds + 1 / float(facts.rate)) / facts.seconds, 1.0)
    return FilmStep(frame, max(facts.frames or 0, frame), fraction, passed * (1 - fraction) / max(fraction, 1e-6), people, picture)
