"""What a run takes from the published settings: truncation and noise of its faces, whose parts patches show, the direction of pictures."""

from __future__ import annotations

import math

import pytest
import torch

from nada_core.adaptation.loop import AdaptOptions, adapt, resolve_options
from nada_core.adaptation.training_inputs import draw_ws, seeded_noise
from nada_core.adaptation.training_run import TrainingRun
from nada_core.encoders.templates import PARTS
from nada_core.errors import OptionsError
from nada_core.losses import PatchLoss
from tests.helpers.small_adaptations import SMALL, ReadingEncoder, StandInEncoder, last_of, small_options, small_stylegan2


@pytest.mark.parametrize(
    ("family", "preset", "psi", "noise"),
    [
        ("mobile_stylegan", None, 0.8, "const"),
        ("stylegan2", None, 1.0, "const"),
        ("stylegan2", "source", 1.0, "const"),
        ("stylegan2", "paper", 1.0, "random"),
    ],
)
def test_what_is_left_open_is_filled_in(family, preset, psi, noise):
    options = resolve_options(AdaptOptions(preset=preset), family)
    assert (options.truncation_psi, options.noise) == (psi, noise)
    own = resolve_options(AdaptOptions(preset=preset, truncation_psi=0.6, noise="const"), family)
    assert (own.truncation_psi, own.noise) == (0.6, "const")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"truncation_psi": 2.5}, "truncation_psi is 2.5; it must be between 0 and 2"),
        ({"truncation_psi": math.nan}, "truncation_psi is nan"),
        ({"noise": "none"}, "noise is 'none'; it must be const or random"),
        ({"patch_parts": "house", "patch_weight": 1.0}, "patch_parts is 'house'; it must be face or animal"),
        ({"patch_parts": "animal"}, "patch_parts is 'animal' where patch_weight is 0"),
    ],
)
def test_values_that_mean_nothing(options, message):
    with pytest.raises(OptionsError, match=message):
        resolve_options(AdaptOptions(**options), "stylegan2")


@pytest.mark.parametrize("family", list(SMALL))
def test_a_run_trains_at_its_truncation(family):
    """Latents without it, moved towards the mean by hand; the style's card says which it was."""
    base = SMALL[family]()
    for psi in (None, 0.3):
        run = adapt(base, StandInEncoder(), "Joker", small_options(base, steps=1, truncation_psi=psi))
        resolved = last_of(run).checkpoint().options
        expected = {"mobile_stylegan": 0.8, "stylegan2": 1.0}[family] if psi is None else psi
        assert resolved.truncation_psi == expected
        ws = draw_ws(base, resolved, 3, torch.Generator().manual_seed(1))
        full = base.mapping(torch.randn(3, base.z_dim, generator=torch.Generator().manual_seed(1)), 1.0)
        torch.testing.assert_close(ws, base.w_avg + expected * (full - base.w_avg), rtol=1e-4, atol=1e-5)


def noisy() -> torch.nn.Module:
    """A generator whose noise can be seen."""
    base = small_stylegan2()
    with torch.no_grad():
        for name, parameter in base.named_parameters():
            if name.endswith("noise_strength"):
                parameter.fill_(0.3)
    return base


@pytest.mark.heavy
def test_fresh_noise_is_another_for_each_picture_and_step_and_hangs_on_the_seed_alone():
    base = noisy()
    encoder, shown = StandInEncoder(), []

    class Watching(StandInEncoder):
        def encode_image(self, images):
            shown.append(images.detach().clone())
            return super().encode_image(images)

    def losses(noise, seed):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        found = [step.loss for step in adapt(base, encoder, "Joker", small_options(base, noise=noise, steps=3))]
        assert torch.equal(torch.get_rng_state(), before), "torch's own numbers are left as they were"
        return found

    assert losses("random", 1) == losses("random", 2) != losses("const", 1)
    for noise in ("const", "random"):
        shown.clear()
        next(adapt(base, Watching(), "Joker", small_options(base, noise=noise, latent_pool=1, batch=2)))
        before, after = (pictures.clamp(-1.15, 1.15) for pictures in shown)
        same = noise == "const"
        assert torch.allclose(before, after, atol=1e-5) is same, "frozen generator and copy"
        for pictures in (before, after):
            assert torch.allclose(pictures[0], pictures[1], atol=1e-5) is same, "two pictures of one latent"


def test_constant_noise_draws_no_numbers():
    rng = torch.Generator().manual_seed(3)
    before = rng.get_state()
    for noise, drawn in (("const", False), ("random", True)):
        with seeded_noise(AdaptOptions(noise=noise), rng, torch.device("cpu")):
            first = torch.rand(2)
        assert torch.equal(rng.get_state(), before) is not drawn and first.shape == (2,)


def test_patches_are_compared_with_the_parts_that_are_named():
    base, encoder = small_stylegan2(), ReadingEncoder()
    for parts, templates in PARTS.items():
        options = resolve_options(small_options(base, patch_weight=0.5, patch_parts=parts), base.family)
        run = TrainingRun(base, encoder, "wolf", options)
        assert run.patch is not None
        assert torch.equal(run.patch.directions, PatchLoss(encoder, "face", "wolf", parts=templates).directions)
        assert run.style(None, 1, 0.0, 0.0).card.options["patch_parts"] == parts
    faces, animals = (PatchLoss(encoder, "face", "wolf", parts=PARTS[name]).directions for name in ("face", "animal"))
    assert not torch.equal(faces, animals)


def test_direction_of_target_pictures_is_the_published_one():
    """From the formula, in double precision: means of unit embeddings of the pictures and of 16 faces, their difference normalised."""
    base, encoder = small_stylegan2(), StandInEncoder()
    pictures = [torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(i)) * 2 - 1 for i in range(3)]
    run = TrainingRun(base, encoder, "mine", resolve_options(small_options(base), base.family), pictures)
    faces = [base.synthesis(base.mapping(base.sample_z([seed]), 1.0)) for seed in range(16)]
    means = []
    for images in (pictures, faces):
        rows = [encoder.encode_image(image)[0].double() for image in images]
        means.append(sum(row / row.norm() for row in rows) / len(rows))
    difference = means[0] - means[1]
    torch.testing.assert_close(run.direction.direction.double(), difference / difference.norm(), rtol=0, atol=1e-6)
    torch.testing.assert_close(run.target.target.double(), means[0] / means[0].norm(), rtol=0, atol=1e-6)
    other = means[0] / means[0].norm() - means[1] / means[1].norm()
    assert (difference / difference.norm() - other / other.norm()).norm() > 1e-3, "too alike to tell the two formulas apart"
