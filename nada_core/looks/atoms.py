"""Split a text into atoms: names from the word lists, small words such as "no" or "dark", and unknown words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nada_core.looks.ages import ages
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import LIGHT_WORDS, Entry, Vocabulary, phrase

__all__ = ["Atom", "atoms"]


@dataclass(frozen=True)
class Atom:
    """One name or small word of a text.

    Attributes:
        kind: "entry", "colour", "unknown", "," or a kind of grammar.txt such as "no", "with", "degree".
        start: first token.
        end: the token after the last one.
        entry: what the name means, for "entry" and "colour".
        value: factor of a degree, steps of a shade, years of an age.
        twin: the same words as a colour or a small word, where the entry has such a second meaning ("coral", "dark").
    """

    kind: str
    start: int
    end: int
    entry: Entry | None = None
    value: float = 0.0
    twin: Atom | None = None

    @property
    def part(self) -> str:
        """The part or mark that the atom is a mere word for ("mouth" is "lips"), or empty."""
        return self.entry.part if self.entry is not None else "skin" if self.kind == "face" else ""


@dataclass(frozen=True)
class _Match:
    length: float
    exact: bool
    atom: Atom


#: Little words over which a name may be turned round: "eyes of a cat", but no "wet hair" in "dripping from her hair".
_TURNING = frozenset("a an the of s".split())
#: Little words that say where something is.
_PLACES = frozenset("in on at from by to".split())


def _windows(words: Sequence[Token], start: int, longest: int) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """Yield (end, words without those that change nothing, all words) for phrases that start at a word; they do not cross a break."""
    kept: list[str] = []
    every: list[str] = []
    for end in range(start, len(words)):
        word = words[end].root
        if word == ",":
            return
        every.append(word)
        if word not in LIGHT_WORDS:
            kept.append(word)
        if len(kept) > longest or len(every) > longest + 3:
            return
        yield end + 1, tuple(kept), tuple(every)


def _matches(words: Sequence[Token], start: int, known: Vocabulary) -> Iterator[_Match]:
    """Yield every name and small word that starts at a word."""
    first = words[start].root
    if first in LIGHT_WORDS:
        for end in range(start + 1, min(len(words), start + known.longest) + 1):
            every = tuple(w.root for w in words[start:end])
            small, entry = known.grammar.get(every), known.phrases.get(every)
            if entry is not None and not (start and known.grammar.get((words[start - 1].root,), ("",))[0] == "no"):
                # "without the mask" refuses a mask, and not the film
                yield _Match(end - start, True, Atom("entry", start, end, entry))
            elif small is not None and (end > start + 1 or small[0] != "nothing"):
                yield _Match(end - start, True, Atom(small[0], start, end, None, small[1]))
        return
    for end, kept, every in _windows(words, start, known.longest):
        count = len(kept)
        small = known.grammar.get(every)
        if words[end - 1].root in LIGHT_WORDS:
            if small is not None:
                # "covered in" is more than "covered", and no name
                yield _Match(count + 0.5, True, Atom(small[0], start, end, None, small[1]))
            continue
        small = small or known.grammar.get(kept)
        # a "ghost in white" is not ghost white
        entry, colour = known.phrases.get(kept), known.colours.get(kept) if len(every) == count else None
        plain = Atom("colour", start, end, colour) if colour is not None else None
        if plain is None and small is not None:
            plain = Atom(small[0], start, end, None, small[1])
        if entry is not None and count > 1 and entry.kind == "faces" and _second_colour(words, start, known):
            continue  # "orange and black wings" are no demon's
        if entry is not None and entry.kind == "lights" and _begins_a_colour(words[end - 1 : end + 1], known):
            continue  # in "in snow white skin" it is no winter
        if entry is not None and count > 1 and _of_the_part_before(words, start, end, known):
            continue  # in "skin grey hair black" nobody has grey hair
        if entry is not None and _placed_apart(entry, kept, every):
            continue  # "slime dripping from her hair" wets no hair
        if entry is not None and count > 1 and _refuses_how(words, start, end, known):
            continue  # a "not scary clown" is a clown
        if entry is not None and _refuses_more(words, start, end, known):
            continue  # "no face tattoos" is not the spirit No Face, with tattoos
        if entry is not None:
            # in "with a flower crown" the flower is the crown's
            yield _Match(count - 0.5 * (kept[0] == "with"), True, Atom("entry", start, end, entry, 0.0, plain))
        elif plain is not None:
            yield _Match(max(count, 1), True, plain)
        other = known.unordered.get(tuple(sorted(kept))) if entry is None and count > 1 else None
        described = any(
            w.text.lower().endswith(("eyed", "haired", "faced", "nosed", "eared", "bearded", "headed", "toothed"))
            for w in words[start : end - 1]
        )
        if (
            other is not None
            and not described
            and _TURNING.issuperset(set(every) - set(kept))
            and _free(every, known)
            and not _of_the_next(words, end, known)
        ):
            yield _Match(count, False, Atom("entry", start, end, other))
        if entry is None and count <= 2 and (other := _joined(kept, known)) is not None:
            yield _Match(count, False, Atom("entry", start, end, other))


def _placed_apart(entry: Entry, kept: tuple[str, ...], every: tuple[str, ...]) -> bool:
    """Tell whether a text has a word of place inside a name that is known without one: "dripping from her hair" for "dripping hair"."""
    if entry.kind == "characters" or len(kept) == len(every) or not _PLACES.intersection(every):
        return False
    return not any(_PLACES.intersection(name.lower().split()) for name in entry.names if phrase(name) == kept)


def _second_colour(words: Sequence[Token], start: int, known: Vocabulary) -> bool:
    """Tell whether a name begins with the second of two colours."""
    two = start > 1 and words[start - 1].root == "and" and (words[start].root,) in known.colours
    before = (words[start - 2].root,)
    return two and before in known.colours and before not in known.phrases  # "lipstick" is a colour, too


def _begins_a_colour(two: Sequence[Token], known: Vocabulary) -> bool:
    """Tell whether two words are one colour's name, or a name that ends with a colour ("snow white")."""
    name = tuple(w.root for w in two)
    return len(name) == 2 and (name in known.colours or (name in known.phrases and name[1:] in known.colours))


