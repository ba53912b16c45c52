"""What is free of something, and words that are made of a name: adverbs and likenesses."""

from __future__ import annotations

import pytest

from nada_core.looks.reading import read


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("wrinkle free", "no wrinkles"),
        ("wrinkle-free", "no wrinkles"),
        ("free of wrinkles", "no wrinkles"),
        ("acne free skin", "no acne"),
        ("makeup free", "no makeup"),
        ("make up free face", "no makeup"),
        ("freckle free", "no freckles"),
        ("beard free", "no beard"),
    ],
)
def test_free_takes_away(text, title):
    reading = read(text)
    assert [piece.title for piece in reading.understood] == [title] and not reading.unknown


@pytest.mark.parametrize("text", ["free", "sugar daddy free", "free hugs"])
def test_free_of_nothing_is_a_word(text):
    assert not read(text).look


@pytest.mark.parametrize(("text", "title"), [("smiling happily", "happy"), ("looking angrily", "angry"), ("staring sadly", "sad")])
def test_adverbs_are_moods(text, title):
    assert title in [piece.title for piece in read(text).understood]


@pytest.mark.parametrize(
    ("text", "title"), [("wite eyes", "white eyes"), ("whit hair", "white hair"), ("blu hair", "blue hair"), ("gren skin", "green skin")]
)
def test_short_colours_are_put_right(text, title):
    assert [piece.title for piece in read(text).understood] == [title]
