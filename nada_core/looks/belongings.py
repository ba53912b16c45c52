"""Read what belongs to somebody: a dragonfly's wings, Spock's ears, Rembrandt's light, a child's drawing, an old photograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.look import PARTS, Look
from nada_core.looks.part_looks import paint_on
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import LIGHT_WORDS, Entry, Vocabulary, phrase

__all__ = ["belonging", "lit_by"]


def belonging(atom: Atom, other: Atom, words: Sequence[Token], known: Vocabulary) -> Atom | None:
    """Return one atom for two of which the second is the first one's, or None."""
    return (
        _old_picture(atom, other, words)
        or _of_its_body(atom, other)
        or _worn_like(atom, other)
        or _ears_of(atom, other, words)
        or _by_a_child(atom, other, words, known)
        or _lit_as(atom, other)
        or _serving_as(atom, other, words, known)
    )


def _old_picture(atom: Atom, picture: Atom, words: Sequence[Token]) -> Atom | None:
    """Return the picture of "an old sepia photo": the picture is old, and nobody in it need be."""
    said = [w.root for w in words[atom.start : atom.end]]
    if atom.end != picture.start or said != ["old"] or picture.entry is None or picture.entry.kind != "processes":
        return None
    return replace(picture, start=atom.start)


#: What is worn on a head, as people of a trade wear it.
_HEADWEAR = frozenset(("hat", "cap", "bandana", "headscarf", "glasses", "sunglasses", "earrings", "eye patch"))


def _worn_like(atom: Atom, worn: Atom) -> Atom | None:
    """Return one atom for "pirate hat" and "nun's veil": the thing alone, in the colour in which somebody of that name wears it."""
    marks = worn.entry.look.marks if worn.entry is not None and worn.entry.kind == "faces" and worn.entry.thing else ()
    if not marks or {m.name for m in marks} - _HEADWEAR or atom.entry is None or atom.entry.kind != "characters" or atom.end != worn.start:
        return None
    own = {m.name: m.colour for m in atom.entry.look.marks}
    coloured = tuple(replace(m, colour=own.get(m.name) or m.colour) for m in marks)
    assert worn.entry is not None
    look = replace(worn.entry.look, marks=coloured)
    return replace(worn, start=atom.start, entry=replace(worn.entry, title=f"{atom.entry.title} {worn.entry.title}", look=look))


#: Marks that are a part of an animal's body: "dragonfly wings" make nobody a dragonfly.
_OF_BODIES = frozenset(("wings", "horns", "antlers", "fangs", "whiskers", "unicorn horn"))


def _of_its_body(atom: Atom, part: Atom) -> Atom | None:
    """Return one atom for "dragonfly wings": the wings alone."""
    marks = {m.name for m in part.entry.look.marks} if part.entry is not None and part.entry.kind == "faces" else set()
    body = bool(marks and marks <= _OF_BODIES) or (part.entry is not None and "tongue" in part.entry.names)
    if not (atom.entry is not None and atom.entry.kind == "characters" and part.entry is not None and body and atom.end == part.start):
        return None
    return replace(part, start=atom.start, entry=replace(part.entry, title=f"{atom.entry.title} {part.entry.title}"))


def _ears_of(atom: Atom, ears: Atom, words: Sequence[Token]) -> Atom | None:
    """Return one atom for "Spock ears": the form of somebody's ears, where it is known."""
    if atom.entry is None or atom.entry.kind != "characters" or atom.end != ears.start or words[ears.end - 1].root != "ear":
        return None
    shape = {name: value for name, value in atom.entry.look.shape.items() if name in ("pointed ears", "big ears")}
    return Atom("entry", atom.start, ears.end, Entry(f"{atom.entry.title} ears", (), "faces", Look(shape=shape))) if shape else None


#: Names of those who draw as children do, and the age up to which one does.
_CHILDREN = frozenset(("child", "kid", "toddler", "baby", "girl", "boy", "little girl", "little boy", "schoolgirl", "schoolboy"))
_CHILD = 12


