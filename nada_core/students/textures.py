"""Compare pictures by their textures: what a style's strokes, dots and hatching look like, wherever each single one lies.

Where a generator puts a stroke does not follow from the face alone. A network that is asked for each pixel answers with the mean of all
strokes there could be, which is none. So it is asked for as much of each kind of line in each neighbourhood as the style's picture has
(as in Portilla & Simoncelli 2000, "A Parametric Texture Model"), and for features that occur together as often (Gatys et al. 2015, "Texture
Synthesis Using Convolutional Neural Networks"); of single pixels, less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.students.lines import lightness
from nada_core.system.device import Precision, precision_context

__all__ = ["STAGES", "Features", "apart", "energies", "feature_pairs", "fineness", "lacks_texture", "texture_distance"]

#: ``[N, 3, H, W]`` in [-1, 1] to feature maps; frozen.
Features = Callable[[Tensor], Sequence[Tensor]]
#: How many maps of the features are looked at, the finest ones.
STAGES = 3
#: Pixels of a neighbourhood, and how many times pictures are halved for larger lines.
_AREA, _OCTAVES = 16, 3
#: Weights of energies, of features at their places, and of features that occur together.
_ENERGIES, _FEATURES, _TOGETHER = 2.0, 0.2, 0.3
#: Side of the part of a picture whose features are compared: not made smaller, which would take the texture away.
_PART = 144
#: How many times as much fine structure a style has, from which on a network without grain does not do.
_LACKED = 1.2


def energies(images: Tensor) -> list[Tensor]:
    """Return how much there is of lines of four directions and of dots, one map an octave, ``[N, 15, h, w]``.

    Args:
        images: ``[N, 3, S, S]`` in [-1, 1]; lightness and two differences of colours are looked at.
    """
    planes = torch.cat([lightness(images), images[:, :1] - images[:, 1:2], images[:, 2:] - images[:, 1:2]], 1)
    found = []
    for octave in range(_OCTAVES):
        padded = F.pad(planes, (1, 1, 1, 1), mode="reflect")
        left, right = padded[..., 1:-1, :-2], padded[..., 1:-1, 2:]
        above, below = padded[..., :-2, 1:-1], padded[..., 2:, 1:-1]
        slopes = [right - left, below - above]
        slopes += [0.7 * (padded[..., 2:, 2:] - padded[..., :-2, :-2]), 0.7 * (padded[..., 2:, :-2] - padded[..., :-2, 2:])]
        lines = torch.cat([*slopes, 0.7 * (4 * planes - left - right - above - below)], 1)
        area = _AREA >> octave
        found.append((F.avg_pool2d(lines.square(), area, area // 2) + 1e-4).sqrt())
        planes = F.avg_pool2d(planes, 2)
    return found


def texture_distance(features: Features, made: Tensor, wanted: Tensor, rng: torch.Generator, precision: Precision = "auto") -> Tensor:
    """Return how far the textures of pictures are from those wanted, a scalar.

    Args:
        features: ``[N, 3, H, W]`` to a list of feature maps; frozen.
        made, wanted: ``[N, 3, S, S]`` in [-1, 1].
        rng: of the part of the pictures whose features are compared.
    """
    missed = sum(((a - b).abs().mean() for a, b in zip(energies(made), energies(wanted))), torch.zeros(()))
    side = min(_PART, made.shape[-1])
    y, x = torch.randint(made.shape[-1] - side + 1, (2,), generator=rng).tolist()
    part = (..., slice(y, y + side), slice(x, x + side))
    maps = feature_pairs(features, made[part], wanted[part], precision)
    placed = sum((apart(a, b) for a, b in maps), torch.zeros(()))
    together = sum((apart(_products(a), _products(b)) for a, b in maps), torch.zeros(()))
    return _ENERGIES * missed + _FEATURES * placed + _TOGETHER * together


def fineness(images: Tensor) -> Tensor:
    """Return how much fine structure pictures ``[N, 3, S, S]`` in [-1, 1] have, a scalar: lines and dots of a few pixels."""
    return torch.stack([found[:, ::3].mean() for found in energies(images)[:2]]).sum()


def lacks_texture(made: Tensor, wanted: Tensor) -> bool:
    """Tell whether pictures have clearly less fine structure than those wanted, ``[N, 3, S, S]`` in [-1, 1] each."""
    return bool(fineness(wanted) > _LACKED * fineness(made))


def feature_pairs(features: Features, made: Tensor, wanted: Tensor, precision: Precision) -> list[tuple[Tensor, Tensor]]:
    """Return the finest maps of pictures ``[N, 3, H, W]`` beside those of the pictures wanted, which get no gradient."""
    with precision_context(made.device, precision):
        found = features(made)[:STAGES]
        with torch.no_grad():
            aim = features(wanted)[:STAGES]
    return [(a.float(), b.float()) for a, b in zip(found, aim)]


def apart(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean distance of features from those wanted, ``b``, as a share of how large these are."""
    return (a - b).abs().mean() / (b.abs().mean() + 1e-3)


def _products(features: Tensor) -> Tensor:
    """Return how often each two features occur together, ``[N, C, C]``."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[-1]
