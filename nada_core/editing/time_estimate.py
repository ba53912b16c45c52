"""Estimate how long an edit will take on this device: measured, never assumed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from nada_core.editing.base import FITTING_STAGE
from nada_core.editing.style_fit import PersonalOptions, fit_style
from nada_core.encoders.base import ImageTextEncoder, ReadsLooks
from nada_core.errors import PromptError
from nada_core.generators.base import Generator
from nada_core.inversion.base import Inversion
from nada_core.inversion.optimisation import LATENT_STAGE, TUNING_STAGE, InvertOptions, invert
from nada_core.inversion.perceptual import PerceptualLoss

__all__ = ["Pace", "pace_ticks"]

#: Cutting out and describing the face, a first guess, and measuring the result, in steps of the latent's optimisation.
_AROUND = 6
#: Preparing the fit of a style and drawing its result, in steps of it.
_AROUND_FIT = 2

Tick = tuple[str, float]  # the name of a stage, and when it was reached (s)


@dataclass(frozen=True)
class Pace:
    """Hold the seconds a step of each kind of work takes, by the name of its stage; kinds that have not been timed are missing."""

    step: Mapping[str, float] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Tell whether every kind of work has been timed."""
        return all(name in self.step for name in (LATENT_STAGE, TUNING_STAGE, FITTING_STAGE))

    def after(self, ticks: Sequence[Tick]) -> Pace:
        """Return this pace updated with what these stages took: for each kind the median gap between two of them."""
        gaps: dict[str, list[float]] = {}
        for (before, start), (name, end) in itertools.pairwise(ticks):
            if before == name:  # the first step of a kind also prepares it
                gaps.setdefault(name, []).append(end - start)
        return Pace({**self.step, **{name: median(values) for name, values in gaps.items()}})

    def seconds(self, options: InvertOptions, portraits: int = 1, looks: int = 1) -> float:
        """Estimate the seconds for so many inversions and so many styles fitted to a person. Needs a complete pace."""
        latent, tuning, fitting = (self.step[name] for name in (LATENT_STAGE, TUNING_STAGE, FITTING_STAGE))
        portrait = (options.latent_steps + _AROUND) * latent + options.tuning_steps * tuning
        return portraits * portrait + looks * (PersonalOptions().steps + _AROUND_FIT) * fitting


def pace_ticks(generator: Generator, perceptual: PerceptualLoss, encoder: ImageTextEncoder, steps: int = 3) -> Iterator[Tick]:
    """Take a few steps of each kind on the mean face, and yield when each was done."""
    start = generator.w_avg.expand(1, generator.num_ws, -1)
    photo = generator.synthesis(start, resolution=generator.resolutions[0]).detach().float()
    options = InvertOptions(latent_steps=steps, tuning_steps=steps, preview_every=1000)
    for stage in invert(generator, perceptual, photo, start, options):
        yield stage.name, time.monotonic()
    try:
        look = encoder.look("Joker") if isinstance(encoder, ReadsLooks) else None
        options_of_fit = PersonalOptions(steps=steps)
        for _ in fit_style(
            generator, encoder, {}, Inversion(start.detach()), source="face", prompt="Joker", look=look, options=options_of_fit
        ):
            yield FITTING_STAGE, time.monotonic()
    except PromptError:  # an encoder without words of its own fits nothing: see PhotoEditor.fit_steps
        now = time.monotonic()
        yield FITTING_STAGE, now
        yield FITTING_STAGE, now
