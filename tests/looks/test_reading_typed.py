"""Prompts as people type them at such demos: what is understood of each, and what is named as unknown."""

from __future__ import annotations

import pytest

from nada_core.looks.look import Look
from nada_core.looks.prompts import SOURCE_PROMPTS, SUGGESTED_PROMPTS
from nada_core.looks.reading import read, sentence

#: (text, titles that are to be understood, words that are to be named as unknown).
TYPED = [
    ("green zombie", "zombie, green skin", ""),
    ("vampire with red lips", "vampire, red lips", ""),
    ("blue skin and white hair", "blue skin, white hair", ""),
    ("wooden statue", "wood", ""),
    ("evil clown", "evil clown", ""),
    ("Van Gogh painting", "Van Gogh, painting", ""),
    ("smiling woman", "smile", ""),
    ("elf", "elf", ""),
    ("cyberpunk girl", "cyberpunk, girl", ""),
    ("Disney princess", "Disney Princess", ""),
    ("my mom as a superhero", "superhero", ""),
    ("ice queen", "ice queen", ""),
    ("pop art", "pop art", ""),
    ("old man with white beard", "old, white beard", ""),
    ("sad clown", "sad clown", ""),
    ("rainbow hair", "rainbow hair", ""),
    ("cat", "cat", ""),
    ("Terminator", "Terminator", ""),
    ("Mona Lisa", "Mona Lisa", ""),
    ("stained glass saint", "stained glass, saint", ""),
    ("anime girl with pink hair", "anime, pink hair", ""),
    ("Joker", "Joker", ""),
    ("Joker smile", "Joker smile", ""),
    ("Heath Ledger Joker", "Joker", ""),
    ("Harley Quinn", "Harley Quinn", ""),
    ("Batman", "Batman", ""),
    ("Pixar character", "Pixar", ""),
    ("zombie apocalypse survivor", "zombie, dystopian", "survivor"),
    ("werewolf", "werewolf", ""),
    ("Shrek", "Shrek", ""),
    ("Thanos", "Thanos", ""),
    ("The Incredible Hulk", "Hulk", ""),
    ("Na'vi from Avatar", "Na'vi", ""),
    ("Voldemort", "Voldemort", ""),
    ("sketch of a face", "drawing", ""),
    ("charcoal drawing", "charcoal", ""),
    ("watercolour painting of a woman", "watercolour", ""),
    ("oil painting portrait, Rembrandt lighting", "oil painting, Rembrandt lighting", ""),
    ("marble bust", "marble", ""),
    ("bronze statue", "bronze", ""),
    ("gold skin", "gold skin", ""),
    ("a photo of a person with blue hair", "blue hair", ""),
    ("blonde woman", "blond hair", ""),
    ("redhead with freckles", "redhead, freckles", ""),
    ("angry man", "angry", ""),
    ("surprised face", "surprised", ""),
    ("crying girl", "crying, girl", ""),
    ("person wearing sunglasses", "sunglasses", ""),
    ("man with moustache", "moustache", ""),
    ("woman with smoky eyes and red lipstick", "smoky eyes, lipstick", ""),
    ("goth girl", "gothic", ""),
    ("pale vampire queen", "pale, vampire", ""),
    ("skeleton with glowing eyes", "skeleton, glowing eyes", ""),
    ("Day of the Dead", "sugar skull", ""),
    ("pirate with eye patch", "pirate, eye patch", ""),
    ("robot", "robot", ""),
    ("cyborg with red eyes", "cyborg, red eyes", ""),
    ("alien with big eyes", "alien, big eyes", ""),
    ("goblin", "goblin", ""),
    ("orc warrior", "orc, warrior", ""),
    ("fairy with purple hair", "fairy, purple hair", ""),
    ("mermaid with green hair", "mermaid, green hair", ""),
    ("devil with horns", "devil, horns", ""),
    ("angel", "angel", ""),
    ("White Walker", "White Walker", ""),
    ("ghost", "ghost", ""),
    ("mummy", "mummy", ""),
    ("witch", "witch", ""),
    ("pixel art", "pixel art", ""),
    ("8-bit video game character", "pixel art, video game", ""),
    ("minecraft", "pixel art", ""),
    ("3D render", "3d render", ""),
    ("claymation", "claymation", ""),
    ("Picasso", "Picasso", ""),
    ("in the style of Monet", "Monet", ""),
    ("Edvard Munch The Scream", "Edvard Munch", ""),
    ("Frida Kahlo", "Frida Kahlo", ""),
    ("black and white photo", "black and white", ""),
    ("sepia", "sepia", ""),
    ("vintage photo from the 1920s", "sepia, flapper", ""),
    ("film noir detective", "film noir, detective", ""),
    ("neon lights", "neon light", ""),
    ("golden hour", "golden hour", ""),
    ("underwater", "underwater", ""),
    ("blue light", "blue light", ""),
    ("dark and scary", "dark, horror", ""),
    ("baby", "baby", ""),
    ("old woman with wrinkles", "old, wrinkles", ""),
    ("chubby man", "chubby", ""),
    ("bald man", "bald", ""),
    ("man with long nose", "long nose", ""),
    ("sunburnt tourist", "sunburnt, tourist", ""),
    ("tiger face paint", "tiger", ""),
    ("lion", "lion", ""),
    ("Simpsons character", "Simpsons character", ""),
    ("emo kid with black eyeliner", "gothic, child, black eyeliner", ""),
    ("viking with braided beard", "viking, braided beard", ""),
    ("steampunk", "steampunk", ""),
    ("made of ice", "ice", ""),
    ("Emma Watson", "", "Emma Watson"),
]


