"""The faces that gates look at: latents no adaptation and no preview uses, some of them without truncation and turned aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nada_core.alignment.ffhq import FaceDetector
from nada_core.images.image_io import to_pil
from tests.whole.gates.regions import Regions, find_regions, to_rgb

__all__ = ["QUICK", "SWEEP", "FaceSet", "join", "unseen_faces"]

#: (seeds, truncation). Consecutive numbers, not chosen by eye.
QUICK = ((tuple(range(771_001, 771_007)), 0.7),)
SWEEP = ((tuple(range(771_001, 771_013)), 0.7), (tuple(range(772_001, 772_007)), 1.0))


@dataclass(frozen=True)
class FaceSet:
    """Faces before adaptation, ``[N, 3, 256, 256]``, with their regions; ``keys`` are (seed, truncation)."""

    keys: tuple[tuple[int, float], ...]
    before: Tensor
    regions: tuple[Regions, ...]
    landmarks: tuple[np.ndarray, ...]  # [68, 2] each

    def render(self, engine, style) -> Tensor:
        """The same latents in a style, by the engine's public way."""
        parts, keys = [], list(self.keys)
        for psi in sorted({psi for _, psi in keys}):
            seeds = [seed for seed, p in keys if p == psi]
            parts += list(zip([(seed, psi) for seed in seeds], engine.sample(seeds, style=style, resolution=256, truncation_psi=psi)))
        return torch.stack([dict(parts)[key] for key in keys])

    def turned(self, yaw: float = 0.3) -> list[int]:
        """Indices of the faces turned aside."""
        return [i for i, regions in enumerate(self.regions) if regions.yaw >= yaw]


def unseen_faces(engine, seeds: Sequence[int], psi: float, detector: FaceDetector | None = None) -> FaceSet:
    """Plain faces and where their parts are; latents in which the detector finds no face are left out."""
    detector = detector or FaceDetector()
    keys, images, regions, landmarks = [], [], [], []
    for seed, image in zip(seeds, engine.sample(list(seeds), resolution=256, truncation_psi=psi)):
        if found := detector.detect(to_pil(image)):
            keys.append((seed, psi))
            images.append(image)
            landmarks.append(found[0].landmarks)
            regions.append(find_regions(to_rgb(image), found[0].landmarks))
    return FaceSet(tuple(keys), torch.stack(images), tuple(regions), tuple(landmarks))


def join(sets: Sequence[FaceSet]) -> FaceSet:
    """One set of several."""
    return FaceSet(
        tuple(key for s in sets for key in s.keys),
        torch.cat([s.before for s in sets]),
        tuple(regions for s in sets for regions in s.regions),
        tuple(landmarks for s in sets for landmarks in s.landmarks),
    )
