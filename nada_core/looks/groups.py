"""Group atoms into a noun with its description ("slightly dark green hair"), sharing "no" and colours along lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nada_core.looks.atoms import Atom
from nada_core.looks.colour_rows import SHADE_KINDS, after_every_part, listed_colours, pairs_as_colour
from nada_core.looks.colours import shifted
from nada_core.looks.look import Lab
from nada_core.looks.spelling import Token

__all__ = ["NOT_WORDS", "SHADE_KINDS", "Group", "Shade", "groups"]

_LINKS = (",", "with", "but", "in", "on skin", "aside")
_DARK: Lab = (14, 2, 2)
_PALE: Lab = (86, 2, 5)
#: Refusals of what someone is or does; all others refuse a thing ("no beard").
NOT_WORDS = frozenset("not non never isn't isnt isn’t aren't arent don't dont don’t doesn't doesnt doesn’t wasn't didn't".split())
#: Refusals after which a part keeps its own colour: "red but not the hair", "red except the lips".
_SPARING = NOT_WORDS | {"except", "apart", "besides", "other", "excluding", "leave"}


@dataclass(frozen=True)
class Shade:
    """A colour as it was said: its name, its value, and its atoms (with "dark" and the like in front).

    ``usual`` is the name by which its look on a part is known where another stands in ``name``, and ``change`` what was said of it
    afterwards: steps of lightness, and a factor on how colourful it is.
    """

    name: str
    colour: Lab
    atoms: tuple[Atom, ...]
    texture: str = ""
    usual: str = ""
    change: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Group:
    """A noun with what is said about it.

    Attributes:
        link: what stands before it: "", "and", "or", or a kind of grammar.txt.
        negated: True where it is said to be missing.
        head: the noun; None where colours or degrees stand alone.
        shades: colours.
        surfaces: textures.
        forms: words such as "big" that are known only in fixed pairs.
        degree: the words and factor of "slightly" or "very".
        first: the first atom, a "no" included.
        after: True where the colour was said after the noun.
        borrowed: True where the noun stands only before an earlier group ("hair not green but blue").
        swallowed: atoms that belong to an unknown thing ("gold" of "gold earrings").
        keeps: share that stays of what is negated: half where "less" is said.
        own: True where the noun is to be left as it is ("normal eyes", "but not the hair").
    """

    link: str = ""
    negated: bool = False
    head: Atom | None = None
    shades: tuple[Shade, ...] = ()
    surfaces: tuple[Atom, ...] = ()
    forms: tuple[Atom, ...] = ()
    degree: Atom | None = None
    first: Atom | None = None
    after: bool = False
    borrowed: bool = False
    swallowed: tuple[Atom, ...] = ()
    keeps: float = 0.0
    own: bool = False

    @property
    def bare(self) -> bool:
        """Whether nothing is said about the noun."""
        return not (self.shades or self.surfaces)

    @property
    def atoms(self) -> list[Atom]:
        """All atoms in the order of the text."""
        said = [
            *(a for s in self.shades for a in s.atoms),
            *self.surfaces,
            *self.forms,
            *self.swallowed,
            *filter(None, (self.head, self.degree)),
        ]
        return sorted(said, key=lambda a: a.start)


def _modifier(row: Sequence[Atom], at: int) -> Atom | None:
    """Return the atom at a place as a word about the noun after it (colour, shade, surface, form, degree), or None for a noun."""
    atom = row[at]
    if atom.kind in ("colour", "form", "degree", *SHADE_KINDS):
        return atom
    if atom.kind != "entry" or atom.entry is None:
        return None
    if atom.entry.surface:
        return atom
    after = row[at + 1] if at + 1 < len(row) else None
    if atom.entry.kind == "characters" and after is not None and after.kind == "face" and after.start == atom.end:
        return None  # a "pumpkin face" is a pumpkin's
    if atom.twin is not None and atom.twin.kind == "form" and after is not None:
        noun = _noun(row, at + 1, parts_only=True)
        if (
            noun is not None
            and noun.kind == "entry"
            and not (
                atom.entry.main == "skin" and (_describing(row, noun) or not (noun.part or (noun.entry is not None and noun.entry.thing)))
            )
        ):
            return atom.twin  # "thin eyebrows" and a "thin black moustache" make no thin face
    if atom.twin is not None and atom.twin.kind == "vivid" and atom.entry.on_part is None and _directly_drawn(after, atom):
        return atom.twin  # a "dirty beard" is no dirt on the face
    if atom.twin is not None and atom.twin.kind in SHADE_KINDS:
        before = row[at - 1] if at else None
        if before is not None and before.end == atom.start and before.part and before.kind in ("entry", "face") and not _said(row, at - 1):
            return atom.twin  # "skin darker"
        colour = after is not None and "colour" in (after.kind, after.twin.kind if after.twin else "")
        if not colour and atom.entry.on_part is not None and _noun(row, at + 1, parts_only=True):
            return atom  # "neon lips" have the colour of neon, "neon pink lips" are a loud pink
        return atom.twin if colour or (after is not None and after.part) else None
    if atom.twin is not None and atom.twin.kind == "colour" and _noun(row, at + 1, parts_only=True):
        if atom.entry.thing and after is not None and after.kind == "and":
            return None  # "lipstick and pale cheeks": a thing, and no colour of cheeks
        return atom if atom.entry.on_part is not None else atom.twin
    if atom.entry.kind == "materials" and atom.end > atom.start + 2:
        return None  # in "the statue of liberty crying" nothing says how the tears look
    return atom if atom.entry.on_part is not None and (_noun(row, at + 1, parts_only=True) or _after_part(row, at)) else None


def _after_part(row: Sequence[Atom], at: int) -> bool:
    """Tell whether a word directly follows a part of which no colour is said: "skin gold, eyes silver"."""
    before, after = row[at - 1] if at else None, row[at + 1] if at + 1 < len(row) else None
    if before is None or before.end != row[at].start or before.kind not in ("entry", "face") or not before.part or _said(row, at - 1):
        return False
    if row[at].end > row[at].start + 2:
        return False  # a face "made of clouds" is all of them
    return after is None or after.kind in (",", "and", "but", "with")


def _said(row: Sequence[Atom], at: int) -> bool:
    """Tell whether a colour stands directly before a part: in "red lips dark" the dark is another's."""
    return at > 0 and row[at - 1].kind in ("colour", *SHADE_KINDS) and row[at - 1].end == row[at].start


