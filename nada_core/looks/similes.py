"""Read what a mood is compared with: who is "crying like a baby" is no baby, and who is "sly as a fox" no fox."""

from __future__ import annotations

from collections.abc import Sequence

from nada_core.looks.atoms import Atom
from nada_core.looks.spelling import Token

__all__ = ["without_similes"]

_OF_ANIMALS = frozenset(("animal nose", "whiskers", "cat ears"))
_CHILDREN = frozenset(("baby", "child", "girl", "boy"))


def without_similes(row: Sequence[Atom], words: Sequence[Token]) -> list[Atom]:
    """Return the atoms, an animal or a child after "like a" taken into the mood that it says how."""
    done: list[Atom] = []
    at = 0
    while at < len(row):
        if at + 2 < len(row) and _mood(row[at]) and _like(row[at], row[at + 1], words) and _beast(row[at + 2], row[at + 1], words):
            done.append(Atom("entry", row[at].start, row[at + 2].end, row[at].entry))
            at += 3
            continue
        done.append(row[at])
        at += 1
    return done


def _mood(atom: Atom) -> bool:
    """Tell whether a name says how somebody feels, and nothing that can be painted alone ("freckles")."""
    entry = atom.entry
    return entry is not None and entry.kind == "faces" and not atom.part and not entry.main and bool(entry.look.shape.keys() & _MOVED)


#: What a mood moves.
_MOVED = frozenset(("smile", "open mouth", "raised brows", "big eyes"))


def _like(mood: Atom, link: Atom, words: Sequence[Token]) -> bool:
    return link.kind == "with" and words[link.start].root in ("like", "as") and mood.end == link.start and link.end == link.start + 1


def _beast(atom: Atom, link: Atom, words: Sequence[Token]) -> bool:
    """Tell whether an animal or a child comes after "a": "like the Hulk" names somebody to become."""
    entry = atom.entry
    if entry is None or not {w.text.lower() for w in words[link.end : atom.start]} & {"a", "an"}:
        return False
    skin = entry.look.paints.get("skin")
    furry = skin is not None and skin.texture in ("furry", "scaly")
    animal = entry.kind == "characters" and (furry or any(m.name in _OF_ANIMALS for m in entry.look.marks))
    return animal or (entry.kind == "faces" and entry.title in _CHILDREN)
