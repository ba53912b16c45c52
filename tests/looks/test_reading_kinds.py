"""Whole kinds of prompts: comparisons, halves, places, materials of things, idioms, flags, food, planets, years; and what is no match."""

from __future__ import annotations

import pytest

from nada_core.looks.look import Mark
from nada_core.looks.reading import read
from nada_core.looks.word_lists import vocabulary

#: (text, titles that are to be understood, words that are to be named as unknown).
READ = [
    # comparisons
    ("hair like fire and eyes like ice", "hair like fire, eyes like ice", ""),
    ("hair white as snow, lips red as blood, skin black as ebony", "white hair, red lips, black skin", ""),
    ("lips as red as blood", "red lips", ""),
    ("eyes black as coal", "black eyes", ""),
    ("teeth of a vampire", "fangs", ""),
    ("hair like Elsa", "hair like Elsa", ""),
    ("Cleopatra eyes", "Cleopatra eyes", ""),
    ("lips the colour of gold", "lips like gold", ""),
    ("hair like a sofa", "", "hair, sofa"),
    # what lies on a part, and what a thing is made of
    ("gold on the lips", "gold lips", ""),
    ("moss in her hair", "moss hair", ""),
    ("blue around the eyes", "blue eyelids", ""),
    ("tears made of silver", "silver crying", ""),
    ("wings of fire", "fire wings", ""),
    ("beard made of moss", "moss beard", ""),
    ("neon dreads", "neon dreadlocks", ""),
    ("cotton candy beard", "cotton candy beard", ""),
    ("sculpted in snow", "snow", ""),
    # what belongs to somebody
    ("Rembrandt lighting", "Rembrandt lighting", ""),
    ("dragonfly wings", "dragonfly wings", ""),
    ("lizard tongue", "lizard sticking tongue out", ""),
    ("Spock ears", "Spock ears", ""),
    ("ice in his beard", "ice beard", ""),
    ("a drawing by a five year old", "child's drawing", ""),
    ("old sepia photo", "sepia", ""),
    ("an emo boy from 2005", "gothic, boy", ""),
    # who does something to somebody, what is pressed or spilled, where somebody is
    ("cat lover", "", "cat lover"),
    ("the girl with the dragon tattoo", "girl, tattoo", "dragon"),
    ("zombie hunter", "hunter", "zombie"),
    ("oil spill", "", "oil spill"),
    ("coconut oil", "", "coconut oil"),
    ("zombie oil painting", "zombie, oil painting", ""),
    ("a wolf at full moon", "wolf", "full moon"),
    ("green slime dripping", "slime, green slime", "dripping"),
    ("hulk hogan", "", "hulk hogan"),
    # words that say something of a noun that is not theirs
    ("rich old lady", "old", "rich"),
    ("rainbow eyelashes", "long eyelashes", "rainbow"),
    ("freckled redhead", "redhead, freckled skin", ""),
    ("green eyed cat", "green eyes, cat", ""),
    ("vincent van goh", "Van Gogh", ""),
    ("pinnochio", "Pinocchio", ""),
    # halves
    ("left side of the face gold, right side silver", "half gold, half silver", ""),
    ("half black half white face", "half black, half white", ""),
    # likenesses
    ("goldish skin", "gold skin", ""),
    ("blackish lipstick", "black lipstick", ""),
    ("catlike", "cat", ""),
    ("bigger smile, smaller nose", "smile, short nose", ""),
    ("long golden hair", "long hair, golden hair", ""),
    # years
    ("photo from 1974", "faded film", ""),
    ("a photo from 1897", "1890s", ""),
    ("twenty years younger", "twenty years younger", ""),
    ("twenty-five years old", "25 years old", ""),
    ("aged thirty two", "32 years old", ""),
    ("more green than blue", "green skin", "blue"),
    ("older than my grandma", "old", "grandma"),
    # what is held, and what stands beside
    ("evil queen holding a poisoned apple", "evil queen", "poisoned apple"),
    ("gorilla with a banana", "gorilla", "banana"),
    ("man with a zombie face", "zombie", ""),
    ("face with a joker smile", "Joker smile", ""),
    ("king with golden leaves", "king", "golden leaves"),
    ("red eyes like blood", "red eyes", ""),
    ("witch riding a broom with red lips", "witch, red lips", "broom"),
    ("3d character with a green diamond", "3d render", "green diamond"),
    ("made of a diamond", "diamond", ""),
    ("tattoo of a ship", "tattoo", "ship"),
    ("old car", "", "old car"),
    ("zombie truck", "", "zombie truck"),
    # flags and clubs
    ("french flag", "france flag", ""),
    ("brazil fan face paint", "brazil flag", ""),
    ("flag of Ukraine", "ukraine flag", ""),
    ("Liverpool supporter", "liverpool fan", ""),
    ("Brazil", "", "Brazil"),
    # families
    ("strawberry", "strawberry", ""),
    ("planet Mars", "planet mars", ""),
    ("otter", "otter", ""),
    ("beaver", "beaver", ""),
    ("oktoberfest", "oktoberfest", ""),
    ("roman emperor", "roman emperor", ""),
    ("no eyebrows", "no eyebrows", ""),
    # fixed expressions
    ("fell asleep in the sun", "fell asleep in sun", ""),
    ("the clown prince of crime", "Joker", ""),
    ("crocodile tears", "crocodile tears", ""),
    ("like I have seen a ghost", "seen a ghost", ""),
    # refusals
    ("someone with no hair at all", "bald", ""),
    ("no face tattoos", "no tattoo", ""),
    ("remove the beard and add glasses", "no beard, glasses", ""),
    ("Spiderman without the mask", "Spider-Man, no eye mask", ""),
    ("black and white except the lips are red", "black and white, red lips", ""),
    ("clown except red nose", "clown, no red nose", ""),
    ("skin neither green nor blue, but purple", "no green skin, no blue skin, purple skin", ""),
    ("not not a clown", "clown", ""),
    ("no foundation, just freckles", "freckles", "no foundation"),
    # a colour goes to the part that is spoken of
    ("hair long and blue", "long hair, blue hair", ""),
    ("the man is with beard long and white", "long beard, white beard", ""),
    ("black lipstick and pale foundation", "black lipstick, pale makeup base", ""),
    ("thin eyebrows", "thin eyebrows", ""),
    ("young eyes", "", "young eyes"),
    # people's names
    ("Sandra Brown", "", "Sandra Brown"),
    ("Sandra Brown hair", "brown hair", "Sandra"),
    ("black beard", "black beard", ""),
    # clothes
    ("sugar skull in black and gold", "sugar skull, black and gold clothing", ""),
    ("ghost in white", "ghost, white clothing", ""),
    # where somebody comes from
    ("scarecrow from the Wizard of Oz", "scarecrow", ""),
    ("Neytiri from Avatar", "Neytiri", ""),
    # what only looks like a name of the lists
    ("lords of the galaxy", "lord", "galaxy"),
    ("victim of a vampire", "", "victim of a vampire"),
    ("photograph with burnt edges", "", "burnt edges"),
    ("peeling nose", "", "peeling nose"),
    ("shiny nose", "", "shiny nose"),
    ("stonkk", "stonks", ""),
    ("musical star", "", "musical star"),
]


