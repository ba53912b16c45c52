"""Scale and blend styles: a style is a direction in weight space, which can be scaled, by layer group too, and added.

Interpolating the weights of a network and its fine-tuned copy gives the pictures in between (Wang et al. 2019, "Deep Network
Interpolation"; Pinkney and Adler 2020 for generators layer by layer).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nada_core.errors import OptionsError
from nada_core.generators.base import LAYER_GROUPS, Generator, LayerGroup
from nada_core.styles.files import Style, resolved_weights

__all__ = ["MAX_STRENGTH", "Delta", "Strength", "add_changes", "apply_mix", "scaled_style", "style_delta", "sum_deltas"]

MAX_STRENGTH = 1.5
#: Changes of a generator's parameters, by name.
Delta = Mapping[str, Tensor]


@dataclass(frozen=True)
class Strength:
    """Say how much of a style to apply to each layer group: 0 nothing, 1 as it was made, up to :data:`MAX_STRENGTH` beyond it.

    Raises:
        OptionsError: a value is out of range.
    """

    shape: float = 1.0
    texture: float = 1.0
    colour: float = 1.0

    def __post_init__(self) -> None:
        for group in LAYER_GROUPS:
            value = self.of(group)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_STRENGTH:
                raise OptionsError(f"strength is {value}; it must be between 0 and {MAX_STRENGTH}.")

    @classmethod
    def even(cls, value: float) -> Strength:
        """Return one strength for all layers."""
        return cls(value, value, value)

    def of(self, group: LayerGroup) -> float:
        """Return the factor for one layer group."""
        return getattr(self, group)

    def scaled(self, factor: float) -> Strength:
        """Return all three times ``factor``, cut off at :data:`MAX_STRENGTH`."""
        return Strength(*(min(self.of(group) * factor, MAX_STRENGTH) for group in LAYER_GROUPS))


def style_delta(style: Style, base: Generator, base_hash: str | None = None) -> dict[str, Tensor]:
    """Return what a style changes in ``base``, by parameter name. ``base_hash`` saves hashing a base whose hash is known.

    Raises:
        StyleError: made for another base, or damaged.
    """
    parameters = dict(base.named_parameters())
    return {name: value - parameters[name].detach() for name, value in resolved_weights(style, base, base_hash).items()}


def scaled_style(style: Style, base: Generator, strength: float, base_hash: str | None = None) -> Style:
    """Return a style that does ``strength`` times as much as ``style``; its values are those of :func:`apply_mix`.

    Raises:
        StyleError: made for another base, or damaged; OptionsError: a strength out of range.
    """
    factor = Strength.even(strength).shape
    weights = dict(base.named_parameters())
    values = {name: weights[name].detach() + factor * change for name, change in style_delta(style, base, base_hash).items()}
    return Style(replace(style.card, storage="full"), values)


def sum_deltas(*deltas: Delta) -> dict[str, Tensor]:
    """Return the sum of changes, over the names that any of them has."""
    total: dict[str, Tensor] = {}
    for delta in deltas:
        for name, value in delta.items():
            total[name] = total[name] + value if name in total else value
    return total


@torch.no_grad()
def add_changes(generator: Generator, changes: Delta, names: Collection[str]) -> None:
    """Add changes to the weights of ``generator``, those in ``names``."""
    for name, parameter in generator.named_parameters():
        if name in changes and name in names:
            parameter.add_(changes[name])


@torch.no_grad()
def apply_mix(
    generator: Generator,
    base: Generator,
    parts: Sequence[tuple[Delta, float]],
    strength: Strength | None = None,
    offsets: Delta | None = None,
) -> Generator:
    """Set ``generator`` to base + offsets + strength * sum of share * delta; returns it.

    Args:
        generator: a copy of ``base``, overwritten in place.
        parts: style deltas and their shares; shares that sum to 1 keep a blend as strong as one style.
        strength: of all parts, by layer group; 1 by default.
        offsets: added whole (an inversion's own change of the weights).
    """
    strength = strength or Strength()
    for (name, parameter), reference in zip(generator.named_parameters(), base.parameters(), strict=True):
        parameter.copy_(reference)
        if offsets and name in offsets:
            parameter.add_(offsets[name])
        factor = strength.of(base.layer_group(name))
        for delta, share in parts:
            if factor * share and name in delta:
                parameter.add_(delta[name], alpha=factor * share)
    return generator
