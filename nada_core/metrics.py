"""Measure a result: is it the same person, is it the same picture, does it say the text, and do the faces stay apart.

The tests, the report and the interfaces use the same ones.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from PIL import Image
from torch import Tensor

from nada_core.alignment.faces import SAME_PERSON, FaceRecogniser, distance
from nada_core.encoders.base import ImageTextEncoder
from nada_core.inversion.perceptual import PerceptualLoss

__all__ = [
    "directional_similarity",
    "diversity",
    "identity_distance",
    "likeness",
    "pairwise_distance",
    "reconstruction_error",
]

#: A change of embeddings shorter than this is no direction.
_NO_CHANGE = 1e-6


def identity_distance(recogniser: FaceRecogniser, reference: Any, image: Image.Image, landmarks: ArrayLike) -> float:
    """Return how far two people's descriptions lie apart (King 2017, dlib's recogniser): 0 identical, 0.6 the limit of one person.

    Args:
        reference: description ``[128]`` from :meth:`FaceRecogniser.embed`.
        image: the picture to compare, of the size the landmarks refer to.
        landmarks: ``[68, 2]`` known from the photo: paint that hides a face from a detector cannot hide it here.
    """
    return float(distance(reference, recogniser.embed(image, landmarks)))


def likeness(identity: float) -> float:
    """Return an identity distance as a share: 1 the same picture, 0.5 at the limit of the same person, 0 at twice that or more."""
    return min(max(1 - identity / (2 * SAME_PERSON), 0.0), 1.0)


def reconstruction_error(images: Tensor, targets: Tensor, side: int = 256) -> Tensor:
    """Return the RMS error ``[N]`` of images ``[N, 3, H, W]`` in [-1, 1] at ``side`` pixels: 0 equal, 2 black for white."""
    small = [F.interpolate(x.float().clamp(-1, 1), size=(side, side), mode="area") for x in (images, targets)]
    return (small[0] - small[1]).pow(2).mean((1, 2, 3)).sqrt()


@torch.no_grad()
def directional_similarity(encoder: ImageTextEncoder, originals: Tensor, adapted: Tensor, direction: Tensor) -> Tensor:
    """Return cosines ``[N]`` of each picture's change with a text direction, as StyleGAN-NADA optimises (Gal et al. 2021, section 4.1).

    1: the picture changed exactly as the words did; 0: in no relation, or not at all; -1: the opposite. The encoder that guided an
    adaptation also judges it here, so compare values of one encoder with one another.

    Args:
        originals, adapted: ``[N, 3, H, W]`` in [-1, 1], the same latents before and after.
        direction: unit vector ``[D]`` from :func:`nada_core.losses.text_direction`.
    """
    pairs = zip(originals.clamp(-1, 1), adapted.clamp(-1, 1), strict=True)
    # one at a time: a picture's embedding must not depend on its neighbours in a batch
    moved = torch.cat([encoder.encode_image(after[None]) - encoder.encode_image(before[None]) for before, after in pairs]).float()
    length = moved.norm(dim=-1)
    cosine = moved @ direction.to(moved) / length.clamp(min=_NO_CHANGE)
    return torch.where(length < _NO_CHANGE, torch.zeros_like(cosine), cosine)


@torch.no_grad()
def pairwise_distance(perceptual: PerceptualLoss, images: Tensor) -> float:
    """Return the mean perceptual distance over all pairs of images ``[N, 3, H, W]`` in [-1, 1]; 0 when all are equal.

    Raises:
        ValueError: fewer than two images.
    """
    count = len(images)
    if count < 2:
        raise ValueError(f"{count} images have no pairs; at least two are needed")
    maps = [perceptual.features(image[None].clamp(-1, 1)) for image in images]
    distances = [
        sum((a - b).pow(2).mean().item() for a, b in zip(maps[i], maps[j], strict=True)) for i in range(count) for j in range(i + 1, count)
    ]
    return sum(distances) / len(distances)


def diversity(perceptual: PerceptualLoss, adapted: Tensor, originals: Tensor) -> float:
    """Return how far apart adapted faces still are: their :func:`pairwise_distance` relative to that of the originals.

    1: as different as before; towards 0: all become one picture; above 1: more different than before. After the intra-cluster diversity of
    Ojha et al. 2021 ("Few-shot Image Generation via Cross-domain Correspondence"), which clusters samples around the training pictures and
    averages their LPIPS distances. A text gives no training pictures, so there is one cluster, and the originals give the scale.

    Args:
        adapted, originals: ``[N, 3, H, W]`` in [-1, 1], N of at least 2, the same latents.

    Raises:
        ValueError: fewer than two images, or originals that are all the same picture.
    """
    before = pairwise_distance(perceptual, originals)
    if before <= 0:
        raise ValueError("the originals are all the same picture: there is no scale for their diversity")
    return pairwise_distance(perceptual, adapted) / before
