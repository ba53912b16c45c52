"""Define a person's portrait (aligned photo and inversion) and the styles fitted to it, and render it in them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from nada_core.alignment.faces import Face
from nada_core.errors import OptionsError
from nada_core.generators.base import Generator
from nada_core.generators.rendering import render
from nada_core.inversion.base import Inversion
from nada_core.styles.mixing import Delta, Strength, apply_mix

__all__ = ["AlignedPhoto", "FittedStyle", "Portrait", "Scores", "check_shares", "render_portrait"]


@dataclass(frozen=True, eq=False)
class AlignedPhoto:
    """Hold a photo and its chosen face, cut out and aligned.

    ``photo`` is the decoded picture, RGBA where it has transparent places, ``crop`` its FFHQ crop (1024 px, over white),
    ``photo_landmarks`` ``[68, 2]`` in the photo, ``landmarks`` the same in a 256 px crop. ``faces`` are all that were
    found, largest first, and ``face`` is the chosen one's number; a face that was placed by hand has the number -1.
    """

    photo: Image.Image = field(repr=False)
    crop: Image.Image = field(repr=False)
    faces: tuple[Face, ...] = field(repr=False)
    face: int
    photo_landmarks: NDArray = field(repr=False)
    landmarks: NDArray = field(repr=False)

    @property
    def size(self) -> float:
        """Return the width of the face in pixels of the photo, ear to ear."""
        return float(self.photo_landmarks[16, 0] - self.photo_landmarks[0, 0]) if self.face < 0 else self.faces[self.face].size


@dataclass(frozen=True, eq=False)
class Portrait:
    """Hold an aligned photo and its inversion.

    ``rebuilt`` is the inversion as a picture (256 px), ``reference`` the recogniser's description ``[128]`` of the photo's face: every
    later picture is compared with it. ``identity`` is the inversion's distance to the photo, ``error`` its RMS error in [0, 2].
    """

    aligned: AlignedPhoto
    inversion: Inversion
    rebuilt: Image.Image = field(repr=False)
    reference: NDArray = field(repr=False)
    identity: float
    error: float
    mode: str
    seconds: float


@dataclass(frozen=True, eq=False)
class FittedStyle:
    """Hold a style fitted to one person: its change of the weights, the further change that the fit added included."""

    name: str
    prompt: str
    delta: Delta = field(repr=False)


@dataclass(frozen=True)
class Scores:
    """Hold how alike picture and photo are: identity distance (0.6: limit of one person), its :func:`~nada_core.metrics.likeness` share."""

    identity: float
    likeness: float


def check_shares(shares: Sequence[float], count: int) -> list[float]:
    """Return the shares of a blend of ``count`` styles, made to sum to 1; equal ones where none are given.

    Raises:
        OptionsError: another number of shares, a negative one, or nothing but zeros.
    """
    values = [float(share) for share in shares] or [1.0] * count
    if len(values) != count:
        raise OptionsError(f"{len(values)} shares for {count} styles: give one share a style.")
    total = sum(values)
    if not total > 0 or min(values) < 0 or total != total or total == float("inf"):
        raise OptionsError("The shares of a blend must be 0 or more, and one of them above 0.")
    return [value / total for value in values]


@torch.no_grad()
def render_portrait(
    base: Generator,
    inversion: Inversion,
    fitted: Sequence[tuple[FittedStyle, float]] = (),
    strengths: Sequence[Strength] = (Strength(),),
    resolution: int | None = None,
) -> list[Tensor]:
    """Return the person in a blend of styles, ``[1, 3, R, R]`` in [-1, 1] for each of ``strengths``.

    Args:
        base: the frozen generator; not changed.
        fitted: styles fitted to this person, with shares (see :func:`check_shares`); none gives the plain inversion.
        strengths: one picture each.
        resolution: one of the generator's; the largest by default.
    """
    working = copy.deepcopy(base)
    parts = [(style.delta, share) for style, share in fitted]
    pictures = []
    for strength in strengths:
        apply_mix(working, base, parts, strength, inversion.offsets)
        pictures.append(render(working, inversion.ws, resolution).clamp(-1, 1))
    return pictures
