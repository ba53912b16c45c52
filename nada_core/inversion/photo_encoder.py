"""Define the base class of the full world's photo encoders (e4e, ReStyle): aligned photos in, W+ codes of their generator out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.errors import GeneratorError
from nada_core.generators.base import Generator
from nada_core.inversion.base import InversionStage
from nada_core.system.device import Precision

__all__ = ["INPUT_SIZE", "PhotoEncoder"]

#: Side at which the encoders read a photo, and at which ReStyle sees its own reconstructions.
INPUT_SIZE = 256


class PhotoEncoder(nn.Module):
    """Turn photos into codes of the one generator that the encoder was trained for.

    ``stages`` yields the codes as they improve, with a picture of each; calling the encoder runs it to the end.

    Attributes:
        name: as in :func:`nada_core.inversion.load_inverter`.
        in_channels: what the backbone reads: 3 for a photo alone, 6 with a reconstruction.
        num_ws: latents it gives, one for each modulated layer of its generator.
        w_dim: their length.
        latent_avg: the mean latent codes are counted from, ``[1 or num_ws, w_dim]``; None: the generator's own ``w_avg``.
    """

    name: ClassVar[str]
    in_channels: ClassVar[int]
    num_ws: int
    w_dim: int
    latent_avg: Tensor | None

    def __init__(self, num_ws: int, w_dim: int) -> None:
        super().__init__()
        self.num_ws, self.w_dim = num_ws, w_dim
        self.register_buffer("latent_avg", None, persistent=False)

    def encode(self, images: Tensor) -> Tensor:
        """Run the network alone: ``[N, in_channels, 256, 256]`` in [-1, 1] to what to add to the start, ``[N, num_ws, w_dim]``."""
        raise NotImplementedError

    def stages(self, images: Tensor, generator: Generator, precision: Precision = "auto") -> Iterator[InversionStage]:
        """Yield codes and pictures of aligned square photos ``[N, 3, H, W]`` in [-1, 1], resized to 256 px; the last is the result.

        Args:
            generator: the frozen generator the encoder was trained for; it renders what is shown.
            precision: of the encoder and the renders.

        Raises:
            GeneratorError: the encoder was made for a generator of another size.
            ValueError: ``images`` has another shape.
        """
        raise NotImplementedError

    def forward(self, images: Tensor, generator: Generator, precision: Precision = "auto") -> Tensor:
        """Return the last of :meth:`stages`' codes, ``ws`` ``[N, num_ws, w_dim]``."""
        ws: Tensor | None = None
        for stage in self.stages(images, generator, precision):
            ws = stage.inversion.ws
        assert ws is not None
        return ws

    def check(self, generator: Generator) -> None:
        """Check that the codes fit the generator.

        Raises:
            GeneratorError: the encoder was made for a generator with another number of layers, or another size of latents.
        """
        if (self.num_ws, self.w_dim) != (generator.num_ws, generator.w_dim):
            size = f" (StyleGAN2 of {2 ** (self.num_ws // 2 + 1)} px)" if self.num_ws % 2 == 0 else ""
            raise GeneratorError(
                f"This {self.name} encoder gives {self.num_ws} latents of {self.w_dim} numbers{size}; the loaded generator, "
                f"{generator.family} of {generator.img_resolution} px, takes {generator.num_ws} of {generator.w_dim}. "
                "Load the generator it was trained for, or an encoder for this one."
            )

    def average(self, generator: Generator) -> Tensor:
        """Return the mean latent for each layer, ``[1, num_ws, w_dim]``: the file's own, or else the generator's ``w_avg``."""
        mean = generator.w_avg if self.latent_avg is None else self.latent_avg
        return mean.reshape(1, -1, self.w_dim).expand(-1, self.num_ws, -1)

    def ready(self, images: Tensor, generator: Generator) -> Tensor:
        """Return the photos at 256 px on the encoder's device, after checking them and the generator.

        Raises:
            GeneratorError, ValueError: as :meth:`stages`.
        """
        self.check(generator)
        if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
            raise ValueError(f"images has shape {tuple(images.shape)}; expected [N, 3, H, W]")
        photos = images.detach().to(next(self.parameters()).device)
        if photos.shape[-2:] == (INPUT_SIZE, INPUT_SIZE):
            return photos
        return F.interpolate(photos, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", antialias=True, align_corners=False)


@torch.no_grad()
def render_at_input_size(generator: Generator, ws: Tensor) -> Tensor:
    """Return the full-size picture of ``ws``, pooled to ``[N, 3, 256, 256]``: how ReStyle saw reconstructions in training."""
    return F.adaptive_avg_pool2d(generator.synthesis(ws).float(), INPUT_SIZE)
