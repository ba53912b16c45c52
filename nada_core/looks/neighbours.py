"""Hold one atom of a text with its neighbours, for the rules that join atoms (`comparisons`, `whole_names`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nada_core.looks.atoms import Atom
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import LIGHT_WORDS, Vocabulary

__all__ = ["Here", "Joined", "meant", "person", "roots"]

#: The atoms that a rule makes of an atom and those after it, and how many these are.
Joined = tuple[list[Atom], int]

_LIKE = frozenset(
    tuple(phrase.split())
    for phrase in (
        "like", "as", "made of", "made out of", "made from", "resembling", "similar to", "into", "turned to", "turned into",
    )
)  # fmt: skip


def roots(atom: Atom, words: Sequence[Token]) -> tuple[str, ...]:
    """Return the words of an atom."""
    return tuple(w.root for w in words[atom.start : atom.end])


def meant(atom: Atom, words: Sequence[Token]) -> tuple[str, ...]:
    """Return the words of an atom without those that change nothing."""
    return tuple(root for root in roots(atom, words) if root not in LIGHT_WORDS)


def person(atom: Atom) -> bool:
    """Tell whether an atom names a character."""
    return atom.entry is not None and atom.entry.kind == "characters"


@dataclass(frozen=True)
class Here:
    """Hold one atom of a text and its neighbours.

    Attributes:
        row: all atoms of the text.
        at: the place of the atom in it.
        atom: the atom itself, perhaps understood better than in the row.
        done: what was made of the atoms before it.
    """

    row: Sequence[Atom]
    at: int
    atom: Atom
    done: Sequence[Atom]
    words: Sequence[Token]
    known: Vocabulary

    @property
    def after(self) -> Sequence[Atom]:
        """Return the next four atoms, or what there is of them."""
        return self.row[self.at + 1 : self.at + 5]

    @property
    def next(self) -> Atom:
        """Return the next atom; rules are asked only where there is one."""
        return self.row[self.at + 1]

    @property
    def likens(self) -> bool:
        """Tell whether the next atom says "like", "made of" or the same in other words."""
        return self.next.kind == "with" and roots(self.next, self.words) in _LIKE

    @property
    def like(self) -> Atom | None:
        """Return the atom that this one is likened to; None where there is none."""
        return self.after[1] if self.likens and len(self.after) > 1 else None

    @property
    def between(self) -> set[str]:
        """Return the words between the atom and the next one."""
        return {w.root for w in self.words[self.atom.end : self.next.start]}

    def of_next(self, *more: str) -> bool:
        """Tell whether only "of", articles and ``more`` stand between the atom and the next one."""
        return "of" in self.between and self.between <= LIGHT_WORDS.union(more)
