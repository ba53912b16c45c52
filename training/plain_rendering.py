"""Draw a prompt's look on any faces: what an adapted generator is compared with.

python -m tests.whole.gates --rendering training.plain_rendering:paint
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from nada_core.adaptation.drawn_targets import drawn_pair, find_face
from nada_core.encoders.load import load_starter_encoder

__all__ = ["paint"]

_encoder = functools.cache(load_starter_encoder)


@torch.no_grad()
def paint(prompt: str, images: Tensor) -> Tensor:
    """Return images ``[N, 3, 256, 256]`` in [-1, 1] with the look of ``prompt`` drawn on.

    Raises:
        PromptError: nothing in the prompt is known.
    """
    encoder = _encoder()
    look, faces = encoder.look(prompt), [(image[None], find_face(encoder, image[None])) for image in images]
    return torch.cat([drawn_pair(encoder, look, image[:, 0, 0], image, face, i).after for i, (image, face) in enumerate(faces)])
