"""Pieces laid over one another: less of something, what is seen instead, another colour of the skin, parts left as they are."""

from __future__ import annotations

import pytest

from nada_core.looks.colours import difference
from nada_core.looks.look import PARTS
from nada_core.looks.reading import read


@pytest.mark.parametrize(
    ("less", "whole", "part"),
    [
        ("zombie but less green", "zombie", "skin"),
        ("vampire but less pale", "vampire", "skin"),
        ("Joker with less green hair", "Joker", "hair"),
        ("Joker, not so green hair", "Joker", "hair"),
        ("clown with less makeup", "clown", "lips"),
        ("less scary clown", "scary clown", "lips"),
    ],
)
def test_less_is_half(less, whole, part):
    one, other = read(less).look.paints[part], read(whole).look.paints[part]
    assert one.amount == pytest.approx(other.amount / 2, abs=0.01) and one.colour == other.colour


def test_less_leaves_the_rest():
    zombie, less = read("zombie").look, read("zombie but less green").look
    assert {p: v for p, v in less.paints.items() if p != "skin"} == {p: v for p, v in zombie.paints.items() if p != "skin"}
    assert less.marks == zombie.marks


@pytest.mark.parametrize(
    "text", ["serious", "neutral expression", "not smiling", "don't smile", "without a smile", "she is not happy", "stern"]
)
def test_what_does_not_smile_has_a_straight_mouth(text):
    shape = read(text).look.shape
    assert -0.5 < shape["smile"] < 0 and shape["open mouth"] < 0


@pytest.mark.parametrize("text", ["no wrinkles", "less wrinkles", "fewer wrinkles", "wrinkle free", "without wrinkles"])
def test_without_wrinkles_skin_is_smooth(text):
    look = read(text).look
    assert look.shape["age"] < 0 and look.paints["skin"].texture == "smooth"


def test_what_is_there_is_taken_away_before_its_opposite_is_seen():
    assert "age" not in read("old woman without wrinkles").look.shape
    assert read("happy but not smiling").look.shape.get("smile", 0) == 0


def test_a_smile_beside_a_serious_face_is_reported():
    assert read("serious, smiling").overruled == (("serious", "smile"),)


def test_a_colour_by_another_name_is_not_refused():
    assert read("pale but not white").look.paints["skin"] == read("pale").look.paints["skin"]
    assert "skin" not in read("zombie, not green").look.paints


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("the hulk but red", ("lips", "eyes")),
        ("shrek but purple", ("lips", "hair")),
        ("smurf but pink", ("lips",)),
        ("a red alien", ("hair",)),
        ("Hulk with blue skin", ("lips", "eyes")),
        ("purple lizard man", ("lips", "hair")),
        ("green ghost", ("hair",)),
    ],
)
def test_what_had_the_colour_of_the_skin_goes_with_it(text, parts):
    paints = read(text).look.paints
    for part in parts:
        assert paints[part].colour[1:] == paints["skin"].colour[1:], part


@pytest.mark.parametrize(
    ("text", "whole", "part"),
    [
        ("red white walker", "White Walker", "hair"),
        ("blue demon", "demon", "eyes"),
        ("red smurf", "smurf", "hair"),
        ("purple Shrek", "Shrek", "clothing"),
    ],
)
def test_what_has_another_colour_keeps_it(text, whole, part):
    assert read(text).look.paints[part] == read(whole).look.paints[part]


def test_a_part_that_is_named_has_its_own_colour():
    assert difference(read("green lips on a red hulk").look.paints["lips"].colour, (44, -38, 32)) < 5


def test_another_colour_keeps_the_surface():
    assert read("pink zombie").look.paints["skin"].texture == "rotten"
    assert read("blue grinch").look.paints["skin"].texture == "furry"
    assert read("unicorn with pink hair").look.paints["hair"].texture == ""
    assert read("smooth zombie").look.paints["skin"].texture == "smooth"


@pytest.mark.parametrize("text", ["everything blue", "everything is blue", "blue everything"])
def test_everything_is_all_that_has_a_colour(text):
    reading = read(text)
    assert {"skin", "hair", "lips", "eyes", "clothing", "background"} <= set(reading.look.paints) <= set(PARTS)
    assert [piece.title for piece in reading.understood] == ["everything blue"] and not reading.unknown


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("everything purple except the lips", "lips"),
        ("everything red but the eyes", "eyes"),
        ("all blue except hair", "hair"),
        ("blue but not the hair", "hair"),
        ("Joker apart from the hair", "hair"),
        ("zombie but with normal eyes", "eyes"),
        ("zombie with human eyes", "eyes"),
        ("joker with normal hair", "hair"),
        ("hulk with natural lips", "lips"),
        ("clown with normal skin", "skin"),
    ],
)
def test_a_part_that_is_left_as_it_is_loses_its_paint(text, part):
    reading = read(text)
    assert part not in reading.look.paints and reading.look.paints
    assert not reading.unknown


def test_what_cannot_be_left_out_is_named():
    assert read("red face except for the nose").unknown == ("except for the nose",)
    assert read("alien without lips").unknown == ("without lips",)


@pytest.mark.parametrize("text", ["a normal person", "a normal human face", "human", "an ordinary man"])
def test_somebody_ordinary_is_neutral(text):
    assert read(text).neutral


@pytest.mark.parametrize(
    ("text", "part", "near"),
    [
        ("darker skin", "skin", (40, 14, 18)),
        ("make my skin darker", "skin", (40, 14, 18)),
        ("a shade darker skin", "skin", (40, 14, 18)),
        ("lighter skin", "skin", (82, 7, 12)),
        ("tan skin", "skin", (52, 18, 28)),
        ("olive skin", "skin", (60, 8, 26)),
        ("caramel skin", "skin", (52, 18, 28)),
        ("less dark skin", "skin", (82, 7, 12)),
        ("less pale", "skin", (40, 14, 18)),
        ("hair lighter", "hair", (72, 5, 30)),
    ],
)
def test_shades_of_people_are_those_of_people(text, part, near):
    paint = read(text).look.paints[part]
    assert difference(paint.colour, near) < 8 and paint.amount < 0.8


@pytest.mark.parametrize("hair", ["red", "orange", "brown", "blonde", "ginger", "grey"])
@pytest.mark.parametrize("beard", ["beard", "moustache", "goatee", "long beard", "sideburns"])
def test_a_beard_has_the_colours_of_hair(hair, beard):
    assert difference(read(f"{hair} {beard}").look.marks[0].colour, read(f"{hair} hair").look.paints["hair"].colour) < 15


@pytest.mark.parametrize("text", ["blonde highlights", "blue tips", "pink streaks", "red balayage"])
def test_strands_and_tips_leave_the_hair(text):
    look = read(text).look
    assert not look.paints and look.marks[0].name in ("hair strands", "hair tips")


def test_a_form_is_in_the_words_of_its_piece():
    assert [p.words for p in read("dwarf with a long red beard").understood] == ["dwarf", "long red beard"]
    assert [p.words for p in read("big bushy beard").understood] == ["big bushy beard"]


def test_one_beard_and_one_cut():
    assert [m.name for m in read("dwarf with a long red beard").look.marks if "beard" in m.name] == ["long beard"]
    assert "bald" not in {m.name for m in read("Deadpool with long hair").look.marks}
