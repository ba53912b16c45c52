"""Use CLIP (Radford et al. 2021) through open_clip, as a frozen image-text encoder with gradients to the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders import templates
from nada_core.errors import PromptError

__all__ = ["CLIPEncoder", "ImageInput"]

_TEXTS_AT_ONCE = 128  # bounds the memory of a prompt in many templates


@dataclass(frozen=True)
class ImageInput:
    """Describe the images that a model was trained on, and prepare others like them."""

    size: tuple[int, int]  # height, width
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"  # or "squash": both sides at once, nothing is cropped

    def __call__(self, images: Tensor) -> Tensor:
        """Return images ``[N, 3, H, W]`` in [-1, 1] as the model takes them, ``[N, 3, *size]``; differentiable.

        As CLIP's own preprocessing of photos: resize the shorter side, crop the middle, normalise. Without its rounding to 8 bits.
        """
        pixels = (images + 1) / 2
        high, wide = self.size
        h, w = pixels.shape[-2:]
        if (h, w) != self.size:
            side = self.size
            if self.resize_mode != "squash":
                side = (high, high * w // h) if high * w >= wide * h else (wide * h // w, wide)
            pixels = F.interpolate(pixels, size=side, mode=self.interpolation, antialias=True)
            top, left = round((side[0] - high) / 2), round((side[1] - wide) / 2)
            pixels = pixels[..., top : top + high, left : left + wide]
        return (pixels - pixels.new_tensor(self.mean)[:, None, None]) / pixels.new_tensor(self.std)[:, None, None]


class PatchConv2d(nn.Conv2d):
    """Convolve with windows that touch and do not overlap, as one product of matrices: on CPUs its way back is several times faster."""

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu":
            return super().forward(x)
        high, wide = (side // kernel for side, kernel in zip(x.shape[2:], self.kernel_size, strict=True))
        rows = F.unfold(x, self.kernel_size, stride=self.kernel_size).transpose(1, 2)
        return F.linear(rows, self.weight.flatten(1), self.bias).transpose(1, 2).unflatten(2, (high, wide))


def _patches_by_matrix(model: nn.Module) -> None:
    """Let a vision transformer read its patches through :class:`PatchConv2d`; weights and their names stay."""
    for parent in list(model.modules()):
        for name, layer in parent.named_children():
            if type(layer) is nn.Conv2d and _reads_patches(layer):  # not a subclass: it computes something else
                high, wide = layer.kernel_size
                patches = PatchConv2d(3, layer.out_channels, (high, wide), (high, wide), bias=layer.bias is not None, device="meta")
                patches.weight, patches.bias = layer.weight, layer.bias
                setattr(parent, name, patches)


def _reads_patches(layer: nn.Conv2d) -> bool:
    """Tell whether a layer cuts a picture of three colours into windows that touch and do not overlap."""
    touching = layer.stride == layer.kernel_size and not any(layer.padding) and layer.dilation == (1, 1)
    return touching and layer.in_channels == 3 and layer.groups == 1


class CLIPEncoder(nn.Module):
    """Embed images and any text with CLIP; satisfies :class:`nada_core.encoders.base.ImageTextEncoder`.

    Everything is computed in float32, autocast or not: the losses look at differences of nearly equal embeddings.

    Args:
        model: open_clip's ``CLIP`` or ``CustomTextCLIP``, with its weights.
        tokenizer: open_clip's ``SimpleTokenizer``.
        image_input: size and statistics of its images.
        name: for style cards; :func:`nada_core.encoders.load.load_encoder` takes it again where the weights are published.
    """

    def __init__(self, model: Any, tokenizer: Any, image_input: ImageInput, *, name: str, embedding_dim: int) -> None:
        super().__init__()
        _patches_by_matrix(model)
        self.model: Any = model.eval().requires_grad_(False)
        self.tokenizer: Any = tokenizer
        self.image_input = image_input
        self.name = name
        self.embedding_dim = embedding_dim
        self.templates: tuple[str, ...] = templates.TEMPLATES

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def encode_image(self, images: Tensor) -> Tensor:
        with torch.autocast(images.device.type, enabled=False):
            return F.normalize(self.model.encode_image(self.image_input(images.float())), dim=-1)

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return unit embeddings ``[len(texts), embedding_dim]`` of the texts as they are, without templates.

        Raises:
            PromptError: a text is empty, or longer than the model reads.
        """
        tokens = self.tokenise(texts).to(self.device)
        with torch.autocast(self.device.type, enabled=False):
            embeddings = [self._read(chunk) for chunk in tokens.split(_TEXTS_AT_ONCE)]
        return F.normalize(torch.cat(embeddings), dim=-1)

    def tokenise(self, texts: Sequence[str]) -> Tensor:
        """Return token numbers ``[len(texts), context length]``, padded with zeros. Nothing is cut off: what is too long is refused.

        Raises:
            PromptError: no text, an empty one, or one that is too long.
        """
        if isinstance(texts, str) or not len(texts):
            raise PromptError("encode_text takes a list of texts, for example ['Joker'].")
        for text in texts:
            if not isinstance(text, str) or not text.strip():
                raise PromptError("The prompt is empty. Type what the faces should become, for example 'Joker'.")
            if (count := self.count_tokens(text)) > self.token_limit:
                cut = "..." if len(text) > 60 else ""
                raise PromptError(f"'{text[:60]}{cut}' has {count} tokens; {self.name} reads {self.token_limit}. Say it in fewer words.")
        return self.tokenizer(list(texts))

    @property
    def token_limit(self) -> int:
        """Return how many tokens are read of a text, the marks of its start and end included."""
        return self.tokenizer.context_length

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text makes, the marks of its start and end included."""
        return len(self.tokenizer.encode(text)) + 2

    def _read(self, tokens: Tensor) -> Tensor:
        """Return text features ``[N, D]``, as the model's own ``encode_text`` but only as far as the longest text reaches.

        A causal text tower looks only back and its result is read at the end mark, so the padding cannot matter; leaving it out is
        several times faster for prompts of a few words.
        """
        model = self.model
        mask = getattr(model, "attn_mask", None)
        if mask is None or getattr(model, "text_pool_type", None) not in ("argmax", "eos"):
            return model.encode_text(tokens)
        ends = tokens.argmax(-1)  # the end mark is the highest number
        length = int(ends.max()) + 1
        x = model.token_embedding(tokens[:, :length]) + model.positional_embedding[:length]
        x = model.ln_final(model.transformer(x, attn_mask=mask[:length, :length]))
        x = x[torch.arange(len(x), device=x.device), ends]
        projection = model.text_projection
        if projection is None:
            return x
        return projection(x) if isinstance(projection, nn.Module) else x @ projection

    def forward(self, images: Tensor) -> Tensor:
        return self.encode_image(images)
