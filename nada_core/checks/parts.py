"""Check each network of a world alone on known inputs, then check them together. Used by ``selfcheck``."""

from __future__ import annotations

import math
from functools import cached_property
from statistics import mean
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from nada_core.adaptation.options import AdaptOptions
from nada_core.alignment.ffhq import SAME_PERSON, Face, FaceDetector, FaceRecogniser, crop_face, crop_landmarks, distance, ffhq_quad
from nada_core.assets.shipped import PORTRAIT
from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.templates import ReadsTemplates
from nada_core.engine import Engine
from nada_core.errors import NadaError
from nada_core.images.image_io import decode_photo, to_pil, to_tensor
from nada_core.inversion.load import load_inverter, load_starter_inverter
from nada_core.inversion.photo_encoder import PhotoEncoder
from nada_core.inversion.starter import StarterInverter
from nada_core.metrics import identity_distance, reconstruction_error
from nada_core.worlds import STARTER

__all__ = ["Detail", "Failed", "PartChecks"]

#: What pictures are compared with; those that are shown come first.
_SUBJECTS = ("a face", "an astronaut", "a dog", "a cat", "a car", "a house", "a plate of food", "a flower", "a page of text", "a landscape")
#: Pixels are drawn in about [-1, 1]: faces have a mean absolute value near 0.5, pictures that blew up one above this.
_LARGEST_MEAN_PIXEL = 1.0
#: How far corners of a crop may move where it is aligned again, as a share of its side: landmarks are found to a few pixels of 256.
_MOVED = 0.05

#: The sentence about a stage that passed, and its figures.
Detail = tuple[str, dict[str, Any]]


class Failed(NadaError):
    """Say that a stage ran, but its result is not as it should be."""


