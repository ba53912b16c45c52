"""What the Gallery tab does: compare styles, walk through one, export them, care for the library. No Gradio in here."""

from __future__ import annotations

import re
import secrets
import tempfile
import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import OptionsError, StyleError
from .context import AppContext
from .gallery_cards import readable_size
from .gallery_sheet import MARK, SheetRow, sheet_html, write_zip
from .guarded import guarded
from .text import duration, slug, style_title, waiting_words
from .thumbnails import jpeg_bytes
from .turns import Turn
from .widgets import progress
from .worker import close_iterator

__all__ = [
    "FACES",
    "MAX_EXPORTED",
    "MAX_FACES",
    "MAX_STYLES",
    "GalleryView",
    "chosen_entries",
    "delete_style",
    "fresh_seeds",
    "import_style",
    "read_seeds",
    "rename_style",
    "run_compare",
    "run_export",
    "run_walk",
]

FACES, MAX_FACES, MAX_STYLES = 4, 6, 6
MAX_EXPORTED = 30
_TICK = 1.0
_MIN_GAP = 0.4  # seconds between two signs of life of a film
_PSI = 0.7
_FRAMES_BETWEEN = 8
_PUBLIC = "On a public server the library stays as it is for everybody. Run the app on your own machine to rename, delete or import styles."


@dataclass(frozen=True)
class GalleryView:
    """What the page should show now. None means unchanged."""

    phase: str  # "wait" | "run" | "done" | "failed"
    progress: str
    sheet: str | None = None
    archive: str | None = None  # the zip
    film: str | None = None  # the GIF
    file: str | None = None  # an exported style, or a zip of several
    said: str = ""  # what has been exported
    error: str = ""


def fresh_seeds(count: int = FACES) -> str:
    """New seeds, short enough to read out."""
    seeds: set[int] = set()
    while len(seeds) < count:
        seeds.add(secrets.randbelow(10_000))
    return ", ".join(map(str, seeds))


def read_seeds(text: str | None) -> list[int]:
    """One to MAX_FACES different seeds from `3, 11, 27`. Raises OptionsError."""
    words = [word for word in re.split(r"[\s,;]+", (text or "")[:400]) if word]
    if not words or not all(re.fullmatch(r"[0-9]{1,10}", word) for word in words):
        raise OptionsError("The faces are chosen by whole numbers such as 3, 11, 27, 42. Type some, or press New faces.")
    seeds = list(dict.fromkeys(int(word) for word in words))
    if len(seeds) > MAX_FACES:
        raise OptionsError(f"{len(seeds)} faces are too many for one sheet; {MAX_FACES} are possible.")
    return seeds


def chosen_entries(engine: Any, names: Any, most: int = MAX_STYLES) -> list[Any]:
    """The library's entries of these names, at most `most`, in their order. Only names that it lists pass. Raises StyleError."""
    if not isinstance(names, (list, tuple)) or not names:
        raise StyleError("No style is chosen. Press one or more of the cards first.")
    if len(names) > most:
        raise StyleError(f"{len(names)} styles are too many at once; choose at most {most}.")
    known = {entry.card.name: entry for entry in engine.style_entries()}
    if not all(isinstance(name, str) and name in known for name in names):
        raise StyleError("A chosen style is not in the library any more. Press Refresh and choose again.")
    return [known[name] for name in dict.fromkeys(names)]


# --- compare, walk, export --------------------------------------------------------------------------------------------------------


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
                view = replace(view, progress=progress(0, "Not finished", kind="bad", note=view.error.replace("`", "")))
            yield view
    finally:
        close_iterator(views)


def _await(turn: Turn) -> Iterator[GalleryView]:
    while not turn.wait(_TICK):
        yield GalleryView("wait", progress(0, waiting_words(turn.ahead), kind="wait"))


