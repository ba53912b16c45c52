"""Spell the names of styles: titles as a person wrote them, whatever the script; files are named by their slugs."""

from __future__ import annotations

import re
import unicodedata

from nada_core.system.files import slug

__all__ = ["MOST_TITLE", "style_heading", "tidy_text"]

#: Characters of the longest title that is kept.
MOST_TITLE = 120


def tidy_text(text: str) -> str:
    """Return a text on one line, with single spaces and without what cannot be printed."""
    printable = "".join(c if c.isprintable() or c in "\u200c\u200d" else " " for c in text.encode("utf-8", "replace").decode())
    return " ".join(unicodedata.normalize("NFC", printable).split())


def style_heading(name: str, prompt: str = "", title: str = "") -> str:
    """Spell a style's name for people: its title, or its prompt where the name is that one's slug, perhaps with a number, or the name.

    Args:
        name: as the library lists it, a slug.
        prompt: of the style's card: `na-vi-2` of "Na'vi" is "Na'vi 2".
        title: of the style's card. It is believed only where the name is its slug, perhaps with a number: files get other names by hand.
    """
    if tidy_text(title) and _number(name, title) is not None:
        return tidy_text(title)
    number = _number(name, prompt) if tidy_text(prompt) and prompt != slug(prompt) else None
    if number is not None:
        return tidy_text(f"{prompt} {number}")
    return name.replace("-", " ").replace("_", " ")


def _number(name: str, text: str) -> str | None:
    """Return the number after the slug of ``text``, empty without one; None where ``name`` is of something else."""
    found = re.fullmatch(re.escape(slug(text)) + r"(?:-(\d{1,6}))?", unicodedata.normalize("NFC", name))
    return None if found is None else found[1] or ""
