"""Read words that only together name something: "Joker (DC)", "Nosferatu 1922", "fencing mask", "guardians of the galaxy"."""

from __future__ import annotations

from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.neighbours import Here, Joined, meant, person
from nada_core.looks.word_lists import LIGHT_WORDS

__all__ = [
    "bracketed_story",
    "masked",
    "mere_lord",
    "named_after",
    "persons_own",
    "shaped",
    "surname",
    "unknown_whole",
]


def persons_own(here: Here) -> Joined | None:
    """Read "the smile of the Joker", which has a name of its own."""
    entry = here.atom.entry
    if entry is None or entry.kind != "faces" or not person(here.next) or not here.of_next():
        return None
    named = here.known.phrases.get((*meant(here.next, here.words), *meant(here.atom, here.words)))
    return None if named is None else ([Atom("entry", here.atom.start, here.next.end, named)], 2)


def mere_lord(here: Here) -> Joined | None:
    """Read "lord of the galaxy": he has no starry skin."""
    surface = here.next.entry is not None and here.next.entry.surface
    if not person(here.atom) or not surface or not here.of_next():
        return None
    return [here.atom, replace(here.next, kind="unknown", entry=None)], 2


def masked(here: Here) -> Joined | None:
    """Read a bare "mask" with the word before it: a "porcelain mask" is a face of porcelain, a "fencing mask" none around the eyes."""
    atom, mask = here.atom, here.next
    bare = mask.kind == "entry" and mask.end == mask.start + 1 and here.words[mask.start].root == "mask"
    if not bare or atom.end != mask.start:
        return None
    if atom.entry is not None and atom.entry.kind == "materials":
        return [replace(atom, end=mask.end, twin=None)], 2
    return ([Atom("unknown", atom.start, mask.end)], 2) if atom.kind in ("unknown", "thing") else None


def shaped(here: Here) -> Joined | None:
    """Read "heart shaped sunglasses", which are sunglasses."""
    if here.atom.kind != "entry" or [w.root for w in here.words[here.atom.end : here.next.start]] != ["shaped"]:
        return None
    return [Atom("unknown", here.atom.start, here.next.start)], 1


def bracketed_story(here: Here) -> Joined | None:
    """Read "Joker (DC)"."""
    if len(here.after) < 2 or here.next.kind != "," or here.words[here.next.start].text != "(":
        return None
    return ([replace(here.atom, end=here.after[1].end)], 3) if _of_a_story(here, here.after[1]) else None


def named_after(here: Here) -> Joined | None:
    """Read "scarecrow from the Wizard of Oz" and "emo from 2005" as one name."""
    if not (_from(here) or _of_a_story(here, here.next) or _year_of(here)):
        return None
    return [replace(here.atom, end=here.next.end)], 2


def _from(here: Here) -> bool:
    """Tell whether a name says where the character before it comes from."""
    end, words = here.next.end, here.words
    if not person(here.atom) or here.next.entry is None or not {"from"} <= here.between <= LIGHT_WORDS:
        return False
    told = end < len(words) and words[end].root in ("one", "film", "movie", "show", "game", "book", "cartoon", "story")
    return here.next.entry.kind in ("characters", "lights", "media", "materials" if told else "")  # "Elsa from the ice one"


def _of_a_story(here: Here, other: Atom) -> bool:
    """Tell whether an atom names the film, book or game of the character before it: "Mystique from X-Men", "Joker (DC)"."""
    between = {w.root for w in here.words[here.atom.end : other.start]}
    return other.kind == "story" and person(here.atom) and between <= LIGHT_WORDS | {","}


def _year_of(here: Here) -> bool:
    """Tell whether a number says which film of a character is meant, or when a fashion was: "Nosferatu 1922", "emo from 2005"."""
    atom, other = here.atom, here.next
    year = here.words[other.start]
    dated = other.end == other.start + 1 and len(year.text) == 4 and year.text.isdecimal()
    if not dated or atom.entry is None or atom.part:
        return False
    # "an emo boy from 2005": the year of a fashion says when it was; a decade ("from the 1980s") is a look of its own
    from_then = {"from", "of", "in"} & here.between and year.text[-1] != "0"
    return (person(atom) and other.start == atom.end) or bool(from_then)


def surname(here: Here) -> Joined | None:
    """Read somebody's name: "Sandra Brown", "Jill Valentine"; "Sandra Brown Hair" has brown hair."""
    atom, colour, words = here.atom, here.next, here.words
    if atom.kind != "unknown" or colour.kind not in ("colour", "entry") or atom.end != colour.start or colour.end != colour.start + 1:
        return None
    if colour.kind == "entry" and (colour.part or colour.entry is None or colour.entry.kind in ("characters", "faces", "media")):
        return None  # a "Whispering Zombie" is one
    titled = all(words[i].text[:1].isupper() and not words[i].text.isupper() for i in (atom.end - 1, colour.start))
    described = len(here.after) > 1 and (here.after[1].part or here.after[1].kind == "colour")
    return ([Atom("unknown", atom.start, colour.end)], 2) if titled and not described else None


def unknown_whole(here: Here) -> Joined | None:
    """Read an unknown thing of something known ("guardians of the galaxy", "a friend from Shrek"): unknown as a whole."""
    if here.atom.kind != "unknown":
        return None
    from_it = person(here.next) and {"from"} <= here.between <= LIGHT_WORDS
    if not from_it and not (here.next.kind in ("entry", "colour") and here.of_next()):
        return None
    return [Atom("unknown", here.atom.start, here.next.end)], 2
