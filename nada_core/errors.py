"""The project's own exceptions. Each message says what was wrong and what to do next; the interfaces show it as it is."""

from __future__ import annotations

__all__ = [
    "AssetError",
    "EncoderError",
    "GeneratorError",
    "NadaError",
    "NoFaceError",
    "OptionsError",
    "PhotoError",
    "PromptError",
    "ResumeError",
    "StyleError",
]


class NadaError(Exception):
    """Base of every error meant for a person: the message is shown without a traceback."""


class AssetError(NadaError):
    """A downloadable file is missing, damaged or unreachable."""


class GeneratorError(NadaError):
    """A generator checkpoint cannot be used."""


class EncoderError(GeneratorError):
    """An image-text encoder does not exist, or its weights cannot be used."""


class OptionsError(NadaError):
    """An option is out of range."""


class PhotoError(NadaError):
    """A picture cannot be read or is unusable."""


class NoFaceError(PhotoError):
    """No face was found in an otherwise readable picture."""


class PromptError(NadaError):
    """A prompt is empty, too long, or outside what the encoder knows."""


class ResumeError(NadaError):
    """The state of an adaptation cannot be kept, read, or continued."""


class StyleError(NadaError):
    """A style file is missing, damaged, foreign, or made for another generator."""
