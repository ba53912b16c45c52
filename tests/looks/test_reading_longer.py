"""Whole kinds of longer sentences: what lies where, who covers whom, what is taken off, moods of one part, times, kinds of masks."""

from __future__ import annotations

import pytest

from nada_core.looks.reading import read

#: (text, titles that are to be understood, words that are to be named as unknown).
READ = [
    # what lies at a place
    ("slime dripping from her hair", "slime hair", ""),
    ("mermaid with seaweed in her hair", "mermaid, seaweed hair", ""),
    ("dragon scales on the forehead and cheeks", "scaly cheeks", "forehead"),
    ("mud and blood on his cheeks", "mud cheeks, blood", "cheeks"),
    ("man with a crow on his shoulder", "", "crow on his shoulder"),
    ("a spider crawling over her face", "", "spider crawling over her face"),
    ("statue with moss in the cracks", "statue", "moss in the cracks"),
    ("beard with flowers in it and a bone in his hair", "beard, with flower", "bone in his hair"),
    ("freckles on her nose and cheeks", "freckles", ""),
    ("baby with chocolate on his face", "baby, chocolate on face", ""),
    ("driver with sand on his face", "sand on face", "driver"),
    ("sunset light on a face", "sunset", ""),
    ("smoke coming out of her mouth", "", "smoke coming out of her mouth"),
    # who covers a face, and what somebody is with
    ("covered in bees", "", "bees"),
    ("covered in honey and bees", "honey", "bees"),
    ("covered in green", "green skin", ""),
    ("astronaut helmet with cracked glass", "astronaut, helmet", "cracked glass"),
    ("medusa with golden snakes", "Medusa", "golden snakes"),
    ("queen crying diamonds", "queen, crying", "diamonds"),
    ("fortune teller with gold coins on her headscarf", "fortune teller, headscarf", "gold coins"),
    # what a part is said to be
    ("a girl whose hair is on fire", "girl, hair like fire", ""),
    ("his beard is on fire", "fire beard", ""),
    ("smoke instead of hair", "hair like smoke", ""),
    ("her lips are blue and her skin is frozen", "blue lips, frosty skin", ""),
    ("make her hair long and wavy", "long hair, wavy hair", ""),
    ("pink hair fading into blue", "pink hair, blue hair tips", ""),
    ("her skin is cracked like old paint", "cracked skin", ""),
    ("golden eyes like a lion", "gold eyes", ""),
    ("a beard like steel", "steel beard", ""),
    # moods and states of one part
    ("dog with sad eyes", "dog, sad eyes", ""),
    ("sunburnt nose", "", "sunburnt nose"),
    ("snowy eyebrows", "", "snowy eyebrows"),
    ("jellyfish hair", "", "jellyfish hair"),
    ("frozen beard", "frosty beard", ""),
    # two colours, coloured surfaces, coloured stuff
    ("dragon with golden scales and emerald eyes", "dragon, scaly gold skin, emerald eyes", ""),
    ("a stone face with glowing blue cracks", "stone skin, blue cracks", ""),
    ("red velvet cape", "red and velvet clothes", ""),
    ("long thin white beard", "long white beard", "thin"),
    ("bushy white eyebrows", "white eyebrows", ""),
    ("white face paint dots", "white dots", ""),
    ("portrait in pink and blue light", "pink and blue light", ""),
    # two sides
    ("left side angel, right side devil", "half angel, half devil", ""),
    ("half his face burnt", "burns", "half his face"),
    # masks, and what is taken off
    ("Deadpool with his mask off", "Deadpool, no eye mask", ""),
    ("zombie without helmet", "zombie", "without helmet"),
    ("fencing mask", "", "fencing mask"),
    ("the man in the iron mask", "iron", ""),
    ("clean shaven santa", "clean shaven, Santa", ""),
    # whose hat, whose work, when
    ("cat with a pirate hat", "cat, pirate hat", ""),
    ("ice skater", "skater", "ice"),
    ("neon headband", "", "neon headband"),
    ("medieval plague doctor", "plague doctor", "medieval"),
    ("lord of the galaxy", "lord", "galaxy"),
    ("old tattooed sailor", "old, tattoo, sailor", ""),
    ("detective from a 1940s film", "detective, black and white", "film"),
    ("cyberpunk hacker lit by neon", "cyberpunk, hacker, neon light", ""),
    ("a child's crayon drawing of a monster", "crayon, monster", ""),
    # names of people
    ("Jill Valentine", "", "Jill Valentine"),
    ("Jason Momoa as Aquaman", "Aquaman", "Jason Momoa"),
    ("heart shaped earrings", "earrings", "heart shaped"),
    ("tattoos on his skull", "tattoo", ""),
    ("turn this man into a woman", "into a woman", ""),
]


@pytest.mark.parametrize(("text", "understood", "unknown"), READ)
def test_what_is_understood(text, understood, unknown):
    reading = read(text)
    assert ", ".join(piece.title for piece in reading.understood) == understood
    assert ", ".join(reading.unknown) == unknown


def test_of_two_ages_the_later_one_is_seen():
    assert read("my grandfather when he was young").look == read("young").look


@pytest.mark.parametrize("text", ["Spider-Man without the mask", "Mandalorian without his helmet", "Ghostface unmasked"])
def test_without_a_mask_only_the_costume_is_left(text):
    look = read(text).look
    assert set(look.paints) == {"clothing"} and not look.material and not look.marks


def test_a_clean_shaven_man_has_no_beard():
    look = read("clean shaven santa").look
    assert "beard" not in look.paints and "beard" not in {mark.name for mark in look.marks}


def test_a_woman_has_no_beard_of_her_peoples():
    assert "beard" in {mark.name for mark in read("viking").look.marks}
    assert "beard" not in {mark.name for mark in read("viking woman").look.marks}
    assert "beard" in {mark.name for mark in read("bearded viking woman").look.marks}


def test_two_colours_of_a_face_are_its_halves_and_a_tigers_are_stripes():
    assert "half face" in {mark.name for mark in read("face painted red and white").look.marks}
    assert "half face" not in {mark.name for mark in read("tiger, but blue and black").look.marks}


def test_a_vampire_at_the_beach_is_not_tanned():
    assert read("vampire at the beach").look.paints["skin"] == read("vampire").look.paints["skin"]


def test_stuff_colours_a_part_though_its_line_says_nothing_of_parts():
    assert read("coal eyes").look.paints["eyes"].colour == (12, 0, 0) and not read("coal eyes").look.material


@pytest.mark.parametrize(("text", "mark"), [("eyes closed", "closed eyes"), ("lips sewn shut", "sewn lips"), ("deer", "antlers")])
def test_further_drawings(text, mark):
    assert mark in {m.name for m in read(text).look.marks}
