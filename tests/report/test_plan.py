"""What the report runs, and training on a fixed pool of latents, which it needs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from nada_core.adaptation.latent_edit import LatentOptions
from nada_core.adaptation.options import AdaptOptions, resolve_options
from nada_core.adaptation.training_inputs import training_pool
from nada_core.errors import OptionsError
from nada_core.looks.prompts import SOURCE_PROMPTS
from nada_core.report import command
from nada_core.report.plan import SAMPLES, make_plan
from tests.helpers.fake_laboratory import Laboratory


def test_the_plan_is_the_sources_experiment():
    plan = make_plan("starter", lambda prompt: 1e-3)
    assert (plan.half, plan.steps, plan.fitted, len(plan.runs)) == (100, 200, True, 11)
    assert [run.prompt for run in plan.runs[:5]] == list(SOURCE_PROMPTS) and {run.prompt for run in plan.runs[5:]} == {"Joker"}
    base = plan.runs[0].options
    assert (base.lr, base.batch, base.layers, base.latent_pool, len(base.preview_seeds)) == (1e-3, 2, "all", None, 4)
    differing = [{name for name in vars(base) if getattr(run.options, name) != getattr(base, name)} for run in plan.runs]
    assert differing == [set()] * 5 + [{"layers"}] + [{"latent_pool"}] * 3 + [{"lr"}] * 2, "one factor at a time"
    assert [run.options.latent_pool for run in plan.runs[6:9]] == [1, 2, 4]
    assert [run.options.lr for run in plan.runs[9:]] == pytest.approx([1e-3 / 3, 3e-3])
    assert all(plan.half in run.probes and run.probes[-1] == plan.steps for run in plan.runs)
    assert len({run.name for run in plan.runs}) == 11


def test_quick_is_short_and_still_whole():
    plan = make_plan("starter", lambda prompt: 1e-3, quick=True)
    assert sum(run.options.steps for run in plan.runs) <= 300, "two cores need 0.65 s a step, and 6 minutes are allowed"
    assert plan.faces == SAMPLES and len(make_plan("starter", lambda prompt: 1e-3).faces) == 8
    assert {run.prompt for run in plan.runs} == set(SOURCE_PROMPTS) and not plan.fitted


@pytest.mark.parametrize(("quick", "steps"), [(False, 200), (True, 28)])
def test_latents_move_as_long_as_generators_adapt(quick, steps):
    plan = make_plan("starter", lambda prompt: 1e-3, quick=quick, seed=6)
    assert plan.latent.options == LatentOptions(steps=steps, seed=6), "all else is StyleCLIP's own"
    against = next(run for run in plan.runs if run.name == plan.latent.against)
    assert (against.prompt, against.changed, against.options.steps) == (plan.latent.prompt, "", steps)
    assert plan.latent.name not in {run.name for run in plan.runs}
    json.dumps(plan.latent.settings(), allow_nan=False)


def test_the_rates_of_both_worlds():
    laboratory = Laboratory()
    assert command.baseline_rate(laboratory, "Joker") == resolve_options(AdaptOptions(), "mobile_stylegan", looks=False).lr
    laboratory.world = "full"
    assert command.baseline_rate(laboratory, "Joker") == 2e-3


# -- training on a fixed pool


def test_pool_of_latents():
    options = AdaptOptions(latent_pool=2, seed=4)
    pool = training_pool(options, 16)
    assert pool.shape == (2, 16) and torch.equal(pool, training_pool(options, 16))
    assert not torch.equal(pool, training_pool(replace(options, seed=5), 16))
    assert training_pool(AdaptOptions(), 16) is None


def test_a_run_with_a_pool_sees_nothing_else():
    laboratory, seen = Laboratory(), []
    mapping = laboratory.generator.mapping

    def watched(z, *rest):
        if len(z) == 2:  # four are previews
            seen.append(z)
        return mapping(z, *rest)

    laboratory.generator.mapping = watched
    options = AdaptOptions(steps=6, latent_pool=2, seed=4, preview_seconds=1e9)
    pool = training_pool(options, 16)
    assert len(list(laboratory.adapt("Joker", options))) == len(seen) == 6
    assert {tuple(row.tolist()) for z in seen for row in z} == {tuple(row.tolist()) for row in pool}


@pytest.mark.parametrize("value", [0, -1, 2.5, True, 10**9, "two"])
def test_bad_pools_are_refused(value):
    with pytest.raises(OptionsError, match="latent_pool is"):
        resolve_options(AdaptOptions(latent_pool=value), "mobile_stylegan")
