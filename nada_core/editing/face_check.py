"""Check that a generator draws human faces aligned as in FFHQ; only then can it rebuild photos."""

from __future__ import annotations

import numpy as np
import torch

from nada_core.alignment.ffhq import FaceDetector, ffhq_quad
from nada_core.generators.base import Generator
from nada_core.images.image_io import to_pil
from nada_core.system.device import precision_context

__all__ = ["draws_aligned_faces"]

#: How far a corner of the crop may lie from the picture's own, as a share of the side. FFHQ's mean face is off by 0.02.
_OFF = 0.15


@torch.no_grad()
def draws_aligned_faces(generator: Generator, detector: FaceDetector) -> bool:
    """Tell whether the generator's mean picture shows a human face that the FFHQ alignment would crop as it is.

    Raises:
        AssetError: a model of the detector is missing and cannot be fetched.
    """
    ws = generator.w_avg.expand(1, generator.num_ws, -1)
    with precision_context(generator.device):
        picture = to_pil(generator.synthesis(ws, resolution=generator.resolutions[0]).float())
    side = picture.width
    corners = np.array([(0, 0), (0, side), (side, side), (side, 0)]) - 0.5
    return any(np.abs(ffhq_quad(face.landmarks) - corners).max() <= _OFF * side for face in detector.detect(picture))
