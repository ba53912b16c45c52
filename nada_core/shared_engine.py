"""Adapt, edit and film with one engine that is made on first use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from nada_core.adaptation.loop import AdaptationStep
from nada_core.editing.base import EditResult
from nada_core.engine import Engine, Model
from nada_core.films.restyle import FilmResult

__all__ = ["adapt", "default_engine", "edit", "film"]


@cache
def default_engine() -> Engine:
    """Return the engine that :func:`adapt`, :func:`edit` and :func:`film` share, on the GPU where there is one."""
    return Engine()


def adapt(prompt: str, steps: int | None = None, **options: Any) -> Iterator[AdaptationStep]:
    """Adapt the shared engine's generator to a text: see :meth:`Engine.adapt`."""
    return default_engine().adapt(prompt, steps, **options)


def edit(image: Any, model: Model = "joker", **options: Any) -> EditResult:
    """Put a photo into a style with the shared engine: see :meth:`Engine.edit`."""
    return default_engine().edit(image, model, **options)


def film(source: str | Path, model: Model = "joker", out: str | Path = "film.mp4", **options: Any) -> FilmResult:
    """Put everybody in a film into a style with the shared engine: see :meth:`Engine.film_steps`, run to its end."""
    for step in default_engine().film_steps(source, model, out, **options):
        result = step.result
    assert result is not None
    return result
