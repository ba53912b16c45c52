"""Walking work on a worker: values and what is sent back, refusals, a worker that dies, none that is free. With and without Ray."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from nada_core.cluster import walking
from nada_core.cluster.walking import walk_there
from nada_core.errors import ClusterError, PromptError
from tests.helpers.folders import ROOT
from tests.helpers.needs_ray import needs_ray
from tests.helpers.stand_in_ray import StandInRay, stand_in_cluster


def counting(most: int):
    """Numbers; once it is told to stop, the last one's negative."""
    for number in range(1, most + 1):
        if (yield number):
            yield -number
            return


def refusing(words: str):
    yield 1
    raise PromptError(words)


def broken():
    yield 1
    raise ZeroDivisionError


def dying(marker: Path):
    """Ends its process at the third value, once."""
    for number in range(1, 5):
        if number == 3 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield number


def walked(cluster, work, stop_at: int = 0) -> list[int | None]:
    found, steps = [], walk_there(cluster, work)
    value = next(steps)
    while True:
        found.append(value)
        try:
            value = steps.send(value == stop_at)
        except StopIteration:
            return found


def test_values_come_one_by_one_and_stop_reaches_the_work():
    ray = StandInRay()
    assert walked(stand_in_cluster(ray), partial(counting, 3)) == [1, 2, 3]
    assert walked(stand_in_cluster(ray), partial(counting, 9), stop_at=2) == [1, 2, -2]
    assert walked(stand_in_cluster(ray), partial(counting, 1)) == [1]
    assert ray.killed == ray.begun == 3 and ray.options == {"num_cpus": 1, "num_gpus": 0, "max_restarts": 0}


def test_who_leaves_early_ends_the_worker():
    ray = StandInRay()
    steps = walk_there(stand_in_cluster(ray), partial(counting, 9))
    next(steps)
    steps.close()
    assert ray.killed == 1


def test_a_refusal_is_what_it_was_and_a_fault_is_not_taken_for_a_death():
    ray = StandInRay()
    with pytest.raises(PromptError, match=r"^not that$"):
        walked(stand_in_cluster(ray), partial(refusing, "not that"))
    with pytest.raises(ray.exceptions.RayTaskError, match="ZeroDivisionError"):
        walked(stand_in_cluster(ray), broken)
    assert ray.begun == ray.killed == 2


def test_another_worker_begins_again_and_the_fourth_is_not_asked():
    ray = StandInRay([4, 3])  # who it is and the beginning are calls too
    assert walked(stand_in_cluster(ray), partial(counting, 3)) == [1, 2, 1, 1, 2, 3] and ray.begun == ray.killed == 3
    ray = StandInRay([3, 1, 2])
    with pytest.raises(ClusterError, match="3 workers died of this"):
        walked(stand_in_cluster(ray), partial(counting, 3))
    assert ray.begun == ray.killed == 3


def test_what_was_to_stop_is_not_begun_again():
    ray = StandInRay([4])
    with pytest.raises(ClusterError, match=r"The worker was lost \(The actor died\) before it had told what it had learnt"):
        walked(stand_in_cluster(ray), partial(counting, 9), stop_at=2)
    assert ray.begun == 1


def test_a_worker_of_another_version_is_refused(monkeypatch):
    versions = iter(["0.1 (aaaaaaaa)", "0.2 (bbbbbbbb)", "0.2 (bbbbbbbb)"])
    monkeypatch.setattr(walking, "product", lambda: next(versions))
    with pytest.raises(ClusterError, match=r"has version 0.1 \(aaaaaaaa\) and this program 0.2 \(bbbbbbbb\). Install the same one on both"):
        walked(stand_in_cluster(StandInRay()), partial(counting, 3))


def test_where_no_worker_is_free_it_waits_with_signs_of_life_and_can_be_left(monkeypatch):
    monkeypatch.setattr(walking, "_LIFE", -1.0)
    assert walked(stand_in_cluster(StandInRay(busy=2)), partial(counting, 2)) == [None, None, 1, 2]
    steps = walk_there(stand_in_cluster(StandInRay(busy=2)), partial(counting, 2))
    assert next(steps) is None
    with pytest.raises(StopIteration):
        steps.send(True)


def test_a_head_that_is_gone_is_said():
    with pytest.raises(ClusterError, match="head does not answer"):
        walked(stand_in_cluster(StandInRay(busy=1), lost=True), partial(counting, 2))


@needs_ray
@pytest.mark.heavy
def test_with_ray(tmp_path, monkeypatch):
    from nada_core.cluster.connect import connect

    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # workers find the tests' own modules
    with connect(workers=1) as cluster:
        assert walked(cluster, partial(counting, 9), stop_at=2) == [1, 2, -2]
        with pytest.raises(PromptError, match=r"^not that$"):
            walked(cluster, partial(refusing, "not that"))
        with pytest.raises(cluster.ray.exceptions.RayTaskError, match="ZeroDivisionError"):
            walked(cluster, broken)
        assert walked(cluster, partial(dying, tmp_path / "once")) == [1, 2, 1, 2, 3, 4]
