"""Several colours in one text: two for one part, shades said afterwards, a colour behind every part; and what of it cannot be shown."""

from __future__ import annotations

import pytest

from nada_core.looks.colours import difference
from nada_core.looks.look import Mark
from nada_core.looks.reading import read, sentence


def _titles(text: str) -> str:
    return ", ".join(piece.title for piece in read(text).understood)


def _colour(text: str, part: str):
    return read(text).look.paints[part].colour


@pytest.mark.parametrize(
    ("text", "part", "first", "mark", "second"),
    [
        ("pink and blue hair", "hair", "pink hair", "hair strands", "blue hair"),
        ("hair in pink and blue", "hair", "pink hair", "hair strands", "blue hair"),
        ("red and black hair", "hair", "red hair", "hair strands", "black hair"),
        ("blue and green eyes", "eyes", "blue eyes", "other eye", "green eyes"),
        ("gold and black", "skin", "gold skin", "half face", "black"),
        ("gold and silver", "skin", "gold skin", "half face", "silver skin"),
        ("iron man gold and red", "skin", "gold skin", "half face", "red skin"),
    ],
)
def test_both_colours_of_a_part_are_seen(text, part, first, mark, second):
    reading = read(text)
    assert reading.look.paints[part].colour == _colour(first, part)
    assert {m.name: m.colour for m in reading.look.marks}[mark] == _colour(second, part)
    assert not reading.look.material
    assert not reading.unknown


@pytest.mark.parametrize("text", ["pink and purple lips", "blue black hair", "grey and white hair", "blue green eyes"])
def test_near_colours_and_those_without_and_are_one_between_them(text):
    reading = read(text)
    assert not reading.look.marks and not reading.unknown
    assert all(paint.texture == "" for paint in reading.look.paints.values())


@pytest.mark.parametrize(
    ("text", "titles", "unknown"),
    [
        ("red and black lips", "red lips", ("black",)),
        ("blue and pink beard", "blue beard", ("pink",)),
        ("a butterfly with orange and black wings", "butterfly, orange wings", ("black",)),
        ("red and blue glitter", "red glitter", ("blue",)),
        ("red, white and blue hair", "red and white hair", ("blue",)),
        ("red, white and blue face", "red and white skin", ("blue",)),
    ],
)
def test_a_colour_that_cannot_be_shown_is_named(text, titles, unknown):
    assert (_titles(text), read(text).unknown) == (titles, unknown)


@pytest.mark.parametrize(
    ("text", "part", "plain", "lighter"),
    [
        ("red hair but make it darker", "hair", "red hair", False),
        ("make the hair red but lighter", "hair", "red hair", True),
        ("red hair, make it lighter", "hair", "red hair", True),
        ("hair red and darker", "hair", "red hair", False),
        ("green skin, but a bit darker", "skin", "green skin", False),
        ("blue skin but make it brighter", "skin", "blue skin", True),
        ("green but darker", "skin", "green", False),
    ],
)
def test_a_shade_said_afterwards_is_that_of_the_colour(text, part, plain, lighter):
    reading, before = read(text), _colour(plain, part)
    after = reading.look.paints[part].colour
    assert after[0] > before[0] + 4 if lighter else after[0] < before[0] - 4
    assert reading.look.brightness == 0  # and the picture is as light as it was
    assert len(reading.understood) == 1 and not reading.unknown


def test_a_metal_that_is_no_colour_of_a_skin_stays_the_material():
    reading = read("bronze and green")
    assert reading.look.material == "bronze" and not reading.unknown


