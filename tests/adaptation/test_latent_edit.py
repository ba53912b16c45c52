"""Moving a latent towards a text, on random generators of both families and a stand-in encoder."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.adaptation.latent_edit import LatentOptions, LatentStep, edit_latent, ramp
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.errors import OptionsError, PromptError
from nada_core.generators.base import Generator
from nada_core.inversion.base import Inversion
from nada_core.losses import GlobalLoss
from tests.helpers.small_adaptations import SMALL, StandInEncoder, small_mobile, small_stylegan2


@pytest.fixture(params=SMALL)
def base(request):
    return SMALL[request.param]()


@pytest.fixture
def encoder():
    return StandInEncoder()


def quick(base, **values) -> LatentOptions:
    return LatentOptions(**({"steps": 20, "resolution": base.resolutions[0], "precision": "float32"} | values))


def face(base, seed: int = 5) -> Inversion:
    with torch.no_grad():
        return Inversion(base.mapping(base.sample_z([seed]), 0.7))


def recogniser(images):
    """Four numbers that gradients flow through."""
    return F.adaptive_avg_pool2d(images, 2).flatten(1) + 0.5


@dataclass(frozen=True)
class Run:
    """A whole run, with what was given to it and copies of that."""

    base: Generator
    inversion: Inversion
    start: Tensor
    base_hash: str
    options: LatentOptions
    steps: list[LatentStep]


@pytest.fixture(scope="module", params=SMALL)
def run(request) -> Run:
    base = SMALL[request.param]()
    inversion, options = face(base), quick(base, l2_weight=0.02)
    start, base_hash = inversion.ws.clone(), base.content_hash()
    return Run(base, inversion, start, base_hash, options, list(edit_latent(base, StandInEncoder(), "Joker", inversion, options)))


def test_the_text_comes_nearer_and_nothing_that_was_given_changes(run):
    steps = run.steps
    assert [step.index for step in steps] == list(range(21)) and {step.steps for step in steps} == {20}
    assert steps[-1].loss < steps[0].loss - 0.02 and steps[-1].text < steps[0].text
    assert torch.equal(run.inversion.ws, run.start) and run.base.content_hash() == run.base_hash
    assert all(parameter.grad is None for parameter in run.base.parameters())


def test_a_state_is_one_latent_with_its_picture_and_numbers(run, encoder):
    base, inversion, options, steps = run.base, run.inversion, run.options, run.steps
    first, last = steps[0], steps[-1]
    assert torch.equal(first.ws, inversion.ws) and first.moved == 0 and first.loss == first.text
    for step in (first, steps[7], last):
        image = base.synthesis(step.ws, resolution=options.resolution)
        assert torch.allclose(step.image, image, atol=1e-5)
        assert step.moved == pytest.approx((step.ws - inversion.ws).pow(2).sum().item(), rel=1e-5)
        assert step.text == pytest.approx(GlobalLoss(encoder, "Joker")(image.clamp(-1.15, 1.15)).item(), abs=1e-5)
        assert step.loss == pytest.approx(step.text + 0.02 * step.moved, abs=1e-5)
    assert not torch.equal(last.ws[0, 0] - inversion.ws[0, 0], last.ws[0, -1] - inversion.ws[0, -1]), (
        "each layer's codes move by themselves"
    )


@pytest.mark.heavy
def test_a_heavier_weight_keeps_it_nearer(base, encoder):
    options = [quick(base, steps=12, l2_weight=weight) for weight in (0.0, 0.1, 5.0)]
    moved = [list(edit_latent(base, encoder, "Joker", face(base), one))[-1].moved for one in options]
    assert moved[0] > 1.5 * moved[1] > 3 * moved[2] > 0


def test_the_same_again(base, encoder):
    def last(**values):
        return list(edit_latent(base, encoder, "Joker", face(base), quick(base, steps=4, crops=2, **values)))[-1]

    one, other = last(), last()
    assert torch.equal(one.ws, other.ws) and one.loss == other.loss
    assert not torch.equal(one.ws, last(seed=1).ws), "the seed decides the crops"


def test_an_inversions_offsets_stay_while_the_latent_moves(base, encoder):
    inversion = face(base)
    name = base.adaptable()[-1]
    tuned = Inversion(inversion.ws, {name: torch.full_like(dict(base.named_parameters())[name], 0.2)})
    plain, steps = (list(edit_latent(base, encoder, "Joker", start, quick(base, steps=4))) for start in (inversion, tuned))
    assert not torch.allclose(plain[0].image, steps[0].image, atol=1e-4)
    dict(base.named_parameters())[name].data.add_(0.2)
    for step in (steps[0], steps[-1]):
        assert torch.allclose(step.image, base.synthesis(step.ws, resolution=base.resolutions[0]), atol=1e-5)


def test_a_recogniser_guides_only_where_it_is_given(base, encoder):
    seen = []

    def watched(images):
        seen.append(tuple(images.shape))
        return recogniser(images)

    options = quick(base, steps=12, identity_weight=20.0)
    plain = list(edit_latent(base, encoder, "Joker", face(base), options))
    assert seen == [] and {step.identity for step in plain} == {None}
    steps = list(edit_latent(base, encoder, "Joker", face(base), options, identity=watched))
    side = base.resolutions[0]
    assert seen == [(1, 3, side, side)] * 13
    assert steps[0].identity == pytest.approx(0, abs=1e-6)
    assert steps[-1].loss == pytest.approx(steps[-1].text + 0.008 * steps[-1].moved + 20 * steps[-1].identity, abs=1e-5)
    start, unguided = recogniser(steps[0].image), recogniser(plain[-1].image)
    assert steps[-1].identity < 0.5 * (1 - F.cosine_similarity(start, unguided).item())


def test_a_recogniser_without_gradients_is_refused(base, encoder):
    for blind in (lambda images: recogniser(images).detach(), lambda images: [0.0] * 128):
        with pytest.raises(OptionsError, match="gives no gradients"):
            list(edit_latent(base, encoder, "Joker", face(base), quick(base), identity=blind))


def test_an_ensemble_of_encoders(base):
    both = EncoderEnsemble([StandInEncoder("a"), StandInEncoder("b")], [1.0, 0.5])
    steps = list(edit_latent(base, both, "Joker", face(base), quick(base, steps=8)))
    assert steps[-1].text < steps[0].text


def test_the_ramp_is_the_projectors():
    assert ramp(0) == 0 and ramp(1) == pytest.approx(0)
    assert ramp(0.025) == pytest.approx(0.5) and ramp(0.05) == ramp(0.5) == ramp(0.75) == 1
    assert ramp(0.875) == pytest.approx(0.5) and ramp(0.9) == pytest.approx(0.5 * (1 - math.cos(0.4 * math.pi)))
    assert ramp(0.0, up=0) == ramp(0.99, down=0) == 1


def test_rates_follow_the_ramp(run):
    steps = run.steps
    assert [step.lr for step in steps] == pytest.approx([0.1 * ramp(index / 20) for index in range(21)])
    assert torch.equal(steps[1].ws, steps[0].ws) and not torch.equal(steps[2].ws, steps[1].ws)


@pytest.mark.heavy
def test_the_families_own_resolution():
    """The smaller picture for the starter generator's family, the only one for small StyleGAN2."""
    encoder, options = StandInEncoder(), LatentOptions(precision="float32")
    for base, side in ((small_mobile(blocks=7, small_head=True), 256), (small_stylegan2(), 64)):
        assert next(edit_latent(base, encoder, "Joker", face(base), options)).image.shape == (1, 3, side, side)


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 1},
        {"steps": 2.5},
        {"steps": True},
        {"lr": 0},
        {"lr": math.nan},
        {"l2_weight": -1},
        {"l2_weight": math.inf},
        {"identity_weight": "much"},
        {"rampup": 1.5},
        {"rampdown": -0.1},
        {"crops": 9},
        {"seed": -1},
    ],
)
def test_bad_options_are_refused(values):
    (name,) = values
    with pytest.raises(OptionsError, match=f"{name} is"):
        LatentOptions(**values)


def test_bad_arguments_are_refused_at_once(base, encoder):
    inversion, options = face(base), quick(base)
    with pytest.raises(PromptError, match="empty"):
        edit_latent(base, encoder, "  ", inversion, options)
    with pytest.raises(OptionsError, match="resolution is 300; this generator renders at"):
        edit_latent(base, encoder, "Joker", inversion, replace(options, resolution=300))
    with pytest.raises(OptionsError, match="Invert the photo with it"):
        edit_latent(base, encoder, "Joker", Inversion(inversion.ws[:, :1]), options)


def test_a_loss_that_is_no_number_ends_it(base, encoder):
    broken = Inversion(torch.full_like(face(base).ws, math.nan))
    with pytest.raises(OptionsError, match="no longer a number at step 0"):
        list(edit_latent(base, encoder, "Joker", broken, quick(base)))
