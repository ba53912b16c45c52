"""The options for experts that a page may send, and how numbers from a browser are read. No Gradio in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import OptionsError

__all__ = ["OWN_VALUE", "AdaptExtras", "read_extras", "read_number", "read_whole"]

OWN_VALUE = "own"  # stands in a dropdown for the generator's own value
_LARGEST = 1e12  # of what a person may mean by a number


@dataclass(frozen=True)
class AdaptExtras:
    """Fields of ``AdaptOptions`` under their own names; None leaves one as it is."""

    preset: str | None = None
    resolution: int | None = None
    mixing: float | None = None
    adaptive_layers: int | None = None
    latent_pool: int | None = None
    crops: int | None = None
    direction_weight: float | None = None
    global_weight: float | None = None
    manifold_weight: float | None = None
    patch_weight: float | None = None

    def given(self) -> dict[str, Any]:
        """What was set, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def read_number(name: str, value: Any) -> float:
    """A number as a browser sent it.

    Raises:
        OptionsError: it is none, or not a finite one of a sane size.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -_LARGEST <= value <= _LARGEST:
        raise OptionsError(f"{name} is {str(value)[:20] or 'empty'}; it must be a number.")
    return float(value)


def read_whole(name: str, value: Any) -> int:
    """A whole number as a browser sent it, which knows only one kind. Raises OptionsError."""
    number = read_number(name, value)
    if number != int(number):
        raise OptionsError(f"{name} is {number:g}; it must be a whole number.")
    return int(number)


def read_extras(values: Sequence[Any]) -> AdaptExtras:
    """The options of ``values``, which a browser sent: in the order of the fields, or none at all.

    Where 0 means off, and off is the default, it is the same as nothing.

    Raises:
        OptionsError: a value is of a wrong kind. Whether it suits the engine is for the engine to say.
    """
    if not values:
        return AdaptExtras()
    preset, resolution, mixing, layers, pool, crops, direction, overall, manifold, patch = values
    return AdaptExtras(
        preset=_chosen("preset", preset),
        resolution=_listed("resolution", resolution),
        mixing=_number("mixing", mixing) or None,
        adaptive_layers=_whole("adaptive_layers", layers) or None,
        latent_pool=_whole("latent_pool", pool) or None,
        crops=_listed("crops", crops),
        direction_weight=_typed("direction_weight", direction),
        global_weight=_typed("global_weight", overall),
        manifold_weight=_number("manifold_weight", manifold) or None,
        patch_weight=_number("patch_weight", patch) or None,
    )


def _number(name: str, value: Any) -> float | None:
    return None if value is None else read_number(name, value)


def _whole(name: str, value: Any) -> int | None:
    return None if value is None else read_whole(name, value)


def _chosen(name: str, value: Any) -> str | None:
    """One of a list."""
    if value is None or value == OWN_VALUE:
        return None
    if not isinstance(value, str):
        raise OptionsError(f"{name} is {str(value)[:20]}; choose one from the list.")
    return value[:40]


def _listed(name: str, value: Any) -> int | None:
    """One of a list of whole numbers."""
    text = _chosen(name, value)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise OptionsError(f"{name} is {text[:20] or 'empty'}; choose one from the list.")
    return int(text)


def _typed(name: str, value: Any) -> float | None:
    """A number from a box for text, which can be empty: one for numbers shows 0 instead."""
    if not isinstance(value, str):
        return _number(name, value)
    text = value.strip().replace(",", ".")
    if not text:
        return None
    try:
        return read_number(name, float(text))
    except ValueError:
        raise OptionsError(f"{name} is {text[:20]}; it must be a number.") from None
