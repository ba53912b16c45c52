"""The steps a run saves: which, what is drawn for them, which one is suggested."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nada_core.ui.jobs.suggest_step import StepRecord, measure, suggest_step, suggestion
from nada_core.ui.tabs.adapt.other_strengths import choose_step
from nada_core.ui.tabs.adapt.step_recorder import planned_steps
from tests.helpers.adapting import last, start
from tests.helpers.fake_engine import FakeEngine, draw_face, tint


def test_saved_steps_are_spread_over_the_run():
    assert (
        planned_steps(60) == (8, 15, 22, 30, 38, 45, 52, 60)
        and planned_steps(12) == (4, 8, 12)
        and planned_steps(3) == (3,)
        and planned_steps(1) == (1,)
    )
    assert planned_steps(2000)[-1] == 2000 and len(planned_steps(2000)) == 8


@pytest.mark.heavy
def test_the_steps_of_a_run_can_be_looked_at_and_worn(make_app):
    app, _ = make_app()
    job = start(app, "Neon", steps=40)
    saved = last(app, job).saved
    steps = [one.step for one in saved]
    assert len(saved) == 8 and steps == sorted(steps) and steps[-1] == 40 and app.shelf.get(job.id, [job.id]).steps == 40
    assert all(len(one.pictures) == 4 and all(Path(file).exists() for file in one.pictures) for one in saved)
    assert choose_step(app, job.id, [], 10) is None and choose_step(app, "forged", ["forged"], 10) is None
    chosen = choose_step(app, job.id, [job.id], steps[2] + 0.4)
    entry = app.shelf.get(job.id, [job.id])
    assert chosen.step == steps[2] == entry.steps == entry.style.card.steps and entry.prompt == "Neon"
    best = choose_step(app, job.id, [job.id], -1).step
    assert best == suggest_step([one.record for one in saved]) == app.shelf.get(job.id, [job.id]).steps
    assert choose_step(app, job.id, [job.id], 40).step == app.shelf.get(job.id, [job.id]).steps == 40


@pytest.mark.heavy
def test_a_step_without_previews_is_drawn_when_it_is_due(make_app, monkeypatch):
    app, engine = make_app()
    steps = FakeEngine._steps

    def sparse(self, prompt, options, *more):  # a fast device: previews at the two ends only
        for step in steps(self, prompt, options, *more):
            yield step if step.index in (1, options.steps) else replace(step, previews=None)

    monkeypatch.setattr(FakeEngine, "_steps", sparse)
    job = start(app, steps=40)
    saved = last(app, job).saved
    assert len(saved) == 8 and sum(entry.startswith("sample") for entry in engine.log) == 7
    assert all(abs(one.step - due) <= 3 for one, due in zip(saved, planned_steps(40)))


def test_the_suggested_step_is_strong_and_keeps_the_people():
    assert suggest_step([]) == 0 and suggestion([]) == ""
    growing = [StepRecord(step, step / 60) for step in (15, 30, 45, 60)]
    assert suggest_step(growing) == 60 and "to the end" in suggestion(growing)
    flat = [StepRecord(15, 0.4), StepRecord(30, 0.7), StepRecord(45, 0.705), StepRecord(60, 0.706)]
    assert suggest_step(flat) == 30 and "almost nothing" in suggestion(flat)
    collapse = [StepRecord(15, 0.4), StepRecord(30, 0.6), StepRecord(45, 0.65, 0.5), StepRecord(60, 0.7, 0.2)]
    assert suggest_step(collapse) == 30 and "alike" in suggestion(collapse)
    lost = [StepRecord(30, 0.6, 1.0, 0.3), StepRecord(60, 0.65, 1.0, 0.9)]
    assert suggest_step(lost) == 30 and "lost" in suggestion(lost)
    assert suggest_step([StepRecord(1, float("nan")), StepRecord(2, float("nan"))]) == 2


def test_diversity_and_distance_are_measured_on_shapes(tmp_path):
    def write(stem, pictures):
        files = [tmp_path / f"{stem}-{number}.png" for number in range(len(pictures))]
        for file, picture in zip(files, pictures):
            picture.save(file)
        return files

    faces = [draw_face(seed) for seed in range(4)]
    originals = write("before", faces)
    assert measure(originals, originals) == pytest.approx((1, 0), abs=1e-6)
    diversity, moved = measure(originals, write("tinted", [tint(face, "Joker", 0.5) for face in faces]))
    assert diversity == pytest.approx(1, abs=0.15) and moved < 0.05  # paint changes neither
    diversity, moved = measure(originals, write("same", [faces[0]] * 4))
    assert diversity == pytest.approx(0, abs=1e-6) and moved > 0.3
    diversity, moved = measure(originals, write("others", faces[1:] + faces[:1]))
    assert diversity == pytest.approx(1, abs=1e-6) and moved == pytest.approx(1, abs=0.35)
    assert measure(originals[:1], originals[:1]) == (1.0, 0.0)
