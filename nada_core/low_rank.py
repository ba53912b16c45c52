"""Storing changes of weight matrices in few bytes: the singular components that the picture shows most, eight bits a value.

A change of a layer by a matrix E moves the picture by about ``gain * ||E||``; dropping a singular component costs ``gain^2 * s^2``. Bytes
go to the components that save most error a byte, over all layers at once (the greedy allocation is optimal up to the last component, as
the singular values of a layer fall).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nada_core.device import precision_context
from nada_core.generators.base import Generator

__all__ = ["Factors", "factorise", "layer_gains"]

#: Components looked at in each layer. Later ones have never been worth their bytes.
MOST_COMPONENTS = 128
_LEVELS = 127
#: Components this much smaller than a layer's largest are rounding errors.
_ROUNDING = 1e-5
_PER_COMPONENT = 4  # bytes of a component's scale
_HEADER = 400  # bytes that a layer's three entries take in a safetensors header


@dataclass(frozen=True)
class Factors:
    """A matrix as ``(up * scale) @ down``: int8 ``[rows, r]``, float32 ``[r]``, int8 ``[r, columns]``."""

    up: Tensor
    scale: Tensor
    down: Tensor

    @classmethod
    def from_components(cls, u: Tensor, s: Tensor, v: Tensor) -> Factors:
        """Round components ``u [rows, r]``, ``s [r]``, ``v [columns, r]`` to eight bits, each column by its largest value."""
        u_peak, v_peak = (x.abs().amax(0).clamp(min=1e-12) for x in (u, v))
        up = (u / u_peak * _LEVELS).round().to(torch.int8)
        down = (v / v_peak * _LEVELS).round().to(torch.int8).T.contiguous()
        return cls(up, (s * u_peak * v_peak / _LEVELS**2).float(), down)

    def matrix(self) -> Tensor:
        """The product ``[rows, columns]``, float32."""
        return (self.up.float() * self.scale) @ self.down.float()


def layer_gains(generator: Generator, names: Iterable[str], probes: int = 2, seed: int = 0) -> dict[str, float]:
    """How much the picture changes with each named parameter: RMS over its entries of the Jacobian's columns, up to a common factor.

    For random signs r over the pixels, the gradient of ``<r, picture>`` has the expected squared length ``||Jacobian||^2`` (Hutchinson's
    estimator). Parameters that the generator's smallest picture does not show get the smallest gain of the others.
    """
    wanted = set(names)
    probed = copy.deepcopy(generator).requires_grad_(False)
    parameters = {name: p.requires_grad_(True) for name, p in probed.named_parameters() if name in wanted}
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(probes, generator.z_dim, generator=rng).to(generator.device)
    with torch.no_grad():
        ws = probed.mapping(z, 0.7)
    total = dict.fromkeys(parameters, 0.0)
    for row in ws:
        with torch.enable_grad(), precision_context(generator.device):
            picture = probed.synthesis(row[None], resolution=generator.resolutions[0]).float()
            signs = torch.randint(0, 2, picture.shape, generator=rng).to(picture) * 2 - 1
            gradients = torch.autograd.grad((picture * signs).sum(), list(parameters.values()), allow_unused=True)
        for name, gradient in zip(parameters, gradients, strict=True):
            total[name] += 0.0 if gradient is None else gradient.float().pow(2).mean().item()
    seen = [value for value in total.values() if value > 0]
    least = min(seen, default=1.0)
    return {name: math.sqrt(max(value, least) / probes) for name, value in total.items()}


def _largest_components(matrix: Tensor, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """The largest singular components ``u [rows, count]``, ``s [count]``, ``v [columns, count]`` of ``matrix [rows, columns]``.

    Randomised subspace iteration (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1). ``torch.svd_lowrank`` is the same, but draws
    from the process's global generator.
    """
    if matrix.shape[0] < matrix.shape[1]:
        v, s, u = _largest_components(matrix.T, count, rng)
        return u, s, v
    basis = torch.linalg.qr(matrix @ torch.randn(matrix.shape[1], count, generator=rng)).Q
    for _ in range(3):
        basis = torch.linalg.qr(matrix.T @ basis).Q
        basis = torch.linalg.qr(matrix @ basis).Q
    u, s, v = torch.linalg.svd(basis.T @ matrix, full_matrices=False)
    return basis @ u, s, v.T


def factorise(changes: Mapping[str, Tensor], gains: Mapping[str, float], budget: int) -> dict[str, Factors]:
    """The best of all changes' components within ``budget`` bytes; a change of which nothing is kept is absent.

    Args:
        changes: matrices ``[rows, columns]`` by name.
        gains: from :func:`layer_gains`; a missing one counts as 1.

    Returns:
        Factors on the CPU, where they are computed, so that the values do not depend on the device. No random state is touched.
    """
    components: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
    offers: list[tuple[float, str, int]] = []
    rng = torch.Generator().manual_seed(0)  # the same style must give the same file
    for name, change in changes.items():
        u, s, v = _largest_components(change.detach().cpu().float(), min(MOST_COMPONENTS, *change.shape), rng)
        components[name] = (u, s, v)
        worth = (s.double() * gains.get(name, 1.0)).pow(2) / (sum(change.shape) + _PER_COMPONENT)
        offers += [(-value, name, place) for place, value in enumerate(worth.tolist()) if s[place] > _ROUNDING * s[0]]
    kept: dict[str, int] = {}
    for _, name, _ in sorted(offers):  # within a layer in falling order, so counting is enough
        cost = sum(changes[name].shape) + _PER_COMPONENT + (0 if name in kept else _HEADER)
        if cost <= budget:
            budget -= cost
            kept[name] = kept.get(name, 0) + 1
    return {name: Factors.from_components(*(part[..., :rank] for part in components[name])) for name, rank in kept.items()}
