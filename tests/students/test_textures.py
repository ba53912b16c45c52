"""Textures of pictures, compared wherever each stroke lies."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from nada_core.students.textures import energies, lacks_texture, texture_distance


def hatched(shift: int = 0, along: int = 3, side: int = 96) -> torch.Tensor:
    """Grey pictures with stripes: along=3 downwards, along=2 across."""
    place = torch.arange(side).reshape([side if axis == along else 1 for axis in range(4)])
    return (0.4 * torch.sin((place + shift) * 1.2)).expand(2, 3, side, side).contiguous()


def maps(images: torch.Tensor) -> list[torch.Tensor]:
    """Features that know in which direction a line runs."""
    right, down = (F.pad(images.diff(dim=axis).abs(), pad) for axis, pad in ((3, (0, 1)), (2, (0, 0, 0, 1))))
    found = torch.cat([right, down], 1)
    return [found, F.avg_pool2d(found, 4), F.avg_pool2d(found, 16)]


def distance(made: torch.Tensor, wanted: torch.Tensor) -> float:
    return texture_distance(maps, made, wanted, torch.Generator().manual_seed(0), "float32").item()


def test_where_a_stroke_lies_counts_less_than_that_there_is_one():
    wanted, moved, none, other = hatched(), hatched(shift=1), torch.zeros(2, 3, 96, 96), hatched(along=2)
    assert (moved - wanted).abs().mean() > (none - wanted).abs().mean(), "pixel by pixel it would better have drawn nothing"
    assert distance(moved, wanted) < 0.3 * distance(none, wanted)
    assert distance(moved, wanted) < 0.3 * distance(other, wanted), "strokes have a direction"
    assert distance(wanted, wanted) == 0


def test_how_much_of_a_texture_is_known_place_by_place():
    half = hatched() * (torch.arange(96) < 48)
    fine, *_ = energies(half)
    assert fine[..., 0].mean() > 5 * fine[..., -1].mean() and fine.shape[1] == 15


def test_strokes_are_learnt_by_their_gradient():
    made = (0.05 * hatched()).requires_grad_()
    loss = texture_distance(maps, made, hatched(), torch.Generator().manual_seed(0), "float32")
    (gradient,) = torch.autograd.grad(loss, made)
    assert (gradient * made).sum() < 0, "stronger strokes would be nearer"


def test_a_picture_without_its_strokes_lacks_them():
    assert lacks_texture(0.5 * hatched(), hatched())
    assert not lacks_texture(hatched(shift=2), hatched()) and not lacks_texture(hatched(), 0.5 * hatched())