def _noun(row: Sequence[Atom], at: int, parts_only: bool = False) -> Atom | None:
    """Return the noun that words from a place on belong to: over other modifiers and an "and" between them."""
    while at < len(row):
        atom = row[at]
        if atom.kind == "and" and at + 1 < len(row) and _modifier(row, at + 1) is not None:
            at += 1
            continue
        if _modifier(row, at) is None:
            noun = atom.kind in ("entry", "person", "face", "picture", "unknown", "thing", "all")
            return atom if noun and (not parts_only or atom.part or _drawn(atom)) else None
        at += 1
    return None


def _describing(row: Sequence[Atom], noun: Atom) -> bool:
    """Tell whether something drawn stands directly before whoever wears it: "old tattooed sailor" is an old one."""
    after = row[row.index(noun) + 1] if row.index(noun) + 1 < len(row) else None
    somebody = after is not None and (after.kind == "person" or (after.entry is not None and after.entry.kind == "characters"))
    return not noun.part and somebody and after is not None and after.start == noun.end


def _directly_drawn(after: Atom | None, atom: Atom) -> bool:
    return after is not None and after.start == atom.end and not after.part and _drawn(after)


def _drawn(atom: Atom) -> bool:
    """Tell whether a noun is something drawn on a face, such as a beard."""
    if atom.entry is None:
        return False
    worn = atom.entry.kind == "characters" and atom.entry.thing  # "golden armour"
    detail = atom.entry.kind == "faces" and atom.entry.main != "skin"
    return worn or (detail and (bool(atom.entry.look.marks) or atom.entry.main == "lips"))


