"""Recognise Hugging Face's ZeroGPU, which lends a GPU to one function at a time. No torch. Written after its docs, never run there."""

from __future__ import annotations

import importlib.util
import os

__all__ = ["on_zero_gpu"]


def on_zero_gpu() -> bool:
    """Tell whether this is a Space with ZeroGPU: its variable is set, and its package is here."""
    return bool(os.environ.get("SPACES_ZERO_GPU")) and importlib.util.find_spec("spaces") is not None
