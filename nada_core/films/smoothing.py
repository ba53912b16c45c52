"""Smooth what trembles from frame to frame: landmarks over a few frames, a student's change over the last ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from nada_core.students.wear import Change

__all__ = ["SteadyChange", "steadied"]

_REACH = 0.065  # seconds, the Gaussian's sigma: shorter than a nod, longer than a tremble
_KEPT = 0.85  # share of the last frame's change where nothing moves
_NOISE = 0.035  # difference of pixels in [-1, 1], a few of them averaged, that a camera makes by itself
_AREA = 9  # pixels, of 256


def steadied(times: Sequence[float], points: NDArray[np.float64], at: float) -> NDArray[np.float64]:
    """Return points at a time from what was measured before and after it: a parabola through the neighbours, the nearest weighted most.

    Nothing lags behind a head that moves: a parabola follows it, and looks ahead as far as back.

    Args:
        times: in seconds, of N measurements.
        points: [N, P, 2].
        at: seconds.

    Returns:
        [P, 2].
    """
    apart = np.asarray(times, dtype=np.float64) - at
    weights = np.exp(-0.5 * (apart / _REACH) ** 2)
    degree = min(2, int((weights > 0.05).sum()) - 1)
    if degree <= 0:
        return points[int(weights.argmax())]
    bases = (apart[:, None] / _REACH) ** np.arange(degree + 1)
    flat = points.reshape(len(points), -1)
    weighted = bases * weights[:, None]
    solution = np.linalg.solve(bases.T @ weighted + 1e-9 * np.eye(degree + 1), weighted.T @ flat)
    return solution[0].reshape(points.shape[1:])


class SteadyChange:
    """Smooth one person's changes from frame to frame where the face itself stays as it is.

    Where pixels differ no more than a camera's noise, most of the last change is kept; where something moves (lips, lids, light), none.
    """

    def __init__(self) -> None:
        self._face: Tensor | None = None
        self._change: Change | None = None

    def __call__(self, face: Tensor, change: Change) -> Change:
        """Return the change to apply; ``face`` is ``[1, 3, 256, 256]`` in [-1, 1], the aligned face that the change is for."""
        if self._face is not None and self._change is not None:
            moved = (face - self._face).mean(1, keepdim=True)
            moved = F.avg_pool2d(moved.abs(), _AREA, 1, _AREA // 2, count_include_pad=False)
            kept = _KEPT * torch.exp(-((moved / _NOISE) ** 2))
            last = self._change
            change = Change(torch.lerp(change.gain, last.gain, kept), torch.lerp(change.offset, last.offset, kept))
        self._face, self._change = face, change
        return change
