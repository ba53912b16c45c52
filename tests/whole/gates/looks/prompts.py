"""Draw texts by lot: names of the word lists, and mixtures of a character, a colour, a part, a material or a medium."""

from __future__ import annotations

import random

from nada_core.looks.reading import read
from nada_core.looks.word_lists import Entry, vocabulary

__all__ = ["mixed", "single"]

#: How many of 200 single names come from each list.
_SHARES = {"characters": 100, "materials": 30, "media": 25, "painters": 10, "processes": 12, "faces": 23}
_COLOURS = ("red", "green", "blue", "golden", "white", "black", "pink", "purple", "silver", "orange", "turquoise", "grey")
_FORMS = (
    "{colour} {character}",
    "{colour} skin and {other} hair",
    "{character} with {colour} hair",
    "{character} with {colour} lips",
    "{medium} of a {character}",
    "{medium} of a woman with {colour} hair",
    "{material} {character}",
    "smiling {character}",
    "{character} made of {material}",
    "{colour} lips, {other} hair and {face}",
    "{character} and {face}",
    "{material} face with {colour} eyes",
)


def _entries(kind: str) -> list[Entry]:
    found = {id(entry): entry for entry in vocabulary().entries if entry.kind == kind and entry.look and not entry.empty and not entry.soft}
    return sorted(found.values(), key=lambda entry: entry.title)


def single(count: int, seed: int = 0) -> list[str]:
    """Return ``count`` names of the word lists, spread over the lists."""
    rng, names = random.Random(seed), []
    for kind, share in _SHARES.items():
        entries = _entries(kind)
        names += [entry.title for entry in rng.sample(entries, min(len(entries), round(share * count / 200)))]
    rng.shuffle(names)
    return names[:count]


def mixed(count: int, seed: int = 0) -> list[str]:
    """Return ``count`` mixtures of which every word is understood."""
    rng, texts = random.Random(seed), list[str]()
    kinds = {
        name: _entries(kind)
        for name, kind in (("character", "characters"), ("material", "materials"), ("medium", "media"), ("face", "faces"))
    }
    while len(texts) < count:
        words = {name: rng.choice(entries).title for name, entries in kinds.items()}
        colour, other = rng.sample(_COLOURS, 2)
        text = _FORMS[len(texts) % len(_FORMS)].format(colour=colour, other=other, **words)
        if text not in texts and not read(text).unknown:
            texts.append(text)
    return texts
