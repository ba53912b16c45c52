"""Read comparisons: "hair like fire", "skin of gold", "tears made of silver", "white as snow", "statue of a bearded man"."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

from nada_core.looks import whole_names
from nada_core.looks.atoms import Atom
from nada_core.looks.belongings import belonging, lit_by
from nada_core.looks.look import HAIR_MARKS, PARTS, Look, Mark, Paint
from nada_core.looks.neighbours import Here, Joined, person, roots
from nada_core.looks.part_looks import on_hair_or_beard, paint_on
from nada_core.looks.places import placed
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import LIGHT_WORDS, Entry, Vocabulary, phrase

__all__ = ["compared"]

#: What stands between a part and what it is said to be: "her hair is on fire", "eyes turned to ice".
_BEING = frozenset(("is", "are", "was", "were", "be", "become", "becoming", "becomes", "turned", "turning", "all", "now", "to", "into"))
_FADES = frozenset("fading faded blending melting turning ombre going".split())
#: Words that end the name of something made of a material.
_STATUES = frozenset("statue sculpture bust figure figurine statuette carving effigy monument head mannequin".split())
_SAID_OF_BEARDS = frozenset("bearded moustached mustached moustachioed horned crowned winged helmeted masked tattooed bald".split())
#: Materials whose names are colours of hair, too.
_HAIR_COLOURS = frozenset(("gold", "silver", "copper"))


def compared(row: Sequence[Atom], words: Sequence[Token], known: Vocabulary) -> list[Atom]:
    """Return the atoms with comparisons put together.

    A part like something ("hair like fire", "skin of gold") is that part alone; a colour like something ("white as snow") is the colour; an
    unknown thing of something ("guardians of the galaxy") is unknown as a whole. The first rule of :data:`_RULES` that fits decides.
    """
    row = _standing_alone(row, words)
    done: list[Atom] = []
    at = 0
    while at < len(row):
        here = Here(row, at, row[at], done, words, known)
        joined = None
        if at + 1 < len(row):
            here = _with_skin(here)
            joined = next((found for rule in _RULES if (found := rule(here)) is not None), None)
        if joined is None:
            joined = [replace(here.atom, kind="unknown") if here.atom.kind == "story" else here.atom], 1
        done.extend(joined[0])
        at += joined[1]
    return done


def _standing_alone(row: Sequence[Atom], words: Sequence[Token]) -> list[Atom]:
    """Return the atoms, materials that are nouns of their own without their meaning as a colour.

    In "a marble bust of a bearded man" the marble says nothing about the beard, nor in "a wooden bearded man".
    """
    done = list(row)
    for i, (atom, after) in enumerate(itertools.pairwise(row)):
        entry = atom.entry
        if entry is None or entry.on_part is None or entry.kind != "materials":
            continue
        between = {w.root for w in words[atom.end : after.start]}
        noun = words[atom.end - 1].root in _STATUES or bool(between & _STATUES)
        apart = noun or ("of" in between and not between & {"in", "on", "over"})
        if after.kind == "face" and i + 2 < len(row):
            apart = apart or any(w.root == "of" for w in words[after.end : row[i + 2].start])  # "chocolate head of a bearded man"
        person = i + 2 < len(row) and not row[i + 2].part and row[i + 2].kind in ("person", "entry")
        how = words[after.start]
        described = how.text.lower() in _SAID_OF_BEARDS and not how.joined and person and entry.title not in _HAIR_COLOURS
        if apart or (described and not between):
            done[i] = replace(atom, entry=replace(entry, on_part=None, colour=None), twin=None)
    return done


def _with_skin(here: Here) -> Here:
    """Take "skin" for a part where it is compared or said to be something: "skin like chocolate", "the skin is gold"."""
    said = here.likens or here.of_next() or bool(here.between & {"is", "was"})
    if here.atom.kind != "face" or here.words[here.atom.start].root != "skin" or not said:
        return here
    skin = replace(here.known.phrases["complexion",], title="skin")
    return replace(here, atom=replace(here.atom, kind="entry", entry=skin))


def _formed(here: Here) -> bool:
    """Tell whether the atom's form was said right before it: "thin eyebrows like the 1920s" are thin."""
    last = here.done[-1] if here.done else None
    return last is not None and last.end == here.atom.start and "form" in (last.kind, last.twin.kind if last.twin else "")


