"""Resuming another run is refused by name: other options, another generator, prompt or encoder."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from nada_core.adaptation.loop import adapt
from nada_core.adaptation.resume import encoder_hash, load_training, save_training
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.errors import OptionsError, ResumeError
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


@pytest.fixture(scope="module")
def encoder():
    return ReadingEncoder()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "had seed 0, not 1"),
        ({"lr": 1e-3}, "had lr"),
        ({"layers": "no_fine"}, "had layers all, not no_fine"),
        ({"mixing": 0.5}, "had mixing 0.0, not 0.5"),
        ({"truncation_psi": 0.5}, r"had truncation_psi (1.0|0.8), not 0.5"),
        ({"noise": "random"}, "had noise const, not random"),
        ({"patch_weight": 0.5, "patch_parts": "animal"}, "had patch_weight 0.0, not 0.5"),
        ({"adaptive_layers": 3}, "had adaptive_layers None, not 3"),
        ({"source": "dog"}, "had source face, not dog"),
        ({"steps": 2}, "has 2 steps already"),
    ],
)
def test_other_options_are_refused_by_name(base, encoder, changes, message):
    options = small_options(base)
    state = run_until(2, adapt(base, encoder, "Joker", options)).checkpoint()
    with pytest.raises(ResumeError, match=message):
        adapt(base, encoder, "Joker", replace(options, **changes), resume=state)
    adapt(base, encoder, "Joker", replace(options, steps=9, preview_seeds=(5,), preview_seconds=9.0), resume=state)


def test_another_base_prompt_or_encoder_is_refused(base, encoder):
    options = small_options(base)
    state = next(adapt(base, encoder, "Joker", options)).checkpoint()
    other = SMALL[base.family](seed=1)
    with pytest.raises(ResumeError, match=rf"{base.content_hash()[:8]}; this generator is {base.family} {other.content_hash()[:8]}"):
        adapt(other, encoder, "Joker", options, resume=state)
    with pytest.raises(ResumeError, match="was for 'Joker', not for 'zombie'"):
        adapt(base, encoder, "zombie", options, resume=state)
    with pytest.raises(ResumeError, match="encoder stand-in, not other"):
        adapt(base, ReadingEncoder("other"), "Joker", options, resume=state)
    with pytest.raises(OptionsError, match="mixing is 2"):
        adapt(base, encoder, "Joker", replace(options, mixing=2.0), resume=state)


class Activated(ReadingEncoder):
    """One with an activation, which has no weights."""

    def __init__(self, name: str = "stand-in", seed: int | None = None, activation: nn.Module | None = None) -> None:
        super().__init__(name)
        if seed is not None:
            self.matrix.copy_(torch.randn(self.matrix.shape, generator=torch.Generator().manual_seed(seed)))
        self.activation = activation or nn.GELU()


def test_an_encoder_is_known_by_its_weights_not_by_its_file(base, tmp_path):
    options = small_options(base)
    first = next(adapt(base, Activated("ViT@a.pt", 1), "Joker", options))
    state = load_training(save_training(tmp_path / "t.safetensors", first.checkpoint()))
    for other in (Activated("ViT@a.pt", 2), Activated("ViT@a.pt", 1, nn.SiLU())):
        with pytest.raises(ResumeError, match=r"used other weights of the encoder ViT@a\.pt than these"):
            adapt(base, other, "Joker", options, resume=state)
    with pytest.raises(ResumeError, match=r"used the encoder ViT@a\.pt, not ViT@b\.pt"):
        adapt(base, Activated("ViT@b.pt", 2), "Joker", options, resume=state)
    whole = last_of(adapt(base, Activated("ViT@a.pt", 1), "Joker", options))
    renamed = last_of(adapt(base, Activated("ViT@b.pt", 1), "Joker", options, resume=state))
    assert facts(renamed) == facts(whole) and same_tensors(renamed.style().tensors, whole.style().tensors)


def test_what_an_encoder_is_decides_its_hash():
    one, two = StandInEncoder("one"), StandInEncoder("two")
    renamed = StandInEncoder("one")
    renamed.name = "a copy"
    assert encoder_hash(one) == encoder_hash(renamed) != encoder_hash(two)
    last = one.matrix[-1, -1].clone()
    one.matrix[-1, -1] = torch.nextafter(last, last + 1)
    assert encoder_hash(one) != encoder_hash(renamed), "not a sample of the weights: all of them"
    ensembles = [EncoderEnsemble([renamed, two], weights) for weights in ([1, 1], [1, 0.5], [1, 1])]
    assert encoder_hash(ensembles[0]) == encoder_hash(ensembles[2]) != encoder_hash(ensembles[1])
    assert encoder_hash(EncoderEnsemble([two, renamed])) != encoder_hash(ensembles[0])
    assert encoder_hash(nn.Identity()) == ""
    half = nn.Linear(3, 2).bfloat16()
    assert len(encoder_hash(half)) == 64


def test_a_wrong_continuation_is_refused_before_any_text_is_read(base, encoder, monkeypatch):
    options = small_options(base, patch_weight=0.5)
    state = run_until(2, adapt(base, encoder, "Joker", options)).checkpoint()
    read: list[str] = []
    monkeypatch.setattr(ReadingEncoder, "encode_text", lambda self, texts: read.extend(texts))
    picture = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    wrong = [
        lambda: adapt(SMALL[base.family](seed=1), encoder, "Joker", options, resume=state),
        lambda: adapt(base, encoder, "zombie", options, resume=state),
        lambda: adapt(base, ReadingEncoder("other"), "Joker", options, resume=state),
        lambda: adapt(base, encoder, "Joker", replace(options, patch_parts="animal"), resume=state),
        lambda: adapt(base, encoder, "Joker", replace(options, steps=2), resume=state),
        lambda: adapt(base, encoder, "Joker", replace(options, patch_weight=0.0), [picture], resume=state),
    ]
    for start in wrong:
        with pytest.raises(ResumeError):
            start()
    assert read == []
    with pytest.raises(TypeError):  # the right one does read, and gets nothing from this encoder
        adapt(base, encoder, "Joker", options, resume=state)
    assert read
