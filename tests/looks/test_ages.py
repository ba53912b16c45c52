"""Ages: with years and without, in figures and words, as decades of somebody; and numbers that are none."""

from __future__ import annotations

import pytest

from nada_core.looks.reading import read


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("make me 80", 80),
        ("make me look 20", 20),
        ("look 60", 60),
        ("at 80", 80),
        ("me at 90", 90),
        ("80yo", 80),
        ("80 y/o woman", 80),
        ("a 35yr old man", 35),
        ("like im 5", 5),
        ("like I'm five", 5),
        ("I want to look like I am 70", 70),
        ("when I'm seventy five", 75),
        ("age 45", 45),
        ("at the age of 8", 8),
        ("me in 40 years", 75),
        ("at age forty", 40),
        ("in my 60s", 65),
        ("in her sixties", 65),
        ("in his late 40s", 48),
        ("a man in his early thirties", 32),
    ],
)
def test_ages(text, years):
    reading = read(text)
    assert [piece.title for piece in reading.understood] == [f"{years} years old"]
    assert not reading.unknown
    assert (reading.look.shape["age"] > 0) == (years > 38)


def test_an_age_beside_other_things():
    reading = read("make me 80 with white hair and glasses")
    assert [piece.title for piece in reading.understood] == ["80 years old", "white hair", "glasses"]


def test_years_say_more_of_an_age_than_boy():
    assert read("a 7 year old boy").look == read("7 years old").look
    assert read("70 year old girl").look == read("70 years old").look


@pytest.mark.parametrize("text", ["in the 60s", "70s photo", "number 7", "top 10", "3 eyes", "looks 10/10", "agent 007"])
def test_other_numbers(text):
    assert not any("years old" in piece.title for piece in read(text).understood)
