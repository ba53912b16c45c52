"""Give what stands alone in a text to its noun: colours ("hair blue"), degrees ("smiling slightly"), materials of unknown things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.groups import Group
from nada_core.looks.look import BEARD_MARKS
from nada_core.looks.part_looks import somebody
from nada_core.looks.shading import shaded_after
from nada_core.looks.spelling import Token
from nada_core.looks.word_lists import Entry

__all__ = ["attached"]

#: Words that begin a name in another order ("hair long"), and the part that a colour after it goes to.
_PART_WORDS = {
    "hair": "hair",
    "lip": "lips",
    "eye": "eyes",
    "eyebrow": "brows",
    "brow": "brows",
    "cheek": "cheeks",
    "tooth": "teeth",
    "beard": "beard",
}
#: Words for parts that have a form and no paint of their own.
_UNPAINTED = frozenset(("ear", "nose", "chin", "jaw", "forehead", "neck", "root"))
_THERE = frozenset("on over across down all around from off in onto".split())
#: Names of lines whose words also say how a thing is.
_OF_THINGS = frozenset(("burnt", "bleeding", "melting", "burning"))


#: Groups that take the places of the last one and of the one at hand; None where the rule does not fit.
_Joined = list[Group] | None


def attached(found: Sequence[Group], words: Sequence[Token]) -> list[Group]:
    """Give colours and degrees that stand alone to the noun before them ("hair blue", "smiling slightly").

    The first rule of :data:`_RULES` that fits the last group and the one after it decides.
    """
    done = list(found[:1])
    for group in found[1:]:
        last = done[-1]
        group = _set_apart(last, group)
        joined = None
        if group.link != "aside":
            joined = next((groups for rule in _RULES if (groups := rule(last, group, words)) is not None), None)
            group = _linked(last, group, words)
        done[-1:] = [last, group] if joined is None else joined
    return done


def _set_apart(last: Group, group: Group) -> Group:
    """Return the group, marked where it is held aside or an exception."""
    if last.link == "aside" and group.link == "":
        return replace(group, link="aside")  # "holding a poisoned apple"
    named = group.head is not None and group.head.part and group.bare and not group.forms and not group.negated
    return replace(group, own=True) if group.link == "but" and named else group  # "everything red but the eyes"


def _linked(last: Group, group: Group, words: Sequence[Token]) -> Group:
    """Return the group with the link that the last one gives it."""
    if last.link == "on skin" and group.link in ("and", ",") and group.head is not None and group.bare:
        return replace(group, link="on skin")  # "covered in honey and bees"
    if last.head is None or group.head is not None:
        return group
    several = last.head.end - last.head.start > 1 and last.head.kind == "entry" and not last.head.part
    if several and group.link in ("and", "in", ",") and group.shades and not group.negated and not last.negated:
        first, end = words[last.head.start].root, words[last.head.end - 1].root
        if group.link != "," and (first in _UNPAINTED or (group.link == "and" and end in _UNPAINTED)):
            return replace(group, link="aside")  # "ears big and red"
        # "hair long and blue", "fuller lips in dark red", "short hair, pink"
        place = _PART_WORDS.get(first if group.link == "and" else end, "")
        return replace(group, link=f"of {place}") if place else group
    return replace(group, link="in light") if group.link == "in" and _pictured(last.head) else group


def _said_of(last: Group, group: Group, words: Sequence[Token]) -> _Joined:
    """Give a degree, form, surface or colour that stands alone to the noun before it."""
    head = last.head
    if group.head is not None or head is None or group.negated or last.negated:
        return None
    if group.bare and not group.forms and group.degree is not None and group.link in ("", ",", "but"):
        return [replace(last, degree=group.degree)]
    if group.link == "" and group.bare and group.forms and last.bare and not last.forms and head.kind == "entry":
        return [replace(last, forms=group.forms)]  # "the beard more long"
    if group.link == "" and head.part and last.bare and group.surfaces and not group.shades and not last.forms:
        return [replace(last, surfaces=group.surfaces, after=True)]  # "her skin is frozen"
    part = bool(head.part) or head.kind in ("person", "all")
    near = group.link == "" or (group.link == "," and bool(head.part)) or (group.link == "in" and (bool(head.part) or _makeup(head)))
    plain = part or _makeup(head) or all(a.entry is None or a.entry.main for s in group.shades for a in s.atoms)
    if not (near and plain and last.bare and group.shades and head.kind != "unknown" and (part or head.kind == "entry")):
        return None
    forms, degree = (*last.forms, *group.forms), group.degree or last.degree
    return [replace(last, shades=group.shades, surfaces=group.surfaces, forms=forms, after=True, degree=degree)]


def _goes_on(last: Group, group: Group, words: Sequence[Token]) -> _Joined:
    """Read a colour about a part that has been spoken of ("hair not green but blue"): the noun stands once."""
    if group.head is not None or last.head is None or not last.head.part or not group.shades:
        return None
    if not (last.bare or last.negated or group.negated or group.link in ("but", "or")):
        return None
    if last.bare and not last.negated and not last.forms:
        return [replace(group, head=last.head, after=True, borrowed=False)]
    return [last, replace(group, head=last.head, after=False, borrowed=True)]


def _swallowing(last: Group, group: Group) -> Group:
    """Return the group in the place of the last one, whose words are part of its name."""
    return replace(group, link=last.link, negated=last.negated, swallowed=tuple(last.atoms), first=last.first)


def _unknown(group: Group) -> Group:
    """Return the group with a head that is not known."""
    assert group.head is not None
    return replace(group, head=replace(group.head, kind="unknown", entry=None))


def _leaves(last: Group, group: Group, words: Sequence[Token]) -> _Joined:
    """Read "golden leaves": leaf is a colour of parts only."""
    return [_swallowing(last, group)] if group.link == "" and _only_beside_parts(group, last) else None


def _in_one(last: Group, group: Group, words: Sequence[Token]) -> _Joined:
    """Read two nouns that stand side by side as one: "storm light", "witch hunter", "olive oil", "Batman mask"."""
    head, before = group.head, last.head
    if head is None or before is None or group.link != "" or not group.bare:
        return None
    if _she(last, group, words):
        return [replace(last, head=_beardless(before)), group]
    if _of_old_times(last, group, words):
        return [_unknown(last), group]  # a "medieval plague doctor" is no icon
    light = head.part == "light" and before.kind == "entry" and not group.forms and before.end == head.start
    if light or _makeup_as(last, group, words):
        return [replace(last, head=replace(before, end=head.end))]  # "storm light"; "old man make-up" is no lipstick
    mere = group.first is head
    if mere and before.kind in ("thing", "unknown") and words[before.start].root in _UNPAINTED and _how(head) and before.end == head.start:
        return [replace(last, head=replace(before, end=head.end))]  # "neck gold" makes no golden face, "roots dark" no dark picture
    if mere and _character(before) and head.entry is not None and words[head.start].root == "mask":
        return [last]  # a "Batman mask" is Batman, with no second mask
    if _pressed(head, last, words):
        return [_unknown(_swallowing(last, group))]  # "olive oil" is no painting
    if mere and _acts_on(head, last, words):
        # a "witch hunter" is a hunter
        return [_swallowing(last, group)] if head.kind == "unknown" else [_unknown(last), group]
    if mere and head.kind in ("thing", "unknown") and _swallows(head, last, words):
        return [_swallowing(last, group)]
    return None


def _how(head: Atom) -> bool:
    """Tell whether a name after a noun can be said of it: stuff, or "dark"."""
    return head.entry is not None and (head.entry.on_part is not None or (head.entry.kind == "lights" and head.twin is not None))


def _also_formed(last: Group, group: Group, words: Sequence[Token]) -> _Joined:
    """Read "hair long and wavy": of a name such as "hair long" the noun alone is meant."""
    if last.head is None or not _form_too(last, group, words):
        return None
    return [last, replace(group, head=last.head if last.head.part or last.forms else replace(last.head, end=last.head.start + 1))]


def _also_painted(last: Group, group: Group, words: Sequence[Token]) -> _Joined:
    """Read "face painted in blue and in yellow"."""
    if group.head is not None or group.link != "in" or not group.shades or not _painted_too(last, group, words):
        return None
    return [replace(last, shades=(*last.shades, *group.shades))]


def _also_it(last: Group, group: Group, words: Sequence[Token]) -> _Joined:
    """Read "keep the beard but make it blue"."""
    if last.head is None or not _about_it(last, group, words):
        return None
    noun = words[last.head.end - 1].root
    part = "" if last.head.part or noun == "beard" else _PART_WORDS.get(noun, "")  # of "big lips" the form stays
    if part:
        return [last, replace(group, link=f"of {part}")]
    group = replace(group, head=last.head, after=True)
    return [group] if last.bare and not last.negated else [last, group]


_MAKING = frozenset("make made paint painted dye dyed turn turned colour color give want".split())


def _about_it(last: Group, group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a colour is said of the part before it by "it" or "them"."""
    if last.head is None or group.head is not None or not group.shades or group.negated:
        return False
    head = last.head.entry
    drawn = head is not None and head.kind == "faces" and (bool(head.look.marks) or words[last.head.end - 1].root in _PART_WORDS)
    between = [w.root for w in words[last.head.end : group.shades[0].atoms[0].start]]
    return (bool(last.head.part) or drawn) and bool({"it", "them"} & set(between)) and bool(_MAKING & set(between))


