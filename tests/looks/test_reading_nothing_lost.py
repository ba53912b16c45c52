"""Nothing is dropped without a word: every word that carries meaning is in a piece of the reading or among the unknown."""

from __future__ import annotations

import pytest

from nada_core.looks.reading import read
from nada_core.looks.spelling import tokens
from nada_core.looks.word_lists import LIGHT_WORDS, vocabulary

#: Kinds of small words that say nothing by themselves.
_SILENT = frozenset(("nothing", "person", "picture", "face", "with", "and", "in", "but", "on skin", "aside"))

#: Typed by many: pupils, people in costume, make-up artists, film fans, players, people with little English.
TYPED = """
    our teacher as a dragon with purple scales; pirate captain with a black beard and an eye patch; dwarf with a long red beard;
    a knight with golden armor and a red cape; purple unicorn with rainbow hair and a silver horn; ninja turtle raphael;
    a bee with yellow and black stripes; tiefling warlock, red skin, black horns, yellow eyes; orc barbarian with war paint and tusks;
    vi from arcane with pink hair and nose ring; soft glam with brown smoky eye and nude lip; cut crease in purple and gold with glitter;
    bridal makeup with soft pink lips and pearls on the eyes; 1920s vamp makeup with thin brows and dark cupid bow lips;
    contoured cheekbones and overlined brown lips; norman bates in black and white; mad max fury road war boys chrome mouth;
    blade runner replicant with black stripe over the eyes; tim burton style character with dark eye circles; nosferatu 1922 silent film;
    jack nicholson in the shining; film still from a david lynch movie; alien from roswell with grey skin and big black eyes;
    please to make the face green like a frog; man that has the eyes of color violet; I want be a vampire with the teeths long;
    the hair is short and the color is pink; make him the skin more dark and the eyes more light; a face from stone with the cracks;
    with the glasses of sun and the hat black; very much make-up, lips strong red; old men with white long beard; big bushy beard;
    dyed blue hair with dark roots; black skin and white hair like storm from x-men; zombie but with normal eyes; vampire but less pale;
    burn victim half of the face; everything purple except the lips; red face except for the nose; a bronze statue of a bearded man;
    heterochromia one blue eye one green; me at 90 with white hair; skeleton with red roses in the hair; smoky eyes but softer;
    kratos with less red paint; a mermaid who has red hair and a green tail; nezuko with bamboo in mouth; deadpool unmasked;
    an astronaut on the moon; she has the face red because of the sun; sleeping beauty with golden hair; no makeup except red lipstick
"""


@pytest.mark.parametrize("text", [" ".join(text.split()) for text in TYPED.split(";")])
def test_every_word_that_means_something_is_shown(text):
    known, reading = vocabulary(), read(text)
    shown = {w.root for w in tokens(" ".join([*(p.words for p in reading.understood), *reading.unknown]))}
    meant = {
        w.root
        for w in tokens(reading.text)
        if w.root.isalnum() and w.root not in LIGHT_WORDS and known.grammar.get((w.root,), ("",))[0] not in _SILENT
    }
    assert meant <= shown | {"except"}