class _Builder:
    """Walks along a row of atoms and collects groups."""

    def __init__(self, row: Sequence[Atom], words: Sequence[Token]) -> None:
        self.row, self.words = row, words
        self.done: list[Group] = []
        self.shading: list[Atom] = []
        self.group = Group()

    def close(self, link: str) -> None:
        """End the group at hand; ``link`` is what stands before the next one."""
        group = self.group
        for atom in self.shading:  # "dark" without a colour
            # "hot" says nothing without a colour, nor is a "rich lady" dark
            if atom.kind == "vivid" or (
                self._text(atom) in _OF_COLOURS and not (group.head and (group.head.part or group.head.kind == "face"))
            ):
                group = replace(group, forms=(*group.forms, replace(atom, kind="form")))
            else:
                group = replace(group, shades=(*group.shades, _plain_shade(atom, self._text(atom))))
        self.shading = []
        if group.head or not group.bare or group.forms or group.degree:
            self.done.append(group)
            self.group = Group(link)
        elif group.first is not None and group.first.kind == "no" and link in ("in", "with"):
            return  # "not wearing glasses"
        else:
            self.group = Group(link)

    def _text(self, atom: Atom) -> str:
        return " ".join(w.text.lower() for w in self.words[atom.start : atom.end])

    def say(self, atom: Atom) -> None:
        """Add a word about the noun to come."""
        group = replace(self.group, first=self.group.first or atom)
        if atom.kind in SHADE_KINDS:
            self.shading.append(atom)
        elif atom.kind == "colour":
            group = replace(group, shades=(*group.shades, self._shade(atom)))
        elif atom.kind == "form":
            # "very long green hair" is very long, not very green
            very = (group.degree,) if group.degree is not None and group.degree.end == atom.start else ()
            group = replace(group, forms=(*group.forms, *very, atom), degree=None if very else group.degree)
        elif atom.kind == "degree":
            group = replace(group, degree=atom)
        elif atom.entry is not None and atom.entry.on_part is not None and not atom.entry.surface:
            paint = atom.entry.on_part
            assert paint.colour is not None
            group = replace(group, shades=(*group.shades, Shade(atom.entry.title, paint.colour, (atom,), paint.texture)))
        else:
            group = replace(group, surfaces=(*group.surfaces, atom))
        self.group = group

    def _shade(self, atom: Atom) -> Shade:
        assert atom.entry is not None and atom.entry.colour is not None
        colour, name = atom.entry.colour, atom.entry.title
        before, self.shading = self.shading, []
        for word in reversed(before):
            colour = shifted(colour, word.value if word.kind == "lightness" else 0, 1 + word.value / 40 if word.kind == "vivid" else 1)
            name = f"{self._text(word)} {name}"
        return Shade(name, colour, (*before, atom))

    def and_goes_on(self, at: int) -> bool:
        """Tell whether the "and" at a place stands between words about one noun."""
        if at + 1 >= len(self.row):
            return False
        if self.group.bare:
            # "a beard very long and white"
            said = self.group.forms and self.group.head is None and self.done and self.done[-1].head is not None
            return bool(said) and self.row[at + 1].kind == "colour" and _noun(self.row, at + 1) is None
        if self.group.surfaces and self.group.surfaces[-1].end == self.row[at].start and self._noun_like(self.group.surfaces[-1]):
            return False  # "golden scales and emerald eyes"
        last = self.group.surfaces[-1] if self.group.surfaces and not self.group.shades else None
        if last is not None and last.end - last.start > 1 and "skin" in {w.root for w in self.words[last.start : last.end]}:
            return False  # "skin of snake and yellow eyes"
        twin = self.row[at + 1].twin
        stuff = self.row[at + 1].entry
        if twin is not None and twin.kind == "colour" and (self.group.link == "in" or (stuff is not None and stuff.kind == "materials")):
            return bool(self.group.shades) or self.group.link == "in"  # "black and gold sugar skull"
        if _modifier(self.row, at + 1) is None:
            return False
        noun = _noun(self.row, at + 1)
        if self.row[at + 1].kind == "degree" and noun is not None and not noun.part:
            return False  # "slightly green and very angry" is green skin, and not a green mood
        return not (self.after_noun() and _noun(self.row, at + 1) is not None)

    def _noun_like(self, surface: Atom) -> bool:
        """Tell whether a surface was said as a noun of its own: "scales", "cracks"."""
        word = self.words[surface.end - 1].text.lower()
        return word.endswith("s") and not word.endswith(("ss", "us"))

    def but_for(self, atom: Atom) -> bool:
        """Tell whether an exception is made from a refusal: "no make-up except red lipstick" asks for the lipstick."""
        refused = bool(self.done) and self.done[-1].negated and self.group.head is None and self.group.bare
        return refused and self.words[atom.start].root in ("except", "apart", "besides", "other")

    def after_noun(self) -> bool:
        """Tell whether the group at hand follows directly on a part without a colour ("hair blue")."""
        if not self.done or self.group.link != "":
            return False
        last = self.done[-1]
        return last.head is not None and bool(last.head.part) and last.bare

    def ends_after(self, at: int) -> bool:
        """Tell whether the colours at hand belong to the part before them, though another part follows ("hair red skin green")."""
        if not (self.after_noun() and self.group.shades and self.row[at].part):
            return False
        after = self.row[at + 1] if at + 1 < len(self.row) else None
        if after is None or after.kind not in ("colour", *SHADE_KINDS):
            return False
        return _noun(self.row, at + 1, parts_only=True) is None or after_every_part(self.row, at)


