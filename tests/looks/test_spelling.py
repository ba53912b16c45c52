"""Wrong letters: which are put right, and which words are left as they are."""

from __future__ import annotations

import pytest

from nada_core.looks.word_lists import speller


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("zombei", "zombie"),
        ("vampier", "vampire"),
        ("glod", "gold"),
        ("bule", "blue"),
        ("vampyre", "vampire"),
        ("prinsess", "princess"),
        ("skelleton", "skeleton"),
        ("warewolf", "werewolf"),
    ],
)
def test_wrong_letters_are_put_right(wrong, right):
    assert right in speller().correct(wrong)


@pytest.mark.parametrize(
    "word",
    [
        "hurd",  # another letter in four makes another word
        "borthr",  # two letters in six are too many, though the word meant is longer
        "zutt",
        "stonb",  # keys far from each other, and no sound in common: "stone" is meant by nobody
        "zombtq",
        "xyzzy",
        "cat",
    ],
)
def test_other_words_are_left(word):
    assert speller().correct(word) == frozenset()
