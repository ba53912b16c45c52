"""Sort texts into the groups in which people look for a style: characters, hair, materials, paintings, photographs."""

from __future__ import annotations

import functools

from nada_core.looks.look import Look
from nada_core.looks.reading import Understood, read
from nada_core.looks.word_lists import phrase, vocabulary

__all__ = ["GROUPS", "OTHERS", "group_of"]

OTHERS = "Others"
#: In the order in which they are shown.
GROUPS = ("The Joker", "Characters", "Faces and make-up", "Hair", "Materials", "Paintings and drawings", "Photographs and light", OTHERS)
_HAIR = {"hair", "brows", "beard"}


@functools.lru_cache(maxsize=512)
def group_of(text: str) -> str:
    """Return the group, one of :data:`GROUPS`, of what a text means; the whole person counts before details."""
    reading = read(text) if text.strip() else None
    if reading is None or not reading.look:
        return OTHERS
    names = {_entry_title(piece) for piece in reading.understood}
    if any(name.lower().startswith("joker") for name in names):
        return GROUPS[0]
    if any(_is_character(piece) for piece in reading.understood):
        return "Characters"
    return _by_look(reading.look)


def _entry_title(piece: Understood) -> str:
    entry = vocabulary().phrases.get(phrase(piece.words))
    return entry.title if entry is not None else piece.title


def _is_character(piece: Understood) -> bool:
    entry = vocabulary().phrases.get(phrase(piece.words))
    return entry is not None and entry.kind == "characters"


def _by_look(look: Look) -> str:
    if look.medium:
        return "Paintings and drawings"
    if look.process or look.brightness or "light" in look.paints:
        return "Photographs and light"
    if look.material:
        return "Materials"
    return "Hair" if look.paints and set(look.paints) <= _HAIR and not look.shape else "Faces and make-up"
