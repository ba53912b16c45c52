"""Photos: find the face, align it, invert it, render it in a style, and say whether it is still the same person."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from nada_core.advice import ONLY_FACES, photo_notes, result_notes
from nada_core.alignment import Face, FaceDetector, FaceRecogniser, choose_face, crop_face, crop_landmarks
from nada_core.checkpoints import Style
from nada_core.device import precision_context
from nada_core.encoders.base import ImageTextEncoder, KnowsRegions
from nada_core.errors import NoFaceError, PromptError
from nada_core.face_bases import draws_aligned_faces
from nada_core.generators.base import Generator
from nada_core.images import decode_photo, file_name, to_pil, to_tensor
from nada_core.inversion.base import Inversion, InversionStage
from nada_core.inversion.optimisation import invert, invert_options
from nada_core.inversion.perceptual import PerceptualLoss
from nada_core.inversion.photo_encoder import PhotoEncoder
from nada_core.inversion.starter import StarterInverter
from nada_core.manual_alignment import landmarks_from_points
from nada_core.metrics import identity_distance, likeness, reconstruction_error
from nada_core.mixing import Strength, style_delta, sum_deltas
from nada_core.pace import FITTING_STAGE, Pace, pace_ticks
from nada_core.paste import head_mask, oval_mask, paste_back
from nada_core.personal import fit_style
from nada_core.portrait import AlignedPhoto, Portrait, Scores, Worn, render_portrait
from nada_core.target_pictures import check_content

__all__ = ["EditProgress", "EditResult", "PhotoEditor", "paste_all"]


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
    reconstruction: float | None = None
    portrait: Portrait | None = field(default=None, repr=False)
    worn: tuple[tuple[Worn, float], ...] = field(default=(), repr=False)

    @property
    def inversion(self) -> Inversion | None:
        """The photo's inversion."""
        return self.portrait.inversion if self.portrait else None


@dataclass(frozen=True)
class EditProgress:
    """One stage of an edit: what is being done, the share done, a picture where there is a new one; at its end what it made."""

    stage: str
    fraction: float
    image: Image.Image | None = None
    result: EditResult | None = None
    portrait: Portrait | None = field(default=None, repr=False)
    worn: Worn | None = field(default=None, repr=False)


