"""``nada_core.adapt`` and ``nada_core.edit``: one engine for those who need only these two."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from nada_core.adaptation import AdaptationStep
from nada_core.editing import EditResult
from nada_core.engine import Engine, Model

__all__ = ["adapt", "default_engine", "edit"]


@functools.cache
def default_engine() -> Engine:
    """The engine that :func:`adapt` and :func:`edit` share, on the GPU where there is one."""
    return Engine()


def adapt(prompt: str, steps: int | None = None, **options: Any) -> Iterator[AdaptationStep]:
    """:meth:`nada_core.engine.Engine.adapt` on the shared engine."""
    return default_engine().adapt(prompt, steps, **options)


def edit(image: Any, model: Model = "joker", **options: Any) -> EditResult:
    """:meth:`nada_core.engine.Engine.edit` on the shared engine."""
    return default_engine().edit(image, model, **options)
