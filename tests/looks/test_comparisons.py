"""What stands alone and what describes: statues of somebody, hair like somebody's, where a character comes from."""

from __future__ import annotations

import pytest

from nada_core.looks.reading import read


@pytest.mark.parametrize(
    ("text", "material", "titles"),
    [
        ("a bronze statue of a bearded man", "bronze", ["bronze", "beard"]),
        ("marble bust of a bearded philosopher", "marble", ["marble", "beard", "philosopher"]),
        ("a wax figure of a bearded man", "wax", ["wax", "beard"]),
        ("gold statue of a bearded king", "gold", ["gold", "beard", "king"]),
        ("ice sculpture of a bearded viking", "ice", ["ice", "beard", "viking"]),
        ("bronze sculpture of a horned devil", "bronze", ["bronze", "horns", "devil"]),
        ("wooden statue of a long haired woman", "wood", ["wood", "long hair"]),
        ("a gold statue of a blue-eyed man", "gold", ["gold", "blue eyes"]),
        ("a gold statue of a red haired woman", "gold", ["gold", "red hair"]),
        ("marble statue of a blue haired girl", "marble", ["marble", "blue hair", "girl"]),
        ("chocolate head of a moustached man", "chocolate", ["chocolate", "moustache"]),
        ("clay figurine of a red lipped lady", "clay", ["clay", "statue", "red lips"]),
        ("a bronze bearded man", "bronze", ["bronze", "beard"]),
        ("a wooden bald man", "wood", ["wood", "bald"]),
        ("wooden carving of a man", "wood", ["wood", "statue"]),
        ("stone carving of an old man", "stone", ["stone", "statue", "old"]),
    ],
)
def test_a_statue_keeps_its_material(text, material, titles):
    reading = read(text)
    assert reading.look.material == material
    assert [piece.title for piece in reading.understood] == titles and not reading.unknown


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("gold lips", "gold lips"),
        ("golden beard", "gold beard"),
        ("a silver haired elf", "silver hair"),
        ("copper bearded viking", "copper beard"),
        ("gold toothed pirate", "gold teeth"),
        ("gold earrings", "gold earrings"),
    ],
)
def test_a_material_beside_a_part_is_its_colour(text, title):
    reading = read(text)
    assert title in [piece.title for piece in reading.understood] and not reading.look.material


def test_who_is_compared_after_a_list_is_the_whole_person():
    reading = read("black skin and white hair like Storm from X-Men")
    assert "Storm X Men" in [piece.title for piece in reading.understood]
    assert reading.look.paints["eyes"].texture == "glowing"
    assert [piece.title for piece in read("red hair like Ariel").understood] == ["red hair like Ariel"]


@pytest.mark.parametrize(
    ("text", "title"),
    [("Mystique from X-Men", "Mystique"), ("Hulk from Marvel", "Hulk"), ("Joker (DC)", "Joker"), ("Yoda from Star Wars", "Yoda")],
)
def test_a_story_after_its_character_is_known(text, title):
    reading = read(text)
    assert [piece.title for piece in reading.understood] == [title] and not reading.unknown


@pytest.mark.parametrize(("text", "title"), [("the smile of the Joker", "Joker smile"), ("makeup of a clown", "clown makeup")])
def test_a_detail_of_somebody_is_theirs(text, title):
    assert [piece.title for piece in read(text).understood] == [title]


def test_a_surface_goes_to_the_part_that_is_named():
    assert read("glossy nude lips").look.paints["lips"].texture == "glossy" and "skin" not in read("glossy nude lips").look.paints


def test_a_story_alone_is_not_known():
    assert read("Suicide Squad").unknown == ("Suicide Squad",)


def test_a_dark_thing_makes_no_dark_picture():
    reading = read("dyed blue hair with dark roots")
    assert reading.look.brightness == 0 and reading.unknown == ("dark roots",)