def _said_to_be(here: Here) -> bool:
    """Tell whether a part is said to be something that has a colour as a part of a face: "her hair is on fire"."""
    other, entry = here.next, here.next.entry
    if entry is None or other.kind != "entry" or other.part or (entry.on_part is None and entry.kind not in ("materials", "characters")):
        return False
    if entry.kind == "characters" and not here.between & {"into", "to"}:
        return False
    return bool(here.between & _BEING) and here.between <= LIGHT_WORDS | _BEING


def _made(atom: Atom, words: Sequence[Token]) -> bool:
    """Tell whether a name begins with "made of" itself."""
    return atom.entry is not None and roots(atom, words)[0] == "made"


def _hairy(here: Here) -> Joined | None:
    """Read "his beard is on fire" and "a beard like steel"."""
    if _said_to_be(here) and (burning := on_hair_or_beard(here.next, here.atom)) is not None:
        return [burning], 2
    if here.like is not None and not _formed(here) and (hairy := on_hair_or_beard(here.like, here.atom)) is not None:
        return [hairy], 3
    return None


def _part(here: Here) -> Joined | None:
    """Read "eyes like a cat", "skin of gold", "lips made of glass", "hair turned to ice"."""
    atom, like, done = here.atom, here.like, here.done
    if atom.entry is None or not atom.part or atom.kind != "entry" or _formed(here):
        return None
    if like is not None and like.kind == "colour" and len(here.after) > 2 and replace(here, at=here.at + 2, atom=like).likens:
        return [atom], 2  # "lips as red as blood": the first "as" says nothing
    if like is not None:
        if person(like) and done and done[-1].kind == "colour" and _listed_before(done):
            return [atom], 1  # "black skin and white hair like Storm": all of it is hers
        if done and done[-1].end == atom.start and _how(done[-1], like):
            return [replace(atom, end=like.end)], 3  # "red eyes like blood" are red
    elif not (_said_to_be(here) or _made(here.next, here.words) or here.of_next("made", "out", "color")):
        return None
    other = like or here.next
    if other.entry is None or other.part or other.entry.surface:
        return None
    return [_part_like(atom, other, here.words, here.known)], 2 if like is None else 3


def _how(before: Atom, other: Atom) -> bool:
    """Tell whether an atom before a part says how it looks, so that a likeness adds nothing: "golden eyes like a lion"."""
    if before.kind == "colour":
        return not person(other)
    return before.entry is not None and (before.entry.on_part is not None or bool(before.entry.surface))


def _listed_before(done: Sequence[Atom]) -> bool:
    """Tell whether the coloured part at hand ends a list of parts: "black skin and white ..."."""
    if len(done) < 3 or done[-2].kind not in ("and", ","):
        return False
    first = done[-3]
    return bool(first.part) or (first.entry is not None and first.entry.kind == "faces" and bool(first.entry.look.paints))


def _part_like(part: Atom, other: Atom, words: Sequence[Token], known: Vocabulary) -> Atom:
    """Return one atom for "eyes like a cat": a name of its own ("cat eyes"), that part of the other look, or nothing that is known."""
    assert part.entry is not None and other.entry is not None
    start, end, name = min(part.start, other.start), max(part.end, other.end), part.part
    own = tuple(root for root in (*roots(other, words), *roots(part, words)) if root not in LIGHT_WORDS | {"made"})
    entry = known.phrases.get(own) or known.unordered.get(tuple(sorted(own)))
    if entry is None and name in PARTS:
        paint = known.shades.get((name, phrase(other.entry.title))) or paint_on(other.entry, name, known)
        marks = tuple(m for m in other.entry.look.marks if m.name in HAIR_MARKS) if name == "hair" else ()
        if paint is not None or marks:
            look = Look(paints={name: paint} if paint is not None else {}, marks=marks)
            entry = Entry(f"{part.entry.title} like {other.entry.title}", (), "faces", look, main=name)
    return Atom("unknown", start, end) if entry is None else Atom("entry", start, end, entry)


