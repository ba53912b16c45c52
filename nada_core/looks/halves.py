"""Read what two halves, two sides or two eyes have each in a colour of their own: "half red, half blue", "one blue eye, one green"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nada_core.looks.atoms import Atom
from nada_core.looks.look import Look, Mark, Paint
from nada_core.looks.part_looks import paint_on
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import Entry, Vocabulary, phrase

__all__ = ["halved"]

#: Words that set one of two apart.
_ONE_OF_TWO = frozenset(("half", "side", "left", "right", "one", "other"))
#: What has two sides, and the part that it is.
_NOUNS = {"eye": "eyes", "iris": "eyes", "pupil": "eyes", "hair": "hair", "wig": "hair", "face": "skin", "skin": "skin"}
#: part -> the mark that colours its other half.
_OTHER = {"eyes": "other eye", "hair": "half hair", "skin": "half face"}
_BETWEEN = frozenset((",", "and", "but", "with", "while", "plus"))
_SMALL = frozenset("the a an of his her my your its is are in painted colored dyed that color".split())
#: Words that say already that two eyes or two sides differ.
_TWO = tuple(
    tuple(name.split())
    for name in (
        "heterochromia",
        "odd eye",
        "two different eye",
        "different eye",
        "mismatched eye",
        "split dye",
        "split dyed",
        "two tone hair",
    )
)


@dataclass(frozen=True)
class _Side:
    """One of two: "left", "right" or "" for the side, the part or "", its colour's name and paint, the token after it."""

    side: str
    part: str
    name: str
    paint: Paint
    end: int


def _sided(roots: Sequence[str]) -> bool:
    """Tell whether two sides of a face are spoken of, so that each may be somebody ("left side angel, right side devil")."""
    return "side" in roots or {"left", "right"} <= set(roots) or ("half" in roots and "other" in roots)


def _somebodys(entry: Entry, known: Vocabulary) -> Paint | None:
    """Return the paint of the skin of what a name means."""
    paint = entry.look.paints.get("skin") or (paint_on(entry, "skin", known) if entry.kind == "materials" else None)
    return paint if paint is not None and paint.colour is not None and entry.kind in ("characters", "materials") else None


def _colour_at(words: Sequence[Token], at: int, part: str, known: Vocabulary) -> tuple[str, Paint, int] | None:
    """Return name, paint and end of the longest colour that starts at a word."""
    if _sided([w.root for w in words]):
        for end in range(min(len(words), at + 3), at, -1):
            somebody = known.phrases.get(tuple(w.root for w in words[at:end]))
            if somebody is not None and (paint := _somebodys(somebody, known)) is not None:
                return somebody.title, paint, end
    for end in range(min(len(words), at + 3), at, -1):
        name = tuple(w.root for w in words[at:end])
        colour, entry = known.colours.get(name), known.phrases.get(name)
        if entry is not None and entry.on_part is not None:
            return entry.title, known.shades.get((part, phrase(entry.title))) or entry.on_part, end
        if colour is not None:
            return colour.title, known.shades.get((part, phrase(colour.title))) or Paint(colour.colour), end
    return None


def _side_at(words: Sequence[Token], start: int, part: str, known: Vocabulary, certain: bool = False) -> _Side | None:
    """Return the side that starts at a word: "half red", "the left side of the face is red", "one blue eye", "one eye red"."""
    at, side, apart = start, "", certain
    found: tuple[str, Paint, int] | None = None
    while at < len(words):
        word = words[at]
        if word.root in _ONE_OF_TWO:
            if found is not None and (apart or (word.root == "half" and _colour_at(words, at + 1, "skin", known) is not None)):
                break
            apart = True
            side = word.root if word.root in ("left", "right") else side
        elif word.root in _NOUNS:
            if found is not None and _NOUNS[word.root] != (part or _NOUNS[word.root]):
                break
            part = _NOUNS[word.root]
            # "a blue eye and a brown eye": one eye is one of two
            apart = apart or (part == "eyes" and word.text.lower() in ("eye", "iris"))
            if found is not None:
                at += 1
                break
        elif word.root not in _SMALL:
            colour = _colour_at(words, at, part or "skin", known) if found is None else None
            if colour is None:
                break
            found, at = colour, colour[2]
            continue
        at += 1
    if found is None or not apart:
        return None
    while at > found[2] and words[at - 1].root in _SMALL:
        at -= 1
    return _Side(side, part, *found[:2], at)


def _said_before(words: Sequence[Token], start: int) -> tuple[str, int]:
    """Return the part of which two halves are said ("hair half red half blue"), and where it begins."""
    at = start
    while at and words[at - 1].root in _SMALL | {","}:
        at -= 1
    if at and words[at - 1].root in ("eye", "hair", "face", "wig"):
        return _NOUNS[words[at - 1].root], at - 1
    return "", start


def halved(words: Sequence[Token], known: Vocabulary) -> Iterator[Atom]:
    """Yield an atom for the first "half red, half blue", "left side gold, right side silver" or "one blue eye and one green"."""
    roots = [w.root for w in words]
    two = next(((i, name) for name in _TWO for i in range(len(roots)) if tuple(roots[i : i + len(name)]) == name), None)
    if two is None and "eye" not in roots and not _ONE_OF_TWO.intersection(roots):
        return
    for start in range(len(words)):
        if roots[start] in _SMALL or roots[start] in _BETWEEN:
            continue
        certain = two is not None and start >= two[0] + len(two[1])
        part, begin = _said_before(words, start)
        if certain and two is not None:
            part = part or ("hair" if two[1][0] in ("split", "two") and "eye" not in two[1] else "eyes")
            if all(root in _SMALL | _BETWEEN or root in _NOUNS for root in roots[two[0] + len(two[1]) : start]):
                begin = two[0]
        first = _side_at(words, start, part, known, certain)
        if first is None:
            continue
        at = first.end
        while at < len(words) and roots[at] in _BETWEEN | _SMALL:
            at += 1
        second = _side_at(words, at, first.part or part, known, certain) if at < len(words) else None
        if second is None:
            continue
        part = second.part or first.part or "skin"
        sides = [_side_at(words, s, part, known, True) for s in (start, at)]  # the colours as they look on that part
        one, other = (s if s is not None else old for s, old in zip(sides, (first, second)))
        yield Atom("entry", begin, max(second.end, other.end), _entry(part, one, other))
        return


def _entry(part: str, one: _Side, other: _Side) -> Entry:
    left, right = (other, one) if one.side == "right" or other.side == "left" else (one, other)
    title = f"half {one.name}, half {other.name}"
    if part != "skin":
        noun = "eye" if part == "eyes" else part
        title = f"one {one.name} eye, one {other.name} eye" if part == "eyes" else f"{title} {noun}"
    look = Look(paints={part: left.paint}, marks=(Mark(_OTHER[part], 1.0, right.paint.colour),))
    return Entry(title, (), "faces", look, main=part)
