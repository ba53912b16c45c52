"""What is said not to be wanted: it is taken away from the rest, and never drawn."""

from __future__ import annotations

import pytest

from nada_core.looks.colours import difference
from nada_core.looks.reading import read

RED = (42, 58, 38)


@pytest.mark.parametrize(
    "text",
    [
        "no beard",
        "beardless",
        "not a clown",
        "without lipstick",
        "not green",
        "neither old nor young",
        "no hat no beard",
    ],
)
def test_only_refusals_change_nothing(text):
    reading = read(text)
    assert reading.understood
    assert not reading.look
    assert not reading.unknown
    assert not reading.neutral


def test_what_is_refused_is_taken_away():
    clown = read("clown").look
    without = read("clown without red nose").look
    assert {m.name for m in clown.marks} - {m.name for m in without.marks} == {"clown nose"}
    assert without.paints == clown.paints
    assert "hair" not in read("Joker without green hair").look.paints
    assert "skin" in read("Hulk without red skin").look.paints
    plain = read("clown without makeup but with red lips").look
    assert "skin" not in plain.paints
    assert difference(plain.paints["lips"].colour, RED) < 30


def test_a_refusal_holds_wherever_it_stands():
    assert read("without red nose, clown").look == read("clown without red nose").look


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("without beard, glasses", "no beard, no glasses"),
        ("no beard or glasses", "no beard, no glasses"),
        ("without hat, beard and glasses", "no hat, no beard, no glasses"),
        ("no eyeliner, lipstick and blush, green skin", "no eyeliner, no lipstick, no blush, green skin"),
        ("without red nose and glasses, clown", "no red nose, no glasses, clown"),
        ("neither beard nor glasses", "no beard, no glasses"),
        ("not old and wrinkled", "not old, no wrinkly skin"),
        # a colour, a degree, another kind of word or the end of a sentence ends the list
        ("no beard, red hair", "no beard, red hair"),
        ("no beard, glasses, red hair", "no beard, no glasses, red hair"),
        ("no beard, very big eyes", "no beard, very big eyes"),
        ("without glasses, smiling", "no glasses, smile"),
        ("without glasses and smiling", "no glasses, smile"),
        ("no beard, tattooed", "no beard, tattoo"),
        ("without glasses, zombie", "no glasses, zombie"),
        ("not a clown, glasses", "not clown, glasses"),
        ("don't smile, glasses", "not smile, glasses"),
        ("no beard. glasses", "no beard, glasses"),
        ("without beard, glasses, but with freckles", "no beard, no glasses, freckles"),
    ],
)
def test_a_refusal_goes_on_over_a_list_of_plain_things_only(text, understood):
    assert ", ".join(piece.title for piece in read(text).understood) == understood