def _compare(context: AppContext, names: Any, text: str | None) -> Iterator[GalleryView]:
    seeds = read_seeds(text)
    yield GalleryView("wait", progress(0, "Getting the generator ready", kind="wait"))
    engine, world = context.open()
    entries = chosen_entries(engine, names)
    rows = [SheetRow("before"), *(SheetRow(entry.card.name, entry.card) for entry in entries)]
    yield GalleryView("wait", progress(0, "Waiting for the generator", kind="wait"), sheet_html(rows, seeds))
    begun = time.monotonic()
    with context.join(engine) as turn:
        yield from _await(turn)
        for number, row in enumerate(rows):
            yield GalleryView("run", progress(number / len(rows), row.heading, f"row {number + 1} of {len(rows)}", kind="run"))
            rows[number] = context.worker.run(partial(_drawn, engine, row, seeds))
            done = progress((number + 1) / len(rows), row.heading, f"row {number + 1} of {len(rows)}", kind="run")
            yield GalleryView("run", done, sheet_html(rows, seeds))
    with tempfile.TemporaryDirectory(prefix="nada-gallery-") as folder:  # the page has its own copy once the view is delivered
        archive = Path(folder) / f"{slug('-'.join(row.name for row in rows[1:]))}-sheet.zip"
        context.worker.run(partial(write_zip, archive, rows, seeds, world.name, _PSI))
        words = progress(1, "Done", duration(time.monotonic() - begun), kind="good", note="The zip holds every picture and the sheet.")
        yield GalleryView("done", words, archive=str(archive))


def _drawn(engine: Any, row: SheetRow, seeds: Sequence[int]) -> SheetRow:
    """The same row with its pictures."""
    images = engine.sample(seeds, style=row.name if row.card is not None else None, truncation_psi=_PSI)
    return SheetRow(row.name, row.card, images, tuple(jpeg_bytes(image) for image in images))


def _walk(context: AppContext, names: Any, text: str | None) -> Iterator[GalleryView]:
    from ..animation import save_loop

    seeds = read_seeds(text)
    yield GalleryView("wait", progress(0, "Getting the generator ready", kind="wait"))
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
        words = progress(1, "Done", duration(time.monotonic() - begun), kind="good", note=f"{total} frames; the film repeats for ever.")
        yield GalleryView("done", words, film=str(film))


def _film(frames: Iterator[Any], total: int) -> Generator[GalleryView, None, Sequence[Any]]:
    pictures, begun, shown = [], time.monotonic(), 0.0
    for frame in frames:
        pictures.append(frame)
        now = time.monotonic()
        if now - shown > _MIN_GAP:
            shown = now
            left = duration((now - begun) / len(pictures) * (total - len(pictures)))
            yield GalleryView("run", progress(len(pictures) / total, f"Frame {len(pictures)} of {total}", f"about {left} left", kind="run"))
    return pictures


def _export(context: AppContext, names: Any) -> Iterator[GalleryView]:
    engine, _ = context.open()
    entries = chosen_entries(engine, names, MAX_EXPORTED)
    with context.join(engine) as turn, tempfile.TemporaryDirectory(prefix="nada-style-") as folder:
        yield from _await(turn)
        paths = []
        for number, entry in enumerate(entries):
            title = style_title(entry.card.name, entry.card.prompt)
            yield GalleryView("run", progress(number / len(entries), f"Exporting {title}", kind="run"))
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
        yield GalleryView("done", progress(1, "Exported", kind="good"), file=str(path), said=said)


# --- the library ------------------------------------------------------------------------------------------------------------------


def _managed(context: AppContext) -> Any:
    if context.public:  # the buttons are hidden there, but requests can be written by hand
        raise StyleError(_PUBLIC)
    return context.open()[0]


def rename_style(context: AppContext, name: str | None, new: str | None) -> str:
    """Rename a saved style; returns the name it got. Raises StyleError: not listed, ready, an unusable name, a public server."""
    engine = _managed(context)
    entry = chosen_entries(engine, [name] if name else [])[0]
    return engine.rename_style(entry.card.name, (new or "").strip()[:60])


def delete_style(context: AppContext, name: str | None) -> str:
    """Delete a saved style and return its name. Raises StyleError: not listed, ready, a public server."""
    engine = _managed(context)
    entry = chosen_entries(engine, [name] if name else [])[0]
    engine.delete_style(entry.card.name)
    return entry.card.name


def import_style(context: AppContext, path: str | None) -> str:
    """Take an uploaded compact style file into the library; returns the name it got. Raises StyleError: anything wrong with it."""
    engine = _managed(context)
    if not path:
        raise StyleError("No file has arrived. Choose a compact style file, as Export writes it.")
    with context.join(engine) as turn:
        if not turn.wait(20):
            raise StyleError("The generator is busy, so the file could not be checked. Try again when the other job is done.")
        return context.worker.run(partial(engine.import_style, Path(path)))
