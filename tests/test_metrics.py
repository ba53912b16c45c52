"""The measures against their definitions, on pictures whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from nada_core.alignment.faces import SAME_PERSON
from nada_core.inversion.perceptual import PerceptualLoss
from nada_core.losses import text_direction
from nada_core.metrics import (
    directional_similarity,
    diversity,
    identity_distance,
    likeness,
    pairwise_distance,
    reconstruction_error,
)
from tests.helpers.fake_laboratory import ColourEncoder, PixelDistance, PixelRecogniser


class TinyBackbone(torch.nn.Module):
    """Five stages of averaged pixels."""

    def forward(self, images, stages=5):
        return [F.avg_pool2d(images, 2**k) for k in range(stages)]


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 1.6 - 0.8


def test_directional_similarity_is_the_cosine_of_each_change():
    encoder, before, after = ColourEncoder(), pictures(3), pictures(3, 1)
    direction = text_direction(encoder, "face", "Joker")
    expected = []
    for start, end in zip(encoder.encode_image(before).tolist(), encoder.encode_image(after).tolist()):
        moved = [y - x for x, y in zip(start, end)]
        length = math.sqrt(sum(v * v for v in moved))
        expected.append(sum(v * d for v, d in zip(moved, direction.tolist())) / length)
    torch.testing.assert_close(directional_similarity(encoder, before, after, direction), torch.tensor(expected), rtol=1e-4, atol=1e-4)


def test_directional_similarity_of_the_direction_itself_its_opposite_and_no_change():
    class Plain:
        name, embedding_dim = "plain", 3

        def encode_image(self, images):
            return images.mean((2, 3))

    direction = torch.tensor([1.0, 0.0, 0.0])
    before = torch.zeros(1, 3, 4, 4)
    for shift, expected in ((0.3, 1.0), (-0.3, -1.0), (0.0, 0.0)):
        after = before + shift * direction.view(1, 3, 1, 1)
        assert directional_similarity(Plain(), before, after, direction).item() == pytest.approx(expected, abs=1e-5)


def test_directional_similarity_does_not_depend_on_neighbours():
    encoder, before, after = ColourEncoder(), pictures(4), pictures(4, 1)
    direction = text_direction(encoder, "face", "Joker")
    together = directional_similarity(encoder, before, after, direction)
    assert torch.equal(together[2:3], directional_similarity(encoder, before[2:3], after[2:3], direction))


def test_pairwise_distance_is_the_mean_over_pairs_of_the_perceptual_distance():
    perceptual, images = PerceptualLoss(TinyBackbone()), pictures(4)
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    each = [perceptual(images[i : i + 1], perceptual.features(images[j : j + 1])).item() for i, j in pairs]
    assert len(each) == 6 and max(each) > min(each)
    assert pairwise_distance(perceptual, images) == pytest.approx(sum(each) / 6, rel=1e-4)


def test_diversity():
    perceptual, images = PixelDistance(), pictures(4)
    assert diversity(perceptual, images, images) == pytest.approx(1.0)
    assert diversity(perceptual, images[:1].expand(4, -1, -1, -1), images) == pytest.approx(0.0, abs=1e-9)
    half = images.mean(0, keepdim=True) + 0.5 * (images - images.mean(0, keepdim=True))
    assert diversity(perceptual, half, images) == pytest.approx(0.25, rel=1e-3)
    assert diversity(perceptual, images, half) == pytest.approx(4.0, rel=1e-3)


def test_diversity_needs_two_different_faces():
    with pytest.raises(ValueError, match="at least two"):
        diversity(PixelDistance(), pictures(1), pictures(1))
    same = pictures(1).expand(3, -1, -1, -1)
    with pytest.raises(ValueError, match="no scale"):
        diversity(PixelDistance(), pictures(3), same)


def test_identity_and_likeness():
    grey, white = Image.new("RGB", (64, 64), (128, 128, 128)), Image.new("RGB", (64, 64), (255, 255, 255))
    recogniser, marks = PixelRecogniser(), np.zeros((68, 2))
    own = recogniser.embed(grey, marks)
    assert identity_distance(recogniser, own, grey, marks) == 0
    expected = math.sqrt(128) * (127 / 255 / 5)
    assert identity_distance(recogniser, own, white, marks) == pytest.approx(expected, rel=1e-3)
    assert [likeness(value) for value in (0.0, SAME_PERSON, 2 * SAME_PERSON, 5.0)] == [1.0, 0.5, 0.0, 0.0]


def test_reconstruction_error():
    black, white = -torch.ones(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    assert reconstruction_error(black, white).item() == pytest.approx(2.0)
    assert reconstruction_error(white, 3 * white).item() == 0, "what is beyond the range is not shown"
    assert reconstruction_error(black * 0.5, black).item() == pytest.approx(0.5)
