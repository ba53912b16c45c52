"""File names of styles, from whatever a person calls them."""

from __future__ import annotations

import pytest

from nada_core.checkpoints import slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Joker", "joker"),
        ("  Na'vi, blue! ", "na-vi-blue"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\x00b\nc", "a-b-c"),
        ("Джокер", "style"),
        ("🤡", "style"),
        ("", "style"),
        ("x" * 200, "x" * 60),
        ("x" * 59 + " y", "x" * 59),
    ],
)
def test_slug(name, expected):
    assert slug(name) == expected
    assert slug(expected) == expected
