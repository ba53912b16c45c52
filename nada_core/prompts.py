"""Prompts: checking them, and what the starter world understands by them.

CLIP takes any text; the starter encoder knows a closed list of concepts. A prompt is reduced to the set of words that carry meaning
("a photo of a person with GREEN hair" and "hair, green" are both {green, hair}) and must equal a phrase listed here. Anything else is
refused with the nearest concepts: a prompt is never silently mapped to something the person did not ask for.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from nada_core.errors import PromptError

__all__ = ["CONCEPTS", "MAX_PROMPT", "SOURCE_PROMPTS", "Concept", "check_prompt", "resolve_concept"]

MAX_PROMPT = 200

#: The five prompts of the experiment this project reproduces.
SOURCE_PROMPTS = ("Joker", "Joker face", "Joker smile", "Joker makeup", "Joker cosplay")


@dataclass(frozen=True)
class Concept:
    """One thing the starter encoder was taught: the title people see, and other phrases for it."""

    title: str
    aliases: tuple[str, ...] = ()
    group: str = "character"


#: Key in the encoder's table -> concept. ``photo`` is the source of every direction.
CONCEPTS: dict[str, Concept] = {
    "photo": Concept(
        "face", ("photo", "person", "human", "human face", "photo face", "normal face", "man", "woman", "portrait photo"), "source"
    ),
    "joker": Concept("Joker", ("joker batman", "batman joker", "heath ledger joker"), "makeup"),
    "joker face": Concept("Joker face", ("face joker",), "makeup"),
    "joker smile": Concept("Joker smile", ("joker grin", "smile joker", "joker scars", "joker mouth"), "makeup"),
    "joker makeup": Concept("Joker makeup", ("joker paint", "joker facepaint", "face paint joker"), "makeup"),
    "joker cosplay": Concept("Joker cosplay", ("joker costume", "joker cosplayer", "joker suit"), "makeup"),
    "zombie": Concept("zombie", ("undead", "walking dead", "zombi")),
    "vampire": Concept("vampire", ("dracula", "nosferatu", "count dracula"), "makeup"),
    "clown": Concept("clown", ("pennywise", "circus clown", "bozo")),
    "devil": Concept("devil", ("demon", "satan", "red skin", "red devil", "hellboy")),
    "ghost": Concept("ghost", ("spectre", "specter", "phantom", "spirit", "white walker")),
    "robot": Concept("robot", ("android", "cyborg", "terminator", "robot metal", "metal robot", "machine")),
    "old": Concept("old person", ("old", "elderly", "old man", "old woman", "grandmother", "grandfather", "aged", "wrinkles", "senior")),
    "sunburnt": Concept("sunburnt", ("sunburned", "sunburn", "sun burn", "sun burnt", "red sunburnt skin")),
    "green skin": Concept("Hulk", ("green skin", "incredible hulk", "green face", "orc", "goblin", "shrek", "green monster", "gamora")),
    "blue skin": Concept("Na'vi", ("blue skin", "avatar", "blue face", "smurf", "blue alien", "mystique", "na vi")),
    "purple skin": Concept("purple skin", ("thanos", "purple face", "violet skin", "purple alien"), "colour"),
    "yellow skin": Concept("yellow skin", ("yellow face", "simpson"), "colour"),
    "dark skin": Concept("dark skin", ("deep tan", "brown skin", "tanned skin", "tanned"), "colour"),
    "pale skin": Concept("pale skin", ("pale", "pale face", "porcelain skin", "geisha", "white face"), "colour"),
    "green hair": Concept("green hair", ("green wig",), "colour"),
    "blue hair": Concept("blue hair", ("blue wig",), "colour"),
    "pink hair": Concept("pink hair", ("pink wig",), "colour"),
    "red hair": Concept("red hair", ("ginger", "ginger hair", "redhead", "auburn hair", "red wig"), "colour"),
    "blond hair": Concept("blond hair", ("blonde", "blond", "golden hair", "fair hair", "yellow hair"), "colour"),
    "white hair": Concept("white hair", ("gray hair", "silver hair", "platinum hair", "white wig"), "colour"),
    "black hair": Concept("black hair", ("dark hair", "raven hair", "black wig", "brunette"), "colour"),
    "purple hair": Concept("purple hair", ("violet hair", "purple wig"), "colour"),
    "sketch": Concept("pencil sketch", ("sketch", "drawing", "pencil drawing", "pencil", "line drawing", "charcoal"), "medium"),
    "oil painting": Concept("oil painting", ("painting", "oil", "painted portrait", "oil portrait", "renaissance painting"), "medium"),
    "watercolour": Concept("watercolour", ("watercolour painting", "aquarelle", "water colour"), "medium"),
    "pixel art": Concept("pixel art", ("pixels", "pixel", "8 bit", "8bit", "minecraft", "pixelated"), "medium"),
    "cartoon": Concept("cartoon", ("comic", "comic book", "toon", "animated", "animation", "disney", "pixar", "anime"), "medium"),
    "neon": Concept("neon", ("neon glow", "cyberpunk", "neon sign", "neon art", "synthwave"), "medium"),
    "sepia": Concept("sepia photograph", ("sepia", "old photograph", "old photo", "vintage photo", "antique photograph"), "medium"),
    "black and white": Concept("black and white", ("monochrome", "grayscale", "black white", "gray scale", "noir", "film noir"), "medium"),
    "bronze": Concept("bronze statue", ("bronze", "copper statue", "bronze bust", "bronze sculpture"), "material"),
    "silver": Concept("silver statue", ("silver", "chrome", "silver sculpture", "steel statue"), "material"),
    "gold": Concept("gold", ("golden", "gold statue", "golden statue", "gold sculpture", "golden mask", "oscar statue"), "material"),
    "marble": Concept(
        "marble statue", ("marble", "marble bust", "stone statue", "statue", "sculpture", "marble sculpture", "greek statue"), "material"
    ),
    **{f"{c} light": Concept(f"{c} light", (f"{c} glow", f"{c} tint"), "light") for c in ("red", "green", "blue", "orange", "purple")},
    **{f"{c} background": Concept(f"{c} background", (f"{c} backdrop",), "light") for c in ("green", "red", "blue", "white", "black")},
    "dark": Concept("dark", ("darkness", "night", "underexposed"), "light"),
    "bright": Concept("bright", ("overexposed", "brightly"), "light"),
}

_GRAMMAR = frozenset("a an the of in on with as like and by to into s is be me my some being made from at".split())
#: Words that say "a picture of" carry no concept, unless they are all there is or a concept is named by them ("old photograph").
_FRAME = frozenset(
    "style styled look looks looking very really photo photograph picture image portrait render rendering cropped close up closeup "
    "good bad person".split()
)
_SAME = {
    "colour": "color", "watercolor": "watercolour", "grey": "gray", "greyscale": "grayscale", "make": "makeup", "haired": "hair",
    "hairs": "hair", "skinned": "skin", "lighting": "light", "lights": "light", "lit": "light", "blonde": "blond",
    "cosplaying": "cosplay", "smiling": "smile", "smiles": "smile", "painted": "painting", "drawn": "drawing", "sketched": "sketch",
    "sculpted": "sculpture", "faces": "face", "clowns": "clown", "zombies": "zombie", "vampires": "vampire", "jokers": "joker",
    "robots": "robot", "violet": "purple",
}  # fmt: skip


def check_prompt(text: str) -> str:
    """The prompt without surrounding space and without control characters.

    Raises:
        PromptError: not text, empty, too long, or without a single letter.
    """
    if not isinstance(text, str):
        raise PromptError(f"A prompt is a short text such as 'Joker'; got {type(text).__name__}.")
    printable = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs"))
    cleaned = " ".join(printable.split())
    if not cleaned:
        raise PromptError("The prompt is empty. Type what the faces should become, for example 'Joker'.")
    if len(cleaned) > MAX_PROMPT:
        raise PromptError(
            f"The prompt has {len(cleaned)} characters; at most {MAX_PROMPT} are taken. Say it in a few words, for example 'Joker'."
        )
    if not any(c.isalpha() for c in cleaned):
        raise PromptError("The prompt has no words in it. Type what the faces should become, for example 'Joker'.")
    return cleaned


def _words(text: str) -> frozenset[str]:
    """The words that carry meaning, in one spelling."""
    plain = (
        text.lower()
        .replace("make-up", "makeup")
        .replace("make up", "makeup")
        .replace("'s", " ")
        .replace("’s", " ")
        .replace("'", "")
        .replace("’", "")
    )
    words = [_SAME.get(w, w) for w in re.findall(r"[^\W_]+", plain)]
    return frozenset(w for w in words if w not in _GRAMMAR)


def resolve_concept(text: str, known: Sequence[str] | None = None) -> str:
    """The key in :data:`CONCEPTS` that ``text`` means.

    Args:
        text: any spelling, order, or template around it.
        known: restrict to these keys (those of the loaded encoder).

    Raises:
        PromptError: nothing means exactly this; the message names the nearest concepts.
    """
    cleaned = check_prompt(text)
    wanted = _words(cleaned)
    keys = [key for key in CONCEPTS if known is None or key in known]
    phrases = {key: [_words(p) for p in (key, CONCEPTS[key].title, *CONCEPTS[key].aliases)] for key in keys}
    # "face" is part of a few concepts' names and otherwise says nothing
    for candidate in (wanted, wanted - _FRAME, wanted - {"face"}, wanted - _FRAME - {"face"}):
        for key in keys:
            if candidate in phrases[key]:
                return key
    raise PromptError(
        f"'{cleaned[:60]}' is not among the concepts of the starter encoder. Nearest: {', '.join(_nearest(wanted, phrases))}. "
        "The full world, with CLIP, takes any text."
    )


def _nearest(wanted: frozenset[str], phrases: dict[str, list[frozenset[str]]], count: int = 4) -> list[str]:
    """Titles of the concepts that share most words, or letters, with ``wanted``."""
    text = " ".join(sorted(wanted))

    def score(key: str) -> float:
        shared = max(len(wanted & p) / len(wanted | p) for p in phrases[key])
        spelled = max(difflib.SequenceMatcher(None, text, " ".join(sorted(p))).ratio() for p in phrases[key])
        return shared + 0.5 * spelled

    ranked = sorted((key for key in phrases if key != "photo"), key=score, reverse=True)
    return [CONCEPTS[key].title for key in ranked[:count]]
