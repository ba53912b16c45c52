"""The losses against their formulas, with an encoder small enough to follow by hand."""

from __future__ import annotations

import math
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F

from nada_core.errors import PromptError
from nada_core.losses import SHORTEST_DIRECTION, DirectionalLoss, GlobalLoss, mean_embedding, text_direction


class TinyEncoder:
    """An image is embedded by its mean colour, a text by a table; unit vectors in three dimensions."""

    name = "tiny"
    embedding_dim = 3
    table: ClassVar = {"face": (1.0, 1.0, 1.0), "red": (1.0, 0.2, 0.2), "human": (2.0, 2.0, 2.0), "blue": (0.1, 0.2, 1.0)}

    def encode_image(self, images):
        return F.normalize(images.mean((2, 3)) + 0.3, dim=-1)

    def encode_text(self, texts):
        return F.normalize(torch.tensor([self.table[text] for text in texts]), dim=-1)


def pictures(seed: int, count: int = 3) -> torch.Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def unit(vector):
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


def test_text_direction():
    a, b = unit(TinyEncoder.table["face"]), unit(TinyEncoder.table["red"])
    expected = unit([y - x for x, y in zip(a, b)])
    torch.testing.assert_close(text_direction(TinyEncoder(), "face", "red"), torch.tensor(expected))


@pytest.mark.parametrize(("source", "target"), [("face", "face"), ("face", "human")])
def test_texts_of_the_same_meaning_have_no_direction(source, target):
    with pytest.raises(PromptError, match=r"nothing to adapt\. Choose another target"):
        DirectionalLoss(TinyEncoder(), source, target)


def test_directional_loss_is_one_minus_the_mean_cosine():
    encoder = TinyEncoder()
    source, target = pictures(1), pictures(2) * 0.5 + torch.tensor([0.8, -0.2, -0.2]).view(1, 3, 1, 1)
    direction = unit([y - x for x, y in zip(unit(encoder.table["face"]), unit(encoder.table["red"]))])
    cosines = []
    for start, end in zip(encoder.encode_image(source).tolist(), encoder.encode_image(target).tolist()):
        moved = [y - x for x, y in zip(start, end)]
        assert math.sqrt(sum(x * x for x in moved)) > SHORTEST_DIRECTION, "below it the formula is another one"
        cosines.append(sum(x * y for x, y in zip(unit(moved), direction)))
    loss = DirectionalLoss(encoder, "face", "red")(source, target)
    assert loss.item() == pytest.approx(1 - sum(cosines) / 3, abs=1e-5)
    assert max(cosines) - min(cosines) > 1e-3, "one value for all would hide a mean taken too early"


def test_short_directions_are_divided_by_the_fixed_length():
    encoder = TinyEncoder()
    loss = DirectionalLoss(encoder, "face", "red")
    start = encoder.encode_image(pictures(1))
    moved = 0.01 * loss.direction.expand(3, 3)
    torch.testing.assert_close(loss.similarity(start, start + moved), torch.full((3,), 0.01 / SHORTEST_DIRECTION), rtol=1e-3, atol=1e-5)


def test_gradient_where_both_images_are_equal():
    """The first step of every adaptation: a plain cosine has no gradient there, or an endless one next to it."""
    encoder = TinyEncoder()
    loss = DirectionalLoss(encoder, "face", "red")
    source = pictures(1)
    sizes = []
    for shift in (0.0, 1e-7, 1e-4):
        target = (source + shift).requires_grad_(True)
        value = loss(source, target)
        value.backward()
        assert value.item() == pytest.approx(1.0, abs=0.01)
        assert torch.isfinite(target.grad).all()
        sizes.append(target.grad.norm().item())
    assert 0 < sizes[0] < 1 / SHORTEST_DIRECTION
    assert max(sizes) < 1.1 * min(sizes)


def test_descending_the_loss_turns_pictures_towards_the_text():
    encoder = TinyEncoder()
    loss = DirectionalLoss(encoder, "face", "red")
    source = pictures(1)
    target = source.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([target], lr=0.02)
    for _ in range(40):
        optimiser.zero_grad()
        loss(source, target).backward()
        optimiser.step()
    red, green, blue = (target.detach() - source).mean((0, 2, 3)).tolist()
    assert loss(source, target).item() < 0.1
    assert red > green and red > blue


def test_no_gradient_reaches_the_source():
    source, target = pictures(1).requires_grad_(True), pictures(2).requires_grad_(True)
    DirectionalLoss(TinyEncoder(), "face", "red")(source, target).backward()
    assert source.grad is None and target.grad is not None


def test_a_given_direction_replaces_the_texts():
    encoder = TinyEncoder()
    direction = torch.tensor([0.0, 3.0, 4.0])
    loss = DirectionalLoss(encoder, "face", "face", direction)
    torch.testing.assert_close(loss.direction, torch.tensor([0.0, 0.6, 0.8]))


def test_global_loss_is_one_minus_the_cosine_with_the_target():
    encoder = TinyEncoder()
    images = pictures(3)
    target = unit(encoder.table["blue"])
    cosines = [sum(x * y for x, y in zip(row, target)) for row in encoder.encode_image(images).tolist()]
    assert GlobalLoss(encoder, "blue")(images).item() == pytest.approx(1 - sum(cosines) / 3, abs=1e-6)
    given = torch.tensor([1.0, 0.0, 0.0])
    assert GlobalLoss(encoder, "blue", given)(images).item() == pytest.approx(
        1 - encoder.encode_image(images)[:, 0].mean().item(), abs=1e-6
    )


def test_pictures_instead_of_a_text():
    encoder = TinyEncoder()
    images = [pictures(seed, 1).requires_grad_(True) for seed in (1, 2)]
    rows = [encoder.encode_image(image)[0] for image in images]
    result = mean_embedding(encoder, images)
    torch.testing.assert_close(result, F.normalize((rows[0] + rows[1]) / 2, dim=0).detach())
    assert not result.requires_grad
