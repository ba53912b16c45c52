"""Give what stands alone in a text to its noun: colours ("hair blue"), degrees ("smiling slightly"), materials of unknown things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.groups import Group
from nada_core.looks.look import BEARD_MARKS
from nada_core.looks.part_looks import somebody
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
_THERE = frozenset("on over across down all around from off in onto".split())
#: Names of lines whose words also say how a thing is.
_OF_THINGS = frozenset(("burnt", "bleeding", "melting", "burning"))


def attached(found: Sequence[Group], words: Sequence[Token]) -> list[Group]:
    """Give colours and degrees that stand alone to the noun before them ("hair blue", "smiling slightly")."""
    done: list[Group] = []
    for group in found:
        last = done[-1] if done else None
        if last is not None and last.link == "aside" and group.link == "":
            group = replace(group, link="aside")  # "holding a poisoned apple"
        if group.link == "aside":
            done.append(group)
            continue
        if (
            group.link == "but"
            and done
            and group.bare
            and not group.forms
            and group.head is not None
            and group.head.part
            and not group.negated
        ):
            group = replace(group, own=True)  # "everything red but the eyes"
        if group.head is None and last is not None and last.head is not None and not group.negated and not last.negated:
            part = bool(last.head.part) or last.head.kind in ("person", "all")
            near = group.link == "" or (group.link in (",", "in") and bool(last.head.part))
            if group.bare and not group.forms and group.degree is not None and group.link in ("", ",", "but"):
                done[-1] = replace(last, degree=group.degree)
                continue
            if group.link == "" and group.bare and group.forms and last.bare and not last.forms and last.head.kind == "entry":
                done[-1] = replace(last, forms=group.forms)  # "the beard more long"
                continue
            if group.link == "" and part and last.bare and group.surfaces and not group.shades and last.head.part and not last.forms:
                done[-1] = replace(last, surfaces=group.surfaces, after=True)  # "her skin is frozen"
                continue
            near = near or (group.link == "in" and _makeup(last.head))
            plain = part or _makeup(last.head) or all(a.entry is None or a.entry.main for s in group.shades for a in s.atoms)
            if near and plain and last.bare and group.shades and last.head.kind != "unknown" and (part or last.head.kind == "entry"):
                forms = (*last.forms, *group.forms)
                done[-1] = replace(
                    last, shades=group.shades, surfaces=group.surfaces, forms=forms, after=True, degree=group.degree or last.degree
                )
                continue
        if group.head is None and last is not None and last.head is not None and last.head.part and group.shades and _goes_on(group, last):
            # "hair not green but blue": the noun stands once
            spoken = last.bare and not last.negated and not last.forms
            if spoken:
                done.pop()
            done.append(replace(group, head=last.head, after=spoken, borrowed=not spoken))
            continue
        if last is not None and last.head is not None and group.link == "" and _only_beside_parts(group, last):
            # "golden leaves": leaf is a colour of parts only
            done[-1] = replace(group, link=last.link, negated=last.negated, swallowed=tuple(last.atoms), first=last.first)
            continue
        if last is not None and last.head is not None and group.head is not None and _she(last, group, words):
            done[-1] = replace(last, head=_beardless(last.head))
            done.append(group)
            continue
        if last is not None and last.head is not None and group.head is not None and group.link == "" and group.bare:
            if _of_old_times(last, group, words):
                done[-1] = replace(last, head=replace(last.head, kind="unknown", entry=None))  # a "medieval plague doctor" is no icon
                done.append(group)
                continue
            if group.head.part == "light" and last.head.kind == "entry" and not group.forms and last.head.end == group.head.start:
                done[-1] = replace(last, head=replace(last.head, end=group.head.end))  # "storm light"
                continue
            if _makeup_as(last, group, words):
                done[-1] = replace(last, head=replace(last.head, end=group.head.end))  # "old man make-up" is no lipstick
                continue
            if (
                _character(last.head)
                and group.head.entry is not None
                and words[group.head.start].root == "mask"
                and group.first is group.head
            ):
                continue  # a "Batman mask" is Batman, with no second mask
            if _pressed(group.head, last, words):
                done[-1] = replace(
                    group,
                    head=replace(group.head, kind="unknown", entry=None),
                    link=last.link,
                    negated=last.negated,
                    swallowed=tuple(last.atoms),
                    first=last.first,
                )  # "olive oil" is no painting
                continue
            if _acts_on(group.head, last, words) and group.first is group.head:
                if group.head.kind == "unknown":
                    done[-1] = replace(group, link=last.link, negated=last.negated, swallowed=tuple(last.atoms), first=last.first)
                    continue
                done[-1] = replace(last, head=replace(last.head, kind="unknown", entry=None))  # a "witch hunter" is a hunter
            elif group.head.kind in ("thing", "unknown") and _swallows(group.head, last, words) and group.first is group.head:
                done[-1] = replace(group, link=last.link, negated=last.negated, swallowed=tuple(last.atoms), first=last.first)
                continue
        if last is not None and _form_too(last, group, words):
            assert last.head is not None
            # "hair long and wavy": of a name such as "hair long" the noun alone is meant
            done.append(replace(group, head=last.head if last.head.part or last.forms else replace(last.head, end=last.head.start + 1)))
            continue
        if last is not None and last.link == "on skin" and group.link in ("and", ",") and group.head is not None and group.bare:
            group = replace(group, link="on skin")  # "covered in honey and bees"
        if last is not None and last.head is not None and group.head is None and group.link == "and" and not group.negated:
            # "hair long and blue"
            place = _PART_WORDS.get(words[last.head.start].root, "") if last.head.end - last.head.start > 1 else ""
            group = replace(group, link=f"of {place}") if place and not last.negated else group
        if last is not None and group.head is None and group.link == "in" and group.shades and _painted_too(last, group, words):
            done[-1] = replace(last, shades=(*last.shades, *group.shades))  # "face painted in blue and in yellow"
            continue
        if last is not None and last.head is not None and _about_it(last, group, words):
            # "keep the beard but make it blue"
            noun = words[last.head.end - 1].root
            named = "" if last.head.part or noun == "beard" else _PART_WORDS.get(noun, "")  # of "big lips" the form stays
            group = replace(group, link=f"of {named}") if named else replace(group, head=last.head, after=True)
            if last.bare and not last.negated and not named:
                done.pop()
        if last is not None and last.head is not None and group.head is None and group.link == "in" and _pictured(last.head):
            group = replace(group, link="in light")
        done.append(group)
    return done


_MAKING = frozenset("make made paint painted dye dyed turn turned colour color give want".split())


def _about_it(last: Group, group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a colour is said of the part before it by "it" or "them"."""
    if last.head is None or group.head is not None or not group.shades or group.negated:
        return False
    head = last.head.entry
    drawn = head is not None and head.kind == "faces" and (bool(head.look.marks) or words[last.head.end - 1].root in _PART_WORDS)
    between = [w.root for w in words[last.head.end : group.shades[0].atoms[0].start]]
    return (bool(last.head.part) or drawn) and bool({"it", "them"} & set(between)) and bool(_MAKING & set(between))


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
    if entry is None or group.head.entry is None or group.head.entry.title != "makeup" or group.first is not group.head:
        return False
    return (
        last.head.end == group.head.start
        and words[group.head.start].root in ("makeup", "make")
        and (entry.kind == "characters" or (entry.kind == "faces" and (not entry.thing or _wound(entry))))
    )


def _wound(entry: Entry) -> bool:
    """Tell whether a name is drawn as what film make-up makes: "burn makeup" paints no lips."""
    return bool(entry.look.marks) and {m.name for m in entry.look.marks} <= _WOUNDS


_WOUNDS = frozenset(("burns", "scar", "bruise", "blood", "stitches", "veins", "freckles", "mud", "tears"))


def _goes_on(group: Group, last: Group) -> bool:
    """Tell whether a colour is said about the part before it though that has been spoken of ("hair not green but blue")."""
    return last.bare or last.negated or group.negated or group.link in ("but", "or")


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
