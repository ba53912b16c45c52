"""Turn one group of words ("dark green hair") into pieces of a look, and report the words that are not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nada_core.looks.ages import young
from nada_core.looks.atoms import Atom
from nada_core.looks.colours import mixture
from nada_core.looks.group_paints import not_shown, paint_of, recoloured, second_colour, surface_of, usual_paint
from nada_core.looks.groups import NOT_WORDS, Group
from nada_core.looks.lacking import lacking, of_a_name
from nada_core.looks.look import BEARD_MARKS, HAIR_MARKS, PARTS, Look, Mark, Paint
from nada_core.looks.part_looks import somebody
from nada_core.looks.pieces import Understood, scaled, swatches
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import LIGHT_WORDS, Entry, Vocabulary, phrase
from nada_core.looks.worn import worn

__all__ = ["Meaning", "meant"]

Span = tuple[int, int]
#: Order in which whole looks are put together: what a face is made of wins over who it is.
_RANKS = {"characters": 1, "painters": 2, "lights": 3, "processes": 4, "media": 5, "materials": 6}
#: Where a colour beside such a name goes.
_MAIN = {"media": "light", "processes": "light", "painters": "light", "lights": "light", "characters": "skin", "materials": "material"}


@dataclass(frozen=True)
class Meaning:
    """What a group means: pieces, and places in the text (first character, the one after the last) that are not known."""

    pieces: tuple[Understood, ...] = ()
    unknown: tuple[Span, ...] = ()


class _Text:
    """The person's own words by atom."""

    def __init__(self, text: str, words: Sequence[Token]) -> None:
        self._text, self._words = text, words

    def span(self, found: Sequence[Atom]) -> Span:
        return self._words[min(a.start for a in found)].start, self._words[max(a.end for a in found) - 1].end

    def of(self, found: Sequence[Atom]) -> str:
        """Return the words of atoms, with the small words between them and without those that belong elsewhere."""
        row = sorted(found, key=lambda a: a.start)
        runs = [[row[0]]]
        for atom in row[1:]:
            between = {w.root for w in self._words[runs[-1][-1].end : atom.start]}
            if between <= LIGHT_WORDS | {"and", "is", ","}:
                runs[-1].append(atom)
            else:
                runs.append([atom])
        spans = [self.span(run) for run in runs]
        return " ".join(self._text[start:end] for start, end in spans)


def meant(group: Group, text: str, words: Sequence[Token], known: Vocabulary) -> Meaning:
    """Return what a group means."""
    own = _Text(text, words)
    head = group.head
    if group.link == "aside" and group.atoms:
        return Meaning(unknown=(own.span(group.atoms),))  # "more green than blue", "holding an apple"
    if head is not None and (
        head.kind in ("unknown", "thing")
        or worn(group, head, words, known)
        or (group.link == "on skin" and not group.shades and head.entry is not None and somebody(head.entry))
    ):
        return _unknown(group, own, known)  # whoever is "covered in bees" is none
    if head is not None and head.kind == "years":
        if head.value >= 60:
            look = scaled(known.phrases[("old",)].look, min(1.2, 0.5 + head.value / 150))
            return Meaning((Understood(own.of([head]), f"{head.value:.0f} years old", look, swatches(look)),))
        return Meaning((Understood(own.of([head]), f"{head.value:.0f} years old", young(head.value, known)),))
    if head is not None and head.kind == "all":
        return _everything(group, own, known)
    if head is not None and head.part in PARTS and lacking(group, words):
        missing = known.phrases.get(("no", words[head.end - 1].root))  # "doesn't have any hair" is bald
        return _unknown(group, own, known) if missing is None else _entry(of_a_name(group, head, missing), own, known)
    if head is not None and head.part in PARTS and group.own and group.bare and not group.forms:
        return _left(group, own)
    group, pieces, strange = _forms(group, own, words, known)
    if group.head is None or group.head.kind in ("person", "face", "picture"):
        more = _loose(group, own, known)
    elif group.head.part:
        more = _part(group, own, known, bool(pieces))
    else:
        more = _entry(group, own, known)
    found = Meaning((*pieces, *more.pieces), (*strange, *more.unknown))
    return _taken_away(found, group, own) if group.negated else found


