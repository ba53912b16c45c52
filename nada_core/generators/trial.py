"""Draw one face with a generator that was just loaded: finite weights may still draw nothing."""

from __future__ import annotations

import torch

from nada_core.errors import GeneratorError
from nada_core.generators.base import Generator

__all__ = ["LARGEST_WEIGHT", "check_draws"]

#: Largest number that weights hold: those of published networks stay below some thousands, and one huge number spoils some faces only.
LARGEST_WEIGHT = 1e6
#: Values of a picture lie in about [-1, 1]; networks that were never trained reach some tens.
_LARGEST = 1000.0
#: Least spread of a picture's values as they are shown, cut to [-1, 1]; one grey level is 1 / 128.
_FLAT = 1e-4


@torch.no_grad()
def check_draws(generator: Generator, file: str) -> None:
    """Render one seeded face at the smallest size and look at its numbers.

    Raises:
        GeneratorError: it is not finite, far outside what a picture holds, or of one colour.
    """
    ws = generator.mapping(generator.sample_z([0]), 0.7)
    image = generator.synthesis(ws, resolution=generator.resolutions[0])
    if not torch.isfinite(image).all():
        problem = "draws NaN or infinity"
    elif image.abs().max() > _LARGEST:
        problem = f"draws values up to {image.abs().max():.1e} where a picture has about 1"
    elif image.clamp(-1, 1).std() < _FLAT:
        problem = "draws pictures of one colour"
    else:
        return
    raise GeneratorError(f"The network in '{file}' {problem}: its weights are finite but make no sense. It is damaged; download it again.")
