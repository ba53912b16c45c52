"""Tell how something looks on one part of a face: stuff on the lips, somebody's eyes, a mood of the mouth, a beard on fire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.look import BEARD_MARKS, HAIR_MARKS, Look, Paint
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import Entry, Vocabulary, phrase

__all__ = ["PAINTED_PARTS", "on_hair_or_beard", "own_part", "paint_on", "somebody"]

#: Parts that have a paint of their own on which something can lie; a background or clothes are no place for it.
PAINTED_PARTS = frozenset(("hair", "brows", "eyes", "around the eyes", "lips", "teeth", "cheeks"))
#: Words of a head and a body that no part stands for; a mood or a state said of them is none of the whole face.
_ELSEWHERE = frozenset("nose neck ear hand finger nail shoulder arm knuckle chin forehead chest tongue leg foot".split())
#: Marks that belong to a part: "Cleopatra eyes" are made up like hers.
_MARKS_OF = {
    "hair": HAIR_MARKS,
    "eyes": frozenset(("closed eyes", "eyeliner", "eyeshadow", "mascara tears", "tears", "bruise", "eye diamonds", "eye star")),
    "lips": frozenset(("sewn lips", "painted smile", "scarred smile", "fangs", "blood", "piercings")),
    "cheeks": frozenset(("blush", "cheek spots", "contour", "whiskers", "freckles", "scar", "bruise", "mud")),
}
_PAINTS_OF = {"eyes": ("eyes", "around the eyes")}

#: Changes of geometry that belong to a part: "sad eyes", an "angry mouth".
_SHAPES_OF = {
    "eyes": ("big eyes",),
    "lips": ("smile", "open mouth", "full lips"),
    "brows": ("raised brows",),
    "cheeks": ("full cheeks",),
    "teeth": ("open mouth",),
}
#: Those that somebody always has: "hamster cheeks" are full, where a clown's lips need not smile.
_LASTING = frozenset(("full cheeks", "full lips", "big eyes"))


def paint_on(entry: Entry, part: str, known: Vocabulary) -> Paint | None:
    """Return how something looks on a part: its own paint there, its colour, or that of the stuff it is made of."""
    usual = known.shades.get((part, phrase(entry.title)))
    if usual is not None or part in entry.look.paints:
        return usual or entry.look.paints[part]
    if entry.on_part is not None:
        return entry.on_part
    colour = entry.colour or entry.look.tint
    stuff = known.phrases.get(phrase(entry.look.material)) if entry.look.material else None
    if stuff is not None and stuff.on_part is not None:
        return replace(stuff.on_part, colour=colour or stuff.on_part.colour)
    return Paint(colour) if colour is not None else None


_OF_ANIMALS = frozenset(("animal nose", "whiskers", "fangs"))


def somebody(entry: Entry) -> bool:
    """Tell whether a name is somebody's or an animal's, and not that of food or dirt that may lie on a face."""
    look = entry.look
    return entry.kind == "characters" and ("eyes" in look.paints or bool(look.shape) or any(m.name in _OF_ANIMALS for m in look.marks))


def own_part(atom: Atom, part: Atom, words: Sequence[Token], known: Vocabulary) -> Atom | None:
    """Return one atom for that part of somebody's look, or of a mood: "Cleopatra eyes", "sad eyes"; "sunburnt nose" is not known."""
    if atom.entry is None or atom.kind != "entry" or atom.part or atom.end != part.start:
        return None
    entry, place = atom.entry, part.part
    if (
        entry.kind in ("lights", "processes", "painters", "media")
        and place in PAINTED_PARTS
        and atom.twin is None
        and entry.on_part is None
    ):
        return Atom("unknown", atom.start, part.end)  # "snowy eyebrows" make no winter
    if (
        entry.kind in ("lights", "processes")
        and atom.twin is None
        and part.entry is not None
        and not part.part
        and part.entry.kind == "faces"
    ):
        beard = part.entry.look.marks and all(m.name in BEARD_MARKS | HAIR_MARKS for m in part.entry.look.marks)
        return Atom("unknown", atom.start, part.end) if beard else None  # nor does a "snowy beard"
    mood = entry.kind == "faces" and not entry.thing and not entry.surface and entry.on_part is None and entry.main != "hair"
    if mood and atom.twin is None and part.end == part.start + 1 and words[part.start].root in _ELSEWHERE:
        return Atom("unknown", atom.start, part.end)
    if part.entry is None or part.kind != "entry" or place not in PAINTED_PARTS or not (mood or entry.kind == "characters"):
        return None
    own = Look(
        paints={name: paint for name, paint in entry.look.paints.items() if name in _PAINTS_OF.get(place, (place,))},
        marks=tuple(m for m in entry.look.marks if m.name in _MARKS_OF.get(place, ())),
        shape={n: v for n, v in entry.look.shape.items() if (mood or n in _LASTING) and n in _SHAPES_OF.get(place, ())},
    )
    if not own and entry.kind == "characters" and part.end == part.start + 1:
        paint = paint_on(entry, place, known) if not entry.look.paints else None
        own = Look(paints={place: paint}) if paint is not None else own
        if not own:
            return Atom("unknown", atom.start, part.end)  # "fish teeth" make nobody a fish
    if not own:
        return Atom("unknown", atom.start, part.end) if mood and atom.twin is None and entry.look else None
    return Atom("entry", atom.start, part.end, Entry(f"{entry.title} {part.entry.title}", (), "faces", own, main=place))


def on_hair_or_beard(atom: Atom, hair: Atom) -> Atom | None:
    """Return one atom for "ice in the beard" and "a mohawk that is on fire": that beard, or that cut, in its colour."""
    marks = hair.entry.look.marks if hair.entry is not None and hair.entry.kind == "faces" and not hair.part else ()
    beard = bool(marks) and all(m.name in BEARD_MARKS for m in marks)
    if not (beard or (marks and all(m.name in HAIR_MARKS for m in marks))) or atom.entry is None:
        return None
    if atom.entry.kind == "characters":
        look = Look(marks=tuple(m for m in atom.entry.look.marks if m.name in (BEARD_MARKS if beard else HAIR_MARKS)))
        if not look:
            return None
    elif atom.entry.surface:
        look = Look(paints={"beard" if beard else "hair": Paint(None, texture=atom.entry.surface)}, marks=marks)
    elif atom.entry.on_part is not None:
        look = Look(marks=tuple(replace(m, colour=atom.entry.on_part.colour) for m in marks))
    else:
        return None
    assert hair.entry is not None
    start, end = min(atom.start, hair.start), max(atom.end, hair.end)
    return Atom("entry", start, end, Entry(f"{atom.entry.title} {hair.entry.title}", (), "faces", look))
