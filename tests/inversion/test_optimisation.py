"""Inversion on a face whose latent is known, and the perceptual distance."""

from __future__ import annotations

import pytest
import torch

from nada_core.inversion.e4e import E4E
from nada_core.inversion.optimisation import InvertOptions, invert
from nada_core.inversion.perceptual import PerceptualLoss
from tests.helpers.stylegan2_files import tiny


@pytest.fixture(scope="module")
def face(generator):
    with torch.no_grad():
        return generator.synthesis(generator.mapping(generator.sample_z([55]), 0.7), resolution=256)


def guessed(engine, face):
    *_, last = engine.editor.first_guess(face)
    return last.inversion.ws


def test_first_guess_is_closer_than_the_mean_face(engine, face):
    perceptual: PerceptualLoss = engine.editor.perceptual
    generator = engine.generator
    mean = generator.w_avg.expand(1, generator.num_ws, -1)
    with torch.no_grad():
        target = perceptual.features(face)
        guess, average = (generator.synthesis(ws, resolution=256) for ws in (guessed(engine, face), mean))
        assert perceptual(guess, target) < perceptual(average, target)
        assert perceptual(face, target) < 1e-6


def test_each_stage_comes_closer_and_the_base_stays(engine, face):
    before = engine.generator.content_hash()
    options = InvertOptions(latent_steps=8, tuning_steps=5, preview_every=1)
    stages = list(invert(engine.generator, engine.editor.perceptual, face, guessed(engine, face), options))
    errors = {s.name: (s.image - face).pow(2).mean().item() for s in stages if s.image is not None}
    assert [s.name for s in stages][:1] == ["encoding"] and len(stages) == 14
    assert errors["learning the person"] < errors["rebuilding the face"] < errors["encoding"]
    assert stages[-1].inversion.offsets and not stages[0].inversion.offsets
    assert engine.generator.content_hash() == before


@pytest.mark.parametrize("side", [256, 300])
def test_photos_go_where_the_encoder_is(side):
    """The device "meta" stands for a GPU: it holds shapes only, and refuses to be mixed with others."""
    with torch.device("meta"):
        encoder = E4E(10, 16)
    ready = encoder.ready(torch.zeros(2, 3, side, side), tiny())
    assert ready.device.type == "meta" and ready.shape == (2, 3, 256, 256)
