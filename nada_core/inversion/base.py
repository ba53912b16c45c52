"""Define an inversion: the latent codes and weight changes from which a generator renders a photo's face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

__all__ = ["Inversion", "InversionStage"]


@dataclass(frozen=True)
class Inversion:
    """Hold a photo in a generator's terms: W+ codes and, after pivotal tuning, differences to the generator's weights.

    ``ws`` is ``[1, num_ws, w_dim]``; ``offsets`` maps parameter names to tensors that are added to the base's weights, and to a style's.
    """

    ws: Tensor
    offsets: Mapping[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device | str) -> Inversion:
        """Return a copy on another device."""
        return Inversion(self.ws.to(device), {name: offset.to(device) for name, offset in self.offsets.items()})


@dataclass(frozen=True)
class InversionStage:
    """Describe an inversion's progress: the stage's name, the share done, a render ``[1, 3, R, R]`` or None, and the state so far."""

    name: str
    fraction: float
    image: Tensor | None
    inversion: Inversion
