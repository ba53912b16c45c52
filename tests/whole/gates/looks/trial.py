"""Try one text: adapt, render unseen faces, measure, ask the judge."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from nada_core.looks.reading import read
from nada_core.styles.files import Style
from tests.whole.gates.checks import judge
from tests.whole.gates.faces import FaceSet
from tests.whole.gates.looks.checks import checks_of, measure_look
from tests.whole.gates.looks.judge import Judge
from tests.whole.gates.looks.shapes import LEAST, shape_changes
from tests.whole.gates.measure import measure, of_all

__all__ = ["DISTRACTORS", "Tried", "try_style"]

DISTRACTORS = 20


@dataclass(frozen=True)
class Tried:
    """What came out of one text."""

    prompt: str
    kind: str
    failures: tuple[str, ...]
    place: int
    """Of the text among the distractors by the judge, 1 the best."""
    taken_for: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Tell whether all checks hold and the judge names it."""
        return not self.failures

    def row(self) -> dict:
        """Return plain values for JSON."""
        return asdict(self)


@torch.no_grad()
def try_style(
    engine, critic: Judge, prompt: str, kind: str, style: Style, faces: FaceSet, others: Sequence[str], seconds: float
) -> tuple[Tried, Tensor]:
    """Judge a style of ``prompt`` on unseen faces; ``others``: texts to draw distractors from. Returns the pictures as well."""
    look = read(prompt).look
    after = faces.render(engine, style)
    shapes = shape_changes(after, faces.landmarks) if LEAST.keys() & look.shape.keys() else [{} for _ in after]
    together = of_all(faces.before, after)
    measures = [
        measure(b, a, r) | measure_look(look, b, a, r) | shape | together
        for b, a, r, shape in zip(faces.before, after, faces.regions, shapes)
    ]
    verdicts = [judge(check, measures) for check in checks_of(look)]
    failures = [str(verdict) for verdict in verdicts if not verdict.passed]
    key = look.key
    pool = [other for other in others if other != prompt and read(other).look.key != key]
    names = [prompt, *random.Random(prompt).sample(pool, min(DISTRACTORS, len(pool)))]
    ranked = list(critic.name(faces.before, after, names))
    place = ranked.index(prompt) + 1
    if place > 1:
        failures.append(f"FAIL the judge takes it for {ranked[0]} (place {place} of {len(names)})")
    return Tried(prompt, kind, tuple(failures), place, ranked[0], round(seconds, 1)), after
