"""Define a row, one piece of work of many: what it needs, what it tells on the way, what it made. Plain values and bytes throughout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from nada_core.system.files import slug

__all__ = ["Input", "Made", "OpenWork", "Row", "RowEvent", "RowStep", "State", "Work", "make_row"]

#: What becomes of a row. ``waiting``: not begun; ``left``: something that it needs was not made.
State = Literal["waiting", "running", "done", "failed", "left"]


@dataclass(frozen=True)
class Input:
    """Hold a file that a row reads, by content: workers of another machine know no paths of this one."""

    content: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Row:
    """Describe one piece of work.

    Attributes:
        key: SHA-256 of all that decides the outcome: two rows of one key need to be done once only.
        title: what a person calls it.
        settings: what to do, values that JSON can hold.
        inputs: files that it reads, by the names under which the work looks for them.
    """

    key: str
    title: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Input] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Return the name of the row's folder: readable, and its own for every key."""
        return f"{slug(self.title)[:48].rstrip('-')}-{self.key[:10]}"


def make_row(title: str, settings: Mapping[str, Any], inputs: Mapping[str, Input] | None = None, **more: str) -> Row:
    """Return a row whose key is the digest of its settings, its inputs' content and ``more`` (what decides the outcome besides).

    Raises:
        TypeError: settings that JSON cannot hold.
    """
    inputs = inputs or {}
    content = {"settings": settings, "inputs": {name: one.digest for name, one in inputs.items()}, "more": more}
    return Row(hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(), title, dict(settings), dict(inputs))


@dataclass(frozen=True)
class Made:
    """Hold what a row made: files by name, and facts that JSON can hold."""

    files: Mapping[str, bytes] = field(repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RowStep:
    """Tell how far a row is, the share done and a word for people; the last step of a row holds what it made."""

    fraction: float
    text: str = ""
    made: Made | None = None


@dataclass(frozen=True)
class RowEvent:
    """Tell what becomes of a row.

    Attributes:
        state: ``running``, then ``done`` or ``failed``.
        fraction, text: of a running row, how far it is.
        seconds: what it took, at its end.
        made: of a row that is done.
        error: one sentence, of a failed row.
        trace: of a failed row whose error is no refusal: where in the program it happened.
    """

    row: Row
    state: State
    fraction: float = 0.0
    text: str = ""
    seconds: float = 0.0
    made: Made | None = None
    error: str = ""
    trace: str = ""


#: What does a row, step by step, with whatever it has loaded. It may raise: the other rows go on.
Work = Callable[[Row], Iterator[RowStep]]
#: What loads the work, once on every worker. Workers in other processes get it pickled: a function of a module, or a ``partial`` of one.
OpenWork = Callable[[], Work]
