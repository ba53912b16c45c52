"""Turns of phrase: what a picture is drawn on, what serves as a part, words that only strengthen, and words that are no misspelling."""

from __future__ import annotations

import pytest

from nada_core.looks.reading import read


def _titles(text: str) -> str:
    return ", ".join(piece.title for piece in read(text).understood)


@pytest.mark.parametrize(
    ("text", "medium", "title"),
    [
        ("pencil drawing on yellow paper", "pencil", "on yellow paper"),
        ("chalk on black paper", "chalk", "on black paper"),
        ("a pencil drawing on old brown paper", "pencil", "on old brown paper"),
        ("ink on parchment", "ink", "on parchment"),
        ("Rembrandt on a red canvas", "baroque", "on red canvas"),
    ],
)
def test_what_a_picture_is_drawn_on_is_its_background(text, medium, title):
    reading = read(text)
    assert [piece.title for piece in reading.understood][1:] == [title]
    assert reading.look.medium == medium
    assert not reading.look.material  # nobody there is made of paper
    assert reading.look.paints["background"].colour is not None
    assert not reading.unknown


def test_paper_that_no_picture_is_drawn_on_is_the_material():
    assert read("made of paper").look.material == "paper"
    assert read("old parchment").look.material == "paper"


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("worms for hair", "worm for hair"),
        ("a snowman with a carrot for a nose", "snow, carrot nose"),
        ("hair gone grey", "grey hair"),
        ("lips gone blue", "blue lips"),
        ("angry as hell", "angry"),
        ("pale af", "pale"),
        ("Elsa from the ice one", "Elsa"),
        ("an avatar alien", "Na'vi"),
        ("a ginger tom cat", "orange cat"),
        ("please make them look like they have a cold", "have a cold"),
        ("avocado face mask", "green face mask"),
        ("honey face mask", "honey mask"),
        ("burn victim makeup", "burns"),
        ("scar makeup", "scar"),
        ("black and white face paint", "black and white face"),
        ("kindly make him green", "green skin"),
        ("seriously angry", "seriously angry"),
    ],
)
def test_a_turn_of_phrase_is_what_it_means(text, titles):
    assert _titles(text) == titles
    assert not read(text).unknown


def test_a_part_that_something_unlike_it_serves_as_is_named():
    assert read("a castle for a nose").unknown
    assert "nose" in " ".join(read("a tiger for a nose").unknown)


def test_what_is_gone_is_no_colour():
    assert read("eyebrows gone").unknown == ("eyebrows gone",)


def test_an_animals_cheeks_have_its_form_alone():
    look = read("hamster cheeks").look
    assert look.shape == {"full cheeks": 1.1}
    assert not look.paints


def test_nobody_takes_the_laugh_of_a_clown_with_his_lips():
    assert "smile" not in read("clown lips").look.shape


def test_a_cold_is_no_cold_weather():
    assert "light" not in read("got a cold").look.paints
    assert "light" in read("cold").look.paints


def test_a_soldier_is_a_costume_on_somebody_else():
    assert read("zombie soldier").look.paints["skin"] == read("zombie").look.paints["skin"]
    assert read("soldier").look.paints["skin"].texture == "spotted"


@pytest.mark.parametrize(
    "word",
    "apply trapped sewer lived delivered reacted entertain feast romeo simon amelia salvage ankle founder livery warned venture".split(),
)
def test_a_word_with_a_meaning_of_its_own_is_no_misspelling(word):
    reading = read(f"{word} vampire")
    assert [piece.title for piece in reading.understood] == ["vampire"]
    assert word in " ".join(reading.unknown)


@pytest.mark.parametrize(("text", "titles"), [("yelow hair", "yellow hair"), ("vampyre", "vampire"), ("silvery skin", "silver skin")])
def test_a_misspelling_is_still_put_right(text, titles):
    assert _titles(text) == titles


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("doesn't have any hair", "bald"),
        ("she doesn't have eyebrows", "no eyebrows"),
        ("lacking eyebrows", "no eyebrows"),
        ("hasn't got any teeth", "toothless"),
        ("hasn't shaved for a week", "stubble"),
        ("red but no hair", "red skin, bald"),
    ],
)
def test_a_part_that_somebody_lacks_is_not_left_as_it_is(text, titles):
    assert _titles(text) == titles
    assert not read(text).unknown


def test_a_part_that_cannot_be_missing_is_named():
    assert read("does not have lips").unknown
    assert not read("does not have lips").understood
    assert _titles("everything red but not the hair") == "everything red, own hair"


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("just ran a marathon", "sweaty"),
        ("someone who drinks blood at night", "vampire"),
        ("came back from the dead", "zombie"),
        ("the lady with serpents on her head", "Medusa"),
        ("he won the lottery", "happy"),
        ("peeling onions", "crying"),
        ("caught in a downpour", "rain"),
        ("the last son of Krypton", "Superman"),
        ("hasn't slept", "tired"),
    ],
)
def test_what_people_say_instead_of_a_name_is_read(text, titles):
    assert _titles(text) == titles


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("crying like a baby", "crying"),
        ("grinning like a Cheshire cat", "smile"),
        ("sly as a fox", "sly"),
        ("angry cat", "angry, cat"),
        ("angry like the Hulk", "angry, Hulk"),
        ("smiling like a clown", "smile, clown"),
    ],
)
def test_a_mood_compared_with_an_animal_is_the_mood(text, titles):
    assert _titles(text) == titles


@pytest.mark.parametrize("text", ["wizard kid", "baby Santa", "a boy as a viking"])
def test_a_child_has_no_beard(text):
    look = read(text).look
    assert look.shape["age"] < 0
    assert "beard" not in look.paints
    assert not {"beard", "long beard"} & {mark.name for mark in look.marks}


def test_a_child_keeps_the_beard_that_is_asked_for():
    assert "beard" in {mark.name for mark in read("wizard kid with a beard").look.marks}
    assert "beard" in {mark.name for mark in read("young viking").look.marks}


def test_two_colours_one_of_which_is_a_metal_are_two_colours():
    for text in ("black and gold", "pink and silver"):
        assert _titles(text) == f"{text} skin"


@pytest.mark.parametrize(
    ("text", "titles", "unknown"),
    [
        ("a sushi chef", "chef", "sushi"),
        ("potato farmer", "farmer", "potato"),
        ("someone stung by bees", "", "bees"),
        ("carnival feathers", "carnival", "feathers"),
        ("not scary clown", "not horror, clown", ""),
        ("rosy red lips", "rosy red lips", ""),
        ("a face like thunder", "angry", ""),
        ("moody teenager", "frown", ""),
    ],
)
def test_what_a_word_belongs_to(text, titles, unknown):
    assert (_titles(text), " ".join(read(text).unknown)) == (titles, unknown)


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("a beard but make it blue", "blue beard"),
        ("long hair and dye it purple", "long hair, purple hair"),
        ("add glasses and make them red", "red glasses"),
        ("her lips, paint them black", "black lips"),
        ("make it blue", "blue skin"),
    ],
)
def test_it_is_the_part_before(text, titles):
    assert _titles(text) == titles
