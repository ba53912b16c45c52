"""Refuse words in prompts on a public server: its owner lists them in NADA_BLOCKED_PROMPTS, separated by commas."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable

from nada_core.errors import PromptError

__all__ = ["blocked_words", "check_words"]

_NAME = "NADA_BLOCKED_PROMPTS"


def blocked_words() -> tuple[str, ...]:
    """Return the words or phrases that the environment lists, in the form they are compared in."""
    return tuple(word for word in map(_plain, os.environ.get(_NAME, "").split(",")) if word)


def check_words(texts: Iterable[str], blocked: Iterable[str]) -> None:
    """Refuse texts that hold a blocked word or phrase as whole words; case, accents and punctuation do not matter.

    Raises:
        PromptError: one of them does. The message does not repeat it.
    """
    for text in texts:
        plain = f" {_plain(text)} "
        if any(f" {word} " in plain for word in blocked):
            raise PromptError("The owner of this server does not allow this prompt. Choose another look.")


def _plain(text: str) -> str:
    """Return a text in lower case without accents, words separated by one blank."""
    split = unicodedata.normalize("NFKD", text).casefold()
    return " ".join(re.findall(r"\w+", "".join(one for one in split if not unicodedata.combining(one)).replace("_", " ")))