def _of_the_part_before(words: Sequence[Token], start: int, end: int, known: Vocabulary) -> bool:
    """Tell whether a name's first word is the colour of the part before it, as the colour of its own part follows it."""
    if not start or end >= len(words) or not all((words[at].root,) in known.colours for at in (start, end)):
        return False
    before, own = words[start - 1].root, known.phrases.get((words[end - 1].root,))
    part = known.phrases.get((before,))
    return before in ("skin", "face") or (part is not None and bool(part.part) and own is not None and bool(own.part))


def _of_the_next(words: Sequence[Token], end: int, known: Vocabulary) -> bool:
    """Tell whether the last of turned words belongs to what follows: in "green skin black hair" the skin is not black."""
    after = known.phrases.get((words[end].root,)) if end < len(words) else None
    return after is not None and bool(after.part) and (words[end - 1].root,) in known.colours


def _refuses_more(words: Sequence[Token], start: int, end: int, known: Vocabulary) -> bool:
    """Tell whether a name that begins with "no" goes on as a refusal of something else."""
    if known.grammar.get((words[start].root,), ("",))[0] != "no" or end >= len(words):
        return False
    after = words[end].root
    return after in known.words and (after,) not in known.grammar and after not in LIGHT_WORDS


#: How somebody is who is still the same without it.
_HOW = frozenset("scary evil creepy killer sad angry happy old ugly wicked bad crazy mad".split())


def _refuses_how(words: Sequence[Token], start: int, end: int, known: Vocabulary) -> bool:
    """Tell whether "not" directly before a name refuses only its first word, and the rest is a name of its own."""
    refused = start > 0 and words[start - 1].root in ("not", "non") and words[start].root in _HOW
    return refused and phrase(" ".join(w.root for w in words[start + 1 : end])) in known.phrases


def _joined(kept: tuple[str, ...], known: Vocabulary) -> Entry | None:
    """Return the name that one word runs together ("spiderman") or two words write apart ("sun set")."""
    if kept[-1] in ("face", "head", "hair", "skin"):
        return None  # a "leather face" is nobody's name
    name = "".join(kept)
    return known.joined.get(name) or (known.phrases.get((name,)) if len(kept) > 1 and _free(kept, known) else None)


def _free(every: tuple[str, ...], known: Vocabulary) -> bool:
    """Tell whether words may be put in another order: not across "with", "no" and the like."""
    return not any(known.grammar.get((word,), ("",))[0] in ("no", "with", "and", "but", "in") for word in every)


def atoms(words: Sequence[Token], known: Vocabulary, more: Iterable[Atom] = ()) -> list[Atom]:
    """Return a text's tokens as atoms in order; ``more`` win, then the longest names, those in their own order, and the first."""
    found = [_Match(len(words) + 1, True, atom) for atom in more]
    found += [m for start, word in enumerate(words) if word.root != "," for m in _matches(words, start, known)]
    found += [_Match(length, True, Atom("years", start, end, None, value)) for length, start, end, value in ages(words)]
    found.sort(key=lambda m: (-m.length, not m.exact, m.atom.start, m.atom.kind != "entry"))
    taken: list[Atom | None] = [None] * len(words)
    for match in found:
        span = range(match.atom.start, match.atom.end)
        if all(taken[i] is None for i in span):
            for i in span:
                taken[i] = match.atom
    row: list[Atom] = []
    for i, word in enumerate(words):
        atom = taken[i] or _single(i, word, known)
        if not row or row[-1] is not atom:
            row.append(atom)
    return [a for a in row if a.kind != "nothing"]


def _single(place: int, word: Token, known: Vocabulary) -> Atom:
    """Return the atom of a word that is part of no name."""
    if word.root == ",":
        return Atom(",", place, place + 1)
    small = known.grammar.get((word.root,))
    if small is not None:
        return Atom(small[0], place, place + 1, None, small[1])
    if word.root in LIGHT_WORDS:
        return Atom("nothing", place, place + 1)
    return Atom("unknown", place, place + 1)
