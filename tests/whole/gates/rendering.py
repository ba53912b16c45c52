"""The adapted generator against the plain rendering of its concept, where somebody supplies one.

A rendering is any ``function(prompt, images [N, 3, 256, 256] in [-1, 1]) -> images`` that paints the concept onto finished faces. The
adapted generator must be smoother (fewer hard seams of colour where the photo has none) and hold on turned faces, where painting fails.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import numpy as np

from tests.whole.gates.faces import FaceSet
from tests.whole.gates.sweep import Rendering, Result, judge_pictures

__all__ = ["Comparison", "compare_with_rendering", "load_rendering"]


def load_rendering(where: str) -> Rendering:
    """``package.module:function``."""
    module, _, function = where.partition(":")
    return getattr(importlib.import_module(module), function)


@dataclass(frozen=True)
class Comparison:
    """Adapted against rendered: seams (colour edges on smooth ground; lower is smoother), share of the concept's answers met by all faces
    and by turned faces alone (NaN where none is turned)."""

    name: str
    seams: tuple[float, float]
    met: tuple[float, float]
    met_turned: tuple[float, float]

    @property
    def smoother(self) -> bool:
        return self.seams[0] <= self.seams[1]

    @property
    def holds_when_turned(self) -> bool:
        return not self.met_turned[0] < self.met_turned[1]

    def __str__(self) -> str:
        marks = f"{'smoother' if self.smoother else 'NOT SMOOTHER'}, {'holds' if self.holds_when_turned else 'WORSE'} on turned faces"
        pairs = [f"{label} {a:.2f} / {b:.2f}" for label, (a, b) in (("seams", self.seams), ("met", self.met), ("turned", self.met_turned))]
        return f"{self.name[:22]:22s} adapted / rendered: {', '.join(pairs)}  {marks}"


def compare_with_rendering(result: Result, faces: FaceSet, rendering: Rendering, prompt: str) -> Comparison:
    """Paint the same faces with ``rendering`` and measure both by the same checks."""
    rendered = judge_pictures(f"{result.name} (rendered)", result.concept, faces, rendering(prompt, faces.before.clone()))
    turned = faces.turned()

    def met(one: Result, indices) -> float:
        answers = [v.check.holds(one.measures[i]) for v in one.verdicts for i in indices]
        known = [answer for answer in answers if answer is not None]
        return float(np.mean(known)) if known else float("nan")

    everyone = range(len(faces.before))
    return Comparison(
        result.name,
        (result.median("image.seams"), rendered.median("image.seams")),
        (met(result, everyone), met(rendered, everyone)),
        (met(result, turned), met(rendered, turned)),
    )
