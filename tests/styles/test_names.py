"""File names of styles, from whatever a person calls them."""

from __future__ import annotations

import pytest

from nada_core.styles.names import style_heading, tidy_text
from nada_core.system.files import slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Joker", "joker"),
        ("  Na'vi, blue! ", "na-vi-blue"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\x00b\nc", "a-b-c"),
        ("Джокер", "джокер"),
        ("Café", "café"),
        ("Cafe\u0301", "café"),
        ("जोकर का चेहरा", "जोकर-का-चेहरा"),
        ("小丑", "小丑"),
        ("ÅNGSTRÖM 2", "ångström-2"),
        ("", "style"),
        ("   ", "style"),
        ("x" * 60, "x" * 60),
    ],
)
def test_slug(name, expected):
    assert slug(name) == expected
    assert slug(expected) == expected


@pytest.mark.parametrize(
    "names",
    [
        ("C", "C++", "C#", "C+"),
        ("!!!", "???", "🤡", "😀", "❤", "Style"),
        ("x" * 60, "x" * 61, "x" * 200, "x" * 60 + " y", "x" * 60 + " z"),
        ("小丑" * 40, "小丑" * 41),
        ("Joker", "Joker 🤡", "Joker 50%", "Joker & Batman", "Joker Batman"),
        ("resume", "résumé", "Straße", "Strasse"),
        ("3", "$3", "3€", "3%"),
    ],
)
def test_names_that_differ_have_slugs_that_differ(names):
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    for one in slugs:
        assert slug(one) == one and len(one) <= 60 and len(one.encode()) <= 120 and "/" not in one and not one.startswith((".", "-"))


@pytest.mark.parametrize(
    "name", ["\ud800", "\u0301", "\u200b", "a\u202eb", "\x00", "ǰ" * 70, "İ", "\U000e0041", "x\u200dy", "-", "..", "_"]
)
def test_any_text_at_all_gives_a_name_for_files(name):
    one = slug(name)
    assert slug(one) == one and one.isprintable() and 0 < len(one) <= 60 and "." not in one
    one.encode()


@pytest.mark.parametrize(
    ("name", "prompt", "title", "heading"),
    [
        ("джокер", "Джокер", "", "Джокер"),
        ("джокер-2", "Джокер", "", "Джокер 2"),
        (slug("C++"), "C++", "", "C++"),
        ("spider-man", "Spider-Man", "", "Spider-Man"),
        ("мой-стиль", "Joker", "Мой Стиль", "Мой Стиль"),
        ("joker-2", "Zombie", "Joker!", "Joker!"),
        ("other-file", "Zombie", "Joker!", "other file"),  # the file was given another name by hand
        (slug("🤡"), "Joker", "🤡", "🤡"),
        ("style", "", "", "style"),
    ],
)
def test_headings_keep_their_spelling(name, prompt, title, heading):
    assert style_heading(name, prompt, title) == heading


def test_tidy_text():
    assert tidy_text(" a\n\x1b[31m\tb\u202e \ud800") == "a [31m b ?"
