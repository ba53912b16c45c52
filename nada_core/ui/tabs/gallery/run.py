"""Do the Gallery tab's work: compare styles, walk through one, export them. No Gradio in here."""

from __future__ import annotations

import re
import secrets
import tempfile
import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.errors import OptionsError
from nada_core.system.files import slug
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.endings import guarded
from nada_core.ui.jobs.line import Turn
from nada_core.ui.jobs.views import Progress
from nada_core.ui.jobs.watching import TICK
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.requests import FACES_AT_ONCE
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.thumbnails import jpeg_bytes
from nada_core.ui.tabs.gallery.downloads import MARK, write_zip
from nada_core.ui.tabs.gallery.library import chosen_entries
from nada_core.ui.tabs.gallery.views import GalleryView, Sheet, SheetRow
from nada_core.ui.wording import duration, readable_size, style_title, waiting_words

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from PIL import Image


__all__ = ["FACES", "MAX_EXPORTED", "fresh_seeds", "read_seeds", "run_compare", "run_export", "run_walk"]

FACES = 4
MAX_EXPORTED = 30
_MIN_GAP = 0.4  # seconds between two signs of life of a film
_PSI = 0.7
_FRAMES_BETWEEN = 8


def fresh_seeds(count: int = FACES) -> str:
    """Return new seeds, short enough to read out."""
    seeds: set[int] = set()
    while len(seeds) < count:
        seeds.add(secrets.randbelow(10_000))
    return ", ".join(map(str, seeds))


def read_seeds(text: str | None) -> list[int]:
    """Return one to FACES_AT_ONCE different seeds from text like `3, 11, 27`. Raises OptionsError."""
    words = [word for word in re.split(r"[\s,;]+", (text or "")[:400]) if word]
    if not words or not all(re.fullmatch(r"[0-9]{1,10}", word) for word in words):
        raise OptionsError("The faces are chosen by whole numbers such as 3, 11, 27, 42. Type some, or press New faces.")
    seeds = list(dict.fromkeys(int(word) for word in words))
    if len(seeds) > FACES_AT_ONCE:
        raise OptionsError(f"{len(seeds)} faces are too many for one sheet; {FACES_AT_ONCE} are possible.")
    return seeds


def run_compare(context: AppContext, names: Any, seeds: str | None) -> Iterator[GalleryView]:
    """Render the faces without a style and in each chosen one; the last view carries the zip, or a readable `error`."""
    return _guarded(lambda: _compare(context, names, seeds))


def run_walk(context: AppContext, names: Any, seeds: str | None) -> Iterator[GalleryView]:
    """Film a walk from face to face in the first chosen style; the last view carries the GIF, or a readable `error`."""
    return _guarded(lambda: _walk(context, names, seeds))


def run_export(context: AppContext, names: Any) -> Iterator[GalleryView]:
    """Write the compact file of a style, or a zip with those of several; the last view carries it, or a readable `error`.

    Args:
        names: a list of names, or one.
    """
    return _guarded(lambda: _export(context, [names] if isinstance(names, str) else names))


def _guarded(work: Callable[[], Iterator[GalleryView]]) -> Iterator[GalleryView]:
    views = guarded(work, GalleryView, where="on this page", name="the gallery", sorry="")
    try:
        for view in views:
            if view.error:  # where the work is followed, the reason stands too
                view = replace(view, progress=Progress(0, "Not finished", kind="bad", note=view.error.replace("`", "")))
            yield view
    finally:
        close_iterator(views)


def _await(turn: Turn) -> Iterator[GalleryView]:
    while not turn.wait(TICK):
        yield GalleryView("wait", Progress(0, waiting_words(turn.ahead), kind="wait"))


