"""Run the StyleCLIP baseline on the faces and photos of one run of the report: it moves the latent and adapts no generator.

Both ways are measured alike: on the pictures as they are stored and shown.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from nada_core.editing.portrait import Portrait
from nada_core.engine import Engine
from nada_core.images.image_io import to_pil, to_tensor
from nada_core.images.sheets import side_by_side
from nada_core.inversion.base import Inversion
from nada_core.losses import GlobalLoss, text_direction
from nada_core.metrics import directional_similarity, identity_distance
from nada_core.report.faces import Measurer, draw
from nada_core.report.pictures import jpeg, open_picture, picture_bytes
from nada_core.report.plan import SAMPLES, LatentPlan
from nada_core.report.results import EditScore, FacePair, LatentResult
from nada_core.system.files import write_bytes

__all__ = ["MOVE_SECONDS", "LatentWork", "pictures_digest"]

#: Rough seconds a step on two cores, only a weight for the time left.
MOVE_SECONDS = 0.2


class _Shown(NamedTuple):
    """Hold one face or photo: its files in the compared run, before and adapted, and its sample number, None for a photo."""

    name: str
    before: str
    adapted: str
    sample: int | None


def _shown(photos: Sequence[str], steps: int) -> list[_Shown]:
    names = [f"face-{index + 1}" for index in range(len(SAMPLES))]
    faces = [_Shown(name, f"{name}-0", f"{name}-{steps}", index) for index, name in enumerate(names)]
    return faces + [_Shown(name, f"{name}-inverted", f"{name}-{steps}", None) for name in photos]


def pictures_digest(folder: Path, photos: Sequence[str], steps: int) -> str:
    """Return a SHA-256 of the compared run's measured pictures: if they change, a stored comparison is worth nothing.

    Raises:
        NadaError: a picture is missing.
    """
    digest = hashlib.sha256()
    for shown in _shown(photos, steps):
        for name in (shown.before, shown.adapted):
            digest.update(hashlib.sha256(picture_bytes(folder / f"{name}.jpg")).digest())
    return digest.hexdigest()


class LatentWork:
    """Move the latents of all shown faces and photos, one after another.

    Args:
        against: folder of the run to compare with.
        last: that run's last step.
        guide: the recogniser of the identity term, another than the one that judges; None: no such term.
    """

    def __init__(
        self,
        engine: Engine,
        plan: LatentPlan,
        measurer: Measurer,
        portraits: Sequence[tuple[str, Portrait]],
        against: Path,
        last: int,
        guide: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.engine, self.plan, self.measurer, self.portraits = engine, plan, measurer, dict(portraits)
        self.guide = guide
        self.files: dict[str, bytes] = {}
        self.rows: list[list[Image.Image]] = []
        self.faces: list[FacePair] = []
        self.against, self.last = against, last
        self.seconds = 0.0

    def steps(self) -> Iterator[tuple[float, str]]:
        """Yield the work done so far and a line of text while moving the latents."""
        start, spent = time.monotonic(), 0.0
        guide = False if self.guide is None else self.guide
        for shown in _shown(list(self.portraits), self.last):
            inversion = self._start(shown)
            for step in self.engine.latent_edit_steps(self.plan.prompt, inversion, options=self.plan.options, identity=guide):
                inversion = replace(inversion, ws=step.ws)
                yield spent + step.index * MOVE_SECONDS, f"{shown.name}, step {step.index}/{step.steps}"
            spent += self.plan.options.steps * MOVE_SECONDS
            before, adapted = (open_picture(self.against / f"{file}.jpg") for file in (shown.before, shown.adapted))
            stored = jpeg(self._render(shown, inversion), 90)
            moved = Image.open(io.BytesIO(stored)).convert("RGB")
            scores = [self._score(shown, before, after) for after in (adapted, moved)]
            self.faces.append(FacePair(shown.name, shown.sample is None, *scores))
            self.files[shown.name] = stored
            self.rows.append([before, adapted, moved])
        self.seconds = time.monotonic() - start

    def _start(self, shown: _Shown) -> Inversion:
        if shown.sample is None:
            return self.portraits[shown.name].inversion
        return Inversion(self.measurer.faces.ws[shown.sample][None])

    def _render(self, shown: _Shown, inversion: Inversion) -> Image.Image:
        """Draw a moved latent as the adapted ones are drawn."""
        if shown.sample is None:
            (picture,) = self.engine.editor.render(replace(self.portraits[shown.name], inversion=inversion))
            return picture
        return to_pil(draw(self.engine.generator, inversion.ws))

    @torch.no_grad()
    def _score(self, shown: _Shown, before: Image.Image, after: Image.Image) -> EditScore:
        engine, prompt = self.engine, self.plan.prompt
        old, new = (to_tensor(picture).to(engine.device) for picture in (before, after))
        direction = text_direction(engine.encoder, self.measurer.source, prompt)
        identity: float | None = None
        if shown.sample is None:
            identity = engine.editor.scores(self.portraits[shown.name], after).identity
        else:
            marks, person = self.measurer.faces.landmarks[shown.sample], self.measurer.faces.people[shown.sample]
            if marks is not None:
                identity = identity_distance(engine.editor.recogniser, person, after, marks)
        return EditScore(
            similarity=round(directional_similarity(engine.encoder, old, new, direction).item(), 4),
            distance=round(GlobalLoss(engine.encoder, prompt)(new).item(), 4),
            identity=None if identity is None else round(identity, 4),
        )

    def result(self) -> LatentResult:
        """Return the numbers, once :meth:`steps` has ended."""
        options = self.plan.options
        return LatentResult(
            name=self.plan.name,
            prompt=self.plan.prompt,
            against=self.plan.against,
            last=self.last,
            steps=options.steps,
            rate=options.lr,
            l2_weight=options.l2_weight,
            faces=tuple(self.faces),
            seconds=round(self.seconds, 1),
            identity_weight=None if self.guide is None else options.identity_weight,
        )

    def write(self, folder: Path) -> None:
        """Write one picture a face, and all of them on a sheet."""
        for name, content in self.files.items():
            write_bytes(folder / f"{name}-moved.jpg", content)
        write_bytes(folder / "comparison.jpg", jpeg(side_by_side(self.rows, ["before", "adapted generator", "moved latent"]), 90))
