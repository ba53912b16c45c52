"""The losses against their formulas, with an encoder small enough to follow by hand."""

from __future__ import annotations

import math
import zlib
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F

from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.ensemble import EncoderEnsemble
from nada_core.encoders.templates import FACE_PARTS, PARTS, ReadsTemplates
from nada_core.errors import EncoderError, OptionsError, PromptError
from nada_core.losses import (
    SHORTEST_DIRECTION,
    DirectionalLoss,
    GlobalLoss,
    ManifoldLoss,
    PatchLoss,
    mean_embedding,
    text_direction,
)


class TinyEncoder:
    """An image is embedded by its mean colour, a text by a table; unit vectors in three dimensions."""

    name = "tiny"
    embedding_dim = 3
    table: ClassVar = {"face": (1.0, 1.0, 1.0), "red": (1.0, 0.2, 0.2), "human": (2.0, 2.0, 2.0), "blue": (0.1, 0.2, 1.0)}

    def encode_image(self, images):
        return F.normalize(images.mean((2, 3)) + 0.3, dim=-1)

    def encode_text(self, texts):
        return F.normalize(torch.tensor([self.table[text] for text in texts]), dim=-1)


class SentenceEncoder:
    """Any sentence has a vector of its own; an image is embedded by its colours' means and squares, mixed."""

    name = "sentences"
    embedding_dim = 6
    templates: ClassVar = ["a photo of a {}.", "the {}."]

    def encode_image(self, images):
        moments = torch.cat([images.mean((2, 3)), images.pow(2).mean((2, 3))], dim=1)
        mixed = moments @ torch.randn(6, 6, generator=torch.Generator().manual_seed(9))
        return F.normalize(mixed + 0.5, dim=-1)

    def encode_text(self, texts):
        seeds = [torch.Generator().manual_seed(zlib.crc32(text.encode())) for text in texts]
        return F.normalize(torch.stack([torch.randn(6, generator=seed) for seed in seeds]), dim=-1)


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
    mean = [(a + b) / 2 for a, b in zip(*(row.tolist() for row in rows), strict=True)]
    torch.testing.assert_close(result, torch.tensor(mean))
    assert dot(mean, mean) < 0.999, "unit vectors that differ: the mean is shorter, and is left so"
    assert not result.requires_grad


def test_direction_between_pictures_is_the_published_one():
    """The difference of two means of unit embeddings, normalised once; normalising each mean before gives another direction."""
    encoder = SentenceEncoder()
    targets, starts = [pictures(seed, 1) * 0.5 + 0.4 for seed in (1, 2)], [pictures(seed, 1) for seed in range(10, 26)]
    means = []
    for images in (targets, starts):
        rows = [unit(encoder.encode_image(image)[0].tolist()) for image in images]
        means.append([sum(column) / len(rows) for column in zip(*rows, strict=True)])
    expected = unit([end - start for end, start in zip(*means, strict=True)])
    other = unit([end - start for end, start in zip(*map(unit, means), strict=True)])
    found = DirectionalLoss(encoder, "face", "mine", mean_embedding(encoder, targets) - mean_embedding(encoder, starts)).direction
    torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=1e-6)
    assert max(abs(a - b) for a, b in zip(expected, other, strict=True)) > 1e-3, "too alike to tell the two formulas apart"


def test_global_loss_takes_an_embedding_of_any_length():
    images, given = pictures(3), torch.tensor([0.1, 0.2, 0.4])
    short, long = (GlobalLoss(TinyEncoder(), "x", length * given)(images).item() for length in (1.0, 7.0))
    cosines = [dot(row, unit(given.tolist())) for row in TinyEncoder().encode_image(images).tolist()]
    assert short == pytest.approx(1 - sum(cosines) / 3, abs=1e-6) and long == pytest.approx(short, abs=1e-6)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def sentence_direction(source, target):
    """From the formula: the normalised mean over templates of the differences of unit vectors."""
    encoder = SentenceEncoder()
    rows = [encoder.encode_text([t.format(source), t.format(target)]).tolist() for t in encoder.templates]
    return unit([sum(end[k] - start[k] for start, end in rows) / len(rows) for k in range(6)])


def test_text_direction_over_templates():
    assert isinstance(SentenceEncoder(), ReadsTemplates) and not isinstance(TinyEncoder(), ReadsTemplates)
    expected = torch.tensor(sentence_direction("face", "Joker"))
    torch.testing.assert_close(text_direction(SentenceEncoder(), "face", "Joker"), expected)