def _compare(context: AppContext, names: Any, text: str | None) -> Iterator[GalleryView]:
    seeds = read_seeds(text)
    yield GalleryView("wait", Progress(0, "Getting the generator ready", kind="wait"))
    engine, world = context.open()
    entries = chosen_entries(engine, names)
    rows = [SheetRow("before"), *(SheetRow(entry.card.name, entry.card, entry.stamp) for entry in entries)]
    yield GalleryView("wait", Progress(0, "Waiting for the generator", kind="wait"), Sheet(tuple(rows), tuple(seeds)))
    begun = time.monotonic()
    with context.join(engine) as turn:
        yield from _await(turn)
        for number, row in enumerate(rows):
            yield GalleryView("run", Progress(number / len(rows), row.heading, f"row {number + 1} of {len(rows)}", kind="run"))
            rows[number] = context.worker.run(partial(_drawn, context, engine, row, seeds))
            done = Progress((number + 1) / len(rows), row.heading, f"row {number + 1} of {len(rows)}", kind="run")
            yield GalleryView("run", done, Sheet(tuple(rows), tuple(seeds)))
    with tempfile.TemporaryDirectory(prefix="nada-gallery-") as folder:  # the page has its own copy once the view is delivered
        archive = Path(folder) / f"{slug('-'.join(row.name for row in rows[1:]))}-sheet.zip"
        context.worker.run(partial(write_zip, archive, rows, seeds, world.name, _PSI))
        words = Progress(1, "Done", duration(time.monotonic() - begun), kind="good", note="The zip holds every picture and the sheet.")
        yield GalleryView("done", words, archive=str(archive))


def _drawn(context: AppContext, engine: AppEngine, row: SheetRow, seeds: Sequence[int]) -> SheetRow:
    """Return the row with its pictures."""
    images = engine.sample(seeds, style=row.name if row.card is not None else None, truncation_psi=_PSI)
    files = [context.thumbnails.put(f"face {seed} in {row.stamp}", jpeg_bytes(image)) for seed, image in zip(seeds, images)]
    return replace(row, images=images, files=tuple(files))


def _walk(context: AppContext, names: Any, text: str | None) -> Iterator[GalleryView]:
    from nada_core.images.films import save_loop

    seeds = read_seeds(text)
    yield GalleryView("wait", Progress(0, "Getting the generator ready", kind="wait"))
    engine, world = context.open()
    name = chosen_entries(engine, names)[0].card.name
    begun, total = time.monotonic(), len(seeds) * (_FRAMES_BETWEEN + 1)
    with context.join(engine) as turn:
        yield from _await(turn)
        frames = context.worker.steps(partial(engine.walk, seeds, name, frames_between=_FRAMES_BETWEEN))
        try:
            pictures = yield from _film(frames, total)
        finally:
            close_iterator(frames)
    with tempfile.TemporaryDirectory(prefix="nada-gallery-") as folder:
        film = Path(folder) / f"{slug(name)}-walk.gif"
        save_loop(pictures, film, f"{MARK} Style: {name}. Seeds: {', '.join(map(str, seeds))}. World: {world.name}.")
        words = Progress(1, "Done", duration(time.monotonic() - begun), kind="good", note=f"{total} frames; the film repeats for ever.")
        yield GalleryView("done", words, film=str(film))


def _film(frames: Iterator[Image.Image], total: int) -> Generator[GalleryView, None, Sequence[Image.Image]]:
    pictures, begun, shown = [], time.monotonic(), 0.0
    for frame in frames:
        pictures.append(frame)
        now = time.monotonic()
        if now - shown > _MIN_GAP:
            shown = now
            left = duration((now - begun) / len(pictures) * (total - len(pictures)))
            yield GalleryView("run", Progress(len(pictures) / total, f"Frame {len(pictures)} of {total}", f"about {left} left", kind="run"))
    return pictures


def _export(context: AppContext, names: Any) -> Iterator[GalleryView]:
    engine, _ = context.open()
    entries = chosen_entries(engine, names, MAX_EXPORTED)
    with context.join(engine) as turn, tempfile.TemporaryDirectory(prefix="nada-style-") as folder:
        yield from _await(turn)
        paths = []
        for number, entry in enumerate(entries):
            title = style_title(entry.card.name, entry.card.prompt, entry.card.title)
            yield GalleryView("run", Progress(number / len(entries), f"Exporting {title}", kind="run"))
            paths.append(Path(folder) / f"{entry.card.name}.safetensors")
            context.worker.run(partial(engine.export_style, entry.card.name, paths[-1]))
        turn.leave()
        path = paths[0]
        if len(paths) > 1:
            path = Path(folder) / "styles.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
                for one in paths:
                    archive.write(one, one.name)
        said = f"{path.name} ({readable_size(path.stat().st_size)}) is on its way to your downloads."
        yield GalleryView("done", Progress(1, "Exported", kind="good"), file=str(path), said=said)
