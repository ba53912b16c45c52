"""Define the image-text encoder interface that CLIP and the starter encoder both satisfy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

from nada_core.looks.look import Look

__all__ = ["ImageTextEncoder", "ReadsLooks", "StressesColour"]


@runtime_checkable
class ImageTextEncoder(Protocol):
    """Embed images and texts; frozen, with its own resizing and normalisation. Gradients flow through ``encode_image`` to the images."""

    name: str
    embedding_dim: int

    def encode_image(self, images: Tensor) -> Tensor:
        """Return unit embeddings ``[N, embedding_dim]`` of images ``[N, 3, H, W]`` in [-1, 1]."""
        ...

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Return unit embeddings ``[len(texts), embedding_dim]``.

        Raises:
            PromptError: a text is empty, or outside what this encoder can express.
        """
        ...


@runtime_checkable
class ReadsLooks(Protocol):
    """Describe an encoder for which a text is a look: data that can be drawn on a face, so that drawings say what the text means."""

    def look(self, text: str) -> Look:
        """Return what a text means for a face; an empty look for a text that asks for a face as it is.

        Raises:
            PromptError: nothing in the text is known, or it is empty or too long.
        """
        ...

    def encode_image(self, images: Tensor) -> Tensor:
        """Return unit embeddings ``[N, embedding_dim]`` of images ``[N, 3, H, W]`` in [-1, 1]."""
        ...

    def regions(self, images: Tensor) -> Tensor:
        """Return shares ``[N, 7, h, w]`` of hair, face, ears and neck, clothing, background, eyes and mouth in images ``[N, 3, H, W]``."""
        ...

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return features of images ``[N, 3, H, W]`` at each place, fine ones first, each ``[N, C, h, w]``; gradients flow through them."""
        ...


@runtime_checkable
class StressesColour(Protocol):
    """Describe an encoder that can be told to look more at the colours of a picture's parts than it does by itself."""

    def stressing_colour(self, factor: float) -> ImageTextEncoder:
        """Return a copy of the encoder with ``factor`` times the weight on colours; this one stays as it is."""
        ...
