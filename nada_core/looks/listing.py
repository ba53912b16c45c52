"""Carry "no" and colours along lists: "without hat, beard and glasses", "red hair and lips"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nada_core.looks.atoms import Atom
from nada_core.looks.groups import NOT_WORDS, Group
from nada_core.looks.spelling import Token

__all__ = ["listed"]

#: Signs that end a list.
_STOPS = frozenset(";.!?:|")
#: Words that ask for something after a refusal.
_WISHES = frozenset("add give put make paint draw turn change show want get let just only instead".split())
#: Endings of words that say how someone is ("tattooed", "smiling"), and things that end alike.
_HOW = ("ed", "ing")
_NOT_HOW = ("ring", "piercing")


def listed(found: Sequence[Group], words: Sequence[Token]) -> list[Group]:
    """Return groups with "no" carried along lists of plain things, and colours given to all nouns that share them."""
    return _shared(_negated(found, words), words)


def _negated(found: Sequence[Group], words: Sequence[Token]) -> list[Group]:
    """Carry "no" along lists of plain things: "without hat, beard and glasses"; whatever has a colour or a degree ends the list."""
    done = list(found)
    noun = False  # "no beard, glasses" refuses both, "don't smile, glasses" does not
    for i, group in enumerate(done):
        if group.negated:
            noun = group.first is None or words[group.first.start].text.lower() not in NOT_WORDS
            continue
        before = done[i - 1] if i else Group()
        if not before.negated or _stopped(before, group, words):
            continue
        listed = group.link == "or"
        if group.link in ("and", ",") and _plain(group):
            # "without glasses, smiling" goes on with what is wanted
            things = _thing(group, words), _thing(before, words)
            listed = (all(things) and noun) or (not any(things) and group.link == "and" and _quality(group) and _quality(before))
        if not listed and group.link == ",":
            listed = next((g.link for g in done[i + 1 :] if g.link != ","), "") == "or"
        if listed:
            done[i] = replace(group, negated=True, keeps=before.keeps, own=before.own)
    return done


def _stopped(before: Group, group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a sentence ends between two groups, or a wish begins ("remove the beard and add glasses")."""
    if not before.atoms or not group.atoms:
        return False
    return any(w.text in _STOPS or w.root in _WISHES for w in words[before.atoms[-1].end : group.atoms[0].start])


def _plain(group: Group) -> bool:
    """Tell whether nothing but a noun, or nothing but a surface, is said."""
    return not (group.shades or group.forms or group.degree or group.own) and (group.head is None or not group.surfaces)


def _thing(group: Group, words: Sequence[Token]) -> bool:
    """Tell whether a noun is a thing that a face has or wears, known or not."""
    head = group.head
    if head is None:
        return False
    last = words[head.end - 1].text.lower()
    if last.endswith(_HOW) and not last.endswith(_NOT_HOW):
        return False  # "no beard, tattooed"
    return head.kind in ("thing", "unknown") or bool(head.part) or (head.entry is not None and head.entry.thing)


def _quality(group: Group) -> bool:
    """Tell whether a name says something about a face, not what the whole picture is."""
    return group.head is None or (group.head.entry is not None and group.head.entry.kind == "faces")


def _shared(found: Sequence[Group], words: Sequence[Token]) -> list[Group]:
    """Give a colour to all nouns that share it: "red hair and lips", "hair and lips red"."""
    done = list(found)

    def open_part(group: Group) -> bool:
        return group.head is not None and group.bare and not group.forms and (bool(group.head.part) or _bearded(group.head))

    for i in range(1, len(done)):
        before = done[i - 1]
        coloured = (
            before.head is not None
            and bool(before.shades)
            and before.negated == done[i].negated
            and (bool(before.head.part) or before.head.kind == "person")
        )
        head = done[i].head
        apart = head is not None and head.start > 0 and words[head.start - 1].root in ("a", "an")  # "red lips and a scarf"
        if coloured and open_part(done[i]) and done[i].link in ("and", ",", "or") and not apart:
            done[i] = replace(done[i], shades=before.shades)
    for i in range(len(done) - 2, -1, -1):
        if open_part(done[i]) and done[i + 1].after and done[i + 1].link in ("and", ","):
            done[i] = replace(done[i], shades=done[i + 1].shades, after=True)
    return done


def _bearded(head: Atom) -> bool:
    return (
        head.entry is not None
        and any(m.name in ("beard", "moustache", "goatee") for m in head.entry.look.marks)
        and not head.entry.look.paints
    )
