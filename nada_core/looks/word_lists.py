"""Load the word lists in ``words/``: the names that a text may use and the look that each means.

Each file describes its own lines at its head. A line is ``name, other name: attribute; attribute``; the attributes of all files are
those that faces.txt, materials.txt and characters.txt describe.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from nada_core.looks.colours import parse_colour
from nada_core.looks.look import MARKS, MATERIALS, MEDIA, PARTS, PROCESSES, SHAPES, TEXTURES, Lab, Look, Mark, Paint, named
from nada_core.looks.spelling import Speller, root

__all__ = ["FILES", "LIGHT_WORDS", "WORDS", "Entry", "Vocabulary", "WordListError", "lines_of", "phrase", "speller", "vocabulary"]

WORDS = Path(__file__).with_name("words")
#: Files of entries in the order in which they are read; of two equal names the first counts.
FILES = ("parts", "faces", "characters", "flags", "materials", "media", "processes", "painters", "lights", "textures")
#: Words that change nothing inside a name: "day of the dead" is "day dead".
LIGHT_WORDS = frozenset("a an the of in on at from by to his her my your their our some s".split())

Phrase = tuple[str, ...]
#: Attributes that say how a name is used, not what it looks like.
_ABOUT = ("soft", "empty", "thing", "each", "masked", "surface", "as", "covers", "part", "main", "unlike")


class WordListError(ValueError):
    """A line of a word list that cannot be read; the message names the file and the line."""


@dataclass(frozen=True)
class Entry:
    """One line of a word list.

    Attributes:
        title: the first name.
        names: all names.
        kind: the file it stands in, such as "characters".
        look: what it means.
        part: the part or the mark that the name is a word for ("mouth" is "lips"), or empty.
        main: the part that a colour next to the name goes to.
        on_part: colour and surface that the name means next to a part ("golden lips"), for materials.
        surface: the texture that the name means for the part next to it.
        colour: the colour that the name means.
        soft: True where any other word that says the same kind of thing wins ("painting" beside "charcoal").
        covers: parts and marks that are taken away where the name is negated ("without make-up").
        empty: True where the line says that the name changes nothing.
        thing: True where the name is something that a face has or wears; a list of refusals goes on over it ("no beard, glasses").
        each: True where the names are different things that look alike ("otter, beaver"): each is its own title.
        masked: True where what covers the face is worn, so that it can be taken off ("Spider-Man without the mask").
        unlike: what a face looks like that is said to lack it ("not smiling"), where that can be seen.
    """

    title: str
    names: tuple[str, ...]
    kind: str
    look: Look = field(default_factory=Look)
    part: str = ""
    main: str = ""
    on_part: Paint | None = None
    surface: str = ""
    colour: Lab | None = None
    soft: bool = False
    covers: tuple[str, ...] = ()
    empty: bool = False
    thing: bool = False
    each: bool = False
    masked: bool = False
    unlike: Look = field(default_factory=Look)


@lru_cache(maxsize=1 << 14)
def phrase(text: str) -> Phrase:
    """Return the words of a name in the spelling in which names are compared, without those that change nothing."""
    words = [w for w in map(root, text.replace("-", " ").replace("/", " ").replace("&", " and ").split()) if w]
    kept = tuple(w for w in words if w not in LIGHT_WORDS)
    # "the ring" is no ring, and "by the fire" no fire: one word keeps what stands before it
    return tuple(words) if len(kept) < 2 and words[:1] and words[0] in LIGHT_WORDS else kept


def lines_of(name: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, names and attributes of each line of ``words/<name>.txt``.

    Raises:
        WordListError: a line without a colon.
    """
    for number, line in enumerate((WORDS / f"{name}.txt").read_text(encoding="utf-8").splitlines(), 1):
        bare = "" if line.startswith("#") else line
        if not bare.strip():
            continue
        names, colon, rest = bare.partition(":")
        if not colon:
            raise WordListError(f"{name}.txt, line {number}: no colon in '{line.strip()}'")
        yield number, names.strip(), rest.strip()


def _longest(text: str, names: Collection[str]) -> tuple[str, list[str]]:
    """Return the longest of ``names`` (of up to three words) that ``text`` starts with, or an empty text, and the words after it."""
    words = text.split()
    for count in (3, 2, 1):
        name = " ".join(words[:count])
        if name in names:
            return name, words[count:]
    return "", words


