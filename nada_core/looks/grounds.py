"""Read on what a picture is made: "chalk on black paper", "a pencil sketch on old parchment"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.look import Lab, Look, Paint
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import LIGHT_WORDS, Entry

__all__ = ["grounded"]

#: What is drawn on, and its own colour.
_GROUNDS: dict[str, Lab] = {
    "paper": (94, 0, 4),
    "card": (94, 0, 4),
    "canvas": (88, 2, 10),
    "linen": (84, 2, 12),
    "parchment": (84, 3, 20),
    "vellum": (86, 3, 18),
    "papyrus": (74, 6, 30),
    "cardboard": (62, 10, 26),
    "napkin": (95, 0, 2),
}
#: Words that say what paper it is: some have a colour, the others say nothing that can be seen.
_KINDS: dict[str, Lab | None] = {
    "old": (80, 5, 24),
    "aged": (80, 5, 24),
    "vintage": (80, 5, 24),
    "yellowed": (82, 4, 34),
    "kraft": (62, 10, 26),
    "craft": (62, 10, 26),
    "toned": (72, 4, 16),
    "rough": None,
    "thick": None,
    "watercolour": None,
    "stretched": None,
    "textured": None,
}


def grounded(row: Sequence[Atom], words: Sequence[Token]) -> list[Atom]:
    """Return the atoms, the paper or canvas on which a picture is made as its background: nobody there is made of paper."""
    done: list[Atom] = []
    at = 0
    while at < len(row):
        done.append(row[at])
        end = _ground_after(row, at, words)
        if end:
            done.append(_ground(row[at + 1 : end + 1], row[at].end, words))
        at = end + 1 if end else at + 1
    return done


def _picture(atom: Atom) -> bool:
    return atom.kind == "picture" or (atom.entry is not None and atom.entry.kind in ("media", "painters"))


def _ground_after(row: Sequence[Atom], at: int, words: Sequence[Token]) -> int:
    """Return the place of the paper on which the picture at a place is made, or 0."""
    if not _picture(row[at]):
        return 0
    for end in range(at + 1, min(at + 6, len(row))):
        atom = row[end]
        between = {w.root for w in words[row[at].end : row[at + 1].start]}
        on = "on" in between or (row[at + 1].kind == "with" and words[row[at + 1].start].root == "on")
        if words[atom.end - 1].root in _GROUNDS and atom.kind in ("entry", "unknown", "thing"):
            return end if on else 0
        if not (atom.kind in ("colour", "with", "lightness", "vivid", "form") or {w.root for w in words[atom.start : atom.end]} <= _SAID):
            return 0
    return 0


_SAID = LIGHT_WORDS | frozenset(_KINDS)


def _ground(said: Sequence[Atom], start: int, words: Sequence[Token]) -> Atom:
    """Return one atom for a ground with what is said about it."""
    end = said[-1].end
    roots = [w.root for w in words[start:end]]
    colour = _GROUNDS[roots[-1]]
    for word in roots:
        colour = _KINDS.get(word) or colour
    titles = [root for root in roots if root in _KINDS or root in _GROUNDS]
    for atom in said:
        if atom.kind == "colour" and atom.entry is not None and atom.entry.colour is not None:
            colour, titles = atom.entry.colour, [*(t for t in titles[:-1] if t != atom.entry.title), atom.entry.title, titles[-1]]
    if len(said) == 1 and (name := said[0].entry) is not None and name.colour is not None:
        colour = name.colour
    look = Look(paints={"background": Paint(colour, 0.85)})
    return replace(said[-1], kind="entry", start=said[0].start, twin=None, entry=Entry(f"on {' '.join(titles)}", (), "lights", look))
