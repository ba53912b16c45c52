"""Read the settings of an adaptation as a browser sent them. No Gradio in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nada_core.errors import OptionsError
from nada_core.ui.requests import AdaptExtras, AdaptRequest

__all__ = ["OWN_VALUE", "PLAIN", "read_extras", "read_number", "read_request", "read_whole"]

PLAIN = "plain"  # stands there for the generator as it is
OWN_VALUE = "own"  # stands in a dropdown for the generator's own value
_LARGEST = 1e12  # numbers beyond this are refused


def read_number(name: str, value: Any) -> float:
    """Return a number that a browser sent.

    Raises:
        OptionsError: it is none, or not a finite one of a sane size.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -_LARGEST <= value <= _LARGEST:
        raise OptionsError(f"{name} is {str(value)[:20] or 'empty'}; it must be a number.")
    return float(value)


def read_whole(name: str, value: Any) -> int:
    """Return a whole number that a browser sent, whose numbers are all of one kind. Raises OptionsError."""
    number = read_number(name, value)
    if number != int(number):
        raise OptionsError(f"{name} is {number:g}; it must be a whole number.")
    return int(number)


def read_request(sent: Mapping[str, Any], seed: int) -> AdaptRequest:
    """Return the adaptation request that the page sent by the names of its components; ``seed`` is the one to use.

    Raises:
        OptionsError: a value is of a wrong kind. Whether it suits the engine is for the engine to say.
    """
    return AdaptRequest(
        sent["prompt"],
        steps=read_whole("steps", sent["steps"]),
        lr=read_number("lr", sent["lr"] or 0) or None,
        layers=sent["layers"],
        seed=seed,
        source=(sent["source"] or "").strip()[:60] or "face",
        batch=read_whole("batch", sent["batch"]),
        truncation=read_number("truncation_psi", sent["truncation"]),
        photo=sent["photo"] if sent["me"] else "",
        images=tuple(sent["images"] or ()),
        extra=read_extras(sent),
    )


def read_extras(sent: Mapping[str, Any]) -> AdaptExtras:
    """Return the options for experts. Where 0 means off, and off is the default, it counts as nothing. Raises OptionsError."""
    return AdaptExtras(
        preset=_chosen("preset", sent["preset"]),
        resolution=_listed("resolution", sent["resolution"]),
        mixing=_number("mixing", sent["mixing"]) or None,
        adaptive_layers=_whole("adaptive_layers", sent["adaptive_layers"]) or None,
        latent_pool=_whole("latent_pool", sent["latent_pool"]) or None,
        crops=_listed("crops", sent["crops"]),
        direction_weight=_typed("direction_weight", sent["direction_weight"]),
        global_weight=_typed("global_weight", sent["global_weight"]),
        manifold_weight=_number("manifold_weight", sent["manifold_weight"]) or None,
        patch_weight=_number("patch_weight", sent["patch_weight"]) or None,
        start=_begins(sent["start"]),
    )


def _number(name: str, value: Any) -> float | None:
    return None if value is None else read_number(name, value)


def _whole(name: str, value: Any) -> int | None:
    return None if value is None else read_whole(name, value)


def _chosen(name: str, value: Any) -> str | None:
    """Return the text chosen in a dropdown; None for the generator's own."""
    if value is None or value == OWN_VALUE:
        return None
    if not isinstance(value, str):
        raise OptionsError(f"{name} is {str(value)[:20]}; choose one from the list.")
    return value[:40]


def _begins(value: Any) -> str | None:
    """Return where a run begins, as ``AdaptOptions.start``. Raises OptionsError."""
    chosen = _chosen("start", value)
    if chosen not in (None, PLAIN):
        raise OptionsError(f"start is {chosen[:20]}; choose one from the list.")
    return None if chosen is None else ""


def _listed(name: str, value: Any) -> int | None:
    """Return the whole number chosen in a dropdown; None for the generator's own."""
    text = _chosen(name, value)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise OptionsError(f"{name} is {text[:20] or 'empty'}; choose one from the list.")
    return int(text)


def _typed(name: str, value: Any) -> float | None:
    """Return the number in a text box, None if it is empty: a number box would show 0 instead."""
    if not isinstance(value, str):
        return _number(name, value)
    text = value.strip().replace(",", ".")
    if not text:
        return None
    try:
        return read_number(name, float(text))
    except ValueError:
        raise OptionsError(f"{name} is {text[:20]}; it must be a number.") from None