@pytest.mark.parametrize(("text", "understood", "unknown"), READ)
def test_what_is_understood(text, understood, unknown):
    reading = read(text)
    assert ", ".join(piece.title for piece in reading.understood) == understood
    assert ", ".join(reading.unknown) == unknown


def test_a_part_like_someone_takes_that_part_only():
    look = read("hair like Elsa").look
    assert set(look.paints) == {"hair"}
    assert look.paints["hair"] == read("Elsa").look.paints["hair"]


def test_a_flag_of_three_bands_is_the_skin_between_two_marks():
    look = read("german flag").look
    assert {mark.name for mark in look.marks} == {"upper third", "lower third"}
    assert "skin" in look.paints


def test_the_first_half_is_on_the_left_unless_it_is_said_to_be_on_the_right():
    one, other = read("half red, half blue").look, read("right side blue, left side red").look
    assert one == other
    assert isinstance(one.marks[0], Mark)


@pytest.mark.parametrize("text", ["black and white with red lips", "pencil sketch with red lips"])
def test_a_colour_that_is_said_stays_where_a_picture_loses_its_colours(text):
    assert read(text).look.over == ("lips",)


def test_names_of_different_things_on_one_line_are_titles():
    known = vocabulary()
    assert known.phrases["otter",].title == "otter"
    assert known.phrases["beaver",].title == "beaver"
    assert known.phrases["otter",].look == known.phrases["beaver",].look


def test_what_is_said_of_one_part_wins_wherever_it_stands():
    assert (
        read("blue-haired granny").look.paints["hair"]
        == read("granny with blue hair").look.paints["hair"]
        == read("blue hair").look.paints["hair"]
    )
    assert read("green lips and makeup").look.paints["lips"] == read("green lips").look.paints["lips"]


def test_strokes_have_the_colour_that_is_said():
    look = read("sketch in red pencil").look
    assert look.medium == "pencil" and look.tint and look.tint[1] > 40 and "light" not in look.paints


def test_pale_eyes_and_lips_are_those_of_people():
    assert read("pale blue eyes").look.paints["eyes"].colour[0] < 80 and read("pale lips").look.paints["lips"].colour[1] > 8


def test_a_surface_lies_over_what_somebody_is_made_of():
    assert "skin" in read("statue covered in moss").look.over and "skin" not in read("gold statue").look.over


def test_a_child_of_five_has_a_childs_face():
    assert read("5 years old").look == read("child").look and read("1 year old").look == read("baby").look
