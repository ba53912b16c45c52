"""Work out what the colours and surfaces of a group paint: one colour, two, coloured stuff, a drawing in another colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.colours import PALE_LIPS, as_iris, difference, mixture, shifted
from nada_core.looks.groups import Group, Shade
from nada_core.looks.look import BEARD_MARKS, HAIR_MARKS, Lab, Look, Mark, Paint
from nada_core.looks.word_lists import Entry, Vocabulary, phrase

__all__ = ["not_shown", "paint_of", "recoloured", "second_colour", "surface_of", "usual_paint"]

#: From which difference on two colours of a skin are not mixed.
_APART = 55.0
#: Marks that lie on something in another colour, and on what.
_GROUNDS = {"stripes": "skin", "dots": "skin", **dict.fromkeys(("hair tips", "hair strands", "braids", "dreadlocks"), "hair")}


def surface_of(group: Group) -> tuple[str, str]:
    """Return the texture that is said and its words; the last one counts."""
    said = [a.entry for a in group.surfaces if a.entry is not None]
    return (said[-1].surface, said[-1].title) if said else ("", "")


def paint_of(group: Group, part: str, known: Vocabulary) -> tuple[Paint, str]:
    """Return paint for a part, and the name of its colours."""
    texture, _ = surface_of(group)
    if not group.shades:
        return Paint(None, texture=texture), ""
    group = replace(group, shades=tuple(_seen(group.shades)))
    names = " and ".join(dict.fromkeys(s.name for s in group.shades))
    if len({s.colour for s in group.shades}) == 1:
        return usual_paint(group.shades[0], part, known, texture), names
    if (stuff := _coloured_stuff(group.shades)) is not None:
        return replace(usual_paint(stuff[0], part, known, ""), texture=texture or stuff[1].texture), names
    colours = [usual_paint(s, part, known, texture) for s in group.shades]
    labs = [p.colour for p in colours if p.colour is not None]
    vivid = [lab for lab in labs if abs(lab[1]) + abs(lab[2]) > 20]
    if len(vivid) >= 3:
        return Paint(None, texture="rainbow"), names
    if _said_apart(group.shades) and (part in _OTHER_HALF or (part not in _MIXED and _two_colours(group.shades))):
        return colours[0], names if part in _OTHER_HALF else group.shades[0].name
    return replace(colours[0], colour=mixture(labs)), names


def _coloured_stuff(shades: Sequence[Shade]) -> tuple[Shade, Shade] | None:
    """Return colour and stuff where one directly follows the other: "red velvet" is red, and no stripes of red and velvet."""
    if len(shades) != 2 or shades[0].atoms[-1].end != shades[1].atoms[0].start:
        return None
    colours = [s for s in shades if s.atoms[-1].entry is not None and s.atoms[-1].entry.kind == "colours"]
    stuff = [s for s in shades if s.atoms[-1].entry is not None and s.atoms[-1].entry.kind == "materials"]
    if len(stuff) == 2:
        return stuff[1], stuff[1]  # a "molten chocolate face" is of chocolate
    return (colours[0], stuff[0]) if len(colours) == 1 and stuff else None


#: part -> the mark that shows a second colour of it.
_OTHER_HALF = {"skin": "half face", "hair": "hair strands", "eyes": "other eye"}
#: Parts whose two colours are mixed: what lies behind a face or below it may have both.
_MIXED = frozenset(("clothing", "background", "light"))
#: From where on two colours are seen beside one another; nearer ones are one that lies between them.
_SEEN_APART = 22.0


def _said_apart(shades: Sequence[Shade]) -> bool:
    """Tell whether two colours are to be seen beside one another: "pink and blue", no "blue black"."""
    if len(shades) != 2 or shades[0].atoms[-1].end >= shades[1].atoms[0].start:
        return False
    return difference(shades[0].colour, shades[1].colour) > _SEEN_APART


def _seen(shades: Sequence[Shade]) -> Sequence[Shade]:
    """Return the first two of colours that stand in a list; three bright ones are a rainbow's."""
    vivid = [s for s in shades if abs(s.colour[1]) + abs(s.colour[2]) > 20]
    return shades[:2] if len(shades) > 2 and len(vivid) < 3 and _said_apart(shades[:2]) else shades


