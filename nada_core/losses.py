"""Losses of text-driven adaptation: one formula each (Gal et al. 2021, "StyleGAN-NADA", arXiv:2108.00946).

Text directions are computed at construction; the images' embeddings come from any :class:`ImageTextEncoder`.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders.base import ImageTextEncoder
from nada_core.errors import PromptError

__all__ = ["DirectionalLoss", "GlobalLoss", "kept_distance", "mean_embedding", "text_direction"]

#: Below this length an image direction is noise: the cosine is replaced by a dot product, which is smooth at zero.
SHORTEST_DIRECTION = 0.05


def text_direction(encoder: ImageTextEncoder, source: str, target: str) -> Tensor:
    """Unit direction ``[D]`` from the source text to the target text.

    Raises:
        PromptError: both texts mean the same, so there is no direction.
    """
    start, end = encoder.encode_text([source, target])
    difference = end - start
    if difference.norm() < 1e-6:
        raise PromptError(f"'{target}' means the same as the source '{source}': there is nothing to adapt. Choose another target.")
    return F.normalize(difference, dim=0).detach()


def mean_embedding(encoder: ImageTextEncoder, images: Iterable[Tensor]) -> Tensor:
    """Normalised mean embedding ``[D]`` of pictures ``[1, 3, H, W]`` in [-1, 1]: what pictures say in place of a text."""
    with torch.no_grad():
        return F.normalize(torch.cat([encoder.encode_image(image) for image in images]).mean(0), dim=0)


def kept_distance(source_images: Tensor, target_images: Tensor, mask: Tensor) -> Tensor:
    """Mean squared change of pixels where ``mask`` ``[N, 1, h, w]`` says that nothing should change. Not part of the paper."""
    mask = F.interpolate(mask, size=target_images.shape[-2:], mode="bilinear")
    return (mask * (target_images - source_images).pow(2)).mean()


class DirectionalLoss(nn.Module):
    """mean(1 - cos(E(target image) - E(source image), dT)); section 4.1 of the paper.

    At the first step both images are equal and the image direction is zero. There the cosine's gradient is unbounded and would spoil Adam's
    second moments for dozens of steps, so below :data:`SHORTEST_DIRECTION` the length is held fixed in the denominator.
    """

    def __init__(self, encoder: ImageTextEncoder, source: str, target: str, direction: Tensor | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.direction = text_direction(encoder, source, target) if direction is None else F.normalize(direction, dim=0)

    def similarity(self, source_embeddings: Tensor, target_embeddings: Tensor) -> Tensor:
        """Cosine of each image direction with the text direction, ``[N]``, for unit embeddings ``[N, D]``."""
        moved = target_embeddings - source_embeddings
        return moved @ self.direction.to(moved) / moved.norm(dim=-1).clamp(min=SHORTEST_DIRECTION)

    def forward(self, source_images: Tensor, target_images: Tensor) -> Tensor:
        """Scalar loss for pairs of images ``[N, 3, H, W]`` in [-1, 1], made from the same latents."""
        with torch.no_grad():
            source = self.encoder.encode_image(source_images)
        return (1 - self.similarity(source, self.encoder.encode_image(target_images))).mean()


class GlobalLoss(nn.Module):
    """mean(1 - cos(E(image), E(target text))): how far an image is from the target itself (StyleCLIP's loss)."""

    def __init__(self, encoder: ImageTextEncoder, target: str, embedding: Tensor | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.target = (encoder.encode_text([target])[0] if embedding is None else embedding).detach()

    def distance(self, embeddings: Tensor) -> Tensor:
        """``[N]`` for unit embeddings ``[N, D]``."""
        return 1 - embeddings @ self.target.to(embeddings)

    def forward(self, images: Tensor) -> Tensor:
        """Scalar loss for images ``[N, 3, H, W]`` in [-1, 1]."""
        return self.distance(self.encoder.encode_image(images)).mean()
