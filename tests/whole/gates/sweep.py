"""Measuring styles: renders the gates' faces in a style, judges them, compares styles with one another and sizes with each other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.alignment.ffhq import FaceRecogniser, distance
from nada_core.images.image_io import to_pil
from nada_core.styles.files import Style, styled
from tests.whole.gates.checks import Verdict, judge
from tests.whole.gates.concepts import CONCEPT_OF, CONCEPTS, DRAWN, IDENTITY, checks_for, keeps_the_person
from tests.whole.gates.faces import FaceSet
from tests.whole.gates.measure import Measures, measure, of_all, rms, weave
from tests.whole.gates.regions import to_lab, to_rgb

__all__ = [
    "CONSISTENT",
    "DISTINCT",
    "WOVEN",
    "Consistency",
    "Result",
    "concept_of",
    "consistency",
    "difference",
    "measure_style",
    "too_alike",
]

#: RMS between the area-downsampled 1024 px picture and the 256 px one, values in [-1, 1].
CONSISTENT = 0.10
#: A fabric of 2, 4 or 8 pixels over a 1024 px face is visible from this amplitude in L on; plain faces have 0.2 to 0.5.
WOVEN = 1.0
#: Two styles are told apart at a glance from here on: RMS over the picture, or over one region of it (19 grey levels).
DISTINCT = 0.06
DISTINCT_REGION = 0.15

Rendering = Callable[[str, Tensor], Tensor]


@dataclass(frozen=True)
class Consistency:
    """Worst RMS between sizes over some faces: as the engine shows them, and of the generator's own two outputs, uncorrected; and the
    strongest woven pattern at 1024 px."""

    shown: float
    generator: float
    woven: float
    drawn: bool = False  # a drawn texture may repeat

    @property
    def failures(self) -> list[str]:
        found = []
        if not self.shown <= CONSISTENT:
            found.append(f"FAIL 1024 px and 256 px are the same picture (RMS <= {CONSISTENT}: {self.shown:.3f})")
        if not self.drawn and not self.woven <= WOVEN:
            found.append(f"FAIL no woven pattern at 1024 px (amplitude <= {WOVEN} L: {self.woven:.2f})")
        return found

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True)
class Result:
    """One style, measured."""

    name: str
    concept: str | None
    after: Tensor
    measures: tuple[Measures, ...]
    verdicts: tuple[Verdict, ...]
    consistency: Consistency | None = None
    seconds: float | None = None  # of the adaptation
    notes: tuple[str, ...] = field(default=())

    @property
    def failures(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if not verdict.passed]

    @property
    def passed(self) -> bool:
        return not self.failures and (self.consistency is None or self.consistency.passed)

    def median(self, name: str) -> float:
        values = [m[name] for m in self.measures if name in m]
        return float(np.median(values)) if values else float("nan")


def concept_of(prompt: str) -> str | None:
    """The row of :data:`~tests.whole.gates.concepts.CONCEPTS` that a prompt belongs to; None where only the general checks apply."""
    name = " ".join(prompt.lower().split())
    key = CONCEPT_OF.get(name, name)
    return key if key in CONCEPTS else None


def judge_pictures(
    name: str, concept: str | None, faces: FaceSet, after: Tensor, recogniser: FaceRecogniser | None = None, **more
) -> Result:
    """Measure pictures ``after`` ``[N, 3, 256, 256]`` of ``faces`` by the checks of ``concept``."""
    together = of_all(faces.before, after)
    measures = tuple(measure(b, a, r) | together for b, a, r in zip(faces.before, after, faces.regions))
    checks = checks_for(concept or "")
    if recogniser:
        for m, before, picture, landmarks in zip(measures, faces.before, torch.nan_to_num(after), faces.landmarks):
            # on the landmarks of the plain face: a painted one may not be found
            m["face.identity"] = distance(*(recogniser.embed(to_pil(image), landmarks) for image in (before, picture)))
        checks = (*checks, IDENTITY) if keeps_the_person(concept or "") else checks
    verdicts = tuple(judge(check, measures) for check in checks)
    return Result(name, concept, after, measures, verdicts, **more)


def measure_style(
    engine, name: str, prompt: str, style: Style | Path, faces: FaceSet, *, large: int = 1, quick: bool = False, **more
) -> Result:
    """Render ``faces`` in ``style`` and judge them; ``large`` faces are also rendered at full size."""
    loaded = style if isinstance(style, Style) else engine.style(style)
    after = faces.render(engine, loaded)
    sizes = consistency(engine, loaded, faces.keys[:large], after, quick=quick) if large else None
    return judge_pictures(name, concept_of(prompt), faces, after, consistency=sizes, **more)


@torch.no_grad()
def consistency(engine, style: Style, keys: Sequence[tuple[int, float]], after: Sequence[Tensor], *, quick: bool = False) -> Consistency:
    """The same latents at both sizes; ``after`` are their small pictures. The engine matches the large picture's low band to the small
    one, so ``shown`` is small whenever that works; ``generator`` tells how much there was to correct (NaN where ``quick``)."""
    adapted = None if quick else styled(engine.generator, style)
    shown, own, woven = [], [], []
    for (seed, psi), picture in zip(keys, after):
        small, large = picture[None], engine.sample([seed], style=style, resolution=1024, truncation_psi=psi)
        woven.append(weave(to_lab(to_rgb(large[0]))[..., 0], (2, 4, 8)))
        shown.append(rms(F.interpolate(large, size=256, mode="area"), small))
        if adapted is None:
            own.append(float("nan"))
            continue
        plain = adapted.synthesis(adapted.mapping(adapted.sample_z([seed]), psi), resolution=1024)
        own.append(rms(F.interpolate(plain, size=256, mode="area"), small))
    return Consistency(max(shown), max(own), max(woven), concept_of(style.card.prompt) in DRAWN)


def difference(one: Tensor, other: Tensor, faces: FaceSet) -> tuple[float, float]:
    """Mean RMS over the faces between two styles' pictures: whole, and in the region where they differ most."""
    whole = [rms(a, b) for a, b in zip(one, other)]
    regional: dict[str, list[float]] = {}
    for a, b, regions in zip(one, other, faces.regions):
        for name in ("skin", "lips", "sockets", "hair", "background", "nose"):
            if name in regions.masks:
                mask = regions.masks[name]
                regional.setdefault(name, []).append(rms(np.asarray(a)[:, mask], np.asarray(b)[:, mask]))
    return float(np.mean(whole)), max(float(np.mean(values)) for values in regional.values())


def too_alike(results: Sequence[Result], faces: FaceSet) -> list[tuple[str, str, float, float]]:
    """Pairs of styles that a person would take for one another, with their whole and regional differences."""
    found = []
    for one, other in itertools.combinations(results, 2):
        whole, regional = difference(one.after, other.after, faces)
        if whole < DISTINCT and regional < DISTINCT_REGION:
            found.append((one.name, other.name, whole, regional))
    return found