def test_a_shade_of_nothing_coloured_is_the_pictures():
    assert read("zombie but darker").look.brightness < 0
    assert _titles("blue eyes and brighter picture") == "blue eyes, brighter"
    assert read("red lips, darker skin").look.paints["lips"] == read("red lips").look.paints["lips"]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("hair blue eyes green lips red", "blue hair, green eyes, red lips"),
        ("hair is blue eyes are green lips are red", "blue hair, green eyes, red lips"),
        ("eyes purple skin grey hair black", "purple eyes, grey skin, black hair"),
        ("the hair is pink and the skin is gold", "pink hair, skin like gold"),
        ("green hair blue eyes red lips", "green hair, blue eyes, red lips"),
    ],
)
def test_every_part_has_the_colour_on_its_own_side(text, titles):
    assert (_titles(text), read(text).unknown) == (titles, ())


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("fuller lips in dark red", "full lips, dark red lips"),
        ("short hair, pink", "short hair, pink hair"),
        ("hair long and blue", "long hair, blue hair"),
        ("full lips in a blue dress", "full lips, blue clothes"),
        ("long hair, green skin", "long hair, green skin"),
    ],
)
def test_a_colour_after_a_part_with_a_form_is_that_parts(text, titles):
    assert (_titles(text), read(text).unknown) == (titles, ())


@pytest.mark.parametrize(("text", "unknown"), [("ears big and red", "red"), ("nose big and red", "red"), ("neck gold", "neck gold")])
def test_a_colour_of_a_part_that_has_none_is_no_colour_of_the_face(text, unknown):
    reading = read(text)
    assert reading.unknown == (unknown,)
    assert not reading.look.paints and not reading.look.material


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("dark lipstick", "dark lipstick"),
        ("eyeliner wings", "eyeliner"),
        ("native american paint", "native american"),
        ("tiger paint", "tiger"),
        ("ears like a vulcan", "Spock ears"),
        ("teacher in snow white skin", "teacher, snow white skin"),
        ("leopard print skin", "leopard print skin"),
        ("everything pink", "everything pink"),
    ],
)
def test_two_words_that_mean_a_third_thing(text, titles):
    reading = read(text)
    assert (_titles(text), reading.unknown) == (titles, ())
    assert not reading.look.medium and not reading.look.brightness


def test_a_print_on_the_skin_is_on_the_skin():
    assert read("leopard print skin").look.paints["skin"].colour is not None
    assert "clothing" not in read("leopard print skin").look.paints


@pytest.mark.parametrize(("text", "mark"), [("silver dripping from eyes", "mascara tears"), ("black running down from her mouth", "blood")])
def test_what_drips_from_the_eyes_does_not_colour_them(text, mark):
    look = read(text).look
    assert [m.name for m in look.marks] == [mark] and look.marks[0].colour is not None
    assert not look.paints and not look.material


def test_what_comes_as_a_shade_alone_is_said():
    assert read("red beard and hat, blue eyes").faint == ("red beard", "hat")
    assert "Seen as a shade of its colour at most: hat." in sentence(read("hat"))
    assert read("no beard").faint == () and read("blue eyes").faint == ()
    assert "shade" not in sentence(read("Joker"))


def test_skunk_hair_is_black_with_white_strands():
    look = read("black and white hair").look
    assert look.paints["hair"].colour[0] < 20
    assert [m for m in look.marks if m == Mark("hair strands", 1.0, m.colour)] and look.marks[0].colour[0] > 80
    assert difference(look.paints["hair"].colour, look.marks[0].colour) > 30


@pytest.mark.parametrize("text", ["hair from blue to green", "hair going from blue to green"])
def test_hair_that_goes_from_one_colour_to_another_ends_in_the_second(text):
    reading = read(text)
    assert reading.look.paints["hair"].colour == _colour("blue hair", "hair")
    assert [(m.name, m.colour) for m in reading.look.marks] == [("hair tips", _colour("green hair", "hair"))]
    assert not reading.unknown


def test_ends_are_those_of_the_hair_and_roots_darken_no_picture():
    reading = read("roots dark, ends blonde")
    assert [piece.title for piece in reading.understood] == ["blond ends"] and reading.unknown == ("roots dark",)
    assert {m.name for m in reading.look.marks} == {"hair tips"} and not reading.look.brightness
    assert read("split ends").unknown == ("split ends",)
