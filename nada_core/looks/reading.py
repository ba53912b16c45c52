"""Read a text as a look, and report which words were understood and which were not.

Nothing is dropped or replaced silently: every word of a text that carries meaning is in one of the understood pieces or among the unknown.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nada_core.looks.atoms import atoms
from nada_core.looks.attaching import attached
from nada_core.looks.colours import difference
from nada_core.looks.comparisons import compared
from nada_core.looks.grounds import grounded
from nada_core.looks.groups import groups
from nada_core.looks.halves import halved
from nada_core.looks.listing import listed
from nada_core.looks.look import FAINT_MARKS, WHOLES, Look
from nada_core.looks.meaning import Meaning, meant
from nada_core.looks.pieces import SAME_COLOUR, Understood, as_worn, beardless, combined, laid
from nada_core.looks.prompts import check_prompt
from nada_core.looks.similes import without_similes
from nada_core.looks.spelling import tokens
from nada_core.looks.word_lists import vocabulary
from nada_core.looks.wording import worded

__all__ = ["Reading", "Understood", "nearest", "read", "sentence"]


@dataclass(frozen=True)
class Reading:
    """What a text means.

    Attributes:
        text: the text, cleaned.
        look: everything that was understood, together.
        understood: the pieces, in the order of the text.
        unknown: the person's own words that carry meaning and were not understood.
        neutral: True where the text asks for a face as it is ("photo of a person").
    """

    text: str
    look: Look
    understood: tuple[Understood, ...] = ()
    unknown: tuple[str, ...] = ()
    neutral: bool = False

    @property
    def overruled(self) -> tuple[tuple[str, str], ...]:
        """Pairs of titles of which only the second is shown, since both cannot be: two materials, a smile and a sad face."""
        return tuple(dict.fromkeys((a.title, b.title) for a, b in itertools.combinations(laid(self.understood), 2) if _against(a, b)))

    @property
    def faint(self) -> tuple[str, ...]:
        """Titles of details that an adapted generator shows as a shade of their colour at most: a hat, a beard, blood that runs."""
        details = (p for p in self.understood if p.rank == 9 and not p.removes)
        return tuple(dict.fromkeys(p.title for p in details if any(m.name in FAINT_MARKS for m in p.look.marks)))

    def without(self, *index: int) -> Reading:
        """Return the reading with these pieces switched off.

        Raises:
            IndexError: there is no such piece.
        """
        for i in index:
            self.understood[i]
        kept = tuple(piece for i, piece in enumerate(self.understood) if i not in {j % len(self.understood) for j in index})
        return replace(self, understood=kept, look=combined(kept))


def _one_part(look: Look) -> str:
    """Return the part whose colour is all that a look says, or an empty text."""
    return next(iter(look.paints)) if len(look.paints) == 1 and look == Look(paints=look.paints) else ""


#: From which product of two amounts on people see that one of two shapes is missing: a straight mouth is no smile; a sleepy baby has both.
_APART = {"smile": -0.24, "big eyes": -0.75}


def _against(one: Understood, later: Understood) -> bool:
    """Tell whether a piece takes the place of an earlier one of the same rank."""
    if one.rank != later.rank or not one.rank:
        return False  # "painting" beside "charcoal" says no other thing
    a, b = one.look, later.look
    if one.rank == 9 and (part := _one_part(a)) and part == _one_part(b):
        first, second = a.paints[part].colour, b.paints[part].colour
        if first is not None and second is not None and difference(first, second) >= SAME_COLOUR:
            return True  # "red lips, blue lips"
    if any(getattr(a, whole) and getattr(b, whole) and getattr(a, whole) != getattr(b, whole) for whole in WHOLES):
        return True
    return any(value * b.shape.get(name, 0.0) < _APART.get(name, -0.45) for name, value in a.shape.items())


def read(text: str) -> Reading:
    """Return what a text means for a face.

    Raises:
        PromptError: the text is empty, too long or has no words.
    """
    cleaned = check_prompt(text)
    known = vocabulary()
    words = worded(tokens(cleaned), known)
    named = grounded(atoms(words, known, halved(words, known)), words)
    row = compared(without_similes(named, words), words, known)
    said = [meant(group, cleaned, words, known) for group in listed(attached(groups(row, words), words), words)]
    pieces = _aged(_once(piece for meaning in said for piece in meaning.pieces))
    pieces, unseen = _masks_off(_smooth_chinned(pieces))
    unknown = tuple(dict.fromkeys((*_unknown(said, cleaned), *unseen)))
    neutral = not pieces and not unknown and any(a.kind in ("person", "face", "picture", "own") for a in row)
    if not pieces and not unknown and not neutral:
        unknown = (cleaned,)
    return Reading(cleaned, combined(pieces), pieces, unknown, neutral)


#: What somebody's face is hidden by.
_MASKS = frozenset(("helmet", "eye mask", "surgical mask"))


def _masks_off(pieces: tuple[Understood, ...]) -> tuple[tuple[Understood, ...], tuple[str, ...]]:
    """Return the pieces, and the words of refused masks that nobody here wears as one.

    "Spider-Man without the mask" is his suit; where a name is not said to be a mask ("zombie without helmet"), the refusal says nothing.
    """
    figures = [p for p in pieces if p.rank == 1 and not p.costume and (p.masked or "skin" in p.look.paints)]
    refused = [p for p in pieces if figures and p.removes.marks and {m.name for m in p.removes.marks} <= _MASKS and not p.removes.paints]
    if refused and any(p.masked for p in figures):
        return tuple(replace(p, look=as_worn(p.look), swatches=()) if p.masked else p for p in pieces), ()
    worn = {m.name for p in pieces for m in p.look.marks}
    off = [p for p in refused if not worn & {m.name for m in p.removes.marks}]
    return tuple(p for p in pieces if p not in off), tuple(p.words for p in off)


def _aged(pieces: tuple[Understood, ...]) -> tuple[Understood, ...]:
    """Return the pieces; where years are said, "boy" says nothing more of the age."""
    if not any(piece.title.endswith("years old") for piece in pieces):
        return pieces
    done = []
    for piece in pieces:
        shape = {name: v for name, v in piece.look.shape.items() if name != "age"}
        words = piece.rank == 9 and not piece.look.paints and not piece.title.endswith("years old")
        done.append(replace(piece, look=replace(piece.look, shape=shape)) if words else piece)
    return tuple(done)


#: Names of those who have no beard yet, and no grey hair.
_CHILDREN = frozenset(
    ("child", "kid", "kids", "toddler", "baby", "boy", "girl", "lad", "lass", "schoolboy", "schoolgirl", "little girl", "little boy")
)


def _smooth_chinned(pieces: tuple[Understood, ...]) -> tuple[Understood, ...]:
    """Return the pieces; beside a child nobody has a beard or years of his own: a "wizard kid" is young."""
    if not any(p.rank == 9 and p.title in _CHILDREN and p.look.shape.get("age", 0.0) < 0 for p in pieces):
        return pieces
    return tuple(replace(p, look=beardless(p.look)) if p.rank == 1 and not p.removes else p for p in pieces)


def _once(pieces: Iterable[Understood]) -> tuple[Understood, ...]:
    """Return the pieces, those that say the same thing as one with all its words ("Na'vi from Avatar")."""
    found: dict[tuple[str, str, str], Understood] = {}
    for piece in pieces:
        key = (piece.title, piece.look.key, piece.removes.key)
        earlier = found.get(key)
        found[key] = piece if earlier is None else replace(earlier, words=f"{earlier.words}, {piece.words}")
    return tuple(found.values())


def _unknown(said: Sequence[Meaning], text: str) -> tuple[str, ...]:
    """Return unknown words, neighbours joined: "John Smith" is one name."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(span for meaning in said for span in meaning.unknown):
        if spans and not text[spans[-1][1] : start].strip():
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple(dict.fromkeys(text[start:end] for start, end in spans))


