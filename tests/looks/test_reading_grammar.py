"""Ways of saying things: colours and their parts, shades, degrees, shared colours, spellings, templates."""

from __future__ import annotations

import pytest

from nada_core.looks.colours import difference
from nada_core.looks.reading import read

GREEN, RED, BLUE, WHITE, BLACK = (50, -40, 36), (42, 58, 38), (46, 2, -42), (92, 0, 2), (8, 0, 0)


def colour(text: str, part: str):
    paint = read(text).look.paints.get(part)
    return None if paint is None else paint.colour


#: (text, titles that are to be understood, words that are to be named as unknown).
SAID = [
    ("skin blue", "blue skin", ""),
    ("teal-skinned", "teal skin", ""),
    ("hair, green", "green hair", ""),
    ("with white hair and golden lips", "white hair, gold lips", ""),
    ("red lips, black hair", "red lips, black hair", ""),
    ("red hair and lips", "red hair, red lips", ""),
    ("hair and lips red", "red hair, red lips", ""),
    ("hair blue and lips red", "blue hair, red lips", ""),
    ("skin green hair red", "green skin, red hair", ""),
    ("hair red, skin green, eyes yellow", "red hair, green skin, yellow eyes", ""),
    ("hair not green but blue", "not green hair, blue hair", ""),
    ("blue and white hair", "blue and white hair", ""),
    ("blue-eyed blonde", "blue eyes, blond hair", ""),
    ("dark green hair", "dark green hair", ""),
    ("coral lips", "coral lips", ""),
    ("coral", "coral", ""),
    ("ocean eyes", "ocean eyes", ""),
    ("ocean", "", "ocean"),
    ("green marble", "marble, green marble", ""),
    ("silver robot", "silver, robot", ""),
    ("glowing red eyes", "glowing red eyes", ""),
    ("steel robot with blue glowing eyes", "steel, robot, glowing blue eyes", ""),
    ("big blue eyes", "big eyes, blue eyes", ""),
    ("long white beard", "long white beard", ""),
    ("slightly green skin", "slightly green skin", ""),
    ("half zombie", "half zombie", ""),
    ("very long green hair", "very long hair, green hair", ""),
    ("eyeshadow blue", "blue eyeshadow", ""),
    ("man in black", "black clothing", ""),
    ("woman in a red dress", "red clothes", ""),
    ("portrait in blue", "blue light", ""),
    ("photo with blue tint", "blue light", ""),
    ("covered in gold", "gold", ""),
    ("covered in blood", "bloody skin", ""),
    ("made out of wood", "wood", ""),
    ("black man", "dark skin", ""),
    ("70 year old man", "70 years old", ""),
    ("black and white hair", "black and white hair", ""),
    ("black and white rainbow", "black and white, rainbow skin", ""),
    ("woman without lipstick", "no lipstick", ""),
    ("no beard", "no beard", ""),
    ("beardless", "no beard", ""),
    ("wrinkle-free", "no wrinkles", ""),
    ("non-smiling", "not smile", ""),
    ("not a clown", "not clown", ""),
    ("clown without red nose", "clown, no red nose", ""),
    ("Joker without green hair", "Joker, no green hair", ""),
    ("without glasses or beard", "no glasses, no beard", ""),
    ("no hat, glasses or beard", "no hat, no glasses, no beard", ""),
    ("woman without glasses and red hair", "no glasses, red hair", ""),
    ("alien with green skin and no nose", "alien, green skin", "no nose"),
    ("not only old", "old", ""),
    ("zombei", "zombie", ""),
    ("vampier with moustach", "vampire, moustache", ""),
    ("Frankenstien", "Frankenstein", ""),
    ("colour grey hair, mustache", "grey hair, moustache", ""),
    ("spiderman", "Spider-Man", ""),
    ("face joker", "Joker face", ""),
    ("Joker's makeup", "Joker makeup", ""),
    ("portrait of my friend as a zombie", "zombie", ""),
    ("I want to look like Shrek", "Shrek", ""),
    ("red eyes vampire", "red eyes, vampire", ""),
    ("the ring", "Samara", ""),
    ("hat", "hat", ""),
    ("top hat", "", "top hat"),
    ("gas mask", "", "gas mask"),
    ("sofa", "", "sofa"),
    ("house", "", "house"),
    ("green hat", "green hat", ""),
    ("gold earrings", "gold earrings", ""),
    ("gold necklace", "", "gold necklace"),
    ("woman with pearls", "", "pearls"),
    ("made of pearls", "pearl", ""),
    ("santa hat", "", "santa hat"),
    ("green sofa", "", "green sofa"),
    ("hair", "", "hair"),
    ("no hair", "bald", ""),
    ("blond girl", "girl, blond hair", ""),
    ("red clown nose", "red nose", ""),
    ("slightly green and very angry", "slightly green skin, very angry", ""),
    ("jabba hutt", "Jabba the Hutt", ""),
    ("hutch", "", "hutch"),
    ("zutt", "", "zutt"),
    ("John Smith", "", "John Smith"),
    ("Greta Thunberg", "", "Greta Thunberg"),
    ("Tina Turner", "", "Tina Turner"),
    ("Tom Hanks as the Joker", "Joker", "Tom Hanks"),
    ("Джокер", "", "Джокер"),
    ("小丑", "", "小丑"),
    ("😀 joker", "Joker", "😀"),
    ("<script>alert(1)</script>", "", "script, alert, 1"),
    ("very cool", "", "very cool"),
    ("hot woman", "pretty", ""),
    ("hot", "hot", ""),
    ("hot lips", "", "hot lips"),
    ("ice cream", "ice cream", ""),
    ("sun set", "sunset", ""),
    ("less makeup", "less makeup", ""),
    ("green eyes not blue", "green eyes, not blue eyes", ""),
    ("zombie, not green", "zombie, not green skin", ""),
]