#: Shades that say something else where no colour and no part stands beside them.
_OF_COLOURS = frozenset(("rich", "deep", "deeper", "soft", "pastel", "faded"))


def _plain_shade(atom: Atom, name: str) -> Shade:
    return Shade(name, _DARK if atom.value < 0 else _PALE, (atom,))


def groups(row: Sequence[Atom], words: Sequence[Token]) -> list[Group]:
    """Return the atoms as groups in the order of the text."""
    build = _Builder(row, words)
    for at, atom in enumerate(row):
        if atom.kind == "and":
            if not build.and_goes_on(at):
                build.close("or" if words[atom.start].root in ("or", "nor") else "and")
            continue
        if atom.kind == "," and listed_colours(row, at) and build.group.shades:
            continue
        if atom.kind in _LINKS:
            build.close(atom.kind)
            continue
        if atom.kind == "no" and (_kept_colour(row, at, words) or build.but_for(atom)):
            build.close("but")  # "black and white except red lips": they stay red
            continue
        if atom.kind == "no":
            before = build.group
            # "not not a clown" is one, "neither green nor blue" refuses both
            twice = before.negated and before.bare and not before.forms and before.first is not None and before.first.kind == "no"
            link = build.group.link
            build.close("")
            link = link if build.group.link == "" else build.group.link
            build.group = replace(build.group, negated=not twice, first=atom, link=link, keeps=atom.value)
            build.group = replace(build.group, own=not twice and words[atom.start].root in _SPARING)
            continue
        if atom.kind == "own":
            after = row[at + 1] if at + 1 < len(row) else None
            if after is not None and (after.kind in ("entry", "colour", "face")):
                build.group = replace(
                    build.group,
                    first=build.group.first or atom,
                    own=after.kind == "entry" or (after.kind == "face" and build.group.link in ("with", "but")),
                )
                continue
            if build.done and build.done[-1].head is not None and build.done[-1].head.part and build.done[-1].bare:
                build.done[-1] = replace(build.done[-1], own=True)  # "eyes normal"
                continue
            atom = replace(atom, kind="person")
        if atom.kind == "face" and build.group.link in ("with", "but") and words[atom.start].root in ("normal", "human"):
            build.group = replace(build.group, own=True)  # "zombie with a normal face"
        listed = build.group.link == "in" or (
            at and row[at - 1].kind == "and" and atom.entry is not None and atom.entry.kind == "materials"
        )
        if listed and build.group.shades and atom.twin is not None and atom.twin.kind == "colour":
            atom = atom.twin  # "in black and gold"
        if pairs_as_colour(row, at) and atom.twin is not None:
            atom = atom.twin  # "gold and black"
        modifier = atom if atom.kind == "colour" else _modifier(row, at)
        if modifier is not None:
            build.say(modifier)
            continue
        if build.ends_after(at):
            build.close("")
        build.group = replace(build.group, head=atom, first=build.group.first or atom)
        build.close("")
    build.close("")
    return build.done


def _kept_colour(row: Sequence[Atom], at: int, words: Sequence[Token]) -> bool:
    """Tell whether a coloured part is excepted from what a camera does to the picture."""
    if words[row[at].start].root not in ("except", "apart", "besides"):
        return False
    process = any(a.entry is not None and a.entry.kind == "processes" for a in row[:at])
    after = row[at + 1 : at + 4]
    return process and any(a.kind == "colour" for a in after) and any(a.part for a in after)