def sentence(reading: Reading) -> str:
    """Return one plain line about a reading: "Understood: green skin, red lips. Not known here: moon."."""
    parts = []
    if reading.understood:
        parts.append(f"Understood: {', '.join(dict.fromkeys(piece.title for piece in reading.understood))}.")
    elif reading.neutral:
        parts.append("Understood: a face as it is.")
    if reading.overruled:
        parts.append(f"Both cannot be shown: {'; '.join(f'{b}, not {a}' for a, b in reading.overruled)}.")
    if reading.faint:
        parts.append(f"Seen as a shade of its colour at most: {', '.join(reading.faint)}.")
    if reading.unknown:
        parts.append(f"Not known here: {', '.join(reading.unknown)}.")
    return " ".join(parts) or "Nothing was understood."


#: Below this share of letters in common two words are unlike: to propose one for the other would only puzzle.
_ALIKE = 0.72
_LIKED = ("Joker", "oil painting", "zombie", "marble statue", "vampire", "robot", "cartoon", "gold")


def nearest(text: str, count: int = 4) -> list[str]:
    """Return titles of ``count`` looks: those that share words, or words spelled much alike, with a text; then some that many like."""
    wanted = {word.root for word in tokens(text[:200]) if word.root.isalnum()}
    scores: dict[str, float] = {}
    for name, entry in vocabulary().phrases.items():
        if entry.kind in ("parts", "textures"):
            continue
        near = [max((_alike(word, one) for one in name), default=0.0) for word in wanted]
        share = sum(one for one in near if one >= _ALIKE) / max(len(name), len(wanted), 1)
        if share >= 0.5:
            by_name = set(name) <= {word.root for word in tokens(entry.title)}  # rather than by another word for it
            scores[entry.title] = max(scores.get(entry.title, 0.0), share + 0.2 * by_name)
    ranked = sorted(scores, key=lambda title: -scores[title])
    return list(dict.fromkeys([*ranked[:count], *_LIKED]))[:count]


def _alike(one: str, other: str) -> float:
    """Return the share of letters that two words have in common, in order; 0 where they begin differently, as few slips do."""
    if one == other:
        return 1.0
    return difflib.SequenceMatcher(None, one, other).ratio() if one[:1] == other[:1] else 0.0
