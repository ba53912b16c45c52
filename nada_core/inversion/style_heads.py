"""Turn a feature map into one latent: the heads "map2style" of pSp (Richardson et al. 2021, arXiv:2008.00951)."""

from __future__ import annotations

from torch import Tensor, nn

from nada_core.generators.stylegan2 import EqualLinear

__all__ = ["StyleHead", "offsets_from_first"]


class StyleHead(nn.Module):
    """Turn a square map ``[N, C, S, S]``, ``S`` a power of two, into latents ``[N, w_dim]``: halved by convolutions to one pixel."""

    def __init__(self, channels: int, w_dim: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(side.bit_length() - 1):
            layers += [nn.Conv2d(channels if i == 0 else w_dim, w_dim, 3, 2, 1), nn.LeakyReLU(0.01)]
        self.convs = nn.Sequential(*layers)
        self.linear = EqualLinear(w_dim, w_dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.convs(x).flatten(1))


def offsets_from_first(latents: Tensor) -> Tensor:
    """Turn ``w_0, d_1, d_2, ...`` into ``w_0, w_0 + d_1, w_0 + d_2, ...``, ``[N, num_ws, w_dim]``.

    e4e's heads say how each layer's latent differs from the first: small differences stay where edits work (Tov et al. 2021, section 5).
    """
    first, differences = latents[:, :1], latents[:, 1:].clone()
    ws = first.expand_as(latents).clone()
    ws[:, 1:] += differences
    return ws