class _Lines:
    """Reads attributes; colours and entries that a line refers to are looked up by name."""

    def __init__(self, colours: Mapping[Phrase, Lab], shades: Mapping[tuple[str, Phrase], Paint], entry: Callable[[Phrase], Entry]) -> None:
        self._colours, self._shades, self._entry = colours, shades, entry

    def _colour(self, words: list[str]) -> Lab | None:
        text = " ".join(words)
        if not text:
            return None
        found = parse_colour(text) or self._colours.get(phrase(text))
        if found is None:
            raise ValueError(f"no colour is called '{text}'")
        return found

    def paint(self, part: str, words: list[str]) -> Paint:
        """Return what ``COLOUR [amount] [contrast X] [texture]`` means for a part."""
        contrast, amount, texture, rest = 1.0, None, "", list(words)
        if "contrast" in rest:
            at = rest.index("contrast")
            contrast = float(rest[at + 1])
            del rest[at : at + 2]
        if rest and rest[-1] in TEXTURES and (len(rest) > 1 or phrase(rest[-1]) not in self._colours):
            texture = rest.pop()
        if rest and rest[-1].replace(".", "", 1).isdigit():
            amount = float(rest.pop())
        usual = self._shades.get((part, phrase(" ".join(rest)))) if rest else None
        if usual is not None:
            return Paint(usual.colour, usual.amount if amount is None else amount, contrast if contrast != 1.0 else usual.contrast, texture)
        return Paint(self._colour(rest), 0.92 if amount is None else amount, contrast, texture)

    def read(self, title: str, names: tuple[str, ...], kind: str, attributes: str) -> Entry:
        """Return the entry that a line means."""
        looks: list[Look] = []
        paints: dict[str, Paint] = {}
        said: dict[str, Any] = {}
        for attribute in attributes.split(";"):
            part, after = _longest(attribute, PARTS)
            if part:
                paints[part] = self.paint(part, after).over(paints.get(part))  # "skin green; skin scaly" is both
            elif after:
                word, rest = after[0], " ".join(after[1:])
                if word in _ABOUT:
                    said.update(self._about(word, rest))
                else:
                    looks.append(self._look(word, rest))
        look = sum(looks, Look())
        if kind == "materials" and look.material and "as" not in attributes.replace(";", " ").split() and "soft" not in said:
            said["on_part"] = self._stuff(look, paints.get("skin"), phrase(title))
        return Entry(title, names, kind, replace(look, paints={**look.paints, **paints}) if paints else look, **said)

    def _stuff(self, look: Look, skin: Paint | None, name: Phrase) -> Paint | None:
        """Return how stuff looks on a part ("coal eyes") where its line does not say so: as the line of its material does."""
        base = phrase(look.material)
        own = self._entry(base).on_part if base != name else None
        texture = skin.texture if skin is not None else ""
        return replace(own, colour=look.tint or own.colour, texture=texture or own.texture) if own is not None else None

    def _about(self, word: str, rest: str) -> dict[str, Any]:
        """Return the fields of an entry that are not its look."""
        if word in ("soft", "empty", "thing", "each", "masked"):
            return {word: True}
        if word == "surface":
            return {"surface": named(rest, TEXTURES, "texture")}
        if word == "as":
            return {"on_part": self.paint("", rest.split())}
        if word == "unlike":
            return {"unlike": self._entry(phrase(rest)).look}
        if word == "covers":
            return {"covers": tuple(named(name.strip(), (*PARTS, *MARKS), "part or mark") for name in rest.split(","))}
        return {word: named(rest, (*PARTS, *MARKS, "material"), "part")}

    def _look(self, word: str, rest: str) -> Look:
        if word == "mark":
            name, words = _longest(rest, MARKS)
            named(name or rest, MARKS, "mark")
            amount = float(words.pop(0)) if words and words[0].replace(".", "", 1).isdigit() else 1.0
            return Look(marks=(Mark(name, amount, self._colour(words)),))
        if word == "shape":
            name, words = _longest(rest, SHAPES)
            return Look(shape={named(name or rest, SHAPES, "shape"): float(words[0])})
        if word == "like":
            return self._entry(phrase(rest)).look
        if word == "tint":
            return Look(tint=self._colour(rest.split()))
        if word == "brightness":
            return Look(brightness=float(rest))
        if word == "material":
            return Look(material=named(rest, MATERIALS, "material"))
        if word == "medium":
            return Look(medium=named(rest, MEDIA, "medium"))
        if word == "process":
            return Look(process=named(rest, PROCESSES, "process"))
        raise ValueError(f"'{word} {rest}' is not an attribute")


