"""The adaptation loop on the real starter weights: short runs for what the loop promises, and three full ones that look at pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
import torch

from nada_core.adaptation.loop import AdaptationStep, AdaptOptions, next_previews, preview_images, resolve_options
from nada_core.adaptation.options import own_steps
from nada_core.errors import OptionsError, PromptError
from nada_core.styles.files import Style, load_style, save_style, styled

QUICK = AdaptOptions(steps=2, batch=1, preview_seeds=(3,), preview_seconds=0.0, crops=1)


def last_of(steps):
    step = None
    for step in steps:  # noqa: B007 (the last one is wanted)
        pass
    return step


@dataclass(frozen=True)
class Run:
    """One short run, for all that is asked of any."""

    base_before: str
    steps: list[AdaptationStep]
    style: Style
    base_after: str


@pytest.fixture(scope="module")
def run(engine) -> Run:
    before = engine.generator.content_hash()
    steps = list(engine.adapt("Joker", options=QUICK))
    return Run(before, steps, steps[-1].style(), engine.generator.content_hash())


def test_steps_tell_where_the_run_is(run):
    steps = run.steps
    assert [s.index for s in steps] == [1, 2] and steps[0].steps == 2
    assert all(math.isfinite(s.loss) and s.previews.shape == (1, 3, 256, 256) for s in steps)
    assert steps[0].seconds < steps[1].seconds and steps[1].eta == 0


def test_same_seed_same_weights_other_seed_other_weights(engine, run):
    """Whether anybody looks on or not."""
    first, seeds = run.style, (QUICK.seed, QUICK.seed + 1)
    second, third = (last_of(engine.adapt("Joker", options=replace(QUICK, seed=s, preview_seconds=math.inf))).style() for s in seeds)
    assert all(torch.equal(first.tensors[n], second.tensors[n]) for n in first.tensors)
    assert any(not torch.equal(first.tensors[n], third.tensors[n]) for n in first.tensors)


def test_base_stays_as_it_was(run):
    assert run.base_after == run.base_before


def test_stopping_after_any_step_leaves_a_usable_style(engine, tmp_path):
    run = engine.adapt("Joker", options=replace(QUICK, steps=50))
    step = next(run)
    style = step.style("early")
    run.close()
    assert style.card.steps == 1 and style.card.prompt == "Joker" and style.card.base_hash == engine.generator.content_hash()
    assert engine.sample([1], load_style(save_style(style, tmp_path / "early.safetensors"))).shape == (1, 3, 256, 256)


def test_saved_style_renders_the_preview_again_exactly(engine, run, tmp_path):
    generator = styled(engine.generator, load_style(save_style(run.style, tmp_path / "joker.safetensors")))
    again = preview_images(generator, resolve_options(QUICK, generator.family))
    torch.testing.assert_close(again, run.steps[-1].previews, rtol=0, atol=0)


def test_layers_limit_what_changes(engine):
    style = last_of(engine.adapt("Joker", options=replace(QUICK, layers="colour"))).style()
    assert set(style.tensors) == set(engine.generator.adaptable("colour"))


def test_divergence_goes_back_and_says_so(engine):
    """A rate far too high: the loop must notice, return to good weights, and end with finite pictures."""
    options = replace(QUICK, steps=6, lr=0.1, layer_rates=(1.0, 1.0, 1.0), warmup=0, max_gradient=1e9)
    steps = list(engine.adapt("Joker", options=options))
    assert any("diverged" in s.note for s in steps)
    assert torch.isfinite(steps[-1].previews).all()
    assert all(torch.isfinite(t).all() for t in steps[-1].style().tensors.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps is 0; it must be between 1 and 2000"),
        ({"steps": -5}, "steps is -5"),
        ({"steps": 10**6}, "between 1 and 2000"),
        ({"batch": 0}, "batch"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": 5.0}, "lr is 5"),
        ({"layers": "hair"}, "layers is 'hair'"),
        ({"preview_seeds": ()}, "0 preview faces"),
    ],
)
def test_bad_options_are_refused_at_once(engine, options, message):
    with pytest.raises(OptionsError, match=message):
        engine.adapt("Joker", options=AdaptOptions(**options))


@pytest.mark.parametrize("prompt", ["", "x" * 10_000, "🤡", "<b>boo</b>", "no beard", "Джокер"])
def test_bad_prompts_are_refused_before_any_work(engine, prompt):
    with pytest.raises(PromptError):
        engine.adapt(prompt)


def test_source_equal_to_target_is_refused(engine):
    with pytest.raises(PromptError, match="means the same"):
        engine.adapt("Joker", options=AdaptOptions(source="the Joker"))


@pytest.mark.slow
def test_pictures_can_stand_in_for_the_text(engine):
    """Pictures of green faces: the prompt is only their name, and skin moves towards green."""
    import numpy as np

    plain = engine.sample([61, 62])
    green = plain * torch.tensor([0.35, 0.9, 0.35])[None, :, None, None] + torch.tensor([-0.5, 0.0, -0.5])[None, :, None, None]
    pictures = [np.asarray(((g.clamp(-1, 1) + 1) * 127.5).byte().permute(1, 2, 0)) for g in green]
    step = last_of(engine.adapt("my own green", options=replace(QUICK, steps=10, lr=8e-4, preview_seconds=math.inf), images=pictures))
    before = engine.preview_originals(QUICK)
    moved = (step.previews - before)[:, :, 100:200, 80:176].mean((0, 2, 3))
    assert moved[1] > moved[0] + 0.05 and moved[1] > moved[2] + 0.05
    with pytest.raises(OptionsError, match="17 target pictures"):
        engine.adapt("too many", options=QUICK, images=pictures * 8 + pictures[:1])


@pytest.fixture(scope="module")
def faces(engine):
    from tests.whole.gates.faces import SWEEP, unseen_faces

    seeds, psi = SWEEP[0]
    return unseen_faces(engine, seeds[:6], psi)


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["Joker", "Joker smile", pytest.param("green hair", marks=pytest.mark.gates)])
def test_live_adaptation_passes_its_gates(engine, faces, prompt):
    """The app's options, real weights, unseen faces, independent measurements."""
    from nada_core.alignment.ffhq import FaceRecogniser
    from tests.whole.gates.sweep import measure_style

    step = last_of(engine.adapt(prompt, own_steps(engine.generator.family), options=AdaptOptions(preview_seconds=float("inf"))))
    result = measure_style(engine, prompt, prompt, step.style(), faces, recogniser=FaceRecogniser())
    assert not result.failures, [str(f) for f in result.failures]


@pytest.mark.parametrize(
    ("pause", "took", "due"),
    [
        (1.2, 0.1, 1.2),  # a fast machine: the pause that was asked for
        (1.2, 0.8, 4.0),  # a slow one: a fifth of the time goes into previews
        (0.0, 0.8, 0.0),  # after every step
        (math.inf, 0.1, math.inf),
    ],
)
def test_previews_take_a_fifth_of_the_time_at_most(pause, took, due):
    assert next_previews(pause, 100.0, 100.0 + took) - (100.0 + took) == pytest.approx(due)
