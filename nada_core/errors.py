"""Define the project's exceptions. Each message says what was wrong and what to do next; the interfaces show it as it is."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable

__all__ = [
    "AssetError",
    "ClusterError",
    "EncoderError",
    "FilmError",
    "GeneratorError",
    "NadaError",
    "NoFaceError",
    "OptionsError",
    "PhotoError",
    "PromptError",
    "ResumeError",
    "StyleError",
    "few",
    "shown",
]


class NadaError(Exception):
    """Mark an error as meant for a person: the message is shown without a traceback. Base of the others."""


class AssetError(NadaError):
    """Say that a downloadable file is missing, damaged or unreachable."""


class ClusterError(NadaError):
    """Say that workers cannot be started, reached, or used."""


class GeneratorError(NadaError):
    """Say that a generator checkpoint cannot be used."""


class EncoderError(GeneratorError):
    """Say that an image-text encoder does not exist, or its weights cannot be used."""


class OptionsError(NadaError):
    """Say that an option is out of range."""


class PhotoError(NadaError):
    """Say that a picture cannot be read or is unusable."""


class NoFaceError(PhotoError):
    """Say that no face was found in an otherwise readable picture."""


class FilmError(NadaError):
    """Say that a film cannot be read, has no face in it, or cannot be written."""


class PromptError(NadaError):
    """Say that a prompt is empty, too long, or outside what the encoder knows."""


class ResumeError(NadaError):
    """Say that the state of an adaptation cannot be kept, read, or continued."""


class StyleError(NadaError):
    """Say that a style file is missing, damaged, foreign, or made for another generator."""


def shown(stranger: object, limit: int = 80) -> str:
    """Return what a stranger's file says as a message may quote it: on one line, printable, cut.

    Args:
        stranger: a text, or a value that is written as Python would, without its depths: those may be endless.
        limit: most characters; three dots stand for the rest.
    """
    text = stranger if isinstance(stranger, str) else _brief(stranger)
    text = text[: 8 * limit].encode("utf-8", "replace").decode()
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def _brief(value: object) -> str:
    """Write a value as Python would, cut at two levels and a few entries: a pickle's may refer to themselves, or double at each level."""
    writer = reprlib.Repr()
    writer.maxlevel, writer.maxdict = 2, 3
    try:
        return writer.repr(value)
    except Exception:  # noqa: BLE001 (numbers of more digits than Python writes, and objects that do not say what they are)
        return f"a {type(value).__name__}"


def few(items: Iterable[object], limit: int = 3) -> str:
    """Return the first few items, quoted, for a message: each as :func:`shown` writes it."""
    listed = list(items)
    return ", ".join(f"'{shown(item)}'" for item in listed[:limit]) + (f" and {len(listed) - limit} more" if len(listed) > limit else "")
