"""Machines that join and leave: how many workers there is room for, who is hired and let go, and how many jobs run at once. Without Ray."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from nada_core.cluster.connect import Cluster, room
from nada_core.ui.workers import crew as module
from nada_core.ui.workers.colleague import Colleague, WorkerLost
from nada_core.ui.workers.crew import RayCrew
from tests.helpers.adapting import wait_for


def cluster(*machines: dict, cores: int = 2, cards: int = 0, most: int | None = None, workers: int = 1) -> Cluster:
    nodes = [{"Alive": machine.pop("alive", True), "Resources": machine} for machine in machines]
    return Cluster(SimpleNamespace(nodes=lambda: nodes), workers, cores, cards, "head:6379", most=most)


@pytest.mark.parametrize(
    ("machines", "options", "count"),
    [
        ([{"CPU": 0.0}, {"CPU": 2.0}, {"CPU": 8.0}], {}, 2),  # one a machine
        ([{"CPU": 2.0}, {"CPU": 8.0, "alive": False}], {}, 1),
        ([{"CPU": 1.0}, {"CPU": 2.0}], {}, 1),  # too small for one
        ([{"CPU": 2.0}, {"CPU": 5.0}], {"most": 9}, 3),
        ([{"CPU": 2.0}, {"CPU": 5.0}], {"most": 2}, 2),
        ([{"CPU": 8.0, "GPU": 2.0}, {"CPU": 8.0}, {"GPU": 1.0}], {"cards": 1}, 3),
        ([], {}, 0),
    ],
)
def test_room(machines, options, count):
    assert room(cluster(*machines, **options)) == count


@pytest.fixture
def crew(monkeypatch):
    """A crew of one whose workers cannot be had until they are let in; ``let`` counts who may come."""
    let = threading.Semaphore(0)

    def hire(cluster, name, plan, wanted, needless):
        while not let.acquire(timeout=0.01):
            if needless():
                raise WorkerLost("not needed")
        return Colleague(cluster, SimpleNamespace(), name, "box", "cpu", 1)

    monkeypatch.setattr(module, "hire", hire)
    monkeypatch.setattr(module, "_LOOK", 3600.0)
    made = RayCrew(cluster({"CPU": 2.0}))
    made.let = let
    yield made
    made._closed.set()


def doings(crew) -> list[str]:
    return [facts.doing for facts in crew.report()]


def test_who_joins_is_used_and_who_leaves_is_not_waited_for(crew, make_app):
    app, _ = make_app(crew=crew)
    crew.start(app)
    crew.let.release()
    wait_for(lambda: doings(crew) == ["idle"])
    assert crew.fit(3) == 3 and doings(crew) == ["idle", "starting", "starting"] and crew.size == 3
    crew.let.release()
    wait_for(lambda: sorted(doings(crew)) == ["idle", "idle", "starting"])
    assert crew.fit(1) == 2 and doings(crew) == ["idle", "idle"]  # who is there stays
    assert crew.fit(0) == 2 and crew.fit(2) == 2


def test_one_place_is_always_kept(crew, make_app):
    app, _ = make_app(crew=crew)
    crew.start(app)
    assert crew.fit(0) == 1 and doings(crew) == ["starting"]
    crew.let.release()
    wait_for(lambda: doings(crew) == ["idle"])


def test_a_lost_machine_is_missed_in_the_list(crew, make_app):
    app, _ = make_app(crew=crew)
    crew.start(app)
    crew.fit(2)
    crew.let.release(2)
    wait_for(lambda: doings(crew) == ["idle", "idle"])
    colleague = crew.take(1.0)
    colleague.kill = lambda: None
    crew.lose(colleague, crew._wanted)
    assert sorted(doings(crew)) == ["idle", "starting"] and crew.fit(1) == 1 and doings(crew) == ["idle"]


def test_who_does_not_wait_takes_nobody_from_who_does(crew, make_app):
    app, _ = make_app(crew=crew)
    crew.start(app)
    taken = []
    waiting = threading.Thread(target=lambda: taken.append(crew.take(60.0)))
    waiting.start()
    wait_for(lambda: crew._waiting)
    crew.let.release()
    waiting.join(60)
    assert taken[0] is not None and crew.take(0.0, doing="editing") is None and doings(crew) == ["adapting"]
    crew.give_back(taken[0])
    assert crew.take(0.0, doing="editing") is taken[0] and doings(crew) == ["editing"]


def test_more_jobs_run_at_once_when_there_are_more_lanes(make_app, monkeypatch):
    from tests.helpers.adapting import start
    from tests.helpers.stand_in_workers import local_crew

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with local_crew(None, None, delay=0.02) as workers:
        workers.size = 1
        app, _ = make_app(crew=workers)
        first, second = start(app, steps=400), start(app, steps=400)
        wait_for(lambda: first.view.step >= 1)
        assert second.state == "waiting" and app.jobs.place(second)[0] == 1
        app.jobs.set_lanes(2)
        wait_for(lambda: second.view.step >= 1)
        for job in (first, second):
            app.jobs.cancel(job.id)
        wait_for(lambda: first.over and second.over)
