"""The page of an app with workers: its foot names them; one without has no such line."""

from __future__ import annotations

import pytest

from nada_core.ui import build_app
from nada_core.ui.html.text import workers_line
from nada_core.ui.jobs.crew import WorkerFacts
from tests.helpers.apps import components
from tests.helpers.fake_engine import FakeEngine, fake_backend


class Crew:
    size = 3

    def adapt(self, context, ticket, device=None):
        raise AssertionError("nothing is adapted here")

    def report(self):
        return [WorkerFacts("Worker 1", "box", "cpu", "adapting"), WorkerFacts("Worker 2"), WorkerFacts("Worker 3", doing="<b>refused</b>")]


@pytest.mark.heavy
def test_the_foot_names_the_workers(tmp_path):
    crew = Crew()
    demo = build_app(backend=fake_backend(FakeEngine(), tmp_path), crew=crew)
    shown = components(demo)["workers"].value
    assert "3 workers compute the adaptations" in shown and "Worker 1 on box (cpu): adapting" in shown and "Worker 2: starting" in shown
    assert "<b>refused" not in shown
    assert demo.context.jobs.limits.waiting == 1000
    demo.context.shutdown()


@pytest.mark.heavy
def test_without_workers_there_is_none(tmp_path):
    demo = build_app(backend=fake_backend(FakeEngine(), tmp_path))
    assert "workers" not in components(demo)
    demo.context.shutdown()


def test_what_is_said_of_one_worker_is_a_sentence():
    assert workers_line([]).count("<li>") == 0
    facts = WorkerFacts("Worker 1", "box", "cuda:0", "idle")
    assert facts.sentence() == "Worker 1 on box (cuda:0): idle" and facts.sentence(public=True) == "Worker 1 (cuda:0): idle"


def test_strangers_are_not_told_about_machines():
    assert WorkerFacts("Worker 2", doing="The worker on box has version 3").sentence(public=True) == "Worker 2: not in use"
