"""Use several encoders as one: losses are computed for each and summed with weights (Gal et al. 2021: ViT-B/32 + ViT-B/16)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders.base import ImageTextEncoder
from nada_core.errors import EncoderError

__all__ = ["EncoderEnsemble", "member_parts", "unit"]


class EncoderEnsemble(nn.Module):
    """Join encoders into one :class:`nada_core.encoders.base.ImageTextEncoder`, with the members' embeddings side by side.

    Each part is scaled by the square root of its member's share of the weights, so that the whole is a unit vector and the cosine of two
    wholes is the weighted mean of the members' cosines.

    Args:
        members: two or more encoders.
        weights: factor on each member's losses; 1 each by default, as in the official code.

    Raises:
        EncoderError: fewer than two members, a weight that is not a positive number, or not one weight a member.
    """

    def __init__(self, members: Sequence[ImageTextEncoder], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        weights = [1.0] * len(members) if weights is None else [float(weight) for weight in weights]
        if len(members) < 2 or len(weights) != len(members):
            raise EncoderError(f"{len(members)} encoders with {len(weights)} weights: an ensemble takes two or more, with a weight each.")
        if not all(math.isfinite(weight) and weight > 0 for weight in weights):
            raise EncoderError(f"The weights of an ensemble are {weights}; each must be a number above 0.")
        self.members: tuple[ImageTextEncoder, ...] = tuple(members)
        for index, member in enumerate(members):
            if isinstance(member, nn.Module):
                self.add_module(f"member{index}", member)  # so that .to(device) reaches it
        self.weights = tuple(weights)
        self.shares = tuple(weight / sum(weights) for weight in weights)
        self.name = ",".join(f"{member.name}:{weight:g}" for member, weight in zip(members, weights))
        self.embedding_dim = sum(member.embedding_dim for member in members)

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Return one vector ``[..., D]`` from the members' own ``[..., D_i]``."""
        return torch.cat([part * share**0.5 for part, share in zip(parts, self.shares, strict=True)], dim=-1)

    def split(self, joined: Tensor) -> list[Tensor]:
        """Return the members' own vectors ``[..., D_i]`` from one that :meth:`join` made."""
        parts = joined.split([member.embedding_dim for member in self.members], dim=-1)
        return [part / share**0.5 for part, share in zip(parts, self.shares, strict=True)]

    def encode_image(self, images: Tensor) -> Tensor:
        return self.join([member.encode_image(images) for member in self.members])

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        return self.join([member.encode_text(texts) for member in self.members])

    def forward(self, images: Tensor) -> Tensor:
        return self.encode_image(images)


def member_parts(encoder: ImageTextEncoder, embeddings: Tensor) -> list[tuple[float, Tensor]]:
    """Return each member's weight and part ``[..., D_i]`` of embeddings ``[..., D]``; one pair for an encoder that is no ensemble."""
    if isinstance(encoder, EncoderEnsemble):
        return list(zip(encoder.weights, encoder.split(embeddings), strict=True))
    return [(1.0, embeddings)]


def unit(encoder: ImageTextEncoder, vector: Tensor) -> Tensor:
    """Return the vector ``[..., D]`` at length 1, for an ensemble part by part."""
    if isinstance(encoder, EncoderEnsemble):
        return encoder.join([F.normalize(part, dim=-1) for part in encoder.split(vector)])
    return F.normalize(vector, dim=-1)
