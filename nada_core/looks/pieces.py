"""Define one understood piece of a text, and combine pieces into one look: stronger, weaker, without something."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from nada_core.looks.colours import difference
from nada_core.looks.look import BEARD_MARKS, HAIR_MARKS, WHOLES, Lab, Look, Mark, Paint

__all__ = ["SAME_COLOUR", "Understood", "as_worn", "beardless", "combined", "laid", "scaled", "subtracted", "swatches"]

#: Colours nearer than this are the same colour to people, when one of them is to be taken away.
SAME_COLOUR = 45.0
_SAME_LIGHT = 50.0


@dataclass(frozen=True)
class Understood:
    """One piece of a text that was understood.

    Attributes:
        words: the person's own words, in their order.
        title: plain words for what it was understood as.
        look: what it adds.
        swatches: (part or thing, its colour in Lab).
        removes: what it takes away from the rest of the text ("without red nose"); colours near these and marks of these names go.
        parts: parts and marks that it takes away whatever their colour ("without make-up").
        keeps: share that stays of what it takes away: half where "less" is said.
        instead: what is seen where there is nothing to take away: "not smiling" is a straight mouth.
        costume: True where it says what somebody is dressed as; of another's face it changes nothing ("zombie bride").
        own: True where its first part is to be as it is, whatever the rest is made of ("statue with human eyes").
        masked: True where what covers the face is worn: "Spider-Man without the mask" is his suit alone.
        rank: order in which pieces are put together; later ones win. Details (9) beat whole looks.
    """

    words: str
    title: str
    look: Look = field(default_factory=Look)
    swatches: tuple[tuple[str, Lab], ...] = ()
    removes: Look = field(default_factory=Look)
    parts: tuple[str, ...] = ()
    keeps: float = 0.0
    instead: Look = field(default_factory=Look)
    costume: bool = False
    own: bool = False
    masked: bool = False
    rank: int = 9


def swatches(look: Look) -> tuple[tuple[str, Lab], ...]:
    """Return (part or thing, colour) for every colour that a look names."""
    paints = [(part, p.colour) for part, p in look.paints.items() if p.colour is not None]
    marks = [(m.name, m.colour) for m in look.marks if m.colour is not None]
    return (*paints, *marks, *((("material", look.tint),) if look.tint else ()))


def scaled(look: Look, factor: float) -> Look:
    """Return the look stronger or weaker."""
    return replace(
        look,
        paints={part: replace(p, amount=round(min(1.0, p.amount * factor), 3)) for part, p in look.paints.items()},
        shape={name: round(max(-1.3, min(1.3, value * factor)), 3) for name, value in look.shape.items()},
        marks=tuple(replace(m, amount=round(min(1.0, m.amount * factor), 3)) for m in look.marks),
        amounts={w: round(min(1.3, look.amounts.get(w, 1.0) * factor), 3) for w in WHOLES if getattr(look, w)},
        brightness=round(max(-1.0, min(1.0, look.brightness * factor)), 3),
    )


def beardless(look: Look) -> Look:
    """Return the look as a child wears it: without a beard, and without the age of whoever has one."""
    bare = look.without("beard")
    shape = {name: value for name, value in bare.shape.items() if not (name == "age" and value > 0)}
    return replace(bare, marks=tuple(m for m in bare.marks if m.name not in BEARD_MARKS), shape=shape)


def _same(one: Lab | None, other: Lab | None) -> bool:
    return one is None or other is None or (difference(one, other) < SAME_COLOUR and abs(one[0] - other[0]) < _SAME_LIGHT)


def subtracted(look: Look, removed: Look, parts: Iterable[str] = ()) -> Look:
    """Return the look without what ``removed`` says and without anything painted or drawn on ``parts``."""
    gone, named = set(parts), {m.name: m for m in removed.marks}
    if "beard" in gone or any(m.name == "beard" and m.colour is None for m in removed.marks):
        gone |= {"beard", "long beard"}  # painted or drawn, it is one beard

    def stays(part: str, paint: Paint) -> bool:
        if part in gone:
            return False
        other = removed.paints.get(part)
        if other is None:
            return True
        # a colour goes with a colour, a surface with the same surface
        return not (_same(paint.colour, other.colour) if other.colour is not None else paint.texture == other.texture)

    def drawn(mark: Mark) -> bool:
        return mark.name not in gone and not (mark.name in named and _same(mark.colour, named[mark.name].colour))

    return replace(
        look,
        paints={part: p for part, p in look.paints.items() if stays(part, p)},
        marks=tuple(m for m in look.marks if drawn(m)),
        shape={n: v for n, v in look.shape.items() if v * removed.shape.get(n, 0.0) <= 0},
        material="" if look.material == removed.material else look.material,
        medium="" if look.medium == removed.medium else look.medium,
        process="" if look.process == removed.process else look.process,
        amounts={w: a for w, a in look.amounts.items() if getattr(look, w) != getattr(removed, w)},
        tint=None if removed.tint and look.tint and _same(look.tint, removed.tint) else look.tint,
        brightness=0.0 if look.brightness * removed.brightness > 0 else look.brightness,
    )


def lessened(look: Look, removed: Look, parts: Iterable[str], keeps: float) -> Look:
    """Return the look with a share of what :func:`subtracted` would take away altogether: "less green"."""
    rest = subtracted(look, removed, parts)
    weak = scaled(look, keeps)
    left = {m.name for m in rest.marks}
    return replace(
        look,
        paints={part: p if part in rest.paints else weak.paints[part] for part, p in look.paints.items()},
        marks=tuple(m if m.name in left else w for m, w in zip(look.marks, weak.marks)),
        shape={n: v if n in rest.shape else weak.shape[n] for n, v in look.shape.items()},
        amounts={**look.amounts, **{w: a for w, a in weak.amounts.items() if not getattr(rest, w)}},
        brightness=rest.brightness or weak.brightness,
    )


#: Surfaces that a part keeps when it is only said to have another colour: a "pink zombie" is as rotten as a green one.
_KEPT = frozenset(
    ("smooth", "rough", "wrinkled", "scaly", "cracked", "rotten", "furry", "veined", "dusty", "bloody", "muddy", "frosty", "glossy")
)
#: Parts that are no skin of somebody: they keep their colours when he is another one.
_APART = frozenset(("clothing", "background", "light", "teeth"))
_LIKE_SKIN, _GREYISH = 35.0, 15.0


def _recoloured(look: Look, whole: Look, paint: Paint) -> Look:
    """Return the look with the skin in another colour, and with it whatever had the skin's colour: "the hulk but red" has red lips.

    Args:
        look: as far as it has been put together.
        whole: the part of it that is no detail said by the person.
        paint: the skin's new one.
    """
    old = whole.paints["skin"].colour
    assert old is not None and paint.colour is not None
    vivid = math.hypot(old[1], old[2]) > _GREYISH
    light, a, b = paint.colour

    def moved(colour: Lab) -> Lab:
        return round(min(97.0, max(3.0, light + colour[0] - old[0])), 1), a, b

    def alike(colour: Lab | None, near: float = _LIKE_SKIN) -> bool:
        if colour is None:
            return False
        # the white hair of a pale ghost is white in its own right unless it is the very same
        return difference(colour, old) < (near if vivid and math.hypot(colour[1], colour[2]) > _GREYISH else 5.0)

    def stays(part: str, p: Paint) -> bool:
        return part == "skin" or part in _APART or p != whole.paints.get(part) or not alike(p.colour)

    return replace(
        look,
        paints={part: p if stays(part, p) else replace(p, colour=moved(p.colour or old)) for part, p in look.paints.items()},
        marks=tuple(
            replace(m, colour=moved(m.colour or old)) if m in whole.marks and vivid and alike(m.colour, 20.0) else m for m in look.marks
        ),
    )


#: Marks of which a face has only one: a detail takes the place of what a whole look brings.
_HAIR_PATTERNS = frozenset(("half hair", "hair strands", "hair tips"))
_ONE_OF = (frozenset(("beard", "long beard", "goatee")), HAIR_MARKS - _HAIR_PATTERNS - {"curly hair"})


#: What a mark is where a look has the other one: a "white beard" after a long one, the "silver horn" of a unicorn.
_SAME_THING = {"beard": "long beard", "horns": "unicorn horn", "clown nose": "animal nose"}
#: What of a costume is seen on somebody else: a "dragon as a teacher" has a dragon's face.
_WORN_PARTS = ("clothing", "background", "light")
_WORN = frozenset(
    ("crown", "cap", "hat", "helmet", "bandana", "headscarf", "halo", "surgical mask", "earrings", "glasses", "sunglasses", "eye mask",
     "eye patch", "war paint", "flowers", "mud", "blood", "wings", "piercings", "tattoo")
)  # fmt: skip


def as_worn(look: Look) -> Look:
    """Return what of a costume is worn."""
    paints = {part: paint for part, paint in look.paints.items() if part in _WORN_PARTS}
    return Look(paints=paints, marks=tuple(m for m in look.marks if m.name in _WORN))


def _one_beard(look: Look, whole: Look, piece: Understood) -> tuple[Look, Look]:
    """Return a look without the beard and the cut that a detail replaces, and the detail: a white beard after a long one is that one."""
    said = piece.look
    for usual, own in _SAME_THING.items():
        if any(m.name == own for m in look.marks):
            said = replace(said, marks=tuple(replace(m, name=own) if m.name == usual else m for m in said.marks))
    for names in _ONE_OF:
        new = {m.name for m in said.marks} & names
        if new:
            look = replace(look, marks=tuple(m for m in look.marks if m.name not in names or m not in whole.marks))
            look = look.without("beard") if new & BEARD_MARKS else look
    return look, said


def _other_hair(look: Look, whole: Look, paint: Paint) -> Look:
    """Return the look with the hair of a whole look in another colour, however it is cut: "Einstein with pink hair"."""
    kept = (m for m in look.marks if m not in whole.marks or m.name not in _HAIR_PATTERNS)
    return replace(look, marks=tuple(replace(m, colour=paint.colour) if m in whole.marks and m.name in HAIR_MARKS else m for m in kept))


def _detailed(look: Look, whole: Look, piece: Understood) -> Look:
    """Return the look with a detail laid over it."""
    look, said = _one_beard(look, whole, piece)
    paints = said.paints
    for part, paint in paints.items():
        earlier = whole.paints.get(part)
        if paint.colour is None or paint.texture or earlier is None or earlier.colour is None or look.paints.get(part) != earlier:
            continue
        if part == "skin" and len(paints) == 1:
            look = _recoloured(look, whole, paint)
        if part == "hair":
            look = _other_hair(look, whole, paint)
        if earlier.texture in _KEPT or (earlier.texture == "striped" and part == "skin"):
            paints = {**paints, part: replace(paint, texture=earlier.texture)}
            if part == "skin" and earlier.texture == "striped":
                said = replace(said, marks=tuple(m for m in said.marks if m.name != "half face"))  # a blue and black tiger has stripes
    return look + replace(said, paints=paints)


def _taken(look: Look, piece: Understood, before: Iterable[Understood]) -> Look:
    """Return the look without what a piece refuses; a colour that was asked for by another name stays ("pale but not white")."""
    if piece.keeps:
        rest = lessened(look, piece.removes, piece.parts, piece.keeps)
    else:
        rest = subtracted(look, piece.removes, piece.parts)
    if piece.removes == Look(paints=piece.removes.paints) and not piece.parts:
        refused = piece.title.partition(" ")[2]
        for other in before:
            if other.rank == 9 and other.look.paints and other.look == Look(paints=other.look.paints) and other.title not in refused:
                rest = rest + other.look
    return rest + piece.instead if rest == look and piece.instead else rest


def _of_many_parts(look: Look) -> bool:
    return len(look.paints) > 1 or bool(look.marks and look.shape) or bool(look.paints and (look.shape or look.marks))


def laid(pieces: Iterable[Understood]) -> list[Understood]:
    """Return pieces in the order in which they are laid over one another.

    What is said of one part wins over what the same words bring along elsewhere: a "blue-haired granny" has no grey hair.
    """
    return sorted(pieces, key=lambda p: (p.rank, p.rank == 9 and not _of_many_parts(p.look)))


def _of_one_age(row: list[Understood]) -> list[Understood]:
    """Return details without the grey hair of an age that a later one takes back: "my grandfather when he was young"."""
    years = [p.look.shape.get("age", 0.0) if p.rank == 9 and not p.removes else 0.0 for p in row]
    undone = [any(year * later < 0 for later in years[at + 1 :]) for at, year in enumerate(years)]
    return [replace(p, look=replace(p.look, paints={})) if gone else p for p, gone in zip(row, undone)]


def _lighting(look: Look, people: Iterable[str]) -> dict[str, Paint]:
    """Return the paints of a light without the colours of parts that somebody brings along; a fashion ("goth") keeps all of its own."""
    if look.marks or "clothing" in look.paints:
        return dict(look.paints)
    return {part: paint for part, paint in look.paints.items() if part not in people or paint.colour is None}


def combined(pieces: Iterable[Understood]) -> Look:
    """Return the look that the pieces make together: whole looks first, then details and what is not wanted, in their order."""
    look = whole = Look()
    row = _of_one_age(laid(pieces))
    if any(p.rank == 1 and not p.costume and "skin" in p.look.paints for p in row):
        row = [replace(p, look=as_worn(p.look)) if p.costume else p for p in row]
    people = {part for p in row if p.rank == 1 for part in p.look.paints if part in ("skin", "hair", "eyes", "lips", "brows")}
    if people:
        # a vampire at the beach is not tanned
        row = [replace(p, look=replace(p.look, paints=_lighting(p.look, people))) if p.rank == 3 else p for p in row]
    for at, piece in enumerate(row):
        look = look + piece.look if piece.rank != 9 else _detailed(look, whole, piece)
        whole = look if piece.rank != 9 else whole
        if piece.rank == 9 and len(piece.look.paints) == 1 and piece.look == Look(paints=piece.look.paints):
            # a colour that is said of one part is seen on a statue and in a black and white photograph, too
            # and a rainbow without colours is none
            seen = (
                p
                for p, paint in piece.look.paints.items()
                # a rusty robot and a mossy statue are so all over, whatever they are made of
                if p not in ("skin", "light") or (p == "skin" and (paint.texture == "rainbow" or (paint.texture and paint.colour is None)))
            )
            look = look + Look(over=tuple(seen))
        if piece.own:
            look = look + Look(over=piece.parts[:1])
        if piece.removes or piece.parts:
            look = _taken(look, piece, row[:at])
    return look if any(getattr(look, name) for name in WHOLES) else replace(look, over=())
