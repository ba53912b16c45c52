"""Edit photos: find the face, align it, invert it, render it in a style, and say whether it is still the same person."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from nada_core.adaptation.target_pictures import check_content
from nada_core.alignment.by_hand import landmarks_from_points
from nada_core.alignment.ffhq import Face, FaceDetector, FaceRecogniser, choose_face, crop_face, crop_landmarks
from nada_core.editing.base import FITTING_STAGE, EditProgress, EditResult, EditStages, InstantFace
from nada_core.editing.face_check import draws_aligned_faces
from nada_core.editing.notes import ONLY_FACES, photo_notes, result_notes
from nada_core.editing.paste import change_back, head_mask, oval_mask, paste_back
from nada_core.editing.portrait import AlignedPhoto, FittedStyle, Portrait, Scores, render_portrait
from nada_core.editing.style_fit import fit_style
from nada_core.editing.time_estimate import Pace, pace_ticks
from nada_core.encoders.base import ImageTextEncoder, ReadsLooks
from nada_core.errors import NoFaceError, PromptError
from nada_core.generators.base import Generator
from nada_core.images.image_io import decode_photo, file_name, to_pil, to_tensor
from nada_core.images.transparency import on_white, repainted
from nada_core.inversion.base import Inversion, InversionStage
from nada_core.inversion.optimisation import invert, invert_options
from nada_core.inversion.perceptual import PerceptualLoss
from nada_core.inversion.photo_encoder import PhotoEncoder
from nada_core.inversion.starter import StarterInverter
from nada_core.looks.look import Look
from nada_core.metrics import identity_distance, likeness, reconstruction_error
from nada_core.students.wear import changed_crop, changed_planes
from nada_core.styles.files import Style, StyleCard
from nada_core.styles.mixing import Strength, style_delta, sum_deltas
from nada_core.system.device import precision_context

__all__ = ["PhotoEditor"]


class PhotoEditor:
    """Edit photos with networks that it holds; photos, portraits and styles are values that go in and come out.

    ``inverter`` is None where no photo encoder knows the generator: inversions then start from the mean face.
    """

    def __init__(
        self,
        generator: Generator,
        inverter: StarterInverter | PhotoEncoder | None,
        perceptual: PerceptualLoss,
        encoder: ImageTextEncoder,
        base_hash: str | None = None,
    ) -> None:
        self.generator, self.inverter, self.perceptual, self.encoder = generator, inverter, perceptual, encoder
        self.detector, self.recogniser = FaceDetector(), FaceRecogniser()
        self._base_hash = base_hash
        self._pace = Pace()

    @cached_property
    def for_faces(self) -> bool:
        """Tell whether the generator draws faces placed as FFHQ's: known of the starter's, measured once on the mean picture of others."""
        return isinstance(self.inverter, StarterInverter) or draws_aligned_faces(self.generator, self.detector)

    def warm_up(self, image: Any) -> None:
        """Load the face models in advance, by finding and describing the face in a picture.

        Raises:
            PhotoError: unreadable picture. AssetError: a model is missing.
        """
        photo, faces = self.find(image)
        if faces:
            self.recogniser.embed(photo, faces[0].landmarks)

    # -- finding the face

    def find(self, image: Any, everyone: bool = False) -> tuple[Image.Image, tuple[Face, ...]]:
        """Return the decoded photo, RGBA where it has transparent places, and its faces, largest first; none is no error here.

        Args:
            everyone: look for turned and half covered faces beside clear ones as well, which takes some seconds more.

        Raises:
            PhotoError: unreadable picture.
        """
        photo = decode_photo(image, alpha=True)
        return photo, tuple(self.detector.detect(photo, everyone))

    def align(self, image: Any, face: int = 0, points: Sequence[Sequence[float]] | None = None) -> AlignedPhoto:
        """Decode a photo, find its faces and return the chosen one, cut out and aligned.

        Args:
            face: which face, counted from the largest.
            points: instead of a detector's face, the places ``(x, y)`` of the person's eye on the picture's left, the one on its right, and
                the middle of the mouth, in pixels of the upright photo.

        Raises:
            PhotoError: unreadable picture, or points that form no face; NoFaceError: no face in it; OptionsError: not that many.
        """
        if points is not None:
            return self.align_by_hand(decode_photo(image, alpha=True), points)
        photo, faces = self.find(image)
        return self.align_found(photo, faces, face)

    def align_found(self, photo: Image.Image, faces: Sequence[Face], face: int) -> AlignedPhoto:
        """Return one of the faces that :meth:`find` found in a photo, cut out and aligned."""
        try:
            chosen = choose_face(faces, face)
        except NoFaceError as error:
            raise error if self.for_faces else NoFaceError(f"No human face was found in the picture. {ONLY_FACES}") from None
        return _aligned(photo, chosen.landmarks, tuple(faces), face)

    def align_by_hand(self, photo: Image.Image, points: Sequence[Sequence[float]]) -> AlignedPhoto:
        """Return the face at these places of the eyes and the mouth (see :meth:`align`), cut out and aligned."""
        return _aligned(photo, landmarks_from_points(points), (), -1)

    def align_people(
        self, image: Any, face: int = 0, points: Sequence[Sequence[float]] | None = None, everyone: bool = False
    ) -> list[AlignedPhoto]:
        """Return one aligned face, or everyone's that is found, largest first; eyes and mouth that are given are one person's."""
        if points is not None or not everyone:
            return [self.align(image, face, points)]
        photo, faces = self.find(image, everyone=True)
        return [self.align_found(photo, faces, number) for number in range(max(len(faces), 1))]

    def target(self, image: Any) -> Image.Image:
        """Return a picture that shows a style, 256 px: its largest face aligned as the generator's are, or, without one, its middle square.

        Where the generator draws no faces, one in the picture is a passer-by's: the middle square it is.

        Raises:
            PhotoError: unreadable picture, or a file that shows nothing but one colour.
        """
        picture = decode_photo(image)
        faces = self.detector.detect(picture) if self.for_faces else []
        square = crop_face(picture, faces[0].landmarks, 256) if faces else ImageOps.fit(picture, (256, 256), Image.Resampling.LANCZOS)
        if name := file_name(image):  # pictures without a name are told apart by their number where the adaptation begins
            check_content(square, name)
        return square

    # -- inversion

    def first_guess(self, photo: Tensor) -> Iterator[InversionStage]:
        """Yield the encoder's codes for a crop ``[1, 3, R, R]`` in [-1, 1]: one stage, or, from an encoder that looks again, several.

        Raises:
            GeneratorError: the encoder was made for a generator of another size.
        """
        if isinstance(self.inverter, PhotoEncoder):
            yield from self.inverter.stages(photo, self.generator)
            return
        w = self.generator.w_avg[None]
        if self.inverter is not None:
            with torch.no_grad(), precision_context(self.generator.device):
                w = self.inverter(photo).float()
        yield InversionStage("encoding", 1.0, None, Inversion(w[:, None].expand(-1, self.generator.num_ws, -1)))

    @property
    def paced(self) -> bool:
        """Tell whether this device's pace is known."""
        return self._pace.complete

    def take_pace(self) -> Iterator[None]:
        """Time a few steps of each kind of work, one item a step. Does nothing where the pace is known already from earlier edits."""
        ticks = []
        for tick in () if self.paced else pace_ticks(self.generator, self.perceptual, self.encoder):
            ticks.append(tick)
            yield
        self._pace = self._pace.after(ticks)

    def seconds(self, mode: str, portraits: int = 1, looks: int = 1) -> float:
        """Return how long it takes on this device to invert so many faces and to fit so many styles to a person.

        From the last edits, or, before there were any, from a few timed steps.

        Raises:
            OptionsError: no such mode.
        """
        options = invert_options(mode)
        for _ in self.take_pace():
            pass
        return self._pace.seconds(options, portraits, looks)

    def invert_steps(self, aligned: AlignedPhoto, mode: str = "balanced") -> EditStages:
        """Yield ever better inversions; the last item carries the :class:`Portrait`.

        Raises:
            OptionsError: no such mode.
        """
        start, options = time.monotonic(), invert_options(mode)
        small = aligned.crop.resize((256, 256), Image.Resampling.LANCZOS)
        side = self.generator.resolutions[0]
        photo = to_tensor(aligned.crop.resize((side, side), Image.Resampling.LANCZOS)).to(self.generator.device)
        for stage in self.first_guess(photo):
            inversion = stage.inversion
            if stage.image is not None:
                yield EditProgress(stage.name, 0.0, to_pil(stage.image))
        ticks: list[tuple[str, float]] = []
        for stage in invert(self.generator, self.perceptual, photo, inversion.ws, options):
            inversion = stage.inversion
            ticks.append((stage.name, time.monotonic()))
            yield EditProgress(stage.name, stage.fraction, None if stage.image is None else to_pil(stage.image))
        self._pace = self._pace.after(ticks)
        (rebuilt,) = render_portrait(self.generator, inversion, resolution=side)
        picture, reference = to_pil(rebuilt), self.recogniser.embed(small, aligned.landmarks)
        identity = self.identity(aligned, picture, reference)
        error = reconstruction_error(rebuilt, photo).item()
        portrait = Portrait(aligned, inversion, picture, reference, identity, error, mode, time.monotonic() - start)
        yield EditProgress("person found", 1.0, picture, portrait=portrait)

    # -- styles

    def fit_steps(self, portrait: Portrait, style: Style) -> EditStages:
        """Fit a style to the person; the last item carries the :class:`FittedStyle` value.

        A style is fitted to what it was made from: the look that its text was read as, or its text where the encoder reads texts. One
        made from pictures, or by another program, is worn as it is: its name is only a name.

        Raises:
            StyleError: made for another generator.
        """
        card = style.card
        delta = style_delta(style, self.generator, self._base_hash)
        ticks: list[tuple[str, float]] = []
        look = look_of(card) if isinstance(self.encoder, ReadsLooks) and card.made_from != "pictures" else None
        if look is None and (isinstance(self.encoder, ReadsLooks) or card.made_from != "text"):
            yield EditProgress("painted", 1.0, fitted=FittedStyle(card.name, card.prompt, delta))
            return
        try:
            steps = fit_style(self.generator, self.encoder, delta, portrait.inversion, source=card.source, prompt=card.prompt, look=look)
            for step in steps:
                ticks.append((FITTING_STAGE, time.monotonic()))
                yield EditProgress(FITTING_STAGE, step.index / (step.steps + 1), to_pil(step.image) if step.index % 5 == 0 else None)
                delta = sum_deltas(delta, step.offsets) if step.offsets else delta
        except PromptError:
            pass
        self._pace = self._pace.after(ticks)
        yield EditProgress("painted", 1.0, fitted=FittedStyle(card.name, card.prompt, delta))

    def render(
        self,
        portrait: Portrait,
        fitted: Sequence[tuple[FittedStyle, float]] = (),
        strengths: Sequence[Strength] = (Strength(),),
        resolution: int | None = None,
    ) -> list[Image.Image]:
        """Return the person in a blend of styles, one picture for each strength; by default at the generator's smallest size."""
        resolution = resolution or self.generator.resolutions[0]
        return [to_pil(p) for p in render_portrait(self.generator, portrait.inversion, fitted, strengths, resolution)]

    def paste(self, portrait: Portrait, edited: Image.Image, inverted: Image.Image, onto: Image.Image | None = None) -> Image.Image:
        """Return the photo, or ``onto``, the same photo with another face already replaced, with the edited face in it.

        Its transparent places stay as they are.
        """
        aligned = portrait.aligned
        mask = self.head(aligned.crop, aligned.landmarks, edited)
        photo = aligned.photo if onto is None else onto
        pasted = paste_back(on_white(photo), aligned.photo_landmarks, edited, mask, inverted=inverted, aligned=aligned.crop)
        return pasted if photo.mode == "RGB" else repainted(photo, pasted)

    def paste_change(self, face: InstantFace, onto: Image.Image | None = None) -> Image.Image:
        """Return the photo, or ``onto``, with a student's change in it, on the photo's own pixels.

        Its transparent places stay as they are.
        """
        aligned, change = face
        photo = aligned.photo if onto is None else onto
        mask = self.head(aligned.crop, aligned.landmarks, changed_crop(aligned.crop, change, 256))
        pasted = change_back(on_white(photo), aligned.photo_landmarks, changed_planes(change), mask)
        return pasted if photo.mode == "RGB" else repainted(photo, pasted)

    def head(self, crop: Image.Image, landmarks: NDArray, edited: Image.Image | None = None, size: int = 512) -> NDArray:
        """Return a soft mask ``[size, size]`` of the head in a crop, or after the edit; ``landmarks`` are in its 256 px version.

        Raises:
            PhotoError: no head is seen.
        """
        if not isinstance(self.encoder, ReadsLooks):
            return oval_mask(landmarks, size)
        pictures = [picture for picture in (crop, edited) if picture is not None]
        seen = [self.encoder.regions(to_tensor(p.resize((256, 256))).to(self.generator.device))[0].cpu().numpy() for p in pictures]
        return head_mask(seen[0], seen[1] if len(seen) > 1 else None, size)

    # -- scores

    def identity(self, aligned: AlignedPhoto, image: Image.Image, reference: Any) -> float:
        """Return dlib's distance of a picture of the crop to the photo's description ``reference``, on the photo's own landmarks."""
        small = image.resize((256, 256), Image.Resampling.LANCZOS)
        return round(identity_distance(self.recogniser, reference, small, aligned.landmarks), 4)

    def scores(self, portrait: Portrait, image: Image.Image) -> Scores:
        """Measure how much of the person is left in a rendered picture."""
        identity = self.identity(portrait.aligned, image, portrait.reference)
        return Scores(identity, likeness(identity))

    def notes(self, portrait: Portrait, edited: float | None = None) -> tuple[str, ...]:
        """Return what to tell the person about photo and result, whose distance to the photo is ``edited``; None without a style."""
        result = result_notes(portrait.identity, edited, portrait.mode) if self.for_faces else [ONLY_FACES]
        return (*photo_notes(portrait.aligned), *result)

    def finish(self, portrait: Portrait, fitted: Sequence[tuple[FittedStyle, float]], strength: Strength, resolution: int) -> EditResult:
        """Render the inversion with and without the styles and score both against the photo."""
        start, aligned = time.monotonic(), portrait.aligned
        inverted = portrait.rebuilt
        if resolution != inverted.width:
            (inverted,) = self.render(portrait, resolution=resolution)
        (edited,) = self.render(portrait, fitted, (strength,), resolution) if fitted else (inverted,)
        scores = self.scores(portrait, edited)
        return EditResult(
            aligned=aligned.crop.resize((resolution, resolution), Image.Resampling.LANCZOS),
            inverted=inverted,
            edited=edited,
            identity_inverted=portrait.identity,
            identity_edited=scores.identity,
            faces=len(aligned.faces),
            face=aligned.face,
            seconds=time.monotonic() - start,
            notes=self.notes(portrait, scores.identity if fitted else None),
            reconstruction=round(portrait.error, 4),
            portrait=portrait,
            fitted=tuple(fitted),
        )


def _aligned(photo: Image.Image, landmarks: NDArray, faces: tuple[Face, ...], face: int) -> AlignedPhoto:
    return AlignedPhoto(photo, crop_face(photo, landmarks, 1024), faces, face, landmarks, crop_landmarks(landmarks, 256))


def look_of(card: StyleCard) -> Look | None:
    """Return the look that a style's text was read as; None where its card has none, or one that this version does not know."""
    try:
        return Look.from_json(card.reading.get("look") or {}) or None
    except ValueError:
        return None
