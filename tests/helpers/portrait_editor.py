"""The stand-in for the PhotoEditor with the engine's own values, so that they can travel: every number of them comes from the crop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from nada_core.editing.base import EditProgress
from nada_core.editing.portrait import AlignedPhoto, FittedStyle, Portrait
from nada_core.inversion.base import Inversion
from tests.helpers.fake_editor import FakeEditor, FakeFace, middle


class PortraitEditor(FakeEditor):
    """See :class:`.fake_editor.FakeEditor`."""

    def align_found(self, photo: Image.Image, faces: Sequence[FakeFace], face: int) -> AlignedPhoto:
        found = super().align_found(photo, faces, face)
        landmarks = faces[face].landmarks
        return AlignedPhoto(found.photo, found.crop, found.faces, face, landmarks, landmarks / 4)

    def invert_steps(self, aligned: AlignedPhoto, mode: str) -> Iterator[EditProgress]:
        for stage in super().invert_steps(aligned, mode):
            portrait = None
            if stage.portrait is not None:
                seen = torch.from_numpy(np.asarray(aligned.crop).astype(np.float32).mean((0, 1)))
                person = Inversion(seen[None, None], {"conv.weight": seen * 2})
                reference = np.append(aligned.landmarks[:4].ravel(), seen[0])
                portrait = Portrait(aligned, person, middle(aligned.crop, 256), reference, 0.25, 0.125, mode, 1.5)
            yield EditProgress(stage.stage, stage.fraction, stage.image, portrait)

    def fit_steps(self, portrait: Portrait, style: Any) -> Iterator[EditProgress]:
        for stage in super().fit_steps(portrait, style):
            fitted = None
            if stage.fitted is not None:
                delta = {"conv.weight": portrait.inversion.offsets["conv.weight"] + style.amount, "ws": portrait.inversion.ws}
                fitted = FittedStyle(style.card.name, style.card.prompt, delta)
            yield EditProgress(stage.stage, stage.fraction, stage.image, None, fitted)
