"""The word lists: every line can be read, no name stands twice, and there are as many as promised."""

from __future__ import annotations

from collections import Counter

import pytest

from nada_core.looks.look import MATERIALS, MEDIA, PROCESSES, Look
from nada_core.looks.word_lists import FILES, WORDS, Vocabulary, WordListError, lines_of, phrase, vocabulary


@pytest.fixture(scope="module")
def known() -> Vocabulary:
    return vocabulary()


def test_every_list_explains_itself():
    for file in WORDS.glob("*.txt"):
        assert file.read_text(encoding="utf-8").startswith("# "), file.name


def test_every_line_means_something(known):
    for entry in known.entries:
        assert entry.look or entry.part or entry.surface or entry.empty, (entry.kind, entry.title)
        assert Look.from_json(entry.look.to_json()) == entry.look


@pytest.mark.parametrize(("kind", "least"), [("characters", 220), ("painters", 40), ("lights", 40), ("faces", 100), ("textures", 20)])
def test_counts(known, kind, least):
    assert Counter(e.kind for e in known.entries)[kind] >= least


def test_sixty_materials_media_and_processes(known):
    assert sum(e.kind in ("materials", "media", "processes") for e in known.entries) >= 60


def test_everything_that_can_be_drawn_has_a_name(known):
    looks = [e.look for e in known.entries]
    assert set(MATERIALS) == {look.material for look in looks} - {""}
    assert set(MEDIA) == {look.medium for look in looks} - {""}
    assert set(PROCESSES) == {look.process for look in looks} - {""}


def test_all_colour_names(known):
    text = (WORDS / "colours.txt").read_text(encoding="utf-8")
    survey, _, css = text.partition("# Names of CSS")[0].partition("# Names of the xkcd")[2], *text.partition("# Names of CSS")[1:]
    assert sum(": #" in line for line in survey.splitlines()) == 949
    assert sum(": #" in line for line in css.splitlines()) >= 80
    for name in ("rebecca purple", "rebeccapurple", "alice blue", "cloudy blue", "macaroni and cheese", "teal", "lightgoldenrodyellow"):
        assert phrase(name) in known.colours, name


def test_no_name_stands_on_two_lines():
    places: dict[tuple[str, ...], set[tuple[str, int]]] = {}
    for file in FILES:
        for number, names, _ in lines_of(file):
            for name in names.split(","):
                places.setdefault(phrase(name), set()).add((file, number))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_a_line_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "faces.txt").write_text("# a list\n\nred lips without a colon\n", encoding="utf-8")
    monkeypatch.setattr("nada_core.looks.word_lists.WORDS", tmp_path)
    with pytest.raises(WordListError, match=r"faces.txt, line 3"):
        list(lines_of("faces"))
