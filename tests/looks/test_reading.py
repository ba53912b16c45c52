"""A reading as a value: its pieces, what it says of itself, its nearest looks, and texts that cannot be read."""

from __future__ import annotations

import pytest

from nada_core.errors import PromptError
from nada_core.looks.reading import nearest, read, sentence
from nada_core.looks.word_lists import phrase, vocabulary


@pytest.mark.parametrize("text", ["face", "person", "photo", "man", "woman", "portrait", "a photo of a person", "human face", "my friend"])
def test_neutral_texts(text):
    reading = read(text)
    assert reading.neutral
    assert not reading.look
    assert not reading.unknown
    assert sentence(reading) == "Understood: a face as it is."


@pytest.mark.heavy
def test_every_name_of_the_lists_means_its_entry():
    known = vocabulary()
    for entry in known.entries:
        if entry.kind not in ("parts", "textures"):
            for name in entry.names:
                reading, title = read(name), name if entry.each else entry.title
                assert not reading.unknown, name
                assert phrase(title) in [phrase(piece.title) for piece in reading.understood], name


def test_twenty_attributes_at_once():
    text = (
        "old green zombie, red lips, blue hair, black beard, yellow eyes, glasses, freckles, scar, smiling, big ears, long nose, horns, "
        "tears, eyeliner, oil painting, sepia, sunset, red background, gold teeth"
    )
    reading = read(text)
    assert len(reading.understood) >= 20
    assert not reading.unknown


def test_pieces_can_be_switched_off():
    reading = read("zombie with red lips and blue hair")
    assert reading.without(0).look == read("red lips and blue hair").look
    assert reading.without(1, 2).look == read("zombie").look
    assert not reading.without(0, 1, 2).look
    with pytest.raises(IndexError):
        reading.without(3)


def test_pieces_show_the_persons_own_words_and_colours():
    reading = read("A Zombei with RED lips!")
    assert [piece.words for piece in reading.understood] == ["Zombei", "RED lips"]
    assert [part for part, _ in reading.understood[1].swatches] == ["lips"]


def test_sentence():
    assert sentence(read("green skin and red lips on the sofa")) == "Understood: green skin, red lips. Not known here: sofa."
    assert sentence(read("sofa")) == "Not known here: sofa."


@pytest.mark.parametrize(
    ("text", "overruled"),
    [
        ("bronze and wood statue", (("bronze", "wood"),)),
        ("pencil drawing, oil painting", (("pencil sketch", "oil painting"),)),
        ("smiling sad man", (("smile", "sad"),)),
        ("old baby", (("old", "baby"),)),
        ("fat thin face", (("chubby", "slim face"),)),
        # what goes together, and what says the same in other words
        ("Van Gogh painting", ()),
        ("charcoal drawing of a wooden statue", ()),
        ("black and white rainbow", ()),
        ("zombie, smiling, long nose", ()),
        ("happy smiling woman", ()),
        ("sleepy baby", ()),
    ],
)
def test_what_cannot_be_shown_together_is_said(text, overruled):
    reading = read(text)
    assert reading.overruled == overruled
    assert ("Both cannot be shown" in sentence(reading)) == bool(overruled)


def test_nearest_looks():
    assert nearest("Jokr face", 3)[0] == "Joker face"
    assert len(nearest("sofa", 4)) == 4
    assert nearest("van goh")[0] == "Van Gogh" and nearest("Boticelli")[0] == "Sandro Botticelli"


@pytest.mark.parametrize("text", ["Elon Musk", "fhqwhgads", "ジョーカー"])
def test_where_nothing_is_near_looks_that_many_like_are_proposed(text):
    """Names that share a few letters by chance ("surgical mask" for Elon Musk) only puzzle."""
    assert nearest(text) == ["Joker", "oil painting", "zombie", "marble statue"]


@pytest.mark.parametrize("text", ["", "   ", "123", "x" * 10_000, None])
def test_bad_texts(text):
    with pytest.raises(PromptError):
        read(text)
