"""Read seeds, check names and print JSON, for several commands."""

from __future__ import annotations

import json
from collections.abc import Iterable

from nada_core.errors import OptionsError, PhotoError, shown

__all__ = ["check_named", "parse_seeds", "print_json"]


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


def check_named(photos: Iterable[str]) -> None:
    """Refuse photos without a name, as an empty variable of a shell gives.

    Raises:
        PhotoError: one is empty.
    """
    if not all(str(photo).strip() for photo in photos):
        raise PhotoError("The name of a picture is empty. Give the name of a file.")


def print_json(value: object) -> None:
    """Print indented JSON on standard output."""
    print(json.dumps(value, indent=2, default=str))
