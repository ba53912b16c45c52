"""Photos: find the face, align it, invert it, render it in a style, and say whether it is still the same person."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor

from nada_core.alignment import Face, FaceDetector, FaceRecogniser, choose_face, crop_face, crop_landmarks, distance
from nada_core.checkpoints import Style, apply_style
from nada_core.device import precision_context
from nada_core.encoders.base import ImageTextEncoder
from nada_core.errors import PromptError
from nada_core.generators.base import Generator
from nada_core.images import decode_photo, to_pil, to_tensor
from nada_core.inversion.base import Inversion
from nada_core.inversion.optimisation import InvertOptions, invert
from nada_core.inversion.perceptual import PerceptualLoss
from nada_core.inversion.starter import StarterInverter
from nada_core.personal import PersonalStep, add_offsets, fit_style
from nada_core.rendering import render

__all__ = ["AlignedPhoto", "EditProgress", "EditResult", "PhotoEditor"]


@dataclass(frozen=True)
class AlignedPhoto:
    """The chosen face of a photo: its FFHQ crop (1024 px), all faces found, and the landmarks in a 256 px crop [68, 2]."""

    crop: Image.Image
    faces: tuple[Face, ...]
    face: int
    landmarks: Any = field(repr=False)


@dataclass(frozen=True)
class EditResult:
    """Pictures of equal size; identity values are dlib distances to the aligned photo (below 0.6: the same person)."""

    aligned: Image.Image
    inverted: Image.Image
    edited: Image.Image
    identity_inverted: float | None
    identity_edited: float | None
    faces: int
    face: int
    seconds: float
    notes: tuple[str, ...] = ()
    inversion: Inversion | None = field(default=None, repr=False)


@dataclass(frozen=True)
class EditProgress:
    """One stage of an edit: what is being done, the share done, a picture where there is a new one, and the result at the end."""

    stage: str
    fraction: float
    image: Image.Image | None = None
    result: EditResult | None = None


class PhotoEditor:
    """Holds the networks; photos and inversions are values that go in and come out."""

    def __init__(
        self, generator: Generator, inverter: StarterInverter, perceptual: PerceptualLoss, encoder: ImageTextEncoder | None = None
    ) -> None:
        self.generator, self.inverter, self.perceptual, self.encoder = generator, inverter, perceptual, encoder
        self.detector, self.recogniser = FaceDetector(), FaceRecogniser()

    def align(self, image: Any, face: int = 0) -> AlignedPhoto:
        """Decode, detect and crop; ``face`` counts from the largest.

        Raises:
            PhotoError: unreadable picture; NoFaceError: no face in it, or not that many.
        """
        photo = decode_photo(image)
        faces = self.detector.detect(photo)
        chosen = choose_face(faces, face)
        return AlignedPhoto(crop_face(photo, chosen.landmarks, 1024), tuple(faces), face, crop_landmarks(chosen.landmarks, 256))

    def target(self, image: Any) -> Image.Image:
        """A picture that shows a style, 256 px: its largest face aligned as the generator's faces are, or, without one, its middle square.

        Raises:
            PhotoError: unreadable picture.
        """
        picture = decode_photo(image)
        if faces := self.detector.detect(picture):
            return crop_face(picture, faces[0].landmarks, 256)
        return ImageOps.fit(picture, (256, 256), Image.Resampling.LANCZOS)

    def first_guess(self, photo: Tensor) -> Tensor:
        """The encoder's codes ``[1, num_ws, w_dim]`` for a crop ``[1, 3, 256, 256]`` in [-1, 1]."""
        with torch.no_grad(), precision_context(self.generator.device):
            w = self.inverter(photo)
        return w.float()[:, None].expand(-1, self.generator.num_ws, -1)

    def identity(self, reference: Any, image: Image.Image, landmarks: Any) -> float:
        """dlib distance of a 256 px ``image`` to the ``reference`` embedding, measured on the known landmarks: paint cannot hide them."""
        return round(float(distance(reference, self.recogniser.embed(image, landmarks))), 4)

    def edit_steps(
        self,
        image: Any,
        style: Style | None,
        *,
        strength: float = 1.0,
        face: int = 0,
        resolution: int = 256,
        options: InvertOptions | None = None,
    ) -> Iterator[EditProgress]:
        """Stages of an edit; the last one carries the result."""
        start = time.monotonic()
        yield EditProgress("looking for the face", 0.0)
        aligned = self.align(image, face)
        small = aligned.crop.resize((256, 256), Image.Resampling.LANCZOS)
        yield EditProgress("face found", 0.05, small)
        photo = to_tensor(small).to(self.generator.device)
        inversion = Inversion(self.first_guess(photo))
        for stage in invert(self.generator, self.perceptual, photo, inversion.ws, options):
            inversion = stage.inversion
            picture = None if stage.image is None else to_pil(stage.image)
            yield EditProgress(stage.name, 0.05 + 0.7 * stage.fraction, picture)
        personal: dict[str, Tensor] = {}
        for step in self.fit(style, inversion):
            picture = to_pil(step.image) if step.index % 5 == 0 else None
            yield EditProgress("painting", 0.75 + 0.2 * step.index / step.steps, picture)
            personal = step.offsets
        result = self.finish(aligned, inversion, style, strength, resolution, time.monotonic() - start, personal)
        yield EditProgress("done", 1.0, result.edited, result)

    def fit(self, style: Style | None, inversion: Inversion) -> Iterator[PersonalStep]:
        """Steps that fit the style to the person; none where the encoder does not know what the style was made to look like."""
        if style is None or self.encoder is None:
            return
        try:
            yield from fit_style(self.generator, self.encoder, style, inversion)
        except PromptError:
            return

    def finish(
        self,
        photo: AlignedPhoto,
        inversion: Inversion,
        style: Style | None,
        strength: float,
        resolution: int,
        seconds: float,
        personal: dict[str, Tensor] | None = None,
    ) -> EditResult:
        """Render the inversion with and without the style and score both against the photo; ``personal`` is what :meth:`fit` ended with."""
        begun = time.monotonic()
        working = copy.deepcopy(self.generator)
        pictures = {}
        for name, chosen in (("inverted", None), ("edited", style)):
            apply_style(working, self.generator, chosen, strength)
            add_offsets(working, dict(inversion.offsets))
            if chosen is not None:
                add_offsets(working, personal, strength)
            pictures[name] = to_pil(render(working, inversion.ws, resolution).clamp(-1, 1))
        small = {n: p.resize((256, 256), Image.Resampling.LANCZOS) for n, p in {"aligned": photo.crop, **pictures}.items()}
        reference = self.recogniser.embed(small["aligned"], photo.landmarks)
        scores = {n: self.identity(reference, small[n], photo.landmarks) for n in pictures}
        notes = []
        if len(photo.faces) > 1:
            notes.append(f"{len(photo.faces)} faces found; number {photo.face + 1} by size was used.")
        chosen_face = photo.faces[photo.face]
        if chosen_face.size < 80:
            notes.append(f"The face is only {chosen_face.size:.0f} pixels wide: a closer photo gives a better likeness.")
        if scores["inverted"] > 0.45:
            notes.append("The likeness is weak: try a photo that looks at the camera, evenly lit, nothing in front of the face.")
        crop = photo.crop.resize((resolution, resolution), Image.Resampling.LANCZOS)
        return EditResult(
            aligned=crop,
            inverted=pictures["inverted"],
            edited=pictures["edited"],
            identity_inverted=scores["inverted"],
            identity_edited=scores["edited"],
            faces=len(photo.faces),
            face=photo.face,
            seconds=seconds + time.monotonic() - begun,
            notes=tuple(notes),
            inversion=inversion,
        )
