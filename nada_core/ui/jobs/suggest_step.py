"""Suggest one of a run's saved steps: close enough to the look while the faces still differ. Pure functions on small pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["StepRecord", "measure", "suggest_step", "suggestion"]

_SIDE = 32  # pixels: shapes of a face survive, texture does not
_ALIKE, _LOST = 0.85, 0.5  # below this diversity and above this distance a step is marked down
_CLOSE = 0.01  # a step this near to the best one is as good, and the earlier step is the gentler style


@dataclass(frozen=True)
class StepRecord:
    """Hold what is known of a saved step.

    Attributes:
        step: counted from 1.
        similarity: mean cosine to the text direction over the steps since the record before; -1 to 1.
        diversity: how different the preview faces are from each other, the originals being 1. Near 0 they are one face.
        moved: how far each face is from its original, in units of the distance between two originals. At 1 it is another person.
    """

    step: int
    similarity: float
    diversity: float = 1.0
    moved: float = 0.0


def measure(originals: Sequence[str | Path], previews: Sequence[str | Path]) -> tuple[float, float]:
    """Return (diversity, moved) of preview picture files against the files of the same faces before the adaptation.

    Two pictures are compared by the correlation of their grey values at 32 px, so that a change of colour or brightness alone counts
    as none. Both numbers are ratios to the mean distance between the originals. (1, 0) when there are fewer than two faces.
    """
    if len(originals) < 2 or len(originals) != len(previews):
        return 1.0, 0.0
    before, after = _shapes(originals), _shapes(previews)
    count = len(before)
    upper = np.triu_indices(count, 1)
    apart = float((1 - before @ before.T)[upper].mean())
    if apart < 1e-6:
        return 1.0, 0.0
    return float((1 - after @ after.T)[upper].mean()) / apart, float((1 - (before * after).sum(1)).mean()) / apart


def _shapes(files: Sequence[str | Path]) -> np.ndarray:
    """Return unit vectors [N, 1024]: grey values without their mean."""
    rows = []
    for file in files:
        with Image.open(file) as picture:
            values = np.asarray(picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float64).ravel()
        values = values - values.mean()
        rows.append(values / max(float(np.linalg.norm(values)), 1e-9))
    return np.stack(rows)


def _score(record: StepRecord) -> float:
    if not math.isfinite(record.similarity):
        return -math.inf
    return record.similarity - 0.5 * max(0.0, _ALIKE - record.diversity) - 0.3 * max(0.0, record.moved - _LOST)


def suggest_step(records: Sequence[StepRecord]) -> int:
    """Return the step to suggest among the saved ones: 0 when there are none.

    A step scores its similarity to the text direction. It loses points when the four faces grow alike (diversity below 0.85 of the
    originals': the start of mode collapse), and when they leave their originals by more than half of what separates two people. The
    earliest step within 0.01 of the best score wins: later ones cost more of the person and add nothing that can be measured.
    The weights are a judgement, not fitted to ratings: hence "suggested", never "best".
    """
    if not records:
        return 0
    ordered = sorted(records, key=lambda record: record.step)
    best = max(_score(record) for record in ordered)
    if best == -math.inf:
        return ordered[-1].step
    return next(record.step for record in ordered if _score(record) >= best - _CLOSE)


def suggestion(records: Sequence[StepRecord]) -> str:
    """Say why `suggest_step` chose what it chose, in a few words; empty when there is no choice."""
    if len(records) < 2:
        return ""
    step = suggest_step(records)
    chosen = next(record for record in records if record.step == step)
    last = max(records, key=lambda record: record.step)
    if last.step == step:
        return "the likeness grew to the end and the faces stay different"
    if last.diversity < min(chosen.diversity, _ALIKE):
        return "later the faces grow alike"
    if last.moved > max(chosen.moved, _LOST):
        return "later the people are lost"
    return "later steps add almost nothing"
