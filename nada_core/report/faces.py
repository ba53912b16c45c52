"""Measure a style on a fixed set of generated faces, the same for every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nada_core.engine import Engine
from nada_core.generators.base import Generator
from nada_core.generators.rendering import render
from nada_core.images.image_io import to_pil
from nada_core.looks.prompts import SOURCE_PROMPTS
from nada_core.losses import text_direction
from nada_core.metrics import directional_similarity, diversity, identity_distance
from nada_core.report.results import Probe
from nada_core.report.zones import ZONES, colour_change, find_zones, mouth_width, redness, to_lab
from nada_core.styles.files import Style, styled

__all__ = ["FaceSet", "Measurer", "draw"]


@torch.no_grad()
def draw(generator: Generator, ws: Tensor) -> Tensor:
    """Render ``ws``, one at a time, as pictures ``[N, 3, R, R]`` in [-1, 1] at the generator's smallest size."""
    return torch.cat([render(generator, row[None], generator.resolutions[0]) for row in ws]).clamp(-1, 1)


@dataclass(frozen=True)
class FaceSet:
    """Hold latents and what is known of their pictures before any adaptation; None where no detector finds a face."""

    ws: Tensor
    originals: Tensor
    pictures: tuple[Image.Image, ...]
    landmarks: tuple[NDArray[np.float64] | None, ...]
    people: tuple[Any, ...]


class Measurer:
    """Measure styles on one set of faces.

    Args:
        engine: generator, encoder and editor are used.
        seeds: seeds of the faces.
        truncation: truncation of their latents, as in training.
    """

    def __init__(self, engine: Engine, seeds: Sequence[int], truncation: float, source: str = "face") -> None:
        self.engine, self.truncation, self.source = engine, truncation, source
        base = engine.generator
        with torch.no_grad():
            ws = base.mapping(base.sample_z(seeds), truncation)
        originals = draw(base, ws)
        pictures = tuple(to_pil(picture) for picture in originals)
        found = [engine.editor.detector.detect(picture) for picture in pictures]
        landmarks = tuple(faces[0].landmarks if faces else None for faces in found)
        recogniser = engine.editor.recogniser
        people = tuple(None if marks is None else recogniser.embed(p, marks) for p, marks in zip(pictures, landmarks, strict=True))
        self.faces = FaceSet(ws, originals, pictures, landmarks, people)

    def adapted(self, style: Style) -> Tensor:
        """Render the faces in a style, ``[N, 3, R, R]``."""
        base = self.engine.generator
        return draw(styled(base, style), self.faces.ws)

    def measure(self, step: int, prompt: str, images: Tensor, *, smiles: bool = False) -> Probe:
        """Return all numbers of the faces' pictures ``[N, 3, R, R]`` after a step; ``smiles``: find faces in them anew, which is slow."""
        encoder, faces = self.engine.encoder, self.faces
        similar = {
            text: directional_similarity(encoder, faces.originals, images, text_direction(encoder, self.source, text)).mean().item()
            for text in {prompt, SOURCE_PROMPTS[0]}
        }
        identities, changes, lips, wider = [], [], [], []
        for before, after, marks, person in zip(faces.pictures, (to_pil(i) for i in images), faces.landmarks, faces.people, strict=True):
            if marks is None:
                continue
            identities.append(identity_distance(self.engine.editor.recogniser, person, after, marks))
            zones, lab0, lab1 = find_zones(before.size, marks), to_lab(before), to_lab(after)
            changes.append({name: colour_change(lab0, lab1, zones[name]) for name in ZONES if name in zones})
            red0, red1 = redness(lab0, zones), redness(lab1, zones)
            lips += [] if red0 is None or red1 is None else [red1 - red0]
            found = self.engine.editor.detector.detect(after) if smiles else []
            wider += [mouth_width(found[0].landmarks) / mouth_width(marks) - 1] if found else []
        by_zone = {name: [change[name] for change in changes if name in change] for name in ZONES}
        return Probe(
            step=step,
            similarity=round(similar[prompt], 4),
            closeness=round(similar[SOURCE_PROMPTS[0]], 4),
            diversity=round(diversity(self.engine.editor.perceptual, images, faces.originals), 4),
            identity=_mean(identities),
            change={name: round(float(np.mean(values)), 2) for name, values in by_zone.items() if values},
            lips=_mean(lips),
            smile=_mean(wider),
        )

    def training_similarity(self, prompt: str, style: Style, latents: Tensor) -> float:
        """Return the directional similarity on the latents ``[N, z_dim]`` a run was trained on, to compare with unseen ones."""
        base = self.engine.generator
        with torch.no_grad():
            ws = base.mapping(latents.to(base.device), self.truncation)
        before, after = draw(base, ws), draw(styled(base, style), ws)
        direction = text_direction(self.engine.encoder, self.source, prompt)
        return round(directional_similarity(self.engine.encoder, before, after, direction).mean().item(), 4)


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None
