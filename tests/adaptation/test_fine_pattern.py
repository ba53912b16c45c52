"""What counts as woven, and what does not."""

from __future__ import annotations

import torch

from nada_core.adaptation.fine_pattern import excess, pattern


def woven(strength, period=2):
    y, x = (axis // (period // 2) for axis in torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij"))
    return strength * (1 - 2 * ((x + y) % 2)).float().expand(1, 3, 64, 64)


def test_a_fabric_of_pixels_is_seen_and_noise_and_edges_are_not():
    nothing = torch.zeros(1, 3, 64, 64)
    noise = 0.1 * torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    edge = nothing.clone()
    edge[..., 31:] = 1.0
    images = {"woven": woven(0.1), "linen": woven(0.1, 4), "noise": noise, "edge": edge}
    found = {name: excess(image, pattern(nothing)).item() for name, image in images.items()}
    assert found["woven"] > 0.012 and found["linen"] > 0.012
    assert found["noise"] < 0.3 * found["woven"] and found["edge"] < 0.4 * found["woven"]


def test_what_the_drawing_has_itself_is_not_too_much():
    assert excess(woven(0.1), pattern(woven(0.1))).item() == 0
    assert excess(woven(0.15), pattern(woven(0.1))).item() > 0


def test_it_can_be_trained_away():
    image = woven(0.1).clone().requires_grad_()
    (gradient,) = torch.autograd.grad(excess(image, pattern(torch.zeros(1, 3, 64, 64))), image)
    less = image.detach() - 0.05 * gradient / gradient.abs().max()
    assert excess(less, pattern(torch.zeros(1, 3, 64, 64))) < excess(image.detach(), pattern(torch.zeros(1, 3, 64, 64)))
