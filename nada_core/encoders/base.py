"""The image-text encoder interface that CLIP and the starter encoder both satisfy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

__all__ = ["ImageTextEncoder"]


@runtime_checkable
class ImageTextEncoder(Protocol):
    """Frozen; owns its resizing and normalisation; gradients flow through ``encode_image`` to the images."""

    name: str
    embedding_dim: int

    def encode_image(self, images: Tensor) -> Tensor:
        """Unit embeddings ``[N, embedding_dim]`` of images ``[N, 3, H, W]`` in [-1, 1]."""
        ...

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Unit embeddings ``[len(texts), embedding_dim]``.

        Raises:
            PromptError: a text is empty, or outside what this encoder can express.
        """
        ...