_RULES = (shaded_after, _said_of, _goes_on, _leaves, _in_one, _also_formed, _also_painted, _also_it)


def _form_too(last: Group, group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a form alone is said of the part before it: "make her hair long and wavy"."""
    if last.head is None:
        return False
    said = bool(last.head.part or last.forms) or words[last.head.start].root in _PART_WORDS
    return said and group.head is None and group.bare and bool(group.forms) and group.link in ("and", ",") and not group.negated


_FEMALE = frozenset(("woman", "girl", "lady", "female", "gal", "queen", "princess", "bride", "empress", "goddess"))


def _she(last: Group, group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a name stands beside a word for a woman: a "viking woman" has no beard."""
    assert last.head is not None and group.head is not None
    return (
        _character(last.head)
        and group.link == ""
        and group.bare
        and words[group.head.start].root in _FEMALE
        and last.head.end == group.head.start
    )


def _beardless(head: Atom) -> Atom:
    assert head.entry is not None
    look = head.entry.look.without("beard")
    look = replace(look, marks=tuple(m for m in look.marks if m.name not in BEARD_MARKS))
    return replace(head, entry=replace(head.entry, look=look))


def _of_old_times(last: Group, group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a word before somebody says when he lived: "medieval" paints no icon there, and "ancient" makes no warrior old."""
    assert last.head is not None and group.head is not None
    entry, word = group.head.entry, words[last.head.start].root
    one = last.head.kind == "entry" and last.head.end == last.head.start + 1 and last.head.end == group.head.start
    if entry is None or not one or entry.kind != "characters":
        return False
    return word == "medieval" or (
        word == "ancient" and (entry.main == "clothing" or "warrior" in {w.root for w in words[group.head.start : group.head.end]})
    )


#: Make-up: "a cut crease in purple and gold" says what colours it has, and nothing of clothes.
_MAKEUP = frozenset(
    ("eyeliner", "eyeshadow", "blush", "contour", "glitter", "eye star", "eye diamonds", "cheek spots", "lightning", "war paint")
)


def _makeup(head: Atom) -> bool:
    if head.entry is not None and head.entry.kind == "faces" and head.entry.title.endswith(("makeup", "face paint")):
        return True
    marks = {m.name for m in head.entry.look.marks} if head.entry is not None and head.entry.kind == "faces" else set()
    return bool(marks) and marks <= _MAKEUP


def _painted_too(last: Group, group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a colour after "and in" is painted on the same skin."""
    if not last.shades or not (last.link == "on skin" or (last.head is not None and last.head.kind == "face")):
        return False
    return any(w.root == "and" for w in words[last.atoms[-1].end : group.atoms[0].start])


def _makeup_as(last: Group, group: Group, words: Sequence[Token]) -> bool:
    """Tell whether "makeup" directly after a name says only that somebody is made up so."""
    assert last.head is not None and group.head is not None
    entry = last.head.entry
    title = group.head.entry.title if group.head.entry is not None else ""
    # "tiger paint" is on a face
    if entry is None or title not in ("makeup", "painting") or group.first is not group.head:
        return False
    return (
        last.head.end == group.head.start
        and words[group.head.start].root in ("makeup", "make", "paint")
        and (entry.kind == "characters" or (entry.kind == "faces" and (not entry.thing or _wound(entry))))
    )


def _wound(entry: Entry) -> bool:
    """Tell whether a name is drawn as what film make-up makes: "burn makeup" paints no lips."""
    return bool(entry.look.marks) and {m.name for m in entry.look.marks} <= _WOUNDS


_WOUNDS = frozenset(("burns", "scar", "bruise", "blood", "stitches", "veins", "freckles", "mud", "tears"))


def _only_beside_parts(group: Group, last: Group) -> bool:
    """Tell whether a group is one word that is a colour only beside a part, directly after a material."""
    if group.head is not None or len(group.shades) != 1 or last.head is None or last.head.entry is None:
        return False
    entry = group.shades[0].atoms[-1].entry
    return entry is not None and not entry.main and last.head.entry.on_part is not None and last.head.end == group.shades[0].atoms[0].start


#: Somebody or something that is about whoever stands before the word: a "snake charmer" is no snake, nor is a "dragon tattoo" a dragon.
_DOERS = frozenset(
    "hunter slayer catcher tamer charmer trainer rider keeper whisperer lover owner walker breeder handler herder groomer eater "
    "watcher farmer fighter summoner vendor seller tattoo".split()
)
#: Those who make or bring food.
_OF_FOOD = frozenset("chef cook baker butcher waiter waitress barista grower picker farmer seller vendor".split())
#: Those who work with a stuff or go on it.
_WORKERS = frozenset(
    "skater blower cutter carver mason worker digger miner dancer climber fisherman maker smith seller dealer collector merchant trader "
    "hockey fishing".split()
)
#: Media that are stuff as well: an "oil spill" is no painting.
_STUFF = frozenset("oil ink chalk neon pastel charcoal pencil crayon".split())


def _pressed(head: Atom, before: Group, words: Sequence[Token]) -> bool:
    """Tell whether "oil" directly after a name is what is pressed from it."""
    assert before.head is not None
    stuff = head.entry is not None and head.entry.kind == "media" and head.end == head.start + 1 and words[head.start].root == "oil"
    return stuff and before.head.end == head.start and before.head.entry is not None


def _acts_on(doer: Atom, before: Group, words: Sequence[Token]) -> bool:
    """Tell whether a noun is somebody who does something to the character before it, or a picture of it."""
    assert before.head is not None
    entry = before.head.entry
    word = words[doer.start].root
    if entry is None or before.head.end != doer.start or not before.bare:
        return False
    if entry.kind == "materials":
        return word in _WORKERS  # an "ice skater" is of flesh
    if word == "tattoo" and entry.kind == "faces" and any(m.name in ("flowers", "cheek spots", "eye star") for m in entry.look.marks):
        return True  # a "flower tattoo" is no flower in the hair
    if word in _OF_FOOD and doer.end == doer.start + 1 and not somebody(entry):
        return entry.kind == "characters"  # a "sushi chef" is made of flesh
    return entry.kind == "characters" and (word == "tattoo" or (doer.end == doer.start + 1 and word in _DOERS))


def _swallows(thing: Atom, before: Group, words: Sequence[Token]) -> bool:
    """Tell whether an unknown noun takes the name directly before it with it: "gold earrings" say nothing about gold."""
    assert before.head is not None
    entry = before.head.entry
    if entry is None or before.head.part or before.head.end != thing.start:
        return False
    if thing.kind == "thing" and entry.kind == "media" and entry.on_part is not None:
        return True  # a "neon headband" lights no picture
    if thing.kind == "unknown" and entry.kind == "materials" and words[thing.end - 1].root.endswith("ing"):
        after = words[thing.end].root if thing.end < len(words) else ","
        if after in (",", "and", "with", "down", "off", "from", "over", "on", "all"):
            return False  # "green slime dripping" is slime all the same
    if thing.kind == "unknown" and entry.kind == "media" and before.head.end == before.head.start + 1:
        return words[before.head.start].root in _STUFF
    done = words[thing.end - 1].root.endswith(("ed", "ing")) and thing.end < len(words) and words[thing.end].root in _THERE
    if thing.kind == "unknown" and not done and entry.names and _OF_THINGS.intersection(entry.names):
        return True  # "burnt edges" are no burns
    if thing.kind == "unknown" and entry.kind == "lights" and before.head.twin is not None:
        return True  # "dark roots" make no dark picture
    return (
        entry.on_part is not None if thing.kind == "unknown" else entry.kind in ("characters", "materials", "lights", "painters", "faces")
    )


def _character(head: Atom) -> bool:
    return head.entry is not None and head.entry.kind == "characters"


def _pictured(head: Atom) -> bool:
    return head.kind == "picture" or (head.entry is not None and head.entry.kind in ("media", "painters"))