def test_global_loss_is_against_a_sentence_where_sentences_are_read():
    encoder = SentenceEncoder()
    cosines = encoder.encode_image(pictures(3)) @ encoder.encode_text(["a Joker"])[0]
    assert GlobalLoss(encoder, "Joker")(pictures(3)).item() == pytest.approx(1 - cosines.mean().item(), abs=1e-6)


def test_manifold_loss_compares_two_cosines():
    encoder = SentenceEncoder()
    texts = []
    for text in ("face", "Joker"):
        rows = encoder.encode_text([t.format(text) for t in encoder.templates]).tolist()
        texts.append(unit([sum(column) for column in zip(*rows, strict=True)]))
    source, target = pictures(1), pictures(2) * 0.5 + torch.tensor([0.8, -0.2, -0.2]).view(1, 3, 1, 1)
    pairs = zip(encoder.encode_image(source).tolist(), encoder.encode_image(target).tolist(), strict=True)
    expected = sum(abs(dot(a, b) - dot(*texts)) for a, b in pairs) / 3
    assert expected > 0.05
    assert ManifoldLoss(encoder, "face", "Joker")(source, target).item() == pytest.approx(expected, abs=1e-5)


def test_manifold_loss_without_templates():
    a, b = unit(TinyEncoder.table["face"]), unit(TinyEncoder.table["red"])
    loss = ManifoldLoss(TinyEncoder(), "face", "red")(pictures(1), pictures(1))
    assert loss.item() == pytest.approx(1 - dot(a, b), abs=1e-5)


def test_parts():
    assert list(PARTS) == ["face", "animal"]
    for parts in PARTS.values():
        assert len(set(parts)) == 15 and all(part.count("{}") == 1 for part in parts)


def test_patch_loss_weighs_parts_by_softmax():
    """A patch as large as the picture leaves nothing to chance."""
    encoder = SentenceEncoder()
    source, target = pictures(1), pictures(2) * 0.5 + torch.tensor([0.8, -0.2, -0.2]).view(1, 3, 1, 1)
    directions = [sentence_direction(part.format("face"), part.format("Joker")) for part in FACE_PARTS]
    expected = 0.0
    for start, end in zip(encoder.encode_image(source).tolist(), encoder.encode_image(target).tolist(), strict=True):
        change = [y - x for x, y in zip(start, end, strict=True)]
        assert math.sqrt(dot(change, change)) > SHORTEST_DIRECTION
        cosines = [dot(unit(change), direction) for direction in directions]
        total = sum(math.exp(c) for c in cosines)
        expected += sum(math.exp(c) / total * (1 - c) for c in cosines) / 3
    loss = PatchLoss(encoder, "face", "Joker", patch=8)(source, target, torch.Generator().manual_seed(0))
    assert loss.item() == pytest.approx(expected, abs=1e-5)


def patches_seen(size, patch, seeds):
    """Masks ``[seeds, 3, H, W]`` of the pixels that a gradient reaches."""
    loss = PatchLoss(SentenceEncoder(), "face", "Joker", patch=patch)
    source = torch.rand(3, 3, *size, generator=torch.Generator().manual_seed(1))
    masks = []
    for seed in seeds:
        target = (source + 0.1).requires_grad_(True)
        loss(source, target, torch.Generator().manual_seed(seed)).backward()
        masks.append(target.grad.abs().sum(1) > 0)
    return torch.stack(masks)


def test_patches_are_half_the_picture_and_lie_anywhere():
    masks = patches_seen((256, 300), None, range(4))
    assert (masks.sum((2, 3)) == 128 * 128).all(), "half the shorter side, also where 510 pixels would not fit"
    assert masks[0].equal(patches_seen((256, 300), None, [0])[0]), "the generator decides"
    assert len({tuple(mask.nonzero()[0].tolist()) for mask in masks.flatten(0, 1)}) > 6, "a place of its own for each image"
    small = patches_seen((5, 5), 2, range(60)).flatten(0, 1)
    assert (small.sum((1, 2)) == 4).all() and small.any(0).all(), "every corner can be reached"


def test_patches_are_cut_at_the_same_place_in_both_pictures():
    loss = PatchLoss(SentenceEncoder(), "face", "Joker", patch=3)
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    value = loss(image.detach(), image, torch.Generator().manual_seed(2))
    value.backward()
    assert value.item() == pytest.approx(1, abs=1e-6), "no change: every cosine is 0"
    assert torch.isfinite(image.grad).all() and image.grad.norm() > 0


@pytest.mark.parametrize("patch", [0, -3, 2.5, True])
def test_patch_sizes_that_mean_nothing(patch):
    with pytest.raises(OptionsError, match="patch is"):
        PatchLoss(SentenceEncoder(), "face", "Joker", patch=patch)


