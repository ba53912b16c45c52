"""Chips of what a prompt was understood as."""

from __future__ import annotations

import pytest

from nada_core.ui.html.prompt_chips import reading_line


def test_pieces_have_swatches_and_can_be_left_out():
    line = reading_line("vampire with green lips and a sofa")
    assert line.count('class="read-chip"') == 2 and line.count('class="read-off"') == 2
    assert 'data-prompt="vampire with a sofa"' in line and 'data-prompt="green lips and a sofa"' in line
    assert 'title="lips"' in line
    assert "sofa: not known here" in line


def test_what_is_not_known_at_all_names_the_nearest_looks_as_buttons():
    line = reading_line("zombeeeee")
    assert "not known here" in line and line.count("data-prompt=") >= 3


@pytest.mark.parametrize("text", [None, "", "  "])
def test_nothing_is_said_of_nothing(text):
    assert "&nbsp;" in reading_line(text)


def test_markup_in_a_prompt_is_shown_as_text():
    line = reading_line("<img src=x onerror=alert(1)> joker")
    assert "<img" not in line and "onerror" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 500, "at most 200"),
        ("123", "no words"),
        ("face", "as it is"),
        ("not a clown", "left to show"),
        ("小丑", "in English"),
        ("John Smith", "what is to be seen"),
        ("marble and gold", "gold, not marble"),
    ],
)
def test_what_cannot_be_shown_is_said(text, said):
    assert said in reading_line(text)


@pytest.mark.parametrize(("text", "first"), [("vann gohh", "Van Gogh"), ("Elon Musk", "Joker"), ("ジョーカー", "Joker")])
def test_what_is_not_known_gets_suggestions_as_buttons(text, first):
    line = reading_line(text)
    assert f'<button type="button" class="chip" data-prompt="{first}">{first}</button>' in line
    assert line.count('class="chip"') == 4 and "orange light" not in line