def _pictures(count: int, channels: int = 3, side: int = 256) -> Tensor:
    """Return soft coloured patterns ``[count, channels, side, side]`` in [-1, 1], always the same ones, made without any part."""
    small = torch.rand(count, channels, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return F.interpolate(small, size=(side, side), mode="bilinear")


def _check_rows(what: str, rows: Tensor, shape: tuple[int, ...], *, unit: bool = False) -> None:
    """Check for finite rows of this shape, all different. Raises Failed."""
    if tuple(rows.shape) != shape or not torch.isfinite(rows).all():
        raise Failed(f"{what}: {tuple(rows.shape)} values, {int((~torch.isfinite(rows)).sum())} not finite; expected finite {shape}.")
    lengths = rows.float().norm(dim=-1)
    if unit and not torch.allclose(lengths, torch.ones_like(lengths), atol=1e-3):
        raise Failed(f"{what} have lengths {[round(length, 4) for length in lengths.tolist()]}; expected 1.")
    if any(torch.allclose(a, b, atol=1e-5) for i, a in enumerate(rows) for b in rows[:i]):
        raise Failed(f"{what} are the same for different inputs.")


class PartChecks:
    """Check the parts, which are loaded one by one, each by the stage that judges it."""

    def __init__(self, engine: Engine, photo: Any, steps: int) -> None:
        self.engine, self.photo, self.steps = engine, photo, steps
        self.detector, self.recogniser = FaceDetector(), FaceRecogniser()
        self.photo_encoder: StarterInverter | PhotoEncoder | None = None
        self.portrait: tuple[Image.Image, Face] | None = None
        self.style: Any = None

    # -- parts, each by itself

    @torch.no_grad()
    def generator(self) -> Detail:
        """Check for finite pictures of the right size and range, of the mean latent and of four seeds, all different."""
        generator = self.engine.generator
        pictures, side = self._drawn, generator.img_resolution
        if pictures.shape != (5, 3, side, side) or not torch.isfinite(pictures).all():
            raise Failed(f"The generator gave pictures of shape {tuple(pictures.shape)}; expected five finite ones of {side} px.")
        figures = {
            "family": generator.family,
            "num_ws": generator.num_ws,
            "hash": self.engine.base_hash,
            "mean": round(pictures.mean().item(), 4),
            "std": round(pictures.std().item(), 4),
        }
        if pictures.abs().mean() >= _LARGEST_MEAN_PIXEL:
            raise Failed(f"Most pixels are far outside [-1, 1]: {figures}.")
        if any((a - b).abs().mean() < 1 / 255 for i, a in enumerate(pictures) for b in pictures[:i]):
            raise Failed(f"Different seeds give the same picture: {figures}.")
        return f"{generator.family}, {side} px, {generator.num_ws} latents; five different pictures", figures

    def encoder(self) -> Detail:
        """Check for unit embeddings of pictures and texts, different for different ones, with a gradient to pictures."""
        encoder: ImageTextEncoder = self.engine.encoder
        reads = isinstance(encoder, ReadsTemplates)
        images = _pictures(3).to(self.engine.device).requires_grad_(True)
        rows = encoder.encode_image(images)
        _check_rows("Embeddings of pictures", rows.detach(), (3, encoder.embedding_dim), unit=True)
        (gradient,) = torch.autograd.grad(rows[:, 0].sum(), images)
        if not torch.isfinite(gradient).all() or not gradient.any():
            raise Failed("No finite gradient comes back to the pictures, so nothing can be learnt from this encoder.")
        texts = _captions() if reads else ["face", "Joker"]
        _check_rows("Embeddings of texts", encoder.encode_text(texts), (len(texts), encoder.embedding_dim), unit=True)
        figures = {"name": encoder.name, "dim": encoder.embedding_dim, "reads sentences": reads}
        return f"{encoder.name}, {encoder.embedding_dim} numbers; unit embeddings of pictures and texts, with gradients", figures

    @torch.no_grad()
    def inverter(self) -> Detail:
        """Check for finite codes of the right shape, different for different pictures."""
        name, device = self.engine.parts.inverter, self.engine.device
        loaded = load_starter_inverter(device) if name == STARTER else load_inverter(name, device=device)
        shape: tuple[int, ...]
        if isinstance(loaded, StarterInverter):
            codes, shape = loaded(_pictures(2).to(device)), (loaded.out.out_features,)
        else:
            codes, shape = loaded.encode(_pictures(2, loaded.in_channels).to(device)), (loaded.num_ws, loaded.w_dim)
        _check_rows("Codes of pictures", codes, (2, *shape))
        self.photo_encoder = loaded
        return f"{name}, codes of {' x '.join(map(str, shape))} numbers", {"std": round(codes.float().std().item(), 4)}

    def faces(self) -> Detail:
        """Check that the portrait has one face, its aligned crop aligned again stays, and mirrored it is the same person."""
        photo = decode_photo(PORTRAIT)
        found = self.detector.detect(photo)
        if len(found) != 1:
            raise Failed(f"{len(found)} faces were found in the portrait, which shows one.")
        crop, mirrored = crop_face(photo, found[0].landmarks, 256), ImageOps.mirror(photo)
        again, other = self.detector.detect(crop), self.detector.detect(mirrored)
        if len(again) != 1 or len(other) != 1:
            raise Failed(f"{len(again)} faces were found in the aligned portrait and {len(other)} in the mirrored one; expected 1 and 1.")
        moved = np.abs(ffhq_quad(again[0].landmarks) - (np.array([(0, 0), (0, 256), (256, 256), (256, 0)]) - 0.5)).max() / 256
        same = distance(self.recogniser.embed(photo, found[0].landmarks), self.recogniser.embed(mirrored, other[0].landmarks))
        figures = {"confidence": round(found[0].confidence, 3), "moved": round(float(moved), 4), "identity_mirrored": round(same, 4)}
        if moved > _MOVED or same >= SAME_PERSON:
            raise Failed(f"The portrait is not aligned, or not known again when it is mirrored: {figures}.")
        self.portrait = photo, found[0]
        return f"one face in the portrait, aligned; mirrored it is the same person ({same:.2f}, the limit is {SAME_PERSON})", figures

    # -- what parts do together

    @torch.no_grad()
    def samples(self) -> Detail:
        """Check that a face is found in the mean picture, and in those of three seeds of four."""
        found = [len(self.detector.detect(to_pil(picture))) for picture in self._drawn]
        if not found[0] or sum(count > 0 for count in found[1:]) < 3:
            raise Failed(
                f"A face was found in {sum(count > 0 for count in found)} of 5 pictures, the first of them the mean face: {found}. "
                "A generator of something else than faces cannot edit photos of them."
            )
        return "faces are found in the generator's pictures", {"faces_found": found}

    @torch.no_grad()
    def words_for_photo(self) -> Detail:
        """Check that of ten subjects "an astronaut" is nearest to a portrait of one, and nearer than to its shuffled pixels.

        As in CLIP's own demonstration (Radford et al. 2021), which tells this photo from others by a caption that names an astronaut.
        Weights that are wrong, or read wrongly, give all pictures nearly the same embedding.
        """
        encoder: ImageTextEncoder = self.engine.encoder
        if not isinstance(encoder, ReadsTemplates):
            return "does not apply: this encoder reads no sentences", {}
        photo = to_tensor(decode_photo(PORTRAIT)).to(self.engine.device)
        order = torch.randperm(photo[0, 0].numel(), generator=torch.Generator().manual_seed(0)).to(photo.device)
        shuffled = photo.flatten(2)[..., order].view_as(photo)
        figures = self._nearest("an astronaut", photo)
        noise = (encoder.encode_text(_captions()) @ encoder.encode_image(shuffled)[0])[_SUBJECTS.index("an astronaut")].item()
        if noise >= figures["an astronaut"]:
            raise Failed(f"The encoder sees an astronaut in shuffled pixels as well ({noise:.4f}): {figures}. Wrong weights do that.")
        return f"of {len(_SUBJECTS)} subjects the astronaut is named", {"cosines": figures, "cosine of shuffled pixels": round(noise, 4)}

    @torch.no_grad()
    def words_for_faces(self) -> Detail:
        """Check that of ten subjects "a face" is nearest to the generator's faces, where they are known to be faces."""
        if not isinstance(self.engine.encoder, ReadsTemplates):
            return "does not apply: this encoder reads no sentences", {}
        figures = self._nearest("a face", self._drawn[1:3])
        return f"of {len(_SUBJECTS)} subjects the face is named", {"cosines": figures}

    @torch.no_grad()
    def guess(self) -> Detail:
        """Check that the photo encoder's guess is nearer to the portrait than the mean face.

        In its pixels, and as a person where the encoder was trained for that (e4e and ReStyle were, the starter's was not; its guess is
        where the work on a photo begins).
        """
        assert self.portrait is not None and self.photo_encoder is not None
        generator, loaded, (photo, face) = self.engine.generator, self.photo_encoder, self.portrait
        crop = crop_face(photo, face.landmarks, 256)
        target, landmarks = to_tensor(crop).to(self.engine.device), crop_landmarks(face.landmarks, 256)
        average = generator.w_avg.expand(1, generator.num_ws, -1)
        ws = loaded(target)[:, None].expand_as(average) if isinstance(loaded, StarterInverter) else loaded(target, generator)
        self.photo_encoder = None  # the photo's stage loads its own: one at a time
        reference = self.recogniser.embed(crop, landmarks)
        errors, persons = [], []
        for latent in (ws, average):
            picture = generator.synthesis(latent, resolution=generator.resolutions[0]).float()
            errors.append(round(reconstruction_error(picture, target).item(), 4))
            small = to_pil(picture).resize((256, 256), Image.Resampling.LANCZOS)
            persons.append(round(identity_distance(self.recogniser, reference, small, landmarks), 4))
        names = ("guess", "mean face")
        figures = {"error": dict(zip(names, errors, strict=True)), "identity": dict(zip(names, persons, strict=True))}
        alike = persons[0] < persons[1] or isinstance(loaded, StarterInverter)
        if not (errors[0] < errors[1] and alike):
            raise Failed(f"The first guess is no nearer to the portrait than the mean face: {figures}.")
        return f"{persons[0]:.2f} from the portrait, the mean face {persons[1]:.2f} (same person: below {SAME_PERSON})", figures

    def adaptation(self) -> Detail:
        """Check that an adaptation raises the similarity to the text."""
        taken = []
        for step in self.engine.adapt("Joker", self.steps, options=AdaptOptions(start="")):
            taken.append(step)
            if step.index == self.steps:
                self.style = step.style()
        rise = mean(step.similarity for step in taken[-5:]) - mean(step.similarity for step in taken[:5])
        figures = {
            "losses": [round(step.loss, 4) for step in taken],
            "similarity": round(taken[-1].similarity, 4),
            "seconds_a_step": round(taken[-1].seconds / len(taken), 3),
            "notes": [step.note for step in taken if step.note],
        }
        if not all(math.isfinite(step.loss) for step in taken) or rise <= 0:
            raise Failed(f"The directional similarity did not rise over {self.steps} steps ({rise:+.3f}): {figures}.")
        return f"{self.steps} steps of 'Joker' in {taken[-1].seconds:.0f} s; the similarity rose by {rise:.2f}", figures

    def edit(self) -> Detail:
        """Check the whole way of a photo; its inversion is the same person."""
        result = self.engine.edit(PORTRAIT if self.photo is None else self.photo, self.style)
        figures = {
            "identity_inverted": result.identity_inverted,
            "identity_edited": result.identity_edited,
            "reconstruction": result.reconstruction,
            "seconds": round(result.seconds, 1),
        }
        if result.identity_inverted is None or result.identity_inverted >= SAME_PERSON:
            raise Failed(f"The inversion is not the same person: {figures}.")
        return f"the inversion is {result.identity_inverted:.2f} from the photo (same person: below {SAME_PERSON})", figures

    @cached_property
    @torch.no_grad()
    def _drawn(self) -> Tensor:
        """Return the mean picture and those of four seeds, ``[5, 3, R, R]``."""
        generator = self.engine.generator
        ws = torch.cat([generator.w_avg.expand(1, generator.num_ws, -1), generator.mapping(generator.sample_z(range(4)), 0.7)])
        return torch.cat([generator.synthesis(row[None]).float() for row in ws])

    def _nearest(self, subject: str, images: Tensor) -> dict[str, float]:
        """Return cosines of the images' mean embedding with each subject. Raises Failed unless ``subject`` is nearest."""
        texts: Tensor = self.engine.encoder.encode_text(_captions())
        image = self.engine.encoder.encode_image(images).mean(0)
        cosines = dict(zip(_SUBJECTS, (round(cosine, 4) for cosine in (texts @ image).tolist()), strict=True))
        nearest = max(cosines, key=lambda name: cosines[name])
        if nearest != subject:
            raise Failed(
                f"The encoder does not know what it sees: {subject} is taken for {nearest}. "
                f"Wrong weights do that, or a wrong activation: {cosines}."
            )
        return cosines


def _captions() -> list[str]:
    return [f"a photo of {subject}." for subject in _SUBJECTS]
