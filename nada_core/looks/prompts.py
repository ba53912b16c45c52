"""Check and clean prompts, and list suggested ones."""

from __future__ import annotations

import unicodedata
from typing import Literal

from nada_core.errors import PromptError

__all__ = ["MAX_PROMPT", "SOURCE_PROMPTS", "SUGGESTED_PROMPTS", "check_prompt"]

MAX_PROMPT = 200

_EXAMPLES = {"prompt": "Joker", "source": "face"}

#: The five prompts of the experiment this project reproduces.
SOURCE_PROMPTS = ("Joker", "Joker face", "Joker smile", "Joker makeup", "Joker cosplay")

#: What a page suggests: the five, then a few of each kind.
SUGGESTED_PROMPTS = (
    *SOURCE_PROMPTS,
    *("zombie", "vampire with red lips", "evil clown", "devil", "ghost", "elf", "Hulk", "Na'vi", "werewolf", "mummy", "mermaid", "geisha"),
    *("silver robot", "ice queen", "Day of the Dead", "smiling old man", "Pixar", "Van Gogh painting", "pencil sketch", "watercolour"),
    *(
        "pop art",
        "stained glass",
        "anime with pink hair",
        "bronze statue",
        "marble",
        "gold",
        "wood",
        "chocolate",
        "neon",
        "sepia photograph",
    ),
    *("black and white", "thermal camera", "big eyes", "blue skin and white hair", "green hair", "pink hair", "golden hour", "sunburnt"),
)


def check_prompt(text: str, what: Literal["prompt", "source"] = "prompt") -> str:
    """The prompt without surrounding space and without control characters.

    Args:
        what: the source, which says what faces are now, is held to the same; the messages name it.

    Raises:
        PromptError: not text, empty, too long, or without a single letter.
    """
    if not isinstance(text, str):
        raise PromptError(f"A {what} is a short text such as '{_EXAMPLES[what]}'; got {type(text).__name__}.")
    printable = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs"))
    cleaned = " ".join(printable.split())
    if not cleaned:
        raise PromptError(f"The {what} is empty. {_asked(what)}")
    if len(cleaned) > MAX_PROMPT:
        raise PromptError(
            f"The {what} has {len(cleaned):,} characters; at most {MAX_PROMPT} are taken. "
            f"Say it in a few words, for example '{_EXAMPLES[what]}'."
        )
    if not any(c.isalpha() for c in cleaned):
        raise PromptError(f"The {what} has no words in it. {_asked(what)}")
    return cleaned


def _asked(what: str) -> str:
    """Ask for the text that is missing."""
    wanted = "what the faces should become" if what == "prompt" else "what the faces are now"
    return f"Type {wanted}, for example '{_EXAMPLES[what]}'."
