"""List, rename, delete and import the library's styles for the Gallery tab. No Gradio in here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.errors import NadaError, StyleError
from nada_core.looks.kinds import GROUPS, group_of
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.requests import STYLES_AT_ONCE
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.thumbnails import Thumbnails
from nada_core.ui.style_menu.thumbnails import draw_thumbnail, kept_thumbnail
from nada_core.ui.tabs.gallery.views import CardsView, GalleryCard
from nada_core.ui.wording import style_title

if TYPE_CHECKING:  # it brings torch, which the page does without until it works
    from nada_core.styles.library import StyleEntry

__all__ = ["chosen_entries", "delete_style", "import_style", "in_order", "rename_style", "run_cards", "titles"]

_PATIENCE = 1.0  # seconds that a card waits for its picture: whoever looks around must not queue behind an adaptation
_MIN_GAP = 0.4  # seconds between two versions of the cards
_PUBLIC = "On a public server the library stays as it is for everybody. Run the app on your own machine to rename, delete or import styles."


def titles(entries: Sequence[StyleEntry]) -> dict[str, str]:
    """Return the headings of the library's entries by their names."""
    return {entry.card.name: style_title(entry.card.name, entry.card.prompt, entry.card.title) for entry in entries}


def in_order(entries: Sequence[StyleEntry]) -> list[StyleEntry]:
    """Return the entries in order: saved styles first, the newest leading, then the ready ones by their groups."""
    saved, ready = ([entry for entry in entries if entry.ready is kind] for kind in (False, True))
    saved.sort(key=lambda entry: _moment(entry.card.created), reverse=True)
    return saved + sorted(ready, key=lambda entry: GROUPS.index(group_of(entry.card.prompt)))


def _moment(created: Any) -> float:
    try:
        moment = datetime.fromisoformat(created)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):  # an imported card may say anything
        return 0.0


def run_cards(context: AppContext, thumbnails: Thumbnails) -> Iterator[CardsView]:
    """Yield the cards at once, then again with more pictures; those that would wait for other work are left for next time."""
    engine, _ = context.open()
    entries = in_order(engine.style_entries())
    pictures = {entry.card.name: file for entry in entries if (file := kept_thumbnail(thumbnails, engine, entry)) is not None}
    unusable: dict[str, str] = {}
    missing = [entry for entry in entries if entry.card.name not in pictures]
    waiting, shown = {entry.card.name for entry in missing}, time.monotonic()
    mark = "Saved" if context.public else "Yours"

    def view(left: int, busy: bool = False) -> CardsView:
        names = [entry.card.name for entry in entries]
        cards = [
            GalleryCard(e, group_of(e.card.prompt) if e.ready else mark, pictures.get(name), unusable.get(name, ""), name in waiting)
            for e, name in zip(entries, names)
        ]
        return CardsView(tuple(cards), mark, _cards_note(entries, mark, left, busy))

    yield view(len(waiting))
    busy = False
    for entry in missing:
        name = entry.card.name
        try:
            file = draw_thumbnail(context, thumbnails, entry.stamp, name, _PATIENCE)
        except NadaError as error:
            unusable[name] = str(error)
            waiting.discard(name)
            continue
        if file is None:
            busy = True
            break
        pictures[name] = file
        waiting.discard(name)
        if waiting and time.monotonic() - shown > _MIN_GAP:
            shown = time.monotonic()
            yield view(len(waiting))
    if missing:
        left = len(waiting)
        waiting.clear()  # what is not there by now is not being made either
        yield view(left, busy)


def _cards_note(entries: Sequence[StyleEntry], mark: str, missing: int, busy: bool) -> str:
    count, saved = len(entries), sum(not entry.ready for entry in entries)
    words = f"{count} style" if count == 1 else f"{count} styles"
    if saved:
        words += f", {saved} {mark.lower()}"
    if not missing:
        return words
    pictures = "1 picture" if missing == 1 else f"{missing} pictures"
    return f"{words} · {pictures} to come" + (": the generator is busy, press Refresh in a moment" if busy else "")


def chosen_entries(engine: AppEngine, names: Any, most: int = STYLES_AT_ONCE) -> list[StyleEntry]:
    """Return the library's entries of these names, at most `most`, in order. Only names it lists pass. Raises StyleError."""
    if not isinstance(names, (list, tuple)) or not names:
        raise StyleError("No style is chosen. Press one or more of the cards first.")
    if len(names) > most:
        raise StyleError(f"{len(names)} styles are too many at once; choose at most {most}.")
    known = {entry.card.name: entry for entry in engine.style_entries()}
    if not all(isinstance(name, str) and name in known for name in names):
        raise StyleError("A chosen style is not in the library any more. Press Refresh and choose again.")
    return [known[name] for name in dict.fromkeys(names)]


def _managed(context: AppContext) -> AppEngine:
    if context.public:  # the buttons are hidden there, but requests can be written by hand
        raise StyleError(_PUBLIC)
    return context.open()[0]


def rename_style(context: AppContext, name: str | None, new: str | None) -> str:
    """Rename a saved style; return the name it got. Raises StyleError: not listed, ready, an unusable name, a public server."""
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
    """Take an uploaded compact style file into the library; return the name it got. Raises StyleError: anything wrong with it."""
    engine = _managed(context)
    if not path:
        raise StyleError("No file has arrived. Choose a compact style file, as Export writes it.")
    with context.join(engine) as turn:
        if not turn.wait(20):
            raise StyleError("The generator is busy, so the file could not be checked. Try again when the other job is done.")
        return context.worker.run(partial(engine.import_style, Path(path)))
