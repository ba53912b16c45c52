"""Turn photos into latent codes. Names are imported on first use, so that importing this package costs nothing."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Inversion": "base",
    "InversionStage": "base",
    "PhotoEncoder": "photo_encoder",
    "load_inverter": "load",
}
__all__ = [*_HOMES]  # __getattr__ resolves them


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nada_core.inversion' has no attribute '{name}'")
    return getattr(importlib.import_module(f"nada_core.inversion.{_HOMES[name]}"), name)
