"""Adapt face generators to a text (StyleGAN-NADA) and stylise photos with the result.

    from nada_core import Engine
    engine = Engine()
    for step in engine.adapt("Joker", steps=30): ...
    name = engine.save_style(step.style())
    result = engine.edit("selfie.jpg", name)

Names are imported on first use, so that ``import nada_core`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers; at run time __getattr__ does the same, late
    from nada_core.adaptation.loop import AdaptationStep, AdaptOptions
    from nada_core.alignment.ffhq import align_face
    from nada_core.editing.base import EditResult
    from nada_core.encoders.load import load_encoder
    from nada_core.engine import Engine
    from nada_core.errors import NadaError
    from nada_core.generators.load import load_generator
    from nada_core.shared_engine import adapt, edit, film
    from nada_core.styles.files import Style, StyleCard, load_style, save_style
    from nada_core.styles.mixing import Strength

__version__ = "0.1.0"

_HOMES = {
    "AdaptOptions": "adaptation.loop",
    "AdaptationStep": "adaptation.loop",
    "EditResult": "editing.base",
    "Engine": "engine",
    "NadaError": "errors",
    "Strength": "styles.mixing",
    "Style": "styles.files",
    "StyleCard": "styles.files",
    "adapt": "shared_engine",
    "align_face": "alignment.ffhq",
    "edit": "shared_engine",
    "film": "shared_engine",
    "load_encoder": "encoders.load",
    "load_generator": "generators.load",
    "load_style": "styles.files",
    "save_style": "styles.files",
}
__all__ = [
    "AdaptOptions",
    "AdaptationStep",
    "EditResult",
    "Engine",
    "NadaError",
    "Strength",
    "Style",
    "StyleCard",
    "__version__",
    "adapt",
    "align_face",
    "edit",
    "film",
    "load_encoder",
    "load_generator",
    "load_style",
    "save_style",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nada_core' has no attribute '{name}'")
    return getattr(importlib.import_module(f"nada_core.{_HOMES[name]}"), name)
