"""The renderings that taught the encoder, painted on any faces: what an adapted generator is compared with.

    python -m tests.gates --rendering training.plain_rendering:paint

Generated faces have exact region masks from the generator's features; for pictures alone the encoder's region decoder supplies them.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import torch
from torch import Tensor

from nada_core.encoders.load import load_encoder
from nada_core.encoders.starter import REGIONS, StarterEncoder
from nada_core.faces import FaceDetector
from nada_core.images import to_pil
from nada_core.manual_alignment import mean_face
from nada_core.prompts import resolve_concept
from training.renderings import RENDERINGS, RenderFace
from training.renderings.face import SIZE, Array

__all__ = ["paint"]


@functools.cache
def _encoder() -> StarterEncoder:
    encoder = load_encoder("starter")
    assert isinstance(encoder, StarterEncoder)
    return encoder


@functools.cache
def _detector() -> FaceDetector:
    return FaceDetector()


def _render_face(image: Tensor) -> RenderFace:
    """Regions by the encoder's decoder, landmarks by dlib, or those of a mean face where it sees none."""
    shares = _encoder().regions(image[None])[0].cpu().numpy()
    masks = {name: cv2.resize(share, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC).clip(0, 1) for name, share in zip(REGIONS, shares)}
    picture = to_pil(image)
    faces = _detector().detect(picture)
    landmarks = faces[0].landmarks if faces else mean_face()
    face = (masks["face"] + masks["eyes"] + masks["mouth"]).clip(0, 1)
    rest = [masks[name].astype(np.float32) for name in ("body", "clothing", "background")]
    pixels = np.asarray(picture, np.float32) / 255
    return RenderFace(pixels, landmarks.astype(np.float32), masks["hair"].astype(np.float32), face.astype(np.float32), *rest)


def _as_tensor(picture: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float() * 2 - 1


@torch.no_grad()
def paint(prompt: str, images: Tensor) -> Tensor:
    """Images ``[N, 3, 256, 256]`` in [-1, 1] with the concept of ``prompt`` painted on.

    Raises:
        PromptError: no such concept.
    """
    render = RENDERINGS[resolve_concept(prompt, list(RENDERINGS))]
    pictures = [render(_render_face(image), np.random.default_rng(i)) for i, image in enumerate(images)]
    return torch.stack([_as_tensor(np.clip(picture, 0, 1)) for picture in pictures])
