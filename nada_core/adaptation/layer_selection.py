"""Select the layers that matter most for the target, so that only they train in a step (Gal et al. 2021, section 4.2).

A few latents are moved, slot by slot, so that the adapted generator draws something nearer to the target. The slots that move most name
the layers to train. For k the paper takes all layers for changes of style, two thirds of them for changes of shape, and few for animals.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import torch
from torch import Tensor

from nada_core.generators.base import Generator

__all__ = ["slot_scores", "slot_table", "top_slots"]


def slot_table(
    generator: Generator, trained: Collection[str], resolution: int | None = None, *, official: bool = False
) -> dict[int, tuple[str, ...]]:
    """Return the parameters in ``trained`` that each slot of ``ws`` stands for; slots that stand for none are left out.

    Args:
        resolution: parameters that rendering at this size does not use are no candidates: they would get no gradient.
        official: the published code's table instead of the layers that a slot really modulates.

    Raises:
        ValueError: ``official`` for a generator that the published code does not know.
    """
    usable = set(trained).difference(generator.unused_at(resolution))
    table = {slot: generator.slot_parameters(slot, official=official) for slot in range(generator.num_ws)}
    kept = {slot: tuple(name for name in names if name in usable) for slot, names in table.items()}
    return {slot: names for slot, names in kept.items() if names}


def slot_scores(
    generator: Generator, loss: Callable[[Tensor], Tensor], ws: Tensor, *, steps: int = 1, lr: float = 0.01, resolution: int | None = None
) -> Tensor:
    """Return how far each slot moves, ``[num_ws]``: mean ``abs(change of w)`` after ``steps`` of plain gradient descent on ``ws``.

    Args:
        loss: a scalar for images ``[N, 3, R, R]``; the paper's is the global one, with the bare target text.
        ws: starting latents ``[N, num_ws, w_dim]``.
    """
    # kept apart from ws: changes of 1e-6 would be rounded away in values near 1
    moved = torch.zeros_like(ws, memory_format=torch.contiguous_format)
    for _ in range(steps):
        moved.requires_grad_(True)
        images = generator.synthesis(ws.detach() + moved, resolution=resolution).float()
        (gradient,) = torch.autograd.grad(loss(images), moved)
        moved = moved.detach() - lr * gradient
    return moved.abs().mean((0, 2))


def top_slots(scores: Tensor, table: Mapping[int, tuple[str, ...]], count: int) -> tuple[int, ...]:
    """Return the ``count`` slots of ``table`` with the highest ``scores`` ``[num_ws]``, in the generator's order; all if fewer."""
    candidates = list(table)
    best = scores[candidates].topk(min(count, len(candidates))).indices
    return tuple(sorted(candidates[i] for i in best.tolist()))
