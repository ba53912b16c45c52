"""The image-text encoder interface that CLIP and the starter encoder both satisfy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

__all__ = ["ImageTextEncoder", "KnowsRegions", "StressesColour"]


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


@runtime_checkable
class KnowsRegions(Protocol):
    """An encoder that can also say where in a picture a text makes a difference."""

    def rate_factor(self, target: str) -> float:
        """Factor on the generator family's default step size that suits a text."""
        ...

    def regions(self, images: Tensor) -> Tensor:
        """Shares ``[N, 7, h, w]`` of hair, face, ears and neck, clothing, background, eyes and mouth in images ``[N, 3, H, W]``."""
        ...

    def untouched(self, images: Tensor, source: str, target: str) -> Tensor:
        """Mask ``[N, 1, h, w]`` in [0, 1] for images ``[N, 3, H, W]``: 1 where going from ``source`` to ``target`` changes nothing."""
        ...


@runtime_checkable
class StressesColour(Protocol):
    """An encoder that can be told to look more at the colours of a picture's parts than it does by itself."""

    def stressing_colour(self, factor: float) -> ImageTextEncoder:
        """The same encoder with ``factor`` times the weight on colours; this one stays as it is."""
        ...
