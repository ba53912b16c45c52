"""Check what Python programs hand to the engine: a wrong kind of value is refused in words before any network is asked."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nada_core.adaptation.loop import MAX_TARGETS
from nada_core.editing.portrait import check_shares
from nada_core.errors import OptionsError, shown
from nada_core.styles.files import Style

__all__ = ["MAX_BLEND", "MAX_TRUNCATION", "Model", "blend_parts", "check_text", "check_truncation", "file_path", "target_pictures"]

MAX_BLEND = 4
MAX_TRUNCATION = 2.0
#: What an edit takes for a style.
Model = str | Path | Style | Sequence[tuple[str | Path | Style, float]]

_PAIRS = "a blend is a list of pairs of a style and its share, such as [('joker', 0.6), ('zombie', 0.4)]"


def blend_parts(model: Model) -> list[tuple[str | Path | Style, float]]:
    """Return the styles that ``model`` stands for, as they were given, with shares that sum to 1.

    Raises:
        OptionsError: no style at all, too many, no pairs, or shares that make no blend.
    """
    if isinstance(model, (str, Path, Style)):
        return [(model, 1.0)]
    parts = list(model) if isinstance(model, Iterable) else None
    if parts is None or isinstance(model, (bytes, bytearray)):
        raise OptionsError(f"The style is {shown(model, 40)}; give its name, its file, or a blend: {_PAIRS}.")
    if not 1 <= len(parts) <= MAX_BLEND:
        raise OptionsError(f"{len(parts)} styles to blend; between 1 and {MAX_BLEND} are possible.")
    for part in parts:
        if not isinstance(part, (tuple, list)) or len(part) != 2 or isinstance(part[1], bool) or not isinstance(part[1], Real):
            raise OptionsError(f"A part of the blend is {shown(part, 40)}; {_PAIRS}.")
    shares = check_shares([float(share) for _, share in parts], len(parts))
    return [(style, share) for (style, _), share in zip(parts, shares, strict=True)]


def target_pictures(images: Any) -> list[Any]:
    """Return the pictures of a target one by one; a single one, given without a list, is a list of one.

    Raises:
        OptionsError: no picture and no list of them, or too many; they are counted before any is decoded.
    """
    alone = isinstance(images, (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)) or hasattr(images, "read")
    if alone or (isinstance(images, np.ndarray) and images.ndim < 4):
        return [images]
    if not isinstance(images, Iterable):
        raise OptionsError(f"The target pictures are {shown(images, 40)}; give a list of pictures, or one.")
    listed = list(images)
    if len(listed) > MAX_TARGETS:
        raise OptionsError(f"{len(listed)} target pictures; between 1 and {MAX_TARGETS} are possible.")
    return listed


def check_truncation(value: float) -> None:
    """Check how far faces may be from the mean one. Raises OptionsError: no number, or not between 0 and :data:`MAX_TRUNCATION`."""
    number = not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
    if not number or not 0 <= value <= MAX_TRUNCATION:
        raise OptionsError(f"truncation_psi is {shown(value, 40)}; it must be between 0 and {MAX_TRUNCATION:g}.")


def check_text(value: object, what: str) -> None:
    """Check that ``value``, called ``what`` in the message, is a text. Raises OptionsError."""
    if not isinstance(value, str):
        raise OptionsError(f"{what} is {shown(value, 40)}; give a text.")


def file_path(path: str | os.PathLike[str], what: str) -> Path:
    """Return a file's path, of a text too. Raises OptionsError: neither of both, or one that no file can have."""
    if not isinstance(path, (str, os.PathLike)) or "\0" in os.fspath(path) or not os.fspath(path).strip():
        raise OptionsError(f"{what} is {shown(path, 40) or 'empty'}; give the path of a file.")
    return Path(path)
