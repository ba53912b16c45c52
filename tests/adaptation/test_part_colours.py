"""Mean colours of the parts of a face, as training compares them."""

from __future__ import annotations

import numpy as np
import torch
from skimage.color import rgb2lab

from nada_core.adaptation.part_colours import lab, mean_colours, part_distance, part_masks
from nada_core.looks.known_faces import portraits


def test_the_same_lab_as_everybody_elses():
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    wanted = rgb2lab((image[0].permute(1, 2, 0).numpy() + 1) / 2)
    assert np.abs(lab(image)[0].permute(1, 2, 0).numpy() - wanted).max() < 0.1


def test_a_gradient_everywhere_that_is_a_number():
    image = torch.tensor([-1.2, -1.0, 0.0, 1.0, 1.2]).expand(1, 3, 1, 5).clone().requires_grad_()
    lab(image).sum().backward()
    assert torch.isfinite(image.grad).all()


def test_lips_count_as_much_as_hair():
    face = portraits(1)[0]
    masks = part_masks(face, 64)
    small = torch.nn.functional.avg_pool2d(torch.from_numpy(face.image.transpose(2, 0, 1).copy())[None] * 2 - 1, 4)
    assert part_distance(small, mean_colours(small, masks), masks).item() < 1e-6
    hair, lips = (part_distance(small, mean_colours(small, masks) + offset(part), masks).item() for part in (2, 3))
    assert masks[0, 3].sum() > 0 and hair > 0.05 and abs(hair - lips) < 1e-4


def offset(part):
    """Return 20 of L* in one part."""
    moved = torch.zeros(1, 6, 3)
    moved[0, part, 0] = 20.0
    return moved


def test_a_part_that_is_not_there_counts_for_nothing():
    masks = torch.zeros(1, 2, 4, 4)
    masks[0, 0] = 1 / 16
    wanted = torch.tensor([[[50.0, 0.0, 0.0], [90.0, 90.0, 90.0]]])
    grey = torch.zeros(1, 3, 4, 4)
    assert part_distance(grey, wanted, masks).item() < 0.05
