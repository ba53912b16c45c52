"""Read seeds and paths, refuse empty values and print JSON, for several commands."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from nada_core.errors import OptionsError, PhotoError, shown

__all__ = ["check_given", "given_path", "parse_seeds", "print_json"]

#: Arguments that name pictures; and those whose empty text is refused where it is read, in better words.
_PICTURES, _READ_ELSEWHERE = frozenset({"images", "photo"}), frozenset({"prompt", "seeds"})


def parse_seeds(text: str) -> list[int]:
    """Read ``"0-3"`` or ``"1,5,9"`` as seeds.

    Raises:
        OptionsError: neither, more than 64, negative, or beyond 64 bits.
    """
    try:
        if "-" in text and "," not in text:
            first, last = (int(part) for part in text.split("-"))
            seeds = list(range(first, last + 1)) if last - first < 64 else []
        else:
            seeds = [int(part) for part in text.split(",")]
    except ValueError:
        seeds = []
    if not 1 <= len(seeds) <= 64 or min(seeds) < 0 or max(seeds) >= 2**63:
        raise OptionsError(f"--seeds is '{shown(text, 40)}'; give a range such as 0-7 or a list such as 1,5,9 of at most 64 seeds.")
    return seeds


def given_path(text: str) -> Path:
    """Return a path; for argparse. An empty text would be the folder that one stands in.

    Raises:
        ArgumentTypeError: it is empty, as an empty variable of a shell gives.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("the name is empty; give a file's or a folder's")
    return Path(text)


def check_given(args: argparse.Namespace) -> None:
    """Refuse arguments that are there and empty, as an empty variable of a shell gives: they name nothing.

    Raises:
        PhotoError: the name of a picture is; OptionsError: another argument is.
    """
    for name, value in vars(args).items():
        values = value if isinstance(value, list) else [value]
        if name in _READ_ELSEWHERE or all(one.strip() for one in values if isinstance(one, str)):
            continue
        if name in _PICTURES:
            raise PhotoError("The name of a picture is empty. Give the name of a file.")
        raise OptionsError(f"The value given for '{name.strip('_')}' is empty. Give one, or leave it out where it is an option.")


def print_json(value: object) -> None:
    """Print indented JSON on standard output."""
    print(json.dumps(value, indent=2, default=str))
