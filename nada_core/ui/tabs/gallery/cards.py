"""Draw the gallery's cards: one picture a style, and what is worth knowing of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from nada_core.ui.html.pictures import picture_url
from nada_core.ui.tabs.gallery.views import GalleryCard
from nada_core.ui.wording import readable_size, style_title

if TYPE_CHECKING:  # it brings torch, which the page does without until it works
    from nada_core.styles.files import StyleCard

__all__ = ["cards_html"]

_MISSING = "No picture yet"
_OPTIONS = {"layers": "Layers", "lr": "Learning rate", "batch": "Faces a step"}  # of all options the ones that tell most


def cards_html(cards: Sequence[GalleryCard], mark: str = "Yours") -> str:
    """Return the HTML of all cards.

    Args:
        mark: what stands on those that do not come with the program.
    """
    if not cards:
        return '<div class="gallery-empty"><b>No styles yet</b><span>Make one in the Adapt tab and save it: it will be here.</span></div>'
    groups = "".join(_group(name, list(members), mark) for name, members in itertools.groupby(cards, lambda card: card.group))
    return (
        f'<div class="gallery-groups" role="group" aria-label="Styles: choose with Space, Enter goes to the actions">{groups}'
        '<p class="gallery-nothing quiet" hidden>No style here is called that. The Adapt tab makes one from your own words.</p></div>'
    )


def _group(name: str, members: Sequence[GalleryCard], mark: str) -> str:
    heading = f"<h2>{escape(name)} <small>{len(members)}</small></h2>" if name else ""
    return f'<section>{heading}<div class="gallery">{"".join(_card(card, mark) for card in members)}</div></section>'


def _card(shown: GalleryCard, mark: str) -> str:
    entry, card = shown.entry, shown.entry.card
    name, heading, prompt = escape(str(card.name)), escape(style_title(card.name, card.prompt, card.title)), escape(str(card.prompt))
    if shown.picture is not None:
        picture = f'<img src="{picture_url(shown.picture)}" alt="A generated face in the style {heading}" width="256" height="256">'
    else:
        words = "Not for this generator" if shown.problem else "" if shown.pending else _MISSING
        picture = f'<span class="style-blank{" style-pending" if shown.pending else ""}" title="{escape(shown.problem)}">{words}</span>'
    badge = "" if entry.ready else f'<span class="style-mark">{mark}</span>'
    made = f"{card.steps} steps" if card.steps else "imported"
    facts = "".join(f"<span>{escape(fact)}</span>" for fact in (made, readable_size(entry.size), _date(str(card.created))))
    return (
        f'<div class="style-card" data-words="{_words(shown, heading)}"><label>'
        f'<input type="checkbox" name="style" value="{name}" aria-label="Choose {heading}">'
        f'<span class="style-picture">{picture}{badge}</span><span class="style-title">{heading}</span>'
        f'<span class="style-prompt" title="{prompt}">“{prompt}”</span><span class="style-facts">{facts}</span></label>'
        f"<details><summary>Options</summary><dl>{_details(card)}</dl></details></div>"
    )


def _words(shown: GalleryCard, heading: str) -> str:
    """Return what a card can be found by."""
    return escape(" ".join((heading, str(shown.entry.card.prompt), shown.group)).lower())


def _details(card: StyleCard) -> str:
    options = card.options if isinstance(card.options, dict) else {}
    rows = [
        ("Starting from", card.source),
        *((label, options[key]) for key, label in _OPTIONS.items() if options.get(key) is not None),
        ("Seed", card.seed),
        ("Similarity", _number(card.similarity)),
        ("Loss", _number(card.loss)),
        ("Stored", {"full": "in full", "delta": "compactly", "delta8": "compactly", "delta4": "compactly"}.get(card.storage, card.storage)),
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
