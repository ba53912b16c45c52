"""The starter encoder: the interface, what its embeddings say, and gradients."""

from __future__ import annotations

import pytest
import torch

from nada_core.encoders.base import ImageTextEncoder, ReadsLooks
from nada_core.encoders.load import load_encoder
from nada_core.errors import GeneratorError, PromptError
from nada_core.looks.look import Look
from nada_core.looks.prompts import SOURCE_PROMPTS
from nada_core.losses import DirectionalLoss, text_direction


@pytest.fixture(scope="module")
def pictures(generator):
    with torch.no_grad():
        return generator.synthesis(generator.mapping(generator.sample_z([31, 32]), 0.7), resolution=256)


def test_satisfies_the_interface(encoder):
    assert isinstance(encoder, ImageTextEncoder)


def test_embeddings_are_unit_vectors(encoder, pictures):
    images, texts = encoder.encode_image(pictures), encoder.encode_text(["face", "Joker", "zombie"])
    assert images.shape == (2, encoder.embedding_dim) and texts.shape == (3, encoder.embedding_dim)
    torch.testing.assert_close(images.norm(dim=-1), torch.ones(2))
    torch.testing.assert_close(texts.norm(dim=-1), torch.ones(3))


def test_any_size_of_image_is_read(encoder, pictures):
    large = torch.nn.functional.interpolate(pictures, size=512, mode="bicubic")
    assert (encoder.encode_image(large) * encoder.encode_image(pictures)).sum(-1).min() > 0.98


def test_texts_are_read_as_looks(encoder):
    assert isinstance(encoder, ReadsLooks)
    assert encoder.look("a photo of a person") == Look()
    assert encoder.look("green hair").paints["hair"].colour[1] < -20
    with pytest.raises(PromptError, match="should not be"):
        encoder.look("not a clown")


def test_the_same_look_is_drawn_once(encoder, monkeypatch):
    first = encoder.encode_text(["teal skin and golden lips"])
    monkeypatch.setattr("nada_core.encoders.starter.draw", lambda *_: pytest.fail("drawn again"))
    assert torch.equal(encoder.encode_text(["golden lips and teal skin"]), first)


def test_source_prompts_are_related_but_distinct(encoder):
    directions = torch.stack([text_direction(encoder, "face", p) for p in SOURCE_PROMPTS])
    cosines = directions @ directions.T
    off = cosines[~torch.eye(5, dtype=torch.bool)]
    assert off.max() < 0.95 and off.min() > 0.0


@pytest.mark.parametrize(("colour", "channel"), [("red light", 0), ("green light", 1), ("blue light", 2)])
def test_a_tint_points_towards_its_own_colour(encoder, pictures, colour, channel):
    tinted = torch.full_like(pictures, -0.9)
    tinted[:, channel] = pictures.mean(1)
    source = encoder.encode_image(pictures)
    moved = torch.nn.functional.normalize(encoder.encode_image(tinted) - source, dim=-1)
    scores = {c: (moved @ text_direction(encoder, "face", c)).mean().item() for c in ("red light", "green light", "blue light")}
    assert max(scores, key=scores.get) == colour


def test_gradient_reaches_the_pixels_and_reduces_the_loss(encoder, pictures):
    loss = DirectionalLoss(encoder, "face", "Joker")
    changed = pictures.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([changed], 0.02)
    values = []
    for _ in range(6):
        value = loss(pictures, changed)
        optimiser.zero_grad()
        value.backward()
        assert torch.isfinite(changed.grad).all()
        optimiser.step()
        values.append(value.item())
    assert values[-1] < values[0] - 0.2


@torch.no_grad()
def test_stressing_colour_is_for_a_copy_and_counts_paint_more_than_grain(encoder, pictures):
    painted = pictures + torch.tensor([-0.08, 0.08, -0.08])[:, None, None]
    noise = torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    moved = pictures + 0.15 * noise  # grey grain, which has no colour of its own
    plain = [encoder.encode_image(images) for images in (pictures, painted, moved)]
    stressed = [encoder.stressing_colour(3.0).encode_image(images) for images in (pictures, painted, moved)]

    def ratio(embeddings):
        return ((embeddings[1] - embeddings[0]).norm(dim=-1) / (embeddings[2] - embeddings[0]).norm(dim=-1)).min()

    assert ratio(stressed) > 1.01 * ratio(plain)
    assert torch.equal(encoder.encode_image(pictures), plain[0])  # the one it was made from stays as it is
    assert torch.equal(encoder.stressing_colour(1.0).encode_image(pictures), plain[0])


def test_unknown_texts_and_encoders_are_refused(encoder):
    with pytest.raises(PromptError, match="for example"):
        encoder.encode_text(["a tractor on a hill"])
    with pytest.raises(GeneratorError, match="no encoder 'clip'"):
        load_encoder("clip")
