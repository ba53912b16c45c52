"""Find ages in a text, and say how young ones look: "70 year old", "aged forty", "make me 80", "80yo", "in my sixties"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nada_core.looks.look import Look
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import Vocabulary

__all__ = ["ages", "young"]

_NUMBERS = dict(zip("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
                    "nineteen".split(), range(1, 20)))  # fmt: skip
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety hundred".split(), range(20, 110, 10)))
_NUMBERS |= _TENS
_RUN_TOGETHER = re.compile(r"(\d{1,3})(?:yo|y|yr|yrs|year|years|yearold|yearsold|ish)$")
_DECADE = re.compile(r"([1-9]0)s$")
_YEARS = ("year", "yr", "yo")
#: Words after which a mere number is an age: "make me 80", "look 60", "like I'm 5".
_BEFORE = frozenset(
    "me him her us them look looking looked like at am im is are be being turn turning turned become about around almost nearly over "
    "under when mom dad mum grandma friend boss myself only just now as".split()
)
#: Words that may stand between those and the number.
_PASSED = frozenset(
    ("like", "about", "around", "almost", "nearly", "only", "just", "as", "over", "a", "if", "i", "im", "am", "were", "was")
)
#: Signs and words that may follow it; with a noun after it a number counts things.
_AFTER = frozenset((",", "and", "with", "but", "again", "or", "in", "now", "then", "please", "without", "having"))
_WHOSE = frozenset(("my", "his", "her", "their", "your", "our"))
#: The age of somebody of whom none is said, and as old as "in 100 years" makes him.
_NOW, _OLDEST = 35, 95
#: Up to which age somebody has a baby's, and a child's face.
_BABY, _CHILD = 2, 12
_PART_OF_DECADE = {"early": 2, "mid": 5, "middle": 5, "late": 8}


def _number(words: Sequence[Token], end: int) -> tuple[int, float]:
    """Return where a number that ends before a word starts, and its value: "twenty-five"; (end, 0) where there is none."""
    last = words[end - 1].root if end else ""
    if last.isdecimal() and len(last) < 4:
        return end - 1, float(last)
    if last not in _NUMBERS:
        return end, 0.0
    tens = _NUMBERS.get(words[end - 2].root, 0) if end > 1 else 0
    return (end - 2, tens + _NUMBERS[last]) if tens >= 20 and _NUMBERS[last] < 10 else (end - 1, float(_NUMBERS[last]))


def ages(words: Sequence[Token]) -> Iterator[tuple[int, int, int, float]]:
    """Yield (how many words it counts as, first token, the token after it, years) for every age."""
    for i, word in enumerate(words):
        start, value = _number(words, i)
        together = _RUN_TOGETHER.match(word.root)
        if start < i and word.root in _YEARS:
            if i + 1 < len(words) and words[i + 1].root in ("younger", "older", "ago", "later", "young"):
                continue  # "20 years younger" is no age
            end = i + 2 if i + 1 < len(words) and words[i + 1].root in ("old", "age") else i + 1
            if start and words[start - 1].root == "in" and end == i + 1:
                yield 5, start - 1, end, min(_OLDEST, _NOW + value)  # "me in 40 years"
                continue
            yield end - start + 1, start, end, value
        elif start < i and word.root == "y" and [w.root for w in words[i + 1 : i + 3]] in ([",", "o"], ["o"]):
            yield 4, start, i + 1 + len(words[i + 1 : i + 3]), value  # "80 y/o"
        elif word.root in ("aged", "age") and i + 1 < len(words):
            at = i + 1 + (words[i + 1].root == "of")  # "at the age of 8"
            ends = [k for k in (at + 2, at + 1) if k <= len(words) and _number(words, k)[0] == at]
            if ends:
                yield 4, i, ends[0], _number(words, ends[0])[1]
        elif together is not None:
            old = i + 1 < len(words) and words[i + 1].root == "old"
            yield 2 + old, i, i + 1 + old, float(together.group(1))
        else:
            yield from _in_the_decade(words, i)
    yield from _plain(words)


def _in_the_decade(words: Sequence[Token], i: int) -> Iterator[tuple[int, int, int, float]]:
    """Yield "in my sixties" and "his late 40s"; the sixties of nobody are a time."""
    word, decade = words[i], _DECADE.match(words[i].root)
    tens = float(decade.group(1)) if decade else _TENS.get(word.root, 0) if word.text.lower().endswith("ies") else 0
    if not tens:
        return
    start = i - 1
    part = _PART_OF_DECADE.get(words[start].root, 0) if start >= 0 else 0
    start -= bool(part)
    if start >= 0 and words[start].root in _WHOSE:
        begin = start - 1 if start and words[start - 1].root == "in" else start
        yield 5, begin, i + 1, tens + (part or 5)
    elif part and start >= 0 and words[start].root == "in":
        yield 4, start, i + 1, tens + part


def _plain(words: Sequence[Token]) -> Iterator[tuple[int, int, int, float]]:
    """Yield numbers that say an age by what stands around them: "make me 80", "like I'm five", "at 20"."""
    for end in range(2, len(words) + 1):
        start, value = _number(words, end)
        if start in (end, 0) or not 1 <= value <= 120:
            continue
        if end < len(words) and (words[end].root not in _AFTER or (end + 1 < len(words) and words[end + 1].root.isdecimal())):
            continue
        before = start - 1
        while before > 0 and words[before].root in _PASSED and words[before - 1].root in _BEFORE | _PASSED:
            before -= 1
        if words[before].root in _BEFORE and (value > 2 or words[start].root.isdecimal()):
            yield 2, start, end, value


def young(years: float, known: Vocabulary) -> Look:
    """Return how somebody of fewer than sixty years looks: children have other faces, and not only smoother ones."""
    if years <= _CHILD:
        return known.phrases[("baby" if years <= _BABY else "child",)].look
    age = round(max(-1.0, (years - 38) / 40), 2)
    return Look(shape={"age": age} if age else {})
