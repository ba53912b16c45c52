"""Read where something lies: "gold on the lips", "moss in her hair", "slime dripping from his chin", "a crow on her shoulder".

What lies on one part is never what the whole face is made of: where it cannot be drawn there, it is named as unknown, with its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.look import Look, Mark, Paint
from nada_core.looks.part_looks import PAINTED_PARTS, on_hair_or_beard, own_part, paint_on, somebody
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import LIGHT_WORDS, Entry, Vocabulary

__all__ = ["placed"]

#: Words that say where something is.
_PLACING = frozenset(
    "on in over under around round across through behind between inside beneath below above along down off from out onto upon".split()
)
#: Those after which something lies on a part; behind a part or between two it is somewhere else.
_LYING = frozenset("on in over around round across down from onto upon out all".split())
_WHOSE = frozenset("his her the my their your its our".split())
_ALLOWED = _PLACING | _WHOSE | LIGHT_WORDS | {"all"}
#: Words for places of a head and a body that have no paint of their own.
_BODY = frozenset(
    "forehead chin nose neck ear shoulder head mouth tongue nostril temple jaw jawline chest hand finger scalp throat arm back body".split()
)
_HOLLOWS = frozenset(("crack", "wrinkle", "wart"))
#: Where on the face a colour can lie that is no part with a name: the mark that is drawn there.
_THIRDS = {"forehead": "upper third", "chin": "lower third"}
#: mark -> places where it is drawn anyway: "freckles on the nose", "flowers in her hair".
_USUAL = {
    "blush": ("cheeks",),
    "freckles": ("cheeks", "nose"),
    "cheek spots": ("cheeks",),
    "war paint": ("cheeks",),
    "glitter": ("cheeks", "around the eyes"),
    "tears": ("cheeks", "eyes"),
    "mascara tears": ("cheeks", "eyes"),
    "scar": ("cheeks", "eyes"),
    "tattoo": ("cheeks", "temple"),
    "eyeshadow": ("eyes", "around the eyes"),
    "eyeliner": ("eyes", "around the eyes"),
    "flowers": ("hair", "head"),
    "hair strands": ("hair",),
    "horns": ("head", "forehead"),
    "antlers": ("head", "forehead"),
    "crown": ("head", "hair"),
    "forehead gem": ("forehead",),
    "forehead dot": ("forehead",),
    "clown nose": ("nose",),
    "eye mask": ("eyes",),
    "whiskers": ("cheeks",),
    "surgical mask": ("mouth", "lips", "nose"),
    "halo": ("head",),
    "wings": ("back", "shoulder"),
    "cat ears": ("head", "hair"),
    "bunny ears": ("head", "hair"),
    "unicorn horn": ("head", "forehead"),
    "eye patch": ("eyes",),
    "bandana": ("head",),
    "blood": ("mouth", "lips", "chin"),
}
#: Marks that are drawn behind or on a head, wherever they are said to be painted.
_BODILY = frozenset(("wings", "horns", "antlers", "halo", "crown", "unicorn horn", "cat ears", "bunny ears", "flowers"))


def placed(row: Sequence[Atom], at: int, words: Sequence[Token], known: Vocabulary) -> tuple[list[Atom], int] | None:
    """Return atoms for something and the place where it lies, and how many of the row they stand for; None where no place is named."""
    atom = row[at]
    if at + 1 < len(row) and (own := own_part(atom, row[at + 1], words, known)) is not None:
        return [own], 2
    if atom.part or atom.kind not in ("entry", "colour") or atom.entry is None:
        return None
    found = _place_after(row, at, words)
    if found is None:
        return _shared_place(row, at, words, known)
    place, described = found
    part = row[place]
    between = {w.root for w in words[atom.end : part.end - 1]}
    if part.part == "lips" and words[part.start].root == "mouth" and between & {"in", "between"}:
        first = next(i for i in range(atom.start, atom.end) if words[i].root not in LIGHT_WORDS | {"with"})
        return [Atom("unknown", first, part.end)], place + 1 - at  # a rose in the mouth is held there
    if atom.entry.kind == "faces" and not atom.entry.surface and atom.entry.on_part is None:
        return _where_it_is_drawn(row, at, place, words) if not described else None
    if part.kind == "face" and not (words[part.end - 1].root == "head" and _stuff(atom.entry)):
        return _on_the_face(row, at, place, words, known)
    if described:
        # "a spider in her long hair"
        return ([replace(atom, kind="unknown", entry=None)], 1) if between & _WHOSE and _stuff(atom.entry) else None
    whole = [Atom("unknown", atom.start, part.end)], place + 1 - at
    if (drops := _flowing(atom, part, between, words)) is not None:
        return [drops], place + 1 - at
    if (bearded := on_hair_or_beard(atom, part)) is not None and between & _LYING:
        return [bearded], place + 1 - at
    if part.part == "lips" and words[part.start].root == "mouth" and {"out", "of"} <= between:
        return whole  # smoke that comes out of a mouth is not on the lips
    if not between & _LYING:
        return whole if _stuff(atom.entry) else None
    if part.kind == "entry" and part.part not in PAINTED_PARTS and not _body(part, words):
        return whole  # "frost on the eyelashes" is none of the skin
    return _painted(row, at, place, words, known) or whole


_FLOWING = frozenset("dripping running flowing leaking pouring streaming trickling oozing dropping".split())


def _flowing(atom: Atom, part: Atom, between: set[str], words: Sequence[Token]) -> Atom | None:
    """Return one atom for what runs from the eyes or the mouth: "gold dripping from her eyes" are golden tears, and no golden eyes."""
    mark = {"eyes": "mascara tears", "lips": "blood"}.get(part.part, "")
    mouth = part.part != "lips" or words[part.end - 1].root == "mouth"
    flows = any(w.text.lower() in _FLOWING for w in words[atom.start : part.start])
    if atom.entry is None or part.entry is None or not (mark and mouth and flows and between & {"from", "out", "down"}):
        return None
    colour = atom.entry.on_part.colour if atom.entry.on_part is not None else atom.entry.colour
    if colour is None:
        return None
    noun = "mouth" if part.part == "lips" else part.entry.title
    title = f"{atom.entry.title} running from the {noun}"
    return Atom("entry", atom.start, part.end, Entry(title, (), "faces", Look(marks=(Mark(mark, 1.0, colour),))))


#: Materials that lie on a face as dirt does, and the surface that they make.
_DIRT = {"mud": "muddy", "sand": "dusty", "snow": "frosty", "moss": "mossy", "ice": "frosty", "clay": "muddy", "rust": "rusty"}
#: Words that say how a picture of something comes to a face.
_DRAWN = frozenset("painted drawn tattooed inked printed airbrushed stencilled sketched".split())


def _on_the_face(row: Sequence[Atom], at: int, place: int, words: Sequence[Token], known: Vocabulary) -> tuple[list[Atom], int] | None:
    """Return an unknown atom for somebody who is on a face and not the face: "a spider crawling over her face"."""
    atom, part = row[at], row[place]
    between = [w.root for w in words[atom.end : part.start]]
    flows = {"down", "off", "from", "out"} & set(between) and any(w.endswith("ing") for w in between)
    if flows and atom.entry is not None and atom.entry.kind in ("materials", "characters") and "face" not in between:
        return [Atom("unknown", atom.start, part.end)], place + 1 - at  # whoever has water dripping down the face is not made of it
    dirt = _DIRT.get(atom.entry.look.material, "") if atom.entry is not None and atom.entry.kind == "materials" else ""
    if dirt and atom.entry is not None and {"on", "over"} & set(between):
        look = Look(paints={"skin": Paint(None, texture=dirt)})
        return [Atom("entry", atom.start, part.end, Entry(f"{atom.entry.title} on face", (), "faces", look, main="skin"))], place + 1 - at
    if atom.entry is not None and atom.entry.kind == "materials" and {"on", "over"} & set(between) and "all" not in between:
        paint = paint_on(atom.entry, "cheeks", known)
        if paint is not None:  # "chocolate on his face" is around the mouth
            look = Look(paints={"cheeks": paint, "lips": paint})
            return [
                Atom("entry", atom.start, part.end, Entry(f"{atom.entry.title} on face", (), "faces", look, main="cheeks"))
            ], place + 1 - at
    if atom.entry is None or not somebody(atom.entry) or _DRAWN.intersection(between):
        return None  # a tiger painted on a face is a face painted as a tiger
    moves = any(w.endswith("ing") for w in between) and not {"looking"} & set(between)
    thing = (at > 0 and row[at - 1].kind == "with") or (at == 0 and moves)
    there = {"on", "over", "across", "around", "all"}.intersection(between) and (thing or moves)
    return ([Atom("unknown", atom.start, part.end)], place + 1 - at) if there else None


def _shared_place(row: Sequence[Atom], at: int, words: Sequence[Token], known: Vocabulary) -> tuple[list[Atom], int] | None:
    """Return stuff at the place that stands after the next of a list: "mud and blood on his cheeks"."""
    atom = row[at]
    assert atom.entry is not None
    if not (atom.entry.kind == "materials" or atom.entry.surface) or at + 2 >= len(row) or row[at + 1].kind != "and":
        return None
    other = row[at + 2].entry
    if (
        row[at + 2].part
        or other is None
        or other.kind not in ("materials", "faces", "textures")
        or any(w.root == "with" for w in words[atom.end : row[at + 2].end])
    ):
        return None
    found = _place_after(row, at + 2, words)
    if found is None or found[1] or row[found[0]].kind == "face":
        return None
    part = row[found[0]]
    paint = Paint(None, texture=atom.entry.surface) if atom.entry.surface else paint_on(atom.entry, part.part, known)
    if part.part not in PAINTED_PARTS or part.entry is None or paint is None:
        return [replace(atom, kind="unknown", entry=None)], 1
    lying = Entry(f"{atom.entry.title} {part.entry.title}", (), "faces", Look(paints={part.part: paint}), main=part.part)
    return [replace(atom, entry=lying)], 1


#: Kinds of names that mean a whole picture: a light falls on a freckled face, and lies on no freckles.
_WHOLE = frozenset(("lights", "processes", "media", "painters"))


def _stuff(entry: Entry) -> bool:
    """Tell whether a name would be the whole person where no place is named."""
    return bool(entry.surface) or entry.kind in ("materials", "characters", "media", "lights", "processes", "painters")


def _verb(atom: Atom, words: Sequence[Token]) -> bool:
    """Tell whether an unknown word may stand between something and its place: "dripping from", "smeared on"."""
    word = words[atom.start].text.lower()
    return atom.kind == "unknown" and atom.end == atom.start + 1 and (word in _PLACING or word.endswith(("ing", "ed", "en")))


def _going(row: Sequence[Atom], at: int, words: Sequence[Token]) -> bool:
    """Tell whether a known word is what something does at a place: "gold leaf peeling off her cheeks"."""
    atom = row[at]
    one = atom.kind == "entry" and atom.end == atom.start + 1 and words[atom.start].text.lower().endswith("ing")
    return one and atom.end < len(words) and words[atom.end].root in _PLACING and words[atom.start].root not in ("earring", "ring")


def _place_after(row: Sequence[Atom], at: int, words: Sequence[Token]) -> tuple[int, bool] | None:
    """Return where in the row the place of something stands, and whether the place is described ("in her long hair")."""
    next_at, described, entry = at + 1, False, row[at].entry
    while next_at < len(row) and next_at < at + 5:
        atom = row[next_at]
        roots = [w.root for w in words[row[at].end : atom.start]]
        if _is_place(atom, words) and (entry is None or entry.kind not in _WHOLE or not _mark(atom)):
            between = {*roots, words[atom.start].root if atom.end > atom.start + 1 else ""}  # "under her eyes" is one name
            placing = bool(between & _PLACING) and (described or all(r in _ALLOWED or _verbal(r) for r in roots))
            return (next_at, described) if placing else None
        link = atom.kind in ("with", "in", "on skin") and {w.root for w in words[atom.start : atom.end]} <= _PLACING | {"all", "a"}
        if link or (_verb(atom, words) and not described) or _going(row, next_at, words):
            next_at += 1
        elif set(roots) & _PLACING and (atom.kind in ("form", "colour", "lightness", "vivid", "degree") or atom.kind == "unknown"):
            described = True
            next_at += 1
        else:
            return None
    return None


def _verbal(word: str) -> bool:
    return word.endswith(("ing", "ed", "en"))


def _body(atom: Atom, words: Sequence[Token]) -> str:
    """Return the place of a body that an atom is a mere word for, or an empty text."""
    last = words[atom.end - 1].root
    return last if last in _BODY and (atom.kind in ("unknown", "thing", "face") or atom.part) else ""


def _is_place(atom: Atom, words: Sequence[Token]) -> bool:
    if atom.kind == "face":
        return words[atom.end - 1].root in ("head", "face", "skin", "body")
    if _body(atom, words):
        return True
    if atom.entry is not None and atom.entry.surface and atom.end == atom.start + 1 and words[atom.start].root in _HOLLOWS:
        return atom.start > 0 and words[atom.start].text.lower().endswith("s")  # "moss in the cracks"
    return (atom.kind == "entry" and bool(atom.part) and atom.part not in ("background", "light", "clothing", "skin")) or _mark(atom)


def _mark(atom: Atom) -> bool:
    """Tell whether an atom is something drawn on which something can lie: "frost on the eyelashes"."""
    entry = atom.entry
    drawn = atom.kind == "entry" and entry is not None and entry.kind == "faces" and not atom.part and bool(entry.look.marks)
    return drawn and entry is not None and (entry.thing or entry.main == "hair")


def _where_it_is_drawn(row: Sequence[Atom], at: int, place: int, words: Sequence[Token]) -> tuple[list[Atom], int] | None:
    """Return one atom for a mark at the place where it is drawn anyway; elsewhere the place stays a word of its own."""
    atom = row[at]
    assert atom.entry is not None
    here = {name for mark in atom.entry.look.marks for name in _USUAL.get(mark.name, ())}
    end = at
    for i in _listed(row, place):
        if row[i].part in here or _body(row[i], words) in here:
            end = i
        else:
            break
    if end > at:
        return [replace(atom, end=row[end].end)], end + 1 - at
    if {mark.name for mark in atom.entry.look.marks} & _BODILY:
        first = next(i for i in range(atom.start, atom.end) if words[i].root not in LIGHT_WORDS | {"with"})
        return [Atom("unknown", first, row[place].end)], place + 1 - at  # "flowers in his beard", "wings painted around her eyes"
    return None


def _counted(word: Token) -> bool:
    """Tell whether stuff was said in the plural: single stones, shells or beads."""
    return word.text.lower().endswith("s") and word.root[-1] != "s" and word.root not in _STUFF_OF_LEAVES


#: Plurals that cover a part all the same.
_STUFF_OF_LEAVES = frozenset(("leaf", "vine", "flame", "plant", "twig", "stick", "icicle", "root", "cloud"))


def _listed(row: Sequence[Atom], place: int) -> list[int]:
    """Return the places of a list: "on the forehead and cheeks"."""
    found = [place]
    while found[-1] + 2 < len(row) and row[found[-1] + 1].kind in ("and", ","):
        after = row[found[-1] + 2]
        last = found[-1] + 3 >= len(row) or row[found[-1] + 3].kind in ("and", ",", "with", "but", "in")
        if not last or not (after.part or after.kind in ("unknown", "thing")):
            break
        found.append(found[-1] + 2)
    return found


def _painted(row: Sequence[Atom], at: int, place: int, words: Sequence[Token], known: Vocabulary) -> tuple[list[Atom], int] | None:
    """Return one atom for what lies on all places of a list, or None where one of them has no paint."""
    atom = row[at]
    assert atom.entry is not None
    paints: dict[str, Paint] = {}
    marks: list[Mark] = []
    titles: list[str] = []
    missed: list[Atom] = []
    end = at
    for i in _listed(row, place):
        part, body = row[i].part, _body(row[i], words)
        entry = row[i].entry
        if atom.entry.kind == "materials" and atom.start and words[atom.start - 1].root in ("a", "an", "one"):
            break  # "a bone in his hair" is one
        if part in ("hair", "brows") and atom.entry.kind == "materials" and _counted(words[atom.end - 1]):
            break  # "pearls in her hair" are beads
        if part in PAINTED_PARTS and entry is not None:
            paint = Paint(None, texture=atom.entry.surface) if atom.entry.surface else paint_on(atom.entry, part, known)
            titles.append(entry.title)
        elif body in _THIRDS and not atom.entry.surface and (paint := paint_on(atom.entry, "skin", known)) is not None:
            marks.append(Mark(_THIRDS[body], 1.0, paint.colour))
            titles.append(body)
            end = i
            continue
        else:
            missed.append(replace(row[i], kind="unknown", entry=None))
            continue
        if paint is None:
            break
        paints[part] = paint
        end = i
    if end == at or atom.entry.kind == "characters":
        return None
    title = f"{atom.entry.title} {' and '.join(titles)}"
    main = row[end].part if len(titles) == 1 and row[end].part in PAINTED_PARTS else ""
    lying = Entry(title, (), "faces", Look(paints=paints, marks=tuple(marks)), main=main)
    return [Atom("entry", atom.start, row[end].end, lying), *(one for one in missed if one.end <= row[end].end)], end + 1 - at
