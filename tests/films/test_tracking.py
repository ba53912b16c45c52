"""People are followed, found in the frames before they were seen, and forgotten; cuts begin anew."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from PIL import Image

from nada_core.films.tracking import Tracker, View, is_cut
from tests.helpers.film_discs import DiscDetector, discs


def watched(places, detector=None, rate=30.0, size=(320, 240), scale=1.0, blind=(), tracker=None) -> list[View]:
    """What a tracker says of each frame, once the eight frames after it are known; `blind`: frames in which the detector sees nobody."""
    tracker = tracker or Tracker(detector or DiscDetector())
    detector, waiting, views = tracker.detector, deque(maxlen=8), []
    for index, frame in enumerate(discs(places, size)):
        detector.hidden = index in blind
        view = tracker.look(Image.fromarray(frame), scale, index / rate, list(waiting))
        waiting.append(view)
        views.append(view)
    return views


def centres(view: View) -> dict[int, tuple[float, float]]:
    return {number: tuple(sighting.landmarks.mean(0).round()) for number, sighting in view.people.items()}


def test_two_people_keep_their_numbers():
    places = [[(60 + 2 * index, 80.0), (250.0, 180.0)] for index in range(40)]
    detector = DiscDetector()
    views = watched(places, detector)
    numbers = {number for view in views for number in view.people}
    assert len(numbers) == 2 and all(len(view.people) == 2 for view in views)
    left, right = sorted(numbers, key=lambda number: centres(views[0])[number][0])
    for view, ((x, y), other) in zip(views, places):
        assert centres(view)[left] == pytest.approx((x, y), abs=2) and centres(view)[right] == pytest.approx(other, abs=2)
    assert detector.glances <= 7  # the whole frame is searched four times a second


def test_a_face_that_comes_is_found_in_the_frames_before_as_well():
    views = watched([[]] * 11 + [[(160.0, 120.0)]] * 20)
    assert [bool(view.people) for view in views] == [False] * 11 + [True] * 20


def test_a_face_that_goes_is_forgotten_from_where_it_was_last_seen():
    views = watched([[(160.0, 120.0)]] * 20 + [[]] * 20)
    assert [bool(view.people) for view in views] == [True] * 20 + [False] * 20


@pytest.mark.heavy
def test_who_is_not_there_is_told_from_who_is_not_seen():
    """A face that left the film is painted to its last frame, one that the detector lost is faded."""
    for places, blind, bounds in (
        ([[(160.0, 120.0)]] * 20 + [[]] * 20, (), (-np.inf, 19 / 30)),
        ([[]] * 11 + [[(160.0, 120.0)]] * 20, (), (11 / 30, np.inf)),
        ([[(160.0, 120.0)]] * 40, range(20, 40), None),
        ([[(160.0, 120.0)]] * 40, range(11), None),
    ):
        tracker = Tracker(DiscDetector())
        watched(places, blind=blind, tracker=tracker)
        assert tracker.bounds.get(0) == (None if bounds is None else pytest.approx(bounds))


def test_a_face_that_is_missed_for_a_moment_keeps_its_number():
    views = watched([[(160.0, 120.0)]] * 40, blind=range(12, 16))
    assert all(list(view.people) == [0] for view in views)
    assert [view.people[0].seen for view in views[10:18]] == [True, True, False, False, False, False, True, True]


def test_landmarks_are_the_frames_own():
    (view,) = watched([[(160.0, 120.0)]], scale=0.5)
    assert view.people[0].landmarks.mean(0) == pytest.approx((320.5, 240.5), abs=6)


def test_after_a_cut_everybody_is_new():
    tracker, detector = None, DiscDetector()
    tracker = Tracker(detector)
    first = next(discs([[(160.0, 120.0)]], (320, 240)))
    second = np.full_like(first, 250)
    second[:, ::2] = 0
    second[100:] = (20, 20, 200)
    second[60:90, 20:50] = (230, 40, 40)
    before = tracker.look(Image.fromarray(first), 1.0, 0.0)
    after = tracker.look(Image.fromarray(second), 1.0, 1 / 30, [before])
    assert list(before.people) == [0] and list(after.people) == [1] and after.shot == before.shot + 1


def test_light_and_movement_are_no_cut():
    rng = np.random.default_rng(0)
    scene = np.kron(rng.uniform(0, 200, (4, 4)), np.ones((8, 8))).astype(np.float32)
    assert not is_cut(scene, scene + rng.normal(0, 5, scene.shape))
    assert not is_cut(scene, np.clip(scene * 1.25 + 20, 0, 255))  # a lamp goes on
    assert not is_cut(scene, np.roll(scene, 1, 1))
    assert is_cut(scene, np.kron(rng.uniform(0, 255, (4, 4)), np.ones((8, 8))))
    assert is_cut(scene, np.zeros_like(scene))
