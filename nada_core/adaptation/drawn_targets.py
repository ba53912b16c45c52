"""Draw the prompt's look on each training face, as the target for that face (instead of one direction for all faces).

StyleGAN-NADA moves every face along one direction, that between two texts. Where a text is read as a look, the look can be drawn on each
training face, and the change of its picture is compared with the change that its own drawing makes (section 4.1 of the paper, with a
direction a face). Light and dark skin then reach the same colour, what the drawing leaves alone is kept, and, because drawing and picture
show the same face, two further terms hold: colours averaged over a few pixels, and the features of both at each place, which see shape.
Two more look where those see little: at the mean colour of each part of a face, however small (part_colours.py), and at patterns of few
pixels (fine_pattern.py).

Faces come from a fixed pool; each is prepared when it is first drawn from the pool, once, and stays for the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.adaptation.fine_pattern import excess, pattern
from nada_core.adaptation.kept_pictures import kept_picture, picture_set
from nada_core.adaptation.options import AdaptOptions
from nada_core.adaptation.part_colours import mean_colours, part_distance, part_masks
from nada_core.adaptation.training_inputs import random_crops, view
from nada_core.alignment.by_hand import mean_face
from nada_core.alignment.faces import FaceDetector
from nada_core.encoders.base import ReadsLooks
from nada_core.generators.base import Generator
from nada_core.images.image_io import to_pil
from nada_core.looks.drawing.draw import draw
from nada_core.looks.drawing.drawn_face import DrawnFace, face_from
from nada_core.looks.known_faces import known_faces
from nada_core.looks.look import Look
from nada_core.losses import paired_cosine
from nada_core.system.device import Precision, precision_context

__all__ = ["WIDEST_PIXEL", "DrawnPair", "DrawnTargets", "drawn_loss", "drawn_pair", "find_face", "look_options", "shrunk"]

#: Faces of the pool, where the options name no number.
POOL = 48
#: Side at which faces are drawn and compared: larger pictures are made smaller first.
SIDE = 256
#: Pixels over which colours are averaged before they are compared: finer structure is for the features to judge.
CELL = 4
#: Weights beside the direction's: of the colours and of the features of the drawing.
COLOUR_WEIGHT, FEATURE_WEIGHT = 4.0, 0.4
#: Weights of the mean colours of the parts of a face, and of woven patterns.
PART_WEIGHT, WEAVE_WEIGHT = 3.0, 40.0
#: Kinds of skin in the order of the known faces: light, medium and dark in turn.
TONES = 3
#: How much more the eyes and the mouth count than the rest.
STRESS = 4.0
#: A change of a pixel (of the range of 2) above which it does not count as left alone.
LEFT_ALONE = 0.125
_SAME = 3 / 255  # one and a half grey levels: OpenCV's way to Lab and back changes pixels by one
#: Pixels beyond this are cut off before an encoder sees them.
WIDEST_PIXEL = 1.15
#: Seeds of unknown pools: those of one run do not meet those of the next.
MAX_SEEDS = 10_000
#: Factor on the family's step size; and its factors for shape, texture and colour where a look changes geometry, and where it does not.
RATE = {"mobile_stylegan": 2.0}
LAYER_RATES = {True: (1.0, 1.0, 1.0), False: (0.3, 0.7, 1.0)}


@dataclass(frozen=True, eq=False)
class DrawnPair:
    """Hold one face of the pool.

    Attributes:
        ws: its latent ``[1, num_ws, w_dim]``.
        before, after: picture and drawing ``[1, 3, S, S]`` in [-1, 1].
        kept: ``[1, 1, S, S]``, 1 where the drawing changes nothing.
        stress: ``[1, 1, S, S]`` with mean 1: how much each place counts. Make-up is small, and around eyes and mouth it is what people see.
        features: the encoder's maps of the drawing, each divided by its channels' own deviation, and those deviations.
        parts, colours: masks of the face's parts ``[1, P, s, s]`` and their mean colours in the drawing, ``[1, P, 3]`` in Lab.
        woven: how much the drawing itself alternates from pixel to pixel (:func:`~nada_core.adaptation.fine_pattern.pattern`).
    """

    ws: Tensor
    before: Tensor
    after: Tensor
    kept: Tensor
    stress: Tensor
    features: tuple[tuple[Tensor, Tensor], ...]
    parts: Tensor
    colours: Tensor
    woven: Tensor


def look_options(look: Look, family: str) -> tuple[float, tuple[float, float, float] | None]:
    """Return the factor on the family's step size and the factors a layer group that suit a look; None: the family's own."""
    changes_geometry = bool(look.shape)
    return RATE.get(family, 1.0), LAYER_RATES[changes_geometry] if family in RATE else None


class DrawnTargets:
    """Hold the pool of faces of one run. ``options`` have the family's defaults filled in."""

    def __init__(self, base: Generator, encoder: ReadsLooks, look: Look, options: AdaptOptions) -> None:
        self.base, self.encoder, self.look, self.options = base, encoder, look, options
        assert options.truncation_psi is not None
        self.psi: float = options.truncation_psi
        self.pairs: dict[int, DrawnPair] = {}

    @cached_property
    def known(self) -> bool:
        """Tell whether the pool is the faces that are shipped: they are this generator's, at this truncation."""
        if self.base.family != "mobile_stylegan" or self.options.latent_pool is not None:
            return False
        known = known_faces()
        return self.psi == known.truncation_psi and self.base.content_hash() == known.base_hash

    @cached_property
    def kept_in(self) -> Path | None:
        """Return the folder of the known faces' pictures; None where they are drawn in every run: other faces, and graphics cards."""
        if not self.known or self.base.device.type != "cpu":
            return None
        with precision_context(self.base.device, self.options.precision):
            return picture_set(known_faces().base_hash, self.psi, self.options.resolution)

    @property
    def size(self) -> int:
        """Count the faces in the pool."""
        return len(known_faces().seeds) if self.known else self.options.latent_pool or POOL

    def pair(self, index: int) -> DrawnPair:
        """Return a face of the pool, prepared now or before."""
        if index not in self.pairs:
            self.pairs[index] = self._prepare(index)
        return self.pairs[index]

    @torch.no_grad()
    def _prepare(self, index: int) -> DrawnPair:
        seed = known_faces().seeds[index] if self.known else self.options.seed * MAX_SEEDS + index
        ws = self.base.mapping(self.base.sample_z([seed]), self.psi)

        def picture() -> Tensor:
            with precision_context(self.base.device, self.options.precision):
                return shrunk(self.base.synthesis(ws, "const", self.options.resolution).float())

        before = picture() if self.kept_in is None else kept_picture(self.kept_in, index, picture)
        if self.known:
            face = face_from(before[0].clamp(-1, 1).cpu(), known_faces().shares[index], known_faces().landmarks[index])
        else:
            face = find_face(self.encoder, before)
        return drawn_pair(self.encoder, self.look, ws, before, face, index, self.options.precision)

    def lot(self, rng: torch.Generator) -> list[int]:
        """Return which faces make a batch. Faces that are known stand light, medium and dark in turn: a batch takes from each alike."""
        if not self.known:
            return torch.randint(self.size, (self.options.batch,), generator=rng).tolist()
        groups = [int(g) for _ in range(0, self.options.batch, TONES) for g in torch.randperm(TONES, generator=rng)]
        rows = torch.randint(self.size // TONES, (self.options.batch,), generator=rng).tolist()
        return [TONES * row + group for row, group in zip(rows, groups[: self.options.batch], strict=True)]

    def losses(self, generator: Generator, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return loss, mean similarity to the drawings' changes, and mean absolute pixel of one batch drawn from the pool."""
        o, device = self.options, self.base.device
        pairs = [self.pair(i) for i in self.lot(rng)]
        crops = random_crops(o.batch * o.crops, rng, device) if o.crops else None
        with precision_context(device, o.precision):
            images = generator.synthesis(torch.cat([p.ws for p in pairs]), "const", o.resolution).float()
            loss, similarity = drawn_loss(
                self.encoder, pairs, images, crops, direction=o.direction_weight, place=o.global_weight or 0.0, keep=o.keep_weight or 0.0
            )
        if o.average:  # pixels outside the range look clipped: a soft wall instead of a hard one
            loss = loss + 0.5 * F.relu(images.abs() - 1.0).pow(2).mean()
        return loss, similarity.detach(), images.detach().abs().mean()


@torch.no_grad()
def find_face(encoder: ReadsLooks, image: Tensor) -> DrawnFace:
    """Return what there is to draw on in a picture ``[1, 3, S, S]``; where no face is found, the mean face's landmarks are taken."""
    shown = image.clamp(-1, 1)
    found = FaceDetector().detect(to_pil(shown[0]))
    landmarks = found[0].landmarks if found else mean_face() * (shown.shape[-1] / SIDE)
    return face_from(shown[0].cpu(), encoder.regions(shown)[0], landmarks)


@torch.no_grad()
def drawn_pair(
    encoder: ReadsLooks, look: Look, ws: Tensor, before: Tensor, face: DrawnFace, seed: int, precision: Precision = "auto"
) -> DrawnPair:
    """Draw a look on a picture ``[1, 3, S, S]`` of the latent ``ws``, of which ``face`` is known."""
    shown = before.clamp(-1, 1).cpu()
    drawn = torch.from_numpy(draw(look, face, seed).transpose(2, 0, 1).copy()).float()[None] * 2 - 1
    # what is not painted stays, with what its pixels have beyond the range that is shown
    after = torch.where(((drawn - shown).abs() < _SAME).all(1, keepdim=True), before.cpu(), drawn).to(before)
    kept = (1 - (after - before).abs().amax(1, keepdim=True) / LEFT_ALONE).clamp(0, 1)
    kept = -F.max_pool2d(-kept, 5, 1, 2)  # not up to the very border of what changes
    with precision_context(before.device, precision):
        maps = [m.float() for m in encoder.maps(after)]
    parts = part_masks(face, before.shape[-1] // CELL).to(before)
    colours = mean_colours(F.avg_pool2d(after, CELL), parts)
    return DrawnPair(ws, before, after, kept, _stress(face).to(before), tuple(_scaled(m) for m in maps), parts, colours, pattern(after))


def drawn_loss(
    encoder: ReadsLooks, pairs: Sequence[DrawnPair], images: Tensor, crops: Tensor | None, *, direction: float, place: float, keep: float
) -> tuple[Tensor, Tensor]:
    """Return the loss of images ``[N, 3, R, R]`` against their drawings, and the mean similarity of both changes.

    Args:
        crops: views that the encoder reads, of :func:`~nada_core.adaptation.training_inputs.random_crops`; None: the whole picture.
        direction, place, keep: weights of the direction, of the distance to the drawing itself, and of pixels that are left alone.
    """
    before, after, kept, stress = (torch.cat([getattr(p, name) for p in pairs]) for name in ("before", "after", "kept", "stress"))
    images = shrunk(images)
    shown = images.clamp(-WIDEST_PIXEL, WIDEST_PIXEL)
    with torch.no_grad():
        source, goal = (encoder.encode_image(view(pictures, crops)) for pictures in (before, after))
    target = encoder.encode_image(view(shown, crops))
    similarity = paired_cosine(target - source, goal - source).mean()
    loss = direction * (1 - similarity) + place * (1 - F.cosine_similarity(target, goal, dim=-1)).mean()
    small = F.avg_pool2d(images, CELL)
    loss = loss + COLOUR_WEIGHT * (F.avg_pool2d(stress, CELL) * (small - F.avg_pool2d(after, CELL)).abs()).mean()
    parts, colours, woven = (torch.cat([getattr(p, name) for p in pairs]) for name in ("parts", "colours", "woven"))
    loss = loss + PART_WEIGHT * part_distance(small, colours, parts) + WEAVE_WEIGHT * excess(images, woven)
    for k, current in enumerate(encoder.maps(shown)):
        wanted, scale = (torch.cat([p.features[k][part] for p in pairs]) for part in (0, 1))
        counts = F.interpolate(stress, size=wanted.shape[-2:], mode="area")
        loss = loss + FEATURE_WEIGHT * (counts * (current.float() / scale - wanted).abs()).mean()
    return loss + keep * ((images - before).pow(2) * kept).mean(), similarity


def _stress(face: DrawnFace) -> Tensor:
    """Return how much each place of a face counts, ``[1, 1, S, S]`` with mean 1."""
    y, x = torch.meshgrid(torch.arange(face.size), torch.arange(face.size), indexing="ij")
    stress = torch.ones(face.size, face.size)
    for points, reach in ((face.landmarks[36:42], 0.16), (face.landmarks[42:48], 0.16), (face.landmarks[48:60], 0.3)):
        (cx, cy), radius = points.mean(0).tolist(), reach * face.width
        stress = torch.maximum(stress, 1 + STRESS * torch.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / radius**2)))
    return (stress / stress.mean())[None, None]


def shrunk(images: Tensor) -> Tensor:
    """Return images ``[N, 3, R, R]`` made no larger than :data:`SIDE`."""
    return images if images.shape[-1] <= SIDE else F.interpolate(images, size=(SIDE, SIDE), mode="area")


def _scaled(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps ``[1, C, h, w]`` divided by the deviation of each channel, and those deviations ``[1, C, 1, 1]``."""
    deviation = features.std((2, 3), keepdim=True)
    # a channel that is silent on this face must not count a thousandfold
    scale = deviation + 0.3 * deviation.mean(1, keepdim=True) + 1e-3
    return features / scale, scale
