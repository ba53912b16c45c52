"""Text-driven adaptation of face generators (StyleGAN-NADA) and stylisation of photos with the result.

    from nada_core import Engine
    engine = Engine()
    for step in engine.adapt("Joker", steps=60): ...
    name = engine.save_style(step.style())
    result = engine.edit("selfie.jpg", name)

Names are imported on first use, so that ``import nada_core`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "AdaptOptions": "adaptation",
    "AdaptationStep": "adaptation",
    "EditResult": "editing",
    "Engine": "engine",
    "NadaError": "errors",
    "Style": "checkpoints",
    "Strength": "mixing",
    "StyleCard": "checkpoints",
    "adapt": "shortcuts",
    "align_face": "alignment",
    "edit": "shortcuts",
    "load_encoder": "encoders.load",
    "load_generator": "generators.load",
    "load_style": "checkpoints",
    "save_style": "checkpoints",
}
__all__ = ["__version__", *_HOMES]  # __getattr__ resolves them


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nada_core' has no attribute '{name}'")
    return getattr(importlib.import_module(f"nada_core.{_HOMES[name]}"), name)
