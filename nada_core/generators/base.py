"""Define the interface that every generator family satisfies.

A generator maps ``z -> w -> ws -> image``. ``ws`` ("W+") holds one latent per modulated layer; the layers are *named*, so the rest
of the project never indexes them by family-specific position. The vocabulary follows NVlabs' stylegan2-ada-pytorch.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from nada_core.errors import OptionsError, shown

__all__ = ["LAYER_GROUPS", "LAYER_SETS", "Generator", "LayerGroup", "NoiseMode", "check_seeds", "rendered_side"]

NoiseMode = Literal["const", "random", "none"]
LayerGroup = Literal["shape", "texture", "colour"]

#: Coarse-to-fine groups of layers, in the order of the synthesis network.
LAYER_GROUPS: tuple[LayerGroup, ...] = ("shape", "texture", "colour")
#: What an adaptation can train: :meth:`Generator.layer_set`.
LAYER_SETS: tuple[str, ...] = ("all", *LAYER_GROUPS, "default", "no_fine")


def rendered_side(resolutions: Sequence[int], asked: int | None) -> int:
    """Return the side in pixels to render at: ``asked``, else the smallest of a generator's ``resolutions``.

    Raises:
        OptionsError: the generator cannot render at this size.
    """
    if asked is None:
        return resolutions[0]
    if asked not in resolutions:
        raise OptionsError(f"resolution is {shown(asked, 40)}; this generator renders at {' or '.join(map(str, resolutions))}.")
    return asked


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """Return seeds as plain numbers.

    Raises:
        OptionsError: no list of whole numbers, or a number that has no place in 64 bits.
    """
    if isinstance(seeds, (str, bytes)) or not isinstance(seeds, Iterable):
        raise OptionsError(f"The seeds are {shown(seeds, 40)}; give a list of whole numbers such as [0, 1, 2].")
    numbers = []
    for seed in seeds:
        try:
            numbers.append(operator.index(seed))
        except TypeError:
            raise OptionsError(f"A seed is {shown(seed, 40)}; it must be a whole number.") from None
        if not -(2**63) <= numbers[-1] < 2**64:
            raise OptionsError(f"A seed is {shown(seed, 40)}; it must be a number of at most 64 bits.")
    return numbers


class Generator(nn.Module):
    """Turn latents into images: the base class of all generators.

    Attributes:
        family: short name of the architecture, stored in style files.
        z_dim: length of the input latent ``z``.
        w_dim: length of the intermediate latent ``w``.
        num_ws: number of modulated layers, the second dimension of ``ws``.
        img_resolution: side of the full-size image in pixels.
        resolutions: every side ``synthesis`` can render, smallest first.
        pooled: smaller pictures are the full one averaged down, not separate outputs.
        layer_names: one name per slot of ``ws``.
        w_avg: the mean of ``w`` over many ``z``, shape ``[w_dim]``; the centre of truncation.
    """

    family: ClassVar[str]
    pooled: ClassVar[bool] = False
    z_dim: int
    w_dim: int
    num_ws: int
    img_resolution: int
    resolutions: tuple[int, ...]
    layer_names: tuple[str, ...]
    w_avg: Tensor

    def mapping(self, z: Tensor, truncation_psi: float = 1.0) -> Tensor:
        """Map ``z`` ``[N, z_dim]`` to ``ws`` ``[N, num_ws, w_dim]``, pulled towards ``w_avg`` by ``truncation_psi`` (1: not at all)."""
        raise NotImplementedError

    def synthesis(self, ws: Tensor, noise_mode: NoiseMode = "const", resolution: int | None = None) -> Tensor:
        """Render ``ws`` ``[N, num_ws, w_dim]`` as images ``[N, 3, R, R]`` in about [-1, 1]; ``R`` is ``img_resolution`` unless given."""
        raise NotImplementedError

    def layer_group(self, parameter: str) -> LayerGroup:
        """Return the one of :data:`LAYER_GROUPS` to which a synthesis parameter (by its state-dict name) belongs."""
        raise NotImplementedError

    def adaptable(self, layers: str = "all") -> list[str]:
        """Return the names of the parameters an adaptation can train: ``"all"``, or one of :data:`LAYER_GROUPS`.

        The mapping network is not among them: the adapted copy renders the ``ws`` of the frozen one, so its own would get no gradient.

        Raises:
            ValueError: unknown ``layers``.
        """
        raise NotImplementedError

    def layer_set(self, layers: str = "all") -> list[str]:
        """Return the names of the parameters that an adaptation with ``layers``, one of :data:`LAYER_SETS`, trains.

        ``all`` is everything :meth:`adaptable`. The others are the official code's sets (Gal et al. 2021, section 4.2), or what fits the
        family best: ``default`` has the constant input and every styled convolution but no layer that makes colours of features,
        ``no_fine`` those of it up to 128 px, ``shape`` and ``texture`` coarse ones and those in the middle. ``colour`` is the layer group.

        Raises:
            ValueError: unknown ``layers``.
        """
        raise NotImplementedError

    def slot_parameters(self, slot: int, *, official: bool = False) -> list[str]:
        """Return the names of the parameters of all layers that ``ws[:, slot]`` modulates.

        Args:
            official: return those that StyleGAN-NADA's published code trains for this slot instead; they differ.

        Raises:
            ValueError: ``official`` is set, but the published code knows no such generator.
        """
        raise NotImplementedError

    def laid_out_for_cpu(self) -> Generator:
        """Arrange the weights in memory as CPUs compute fastest: oneDNN's convolutions, above all in bfloat16, want channels last."""
        return self.to(memory_format=torch.channels_last)

    def unused_at(self, resolution: int | None) -> list[str]:
        """Return the names of the :meth:`adaptable` parameters not used in rendering at ``resolution``, so without gradient there."""
        return []

    @property
    def device(self) -> torch.device:
        """Return the device that holds the weights."""
        return self.w_avg.device

    def forward(self, z: Tensor, truncation_psi: float = 1.0, resolution: int | None = None) -> Tensor:
        """Return ``synthesis(mapping(z))``: ``[N, z_dim] -> [N, 3, R, R]``."""
        return self.synthesis(self.mapping(z, truncation_psi), resolution=resolution)

    def content_hash(self) -> str:
        """Return a SHA-256 over names, shapes and values of all weights: it identifies a base model, whatever its file."""
        digest = hashlib.sha256()
        for name, value in sorted(self.state_dict().items()):
            digest.update(f"{name}{tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def sample_z(self, seeds: Sequence[int]) -> Tensor:
        """Return one latent per seed, ``[len(seeds), z_dim]``; a seed gives the same face whatever the other seeds are."""
        rows = [torch.randn(self.z_dim, generator=torch.Generator().manual_seed(seed)) for seed in check_seeds(seeds)]
        return torch.stack(rows).to(self.device)
