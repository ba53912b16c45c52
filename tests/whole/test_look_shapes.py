"""Try the measures of shape on landmarks that are moved by hand, and the grouping by lightness."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nada_core.alignment.by_hand import mean_face
from tests.whole.gates.looks.by_skin import grouped
from tests.whole.gates.looks.shapes import shape_measures


def moved(**moves: tuple[float, float]) -> np.ndarray:
    """The mean face with landmarks moved by (x, y), in distances of the eyes' outer corners."""
    points = mean_face().astype(np.float64)
    unit = float(np.hypot(*(points[45] - points[36])))
    for name, move in moves.items():
        points[int(name[1:])] += np.multiply(move, unit)
    return points


@pytest.mark.parametrize(
    ("points", "name", "value"),
    [
        (moved(p48=(-0.1, 0), p54=(0.1, 0)), "shape.smile", 0.2),
        (moved(p48=(0, -0.1), p54=(0, -0.1)), "shape.corners", 0.1),
        (moved(p66=(0, 0.1)), "shape.open mouth", 0.1),
    ],
)
def test_a_moved_landmark_is_measured_in_its_own_direction(points, name, value):
    found = shape_measures(mean_face(), points)
    assert found[name] == pytest.approx(value, abs=0.02)
    assert all(abs(found[other]) < 0.03 for other in ("shape.big eyes", "shape.wide face"))


def test_eyes_and_jaw_are_shares_of_what_they_were():
    before, after = mean_face().astype(np.float64), mean_face().astype(np.float64)
    for eye in (slice(36, 42), slice(42, 48)):
        after[eye] = after[eye].mean(0) + (after[eye] - after[eye].mean(0)) * 1.5
    after[:17] = after[:17].mean(0) + (after[:17] - after[:17].mean(0)) * [0.9, 1.0]
    found = shape_measures(before, after)
    assert found["shape.big eyes"] == pytest.approx(0.5, abs=0.02) and found["shape.wide face"] == pytest.approx(-0.1, abs=0.02)


def test_faces_are_grouped_by_lightness_and_unseen_cheeks_left_out():
    found = grouped([50, math.nan, 90, 70, 30, 72, 88], 2)
    assert found == {"dark": [4, 0], "medium": [3, 5], "light": [6, 2]}
