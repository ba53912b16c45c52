"""Students that workers train, in this process: what is kept, Stop, a worker that dies, and where none is idle."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
import torch

from nada_core.students.files import StudentCard, StyleStudent
from nada_core.students.network import Student
from nada_core.ui.tabs.adapt.make_live import live_steps
from tests.helpers.adapting import last, start


def trained(engine):
    """Makes a stand-in engine's students real ones, as small as they can be, since they have to travel."""
    torch.manual_seed(0)
    network, distil = Student((4, 4)), engine.distil

    def steps(style):
        for step in distil(style):
            student = None
            if step.student is not None:
                card = StudentCard(style.card.name, style.card.prompt, "digest", 7, step.student.card.figures)
                student = StyleStudent(card, network, network.neutral())
            yield SimpleNamespace(stage=step.stage, fraction=step.fraction, left=step.left, student=student)

    engine.distil = steps
    return network


@pytest.fixture
def crewed(make_app, open_crew):
    """Makes an app with workers in this process that die when they tell this often; returns it, its engine, theirs, and a finished run."""

    def make(*dies_at):
        app, fake = make_app(crew=open_crew(*(None for _ in dies_at)), delay=0.0)
        job = start(app, steps=4)
        last(app, job)
        for worker, number in zip(app.crew.idle, dies_at, strict=True):
            worker.told, worker.dies_at = 0, number
        return app, fake, [one.worker._context.backend.engine() for one in app.crew.idle], job.id

    return make


def test_a_student_is_trained_there_and_kept_here(crewed):
    app, fake, (engine,), key = crewed(None)
    network = trained(engine)
    seen = list(live_steps(app, key, [key], threading.Event()))
    assert "Live" in seen[-1][1] and "distil Joker" not in fake.log and engine.log[-2:] == ["distil Joker", "distil close"]
    shares = [progress.fraction for progress, _ in seen if progress.kind == "run"]
    assert shares == sorted(shares) and len(shares) == 13 and "left" in seen[5][0].left
    (student,) = fake.students.kept
    assert student.card.prompt == "Joker" and student.card.steps == 7
    for name, value in network.state_dict().items():
        assert torch.equal(student.network.state_dict()[name], value.half().float())
    assert app.crew.idle[0].worker._work is None


@pytest.mark.heavy
def test_stop_keeps_what_was_learnt(crewed):
    app, fake, (engine,), key = crewed(None)
    trained(engine)
    engine.hold_at = 7
    stop, seen = threading.Event(), []
    for progress, words in live_steps(app, key, [key], stop):
        seen.append(words)
        if progress.fraction > 0.5:
            stop.set()
    assert "Stopped early" in seen[-1] and len(fake.students.kept) == 1 and "distil Joker" not in fake.log


def test_stop_before_anything_was_learnt(crewed):
    app, fake, (engine,), key = crewed(None)
    trained(engine)
    engine.hold_at = 2
    stop, seen = threading.Event(), []
    for progress, words in live_steps(app, key, [key], stop):
        seen.append(words)
        if progress.kind == "run":
            stop.set()
    assert "begins again" in seen[-1] and not fake.students.kept and "distil Joker" not in fake.log


def test_another_worker_begins_again_and_then_the_app_itself(crewed):
    app, fake, engines, key = crewed(6, 3)
    for engine in (*engines, fake):
        trained(engine)
    seen = [progress.headline for progress, _ in live_steps(app, key, [key], threading.Event())]
    assert "Moved to another machine" in seen and any(words.startswith("Moved to another machine, ") for words in seen)
    assert [engine.log[-2:] for engine in (*engines, fake)] == [["distil Joker", "distil close"]] * 3
    assert len(fake.students.kept) == 1 and len(app.crew.lost) == 2


def test_without_an_idle_worker_the_app_does_it(crewed):
    app, fake, (engine,), key = crewed(None)
    app.crew.take(1.0)
    assert "Live" in list(live_steps(app, key, [key], threading.Event()))[-1][1]
    assert fake.log[-2:] == ["distil Joker", "distil close"] and "distil Joker" not in engine.log
