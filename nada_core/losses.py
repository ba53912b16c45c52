"""Compute the losses of text-driven adaptation: one formula each (Gal et al. 2021, "StyleGAN-NADA", arXiv:2108.00946).

Text directions are computed at construction; the images' embeddings come from any :class:`ImageTextEncoder`. E(text) is the encoder's
embedding of the text, or the mean over its templates where it reads templates. With an :class:`EncoderEnsemble` every loss is the sum of
its members' own, times their weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.ensemble import EncoderEnsemble, member_parts, unit
from nada_core.encoders.templates import FACE_PARTS, ReadsTemplates, caption, fill
from nada_core.errors import OptionsError, PromptError, shown

__all__ = [
    "DirectionalLoss",
    "GlobalLoss",
    "ManifoldLoss",
    "PatchLoss",
    "check_patches",
    "mean_embedding",
    "paired_cosine",
    "text_direction",
]

#: Below this length an image direction is noise: the cosine is replaced by a dot product, which is smooth at zero.
SHORTEST_DIRECTION = 0.05


def _describe(encoder: ImageTextEncoder, text: str) -> Tensor:
    """Return unit embeddings ``[T, D]`` of a text in each of the encoder's templates, or as it is."""
    templates = encoder.templates if isinstance(encoder, ReadsTemplates) else ("{}",)
    return encoder.encode_text([fill(template, text) for template in templates])


def text_direction(encoder: ImageTextEncoder, source: str, target: str) -> Tensor:
    """Return the unit direction ``[D]`` from the source text to the target text.

    Raises:
        PromptError: both texts mean the same, so there is no direction.
    """
    if isinstance(encoder, EncoderEnsemble):
        return encoder.join([text_direction(member, source, target) for member in encoder.members])
    start, end = _describe(encoder, source), _describe(encoder, target)
    difference = (end - start).mean(0)
    if difference.norm() < 1e-6:
        raise PromptError(
            f"'{shown(target)}' means the same as the source '{shown(source)}': there is nothing to adapt. Choose another target."
        )
    return F.normalize(difference, dim=0).detach()


def mean_embedding(encoder: ImageTextEncoder, images: Iterable[Tensor]) -> Tensor:
    """Return the mean unit embedding ``[D]`` of pictures ``[1, 3, H, W]`` in [-1, 1]: what they say in place of a text.

    Its own length is below 1 and stays: the paper's direction between two sets of pictures is the difference of two such means, and only
    that difference is normalised, as :class:`DirectionalLoss` does.
    """
    with torch.no_grad():
        return torch.cat([encoder.encode_image(image) for image in images]).mean(0)


def _cosine(moved: Tensor, direction: Tensor) -> Tensor:
    """Return cosines of changes ``[N, D]`` with unit directions ``[D]`` or ``[D, K]``; short ones are divided by a fixed length."""
    length = moved.norm(dim=-1).clamp(min=SHORTEST_DIRECTION)
    return moved @ direction.to(moved) / (length if direction.ndim == 1 else length[:, None])


def paired_cosine(moved: Tensor, wanted: Tensor) -> Tensor:
    """Return the cosine of each change ``[N, D]`` with the one that it should be; short ones are divided by a fixed length."""
    lengths = moved.norm(dim=-1).clamp(min=SHORTEST_DIRECTION) * wanted.norm(dim=-1).clamp(min=SHORTEST_DIRECTION)
    return (moved * wanted).sum(-1) / lengths


