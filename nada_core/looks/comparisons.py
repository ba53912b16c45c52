"""Read comparisons: "hair like fire", "gold on the lips", "guardians of the galaxy", "statue of a bearded man"."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.belongings import belonging, lit_by
from nada_core.looks.look import HAIR_MARKS, PARTS, Look, Mark, Paint
from nada_core.looks.part_looks import on_hair_or_beard, paint_on
from nada_core.looks.places import placed
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import LIGHT_WORDS, Entry, Vocabulary, phrase

__all__ = ["compared"]

_LIKE = frozenset(
    {
        ("like",),
        ("as",),
        ("made", "of"),
        ("made", "out", "of"),
        ("made", "from"),
        ("resembling",),
        ("similar", "to"),
        ("into",),
        ("turned", "to"),
        ("turned", "into"),
    }
)


def _roots(atom: Atom, words: Sequence[Token]) -> tuple[str, ...]:
    return tuple(w.root for w in words[atom.start : atom.end])


def _meant(atom: Atom, words: Sequence[Token]) -> tuple[str, ...]:
    return tuple(root for root in _roots(atom, words) if root not in LIGHT_WORDS)


def _like(atom: Atom, words: Sequence[Token]) -> bool:
    return atom.kind == "with" and _roots(atom, words) in _LIKE


def _of(one: Atom, other: Atom, words: Sequence[Token], *more: str) -> bool:
    """Tell whether only "of", articles and ``more`` stand between two atoms."""
    between = {w.root for w in words[one.end : other.start]}
    return "of" in between and between <= LIGHT_WORDS.union(more)


def _made(atom: Atom, words: Sequence[Token]) -> bool:
    """Tell whether a name begins with "made of" itself."""
    return atom.entry is not None and _roots(atom, words)[0] == "made"


#: What stands between a part and what it is said to be: "her hair is on fire", "eyes turned to ice".
_BEING = frozenset(("is", "are", "was", "were", "be", "become", "becoming", "becomes", "turned", "turning", "all", "now", "to", "into"))


def _instead(atom: Atom, after: Sequence[Atom], words: Sequence[Token], known: Vocabulary) -> Atom | None:
    """Return one atom for "smoke instead of hair": hair like smoke, or nothing that is known."""
    if after[0].kind != "no" or _roots(after[0], words)[0] != "instead" or not after[1].part or after[1].kind != "entry":
        return None
    if atom.entry is None or atom.kind != "entry" or atom.part or atom.entry.kind not in ("materials", "characters", "faces"):
        return None
    like = _part_like(after[1], atom, words, known)
    return replace(like, start=atom.start, end=after[1].end)


def _how(before: Atom, other: Atom) -> bool:
    """Tell whether an atom before a part says how it looks, so that a likeness adds nothing: "golden eyes like a lion"."""
    if before.kind == "colour":
        return not _person(other)
    return before.entry is not None and (before.entry.on_part is not None or bool(before.entry.surface))


def _likened(row: Sequence[Atom], at: int) -> int:
    """Return how many atoms after a surface say what it is like: all up to the next sign or small word."""
    end = at + 2
    while end < len(row) and row[end].kind in ("entry", "colour", "unknown", "thing", "form", "lightness") and not row[end].part:
        end += 1
    return end - 1 - at if end > at + 2 else 0


def _said_to_be(part: Atom, other: Atom, words: Sequence[Token]) -> bool:
    """Tell whether a part is said to be something that has a colour as a part of a face: "her hair is on fire"."""
    between = {w.root for w in words[part.end : other.start]}
    entry = other.entry
    if entry is None or other.kind != "entry" or other.part or (entry.on_part is None and entry.kind not in ("materials", "characters")):
        return False
    if entry.kind == "characters" and not between & {"into", "to"}:
        return False
    return bool(between & _BEING) and between <= LIGHT_WORDS | _BEING


def _part_like(part: Atom, other: Atom, words: Sequence[Token], known: Vocabulary) -> Atom:
    """Return one atom for "eyes like a cat": a name of its own ("cat eyes"), that part of the other look, or nothing that is known."""
    assert part.entry is not None and other.entry is not None
    start, end, name = min(part.start, other.start), max(part.end, other.end), part.part
    own = tuple(root for root in (*_roots(other, words), *_roots(part, words)) if root not in LIGHT_WORDS | {"made"})
    entry = known.phrases.get(own) or known.unordered.get(tuple(sorted(own)))
    if entry is None and name in PARTS:
        paint = known.shades.get((name, phrase(other.entry.title))) or paint_on(other.entry, name, known)
        marks = tuple(m for m in other.entry.look.marks if m.name in HAIR_MARKS) if name == "hair" else ()
        if paint is not None or marks:
            look = Look(paints={name: paint} if paint is not None else {}, marks=marks)
            entry = Entry(f"{part.entry.title} like {other.entry.title}", (), "faces", look, main=name)
    return Atom("unknown", start, end) if entry is None else Atom("entry", start, end, entry)


def compared(row: Sequence[Atom], words: Sequence[Token], known: Vocabulary) -> list[Atom]:
    """Return the atoms with comparisons put together.

    A part like something ("hair like fire", "skin of gold") is that part alone; a colour like something ("white as snow") is the colour; an
    unknown thing of something ("guardians of the galaxy") is unknown as a whole.
    """
    row = _standing_alone(row, words)
    done: list[Atom] = []
    at = 0
    while at < len(row):
        atom, after = row[at], list(row[at + 1 : at + 5])
        formed = bool(done) and done[-1].end == atom.start and "form" in (done[-1].kind, done[-1].twin.kind if done[-1].twin else "")
        if atom.kind == "face" and words[atom.start].root == "skin" and after and (_like(after[0], words) or _of(atom, after[0], words)):
            atom = replace(atom, kind="entry", entry=replace(known.phrases["complexion",], title="skin"))  # "skin like chocolate"
        # "thin eyebrows like the 1920s" are thin
        if after and _said_to_be(atom, after[0], words) and (burning := on_hair_or_beard(after[0], atom)) is not None:
            done.append(burning)  # "his beard is on fire"
            at += 2
            continue
        if len(after) > 1 and _like(after[0], words) and not formed and (hairy := on_hair_or_beard(after[1], atom)) is not None:
            done.append(hairy)  # "a beard like steel"
            at += 3
            continue
        if atom.entry is not None and atom.part and atom.kind == "entry" and after and not formed:
            linked = _like(after[0], words) and len(after) > 1
            said = _said_to_be(atom, after[0], words)
            if linked and after[1].kind == "colour" and len(after) > 2 and _like(after[2], words):
                done.append(atom)  # "lips as red as blood": the first "as" says nothing
                at += 2
                continue
            other = (
                after[1]
                if linked
                else after[0]
                if said or _made(after[0], words) or _of(atom, after[0], words, "made", "out", "color")
                else None
            )
            # "eyes like emeralds" are no part of a list
            if other is not None and linked and _person(other) and done and done[-1].kind == "colour" and _listed_before(done):
                done.append(atom)  # "black skin and white hair like Storm": all of it is hers
                at += 1
                continue
            if other is not None and linked and done and done[-1].end == atom.start and _how(done[-1], other):
                done.append(replace(atom, end=other.end))  # "red eyes like blood" are red
                at += 3
                continue
            if other is not None and other.entry is not None and not other.part and not other.entry.surface:
                done.append(_part_like(atom, other, words, known))
                at += 3 if linked else 2
                continue
        if after and _person(after[0]) and atom.entry is not None and atom.entry.kind == "faces" and _of(atom, after[0], words):
            named = known.phrases.get((*_meant(after[0], words), *_meant(atom, words)))  # "the smile of the Joker" is the Joker's smile
            if named is not None:
                done.append(Atom("entry", atom.start, after[0].end, named))
                at += 2
                continue
        if after and _person(atom) and after[0].entry is not None and after[0].entry.surface and _of(atom, after[0], words):
            done.extend((atom, replace(after[0], kind="unknown", entry=None)))  # a "lord of the galaxy" has no starry skin
            at += 2
            continue
        if after and _mask_of(atom, after[0], words):
            done.append(replace(atom, end=after[0].end, twin=None))  # a "porcelain mask" is a face of porcelain
            at += 2
            continue
        if after and _other_mask(atom, after[0], words):
            done.append(Atom("unknown", atom.start, after[0].end))  # a "fencing mask" is none around the eyes
            at += 2
            continue
        if after and atom.kind == "entry" and [w.root for w in words[atom.end : after[0].start]] == ["shaped"]:
            done.append(Atom("unknown", atom.start, after[0].start))  # "heart shaped sunglasses" are sunglasses
            at += 1
            continue
        if after and _painted_mark(atom, after[0], done, words):
            done.append(replace(after[0], start=atom.start))  # "white face paint dots" are white dots
            at += 2
            continue
        if after and atom.kind == "with" and _roots(atom, words) == ("lit", "by") and after[0].entry is not None:
            done.extend((atom, lit_by(after[0], known)))
            at += 2
            continue
        if (
            after
            and atom.kind == "degree"
            and _roots(atom, words) == ("half",)
            and after[0].kind == "entry"
            and _face_first(after[0], words)
        ):
            done.append(Atom("unknown", atom.start, after[0].start + 1))  # "half his face burnt"
            done.append(replace(after[0], start=after[0].start + 1))
            at += 2
            continue
        if len(after) > 1 and atom.part == "hair" and (tips := _fading(atom, after, words, known)) is not None:
            done.extend((atom, *tips[0]))
            at += tips[1]
            continue
        if len(after) > 1 and (instead := _instead(atom, after, words, known)) is not None:
            done.append(instead)
            at += 3
            continue
        if after and (own := belonging(atom, after[0], words, known)) is not None:
            done.append(own)
            at += 2
            continue
        if after and (made := _made_of(atom, after, words)) is not None:
            done.extend(made[0])
            at += made[1]
            continue
        if len(after) > 1 and after[0].kind == "," and words[after[0].start].text == "(" and _of_a_story(atom, after[1], words):
            done.append(replace(atom, end=after[1].end))  # "Joker (DC)"
            at += 3
            continue
        if after and (_from(atom, after[0], words) or _of_a_story(atom, after[0], words) or _year_of(atom, after[0], words)):
            done.append(replace(atom, end=after[0].end))  # "scarecrow from the Wizard of Oz" is one person
            at += 2
            continue
        if after and (lying := placed(row, at, words, known)) is not None:
            done.extend(lying[0])
            at += lying[1]
            continue
        coloured = atom.kind == "colour" or (atom.kind == "entry" and not _person(atom) and (words[atom.end - 1].root,) in known.colours)
        if coloured and len(after) > 1 and _like(after[0], words) and _simile(after, words):
            done.append(replace(atom, end=after[1].end))
            at += 3
            continue
        if atom.entry is not None and atom.entry.surface and after and _like(after[0], words) and (long := _likened(row, at)):
            done.append(replace(atom, end=row[at + long].end))  # "cracked like old paint"
            at += long + 1
            continue
        if after and _surname(atom, after, words):
            done.append(Atom("unknown", atom.start, after[0].end))
            at += 2
            continue
        from_it = bool(after) and _person(after[0]) and {"from"} <= {w.root for w in words[atom.end : after[0].start]} <= LIGHT_WORDS
        if atom.kind == "unknown" and after and (from_it or (after[0].kind in ("entry", "colour") and _of(atom, after[0], words))):
            done.append(Atom("unknown", atom.start, after[0].end))
            at += 2
            continue
        done.append(replace(atom, kind="unknown") if atom.kind == "story" else atom)
        at += 1
    return done


def _fading(hair: Atom, after: Sequence[Atom], words: Sequence[Token], known: Vocabulary) -> tuple[list[Atom], int] | None:
    """Return an atom for the ends of "pink hair fading into blue", and how many atoms are read."""
    at = next((i for i, atom in enumerate(after[:3]) if atom.kind == "colour"), 0)
    between = {w.root for w in words[hair.end : after[at].start]}
    entry = after[at].entry
    if entry is None or not between & _FADES or not between & {"to", "into"} or not between <= _FADES | {"to", "into", "a"}:
        return None
    paint = known.shades.get(("hair", phrase(entry.title))) or Paint(entry.colour)
    look = Look(marks=(Mark("hair tips", 1.0, paint.colour),))
    tips = Atom("entry", hair.end, after[at].end, Entry(f"{entry.title} hair tips", (), "faces", look))
    return [Atom("and", hair.end, hair.end), tips], at + 2


_FADES = frozenset("fading faded blending melting turning ombre going".split())


def _face_first(atom: Atom, words: Sequence[Token]) -> bool:
    return atom.end > atom.start + 1 and words[atom.start].root == "face"


def _mask_of(atom: Atom, mask: Atom, words: Sequence[Token]) -> bool:
    """Tell whether a bare "mask" is made of the stuff before it."""
    bare = mask.kind == "entry" and mask.end == mask.start + 1 and words[mask.start].root == "mask"
    return bare and atom.entry is not None and atom.entry.kind == "materials" and atom.end == mask.start


def _other_mask(atom: Atom, mask: Atom, words: Sequence[Token]) -> bool:
    """Tell whether a bare "mask" is one of a kind that is not known."""
    bare = mask.kind == "entry" and mask.end == mask.start + 1 and words[mask.start].root == "mask"
    return bare and atom.kind in ("unknown", "thing") and atom.end == mask.start


def _painted_mark(atom: Atom, mark: Atom, done: Sequence[Atom], words: Sequence[Token]) -> bool:
    """Tell whether "face paint" stands between a colour and what is painted with it."""
    paint = atom.kind == "face" and words[atom.end - 1].root in ("paint", "facepaint", "painting") and atom.end == mark.start
    drawn = mark.entry is not None and mark.entry.kind == "faces" and not mark.part and bool(mark.entry.look.marks)
    return paint and drawn and bool(done) and done[-1].kind == "colour" and done[-1].end == atom.start


def _person(atom: Atom) -> bool:
    return atom.entry is not None and atom.entry.kind == "characters"


def _listed_before(done: Sequence[Atom]) -> bool:
    """Tell whether the coloured part at hand ends a list of parts: "black skin and white ..."."""
    if len(done) < 3 or done[-2].kind not in ("and", ","):
        return False
    first = done[-3]
    return bool(first.part) or (first.entry is not None and first.entry.kind == "faces" and bool(first.entry.look.paints))


#: Words that end the name of something made of a material.
_STATUES = frozenset("statue sculpture bust figure figurine statuette carving effigy monument head mannequin".split())
_SAID_OF_BEARDS = frozenset("bearded moustached mustached moustachioed horned crowned winged helmeted masked tattooed bald".split())
#: Materials whose names are colours of hair, too.
_HAIR_COLOURS = frozenset(("gold", "silver", "copper"))


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


def _surname(atom: Atom, after: Sequence[Atom], words: Sequence[Token]) -> bool:
    """Tell whether a word is somebody's name: "Sandra Brown", "Jill Valentine"; "Sandra Brown Hair" has brown hair."""
    colour = after[0]
    if atom.kind != "unknown" or colour.kind not in ("colour", "entry") or atom.end != colour.start or colour.end != colour.start + 1:
        return False
    if colour.kind == "entry" and (colour.part or colour.entry is None or colour.entry.kind in ("characters", "faces", "media")):
        return False  # a "Whispering Zombie" is one
    titled = all(words[i].text[:1].isupper() and not words[i].text.isupper() for i in (atom.end - 1, colour.start))
    return titled and not (len(after) > 1 and (after[1].part or after[1].kind == "colour"))


