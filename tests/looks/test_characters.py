"""Characters: every chip names who was typed, and those who shared a line have looks of their own."""

from __future__ import annotations

import pytest

from nada_core.looks.colours import difference
from nada_core.looks.reading import read
from nada_core.looks.word_lists import vocabulary


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("boy", "boy"), ("chucky", "Chucky"), ("dumbledore", "Dumbledore"), ("shiva", "Shiva"), ("krishna", "Krishna"),
        ("cloud strife", "Cloud Strife"), ("ciri", "Ciri"), ("yennefer", "Yennefer"), ("jack sparrow", "Captain Jack Sparrow"),
        ("legolas", "Legolas"), ("luke skywalker", "Luke Skywalker"), ("boba fett", "Boba Fett"), ("papa smurf", "Papa Smurf"),
        ("supergirl", "Supergirl"), ("war machine", "War Machine"), ("garfield", "Garfield"), ("kermit the frog", "Kermit"),
        ("julius caesar", "Julius Caesar"), ("van helsing", "Van Helsing"), ("elvira", "Elvira"), ("night king", "Night King"),
        ("dracula", "Count Dracula"), ("casper", "Casper"), ("robin hood", "Robin Hood"), ("poseidon", "Poseidon"),
        ("mickey mouse", "Mickey Mouse"), ("l from death note", "L Death Note"), ("burglar", "burglar"), ("soldier", "soldier"),
        ("fedora", "fedora"), ("hijab", "hijab"), ("mother teresa", "Mother Teresa"), ("doc brown", "Doc Brown"),
    ],
)  # fmt: skip
def test_a_chip_names_who_was_typed(text, title):
    assert [piece.title for piece in read(text).understood] == [title]


#: text -> part -> about its colour.
COLOURS = {
    "ciri": {"hair": (80, 0, 10), "eyes": (60, -34, 22)},
    "tifa": {"hair": (8, 1, 2)},
    "sephiroth": {"hair": (88, 0, -2), "clothing": (6, 0, 0)},
    "cloud strife": {"hair": (84, 4, 52)},
    "naruto": {"hair": (82, 8, 66), "eyes": (54, -8, -40), "clothing": (62, 42, 62)},
    "princess fiona": {"skin": (66, -30, 58), "hair": (40, 34, 38)},
    "goku": {"hair": (6, 0, 0)},
    "super saiyan goku": {"hair": (86, 2, 70)},
    "vegeta": {"hair": (6, 0, 0)},
    "yeti": {"hair": (96, 0, 1)},
    "mickey mouse": {"skin": (88, 8, 18), "hair": (5, 0, 0)},
    "marge simpson": {"hair": (40, 10, -54)},
    "rose quartz": {},
}


@pytest.mark.parametrize("text", COLOURS)
def test_those_who_shared_a_line_have_their_own_colours(text):
    look = read(text).look
    for part, colour in COLOURS[text].items():
        assert difference(look.paints[part].colour, colour) < 8


@pytest.mark.parametrize(
    ("text", "there", "missing"),
    [
        ("jack sparrow", {"dreadlocks", "bandana", "goatee", "eyeliner"}, {"eye patch"}),
        ("marge simpson", set(), {"stubble"}),
        ("lisa simpson", {"spiky hair"}, {"stubble"}),
        ("the girl with the pearl earring", {"earrings", "headscarf"}, set()),
        ("dumbledore", {"glasses", "long beard"}, set()),
        ("naruto", {"whiskers", "bandana", "spiky hair"}, set()),
        ("ciri", {"scar"}, set()),
        ("mole", {"beauty spot"}, {"whiskers", "animal nose"}),
        ("salt and pepper beard", {"beard"}, set()),
        ("zombie bride", set(), {"blush"}),
        ("todoroki", {"half hair", "other eye"}, set()),
    ],
)
def test_those_who_shared_a_line_have_their_own_marks(text, there, missing):
    marks = {m.name for m in read(text).look.marks}
    assert there <= marks and not missing & marks


def test_things_whose_names_hold_another_word():
    assert read("rose quartz").look.material == "crystal"
    assert read("salt and pepper beard").look.material == ""
    assert read("klimt gold painting").look.material == ""
    assert read("line art").look.medium == "ink"
    assert [p.title for p in read("a viking warrior").understood] == ["viking"]
    assert "cabbage" not in {p.title for p in read("a cabbage patch doll").understood}


def test_no_character_looks_like_a_picture_without_one():
    for entry in vocabulary().entries:
        assert entry.kind != "characters" or entry.look, entry.title


def test_a_colour_beside_what_covers_a_head_is_the_cloths_not_the_skins():
    look = read("orange burqa").look
    assert "skin" not in look.paints and look.paints["clothing"].colour == look.marks[0].colour
    assert look.marks[0].colour == read("orange headscarf").look.marks[0].colour
    assert read("burqa").look.marks[0].colour == (8.0, 0.0, 0.0)
