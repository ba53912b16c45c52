"""Groups in which people look for a style."""

from __future__ import annotations

import pytest

from nada_core.looks.kinds import GROUPS, OTHERS, group_of


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("Joker", "The Joker"),
        ("Joker smile", "The Joker"),
        ("Harley Quinn", "Characters"),
        ("green zombie", "Characters"),
        ("vampire with red lips", "Characters"),
        ("pencil sketch", "Paintings and drawings"),
        ("Van Gogh painting", "Paintings and drawings"),
        ("sepia photograph", "Photographs and light"),
        ("neon light", "Photographs and light"),
        ("bronze statue", "Materials"),
        ("green hair", "Hair"),
        ("old person", "Faces and make-up"),
        ("smile", "Faces and make-up"),
        ("red lipstick", "Faces and make-up"),
        ("qwrtzp", OTHERS),
        ("", OTHERS),
    ],
)
def test_a_text_has_a_group(text, group):
    assert group_of(text) == group and group in GROUPS
