"""Tell what somebody wears or holds from what they are: a woman "with pearls" is not made of pearl."""

from __future__ import annotations

from collections.abc import Sequence

from nada_core.looks.atoms import Atom
from nada_core.looks.groups import Group
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import Vocabulary

__all__ = ["worn"]

#: Stones of which one is worn and nobody made: "with a diamond".
_COVERING = frozenset("covered coated drenched carved sculpted cast painted dressed dipped wrapped".split())
_MAKING = frozenset(("of", "in", "into", "like", "as", "from", "with", ","))
_STONES = frozenset("diamond pearl emerald ruby sapphire amethyst crystal gem gemstone".split())
#: Words before the place where somebody is.
_PLACED = frozenset("on at under beneath below near beside".split())
_SPREAD = frozenset("all on over the his her my their your smeared spread splattered dripping".split())
_HAVING = frozenset("with w wearing wear has have having through behind under among".split())
#: Words after a name that make it a look again: "with a joker smile", "with a zombie face".
_LOOKS = frozenset(
    "face head mask look makeup style costume outfit cosplay skin expression vibe effect filter theme paint smile grin cut".split()
)


#: Those after stuff: "with a porcelain face"; gold paint is held.
_MADE = frozenset("face skin mask body head complexion".split())


def _stuff(word: Token, known: Vocabulary) -> bool:
    entry = known.phrases.get((word.root,))
    return entry is not None and entry.kind == "materials"


def _list_of_things(words: Sequence[Token], at: int) -> bool:
    """Tell whether the "and" at a place goes on with what somebody has: "a pirate with a red beard and a parrot"."""
    for i in range(at - 1, max(-1, at - 7), -1):
        if words[i].root in ("with", "w", "wearing"):
            return True
        if words[i].root in (",", "as", "like", "of"):
            return False
    return False


def _on_the_face(words: Sequence[Token], at: int) -> bool:
    """Tell whether words from a place on say that something is all over a face."""
    roots = [w.root for w in words[at : at + 4]]
    end = next((i for i, root in enumerate(roots) if root in ("face", "skin", "body", "himself", "herself")), 0)
    return end > 0 and bool({"on", "over"}.intersection(roots[:end])) and set(roots[:end]) <= _SPREAD


def worn(group: Group, head: Atom, words: Sequence[Token], known: Vocabulary) -> bool:
    """Tell whether a name is worn or held: a woman "with pearls" is not made of pearl, nor is a gorilla "with a banana" one."""
    if head.entry is None or head.start == 0 or head.entry.kind not in ("materials", "characters"):
        return False
    first = min(a.start for a in group.atoms)
    if first > 1 and words[first - 2].root in ("with", "w") and _stuff(words[first - 1], known):
        first -= 1  # "with golden snakes"
    last, one = words[head.end - 1], first > 1 and words[first - 1].root in ("a", "an", "one")
    before = words[first - 2] if first > 1 and words[first - 1].root in ("a", "an", "one", "the") else words[first - 1]
    after = words[head.end].root if head.end < len(words) else ""
    if _on_the_face(words, head.end):
        return False  # "flour on the face"
    plural = last.text.lower().endswith("s") and last.root[-1] != "s"
    things = (one and before.root == "and") or (plural and first > 1 and words[first - 1].root == "and")
    listed = things and head.entry.kind == "characters" and _list_of_things(words, first - 2)
    if (
        first
        and (listed or before.root in ("with", "w", "wearing"))
        and not {after, last.root} & (_MADE if head.entry.kind == "materials" else _LOOKS)
    ):
        return head.entry.kind == "materials" or head.entry.main != "clothing" or one
    if one and first > 1 and words[first - 2].root in ("in", "behind", "at", "near") and head.entry.kind == "materials":
        return first < 3 or words[first - 3].root not in _COVERING  # a "ghost in a mirror"
    if head.entry.kind == "characters":
        return first > 1 and before.root in _PLACED  # an "astronaut on the moon"
    if one and last.root in _STONES:
        return words[first - 2].root != "of"
    if plural and last.root in _STONES and first and words[first - 1].root not in _MAKING:
        return True  # "red lips and pearls", "crying diamonds"
    return first > 0 and words[first - 1].root in _HAVING and plural
