"""Resuming: a run that was cut in two is the same run bit for bit, wherever it was cut."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from nada_core.adaptation import training_run
from nada_core.adaptation.loop import adapt
from nada_core.adaptation.resume import load_training, save_training, training_bytes, training_parts
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.errors import ResumeError
from tests.helpers.small_adaptations import (
    SMALL,
    ReadingEncoder,
    StandInEncoder,
    facts,
    last_of,
    run_until,
    same_tensors,
    small_options,
)

pytestmark = pytest.mark.heavy


#: Settings that keep state of different kinds.
SETTINGS = {
    "plain": {},
    "averaged": {"average": 0.9, "warmup": 4, "global_weight": 0.2, "crops": 2},
    "mixed pool": {"mixing": 0.5, "latent_pool": 3, "layers": "default"},
    "adaptive": {"adaptive_layers": 2, "adaptive_batch": 2, "adaptive_steps": 2, "betas": (0.5, 0.99)},
    "all losses": {"manifold_weight": 0.5, "patch_weight": 0.5, "global_weight": 0.1},
    "fresh noise": {"noise": "random", "mixing": 0.5, "crops": 1},
    "half precision": {"precision": "bfloat16", "average": 0.9},
    "unlimited": {"max_gradient": math.inf, "average": 0.0},
}


@pytest.fixture(scope="module")
def encoder():
    return ReadingEncoder()


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_run_cut_in_two_is_the_same_run(base, encoder, setting, tmp_path):
    options = small_options(base, **SETTINGS[setting])
    whole = list(adapt(base, encoder, "Joker", options))
    whole_state, whole_style = whole[-1].checkpoint(), whole[-1].style()
    first = run_until(3, adapt(base, encoder, "Joker", options))
    state = load_training(save_training(tmp_path / "training.safetensors", first.checkpoint()))
    torch.manual_seed(99)  # nothing may hang on the global random numbers
    rest = list(adapt(base, encoder, "Joker", options, resume=state))
    assert [facts(step) for step in rest] == [facts(step) for step in whole[3:]]
    assert all(torch.equal(one.previews, other.previews) for one, other in zip(rest, whole[3:], strict=True))
    assert same_tensors(rest[-1].style().tensors, whole_style.tensors)
    last = rest[-1].checkpoint()
    assert same_tensors(last.tensors, whole_state.tensors)
    assert replace(last, seconds=0, tensors={}) == replace(whole_state, seconds=0, tensors={})
    assert not same_tensors(whole_style.tensors, first.style().tensors), "steps four to six must change something, or nothing is shown"


class Failing(StandInEncoder):
    """Gives no numbers in some steps of a run, which then goes back to the weights kept at step ten."""

    def __init__(self, steps: set[int], first: int = 1) -> None:
        super().__init__()
        self.steps, self.step = steps, first

    def encode_image(self, images):
        embeddings = super().encode_image(images)
        if images.requires_grad:
            embeddings = embeddings * (math.nan if self.step in self.steps else 1.0)
            self.step += 1
        return embeddings


def test_kept_weights_and_the_halved_rate_come_back(base, tmp_path):
    """A run that diverges before the cut and after it, when it needs weights that were kept before the cut."""
    options, failing = small_options(base, steps=18, preview_seconds=math.inf), {6, 14, 15}
    whole = list(adapt(base, Failing(failing), "Joker", options))
    assert {step.index for step in whole if step.note} == failing
    first = run_until(12, adapt(base, Failing(failing), "Joker", options))
    state = load_training(save_training(tmp_path / "training.safetensors", first.checkpoint()))
    assert not torch.equal(state.of_kind("good")[name := base.adaptable()[0]], base.get_parameter(name))
    rest = list(adapt(base, Failing(failing, 13), "Joker", options, resume=state))
    assert [repr(facts(step)) for step in rest] == [repr(facts(step)) for step in whole[12:]]  # as texts: NaN equals nothing
    assert same_tensors(rest[-1].checkpoint().tensors, whole[-1].checkpoint().tensors)
    assert rest[-1].checkpoint().lr == whole[-1].checkpoint().lr == state.lr / 4


def test_an_ensemble_and_target_pictures_resume(base, tmp_path):
    encoder = EncoderEnsemble([StandInEncoder("one"), StandInEncoder("two", 7)], [1.0, 0.5])
    pictures = [torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(i)) * 2 - 1 for i in range(2)]
    options = small_options(base, steps=4)
    whole = list(adapt(base, encoder, "mine", options, pictures))
    state = run_until(2, adapt(base, encoder, "mine", options, pictures)).checkpoint()
    rest = list(adapt(base, encoder, "mine", options, pictures, resume=state))
    assert [facts(step) for step in rest] == [facts(step) for step in whole[2:]]
    for others in (None, pictures[::-1], pictures[:1]):
        with pytest.raises(ResumeError, match="other target pictures"):
            adapt(base, encoder, "mine", options, others, resume=state)


def test_a_finished_run_goes_on_with_more_steps_and_its_own_options():
    base, encoder = SMALL["stylegan2"](), StandInEncoder()
    options = small_options(base, steps=3, seed=8)
    whole = last_of(adapt(base, encoder, "Joker", replace(options, steps=6)))
    state = last_of(adapt(base, encoder, "Joker", options)).checkpoint()
    longer = last_of(adapt(base, encoder, "Joker", replace(state.options, steps=6), resume=state))
    assert facts(longer) == facts(whole) and same_tensors(longer.style().tensors, whole.style().tensors)
    with pytest.raises(ResumeError, match="has 3 steps already; 3 are asked for"):
        adapt(base, encoder, "Joker", resume=state)
    earlier = run_until(2, adapt(base, encoder, "Joker", options)).checkpoint()
    assert last_of(adapt(base, encoder, "Joker", resume=earlier)).steps == 3


def test_time_spent_counts_on(base, encoder):
    state = replace(next(adapt(base, encoder, "Joker", small_options(base))).checkpoint(), seconds=500.0)
    step = next(adapt(base, encoder, "Joker", small_options(base), resume=state))
    assert 500 < step.seconds < 560 and step.index == 2 and step.eta == pytest.approx(step.seconds / 2 * 4)


def test_what_leaves_uncopied_is_the_same_file_and_the_run_s_own_memory(base, encoder):
    steps = adapt(base, encoder, "Joker", small_options(base))
    next(steps)
    step = next(steps)
    whole, parts = training_bytes(step.checkpoint()), training_parts(step.checkpoint(copied=False))
    assert b"".join(parts) == whole
    next(steps)
    assert b"".join(parts) != whole  # the next step writes over it


def test_only_the_latest_step_has_a_checkpoint(base, encoder):
    run = adapt(base, encoder, "Joker", small_options(base))
    early = next(run)
    next(run)
    with pytest.raises(ResumeError, match="is at step 2 already, past step 1"):
        early.checkpoint()


@pytest.mark.parametrize("where", ["encoder", "losses"])
def test_an_interruption_before_the_weights_change_loses_nothing(base, encoder, monkeypatch, where):
    """The step's random numbers were drawn already; the resumed run must draw them again."""
    options = small_options(base, crops=1, mixing=0.5)
    whole = list(adapt(base, encoder, "Joker", options))

    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    run = adapt(base, encoder, "Joker", options)
    step = run_until(3, run)
    with monkeypatch.context() as patch:
        patch.setattr(*((type(encoder), "encode_image") if where == "encoder" else (torch.Tensor, "backward")), interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(run)
    rest = list(adapt(base, encoder, "Joker", options, resume=step.checkpoint()))
    assert [facts(s) for s in rest] == [facts(s) for s in whole[3:]]


def test_an_interruption_while_the_weights_change_is_refused(base, encoder, monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt

    run = adapt(base, encoder, "Joker", small_options(base))
    step = next(run)
    monkeypatch.setattr(training_run.TrainingRun, "track", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(run)
    with pytest.raises(ResumeError, match="while the weights were being changed"):
        step.checkpoint()
