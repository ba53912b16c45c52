"""Turn a photo into W+ codes by looking at the reconstruction and correcting: ReStyle-e4e (Alaluf et al. 2021, arXiv:2104.02699)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from nada_core.generators.base import Generator
from nada_core.inversion.base import Inversion, InversionStage
from nada_core.inversion.ir_se50 import IRSE50, MAP_CHANNELS
from nada_core.inversion.photo_encoder import PhotoEncoder, render_at_input_size
from nada_core.inversion.style_heads import StyleHead, offsets_from_first
from nada_core.system.device import Precision, precision_context

__all__ = ["ReStyleE4E"]


class ReStyleE4E(PhotoEncoder):
    """Run IR-SE50 on the photo and a picture of the current codes; every head reads its last map.

    Args:
        steps: how often the encoder looks; the published one was trained with 5.
    """

    name = "restyle-e4e"
    in_channels = 6

    def __init__(self, num_ws: int = 18, w_dim: int = 512, steps: int = 5) -> None:
        super().__init__(num_ws, w_dim)
        self.steps = steps
        self.backbone = IRSE50(self.in_channels)
        self.heads = nn.ModuleList(StyleHead(MAP_CHANNELS[-1], w_dim, 16) for _ in range(num_ws))

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """Turn photo and reconstruction, six channels in this order, into corrections of the codes ``[N, num_ws, w_dim]``."""
        *_, last = self.backbone(images)
        return offsets_from_first(torch.stack([head(last) for head in self.heads], 1))

    def stages(self, images: Tensor, generator: Generator, precision: Precision = "auto") -> Iterator[InversionStage]:
        photos = self.ready(images, generator)
        count = photos.shape[0]
        ws = self.average(generator)
        with precision_context(photos.device, precision):
            shown = render_at_input_size(generator, ws)  # the average face, the same for all photos
        ws, shown = ws.expand(count, -1, -1), shown.expand(count, -1, -1, -1)
        for step in range(1, self.steps + 1):
            with precision_context(photos.device, precision):
                ws = ws + self.encode(torch.cat([photos, shown], 1)).float()
                shown = render_at_input_size(generator, ws)
            yield InversionStage(f"encoding, look {step} of {self.steps}", step / self.steps, shown, Inversion(ws))