@pytest.mark.parametrize(("text", "understood", "unknown"), TYPED)
def test_what_is_understood(text, understood, unknown):
    reading = read(text)
    assert ", ".join(piece.title for piece in reading.understood) == understood
    assert ", ".join(reading.unknown) == unknown


def test_most_of_what_people_type_is_understood():
    assert len(TYPED) == 100
    assert sum(bool(read(text).understood) for text, _, _ in TYPED) >= 95


#: Typed often: text -> the mark that is drawn for it.
DRAWN = {
    "bald man": "bald", "no hair": "bald", "long blonde hair": "long hair", "short hair": "short hair", "curly red hair": "curly hair",
    "green mohawk": "mohawk", "afro": "afro", "girl with braids": "braids", "dreadlocks": "dreadlocks", "spiky hair": "spiky hair",
    "sideburns": "sideburns", "queen with golden crown": "crown", "king": "crown", "baseball cap": "cap", "cowboy": "hat",
    "knight": "helmet", "pirate": "bandana", "hijab": "headscarf", "angel": "halo", "angel wings": "wings", "covid mask": "surgical mask",
    "nose ring": "piercings", "gold earrings": "earrings", "cat ears": "cat ears", "bunny ears": "bunny ears",
    "unicorn": "unicorn horn", "Zorro": "eye mask", "tears of blood": "mascara tears", "mad scientist": "spiky hair",
}  # fmt: skip


@pytest.mark.parametrize("text", DRAWN)
def test_what_is_typed_often_is_drawn(text):
    reading = read(text)
    assert DRAWN[text] in {mark.name for mark in reading.look.marks}
    assert not reading.unknown


def test_source_prompts_are_five_looks():
    assert len({read(text).look.key for text in SOURCE_PROMPTS}) == 5
    assert all(len(read(text).understood) == 1 for text in SOURCE_PROMPTS)


#: Phrases that the first version of the project knew, one by one.
FIRST_PHRASES = """
    photo; face; person; human; human face; photo face; normal face; man; woman; portrait photo; joker; joker batman; batman
    joker; heath ledger joker; joker face; face joker; joker smile; joker grin; smile joker; joker scars; joker mouth; joker
    makeup; joker paint; joker facepaint; face paint joker; joker cosplay; joker costume; joker cosplayer; joker suit; zombie;
    undead; walking dead; zombi; vampire; dracula; nosferatu; count dracula; clown; pennywise; circus clown; bozo; devil; demon;
    satan; red skin; red devil; hellboy; ghost; spectre; specter; phantom; spirit; white walker; robot; android; cyborg;
    terminator; robot metal; metal robot; machine; old; old person; elderly; old man; old woman; grandmother; grandfather; aged;
    wrinkles; senior; sunburnt; sunburned; sunburn; sun burn; sun burnt; red sunburnt skin; green skin; hulk; incredible hulk;
    green face; orc; goblin; shrek; green monster; gamora; blue skin; na'vi; avatar; blue face; smurf; blue alien; mystique; na
    vi; purple skin; thanos; purple face; violet skin; purple alien; yellow skin; yellow face; simpson; dark skin; deep tan; brown
    skin; tanned skin; tanned; pale skin; pale; pale face; porcelain skin; geisha; white face; green hair; green wig; blue hair;
    blue wig; pink hair; pink wig; red hair; ginger; ginger hair; redhead; auburn hair; red wig; blond hair; blonde; blond; golden
    hair; fair hair; yellow hair; white hair; gray hair; silver hair; platinum hair; white wig; black hair; dark hair; raven hair;
    black wig; brunette; purple hair; violet hair; purple wig; sketch; pencil sketch; drawing; pencil drawing; pencil; line
    drawing; charcoal; oil painting; painting; oil; painted portrait; oil portrait; renaissance painting; watercolour; watercolour
    painting; aquarelle; water colour; pixel art; pixels; pixel; 8 bit; 8bit; minecraft; pixelated; cartoon; comic; comic book;
    toon; animated; animation; disney; pixar; anime; neon; neon glow; cyberpunk; neon sign; neon art; synthwave; sepia; sepia
    photograph; old photograph; old photo; vintage photo; antique photograph; black and white; monochrome; grayscale; black white;
    gray scale; noir; film noir; bronze; bronze statue; copper statue; bronze bust; bronze sculpture; silver; silver statue;
    chrome; silver sculpture; steel statue; gold; golden; gold statue; golden statue; gold sculpture; golden mask; oscar statue;
    marble; marble statue; marble bust; stone statue; statue; sculpture; marble sculpture; greek statue; red light; red glow; red
    tint; green light; green glow; green tint; blue light; blue glow; blue tint; orange light; orange glow; orange tint; purple
    light; purple glow; purple tint; green background; green backdrop; red background; red backdrop; blue background; blue
    backdrop; white background; white backdrop; black background; black backdrop; dark; darkness; night; underexposed; bright;
    overexposed; brightly
"""


@pytest.mark.parametrize("text", [" ".join(phrase.split()) for phrase in FIRST_PHRASES.split(";")])
def test_what_the_first_version_knew_is_understood_whole(text):
    reading = read(text)
    assert not reading.unknown and (reading.look or reading.neutral), sentence(reading)


def test_looks_can_be_kept_as_json():
    for text, _, _ in TYPED:
        look = read(text).look
        assert Look.from_json(look.to_json()) == look


@pytest.mark.parametrize("text", SUGGESTED_PROMPTS)
def test_every_suggestion_is_understood_whole(text):
    reading = read(text)
    assert reading.look and not reading.unknown, sentence(reading)