def _by_a_child(atom: Atom, maker: Atom, words: Sequence[Token], known: Vocabulary) -> Atom | None:
    """Return one atom for "a drawing by a five year old": how a child draws, and no young face."""
    if _childs(atom, words) and maker.entry is not None and maker.entry.kind == "media":
        return replace(maker, start=atom.start)  # "a child's crayon drawing"
    if atom.entry is None or atom.entry.kind != "media" or all(w.root != "by" for w in words[atom.end : maker.start]):
        return None
    child = maker.entry is not None and maker.entry.title in _CHILDREN
    if not child and not (maker.kind == "years" and maker.value <= _CHILD):
        return None
    return Atom("entry", atom.start, maker.end, replace(known.phrases["crayon",], title="child's drawing"))


def _childs(atom: Atom, words: Sequence[Token]) -> bool:
    """Tell whether something is said to be a child's."""
    child = atom.entry is not None and atom.entry.title in _CHILDREN
    return child and words[atom.end - 1].text.lower().replace("’", "'").endswith(("'s", "s'"))


def _lit_as(atom: Atom, light: Atom) -> Atom | None:
    """Return one atom for a painter's light: "Rembrandt lighting" is the light of his pictures on a photograph, and no painting."""
    if atom.entry is None or atom.entry.kind != "painters" or light.part != "light" or atom.end != light.start:
        return None
    look = replace(atom.entry.look, medium="", amounts={}, marks=())
    entry = Entry(f"{atom.entry.title} lighting", (), "lights", look, main="light")
    return Atom("entry", atom.start, light.end, entry) if look else Atom("unknown", atom.start, light.end)


def _serving_as(atom: Atom, part: Atom, words: Sequence[Token], known: Vocabulary) -> Atom | None:
    """Return one atom for "worms for hair" and "a carrot for a nose": a name of its own, that part in its colour, or what is unknown."""
    between = {w.root for w in words[atom.end : part.start]}
    if atom.entry is None or atom.kind != "entry" or atom.part or "for" not in between or not between <= LIGHT_WORDS | {"for"}:
        return None
    if atom.entry.kind not in ("characters", "materials", "colours", "textures"):
        return None
    place = part.part or words[part.start].root
    if not (part.part in PARTS or place in _BODY):
        return None
    named = known.phrases.get((*phrase(" ".join(w.root for w in words[atom.start : atom.end])), words[part.end - 1].root))
    if named is not None:
        return Atom("entry", atom.start, part.end, named)
    paint = paint_on(atom.entry, place, known) if place in PARTS else None
    if paint is None and place in PARTS and "skin" in atom.entry.look.paints:
        paint = atom.entry.look.paints["skin"]
    if paint is None:
        return Atom("unknown", atom.start, part.end)
    return Atom(
        "entry", atom.start, part.end, Entry(f"{atom.entry.title} for {place}", (), "faces", Look(paints={place: paint}), main=place)
    )


#: Parts of a face that have no paint of their own.
_BODY = frozenset(("nose", "clown nose", "ear", "hand", "finger", "arm", "beard"))

#: What gives light: names whose look is another thing, and the name of their light.
_LIGHTS = {"neon": ("neon", "light"), "fire": ("firelight",), "lava": ("firelight",)}


def lit_by(atom: Atom, known: Vocabulary) -> Atom:
    """Return the light of what somebody is lit by; where its light is not known, nothing is."""
    entry = atom.entry
    if entry is None or entry.kind == "lights" or atom.part == "light" or entry.kind == "colours":
        return atom
    name = _LIGHTS.get(entry.look.medium or entry.look.material)
    if name is not None:
        return replace(atom, entry=known.phrases[name], twin=None)
    light = Look(
        paints={part: paint for part, paint in entry.look.paints.items() if part in ("light", "background")},
        brightness=entry.look.brightness,
    )
    if "light" not in light.paints:
        return Atom("unknown", atom.start, atom.end)
    return replace(atom, entry=Entry(f"{entry.title} light", (), "lights", light, main="light"), twin=None)
