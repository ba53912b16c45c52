"""What is offered when a run is over: the style weaker and stronger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from nada_core.errors import NadaError, OptionsError
from nada_core.styles.files import styled
from nada_core.styles.mixing import Strength, apply_mix, scaled_style, style_delta
from nada_core.ui import build_app
from nada_core.ui.style_menu.choices import OWN
from nada_core.ui.tabs.adapt.other_strengths import choose_step, faces_at
from tests.helpers.adapting import last, pressed, start
from tests.helpers.apps import handlers, named
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.small_adaptations import small_mobile

pytestmark = pytest.mark.heavy


def test_the_strength_of_what_was_just_made(make_app):
    app, engine = make_app()
    job = start(app, steps=40)
    view = last(app, job)
    assert faces_at(app, job.id, [], 0.5) is None  # somebody else's
    assert faces_at(app, job.id, [job.id], 1) == view.saved[-1].pictures  # they exist already
    count = len(engine.log)
    weaker = faces_at(app, job.id, [job.id], 0.5)
    assert len(weaker) == 4 and all(Path(file).parent == job.folder.pictures for file in weaker) and weaker != view.saved[-1].pictures
    assert faces_at(app, job.id, [job.id], 0.5) == weaker and len(engine.log) == count + 1  # drawn once
    before, now, full = (np.asarray(Image.open(files[0]), float) for files in (view.originals, weaker, view.saved[-1].pictures))
    assert 0.2 < np.abs(now - before).mean() / np.abs(full - before).mean() < 0.8
    choose_step(app, job.id, [job.id], 5)
    assert faces_at(app, job.id, [job.id], 0.5) != weaker  # of the chosen step
    for strength in (-0.1, 1.31, float("nan")):
        with pytest.raises(OptionsError):
            faces_at(app, job.id, [job.id], strength)
    with app.line.join() as turn:
        assert turn.wait(0)
        with pytest.raises(NadaError, match="busy"):
            faces_at(app, job.id, [job.id], 0.3)


def test_a_run_led_by_a_photo_has_no_strength_here(make_app, monkeypatch):
    app, _ = make_app()
    job = start(app, steps=4)
    last(app, job)
    job.request = replace(job.request, photo="key")
    assert faces_at(app, job.id, [job.id], 0.5) is None


def test_what_is_looked_at_is_what_is_worn_and_not_twice_as_weak(tmp_path):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0), tmp_path / "jobs"))
    app, page = demo.context, handlers(demo)
    app.open()
    job = start(app, steps=40)
    last(app, job)
    mine = (job.id, [job.id])
    shown = named(page["restrength"](0.5, *mine))
    assert "Strength 0.50" in shown["scrub-words"] and shown["save"]["interactive"] and Path(shown["after-0"]).exists()
    stored = named(page["store"](*mine, "weak", 0.5))
    assert stored["style"]["value"] == "weak"
    worn = named(page["wear"](*mine))
    assert worn["style"]["value"] == OWN + job.id  # to be worn at 0.5, not the saved half of it
    picked = named(page["pick_step"](5, *mine))
    assert picked["made-strength"] == 1.0 and page["snap"](7, *mine) in {saved.step for saved in job.view.saved}
    assert "style" not in named(page["wear"]("forged", []))
    app.shutdown()


def test_a_download_waits_for_the_generator_and_failures_give_the_button_back(tmp_path, monkeypatch):
    engine = FakeEngine(delay=0.0)
    demo = build_app(backend=fake_backend(engine, tmp_path / "jobs"))
    app, export = demo.context, handlers(demo)["export"]
    job = start(app, steps=4)
    last(app, job)
    with app.line.join() as turn:
        assert turn.wait(0)
        waiting = export(job.id, [job.id])
        assert [named(next(waiting))["fetch-style"]["value"] for _ in range(3)] == ["Packing…"] * 3
    *_, end = waiting
    assert named(end)["style-file"] and named(end)["fetch-style"]["interactive"] and len(app.line) == 0

    def full(*_):
        raise OSError(28, "No space left on device: /secret")

    monkeypatch.setattr(engine, "export_style", full)
    told = []
    with pytest.raises(gr.Error, match="Something went wrong") as refused:
        told += export(job.id, [job.id])
    assert "secret" not in str(refused.value) and len(app.line) == 0
    app.shutdown()


def test_a_refused_prompt_leaves_what_was_made_as_it_is(tmp_path):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0), tmp_path / "jobs"))
    demo.context.open()
    (update,) = map(named, handlers(demo)["adapt"](None, **pressed("No such look", steps=40)))
    assert "does not know" in update["adapt-notice"] and "Not started" in update["adapt-progress"]
    assert not {"save", "fetch-style", "wear", "step", "made-strength"} & set(update) and update["adapt"]["interactive"]


def test_a_scaled_style_is_the_style_applied_at_that_strength(tmp_path):
    from nada_core.styles.files import Style, StyleCard

    base = small_mobile()
    rng = torch.Generator().manual_seed(0)
    values = {name: value + 0.1 * torch.randn(value.shape, generator=rng) for name, value in base.named_parameters()}
    style = Style(
        StyleCard("a", "a", base=base.family, base_hash=base.content_hash()), {name: value.detach() for name, value in values.items()}
    )
    half = styled(base, scaled_style(style, base, 0.5), base.content_hash())
    mixed = apply_mix(small_mobile(), base, [(style_delta(style, base), 1.0)], Strength.even(0.5))
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(half.parameters(), mixed.parameters(), strict=True))
    assert any(not torch.allclose(a, b, atol=1e-3) for a, b in zip(half.parameters(), base.parameters(), strict=True))
    with pytest.raises(OptionsError):
        scaled_style(style, base, 1.6)
