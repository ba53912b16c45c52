"""Sizes of pictures: those that the generator renders, which are not the same in every world. No Gradio in here."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import OptionsError

__all__ = ["chosen_side", "size_choices"]


def size_choices(sizes: Sequence[int]) -> list[tuple[str, int]]:
    """(label, side in pixels) pairs to choose from, in the generator's order: smallest first."""
    return [(f"{side} px", side) for side in sizes]


def chosen_side(sizes: Sequence[int], wanted: int | None) -> int:
    """The side to render at, in pixels; the smallest where none is chosen.

    Raises:
        OptionsError: the generator does not render at this one. The page may be older than the world, or the request forged.
    """
    if wanted is None:
        return sizes[0]
    if wanted not in sizes:
        raise OptionsError(
            f"The size is {wanted} px; this generator renders at {' or '.join(map(str, sizes))}. Reload the page and choose again."
        )
    return wanted