def _from(atom: Atom, other: Atom, words: Sequence[Token]) -> bool:
    """Tell whether a name says where the character before it comes from."""
    between = {w.root for w in words[atom.end : other.start]}
    if other.entry is None or not _person(atom) or "from" not in between or not between <= LIGHT_WORDS:
        return False
    told = other.end < len(words) and words[other.end].root in ("one", "film", "movie", "show", "game", "book", "cartoon", "story")
    return other.entry.kind in ("characters", "lights", "media", "materials" if told else "")  # "Elsa from the ice one"


def _year_of(atom: Atom, other: Atom, words: Sequence[Token]) -> bool:
    """Tell whether a number says which film of a character is meant, or when a fashion was: "Nosferatu 1922", "emo from 2005"."""
    year = words[other.start]
    dated = other.end == other.start + 1 and len(year.text) == 4 and year.text.isdecimal()
    if not dated or atom.entry is None or atom.part:
        return False
    # "an emo boy from 2005": the year of a fashion says when it was; a decade ("from the 1980s") is a look of its own
    from_then = {"from", "of", "in"} & {w.root for w in words[atom.end : other.start]} and year.text[-1] != "0"
    return (_person(atom) and other.start == atom.end) or bool(from_then)


def _of_a_story(atom: Atom, other: Atom, words: Sequence[Token]) -> bool:
    """Tell whether an atom names the film, book or game of the character before it: "Mystique from X-Men", "Joker (DC)"."""
    between = {w.root for w in words[atom.end : other.start]}
    return other.kind == "story" and _person(atom) and between <= LIGHT_WORDS | {","}


