"""Bring a text's words to the words of the lists: spelling, likenesses ("goldish"), adverbs, "-free" and "-less"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from nada_core.looks.spelling import Token, root
from nada_core.looks.word_lists import Phrase, Vocabulary, speller, vocabulary

__all__ = ["worded"]

#: Endings that make a likeness of a name, and how much of it must stand before them.
_LIKENESS = ("like", "esque", "ish", "ified", "y")
#: Words that end so and are likenesses of nothing: who is "madly in love" is not mad.
_NO_LIKENESS = frozenset(("apply", "ratified", "specified", "hopefully", "kindly", "madly", "seriously", "desperately"))


def worded(words: Sequence[Token], known: Vocabulary) -> list[Token]:
    """Return the words with wrong letters put right, and "beardless" and "acne free" as "no beard" and "no acne"."""
    done: list[Token] = []
    skipped = 0
    for i, word in enumerate(words):
        if skipped:
            skipped -= 1
            continue
        if word.root == "free" and (count := _freed(word, done, words[i + 1 : i + 2], known)):
            first = done[-count]
            done.insert(len(done) - count, replace(first, root="no"))
            done[-1] = replace(done[-1], end=word.end)
            continue
        if word.root == "off" and (place := _taken_off(done, words[i + 1 : i + 2], known)) is not None:
            done.insert(place, replace(done[place], root="no", text="no"))  # "with his mask off"
            done[-1] = replace(done[-1], end=word.end)
            continue
        if done and (count := _paint_there(words[i : i + 3], done[-1], known)):
            done[-1] = replace(done[-1], end=words[i + count - 1].end)  # "black face paint around the eyes" is black around the eyes
            skipped = count - 1
            continue
        if done and word.root == "paint" and _paint_alone(done[-3:], words[i + 1 : i + 2], known):
            done[-1] = replace(done[-1], end=word.end)  # "with red and white paint" is no painting
            continue
        if word.root in _GONE and (words[i + 1 : i + 2] and (words[i + 1].root,) in known.colours):
            done.append(replace(word, root="turned"))  # "hair gone grey"; hair that is "gone" alone is none
            continue
        after = words[i + 1].root if i + 1 < len(words) else ""
        if word.root == "paint" and after in (_IT if done else _PAINTED):
            done.append(replace(word, root="make"))
            continue
        if done and (joined := _two_as_one(done, word)) is not None:
            done[-1] = replace(done[-1], text=joined, root=joined, end=word.end)
            continue
        if word.root == "skull" and len(done) > 1 and done[-1].root in _WHOSE and done[-2].root in ("on", "over", "around", "across", "of"):
            done.append(replace(word, root="head"))  # tattoos "on his skull"
            continue
        if word.root in known.words or not word.root.isalpha():
            if len(word.root) == 4 and word.root.isdecimal() and (word.root,) not in known.phrases and word.root[:3] + "0" in known.words:
                word = replace(word, root=word.root[:3] + "0")  # 1974 is one of the 1970s
            done.append(word)
            continue
        if _is_name(words, i, known):
            done.append(word)
            continue
        if (plain := _stem(word.root, known)) is not None:
            done.append(replace(word, root=plain))
            continue
        unmade = known.phrases.get((word.root.removeprefix("un"),))
        if word.root.startswith("un") and unmade is not None and unmade.thing:
            done.extend((replace(word, root="no"), replace(word, root=word.root[2:], text=word.root[2:])))  # "unmasked"
            continue
        stem = root(word.root.removesuffix("less"))
        if word.root.endswith("less") and len(stem) > 1 and stem in known.words:
            done.extend((replace(word, root="no"), replace(word, root=stem, text=stem)))
            continue
        nearest_words = sorted(speller().among(word.root, _after(done)) or speller().correct(word.root))
        # two words are as good as one where both are names of one thing ("zombie", "zombi")
        meant_entries = {id(known.phrases.get((near,)) or known.joined.get(near, near)) for near in nearest_words}
        colours = [near for near in nearest_words if any((part, (near,)) in known.shades for part in ("skin", "hair"))]
        if len(meant_entries) > 1 and len(colours) == 1:
            nearest_words, meant_entries = colours, {0}  # "gren" is green rather than somebody's name
        done.append(replace(word, root=nearest_words[0]) if len(meant_entries) == 1 else word)
    return done


@lru_cache(maxsize=1)
def _last_words() -> dict[Phrase, set[str]]:
    """Return the words that end a name, by those before them: "gogh" by "van"."""
    found: dict[Phrase, set[str]] = {}
    for name in vocabulary().phrases:
        if len(name) > 1:
            found.setdefault(name[:-1], set()).add(name[-1])
    return found


def _after(done: Sequence[Token]) -> set[str]:
    """Return the words that make a name of the words before."""
    roots = tuple(token.root for token in done[-2:])
    return _last_words().get(roots, set()) | _last_words().get(roots[-1:], set()) if roots else set()


#: Words after which "paint" at the beginning is what somebody asks for, and no painting.
_IT = frozenset(("it", "him", "me", "us", "them"))
_PAINTED = frozenset(("everything", "the", "my", "his", "her", "their", "it", "him", "me", "us", "them", "all"))
_GONE = frozenset(("gone", "went", "going", "goes"))
_WHOSE = frozenset(("his", "her", "my", "your", "their"))
#: Comparatives as learners say them; "more light" is light, unless it is a part's.
_MORE = {"dark": "darker", "bright": "brighter", "pale": "paler"}
_PARTS = frozenset(("skin", "hair", "eye", "lip", "face", "brow"))


def _two_as_one(done: Sequence[Token], word: Token) -> str | None:
    """Return the word that two say together: "more dark" is darker, and "a black eye" no colour of eyes."""
    before = done[-2].root if len(done) > 1 else ","
    if done[-1].root == "more":
        return "lighter" if word.root == "light" and before in _PARTS else _MORE.get(word.root)
    if done[-1].root == "black" and word.text.lower() == "eye" and before in ("a", "and", "with", "has", "got", ","):
        return "shiner"
    return None


def _freed(word: Token, done: Sequence[Token], after: Sequence[Token], known: Vocabulary) -> int:
    """Return how many words before "free" it takes away: two of "make up free", none of "free of acne" and "fat free"."""
    if after and after[0].root in ("of", "from"):
        return 0
    for count in (3, 2, 1):
        name = tuple(one.root for one in done[-count:])
        entry = known.phrases.get(name) if len(name) == count else None
        if entry is not None and (entry.thing or entry.surface or entry.covers or entry.kind == "faces" or entry.part):
            return count
    return 1 if word.joined and done else 0


def _paint_there(words: Sequence[Token], before: Token, known: Vocabulary) -> int:
    """Return how many words name a paint between a colour and the place where it is, or 0."""
    count = 2 if [w.root for w in words[:2]] == ["face", "paint"] else 1 if words[0].root in ("paint", "facepaint") else 0
    there = count and len(words) > count and words[count].root in ("on", "around", "over", "under", "across")
    return count if there and (before.root,) in known.colours else 0


def _paint_alone(before: Sequence[Token], after: Sequence[Token], known: Vocabulary) -> bool:
    """Tell whether "paint" after a colour ends no name ("camo paint") and nothing more is said of it, such as where it drips."""
    roots = [word.root for word in before]
    if (roots[-1],) not in known.colours or any((*roots[start:], "paint") in known.phrases for start in range(len(roots))):
        return False
    return not after or after[0].root in (",", "and", "with", "but", "all")


def _taken_off(done: Sequence[Token], after: Sequence[Token], known: Vocabulary) -> int | None:
    """Return where the thing begins that "off" after it takes away: the mask of "with the mask off", none of "peeling off"."""
    if after and after[0].root not in (",", "and", "with", "but", "in", "showing", "show"):
        return None
    for count in (2, 1):
        name = tuple(one.root for one in done[-count:])
        entry = known.phrases.get(name) if len(name) == count else None
        if entry is not None and entry.thing and not entry.surface:
            return len(done) - count
    return None


def _stem(word: str, known: Vocabulary) -> str | None:
    """Return the name that a word is a likeness or an adverb of: "goldish" is gold, "catlike" a cat, "happily" happy."""
    if word in _NO_LIKENESS:
        return None
    for ending in _LIKENESS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        # "blackish" keeps its stem, "bluish" lost a letter, "reddish" has one twice
        for form in (stem, stem + "e", stem[:-1] if stem[-1] == stem[-2] else stem):
            if (form,) in known.colours or (ending not in ("ish", "y") and (form,) in known.phrases):
                return form
    if word.endswith("ly") and len(word) > 4:
        for form in (word[:-2], word[:-3] + "y" if word[-3] == "i" else word[:-2]):
            entry = known.phrases.get((form,))
            if entry is not None and entry.kind == "faces" and entry.look.shape:
                return form
    return None


def _is_name(words: Sequence[Token], place: int, known: Vocabulary) -> bool:
    """Tell whether an unknown word is part of a person's name: a capital, beside another unknown word with one ("Greta Thunberg")."""
    word = words[place]
    if not word.text[:1].isupper() or word.text.isupper():
        return False
    beside = [words[i] for i in (place - 1, place + 1) if 0 <= i < len(words) and (words[i].root,) not in known.grammar]
    titled = all(w.text[:1].isupper() for w in words if w.root.isalpha())
    # where not every word has a capital, those with one are names: "Jason Momoa as Aquaman"
    return any(w.text[:1].isupper() and (w.root not in known.words or not titled) for w in beside)
