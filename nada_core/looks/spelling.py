"""Split a text into words, bring them to one spelling (singular, American), and correct misspellings."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Speller", "Token", "edits", "root", "tokens"]

#: Irregular plurals, and British and American spellings, each to the form that the word lists are compared in.
_SAME = {
    "colour": "color", "colours": "color", "coloured": "colored", "grey": "gray", "greys": "gray", "greyscale": "grayscale",
    "greyish": "grayish", "greyed": "grayed", "armour": "armor", "moustache": "mustache", "moustaches": "mustache",
    "moustached": "mustached", "jewellery": "jewelry", "woollen": "woolen", "aluminium": "aluminum", "mould": "mold",
    "mouldy": "moldy", "watercolour": "watercolor", "watercolours": "watercolor", "blonde": "blond", "blondes": "blond",
    "blonds": "blond", "spectre": "specter", "sombre": "somber", "sceptre": "scepter", "lustre": "luster", "ochre": "ocher",
    "theatre": "theater", "favourite": "favorite", "glamour": "glamor", "glamourous": "glamorous", "sabre": "saber",
    "men": "man", "women": "woman", "children": "child", "teeth": "tooth", "wolves": "wolf", "elves": "elf", "dwarves": "dwarf",
    "people": "person", "persons": "person", "leaves": "leaf", "mice": "mouse", "geese": "goose", "feet": "foot", "thieves": "thief",
    "peoples": "person", "haired": "hair", "skinned": "skin", "eyed": "eye", "lipped": "lip", "faced": "face", "bearded": "beard",
    "toothed": "tooth", "cheeked": "cheek", "browed": "brow", "eyebrowed": "eyebrow", "nosed": "nose", "eared": "ear",
    "cheekboned": "cheekbone", "backlighted": "backlit", "bigger": "big", "biggest": "big", "larger": "large", "largest": "large",
    "smaller": "small", "smallest": "small", "longer": "long", "shorter": "short", "thicker": "thick", "thinner": "thin",
    "wider": "wide", "narrower": "narrow", "fuller": "full", "rounder": "round", "fatter": "fat", "slimmer": "slim", "tinier": "tiny",
    "higher": "high", "stronger": "strong", "sharper": "sharp", "flatter": "flat", "bushier": "bushy", "curlier": "curly",
    "spikier": "spiky", "messier": "messy", "pointier": "pointy", "happier": "happy", "sadder": "sad", "angrier": "angry",
    "scarier": "scary", "creepier": "creepy", "warmer": "warm", "colder": "cold", "greener": "green", "redder": "red", "bluer": "blue",
    "whiter": "white", "blacker": "black", "pinker": "pink", "furrier": "furry", "hairier": "hairy", "shinier": "shiny",
    **{f"{word}s": word for word in ("cookie", "zombie", "movie", "selfie", "pixie", "genie", "brownie", "barbie", "hippie", "smoothie",
                                     "faerie", "hoodie", "cutie", "selkie", "eerie", "oldie", "smurfie", "pinkie", "valkyrie")},
    "chubbier": "chubby", "grumpier": "grumpy", "uglier": "ugly",
    "brite": "bright", "lite": "light", "nite": "night", "gurl": "girl", "grrl": "girl", "gurlz": "girl", "boi": "boy", "thicc": "thick",
    "blak": "black", "luv": "love", "kween": "queen", "kawai": "kawaii",
}  # fmt: skip
#: Words that end like plurals and are none, or mean something else in the singular.
_KEPT = frozenset(
    "glasses sunglasses shades eyeglasses brass glass moss chess witness cactus jesus venus zeus thanos chaos elvis iris canvas atlas "
    "christmas cosmos rufus angus james avengers always this his is was as has us its lens cyclops pegasus colossus dress goddess "
    "princess actress sorceress mistress congress less cutlass compass bass kiss boss gas bus plus minus circus virus lotus "
    "darkness sadness madness happiness hopeless hades".split()
)
_BRITISH = ("ised", "ising", "isation")
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\s\w]|_")
_AND = frozenset("&+")
_BREAKS = frozenset(",;:.!?()[]{}|/\\—–")


@dataclass(frozen=True)
class Token:
    """One word or sign of a text.

    Attributes:
        text: as the person wrote it.
        root: the word in the spelling that word lists are compared in; "," for a break, "and" for an ampersand.
        start: place of the first character in the text.
        end: place after the last one.
        joined: the sign before it is a hyphen.
    """

    text: str
    root: str
    start: int
    end: int
    joined: bool = False


@lru_cache(maxsize=1 << 15)
def root(word: str) -> str:
    """Return a word in lower case, in the singular and in American spelling: the form in which words are compared."""
    word = word.lower().replace("’", "'")
    word = word.removesuffix("'s").replace("'", "")
    if word in _SAME:
        return _SAME[word]
    if len(word) < 4 or word in _KEPT:
        return word
    if word.endswith(_BRITISH) and len(word) > 7:
        word = word.replace("isation", "ization") if word.endswith("isation") else "z".join(word.rsplit("s", 1))
    if word[-1] != "s":
        return _SAME.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        return _singular(word[:-3] + "y")
    if word.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and (word.endswith("oos") or not word.endswith(("ss", "us", "is", "os"))):
        return _singular(word[:-1])
    return _singular(word)


def _singular(word: str) -> str:
    return _SAME.get(word, word)


def tokens(text: str) -> list[Token]:
    """Return the words, breaks and foreign signs of a text in order."""
    found: list[Token] = []
    hyphen = False
    for match in _TOKEN.finditer(text):
        sign = match.group()
        if sign[0].isalnum():
            # Chinese and the like have no spaces: such a run stays one word
            found.append(Token(sign, root(sign), match.start(), match.end(), hyphen))
            hyphen = False
            continue
        hyphen = sign in "-‐‑_"
        if sign in _AND:
            found.append(Token(sign, "and", match.start(), match.end()))
        elif sign in _BREAKS:
            found.append(Token(sign, ",", match.start(), match.end()))
        elif unicodedata.category(sign) == "So":
            found.append(Token(sign, sign, match.start(), match.end()))
    return found


def edits(one: str, other: str, limit: int) -> int:
    """Return the number of wrong, missing, added or swapped letters between two words; ``limit + 1`` where there are more."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def _letters(word: str) -> int:
    """Return the set of a word's letters as bits: words that share few letters need not be compared."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits


#: Keys beside each other, and letters that sound alike: what a finger or an ear takes for another.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SOUNDS = ("ck", "sz", "sc", "td", "pb", "mn", "fv", "gk", "kq", "vw", "gj", "ij", "rl", "xs")
_ALIKE = frozenset(
    frozenset(pair)
    for pair in (
        *(pair for row in _ROWS for pair in itertools.pairwise(row)),
        *((key, over) for upper, row in itertools.pairwise(_ROWS) for i, key in enumerate(row) for over in upper[i : i + 2]),
        *itertools.combinations("aeiouy", 2),
        *_SOUNDS,
    )
)


def _once(word: str) -> str:
    """Return a word without doubled letters."""
    return "".join(letter for letter, _ in itertools.groupby(word))


def _slip(word: str, known: str) -> bool:
    """Tell whether a word of the same length differs from a known one by letters that are easily taken for one another."""
    if len(word) != len(known) or sorted(word) == sorted(known) or _once(word) == _once(known):
        return True  # "pinnochio": one does not hear which letter is double
    return all(frozenset(pair) in _ALIKE for pair in zip(word, known) if pair[0] != pair[1])


class Speller:
    """Puts wrong letters right: swapped ones in words of four letters, one in words of up to six, two in longer ones, never the first.

    A letter stands for another only where it lies beside it on the keyboard or sounds like it: "vampyre" is "vampire", "stonk" no "stone".

    Args:
        known: the words that a wrong one may be read as.
        other: words of English with a meaning of their own, which are never changed.
    """

    def __init__(self, known: Iterable[str], other: Collection[str]) -> None:
        self._other = other
        self._by_start: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for word in known:
            if len(word) >= 4 and word.isalpha():
                self._by_start.setdefault((word[0], len(word)), []).append((word, _letters(word)))

    def correct(self, word: str) -> frozenset[str]:
        """Return the known words that ``word`` is nearest to and may be a misspelling of; mostly none or one."""
        if len(word) < 4 or word in self._other or not word.isalpha():
            return frozenset()
        limit = 1 if len(word) <= 6 else 2
        bits, best = _letters(word), limit + 1
        nearest: set[str] = set()
        for length in range(len(word) - limit, len(word) + limit + 1):
            for known, known_bits in self._by_start.get((word[0], length), ()):
                if (bits ^ known_bits).bit_count() > 2 * limit:
                    continue
                distance = edits(word, known, limit)
                # the shorter of the two sets the limit
                if distance > min(limit, 1 if len(known) <= 6 else 2) or distance > best:
                    continue
                if len(word) == len(known) == 4 and sorted(word) != sorted(known):
                    continue  # another letter makes another word of so short a one: "hutt" is not "hurt"
                if not _slip(word, known) or (distance == 2 and min(len(word), len(known)) < 8 and len(word) != len(known)):
                    continue
                nearest = {known} if distance < best else nearest | {known}
                best = min(best, distance)
        return frozenset(nearest)

    def among(self, word: str, names: Iterable[str]) -> frozenset[str]:
        """Return those of a few names that differ from ``word`` by one letter; also where it has but three ("van goh")."""
        if len(word) < 3 or word in self._other or not word.isalpha():
            return frozenset()
        return frozenset(n for n in names if len(n) >= 4 and n[0] == word[0] and edits(word, n, 1) == 1 and _slip(word, n))
