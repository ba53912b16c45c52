"""Plan the report's runs: five prompts with the baseline, one changed factor at a time for "Joker", StyleCLIP on its faces."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from nada_core.adaptation.latent_edit import LatentOptions
from nada_core.adaptation.options import AdaptOptions
from nada_core.looks.prompts import SOURCE_PROMPTS

__all__ = ["SAMPLES", "SOURCE_RATE", "UNSEEN", "LatentPlan", "Plan", "RunPlan", "make_plan"]

#: Seeds of the four faces that are shown, as many as the source shows.
SAMPLES = (3, 11, 27, 42)
#: Seeds of the faces that are measured: no run trains on any of them.
UNSEEN = (*SAMPLES, 1001, 1002, 1003, 1004)
#: Adam's step size in the source; the full world's rate.
SOURCE_RATE = 2e-3


@dataclass(frozen=True)
class RunPlan:
    """Describe one adaptation. ``changed`` says what differs from the baseline, empty for the baseline itself."""

    name: str
    title: str
    prompt: str
    options: AdaptOptions
    changed: str = ""
    probes: tuple[int, ...] = ()
    """Steps after which faces are measured; the last is the run's last step."""

    def settings(self) -> dict[str, Any]:
        """Return all that decides the outcome, ready for JSON."""
        options = {key: value for key, value in asdict(self.options).items() if not key.startswith("preview_")}
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()}
        return {"prompt": self.prompt, "options": plain, "probes": list(self.probes)}


@dataclass(frozen=True)
class LatentPlan:
    """Describe the StyleCLIP baseline, on the faces and photos that the run ``against`` shows."""

    name: str
    title: str
    prompt: str
    against: str
    options: LatentOptions

    def settings(self) -> dict[str, Any]:
        """Return all that decides the outcome, ready for JSON."""
        return {"prompt": self.prompt, "against": self.against, "options": asdict(self.options)}


@dataclass(frozen=True)
class Plan:
    """Hold all runs; the state after step ``half`` is kept beside the last; ``fitted``: styles are fitted to each photo."""

    world: str
    quick: bool
    half: int
    steps: int
    fitted: bool
    faces: tuple[int, ...]
    """Seeds of the faces that are measured, the shown ones first."""
    runs: tuple[RunPlan, ...]
    latent: LatentPlan
    """Done after the runs."""


def make_plan(world: str, rate: Callable[[str], float], *, quick: bool = False, seed: int = 0) -> Plan:
    """Return the runs of one report.

    Args:
        world: ``starter`` or ``full``.
        rate: the baseline's step size for a prompt.
        quick: a seventh of the steps, half the faces, no pool of four: a look at the page within minutes.
        seed: seed of the training latents and crops.
    """
    half, steps = (14, 28) if quick else (100, 200)
    probes = (7, half, steps) if quick else (10, 25, 50, half, 150, steps)

    def run(name: str, title: str, prompt: str, changed: str = "", factor: float = 1.0, **more: Any) -> RunPlan:
        options = AdaptOptions(
            steps=steps,
            batch=2,
            lr=rate(prompt) * factor,
            layers=more.get("layers", "all"),
            latent_pool=more.get("pool"),
            seed=seed,
            start="",
            preview_seeds=SAMPLES,
            preview_seconds=math.inf,
        )
        return RunPlan(name, title, prompt, options, changed, probes)

    runs = [run(prompt.lower().replace(" ", "-"), prompt, prompt) for prompt in SOURCE_PROMPTS]
    joker = SOURCE_PROMPTS[0]
    runs.append(run("joker-texture", "Joker, texture layers", joker, "texture layers only", layers="texture"))
    for pool in (1, 2) if quick else (1, 2, 4):
        faces = "1 training face" if pool == 1 else f"{pool} training faces"
        runs.append(run(f"joker-pool-{pool}", f"Joker, {faces}", joker, f"{faces} instead of fresh ones", pool=pool))
    runs.append(run("joker-rate-third", "Joker, a third of the rate", joker, "a third of the rate", 1 / 3))
    runs.append(run("joker-rate-triple", "Joker, three times the rate", joker, "three times the rate", 3.0))
    moved = LatentPlan("styleclip", "Moving the latent instead (StyleCLIP)", joker, runs[0].name, LatentOptions(steps=steps, seed=seed))
    return Plan(world, quick, half, steps, not quick, SAMPLES if quick else UNSEEN, tuple(runs), moved)
