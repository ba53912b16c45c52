"""Turn a photo into W+ codes near W, in one pass: e4e, "Encoder for Editing" (Tov et al. 2021, arXiv:2102.02766)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.generators.base import Generator
from nada_core.inversion.base import Inversion, InversionStage
from nada_core.inversion.ir_se50 import IRSE50, MAP_CHANNELS
from nada_core.inversion.photo_encoder import PhotoEncoder, render_at_input_size
from nada_core.inversion.style_heads import StyleHead, offsets_from_first
from nada_core.system.device import Precision, precision_context

__all__ = ["E4E"]

#: Heads before these read the map of 16 px, of 32 px; all later ones that of 64 px.
_MIDDLE, _FINE = 3, 7


class E4E(PhotoEncoder):
    """Encode photos by a feature pyramid on IR-SE50, as pSp's; each layer's latent is the first one's plus a difference.

    Args:
        add_average: the codes are counted from the mean latent (``start_from_latent_avg`` of the published files).
    """

    name = "e4e"
    in_channels = 3

    def __init__(self, num_ws: int = 18, w_dim: int = 512, add_average: bool = True) -> None:
        super().__init__(num_ws, w_dim)
        self.add_average = add_average
        self.backbone = IRSE50(self.in_channels)
        fine, middle, coarse = MAP_CHANNELS
        self.lateral_middle = nn.Conv2d(middle, coarse, 1)
        self.lateral_fine = nn.Conv2d(fine, coarse, 1)
        sides = (16 if i < _MIDDLE else 32 if i < _FINE else 64 for i in range(num_ws))
        self.heads = nn.ModuleList(StyleHead(coarse, w_dim, side) for side in sides)

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        fine, middle, coarse = self.backbone(images)
        middle = _larger(coarse, middle) + self.lateral_middle(middle)
        fine = _larger(middle, fine) + self.lateral_fine(fine)
        maps = (coarse if i < _MIDDLE else middle if i < _FINE else fine for i in range(self.num_ws))
        return offsets_from_first(torch.stack([head(x) for head, x in zip(self.heads, maps, strict=True)], 1))

    def stages(self, images: Tensor, generator: Generator, precision: Precision = "auto") -> Iterator[InversionStage]:
        photos = self.ready(images, generator)
        with precision_context(photos.device, precision):
            ws = self.encode(photos).float()
            if self.add_average:
                ws = ws + self.average(generator)
            shown = render_at_input_size(generator, ws)
        yield InversionStage("encoding", 1.0, shown, Inversion(ws))


def _larger(x: Tensor, like: Tensor) -> Tensor:
    # corners aligned, as in training
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=True)
