"""A piece left out of a text: what remains is put right and means what it meant before."""

from __future__ import annotations

import pytest

from nada_core.looks.leaving_out import left_out
from nada_core.looks.reading import read


@pytest.mark.parametrize(
    ("text", "index", "rest"),
    [
        ("man with red lips and blue hair", 0, "man with blue hair"),
        ("man with red lips and blue hair", 1, "man with red lips"),
        ("a zombie with red lips", 0, "red lips"),
        ("woman in a red dress with glasses", 0, "woman with glasses"),
        ("red lips and red hair", 1, "red lips"),
        ("red hair and lips", 0, "red lips"),
        ("green zombie", 1, "zombie"),
        ("vampire, red lips, sofa", 0, "red lips, sofa"),
        ("without glasses and beard", 0, "no beard"),
        ("made of gold", 0, ""),
        ("woman with a beard", 0, "woman"),
    ],
)
def test_the_text_that_remains(text, index, rest):
    assert left_out(read(text), index) == rest


@pytest.mark.parametrize(
    "text",
    [
        "old green zombie with red lips, blue hair and a black beard in the style of Van Gogh",
        "neither beard nor glasses but freckles",
        "smiling woman without lipstick, glasses or red hair",
        "hair red, skin green, eyes yellow",
        "half angel half devil, very big blue eyes",
        "a person wearing a green hat and gold earrings at night",
    ],
)
def test_what_is_left_means_the_other_pieces(text):
    reading = read(text)
    for index in range(len(reading.understood)):
        found = read(left_out(reading, index))
        assert found.look == reading.without(index).look
        assert {p.title for p in found.understood} == {p.title for p in reading.without(index).understood}


def test_a_piece_that_is_not_there():
    with pytest.raises(IndexError):
        left_out(read("zombie"), 1)
