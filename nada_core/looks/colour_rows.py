"""Tell how colours stand in a row of atoms: each behind its part, a metal beside a colour, several before one noun."""

from __future__ import annotations

from collections.abc import Sequence

from nada_core.looks.atoms import Atom

__all__ = ["SHADE_KINDS", "after_every_part", "listed_colours", "pairs_as_colour"]

SHADE_KINDS = ("lightness", "vivid")
_SIGNS = (",", "with", "but", "in", "on skin", "aside", "and")


def _behind_colours(row: Sequence[Atom], at: int) -> int:
    """Return the place behind the colours that begin at a place."""
    while at < len(row) and row[at].kind in ("colour", *SHADE_KINDS):
        at += 1
    return at


def after_every_part(row: Sequence[Atom], at: int) -> bool:
    """Tell whether every part from a place on has its colour behind it: "eyes green lips red" with no sign between."""
    while at < len(row) and row[at].kind not in _SIGNS:
        behind = _behind_colours(row, at + 1)
        if not row[at].part or behind == at + 1:
            return False
        at = behind
    return True


def pairs_as_colour(row: Sequence[Atom], at: int) -> bool:
    """Tell whether a metal stands alone beside a colour: a face in "gold and black" has both, as in "black and gold"."""
    before = row[at - 1].entry if at else None
    somebody = before is not None and before.kind == "characters"
    if at + 2 >= len(row) or row[at + 1].kind != "and" or (at and row[at - 1].kind != "," and not somebody):
        return False
    atom, other = row[at], row[at + 2]
    after = row[at + 3] if at + 3 < len(row) else None
    return _metal(atom) and (other.kind == "colour" or _metal(other)) and (after is None or after.kind == ",")


def _metal(atom: Atom) -> bool:
    """Tell whether an atom is gold or silver, whose names are colours of a skin, too."""
    metal = atom.entry is not None and atom.entry.kind == "materials" and atom.entry.title in ("gold", "silver")
    return metal and atom.twin is not None and atom.twin.kind == "colour"


def listed_colours(row: Sequence[Atom], at: int) -> bool:
    """Tell whether a comma stands in a list of colours that one part has: "red, white and blue hair"."""
    if not at or row[at - 1].kind != "colour":
        return False
    while at < len(row) and row[at].kind == ",":
        behind = _behind_colours(row, at + 1)
        if behind == at + 1:
            return False
        at = behind
    if at >= len(row) or row[at].kind != "and":
        return False
    behind = _behind_colours(row, at + 1)
    return at + 1 < behind < len(row) and bool(row[behind].part)