class DirectionalLoss(nn.Module):
    """Compute mean(1 - cos(E(target image) - E(source image), dT)); section 4.1 of the paper.

    At the first step both images are equal and the image direction is zero. There the cosine's gradient is unbounded and would spoil Adam's
    second moments for dozens of steps, so below :data:`SHORTEST_DIRECTION` the length is held fixed in the denominator.
    """

    def __init__(self, encoder: ImageTextEncoder, source: str, target: str, direction: Tensor | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.direction = text_direction(encoder, source, target) if direction is None else unit(encoder, direction)

    def _cosines(self, source_embeddings: Tensor, target_embeddings: Tensor) -> Iterator[tuple[float, Tensor]]:
        """Return each member's weight and cosines ``[N]``."""
        moved = member_parts(self.encoder, target_embeddings - source_embeddings)
        for (weight, change), (_, direction) in zip(moved, member_parts(self.encoder, self.direction), strict=True):
            yield weight, _cosine(change, direction)

    def similarity(self, source_embeddings: Tensor, target_embeddings: Tensor) -> Tensor:
        """Return image directions' cosines ``[N]`` with the text's, for unit embeddings ``[N, D]``; a weighted mean over members."""
        weights, cosines = zip(*self._cosines(source_embeddings, target_embeddings), strict=True)
        return sum(weight / sum(weights) * cosine for weight, cosine in zip(weights, cosines))

    def distance(self, source_embeddings: Tensor, target_embeddings: Tensor) -> Tensor:
        """Return 1 - cosine, ``[N]``, for unit embeddings ``[N, D]``; a weighted sum over members."""
        return _total(weight * (1 - cosine) for weight, cosine in self._cosines(source_embeddings, target_embeddings))

    def forward(self, source_images: Tensor, target_images: Tensor) -> Tensor:
        """Return the scalar loss for pairs of images ``[N, 3, H, W]`` in [-1, 1], made from the same latents."""
        return self.distance(*_embeddings(self.encoder, source_images, target_images)).mean()


class GlobalLoss(nn.Module):
    """Compute mean(1 - cos(E(image), E("a target"))): how far an image is from the target itself (StyleCLIP's loss).

    Args:
        embedding: ``[D]`` of any length, in place of the text's.
    """

    def __init__(self, encoder: ImageTextEncoder, target: str, embedding: Tensor | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.target = (_caption(encoder, target) if embedding is None else unit(encoder, embedding)).detach()

    def distance(self, embeddings: Tensor) -> Tensor:
        """Return 1 - cosine, ``[N]``, for unit embeddings ``[N, D]``; a weighted sum over members."""
        images, texts = member_parts(self.encoder, embeddings), member_parts(self.encoder, self.target)
        return _total(weight * (1 - image @ text.to(image)) for (weight, image), (_, text) in zip(images, texts, strict=True))

    def forward(self, images: Tensor) -> Tensor:
        """Return the scalar loss for images ``[N, 3, H, W]`` in [-1, 1]."""
        return self.distance(self.encoder.encode_image(images)).mean()


class ManifoldLoss(nn.Module):
    """Move pictures as far apart as the texts are: mean |cos(E(target image), E(source image)) - cos(E(target text), E(source text))|.

    Part of the official code, not of the paper.
    """

    def __init__(self, encoder: ImageTextEncoder, source: str, target: str) -> None:
        super().__init__()
        self.encoder = encoder
        members = encoder.members if isinstance(encoder, EncoderEnsemble) else (encoder,)
        self.cosines = [float(_mean_text(member, target) @ _mean_text(member, source)) for member in members]

    def distance(self, source_embeddings: Tensor, target_embeddings: Tensor) -> Tensor:
        """Return the losses ``[N]`` for unit embeddings ``[N, D]``; a weighted sum over members."""
        sources, targets = member_parts(self.encoder, source_embeddings), member_parts(self.encoder, target_embeddings)
        pairs = zip(sources, targets, self.cosines, strict=True)
        return _total(weight * ((before * after).sum(-1) - cosine).abs() for (weight, before), (_, after), cosine in pairs)

    def forward(self, source_images: Tensor, target_images: Tensor) -> Tensor:
        """Return the scalar loss for pairs of images ``[N, 3, H, W]`` in [-1, 1], made from the same latents."""
        return self.distance(*_embeddings(self.encoder, source_images, target_images)).mean()


def check_patches(encoder: ImageTextEncoder) -> None:
    """Refuse an encoder with which the patch loss cannot be computed, without computing anything.

    Raises:
        OptionsError: it, or a member of it, does not read sentences.
    """
    for member in encoder.members if isinstance(encoder, EncoderEnsemble) else (encoder,):
        if not isinstance(member, ReadsTemplates):
            raise OptionsError(
                f"The patch loss needs an encoder that reads sentences, such as CLIP; '{member.name}' does not. Leave it out."
            )


class PatchLoss(nn.Module):
    """Compute the directional loss of one random patch an image, towards whichever parts of the subject the patch may show.

    sum over parts p of softmax_p(cos_p) * (1 - cos_p), cos_p the cosine of the patch's change with the text direction from "the nose of a
    source" to "the nose of a target". Part of the official code, not of the paper; there the patches are 510 of 1024 pixels, and the mean
    over 15 parts is taken, so its values are 15 times smaller.

    Args:
        patch: side of a patch in pixels; by default half the shorter side of the images, as in the official code at 1024 pixels.
        parts: templates that name the parts; those of :data:`nada_core.encoders.templates.PARTS`, or others.

    Raises:
        OptionsError: the encoder does not read sentences, or the patch is no positive whole number.
    """

    def __init__(
        self, encoder: ImageTextEncoder, source: str, target: str, patch: int | None = None, parts: Sequence[str] = FACE_PARTS
    ) -> None:
        super().__init__()
        check_patches(encoder)
        if patch is not None and (isinstance(patch, bool) or not isinstance(patch, int) or patch < 1):
            raise OptionsError(f"patch is {patch}; it must be a side in pixels, or None for half the picture.")
        self.encoder, self.patch = encoder, patch
        self.directions = torch.stack([text_direction(encoder, fill(part, source), fill(part, target)) for part in parts])

    def distance(self, source_embeddings: Tensor, target_embeddings: Tensor) -> Tensor:
        """Return the loss ``[N]`` for unit embeddings ``[N, D]`` of patches; a weighted sum over members."""
        moved = member_parts(self.encoder, target_embeddings - source_embeddings)
        terms = []
        for (weight, change), (_, directions) in zip(moved, member_parts(self.encoder, self.directions), strict=True):
            cosines = _cosine(change, directions.T)
            terms.append(weight * (cosines.softmax(-1) * (1 - cosines)).sum(-1))
        return _total(terms)

    def forward(self, source_images: Tensor, target_images: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss for pairs of images ``[N, 3, H, W]`` in [-1, 1]; ``generator`` places the patches, the same in both of a pair.

        Raises:
            OptionsError: the patch is larger than the images.
        """
        height, width = target_images.shape[-2:]
        side = self.patch or max(1, min(height, width) // 2)
        if side > min(height, width):
            raise OptionsError(f"patch is {side} pixels; the images have {height} x {width}. Choose a smaller one, or None.")
        corners = [
            torch.randint(room + 1, (len(target_images),), generator=generator, device=generator.device).tolist()
            for room in (height - side, width - side)
        ]
        source, target = (
            torch.stack([image[:, y : y + side, x : x + side] for image, y, x in zip(images, *corners, strict=True)])
            for images in (source_images, target_images)
        )
        return self.distance(*_embeddings(self.encoder, source, target)).mean()


def _embeddings(encoder: ImageTextEncoder, source_images: Tensor, target_images: Tensor) -> tuple[Tensor, Tensor]:
    """Return both images' embeddings; no gradient reaches the source."""
    with torch.no_grad():
        source = encoder.encode_image(source_images)
    return source, encoder.encode_image(target_images)


def _total(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum(0)


def _caption(encoder: ImageTextEncoder, text: str) -> Tensor:
    """Return the text's embedding ``[D]`` as one caption for each member."""
    if isinstance(encoder, EncoderEnsemble):
        return encoder.join([_caption(member, text) for member in encoder.members])
    return encoder.encode_text([caption(encoder, text)])[0]


def _mean_text(encoder: ImageTextEncoder, text: str) -> Tensor:
    """Return the unit mean ``[D]`` of the text over the encoder's templates."""
    return F.normalize(_describe(encoder, text).mean(0), dim=0)
