"""Tell what somebody wears or holds from what they are: a woman "with pearls" is not made of pearl."""

from __future__ import annotations

from collections.abc import Sequence

from nada_core.looks.atoms import Atom
from nada_core.looks.groups import Group
from nada_core.looks.spelling import Token

__all__ = ["worn"]

#: Stones of which one is worn and nobody made: "with a diamond".
_STONES = frozenset("diamond pearl emerald ruby sapphire amethyst crystal gem gemstone".split())
#: Words before the place where somebody is.
_PLACED = frozenset("on at under beneath below near beside".split())
_HAVING = frozenset("with w wearing wear has have having through behind under among".split())
#: Words after a name that make it a look again: "with a joker smile", "with a zombie face".
_LOOKS = frozenset(
    "face head mask look makeup style costume outfit cosplay skin expression vibe effect filter theme paint smile grin cut".split()
)


def worn(group: Group, head: Atom, words: Sequence[Token]) -> bool:
    """Tell whether a name is worn or held: a woman "with pearls" is not made of pearl, nor is a gorilla "with a banana" one."""
    if head.entry is None or head.start == 0 or head.entry.kind not in ("materials", "characters"):
        return False
    first = min(a.start for a in group.atoms)
    last, one = words[head.end - 1], first > 1 and words[first - 1].root in ("a", "an", "one")
    if head.entry.kind == "characters":
        before = words[first - 2] if first > 1 and words[first - 1].root in ("a", "the", "an") else words[first - 1]
        if first > 1 and before.root in _PLACED:
            return True  # an "astronaut on the moon"
        after = words[head.end].root if head.end < len(words) else ""
        if not one and first > 0 and words[first - 1].root in ("with", "w") and last.text.lower().endswith("s") and last.root[-1] != "s":
            return not {after, last.root} & _LOOKS  # "Medusa with green snakes"
        return one and first > 2 and words[first - 2].root in ("with", "w") and not {after, last.root} & _LOOKS
    if one and last.root in _STONES:
        return words[first - 2].root != "of"
    plural = last.text.lower().endswith("s") and last.root[-1] != "s"
    return first > 0 and words[first - 1].root in _HAVING and plural
