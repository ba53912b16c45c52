"""Read the options of a plan: one value each, or several of which every combination is run."""

from __future__ import annotations

import itertools
import math
import typing
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from nada_core.adaptation.options import AdaptOptions
from nada_core.errors import OptionsError, shown

__all__ = ["OPTION_KINDS", "combinations", "count_combinations"]

#: Fields of ``AdaptOptions`` that a plan does not set: the seed has a list of its own, and the shown faces are the same in every row.
_NOT_HERE = ("seed", "preview_seeds", "preview_truncation", "preview_seconds", "preview_start")
_WORDS = {"whole": "a whole number", "number": "a number", "text": "a text", "flag": "true or false", "numbers": "a list of numbers"}


def _kinds() -> dict[str, str]:
    hints = typing.get_type_hints(AdaptOptions)
    return {field.name: _kind(hints[field.name]) for field in fields(AdaptOptions) if field.name not in _NOT_HERE}


def _kind(hint: Any) -> str:
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    if typing.get_origin(hint) is tuple or any(typing.get_origin(part) is tuple for part in parts):
        return "numbers"
    if hint is bool:
        return "flag"
    return next((word for kind, word in ((int, "whole"), (float, "number")) if hint is kind or kind in parts), "text")


#: Name of each option to its kind.
OPTION_KINDS = _kinds()


def count_combinations(raw: Mapping[str, Any], where: str) -> int:
    """Return how many combinations there are, each value checked for its kind; their ranges are checked with the networks at hand.

    Args:
        where: the table's name, for messages.

    Raises:
        OptionsError: an unknown name, or a value of the wrong kind.
    """
    return math.prod(len(_values(name, value, where)) for name, value in raw.items())


def combinations(raw: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """Return every combination of the options' values, the last option changing first. Raises OptionsError."""
    values = [[(name, value) for value in _values(name, given, where)] for name, given in raw.items()]
    return [dict(chosen) for chosen in itertools.product(*values)]


def _values(name: str, given: Any, where: str) -> list[Any]:
    """Return the values of one option: those of a list, or the one that is given."""
    kind = OPTION_KINDS.get(name)
    if kind is None:
        raise OptionsError(f"{where} has the unknown key '{shown(name, 40)}'; known are {', '.join(OPTION_KINDS)}.")
    lists = isinstance(given, list)
    several = lists and (kind != "numbers" or (given and all(isinstance(one, list) for one in given)))
    values = given if several else [given]
    if not values:
        raise OptionsError(f"{where} {name} is an empty list; give {_WORDS[kind]}, or several in a list.")
    for value in values:
        if not _fits(value, kind):
            more = "several lists in a list" if kind == "numbers" else "several in a list"
            raise OptionsError(f"{where} {name} is {shown(repr(value), 60)}; it must be {_WORDS[kind]}, or {more}.")
    made = [tuple(value) if kind == "numbers" else float(value) if kind == "number" else value for value in values]
    for index, value in enumerate(made):
        if value in made[:index]:
            raise OptionsError(f"{where} {name} has {shown(repr(value), 60)} twice; every value is run once.")
    return made


def _fits(value: Any, kind: str) -> bool:
    if kind == "numbers":
        return isinstance(value, list) and bool(value) and all(_fits(one, "number") for one in value)
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (kind == "number" and isinstance(value, float) and not math.isnan(value))
