"""Store changes of weight matrices in few bytes: the singular components that the picture shows most, eight or four bits a value.

A change of a layer by a matrix E moves the picture by about ``gain * ||E||``; dropping a singular component costs ``gain^2 * s^2``. Bytes
go to the components that save most error a byte, over all layers at once (the greedy allocation is optimal up to the last component, as
the singular values of a layer fall). A component is kept in four bits first; four more are another offer, worth it for large ones alone.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from nada_core.generators.base import Generator
from nada_core.system.device import precision_context

__all__ = ["Factors", "factorise", "layer_gains", "packed", "unpacked"]

#: Components looked at in each layer. Later ones have never been worth their bytes.
MOST_COMPONENTS = 128
#: Bits a value -> largest whole number, and where values are cut off in standard deviations (None: nowhere). With 15 levels it costs less
#: to cut off the rare large values than to widen all steps for them: for a normal distribution, best at about 2.5.
_GRIDS: dict[int, tuple[int, float | None]] = {8: (127, None), 4: (7, 2.5)}
#: Share of a component's energy that four bits lose: about 1.3 % in each of its two vectors.
_LOST = 0.026
#: Components this much smaller than a layer's largest are rounding errors.
_ROUNDING = 1e-5
_PER_COMPONENT = 4  # bytes of a component's scale
_HEADER = 400  # bytes that three entries of a layer take in a safetensors header


@dataclass(frozen=True)
class Factors:
    """Hold a matrix as ``(up * scale) @ down``: int8 ``[rows, r]``, float32 ``[r]``, int8 ``[r, columns]``.

    What is kept in four bits lies within [-7, 7].
    """

    up: Tensor
    scale: Tensor
    down: Tensor

    @classmethod
    def from_components(cls, u: Tensor, s: Tensor, v: Tensor, bits: int = 8) -> Factors:
        """Round components ``u [rows, r]``, ``s [r]``, ``v [columns, r]`` to ``bits``, each column by its own step."""
        (up, u_step), (down, v_step) = (_rounded(x, bits) for x in (u, v))
        return cls(up, (s * u_step * v_step).float(), down.T.contiguous())

    def matrix(self) -> Tensor:
        """Return the product ``[rows, columns]``, float32."""
        return (self.up.float() * self.scale) @ self.down.float()


def _rounded(vectors: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Return whole numbers ``[n, r]`` and the step of each column ``[r]``."""
    most, cut = _GRIDS[bits]
    peak = vectors.abs().amax(0).clamp(min=1e-12)
    if cut is not None:
        peak = torch.minimum(peak, cut * vectors.pow(2).mean(0).sqrt().clamp(min=1e-12))
    step = peak / most
    return (vectors / step).round().clamp(-most, most).to(torch.int8), step


def packed(values: Tensor) -> Tensor:
    """Put whole numbers in [-7, 7] two in a byte: int8 ``[n, r]`` to uint8 ``[ceil(n / 2), r]``."""
    raised = (values + 8).to(torch.uint8)
    low, high = raised[0::2], raised[1::2]
    if len(high) < len(low):
        high = torch.cat([high, torch.full_like(low[-1:], 8)])
    return low | (high << 4)


def unpacked(pairs: Tensor, count: int) -> Tensor:
    """Return the ``count`` rows of whole numbers that :func:`packed` put together."""
    both = torch.stack([pairs & 15, pairs >> 4], 1).flatten(0, 1)
    return both[:count].to(torch.int8) - 8


