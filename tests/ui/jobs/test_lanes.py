"""How long it takes until one of several lanes is free."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nada_core.ui.jobs.job import seconds_of
from nada_core.ui.requests import AdaptRequest


def job(left=None, steps=10):
    return SimpleNamespace(view=SimpleNamespace(left=left), request=AdaptRequest("Joker", steps=steps))


@pytest.mark.parametrize(
    ("lefts", "lanes", "seconds"),
    [([], 1, 0), ([3.0, 4.0], 1, 7), ([3.0, 4.0], 2, 3), ([3.0, 4.0], 3, 0), ([3.0, 4.0, 5.0], 2, 4), ([8.0, 1.0, 1.0, 1.0], 2, 3)],
)
def test_jobs_take_the_lane_that_is_free_first(lefts, lanes, seconds):
    assert seconds_of([job(left) for left in lefts], None, lanes) == pytest.approx(seconds)


def test_a_pace_stands_in_for_what_no_job_has_said():
    assert seconds_of([job(2.0), job(steps=6)], 0.5) == pytest.approx(5)
    assert seconds_of([job(2.0), job(steps=6)], None) is None
