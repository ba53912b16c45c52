"""The gallery's cards: one picture a style, and the HTML around it."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from html import escape
from typing import Any

from ..errors import NadaError
from .context import AppContext
from .text import style_title
from .thumbnails import Thumbnails, draw_thumbnail, kept_thumbnail

__all__ = ["CardsView", "cards_html", "data_url", "in_order", "readable_size", "run_cards", "titles"]

_PATIENCE = 1.0  # seconds that a card waits for its picture: whoever looks around must not queue behind an adaptation
_MIN_GAP = 0.4  # seconds between two versions of the cards, each of which holds every picture
_MISSING = "No picture yet"
_OPTIONS = {"layers": "Layers", "lr": "Learning rate", "batch": "Faces a step"}  # of all options the ones that tell most


def readable_size(size: int) -> str:
    """Bytes as a person says them."""
    return f"{size / 2**20:.1f} MB" if size >= 100_000 else f"{max(round(size / 1024), 1)} kB"


def data_url(jpeg: bytes) -> str:
    """The picture inside the page itself: no address of a file on the server is ever shown."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


@dataclass(frozen=True)
class CardsView:
    """The cards as they are now; `note` is a sentence above them."""

    cards: str
    note: str
    names: tuple[str, ...] = ()


def titles(entries: Sequence[Any]) -> dict[str, str]:
    """The headings of the library's entries by their names."""
    return {entry.card.name: style_title(entry.card.name, entry.card.prompt) for entry in entries}


def in_order(entries: Sequence[Any]) -> list[Any]:
    """The saved styles first, the newest before the others, then the ready ones as the library has them."""
    saved = [entry for entry in entries if not entry.ready]
    return sorted(saved, key=lambda entry: _moment(entry.card.created), reverse=True) + [entry for entry in entries if entry.ready]


def _moment(created: Any) -> float:
    try:
        moment = datetime.fromisoformat(created)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, OverflowError, OSError):  # an imported card may say anything
        return 0.0


def run_cards(context: AppContext, thumbnails: Thumbnails) -> Iterator[CardsView]:
    """The cards at once, then again with more pictures; pictures that would have to wait for other work are left for the next time."""
    engine, _ = context.open()
    entries = in_order(engine.style_entries())
    names = tuple(entry.card.name for entry in entries)
    pictures = {entry.card.name: jpeg for entry in entries if (jpeg := kept_thumbnail(thumbnails, engine, entry)) is not None}
    unusable: dict[str, str] = {}
    missing = [entry for entry in entries if entry.card.name not in pictures]
    waiting, busy, shown = {entry.card.name for entry in missing}, False, time.monotonic()
    mark = "Saved" if context.public else "Yours"

    def view() -> CardsView:
        return CardsView(cards_html(entries, pictures, unusable, waiting, mark), _cards_note(entries, mark, len(waiting), busy), names)

    yield view()
    for entry in missing:
        name = entry.card.name
        try:
            jpeg = draw_thumbnail(context, thumbnails, entry.stamp, name, _PATIENCE)
        except NadaError as error:
            unusable[name] = str(error)
            waiting.discard(name)
            continue
        if jpeg is None:
            busy = True
            break
        pictures[name] = jpeg
        waiting.discard(name)
        if waiting and time.monotonic() - shown > _MIN_GAP:
            shown = time.monotonic()
            yield view()
    if missing:
        left, waiting = len(waiting), set()  # what is not there by now is not being made either
        yield replace(view(), note=_cards_note(entries, mark, left, busy))


def _cards_note(entries: Sequence[Any], mark: str, missing: int, busy: bool) -> str:
    count, saved = len(entries), sum(not entry.ready for entry in entries)
    words = f"{count} style" if count == 1 else f"{count} styles"
    if saved:
        words += f", {saved} {mark.lower()}"
    if not missing:
        return words
    pictures = "1 picture" if missing == 1 else f"{missing} pictures"
    return f"{words} · {pictures} to come" + (": the generator is busy, press Refresh in a moment" if busy else "")


def cards_html(
    entries: Sequence[Any],
    pictures: Mapping[str, bytes],
    unusable: Mapping[str, str] | None = None,
    pending: Set[str] = frozenset(),
    mark: str = "Yours",
) -> str:
    """All cards.

    Args:
        pictures: JPEG files by name.
        unusable: why a style cannot be rendered, by name.
        pending: names whose pictures are being made.
        mark: what stands on those that do not come with the program.
    """
    if not entries:
        return '<div class="gallery-empty"><b>No styles yet</b><span>Make one in the Adapt tab and save it: it will be here.</span></div>'
    problems = unusable or {}
    shown = "".join(
        _card(entry, pictures.get(entry.card.name), problems.get(entry.card.name, ""), entry.card.name in pending, mark)
        for entry in entries
    )
    return f'<div class="gallery" role="group" aria-label="Styles: choose with Space, Enter goes to the actions">{shown}</div>'


def _card(entry: Any, jpeg: bytes | None, problem: str, pending: bool, mark: str) -> str:
    card = entry.card
    name, heading, prompt = escape(str(card.name)), escape(style_title(str(card.name), str(card.prompt))), escape(str(card.prompt))
    if jpeg is not None:
        picture = f'<img src="{data_url(jpeg)}" alt="A generated face in the style {heading}" width="256" height="256">'
    else:
        words = "Not for this generator" if problem else "" if pending else _MISSING
        picture = f'<span class="style-blank{" style-pending" if pending else ""}" title="{escape(problem)}">{words}</span>'
    badge = "" if entry.ready else f'<span class="style-mark">{mark}</span>'
    made = f"{card.steps} steps" if card.steps else "imported"
    facts = "".join(f"<span>{escape(fact)}</span>" for fact in (made, readable_size(entry.size), _date(str(card.created))))
    return (
        f'<div class="style-card"><label><input type="checkbox" name="style" value="{name}" aria-label="Choose {heading}">'
        f'<span class="style-picture">{picture}{badge}</span><span class="style-title">{heading}</span>'
        f'<span class="style-prompt" title="{prompt}">“{prompt}”</span><span class="style-facts">{facts}</span></label>'
        f"<details><summary>Options</summary><dl>{_details(card)}</dl></details></div>"
    )


def _details(card: Any) -> str:
    options = card.options if isinstance(card.options, dict) else {}
    rows = [
        ("Starting from", card.source),
        *((label, options[key]) for key, label in _OPTIONS.items() if options.get(key) is not None),
        ("Seed", card.seed),
        ("Similarity", _number(card.similarity)),
        ("Loss", _number(card.loss)),
        ("Stored", {"full": "in full", "delta": "compactly", "delta8": "compactly"}.get(card.storage, card.storage)),
        ("Generator", str(card.base).replace("_", " ")),
    ]
    return "".join(f"<dt>{escape(str(key))}</dt><dd>{escape(str(value)[:40])}</dd>" for key, value in rows if value not in (None, ""))


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, (int, float)) and math.isfinite(value) else ""


def _date(created: str) -> str:
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return ""
    return f"{moment.day} {moment:%b} {moment.year}"
