"""Read that a part is not there: "doesn't have any hair", "lacking eyebrows"; no part is left as it is by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.groups import Group
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import Entry

__all__ = ["lacking", "of_a_name"]

#: Words after a refusal with which somebody has no such part.
_HAVING = frozenset(("have", "has", "had", "got", "any"))
#: Refusals that say so alone.
_ALONE = frozenset(("without", "lacking", "lacks", "missing", "no"))


def lacking(group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a part is said not to be there; "everything red but not the hair" only leaves it as it is."""
    if not group.negated or not group.bare or group.forms or group.keeps or group.first is None or group.head is None:
        return False
    between = {w.root for w in words[group.first.end : group.head.start]}
    return bool(between & _HAVING) or words[group.first.start].root in _ALONE


def of_a_name(group: Group, part: Atom, entry: Entry) -> Group:
    """Return the group of a part that is not there as that of the name for it ("bald")."""
    start = group.first.start if group.first is not None else part.start
    return replace(group, negated=False, own=False, head=replace(part, kind="entry", start=start, entry=entry, twin=None), first=None)