def not_shown(shades: Sequence[Shade], part: str) -> tuple[Atom, ...]:
    """Return the words of colours that a part, or a thing that is drawn, cannot show beside the first, or the first two."""
    seen = _seen(shades)
    if part not in _OTHER_HALF and part not in _MIXED and _said_apart(seen) and _two_colours(seen):
        seen = seen[:1]
    return tuple(atom for shade in shades[len(seen) :] for atom in shade.atoms)


def second_colour(group: Group, part: str, known: Vocabulary) -> tuple[Mark, ...]:
    """Return the mark that shows a second colour of a part: two share a face or the eyes half and half, and hair in strands."""
    group = replace(group, shades=tuple(_seen(group.shades)))
    apart = len(group.shades) == 2 and (_two_colours(group.shades) if part == "skin" else _said_apart(group.shades))
    if part not in _OTHER_HALF or not apart:
        return ()
    return (Mark(_OTHER_HALF[part], 1.0, usual_paint(group.shades[1], part, known, "").colour),)


def usual_paint(shade: Shade, part: str, known: Vocabulary, texture: str) -> Paint:
    usual = known.shades.get((part, phrase(shade.usual or shade.name)))
    if usual is not None:
        if usual.colour is not None and shade.change != (0.0, 1.0):
            usual = replace(usual, colour=shifted(usual.colour, *shade.change))
        return replace(usual, texture=texture or usual.texture)
    colour = PALE_LIPS if part == "lips" and shade.name in ("pale", "paler") else shade.colour
    if part == "eyes" and "white" not in shade.name:
        colour = as_iris(colour)
    return Paint(colour, texture=texture or shade.texture)


def _two_colours(shades: Sequence[Shade]) -> bool:
    """Tell whether two colours are so far apart that a face in both has one on each half: red and white make no pink one."""
    return _coloured_stuff(shades) is None and difference(shades[0].colour, shades[1].colour) > _APART


def recoloured(entry: Entry, group: Group, known: Vocabulary) -> tuple[Look, str]:
    """Return the look of a detail in other colours ("white beard", "blue eyeshadow"), and their name."""
    look, names = entry.look, ""
    if "skin" in look.paints and entry.kind == "faces":
        # "white clown makeup" has red lips still
        paint, names = paint_of(group, "skin", known)
        return replace(look, paints={**look.paints, "skin": replace(paint, texture=paint.texture or look.paints["skin"].texture)}), names
    paints = {}
    for part, paint in look.paints.items():
        new, names = paint_of(group, part, known)
        paints[part] = replace(new, texture=new.texture or paint.texture)
    colour: Lab | None = None
    ground = {_GROUNDS.get(m.name, "") for m in look.marks}
    if len(group.shades) == 2 and len(ground) == 1 and "" not in ground and not paints:
        # yellow and black stripes are black ones on yellow
        part, names = ground.pop(), " and ".join(s.name for s in group.shades)
        marks = tuple(replace(m, colour=usual_paint(group.shades[1], part, known, "").colour) for m in look.marks)
        return replace(look, paints={part: usual_paint(group.shades[0], part, known, "")}, marks=marks), names
    if not_shown(group.shades, ""):
        group = replace(group, shades=group.shades[:1])
    if look.marks:
        new, names = paint_of(group, "hair" if all(m.name in HAIR_MARKS | BEARD_MARKS for m in look.marks) else "", known)
        colour = new.colour
    return replace(look, paints=paints, marks=tuple(replace(m, colour=colour) for m in look.marks)), names
