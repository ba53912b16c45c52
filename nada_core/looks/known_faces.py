"""Load the generated faces shipped with their landmarks and regions, so that drawing a look needs no detector.

They were chosen for variety: a third each with light, medium and dark skin, of all ages, with glasses and beards among them. A look that is
learnt from them reaches everybody.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import SafetensorError, safe_open

from nada_core.assets.shipped import CHECKPOINTS
from nada_core.errors import GeneratorError
from nada_core.looks.drawing.drawn_face import DrawnFace, face_from

__all__ = ["KNOWN_FACES", "KnownFaces", "known_faces", "portraits"]

KNOWN_FACES = "known-faces.safetensors"


@dataclass(frozen=True, eq=False)
class KnownFaces:
    """Faces of one generator.

    Attributes:
        base_hash: the generator, as :meth:`~nada_core.generators.base.Generator.content_hash` names it.
        truncation_psi: of its latents.
        seeds: one a face.
        landmarks: ``[N, 68, 2]`` in pixels of a picture 256 wide.
        shares: ``[N, 7, 40, 40]``, the regions in [0, 1], as :meth:`~nada_core.encoders.base.ReadsLooks.regions` gives them.
        pictures: the first faces as JPEG files, 256 px.
    """

    base_hash: str
    truncation_psi: float
    seeds: tuple[int, ...]
    landmarks: np.ndarray
    shares: np.ndarray
    pictures: tuple[bytes, ...]


@functools.cache
def known_faces(path: Path = CHECKPOINTS / KNOWN_FACES) -> KnownFaces:
    """Read the faces that are shipped.

    Raises:
        GeneratorError: the file is missing or damaged.
    """
    try:
        with safe_open(path, "np") as file:
            card = json.loads((file.metadata() or {})["card"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        bounds = tensors["bounds"].tolist()
        blob = tensors["jpeg"].tobytes()
        return KnownFaces(
            card["base_hash"],
            float(card["truncation_psi"]),
            tuple(tensors["seeds"].tolist()),
            tensors["landmarks"].astype(np.float32),
            tensors["shares"].astype(np.float32) / 255,
            tuple(blob[start:end] for start, end in itertools.pairwise(bounds)),
        )
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise GeneratorError(
            f"checkpoints/{path.name} is missing or damaged: it is part of the repository. Restore it with `git checkout checkpoints`."
        ) from error


@functools.cache
def portraits(count: int) -> Sequence[DrawnFace]:
    """Return ``count`` known faces to draw on, spread evenly over those that are shipped with a picture."""
    known = known_faces()
    places = np.linspace(0, len(known.pictures) - 1, min(count, len(known.pictures))).round().astype(int)
    faces = []
    for place in places:
        picture = np.asarray(Image.open(io.BytesIO(known.pictures[place])).convert("RGB"), np.float32) / 255
        faces.append(face_from(picture, known.shares[place], known.landmarks[place]))
    return tuple(faces)
