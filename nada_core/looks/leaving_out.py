"""Leave a piece out of a text: the words that remain, put right so that they read as before without it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from nada_core.errors import PromptError
from nada_core.looks.reading import Reading, read

__all__ = ["left_out"]

_LINK = r"(?:with|without|wearing|in|of|as|like|by|has|having|made of|dressed in)"
_JOIN = r"(?:,|;|and|or|but)"
#: What cannot stand where words were taken out, and what stands there instead.
_MENDS = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (r"\s+", " "),
        (r" ([,;.])", r"\1"),
        (rf"\b(?:a|an|the|his|her|my|some|very|slightly)(?= {_LINK}\b| {_JOIN}|[,;]| ?$)", ""),
        (rf"({_LINK}),? {_JOIN}(?= )", r"\1"),
        (rf"\b{_LINK} (?={_LINK}\b)", ""),
        (rf"({_JOIN}) ?{_JOIN}(?= |$)", r"\1"),
        (rf"^ ?(?:{_JOIN}|{_LINK}\b)(?= |$)", ""),
        (rf"(?:[,;]| {_JOIN}| {_LINK})+ ?$", ""),
    )
)


def _mended(text: str) -> str:
    """Return a text without small words that join nothing any more."""
    before = ""
    while before != text:
        before = text
        for pattern, instead in _MENDS:
            text = pattern.sub(instead, text)
    return text.strip()


def _candidates(reading: Reading, index: int) -> Iterator[str]:
    """Yield texts without a piece: its words cut out in one, cut out one by one, and at last the other pieces by their names."""
    text, piece = reading.text, reading.understood[index]
    for match in re.finditer(rf"(?<!\w){re.escape(piece.words)}(?!\w)", text):
        yield text[: match.start()] + " " + text[match.end() :]
    cut = text
    for word in piece.words.split():
        cut = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", " ", cut, count=1)
    yield cut
    others = [other.title for i, other in enumerate(reading.understood) if i != index]
    yield ", ".join((*others, *reading.unknown))


def left_out(reading: Reading, index: int) -> str:
    """Return the reading's text without one of its pieces; the others mean in it what they meant before.

    Raises:
        IndexError: there is no such piece.
    """
    kept = reading.without(index)
    wanted = Counter(piece.title for piece in kept.understood)
    text = ""
    for candidate in _candidates(reading, index):
        text = _mended(candidate)
        try:
            found = read(text)
        except PromptError:
            if not kept.understood and not kept.unknown:
                return ""
            continue
        if found.look == kept.look and Counter(p.title for p in found.understood) == wanted and set(found.unknown) <= set(kept.unknown):
            return text
    return text