def _unknown(group: Group, own: _Text, known: Vocabulary) -> Meaning:
    entries = [s.atoms[-1].entry for s in group.shades]
    if group.head is not None and group.head.kind == "unknown" and entries and all(e is not None and e.main == "hair" for e in entries):
        # a "blonde lawyer": the hair is known, the calling is not
        hair = _painted(group, "hair", own, known, [a for s in group.shades for a in s.atoms])
        found = Meaning((hair,), (own.span([group.head]),))
        return _taken_away(found, group, own) if group.negated else found
    return Meaning(unknown=(own.span([a for a in (group.first, *group.atoms) if a is not None]),))


#: Surfaces said in the plural that lie on a skin in a colour of their own, and the mark that they are then.
_SINGLE = {"cracked": "circuits", "spotted": "dots"}
#: All that "everything" is.
_EVERYTHING = ("skin", "hair", "brows", "eyes", "lips", "clothing", "background")
#: part -> the marks that go with its paint where it is to be as it is.
_BELONGING = {
    "hair": tuple(sorted(HAIR_MARKS)),
    "eyes": ("around the eyes", "closed eyes", "other eye", "eyeliner", "eyeshadow"),
    "lips": ("painted smile", "scarred smile", "sewn lips"),
    "teeth": ("fangs",),
    "cheeks": ("blush", "cheek spots", "contour"),
    "skin": ("cheeks", "half face", "stripes", "web", "veins", "stitches", "burns"),
}


def _everything(group: Group, own: _Text, known: Vocabulary) -> Meaning:
    """Return what "everything blue" means; "everything" alone says nothing."""
    if group.bare:
        return Meaning()
    paints = {part: paint_of(group, "hair" if part == "brows" else part, known) for part in _EVERYTHING}
    names = " ".join(filter(None, (surface_of(group)[1], paints["skin"][1])))
    said = [a for a in group.atoms if a.kind != "form"]
    marks = (*second_colour(group, "skin", known), *second_colour(group, "hair", known))
    piece = _piece(own.of(said), f"everything {names}", Look(paints={part: p for part, (p, _) in paints.items()}, marks=marks), group)
    found = Meaning((piece,))
    return _taken_away(found, group, own) if group.negated else found


def _left(group: Group, own: _Text) -> Meaning:
    """Return that a part is as it is: "zombie with normal eyes", "everything red but not the hair"."""
    assert group.head is not None
    part = group.head.part
    words = own.of([a for a in (group.first, group.head) if a is not None])
    noun = group.head.entry.title if group.head.entry is not None else "skin"
    return Meaning((Understood(words, f"own {noun}", parts=(part, *_BELONGING.get(part, ())), own=True),))


def _forms(group: Group, own: _Text, words: Sequence[Token], known: Vocabulary) -> tuple[Group, list[Understood], list[Span]]:
    """Return what words such as "big" mean with their noun ("very big blue eyes"), and those that mean nothing with it.

    The group comes back with the name that they make with its noun, where that is drawn instead ("long red beard"), and with their words.
    """
    pieces, strange, kept = [], [], []
    noun = [words[i].root for i in range(group.head.start, group.head.end)] if group.head is not None else []
    degree: Atom | None = None
    own_name = group.head.entry if group.head is not None else None
    for form in sorted(group.forms, key=lambda atom: atom.start):
        if form.kind == "degree":
            degree = form
            continue
        said_form = tuple(words[i].root for i in range(form.start, form.end))
        # "long golden hair" is long hair, too
        entry = (known.phrases.get((*said_form, *noun)) or known.phrases.get((*said_form, noun[-1]))) if noun else None
        said = [form] if degree is None else [degree, form]
        if entry is None:
            strange.append(own.span(said))
        elif group.head is not None and group.head.entry is not own_name and _one_drawing(group.head, entry):
            strange.append(own.span(said))  # a "long thin beard" is long: of two forms the first is drawn
        elif group.head is not None and (_one_drawing(group.head, entry) or _one_paint(group, entry)):
            kept += [replace(atom, kind="said") for atom in said]
            group = group if _one_paint(group, entry) else replace(group, head=replace(group.head, entry=entry))
        elif group.head is None or entry is not group.head.entry:
            about = group if degree is None else replace(group, degree=degree)
            pieces.append(_piece(own.of([*said, group.head]), entry.title, entry.look, about, degree=_degree(about, own)))  # type: ignore[list-item]
        degree = None
    return (
        replace(group, forms=tuple(f for f in group.forms if all(f.start != k.start for k in kept)), swallowed=(*group.swallowed, *kept)),
        pieces,
        strange,
    )