@pytest.mark.parametrize(("text", "understood", "unknown"), SAID)
def test_what_is_understood(text, understood, unknown):
    reading = read(text)
    assert ", ".join(piece.title for piece in reading.understood) == understood
    assert ", ".join(reading.unknown) == unknown


@pytest.mark.parametrize(
    ("text", "part", "near"),
    [
        ("green zombie", "skin", GREEN),
        ("zombie green", "skin", GREEN),
        ("green-skinned person", "skin", GREEN),
        ("green man", "skin", GREEN),
        ("green hair", "hair", GREEN),
        ("Hulk", "skin", GREEN),
        ("Joker", "hair", GREEN),
        ("vampire with red lips", "lips", RED),
        ("red lips vampire", "lips", RED),
        ("Santa in blue", "clothing", BLUE),
        ("Smurf", "skin", BLUE),
        ("blue face", "skin", BLUE),
        ("old man with white beard", "hair", (76, 0, 2)),
        ("white hair, Joker", "hair", WHITE),
        ("zombie with black eyes", "eyes", BLACK),
        ("a woman with blue eyes", "eyes", BLUE),
        ("red background", "background", RED),
        ("blue light", "light", (40, 59, -95)),
        ("dark lips", "lips", (14, 2, 2)),
    ],
)
def test_colours_go_to_their_part(text, part, near):
    assert difference(colour(text, part), near) < 30


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("wooden statue", "material", "wood"),
        ("statue", "material", "marble"),
        ("green marble", "material", "marble"),
        ("made of gold", "material", "gold"),
        ("silver robot", "material", "silver"),
        ("charcoal drawing", "medium", "charcoal"),
        ("painting", "medium", "oil"),
        ("Van Gogh painting", "medium", "impasto swirls"),
        ("8-bit video game", "medium", "pixel art"),
        ("noir", "process", "film noir"),
        ("x-ray", "process", "x-ray"),
        ("old photo", "process", "sepia"),
    ],
)
def test_whole_pictures(text, kind, name):
    assert getattr(read(text).look, kind) == name


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("clown", "clown nose"),
        ("Joker", "painted smile"),
        ("Joker face", "scarred smile"),
        ("cat", "whiskers"),
        ("pirate", "eye patch"),
        ("bearded lady", "beard"),
        ("harry potter", "glasses"),
        ("spiderman", "web"),
        ("werewolf", "fangs"),
        ("skull", "skull"),
    ],
)
def test_marks(text, mark):
    assert mark in {m.name for m in read(text).look.marks}


def test_degrees_change_the_amount():
    weak, plain, strong = (read(f"{degree}smiling").look.shape["smile"] for degree in ("slightly ", "", "very "))
    assert weak < plain < strong <= 1.3
    assert read("slightly green skin").look.paints["skin"].amount < read("green skin").look.paints["skin"].amount


@pytest.mark.parametrize(
    ("text", "whole", "amount"),
    [
        ("slightly bronze", "material", 0.5),
        ("a bit of gold", "material", 0.5),
        ("very marble", "material", 1.25),
        ("a touch of watercolour", "medium", 0.35),
        ("slightly sepia", "process", 0.5),
        ("bronze slightly", "material", 0.5),
    ],
)
def test_materials_media_and_processes_have_an_amount(text, whole, amount):
    assert read(text).look.amounts == {whole: amount}
    assert read(f"{text}, red lips").look.amounts == {whole: amount}


def test_an_amount_goes_with_what_it_was_said_of():
    assert not read("slightly bronze, marble").look.amounts
    assert not read("slightly bronze, not bronze").look.amounts


def test_a_surface_keeps_the_colour_that_was_there():
    skin = read("scaly zombie").look.paints["skin"]
    assert skin.texture == "scaly" and skin.colour == read("zombie").look.paints["skin"].colour


def test_a_detail_of_a_statue_lies_over_its_material():
    assert read("gold statue with red eyes").look.over == ("eyes",)
    assert read("red eyes").look.over == ()


def test_a_mood_leaves_the_colour_of_a_whole_look():
    assert read("angry orc").look.paints["skin"] == read("orc").look.paints["skin"]


def test_shades():
    light, plain, dark = (colour(f"{word}green lips", "lips")[0] for word in ("light ", "", "dark "))
    assert light > plain > dark
