"""Read a shade that is said of a colour afterwards: "red hair but make it darker", "green skin, a bit lighter"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.colour_rows import SHADE_KINDS
from nada_core.looks.colours import shifted
from nada_core.looks.groups import Group, Shade
from nada_core.looks.spelling import Token

__all__ = ["shaded_after"]

#: Words that compare with what has been said; "dark" alone may be the picture's.
_COMPARING = frozenset(("darker", "lighter", "brighter", "paler", "deeper", "richer", "duller"))
_PICTURE = frozenset(("picture", "photo", "image", "pic", "portrait", "light", "background", "scene"))
_IT = frozenset(("it", "them", "that", "this", "color"))


def shaded_after(last: Group, group: Group, words: Sequence[Token]) -> list[Group] | None:
    """Return the last group with its colours darker or lighter where the one after it says only that, None elsewhere."""
    shade = _shade_alone(group)
    if shade is None or not last.shades or last.negated or group.negated or group.surfaces or group.forms:
        return None
    if shade.end < len(words) and words[shade.end].root in _PICTURE:
        return None  # "blue eyes and a brighter picture"
    between = {w.root for w in words[last.atoms[-1].end : shade.start]}
    compares = words[shade.start].root in _COMPARING
    if not (group.link == "but" or between & _IT or (compares and group.link in ("and", ",", "")) or _makes_darker(between, compares)):
        return None
    steps = shade.value * (group.degree.value if group.degree is not None else 1.0)
    said = " ".join(w.text.lower() for a in (group.degree, shade) if a is not None for w in words[a.start : a.end])
    shades = tuple(_shifted(s, shade.kind, steps, said) for s in last.shades)
    told = tuple(replace(a, kind="said") for a in (group.degree, shade) if a is not None)
    return [replace(last, shades=shades, swallowed=(*last.swallowed, *told))]


def _makes_darker(between: set[str], compares: bool) -> bool:
    return compares and bool(between & {"make", "turn", "but"})


def _shade_alone(group: Group) -> Atom | None:
    """Return the word for lightness that is all of a group, or None."""
    if group.head is not None:
        twin = group.head.twin
        return twin if twin is not None and twin.kind in SHADE_KINDS and not group.shades and not group.head.part else None
    atoms = [atom for shade in group.shades for atom in shade.atoms]
    return atoms[0] if len(atoms) == 1 and atoms[0].kind in SHADE_KINDS else None


def _shifted(shade: Shade, kind: str, steps: float, said: str) -> Shade:
    # a brighter colour is a lighter one, too: more colour alone can hardly be seen on a vivid one
    change = (steps, 1.0 if kind == "lightness" else 1 + steps / 40)
    colour = shifted(shade.colour, *change)
    return replace(shade, name=f"{said} {shade.name}", colour=colour, usual=shade.usual or shade.name, change=change)
