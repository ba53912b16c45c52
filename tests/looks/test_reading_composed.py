"""Sentences put together from the word lists by chance (the same ones in every run): nothing is lost, and nothing strays.

A list of prompts is new only once; these are new wherever a word list has grown.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator

import pytest

from nada_core.looks.look import Look
from nada_core.looks.reading import read, sentence
from nada_core.looks.spelling import tokens
from nada_core.looks.word_lists import LIGHT_WORDS, vocabulary

PARTS = ("hair", "lips", "eyes", "cheeks", "eyebrows", "teeth")
PLACES = (*PARTS, "forehead", "chin", "nose", "neck", "shoulder", "ears")
COLOURS = ("red", "green", "blue", "purple", "black")
PLACING = ("on", "in", "around", "over", "under", "behind", "dripping from", "running down", "all over", "growing out of", "across")
ODD = ("plimsoll", "wardrobe", "accountant", "whispering", "turbulent")
#: Kinds of small words that say nothing by themselves.
SILENT = frozenset(("nothing", "person", "picture", "face", "with", "and", "in", "but", "on skin", "aside"))
COUNT = 24


@functools.lru_cache
def names_of(kind: str) -> tuple[str, ...]:
    return tuple(n for e in vocabulary().entries if e.kind == kind and not e.soft for n in e.names if len(n.split()) < 3)


class Writer:
    """Writes sentences of names from the lists, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def of(self, kind: str) -> str:
        """Return a name of one or two words."""
        return self.chance.choice(names_of(kind))

    def pick(self, words: tuple[str, ...]) -> str:
        return self.chance.choice(words)

    def two(self, words: tuple[str, ...]) -> list[str]:
        return self.chance.sample(words, 2)


def written(seed: int, write: Callable[[Writer], str]) -> Iterator[str]:
    writer = Writer(seed)
    return (write(writer) for _ in range(COUNT))


MIXED: list[Callable[[Writer], str]] = [
    lambda w: f"{w.of('characters')} with {w.pick(COLOURS)} {w.pick(PLACES)} and {w.of('faces')}",
    lambda w: f"a {w.of('characters')} with {w.of('materials')} {w.pick(PLACING)} her {w.pick(PLACES)}",
    lambda w: f"{w.pick(ODD)} {w.of('characters')} without {w.of('faces')} but with {w.pick(COLOURS)} {w.pick(PLACES)}",
    lambda w: f"{w.of('media')} of a {w.pick(ODD)} {w.of('characters')} in {w.of('lights')}",
    lambda w: f"make me look like a {w.of('characters')} whose {w.pick(PLACES)} is {w.of('materials')}",
    lambda w: f"his {w.pick(PLACES)} covered in {w.of('materials')}, {w.pick(COLOURS)} {w.pick(PLACES)} {w.pick(ODD)}",
    lambda w: f"{w.of('textures')} {w.pick(PLACES)} like a {w.of('characters')}",
    lambda w: f"a {w.pick(ODD)} holding a {w.of('characters')} with {w.pick(PLACES)} made of {w.of('materials')}",
    lambda w: f"{w.of('materials')} instead of {w.pick(PLACES)}, {w.of('faces')} {w.pick(PLACES)}, {w.of('lights')}",
    lambda w: f"left side {w.of('characters')}, right side {w.of('materials')} with a {w.pick(ODD)} {w.of('faces')}",
]


@pytest.mark.parametrize("write", MIXED, ids=range(len(MIXED)))
def test_every_word_that_means_something_is_understood_or_named(write):
    known = vocabulary()
    for text in written(7, write):
        reading = read(text)
        shown = {t.root for t in tokens(" ".join([*(p.words for p in reading.understood), *reading.unknown]))}
        meant = {
            t.root
            for t in tokens(reading.text)
            if t.root.isalnum() and t.root not in LIGHT_WORDS and known.grammar.get((t.root,), ("",))[0] not in SILENT
        }
        assert meant <= shown, f"{text}: {sentence(reading)}"


def _colour(look: Look, part: str):
    paint = look.paints.get({"eyebrows": "brows"}.get(part, part))
    return None if paint is None else paint.colour


def test_each_of_two_parts_has_the_colour_that_is_said_of_it():
    writer = Writer(1)
    for _ in range(COUNT):
        name, light = writer.of("characters"), writer.of("lights")
        (part, other), (colour, second) = writer.two(PARTS), writer.two(COLOURS)
        for text in (f"a {name} with {colour} {part} and {second} {other}", f"{name}, {colour} {part}, {second} {other}, {light}"):
            look = read(text).look
            assert _colour(look, part) == _colour(read(f"{colour} {part}").look, part), text
            assert _colour(look, other) == _colour(read(f"{second} {other}").look, other), text


def _whole(look: Look) -> bool:
    """Tell whether a look changes what the person is made of, or all of the skin."""
    return bool(look.material or "skin" in look.paints)


@pytest.mark.parametrize("kind", ["materials", "textures", "characters"])
def test_what_lies_at_one_place_is_not_the_whole_face(kind):
    """Slime that drips from the hair, a crow on a shoulder, moss between the teeth."""
    for text in written(3, lambda w: f"a woman with {w.of(kind)} {w.pick(PLACING)} her {w.pick(PLACES)}"):
        assert not _whole(read(text).look), f"{text}: {sentence(read(text))}"


#: What is no part of the face of whoever is spoken of.
BESIDE: list[Callable[[Writer], str]] = [
    lambda w: f"holding a {w.of('materials')} {w.pick(('cup', 'sword', 'book'))}",
    lambda w: f"who is {w.pick(('eating', 'riding', 'watching'))} a {w.of('characters')}",
    lambda w: f"and {w.of('characters')} tattoo on his neck",
]


@pytest.mark.parametrize("write", BESIDE, ids=("held", "done", "tattoo"))
def test_what_somebody_holds_or_does_changes_no_face(write):
    for text in written(5, write):
        reading = read(f"zombie {text}")
        assert reading.look.paints["skin"] == read("zombie").look.paints["skin"], f"zombie {text}: {sentence(reading)}"
        assert not reading.look.material, f"zombie {text}: {sentence(reading)}"


def test_a_light_leaves_the_colour_of_a_skin():
    writer = Writer(2)
    for _ in range(COUNT):
        text = f"zombie, {writer.of('lights')}"
        look, light = read(text).look, read(text.partition(", ")[2]).look
        if not light.marks and "clothing" not in light.paints:  # a fashion such as goth is no light
            assert look.paints["skin"].colour == read("zombie").look.paints["skin"].colour, text


@pytest.mark.parametrize("part", [*PARTS, "beard"])
def test_a_part_like_some_stuff_is_that_part_alone(part):
    for text in written(4, lambda w: f"{part} like {w.of('materials')}"):
        assert not read(text).look.material, f"{text}: {sentence(read(text))}"
