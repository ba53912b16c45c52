"""Texts are checked before they are read."""

from __future__ import annotations

import pytest

from nada_core.errors import PromptError
from nada_core.looks.prompts import MAX_PROMPT, check_prompt


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("x" * 10_000, f"at most {MAX_PROMPT}"),
        ("🤡🤡", "no words"),
        ("123", "no words"),
        (None, "short text"),
    ],
)
def test_bad_prompts(text, message):
    with pytest.raises(PromptError, match=message):
        check_prompt(text)
    with pytest.raises(PromptError, match=rf"source.* {message}|A source is a {message}"):  # the same, and called what it is
        check_prompt(text, "source")