def test_patch_loss_says_what_it_needs():
    with pytest.raises(OptionsError, match="'tiny' does not"):
        PatchLoss(TinyEncoder(), "face", "red")
    with pytest.raises(OptionsError, match="'tiny' does not"):
        PatchLoss(EncoderEnsemble([SentenceEncoder(), TinyEncoder()]), "face", "red")
    with pytest.raises(OptionsError, match="patch is 510 pixels; the images have 8 x 8"):
        PatchLoss(SentenceEncoder(), "face", "Joker", patch=510)(pictures(1), pictures(2), torch.Generator())


class OtherEncoder(SentenceEncoder):
    """Sees the same things from another side, and has other sentences."""

    name = "other"
    templates: ClassVar = ["a drawing of a {}."]

    def encode_image(self, images):
        return super().encode_image(images.flip(1) * 0.7)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 0.5), (0.2, 3.0)])
def test_losses_of_an_ensemble_are_the_weighted_sums_of_its_members_losses(weights):
    members = [SentenceEncoder(), OtherEncoder()]
    both = EncoderEnsemble(members, weights)
    source, target = pictures(1), pictures(2) * 0.5 + 0.3
    makers = {
        "direction": lambda e: DirectionalLoss(e, "face", "Joker")(source, target),
        "global": lambda e: GlobalLoss(e, "Joker")(target),
        "manifold": lambda e: ManifoldLoss(e, "face", "Joker")(source, target),
        "patch": lambda e: PatchLoss(e, "face", "Joker")(source, target, torch.Generator().manual_seed(3)),
        "pictures": lambda e: DirectionalLoss(
            e, "face", "x", mean_embedding(e, [pictures(5, 1), pictures(6, 1)]) - mean_embedding(e, [pictures(7, 1)])
        )(source, target),
        "picture": lambda e: GlobalLoss(e, "x", mean_embedding(e, [pictures(5, 1), pictures(6, 1)]))(target),
    }
    for name, make in makers.items():
        alone = [make(member).item() for member in members]
        assert abs(alone[0] - alone[1]) > 1e-4, f"{name}: equal members would hide a missing weight"
        assert make(both).item() == pytest.approx(weights[0] * alone[0] + weights[1] * alone[1], abs=1e-5), name


def test_similarity_of_an_ensemble_is_a_mean():
    members = [SentenceEncoder(), OtherEncoder()]
    source, target = pictures(1), pictures(2) * 0.5 + 0.3

    def similarity(encoder):
        return DirectionalLoss(encoder, "face", "Joker").similarity(encoder.encode_image(source), encoder.encode_image(target))

    first, second = map(similarity, members)
    torch.testing.assert_close(similarity(EncoderEnsemble(members, [3.0, 1.0])), 0.75 * first + 0.25 * second)


def test_an_ensemble_is_an_encoder():
    both = EncoderEnsemble([SentenceEncoder(), TinyEncoder()], [2, 1])
    assert isinstance(both, ImageTextEncoder) and not isinstance(both, ReadsTemplates)
    assert both.name == "sentences:2,tiny:1" and both.embedding_dim == 9
    images, texts = both.encode_image(pictures(1)), both.encode_text(["face", "red"])
    torch.testing.assert_close(images.norm(dim=-1), torch.ones(3))
    torch.testing.assert_close(texts.norm(dim=-1), torch.ones(2))
    torch.testing.assert_close(both.split(images)[1], TinyEncoder().encode_image(pictures(1)))
    torch.testing.assert_close(both.join(both.split(images)), images)
    torch.testing.assert_close(text_direction(both, "face", "red").norm(), torch.tensor(1.0))


def test_a_gradient_reaches_the_images_through_every_member():
    target = pictures(2).requires_grad_(True)
    DirectionalLoss(EncoderEnsemble([SentenceEncoder(), OtherEncoder()]), "face", "Joker")(pictures(1), target).backward()
    alone = []
    for member in (SentenceEncoder(), OtherEncoder()):
        image = pictures(2).requires_grad_(True)
        DirectionalLoss(member, "face", "Joker")(pictures(1), image).backward()
        alone.append(image.grad)
    torch.testing.assert_close(target.grad, alone[0] + alone[1])


@pytest.mark.parametrize("weights", [[1.0], [1, 0], [1, -1], [1, math.nan], [1, math.inf], [1, 1, 1]])
def test_weights_of_an_ensemble_are_checked(weights):
    with pytest.raises(EncoderError, match="weight"):
        EncoderEnsemble([SentenceEncoder(), OtherEncoder()], weights)


def test_one_encoder_is_no_ensemble():
    with pytest.raises(EncoderError, match="two or more"):
        EncoderEnsemble([SentenceEncoder()])