def _painted_mark(here: Here) -> Joined | None:
    """Read "white face paint dots": white dots."""
    atom, mark, done = here.atom, here.next, here.done
    paint = atom.kind == "face" and here.words[atom.end - 1].root in ("paint", "facepaint", "painting") and atom.end == mark.start
    drawn = mark.entry is not None and mark.entry.kind == "faces" and not mark.part and bool(mark.entry.look.marks)
    coloured = bool(done) and done[-1].kind == "colour" and done[-1].end == atom.start
    return ([replace(mark, start=atom.start)], 2) if paint and drawn and coloured else None


def _lit(here: Here) -> Joined | None:
    """Read "lit by" with what gives the light."""
    if here.atom.kind != "with" or roots(here.atom, here.words) != ("lit", "by") or here.next.entry is None:
        return None
    return [here.atom, lit_by(here.next, here.known)], 2


def _half_face(here: Here) -> Joined | None:
    """Read "half his face burnt" as a burnt face."""
    half, name = here.atom, here.next
    if half.kind != "degree" or roots(half, here.words) != ("half",) or name.kind != "entry":
        return None
    if name.end <= name.start + 1 or here.words[name.start].root != "face":
        return None
    return [Atom("unknown", half.start, name.start + 1), replace(name, start=name.start + 1)], 2


def _fading(here: Here) -> Joined | None:
    """Read "pink hair fading into blue": its ends are of another colour."""
    after, hair = here.after, here.atom
    if len(after) < 2 or hair.part != "hair":
        return None
    at = next((i for i, atom in enumerate(after[:3]) if atom.kind == "colour"), 0)
    between = {w.root for w in here.words[hair.end : after[at].start]}
    entry = after[at].entry
    if entry is None or not between & _FADES or not between & {"to", "into"} or not between <= _FADES | {"to", "into", "a"}:
        return None
    paint = here.known.shades.get(("hair", phrase(entry.title))) or Paint(entry.colour)
    look = Look(marks=(Mark("hair tips", 1.0, paint.colour),))
    tips = Atom("entry", hair.end, after[at].end, Entry(f"{entry.title} hair tips", (), "faces", look))
    return [hair, Atom("and", hair.end, hair.end), tips], at + 2


_GOING = _FADES | {"from", "go", "goe", "fade", "blend", "melt", "turn", "change", "changing", "that", "is", "to", "into", "the", "a"}


def _from_to(here: Here) -> Joined | None:
    """Read "hair from blue to green": blue, with green ends."""
    after = here.after
    at = [i for i, atom in enumerate(after) if atom.kind == "colour"][:2]
    if here.atom.part != "hair" or here.atom.kind != "entry" or len(at) < 2:
        return None
    first, second = (after[i].entry for i in at)
    before = {w.root for w in here.words[here.atom.end : after[at[0]].start]}
    between = {w.root for w in here.words[after[at[0]].end : after[at[1]].start]}
    if first is None or second is None or "from" not in before or not before <= _GOING:
        return None
    if not between & {"to", "into"} or not between <= _GOING:
        return None
    one, other = (here.known.shades.get(("hair", phrase(e.title))) or Paint(e.colour) for e in (first, second))
    look = Look(paints={"hair": one}, marks=(Mark("hair tips", 1.0, other.colour),))
    entry = Entry(f"hair from {first.title} to {second.title}", (), "faces", look, main="hair")
    return [Atom("entry", here.atom.start, after[at[1]].end, entry)], at[1] + 2


