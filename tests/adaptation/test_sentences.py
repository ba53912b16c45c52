"""The starter's generator with CLIP: its own settings, and that runs with them learn something, on small random networks."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from nada_core.adaptation.loop import AdaptOptions, adapt, check_options, resolve_options
from nada_core.adaptation.options import own_steps
from nada_core.encoders.load import load_encoder
from tests.helpers.clip_pictures import CONFIG
from tests.helpers.small_adaptations import small_mobile, small_options, small_stylegan2

pytestmark = pytest.mark.heavy  # loading open_clip takes longer than most tests

OWN = (2.8e-4, (0.3, 0.7, 1.0), 2)


@pytest.fixture
def clip(tmp_path, monkeypatch, open_clip):
    """A small CLIP with random weights, loaded as the published ones are."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "Tiny-16", CONFIG)
    torch.manual_seed(0)
    model = open_clip.CLIP(**CONFIG)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, tmp_path / "tiny.safetensors")
    return load_encoder("Tiny-16", weights=tmp_path / "tiny.safetensors")


def test_the_pair_has_settings_of_its_own(clip):
    chosen = check_options(small_mobile(), clip, AdaptOptions(resolution=32))
    assert (chosen.lr, chosen.layer_rates, chosen.crops) == OWN and own_steps("mobile_stylegan", looks=False) == 150
    looks = resolve_options(AdaptOptions(), "mobile_stylegan")
    # what the generator bears is the same, whoever reads the text
    assert (chosen.betas, chosen.warmup, chosen.max_gradient, chosen.average) == (
        looks.betas,
        looks.warmup,
        looks.max_gradient,
        looks.average,
    )
    assert looks.lr != chosen.lr and looks.layer_rates != chosen.layer_rates and own_steps("mobile_stylegan") == 30
    given = check_options(small_mobile(), clip, AdaptOptions(resolution=32, lr=1e-3, crops=0))
    assert (given.lr, given.crops) == (1e-3, 0), "what is asked for wins"
    full = check_options(small_stylegan2(), clip, AdaptOptions())
    assert full.lr == resolve_options(AdaptOptions(), "stylegan2").lr and own_steps("stylegan2", looks=False) == AdaptOptions().steps


def test_the_pair_learns_and_its_pictures_stay_finite(clip):
    base = small_mobile()
    steps = list(adapt(base, clip, "Pixar", small_options(base, steps=60)))
    losses = [step.loss for step in steps]
    assert sum(losses[-10:]) < sum(losses[:10]) and not any(step.note for step in steps)
    last = steps[-1]
    assert last.previews is not None and torch.isfinite(last.previews).all() and last.previews.abs().mean() < 1
    card = last.style().card
    assert (card.options["lr"], tuple(card.options["layer_rates"]), card.options["crops"]) == OWN and card.encoder.startswith("Tiny-16")