@dataclass(frozen=True)
class Vocabulary:
    """All word lists.

    Attributes:
        entries: every entry, in the order of the files.
        phrases: name -> entry.
        unordered: words of a name in alphabetical order -> entry, for names of two and more words.
        joined: words of a name written as one -> entry ("spiderman").
        colours: name -> entry of colours.txt.
        shades: (part, name of a colour) -> how that colour looks on the part.
        grammar: word or phrase -> its kind and value, from grammar.txt.
        words: every single word that stands in a name or in grammar.txt.
        longest: most words that a name has.
    """

    entries: tuple[Entry, ...]
    phrases: Mapping[Phrase, Entry]
    unordered: Mapping[Phrase, Entry]
    joined: Mapping[str, Entry]
    colours: Mapping[Phrase, Entry]
    shades: Mapping[tuple[str, Phrase], Paint]
    grammar: Mapping[Phrase, tuple[str, float]]
    words: frozenset[str]
    longest: int


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (n.strip() for n in text.split(","))))


def _colours() -> dict[Phrase, Entry]:
    found: dict[Phrase, Entry] = {}
    for number, text, rest in lines_of("colours"):
        code, _, place = rest.partition(" ")
        lab, names = parse_colour(code), _names(text)
        if lab is None or (place and place != "with a part" and place.removeprefix("on ") not in PARTS):
            raise WordListError(f"colours.txt, line {number}: not a colour: '{rest}'")
        main = "" if place == "with a part" else place.removeprefix("on ") or "skin"
        entry = Entry(names[0], names, "colours", colour=lab, main=main)
        for name in names:
            found.setdefault(phrase(name), entry)
    return found


def _grammar() -> dict[Phrase, tuple[str, float]]:
    found: dict[Phrase, tuple[str, float]] = {}
    for _, kind, rest in lines_of("grammar"):
        name, _, value = kind.rpartition(" ") if kind[-1].isdigit() else (kind, "", "0")
        for words in _names(rest):
            found[tuple(root(w) for w in words.replace("-", " ").split())] = (name, float(value))
    return found


def _titled(entry: Entry, name: Phrase) -> Entry:
    """Return an entry whose names are different things under the name that was said."""
    return replace(entry, title=next(title for title in entry.names if phrase(title) == name)) if entry.each else entry


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Return all word lists, read from their files at the first call.

    Raises:
        WordListError: a line that cannot be read.
    """
    colours = _colours()
    by_name = {name: entry.colour for name, entry in colours.items() if entry.colour is not None}
    raw: dict[Phrase, tuple[str, int, tuple[str, ...], str]] = {}
    order: list[Phrase] = []
    for file in FILES:
        for number, text, rest in lines_of(file):
            titles = _names(text)
            order.append(phrase(titles[0]))
            if order[-1] in raw:
                other, line, *_ = raw[order[-1]]
                raise WordListError(f"{file}.txt, line {number}: '{titles[0]}' stands on line {line} of {other}.txt already")
            for title in titles:
                raw.setdefault(phrase(title), (file, number, titles, rest))
    done: dict[Phrase, Entry] = {}
    shades: dict[tuple[str, Phrase], Paint] = {}
    reader = _Lines(by_name, shades, lambda name: read(name))

    def read(name: Phrase) -> Entry:
        if name not in raw:
            raise ValueError(f"no entry is called '{' '.join(name)}'")
        file, number, names, rest = raw[name]
        first = phrase(names[0])
        if first not in done:
            try:
                done[first] = reader.read(names[0], names, file, rest)
            except (ValueError, IndexError, RecursionError) as error:
                raise WordListError(f"{file}.txt, line {number}: {error}") from error
        return done[first]

    for number, text, rest in lines_of("shades"):
        part, after = _longest(rest, PARTS)
        if not part:
            raise WordListError(f"shades.txt, line {number}: no part in '{rest}'")
        for title in _names(text):
            shades[part, phrase(title)] = reader.paint(part, after)
    entries = tuple(read(name) for name in order)
    phrases = {name: _titled(read(name), name) for name in raw}
    joined: dict[str, Entry] = {}
    for name, entry in phrases.items():
        if len(name) > 1 and entry.kind != "parts":
            joined.setdefault("".join(name), entry)
    grammar = _grammar()
    single = frozenset(w for name in (*phrases, *colours, *grammar) for w in name) | frozenset(joined)
    return Vocabulary(
        entries=entries,
        phrases=phrases,
        unordered={tuple(sorted(name)): entry for name, entry in phrases.items() if len(name) > 1},
        joined=joined,
        colours=colours,
        shades=shades,
        grammar=grammar,
        words=single,
        longest=max(len(name) for name in (*phrases, *grammar)),
    )


@lru_cache(maxsize=1)
def speller() -> Speller:
    """Return what puts wrong letters right; made at the first unknown word."""
    known = vocabulary()
    lines = (WORDS / "ordinary.txt").read_text(encoding="utf-8").splitlines()
    ordinary = {word for line in lines if not line.startswith("#") for word in line.split()}
    return Speller(sorted(known.words), frozenset(ordinary | {word for name in known.grammar for word in name}))
