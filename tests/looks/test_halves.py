"""Two halves, two sides and two eyes, each in a colour of its own."""

from __future__ import annotations

import pytest

from nada_core.looks.reading import read


@pytest.mark.parametrize(
    ("text", "title", "part", "mark"),
    [
        ("heterochromia one blue eye one green", "one blue eye, one green eye", "eyes", "other eye"),
        ("one blue eye and one green eye", "one blue eye, one green eye", "eyes", "other eye"),
        ("one eye red one eye blue", "one red eye, one blue eye", "eyes", "other eye"),
        ("one eye blue, the other brown", "one blue eye, one brown eye", "eyes", "other eye"),
        ("a blue eye and a brown eye", "one blue eye, one brown eye", "eyes", "other eye"),
        ("one blue and one green eye", "one blue eye, one green eye", "eyes", "other eye"),
        ("blue left eye and green right eye", "one blue eye, one green eye", "eyes", "other eye"),
        ("eyes: one blue, one green", "one blue eye, one green eye", "eyes", "other eye"),
        ("two different eyes blue and brown", "one blue eye, one brown eye", "eyes", "other eye"),
        ("heterochromia, green and brown", "one green eye, one brown eye", "eyes", "other eye"),
        ("half black half white hair", "half black, half white hair", "hair", "half hair"),
        ("hair that is half pink and half blue", "half pink, half blue hair", "hair", "half hair"),
        ("left half of the hair black, right half blonde", "half black, half blond hair", "hair", "half hair"),
        ("split dye hair pink and black", "half pink, half black hair", "hair", "half hair"),
        ("half of my face blue and the other half red", "half blue, half red", "skin", "half face"),
        ("the left half is red and the right half is green", "half red, half green", "skin", "half face"),
    ],
)
def test_each_has_its_colour(text, title, part, mark):
    reading = read(text)
    assert [piece.title for piece in reading.understood] == [title]
    assert not reading.unknown and not reading.overruled
    assert set(reading.look.paints) == {part}
    assert [m.name for m in reading.look.marks] == [mark]
    assert reading.look.marks[0].colour != reading.look.paints[part].colour


def test_the_right_one_is_on_the_right_wherever_it_is_named():
    assert read("right eye blue, left eye green").look == read("left eye green, right eye blue").look


def test_other_things_are_said_beside_two_eyes():
    reading = read("a woman with one brown eye and one blue eye and red lips")
    assert [piece.title for piece in reading.understood] == ["one brown eye, one blue eye", "red lips"]


@pytest.mark.parametrize("text", ["heterochromia", "odd eyes", "mismatched eyes"])
def test_two_eyes_without_colours_differ(text):
    look = read(text).look
    assert look.marks[0].name == "other eye" and look.marks[0].colour != look.paints["eyes"].colour


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("a man with a blue eye", ["blue eyes"]),
        ("blue eyes and green skin", ["blue eyes", "green skin"]),
        ("blue eye green hair", ["blue eyes", "green hair"]),
        ("half zombie", ["half zombie"]),
        ("one eyed pirate with red hair", ["one eyed pirate", "red hair"]),
    ],
)
def test_what_is_not_two_is_no_half(text, titles):
    assert [piece.title for piece in read(text).understood] == titles
