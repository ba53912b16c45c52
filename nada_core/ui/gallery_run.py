"""What the Gallery tab does: compare styles, walk through one, export it, care for the library. No Gradio in here."""

from __future__ import annotations

import re
import secrets
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OptionsError, StyleError
from .context import AppContext, close_iterator
from .gallery_sheet import MARK, SheetRow, sheet_html, write_zip
from .guarded import guarded
from .text import duration, slug, waiting_words
from .thumbnails import jpeg_bytes
from .turns import Turn
from .widgets import progress

__all__ = [
    "FACES",
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
    file: str | None = None  # an exported style
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


def chosen_entries(engine: Any, names: Any) -> list[Any]:
    """The library's entries of these names, in their order. Only names that it lists pass. Raises StyleError."""
    if not isinstance(names, (list, tuple)) or not names:
        raise StyleError("No style is chosen. Press one or more of the cards first.")
    if len(names) > MAX_STYLES:
        raise StyleError(f"{len(names)} styles are too many for one sheet; choose at most {MAX_STYLES}.")
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


def run_export(context: AppContext, name: str | None) -> Iterator[GalleryView]:
    """Write the compact file of a style; the last view carries it, or a readable `error`."""
    return _guarded(lambda: _export(context, name))


def _guarded(work: Callable[[], Iterator[GalleryView]]) -> Iterator[GalleryView]:
    return guarded(work, GalleryView, where="on this page", name="the gallery", sorry="")


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
            style = row.name if row.card is not None else None
            images = engine.sample(seeds, style=style, truncation_psi=_PSI)
            rows[number] = SheetRow(row.name, row.card, images, tuple(jpeg_bytes(image) for image in images))
            done = progress((number + 1) / len(rows), row.heading, f"row {number + 1} of {len(rows)}", kind="run")
            yield GalleryView("run", done, sheet_html(rows, seeds))
    with tempfile.TemporaryDirectory(prefix="nada-gallery-") as folder:  # the page has its own copy once the view is delivered
        archive = Path(folder) / f"{slug('-'.join(row.name for row in rows[1:]))}-sheet.zip"
        write_zip(archive, rows, seeds, world.name, _PSI)
        words = progress(1, "Done", duration(time.monotonic() - begun), kind="good", note="The zip holds every picture and the sheet.")
        yield GalleryView("done", words, archive=str(archive))


def _walk(context: AppContext, names: Any, text: str | None) -> Iterator[GalleryView]:
    from ..animation import save_loop

    seeds = read_seeds(text)
    yield GalleryView("wait", progress(0, "Getting the generator ready", kind="wait"))
    engine, world = context.open()
    name = chosen_entries(engine, names)[0].card.name
    begun, total = time.monotonic(), len(seeds) * (_FRAMES_BETWEEN + 1)
    with context.join(engine) as turn:
        yield from _await(turn)
        frames = engine.walk(seeds, name, frames_between=_FRAMES_BETWEEN)
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


def _export(context: AppContext, name: str | None) -> Iterator[GalleryView]:
    engine, _ = context.open()
    entry = chosen_entries(engine, [name] if name else [])[0]
    with context.join(engine) as turn, tempfile.TemporaryDirectory(prefix="nada-style-") as folder:
        yield from _await(turn)
        path = Path(folder) / f"{slug(entry.card.name)}.safetensors"
        engine.export_style(entry.card.name, path)
        turn.leave()
        words = progress(1, "Exported", kind="good", note="The file is on its way to your downloads.")
        yield GalleryView("done", words, file=str(path))


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
        raise StyleError("No file has arrived. Choose a compact style file, as the button for exporting writes it.")
    with context.join(engine) as turn:
        if not turn.wait(20):
            raise StyleError("The generator is busy, so the file could not be checked. Try again when the other job is done.")
        return engine.import_style(Path(path))
