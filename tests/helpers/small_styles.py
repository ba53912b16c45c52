"""Make a small random generator, a style of it that low rank can hold, and a style of four numbers."""

from __future__ import annotations

import torch

from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.styles.files import Style, StyleCard
from tests.helpers.made_once import made_once

__all__ = ["four_numbers", "small_generator", "smooth_style"]


@made_once
def small_generator(seed: int = 0) -> MobileStyleGAN:
    torch.manual_seed(seed)
    return MobileStyleGAN((32, 32), z_dim=16, w_dim=16, mapping_layers=2, small_head=False).eval().requires_grad_(False)


def smooth_style(base, size: float = 0.1, rank: int = 4, **card) -> Style:
    """Changes of every adaptable parameter: a few directions each and a little noise, which is what an adaptation leaves."""
    rng = torch.Generator().manual_seed(5)
    tensors = {}
    for name, parameter in base.named_parameters():
        if name not in base.adaptable():
            continue
        rows, columns = parameter.flatten(1).shape if parameter.ndim > 1 else (parameter.numel(), 1)
        directions = torch.randn(rows, rank, generator=rng) @ torch.randn(rank, columns, generator=rng) / rank**0.5
        change = directions + 0.05 * torch.randn(rows, columns, generator=rng)
        scale = parameter.detach().std() if parameter.numel() > 1 else parameter.detach().abs().mean()
        tensors[name] = (parameter.detach() + size * scale * change.reshape(parameter.shape)).clone()
    facts = {"name": "painted", "prompt": "painted", "base": base.family, "base_hash": base.content_hash(), "loss": 0.25, "steps": 3}
    return Style(StyleCard(**{**facts, **card}), tensors)


def four_numbers(prompt: str = "zombie", value: float = 1.0) -> Style:
    """As much of a style as its file and its card need."""
    return Style(StyleCard(name=prompt, prompt=prompt, base="mobile_stylegan", base_hash="0" * 64), {"const": torch.full((2, 2), value)})
