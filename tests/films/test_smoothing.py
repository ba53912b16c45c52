"""Smoothing: what trembles stands still, what moves is followed without a lag, what changes is not held back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nada_core.films.smoothing import SteadyChange, steadied
from nada_core.students.wear import Change

TIMES = np.arange(17) / 30


def at_each(points: np.ndarray, times: np.ndarray = TIMES) -> np.ndarray:
    """Smooth every measurement with the eight before it and the eight after it."""
    found = []
    for place in range(len(times)):
        around = slice(max(place - 8, 0), place + 9)
        found.append(steadied(times[around], points[around], times[place]))
    return np.stack(found)


def test_trembling_becomes_less():
    points = np.random.default_rng(0).normal(0, 1, (200, 68, 2))
    smooth = at_each(points, np.arange(200) / 30)
    assert np.abs(np.diff(smooth, axis=0)).mean() < 0.4 * np.abs(np.diff(points, axis=0)).mean()


@pytest.mark.parametrize("path", [lambda t: 300 * t, lambda t: 200 * t**2 - 40 * t])
def test_movement_is_followed_without_a_lag(path):
    points = np.repeat(path(TIMES)[:, None, None], 2, 2)
    assert np.abs(at_each(points) - points).max() < 0.05


def test_nodding_is_not_flattened():
    points = np.repeat(10 * np.sin(2 * np.pi * 2 * TIMES)[:, None, None], 2, 2)  # twice a second
    assert np.abs(at_each(points) - points).max() < 1.5


def test_few_measurements_and_gaps():
    points = np.array([[[1.0, 2.0]], [[3.0, 4.0]]])
    assert steadied([0.0], points[:1], 0.0) == pytest.approx(points[0])
    assert steadied([0.0, 0.04], points, 0.02) == pytest.approx(np.array([[2.0, 3.0]]))
    assert steadied([0.0, 5.0], points, 5.0) == pytest.approx(points[1])


def change(value: float) -> Change:
    return Change(torch.full((1, 3, 256, 256), value), torch.full((1, 3, 256, 256), -value))


def test_a_change_is_kept_where_the_face_stays_as_it_is():
    steady, face = SteadyChange(), torch.zeros(1, 3, 256, 256)
    assert torch.equal(steady(face, change(0.5)).gain, change(0.5).gain)  # nothing before it
    moved = face.clone()
    moved[..., 128:] = 0.5
    after = steady(moved, change(0.1))
    still, changed = after.gain[..., :120], after.gain[..., 136:]
    assert still.min() > 0.4 and torch.allclose(changed, torch.tensor(0.1), atol=1e-3) and after.offset[..., 0].max() < -0.4


def test_light_that_changes_is_not_held_back():
    steady = SteadyChange()
    steady(torch.zeros(1, 3, 256, 256), change(0.5))
    assert torch.allclose(steady(torch.full((1, 3, 256, 256), 0.2), change(0.1)).gain, torch.tensor(0.1), atol=1e-3)
