"""What is worn, held, painted and dressed up: of somebody's face it changes nothing; and what is said of it stays with it."""

from __future__ import annotations

import pytest

from nada_core.looks.colours import difference
from nada_core.looks.reading import read


def marks(text: str) -> set[str]:
    return {m.name for m in read(text).look.marks}


@pytest.mark.parametrize("face", ["zombie", "na'vi", "orc", "drow", "tiefling", "dragon"])
@pytest.mark.parametrize("costume", ["teacher", "warrior", "wizard", "ranger", "bride", "king"])
def test_a_costume_leaves_the_face(face, costume):
    reading, plain = read(f"{face} {costume}"), read(face)
    assert len(reading.understood) == 2 or reading.understood[0].title == f"{face} {costume}"
    for part in ("skin", "hair", "lips", "eyes"):
        assert reading.look.paints.get(part) == plain.look.paints.get(part), part
    assert "clothing" in reading.look.paints or costume in ("warrior", "bride")


def test_a_costume_alone_has_a_face():
    assert "hair" in read("wizard").look.paints and "beard" in marks("wizard")


@pytest.mark.parametrize("text", ["a knight with golden armor", "silver armour", "black plate armour"])
def test_armour_has_a_colour_and_nobody_is_made_of_it(text):
    look = read(text).look
    assert not look.material
    assert difference(look.paints["clothing"].colour, next(m.colour for m in look.marks if m.name == "helmet")) < 10


@pytest.mark.parametrize("text", ["cut crease in purple and gold", "eyeliner in green", "eyeshadow in blue and silver"])
def test_make_up_in_colours_is_no_clothing(text):
    look = read(text).look
    assert "clothing" not in look.paints and look.marks[0].colour is not None


def test_two_colours_of_stripes_and_strands():
    look = read("a bee with yellow and black stripes").look
    assert look.paints["skin"].colour[0] > 60 > 20 > next(m.colour for m in look.marks if m.name == "stripes")[0]
    look = read("blue to green ombre hair").look
    assert look.paints["hair"].colour[2] < 0 < next(m.colour for m in look.marks if m.name == "hair tips")[2]


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("nezuko with bamboo in mouth", "bamboo in mouth"),
        ("a lady with a rose in her mouth", "rose in her mouth"),
        ("medusa with green snakes", "green snakes"),
        ("ellie from the last of us", "ellie from the last of us"),
        ("burn victim half of the face", "half of the face"),
        ("thin black eyeliner", "thin"),
        ("an astronaut on the moon", "the moon"),
        ("she has the face red because of the sun", "the sun"),
    ],
)
def test_what_is_held_or_not_known_is_named(text, unknown):
    assert read(text).unknown == (unknown,)


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("no makeup except red lipstick", ["no makeup", "lipstick"]),
        ("Nosferatu 1922", ["Nosferatu"]),
        ("green skin black hair", ["green skin", "black hair"]),
        ("charlie chaplin in colour", ["charlie chaplin", "in colour"]),
        ("smoky eyes but softer", ["softer smoky eyes"]),
        ("skin like chocolate", ["skin like chocolate"]),
        ("hair like flames and skin like coal", ["hair like fire", "skin like charcoal lump"]),
        ("a scary pumpkin face", ["horror", "pumpkin"]),
        ("Deadpool unmasked", ["Deadpool", "no eye mask"]),
        ("make the skin more dark and the eyes more light", ["darker skin", "lighter eyes"]),
        ("a black eye and split lip", ["bruised eye", "split lip"]),
        ("black eyes", ["black eyes"]),
        ("tiger makeup in pink", ["pink tiger makeup"]),
        ("skin of snake and yellow eyes", ["scaly skin", "yellow eyes"]),
        ("old man makeup with grey beard", ["old", "grey beard"]),
        ("black cat makeup with a pink nose", ["black cat", "pink nose"]),
        ("man with makeup", ["makeup"]),
        ("skin gold, eyes silver", ["gold skin", "silver eyes"]),
        ("a woman with eyes gold", ["gold eyes"]),
        ("the beard more long", ["long beard"]),
        ("face painted in blue and in yellow", ["blue and yellow skin"]),
        ("rhinestones under the eyes", ["pearls on face"]),
        ("mermaid scales on the cheeks", ["scaly cheeks"]),
    ],
)
def test_what_is_understood(text, titles):
    reading = read(text)
    assert [piece.title for piece in reading.understood] == titles and not reading.unknown


def test_a_mark_that_a_look_has_already_is_that_one():
    assert "horns" not in marks("unicorn with a silver horn")
    assert "clown nose" not in marks("cat with a pink nose")
    assert "clown nose" in marks("red nose")


def test_refusals_reach_all_that_is_meant():
    assert "beard" not in read("Santa without beard").look.paints and "beard" not in marks("Santa without beard")
    assert "hair" not in read("Ghost Rider without the flames").look.paints
    assert read("witch, not old").look.paints["hair"] == read("witch").look.paints["hair"]


def test_one_part_in_two_colours_is_reported():
    assert read("red lips, blue lips").overruled == (("red lips", "blue lips"),)
    assert read("red lips, dark red lips").overruled == ()


def test_another_colour_of_hair_colours_its_cut():
    assert (
        next(m.colour for m in read("Einstein with pink hair").look.marks if m.name == "spiky hair")
        == read("pink hair").look.paints["hair"].colour
    )
    assert "half hair" not in marks("Todoroki with black hair")


def test_make_up_of_another_colour_is_another_skin():
    white, clown = read("white clown makeup").look, read("clown").look
    assert white.paints["lips"] == clown.paints["lips"] and white.marks == clown.marks
    assert read("blue tiger makeup").look.paints["skin"].colour[2] < 0
