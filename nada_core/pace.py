"""How long an inversion will take here: measured, never assumed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from nada_core.generators.base import Generator
from nada_core.inversion.optimisation import LATENT_STAGE, TUNING_STAGE, InvertOptions, invert
from nada_core.inversion.perceptual import PerceptualLoss

__all__ = ["Pace", "measure_pace"]

#: Finding and describing the face, and rendering the result, in steps of the latent's optimisation.
_AROUND = 4


@dataclass(frozen=True)
class Pace:
    """Seconds a step: of the latent's optimisation, and of the generator's tuning."""

    latent: float
    tuning: float

    def seconds(self, options: InvertOptions) -> float:
        """Estimate for a whole inversion."""
        return (options.latent_steps + _AROUND) * self.latent + options.tuning_steps * self.tuning

    @classmethod
    def from_ticks(cls, ticks: Sequence[tuple[str, float]]) -> Pace | None:
        """Median gaps between the stages of an inversion, ``(name, time)`` each; None where either kind is missing."""
        gaps: dict[str, list[float]] = {}
        for (before, start), (name, end) in itertools.pairwise(ticks):
            if before == name:  # the first step of a kind also prepares it
                gaps.setdefault(name, []).append(end - start)
        if LATENT_STAGE not in gaps or TUNING_STAGE not in gaps:
            return None
        return cls(median(gaps[LATENT_STAGE]), median(gaps[TUNING_STAGE]))


def measure_pace(generator: Generator, perceptual: PerceptualLoss, steps: int = 3) -> Pace:
    """Time a few steps of either kind on the mean face."""
    start = generator.w_avg.expand(1, generator.num_ws, -1)
    photo = generator.synthesis(start, resolution=generator.resolutions[0]).detach().float()
    options = InvertOptions(latent_steps=steps, tuning_steps=steps, preview_every=1000)
    ticks = [(stage.name, time.monotonic()) for stage in invert(generator, perceptual, photo, start, options)]
    pace = Pace.from_ticks(ticks)
    assert pace is not None  # both kinds of steps were taken
    return pace
