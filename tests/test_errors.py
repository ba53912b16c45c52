"""How messages quote what a stranger's file says."""

from __future__ import annotations

import pytest
import torch

from nada_core.errors import few, shown


@pytest.mark.parametrize(
    ("stranger", "expected"),
    [
        ("conv1.weight", "conv1.weight"),
        ("two\nlines\r\n\tand \x1b[31mred\x00", "two lines and [31mred"),
        ("right\u202eleft\ud800", "right left?"),
        ("Джокер जोकर", "Джокер जोकर"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 77 + "..."),
        (b"\n\x00", "b'\\n\\x00'"),
        ([1, 2, 3, 4], "[1, 2, 3, 4]"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, ...]"),
        (None, "None"),
    ],
)
def test_shown(stranger, expected):
    assert shown(stranger) == expected


def test_what_has_no_end_is_shown_too():
    endless: list = []
    endless.append(endless)
    doubled: tuple = ()
    for _ in range(200):  # written out, 2 ** 200 brackets
        doubled = (doubled, doubled)
    for value in (endless, doubled, 10**10_000, {"a": {"b": {"c": {"d": 1}}}}, torch.zeros(1).expand(1 << 40)):
        assert 0 < len(shown(value, 40)) <= 40 and "\n" not in shown(value)


def test_few_quotes_as_shown_does():
    assert few(["a\nb", "c" * 100, 3, 4, 5]) == f"'a b', '{'c' * 77}...', '3' and 2 more"
    assert few([]) == ""