def _one_paint(group: Group, entry: Entry) -> bool:
    """Tell whether a form is a paint of the part whose colour is said: "bushy white eyebrows" are white."""
    return (
        group.head is not None
        and bool(group.shades)
        and bool(entry.look.paints)
        and entry.look
        == Look(paints={part: paint for part, paint in entry.look.paints.items() if part == group.head.part and not paint.texture})
    )


def _one_drawing(head: Atom, entry: Entry) -> bool:
    """Tell whether a name with a word for its form is drawn instead of the name: a "long red beard" is a long beard that is red."""
    if head.entry is None or head.part:
        return False
    beards = all(m.name in BEARD_MARKS for look in (head.entry.look, entry.look) for m in look.marks)
    return head.entry.look == entry.look or (beards and bool(head.entry.look.marks) and bool(entry.look.marks) and not entry.look.paints)


def _piece(words: str, title: str, look: Look, group: Group, rank: int = 9, degree: str = "") -> Understood:
    if group.degree is not None and not group.negated:
        look = scaled(look, group.degree.value)
        title = f"{degree} {title}" if degree else title
    return Understood(words, title, look, swatches(look), rank=rank)


def _degree(group: Group, own: _Text) -> str:
    return own.of([group.degree]).lower() if group.degree is not None else ""


def _painted(group: Group, part: str, own: _Text, known: Vocabulary, found: Sequence[Atom], noun: str = "") -> Understood:
    """Return a piece that paints one part, or recolours one mark."""
    degree = _degree(group, own)
    if part not in PARTS:
        paint, names = paint_of(group, "", known)
        return _piece(own.of(found), f"{names} {noun or part}", Look(marks=(Mark(part, 1.0, paint.colour),)), group, degree=degree)
    paint, names = paint_of(group, part, known)
    title = " ".join(filter(None, (surface_of(group)[1], names, noun or part)))
    look = Look(paints={part: paint})
    if other := second_colour(group, part, known):
        look = Look(paints={part: usual_paint(group.shades[0], part, known, "")}, marks=other)
    return _piece(own.of(found), title, look, group, degree=degree)


def _loose(group: Group, own: _Text, known: Vocabulary) -> Meaning:
    """Return what colours and surfaces mean without a noun, or with one such as "man" or "photo"."""
    head = group.head
    said = [a for a in group.atoms if a.kind != "form" and (head is None or a is not head or head.kind in ("person", "face"))]
    if group.bare and group.degree is not None and head is not None and head.kind == "face":
        return Meaning(unknown=(own.span([group.degree, head]),))  # "half of the face"
    if group.bare:
        refused = group.negated and head is not None
        return Meaning(unknown=(own.span([a for a in (group.first, head) if a]),) if refused else ())
    if group.link == "in light" or (head is not None and head.kind == "picture"):
        part = "light"
    elif group.link == "in":
        part = "clothing"
    elif group.link.startswith("of "):
        part = group.link.removeprefix("of ")
    else:
        part = "skin"
    if head is None and not group.link.startswith(("in", "of ")):
        only = [s.atoms[-1].entry for s in group.shades]
        wanted = {e.main for e in only if e is not None and e.kind == "colours"}
        skins = [e is not None and ("skin", phrase(e.title)) in known.shades for e in only]
        metals = len(only) > 1 and wanted == {""} and all(skins)
        if metals or ("skin" in wanted and all(skin or (e is not None and e.main) for e, skin in zip(only, skins))):
            wanted = {"skin"}  # "black and gold" are two colours of a face, though gold alone is the metal
        if "" in wanted or any(len(s.atoms) == 1 and s.atoms[0].kind in ("lightness", "vivid") for s in group.shades):
            return Meaning(unknown=(own.span(said),))
        part = wanted.pop() if len(wanted) == 1 and not group.surfaces else part
    elif head is not None and head.kind in ("person", "face") and group.shades:
        named = [s.atoms[-1].entry for s in group.shades]
        wanted = {e.main for e in named if e is not None and e.kind == "colours"}
        part = "hair" if wanted == {"hair"} else part
    piece = _painted(group, part, own, known, said)
    if part == "skin" and group.shades and surface_of(group)[0] in _SINGLE and own.of(said).lower().endswith("s"):
        # "glowing blue cracks" are blue, and the skin is not
        single = Mark(_SINGLE[surface_of(group)[0]], 1.0, mixture([s.colour for s in group.shades]))
        paints = {part: Paint(None, texture="cracked")} if surface_of(group)[0] == "cracked" else {}
        title = " ".join((" and ".join(s.name for s in group.shades), own.of([group.surfaces[-1]]).lower()))
        piece = replace(piece, title=title, look=Look(paints=paints, marks=(single,)))
    if part == "beard" and group.shades:
        # a beard that is drawn takes the colour that is said of it afterwards
        paint, _ = paint_of(group, "hair", known)
        piece = replace(piece, look=Look(marks=(Mark("beard", 1.0, paint.colour),)))
    return Meaning((piece,), _lost(group, part, own))