def layer_gains(generator: Generator, names: Iterable[str], probes: int = 2) -> dict[str, float]:
    """Return how much the picture changes with each named parameter.

    The gain is the RMS over its entries of the Jacobian's columns, up to a common factor. For random signs r over the pixels, the gradient
    of ``<r, picture>`` has the expected squared length ``||Jacobian||^2`` (Hutchinson's estimator). Parameters that the generator's
    smallest picture does not show get the smallest gain of the others.
    """
    wanted = set(names)
    probed = copy.deepcopy(generator).requires_grad_(False)
    parameters = {name: p.requires_grad_(True) for name, p in probed.named_parameters() if name in wanted}
    rng = torch.Generator().manual_seed(0)
    z = torch.randn(probes, generator.z_dim, generator=rng).to(generator.device)
    with torch.no_grad():
        ws = probed.mapping(z, 0.7)
    total = dict.fromkeys(parameters, 0.0)
    for row in ws:
        with torch.enable_grad(), precision_context(generator.device):
            picture = probed.synthesis(row[None], resolution=generator.resolutions[0]).float()
            if not picture.requires_grad:  # the mapping network alone was changed
                return dict.fromkeys(parameters, 1.0)
            signs = torch.randint(0, 2, picture.shape, generator=rng).to(picture) * 2 - 1
            gradients = torch.autograd.grad((picture * signs).sum(), list(parameters.values()), allow_unused=True)
        for name, gradient in zip(parameters, gradients, strict=True):
            total[name] += 0.0 if gradient is None else gradient.float().pow(2).mean().item()
    seen = [value for value in total.values() if value > 0]
    least = min(seen, default=1.0)
    return {name: math.sqrt(max(value, least) / probes) for name, value in total.items()}


def largest_components(matrix: Tensor, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Find the largest singular components ``u [rows, count]``, ``s [count]``, ``v [columns, count]`` of ``matrix [rows, columns]``.

    Randomised subspace iteration (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1). ``torch.svd_lowrank`` is the same, but draws
    from the process's global generator.
    """
    if matrix.shape[0] < matrix.shape[1]:
        v, s, u = largest_components(matrix.T, count, rng)
        return u, s, v
    basis = torch.linalg.qr(matrix @ torch.randn(matrix.shape[1], count, generator=rng)).Q
    for _ in range(3):
        basis = torch.linalg.qr(matrix.T @ basis).Q
        basis = torch.linalg.qr(matrix @ basis).Q
    u, s, v = torch.linalg.svd(basis.T @ matrix, full_matrices=False)
    return basis @ u, s, v.T


def factorise(changes: Mapping[str, Tensor], gains: Mapping[str, float], budget: int) -> dict[str, dict[int, Factors]]:
    """Return the best of all changes' components within ``budget`` bytes, by their bits a value; what nothing is kept of is absent.

    Args:
        changes: matrices ``[rows, columns]`` by name.
        gains: from :func:`layer_gains`; a missing one counts as 1.

    Returns:
        Factors on the CPU, where they are computed, so that the values do not depend on the device. No random state is touched.
    """
    components: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
    offers: list[tuple[float, str, int]] = []  # worth a byte, name, bits after it
    rng = torch.Generator().manual_seed(0)  # the same style must give the same file
    for name, change in changes.items():
        u, s, v = largest_components(change.detach().cpu().float(), min(MOST_COMPONENTS, *change.shape), rng)
        components[name] = (u, s, v)
        worth = (s.double() * gains.get(name, 1.0)).pow(2) / (sum(change.shape) / 2)
        for place, value in enumerate(worth.tolist()):
            if s[place] > _ROUNDING * s[0]:
                offers += [(-value, name, 4), (-value * _LOST, name, 8)]
    kept: dict[str, dict[int, int]] = {}
    for _, name, bits in sorted(offers):  # within a layer in falling order, so counting is enough
        counts = kept.get(name, {4: 0, 8: 0})
        cost = math.ceil(sum(changes[name].shape) / 2) + _PER_COMPONENT + (0 if counts[bits] else _HEADER)
        if cost <= budget and counts[bits] < (counts[4] if bits == 8 else MOST_COMPONENTS):
            budget -= cost
            kept[name] = counts | {bits: counts[bits] + 1}
    return {name: _parts(*components[name], fine=counts[8], count=counts[4]) for name, counts in kept.items()}


def _parts(u: Tensor, s: Tensor, v: Tensor, fine: int, count: int) -> dict[int, Factors]:
    """Return the first ``fine`` of ``count`` components in eight bits and the rest in four."""
    ranges = {8: slice(0, fine), 4: slice(fine, count)}
    return {bits: Factors.from_components(u[:, r], s[r], v[:, r], bits) for bits, r in ranges.items() if r.start < r.stop}