def _instead(here: Here) -> Joined | None:
    """Read "smoke instead of hair": hair like smoke, or nothing that is known."""
    atom, after = here.atom, here.after
    if len(after) < 2 or here.next.kind != "no" or roots(here.next, here.words)[0] != "instead":
        return None
    part = after[1]
    if not part.part or part.kind != "entry" or atom.entry is None or atom.kind != "entry" or atom.part:
        return None
    if atom.entry.kind not in ("materials", "characters", "faces"):
        return None
    return [replace(_part_like(part, atom, here.words, here.known), start=atom.start, end=part.end)], 3


def _belonging(here: Here) -> Joined | None:
    own = belonging(here.atom, here.next, here.words, here.known)
    return None if own is None else ([own], 2)


def _ears_like(here: Here) -> Joined | None:
    """Read "ears like a vulcan" as a vulcan's ears; of others only the ears are spoken of, and nobody becomes one."""
    atom, like = here.atom, here.like
    if like is None or like.entry is None or not person(like) or atom.kind != "thing" or roots(atom, here.words) != ("ear",):
        return None
    own = belonging(replace(like, end=atom.start), atom, here.words, here.known)
    if own is None:
        return [Atom("unknown", atom.start, like.end)], 3
    return [replace(own, start=atom.start, end=like.end)], 3


def _made_of(here: Here) -> Joined | None:
    """Read a drawn thing of a material: "tears made of silver", "a crown of gold".

    Of what has no colour ("a tattoo of a ship") only the thing is known.
    """
    entry, other = here.atom.entry, here.like or here.next
    if entry is None or other.entry is None or entry.kind != "faces" or not entry.look.marks or here.atom.part:
        return None
    linked = here.like is not None and roots(here.next, here.words)[0] == "made"
    between = {w.root for w in here.words[here.atom.end : other.start]}
    of = "of" in between and between <= LIGHT_WORDS | {"made", "out"}
    if not _made(other, here.words) and not linked and not of:
        return None
    count = 2 if here.like is None else 3
    paint = other.entry.on_part or (Paint(other.entry.colour) if other.entry.colour is not None else None)
    if paint is None:
        return [here.atom, Atom("unknown", other.start, other.end)], count
    look = replace(entry.look, marks=tuple(replace(m, colour=paint.colour) for m in entry.look.marks))
    made = Entry(f"{other.entry.title} {entry.title}", (), "faces", look)
    return [Atom("entry", here.atom.start, other.end, made)], count


def _placed(here: Here) -> Joined | None:
    return placed(here.row, here.at, here.words, here.known)


def _colour_like(here: Here) -> Joined | None:
    """Read "white as snow": the colour; "green like Hulk" names someone."""
    atom, other = here.atom, here.like
    named_by_it = atom.kind == "entry" and not person(atom) and (here.words[atom.end - 1].root,) in here.known.colours
    if other is None or not (atom.kind == "colour" or named_by_it):
        return None
    named = person(other) and roots(here.next, here.words) != ("as",)
    known = other.entry is not None and not other.part and not named
    return ([replace(atom, end=other.end)], 3) if known or other.kind == "unknown" else None


def _surface_like(here: Here) -> Joined | None:
    """Read "cracked like old paint": all up to the next sign or small word says what the surface is like."""
    entry = here.atom.entry
    if entry is None or not entry.surface or not here.likens:
        return None
    kinds = ("entry", "colour", "unknown", "thing", "form", "lightness")
    told = list(itertools.takewhile(lambda atom: atom.kind in kinds and not atom.part, here.row[here.at + 2 :]))
    return ([replace(here.atom, end=told[-1].end)], len(told) + 2) if told else None


_RULES: tuple[Callable[[Here], Joined | None], ...] = (
    _hairy,
    _part,
    whole_names.persons_own,
    whole_names.mere_lord,
    whole_names.masked,
    whole_names.shaped,
    _painted_mark,
    _lit,
    _half_face,
    _fading,
    _from_to,
    _instead,
    _belonging,
    _ears_like,
    _made_of,
    whole_names.bracketed_story,
    whole_names.named_after,
    _placed,
    _colour_like,
    _surface_like,
    whole_names.surname,
    whole_names.unknown_whole,
)