class PhotoEditor:
    """Holds the networks; photos, portraits and styles are values that go in and come out.

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
        """Whether the generator draws human faces placed as FFHQ's: known of the starter's, measured once on the mean picture of others."""
        return isinstance(self.inverter, StarterInverter) or draws_aligned_faces(self.generator, self.detector)

    def warm_up(self, image: Any) -> None:
        """Look for a face and describe it, for nobody: what that needs is then loaded.

        Raises:
            PhotoError: unreadable picture. AssetError: a model is missing.
        """
        photo, faces = self.find(image)
        if faces:
            self.recogniser.embed(photo, faces[0].landmarks)

    # -- finding the face

    def find(self, image: Any) -> tuple[Image.Image, tuple[Face, ...]]:
        """The decoded photo and all its faces, largest first; none is no error here.

        Raises:
            PhotoError: unreadable picture.
        """
        photo = decode_photo(image)
        return photo, tuple(self.detector.detect(photo))

    def align(self, image: Any, face: int = 0, points: Sequence[Sequence[float]] | None = None) -> AlignedPhoto:
        """Decode, detect and crop.

        Args:
            face: which face, counted from the largest.
            points: instead of a detector's face, the places ``(x, y)`` of the person's eye on the picture's left, the one on its right, and
                the middle of the mouth, in pixels of the upright photo.

        Raises:
            PhotoError: unreadable picture, or points that form no face; NoFaceError: no face in it; OptionsError: not that many.
        """
        if points is not None:
            return self.align_by_hand(decode_photo(image), points)
        photo, faces = self.find(image)
        return self.align_found(photo, faces, face)

    def align_found(self, photo: Image.Image, faces: Sequence[Face], face: int) -> AlignedPhoto:
        """:meth:`align` for a photo and faces from :meth:`find`."""
        try:
            chosen = choose_face(faces, face)
        except NoFaceError as error:
            raise error if self.for_faces else NoFaceError(f"No human face was found in the picture. {ONLY_FACES}") from None
        return _aligned(photo, chosen.landmarks, tuple(faces), face)

    def align_by_hand(self, photo: Image.Image, points: Sequence[Sequence[float]]) -> AlignedPhoto:
        """:meth:`align` with the eyes and the mouth given."""
        return _aligned(photo, landmarks_from_points(points), (), -1)

    def target(self, image: Any) -> Image.Image:
        """A picture that shows a style, 256 px: its largest face aligned as the generator's faces are, or, without one, its middle square.

        Raises:
            PhotoError: unreadable picture, or a file that shows nothing but one colour.
        """
        picture = decode_photo(image)
        # where nothing stands out there is no face, and looking for one takes longest
        shows = any(high - low > 8 for low, high in cast("tuple[tuple[int, int], ...]", picture.getextrema()))
        faces = self.detector.detect(picture) if shows else []
        square = crop_face(picture, faces[0].landmarks, 256) if faces else ImageOps.fit(picture, (256, 256), Image.Resampling.LANCZOS)
        if name := file_name(image):  # pictures without a name are told apart by their number where the adaptation begins
            check_content(square, name)
        return square

    # -- inversion

    def first_guess(self, photo: Tensor) -> Iterator[InversionStage]:
        """The encoder's codes for a crop ``[1, 3, R, R]`` in [-1, 1]: one stage, or, from an encoder that looks again, several.

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
        """Whether this device's pace is known."""
        return self._pace.complete

    def take_pace(self) -> Iterator[None]:
        """Time a few steps of each kind of work, one item a step. Does nothing where the pace is known already from earlier edits."""
        ticks = []
        for tick in () if self.paced else pace_ticks(self.generator, self.perceptual, self.encoder):
            ticks.append(tick)
            yield
        self._pace = self._pace.after(ticks)

    def seconds(self, mode: str, portraits: int = 1, looks: int = 1) -> float:
        """How long it takes on this device to invert so many faces and to fit so many styles to a person.

        From the last edits, or, before there were any, from a few timed steps.

        Raises:
            OptionsError: no such mode.
        """
        options = invert_options(mode)
        for _ in self.take_pace():
            pass
        return self._pace.seconds(options, portraits, looks)

    def invert_steps(self, aligned: AlignedPhoto, mode: str = "balanced") -> Iterator[EditProgress]:
        """Ever better inversions; the last item carries the :class:`Portrait`.

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

    def wear_steps(self, portrait: Portrait, style: Style) -> Iterator[EditProgress]:
        """Fit a style to the person; the last item carries the :class:`Worn` value.

        A style whose prompt the encoder does not know (one made from pictures) is worn as it is.

        Raises:
            StyleError: made for another generator.
        """
        card = style.card
        delta = style_delta(style, self.generator, self._base_hash)
        ticks: list[tuple[str, float]] = []
        try:
            steps = fit_style(self.generator, self.encoder, delta, portrait.inversion, source=card.source, prompt=card.prompt)
            for step in steps:
                ticks.append((FITTING_STAGE, time.monotonic()))
                yield EditProgress(FITTING_STAGE, step.index / (step.steps + 1), to_pil(step.image) if step.index % 5 == 0 else None)
                delta = sum_deltas(delta, step.offsets) if step.offsets else delta
        except PromptError:
            pass
        self._pace = self._pace.after(ticks)
        yield EditProgress("painted", 1.0, worn=Worn(card.name, card.prompt, delta))

    def render(
        self,
        portrait: Portrait,
        worn: Sequence[tuple[Worn, float]] = (),
        strengths: Sequence[Strength] = (Strength(),),
        resolution: int | None = None,
    ) -> list[Image.Image]:
        """The person in a blend of styles, one picture for each strength; by default at the generator's smallest size."""
        resolution = resolution or self.generator.resolutions[0]
        return [to_pil(p) for p in render_portrait(self.generator, portrait.inversion, worn, strengths, resolution)]

    def paste(self, portrait: Portrait, edited: Image.Image, inverted: Image.Image, onto: Image.Image | None = None) -> Image.Image:
        """The edited face back in its photo, or in ``onto``, the same photo with another face already replaced."""
        aligned = portrait.aligned
        if isinstance(self.encoder, KnowsRegions):
            before, after = (
                self.encoder.regions(to_tensor(p.resize((256, 256))).to(self.generator.device)) for p in (aligned.crop, edited)
            )
            mask = head_mask(before[0].cpu().numpy(), after[0].cpu().numpy())
        else:
            mask = oval_mask(aligned.landmarks)
        photo = aligned.photo if onto is None else onto
        return paste_back(photo, aligned.photo_landmarks, edited, mask, inverted=inverted, aligned=aligned.crop)

    # -- scores

    def identity(self, aligned: AlignedPhoto, image: Image.Image, reference: Any) -> float:
        """dlib's distance of a picture of the crop to the photo's description ``reference``, on the photo's own landmarks."""
        small = image.resize((256, 256), Image.Resampling.LANCZOS)
        return round(identity_distance(self.recogniser, reference, small, aligned.landmarks), 4)

    def scores(self, portrait: Portrait, image: Image.Image) -> Scores:
        """How much of the person is left in a rendered picture."""
        identity = self.identity(portrait.aligned, image, portrait.reference)
        return Scores(identity, likeness(identity))

    # -- all of it

    def edit_steps(
        self,
        image: Any,
        styles: Sequence[tuple[Style, float]],
        *,
        strength: Strength,
        face: int = 0,
        points: Sequence[Sequence[float]] | None = None,
        resolution: int | None = None,
        mode: str = "balanced",
    ) -> Iterator[EditProgress]:
        """Stages of an edit; the last one carries the result."""
        start = time.monotonic()
        yield EditProgress("looking for the face", 0.0)
        aligned = self.align(image, face, points)
        yield EditProgress("face found", 0.05, aligned.crop.resize((256, 256), Image.Resampling.LANCZOS))
        portrait: Portrait | None = None
        for stage in self.invert_steps(aligned, mode):
            yield EditProgress(stage.stage, 0.05 + 0.7 * stage.fraction, stage.image)
            portrait = stage.portrait or portrait
        assert portrait is not None
        worn: list[tuple[Worn, float]] = []
        for number, (style, share) in enumerate(styles):
            for stage in self.wear_steps(portrait, style):
                yield EditProgress(stage.stage, 0.75 + 0.2 * (number + stage.fraction) / len(styles), stage.image)
                worn += [(stage.worn, share)] if stage.worn else []
        result = self.finish(portrait, worn, strength, resolution or self.generator.resolutions[0])
        yield EditProgress("done", 1.0, result.edited, replace(result, seconds=time.monotonic() - start))

    def notes(self, portrait: Portrait, edited: float | None = None) -> tuple[str, ...]:
        """What to tell the person about the photo and the result, whose distance to the photo is ``edited``; None without a style."""
        result = result_notes(portrait.identity, edited, portrait.mode) if self.for_faces else [ONLY_FACES]
        return (*photo_notes(portrait.aligned), *result)

    def finish(self, portrait: Portrait, worn: Sequence[tuple[Worn, float]], strength: Strength, resolution: int) -> EditResult:
        """Render the inversion with and without the styles and score both against the photo."""
        start, aligned = time.monotonic(), portrait.aligned
        inverted = portrait.rebuilt
        if resolution != inverted.width:
            (inverted,) = self.render(portrait, resolution=resolution)
        (edited,) = self.render(portrait, worn, (strength,), resolution) if worn else (inverted,)
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
            notes=self.notes(portrait, scores.identity if worn else None),
            reconstruction=round(portrait.error, 4),
            portrait=portrait,
            worn=tuple(worn),
        )


def paste_all(editor: PhotoEditor, portraits: Sequence[Portrait | None], results: Sequence[EditResult]) -> Image.Image:
    """Every edited face back in the one photo they came from, which are given largest first: where two overlap, the larger is in front."""
    photo = None
    for portrait, result in reversed(list(zip(portraits, results, strict=True))):
        assert portrait is not None
        photo = editor.paste(portrait, result.edited, result.inverted, onto=photo)
    assert photo is not None
    return photo


def _aligned(photo: Image.Image, landmarks: NDArray, faces: tuple[Face, ...], face: int) -> AlignedPhoto:
    return AlignedPhoto(photo, crop_face(photo, landmarks, 1024), faces, face, landmarks, crop_landmarks(landmarks, 256))
