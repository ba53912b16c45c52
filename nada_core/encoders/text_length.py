"""Count what a person typed against what an encoder reads, before any work is begun, and quote it where it is too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.encoders.templates import fill
from nada_core.errors import PromptError

__all__ = ["CountsTokens", "check_length"]

_QUOTED = 60  # characters


@runtime_checkable
class CountsTokens(Protocol):
    """Describe an encoder that reads a limited number of tokens, and puts a prompt into sentences of its own first."""

    name: str
    templates: Sequence[str]
    token_limit: int

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text makes, the marks of its start and end included."""
        ...


def check_length(encoder: object, text: str, *, parts: Sequence[str] = ()) -> None:
    """Refuse a text that an encoder, or a member of it, cannot read whole. Computes nothing on the device.

    Args:
        parts: templates that the text is put into before the encoder's own, such as those of a patch loss.

    Raises:
        PromptError: with the text itself, never the sentence it is put into, and how much of it fits.
    """
    for member in encoder.members if isinstance(encoder, EncoderEnsemble) else (encoder,):
        if isinstance(member, CountsTokens):
            _check(member, text, parts)


def _check(encoder: CountsTokens, text: str, parts: Sequence[str]) -> None:
    longest = max(encoder.templates, key=lambda template: encoder.count_tokens(fill(template, text)))
    if parts:
        longest = max((fill(longest, part) for part in parts), key=lambda sentence: encoder.count_tokens(fill(sentence, text)))
    if (count := encoder.count_tokens(fill(longest, text))) <= encoder.token_limit:
        return
    words = text.split()
    fitting = 0
    while fitting < len(words) and encoder.count_tokens(fill(longest, " ".join(words[: fitting + 1]))) <= encoder.token_limit:
        fitting += 1
    own = encoder.count_tokens(text) - 2
    room = max(0, encoder.token_limit - (count - own))
    until = f", as far as “{_quoted(' '.join(words[:fitting]), end=True)}”" if fitting else ""
    raise PromptError(
        f"“{_quoted(text)}” is too long for {encoder.name}: it makes {own} tokens, and {room} can be read{until}. Say it in fewer words."
    )


def _quoted(text: str, *, end: bool = False) -> str:
    """Return a text cut to what a message has room for: its beginning, or its end."""
    if len(text) <= _QUOTED:
        return text
    return f"…{text[-_QUOTED:].lstrip()}" if end else f"{text[:_QUOTED].rstrip()}…"