def _part(group: Group, own: _Text, known: Vocabulary, formed: bool) -> Meaning:
    """Return what is said about a part; a part about which nothing is said is not known."""
    assert group.head is not None and group.head.entry is not None
    if group.bare or (group.head.part not in PARTS and not group.shades and not group.negated):
        # a "peeling nose" has no colour, and is no clown's
        if not group.bare:
            return Meaning(unknown=(own.span(group.atoms),))
        first = [group.first] if group.negated and group.first is not None else []
        return Meaning(unknown=() if formed else (own.span([*first, group.head]),))
    said = [a for a in group.atoms if a.kind != "form"]
    shared = [a for s in group.shades for a in s.atoms]
    if (shared and any(a.start > group.head.start for a in shared) != group.after) or _far(group):
        said = [group.head]  # the colour is another noun's too, and stands there
    if group.borrowed:
        said = [*(a for s in group.shades for a in s.atoms), *group.surfaces]
    noun = group.head.entry.title
    return Meaning((_painted(group, group.head.entry.part, own, known, said, noun),), _lost(group, group.head.entry.part, own))


def _lost(group: Group, part: str, own: _Text) -> tuple[Span, ...]:
    """Return the place of a second colour that cannot be shown: "black and red lips" are black."""
    lost = not_shown(group.shades, part)
    return (own.span(lost),) if lost else ()


def _far(group: Group) -> bool:
    """Tell whether the colour stands before another noun of a list."""
    assert group.head is not None
    places = [a.end for s in group.shades for a in s.atoms]
    return bool(places) and group.link in ("and", ",", "or") and group.first is group.head and not group.after