def _made_of(atom: Atom, after: Sequence[Atom], words: Sequence[Token]) -> tuple[list[Atom], int] | None:
    """Return atoms for a drawn thing of a material ("tears made of silver", "a crown of gold"), and how many they stand for.

    Of what has no colour ("a tattoo of a ship") only the thing is known.
    """
    linked = _like(after[0], words) and len(after) > 1
    other = after[1] if linked else after[0]
    entry = atom.entry
    if entry is None or other.entry is None or entry.kind != "faces" or not entry.look.marks or atom.part:
        return None
    if not _made(other, words) and not (linked and _roots(after[0], words)[0] == "made") and not _of(atom, other, words, "made", "out"):
        return None
    paint = other.entry.on_part or (Paint(other.entry.colour) if other.entry.colour is not None else None)
    if paint is None:
        return [atom, Atom("unknown", other.start, other.end)], 3 if linked else 2
    look = replace(entry.look, marks=tuple(replace(m, colour=paint.colour) for m in entry.look.marks))
    made = Atom("entry", atom.start, other.end, Entry(f"{other.entry.title} {entry.title}", (), "faces", look))
    return [made], 3 if linked else 2


def _simile(after: Sequence[Atom], words: Sequence[Token]) -> bool:
    """Tell whether "as snow" or "like a tomato" says how a colour is meant; "green like Hulk" names someone."""
    other = after[1]
    if other.kind == "unknown":
        return True
    if other.entry is None or other.part:
        return False
    return other.entry.kind != "characters" or _roots(after[0], words) == ("as",)