def _entry(group: Group, own: _Text, known: Vocabulary) -> Meaning:
    """Return what a name means, with the colours and surfaces said about it as pieces of their own."""
    assert group.head is not None and group.head.entry is not None
    entry = group.head.entry
    details = entry.kind == "faces" or entry.thing  # "golden armour" is gold with its helmet
    rank = 9 if details else 0 if entry.soft else _RANKS.get(entry.kind, 9)
    degree = _degree(group, own)
    extra = [a for a in group.atoms if a.kind not in ("form", "degree", "said") and a is not group.head]
    if details and group.shades and entry.main != "skin" and (entry.look.marks or entry.look.paints):
        look, names = recoloured(entry, group, known)
        said = [a for a in group.atoms if a.kind != "form"]
        # a "red nose" is not said to be red twice
        title = entry.title if entry.title.startswith(f"{names} ") else f"{names} {entry.title}"
        form, _, noun = entry.title.partition(" ")
        title = f"{form} {names} {noun}" if noun and any(own.of([a]) == form for a in group.swallowed) else title
        shown = {m.colour for m in look.marks if m.colour} | {p.colour for p in look.paints.values()}
        lost = _lost(group, "", own) if len(shown) < 2 else ()
        return Meaning((_piece(own.of([group.head] if _far(group) else said), title, look, group, degree=degree),), lost)
    said = [group.head] if group.degree is None or not _scales(entry.look) else [group.degree, group.head]
    said += [a for a in group.swallowed if a.kind == "said"]
    name = _piece(own.of(said), entry.title, entry.look, group, rank, degree if _scales(entry.look) else "")
    if entry.covers and (group.negated or entry.empty):
        name = replace(name, parts=entry.covers)  # a "clean shaven santa" has no beard
    if entry.kind == "characters" and entry.main == "clothing":
        name = replace(name, costume=True)
    name = replace(name, masked=entry.masked)
    if not extra:
        return Meaning((name,))
    only = next(iter(entry.look.paints)) if details and len(entry.look.paints) == 1 else ""
    part = entry.main or _MAIN.get(entry.kind, only)  # "glossy nude lips" are no glossy skin
    if group.shades and entry.look.medium in _STROKES:
        part = "material"  # "red pencil" is the colour of the strokes, and no red light
    if part == "material" and group.shades:
        colour = mixture([s.colour for s in group.shades])
        title = f"{' and '.join(s.name for s in group.shades)} {entry.title}"
        return Meaning((name, Understood(own.of(extra), title, Look(tint=colour), (("material", colour),))))
    drawn = entry.look == Look(marks=entry.look.marks, shape=entry.look.shape) and bool(entry.look.marks)
    if not group.shades and details and not entry.main and drawn and not _covering(entry.look):
        if all(m.name in BEARD_MARKS for m in entry.look.marks):
            # a "frozen beard" is one with frost
            frozen = Look(paints={"beard": Paint(None, texture=surface_of(group)[0])}, marks=entry.look.marks)
            return Meaning((_piece(own.of([*extra, group.head]), f"{surface_of(group)[1]} {entry.title}", frozen, group, degree=degree),))
        return Meaning((name,), (own.span(extra),))  # "rainbow eyelashes" are no rainbow skin
    if not group.shades:
        part = (
            part
            if part in PARTS and (part != "clothing" or entry.thing) and not (part == "hair" and surface_of(group)[0] in _OF_SKIN)
            else "skin"
        )
    elif part in ("skin", "clothing") and all(s.atoms[-1].entry is not None and s.atoms[-1].entry.main == "hair" for s in group.shades):
        part = "hair"  # a "blonde girl" has blond hair
    if part not in PARTS or (part == "light" and not group.shades):
        return Meaning((name,), (own.span(extra),))  # a light is not cracked
    return Meaning((name, _painted(group, part, own, known, extra)))


#: Surfaces that hair has none of: a "freckled redhead" has them on the cheeks.
_OF_SKIN = frozenset(("freckled", "wrinkled", "veined", "scaly", "rotten", "bloody", "cracked"))
#: Marks that lie all over the face, so that a surface said of them is the face's.
_ALL_OVER = frozenset(("freckles", "stubble", "burns", "mud", "veins", "dots", "tattoo", "stitches", "panel seams", "circuits", "blood"))


def _covering(look: Look) -> bool:
    return any(m.name in _ALL_OVER for m in look.marks)


#: Media whose strokes can have another colour.
_STROKES = frozenset(("pencil", "ink", "charcoal", "chalk", "ballpoint pen", "engraving", "etching", "linocut"))


def _scales(look: Look) -> bool:
    return bool(look.paints or look.shape or look.marks or look.brightness or look.material or look.medium or look.process)


def _taken_away(found: Meaning, group: Group, own: _Text) -> Meaning:
    """Return pieces that take away what ``found`` would add, or half of it ("less green")."""
    word = own.of([group.first]).lower() if group.first is not None and group.first.kind == "no" else "less" if group.keeps else "no"
    entry = group.head.entry if group.head is not None else None
    pieces = []
    for piece in found.pieces:
        whole = piece.rank != 9 and entry is not None and entry.kind == "characters"
        start = group.first or group.head
        words = own.of([start, *group.atoms]) if start is not None else piece.words
        title = f"{'less' if group.keeps else 'not' if word in NOT_WORDS else 'no'} {piece.title}"
        if whole and group.keeps:
            # a "less scary clown" is one still
            pieces.append(replace(piece, words=words, title=title, look=scaled(piece.look, group.keeps)))
            continue
        removes = Look() if whole else piece.look
        if group.head is None and piece.look.paints:
            paint = next(iter(piece.look.paints.values()))
            removes = Look(paints=dict.fromkeys(PARTS, paint))
        if entry is not None and entry.on_part is not None and not group.shades:
            removes = replace(removes, paints=dict.fromkeys(PARTS, entry.on_part))  # "Ghost Rider without the flames"
        instead = entry.unlike if entry is not None and not group.shades else Look()
        pieces.append(Understood(words, title, removes=removes, parts=piece.parts, keeps=group.keeps, instead=instead))
    return Meaning(tuple(pieces), found.unknown)
