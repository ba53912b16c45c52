"""The starter world's image-text encoder: frozen ImageNet features, read region by region, with a small trained head.

An image is described by statistics of EfficientNet-Lite0 features and of its pixels, over the whole picture and over seven regions
(hair, face, ears and neck, clothing, background, eyes, mouth) that a small trained decoder finds. "Green hair" is then a statement
about the hair and not about the background. The regions carry no gradient, so a generator cannot please the encoder by moving them. A
two-layer head maps the statistics to the space in which the concepts' text vectors live; it was trained on pairs of the same face before
and after a procedural rendering, with the objective of the directional CLIP loss itself:
cos(E(styled) - E(photo), T_concept - T_photo) -> 1.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders.efficientnet_lite import EfficientNetLite0
from nada_core.prompts import CONCEPTS, resolve_concept

__all__ = ["REGIONS", "RegionStatistics", "StarterEncoder"]

REGIONS = ("hair", "face", "body", "clothing", "background", "eyes", "mouth")
#: Side at which images are read: enough for make-up, and cheap.
INPUT_SIZE = 160
#: Stages the region decoder sees, and the ones whose statistics are taken per region.
_DECODER_STAGES = (1, 2, 4, 6)
_REGION_STAGES = (1, 2)
_BACKGROUND = REGIONS.index("background")
_RATE_FACTORS = {"source": 1.0, "makeup": 1.0, "character": 1.4, "colour": 1.4, "material": 2.0, "medium": 2.5, "light": 2.5}
#: Concepts whose own best factor, found by sweeps, lies off their group's.
_OWN_RATES = {
    "joker cosplay": 1.3,
    "clown": 2.0,
    "bronze": 2.4,
    "green skin": 1.7,
    "white hair": 2.0,
    "black hair": 2.0,
    "purple skin": 1.8,
    "yellow skin": 1.8,
}
#: RGB in [-1, 1] to lightness, red-green, yellow-blue: decorrelated, as in Ruderman et al. 1998
_OPPONENT = torch.tensor([[0.577, 0.577, 0.577], [0.707, -0.707, 0.0], [0.408, 0.408, -0.816]])


def _moments(x: Tensor, weights: Tensor | None = None) -> list[Tensor]:
    """Mean and standard deviation over space: ``[N, C]`` each, or ``[N, R * C]`` with region weights ``[N, R, H, W]`` that sum to 1."""
    # float32: differences of squares cancel in bfloat16
    flat = x.float().flatten(2)
    if weights is None:
        mean, square = flat.mean(2), flat.pow(2).mean(2)
    else:
        w = weights.flatten(2).transpose(1, 2)
        mean, square = (torch.bmm(values, w).transpose(1, 2).flatten(1) for values in (flat, flat.pow(2)))
    return [mean, (square - mean.pow(2)).clamp(min=1e-5).sqrt()]


class RegionStatistics(nn.Module):
    """Images ``[N, 3, H, W]`` in [-1, 1] to statistics ``[N, dim]``."""

    def __init__(self, backbone: EfficientNetLite0) -> None:
        super().__init__()
        self.backbone = backbone
        channels = backbone.channels
        self.decoder = nn.Sequential(
            nn.Conv2d(sum(channels[i] for i in _DECODER_STAGES) + 2, 48, 1), nn.ReLU(), nn.Conv2d(48, len(REGIONS), 3, padding=1)
        )
        self.opponent: Tensor
        self.register_buffer("opponent", _OPPONENT[:, :, None, None], persistent=False)
        per_region = 2 * (3 + sum(channels[i] for i in _REGION_STAGES))
        self.dim = (len(REGIONS) + 1) * per_region + 2 * sum(channels) + 6

    def per_region(self, statistics: Tensor) -> Tensor:
        """The part of statistics ``[..., dim]`` that is taken region by region, ``[..., 8, n]`` (the eighth is the background's rim)."""
        count = len(REGIONS) + 1
        widths = [w for c in (3, *(self.backbone.channels[i] for i in _REGION_STAGES)) for w in (c, c)]
        tail = statistics[..., -count * sum(widths) :].split([count * w for w in widths], dim=-1)
        return torch.cat([part.unflatten(-1, (count, -1)) for part in tail], dim=-1)

    def region_logits(self, features: list[Tensor]) -> Tensor:
        """Region scores ``[N, 7, H/4, W/4]`` from the backbone's stages."""
        size = features[1].shape[-2:]
        n = features[0].shape[0]
        ys, xs = (torch.linspace(-1, 1, s, device=features[0].device) for s in size)
        place = torch.stack([ys[:, None].expand(size), xs[None].abs().expand(size)]).expand(n, -1, -1, -1)
        maps = [
            F.interpolate(features[i].float(), size=size, mode="bilinear") / (features[i].float().std() + 1e-3) for i in _DECODER_STAGES
        ]
        return self.decoder(torch.cat([*maps, place], 1))

    def read(self, images: Tensor) -> list[Tensor]:
        """The backbone's stages for images at the encoder's own size."""
        if images.shape[-1] != INPUT_SIZE or images.shape[-2] != INPUT_SIZE:
            images = F.interpolate(images, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", antialias=True)
        return [images, *self.backbone(images)]

    def forward(self, images: Tensor) -> Tensor:
        images, *features = self.read(images)
        with torch.no_grad():
            weights = self.region_logits(features).softmax(1)
            # the background next to the person, where colours meant for the hair spill over, on its own
            background = weights[:, _BACKGROUND : _BACKGROUND + 1]
            rim = background * F.max_pool2d(1 - background, 5, 1, 2)
            weights = torch.cat([weights, rim], 1)
            weights = weights / (weights.sum((2, 3), keepdim=True) + 1e-2)
        size = weights.shape[-2:]
        colours = F.conv2d(images, self.opponent)
        statistics = [*_moments(colours)]
        for feature in features:
            statistics += _moments(feature)
        # shares of the picture would let the generator win by growing hair: only what the regions look like counts
        statistics += _moments(F.interpolate(colours, size=size, mode="area"), weights)
        for i in _REGION_STAGES:
            feature = features[i] if features[i].shape[-2:] == size else F.interpolate(features[i].float(), size=size, mode="bilinear")
            statistics += _moments(feature, weights)
        return torch.cat(statistics, 1)


class StarterEncoder(nn.Module):
    """Satisfies :class:`nada_core.encoders.base.ImageTextEncoder` for a closed list of concepts.

    An embedding has two parts. The *plain* part is the standardised statistics themselves: every statistic counts, so a change that drags
    along what it should not loses similarity, and its gradient is smooth from the first step. The *learned* part tells related concepts
    apart and ignores what differs from face to face.

    Args:
        backbone: EfficientNet-Lite0 with its published weights.
        concepts: names of the rows of the text tables; the first is the plain photograph.
        plain_share: share of the plain part in the squared length of an embedding.
    """

    name = "starter"

    def __init__(
        self, backbone: EfficientNetLite0, concepts: Sequence[str], learned_dim: int = 128, hidden: int = 512, plain_share: float = 0.8
    ) -> None:
        super().__init__()
        self.concepts = tuple(concepts)
        self.statistics = RegionStatistics(backbone)
        dim = self.statistics.dim
        self.embedding_dim = learned_dim + dim + 1
        self.plain_share = plain_share
        self.plain_weights: Tensor | None = None  # of each statistic in the plain part; None: all alike
        self.mean: Tensor
        self.deviation: Tensor
        self.plain_text: Tensor
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("deviation", torch.ones(dim))
        self.register_buffer("plain_text", torch.zeros(len(concepts), dim))
        self.hidden = nn.Linear(dim, hidden)
        self.project = nn.Linear(hidden, learned_dim)
        self.text = nn.Parameter(torch.randn(len(concepts), learned_dim) * 0.3)

    def standardise(self, statistics: Tensor) -> Tensor:
        """Statistics ``[N, dim]`` on a common scale, outliers squashed without losing their gradient."""
        return torch.asinh((statistics - self.mean) / self.deviation)

    def learned(self, standardised: Tensor) -> Tensor:
        """The learned part, ``[N, learned_dim]``, unit length."""
        return F.normalize(self.project(F.gelu(self.hidden(standardised))), dim=-1)

    def _join(self, learned: Tensor, standardised: Tensor) -> Tensor:
        """Both parts as one unit vector.

        A constant 1 is appended to the plain part before it is normalised: the sphere is then nearly flat where images lie, and
        differences of embeddings stay proportional to differences of statistics.
        """
        plain = standardised - self.plain_text[:1]
        if self.plain_weights is not None:
            plain = plain * self.plain_weights
        reach = 1.5 * plain.shape[-1] ** 0.5
        plain = F.normalize(F.pad(plain / reach, (0, 1), value=1.0), dim=-1)
        return torch.cat([learned * (1 - self.plain_share) ** 0.5, plain * self.plain_share**0.5], dim=-1)

    def encode_image(self, images: Tensor) -> Tensor:
        statistics = self.statistics(images)
        with torch.autocast(images.device.type, enabled=False):
            standardised = self.standardise(statistics.float())
            return self._join(self.learned(standardised), standardised)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        rows = [self.concepts.index(resolve_concept(text, self.concepts)) for text in texts]
        return self._join(F.normalize(self.text[rows], dim=-1), self.plain_text[rows])

    def change_by_region(self, source: str, target: str) -> Tensor:
        """How much each of :data:`REGIONS` changes between two texts, ``[7]``: RMS of the standardised statistics' differences."""
        start, end = (self.concepts.index(resolve_concept(text, self.concepts)) for text in (source, target))
        change = self.statistics.per_region(self.plain_text[end] - self.plain_text[start])
        return change.pow(2).mean(-1).sqrt()[: len(REGIONS)]

    def stressing_colour(self, factor: float) -> StarterEncoder:
        """See :class:`nada_core.encoders.base.StressesColour`: mean and deviation of the three channels in each region."""
        colours = self.statistics.per_region(torch.arange(self.statistics.dim))[..., :6]  # they come first
        weights = torch.ones_like(self.deviation)
        weights[colours.flatten().to(weights.device)] = factor
        stressed = copy.copy(self)  # parameters are shared
        stressed.plain_weights = weights
        return stressed

    def rate_factor(self, target: str) -> float:
        """By the kind of concept: make-up needs small steps to keep the person, what changes every pixel needs large ones."""
        concept = resolve_concept(target, self.concepts)
        return _OWN_RATES.get(concept, _RATE_FACTORS[CONCEPTS[concept].group])

    @torch.no_grad()
    def regions(self, images: Tensor) -> Tensor:
        """Which of :data:`REGIONS` each place of images ``[N, 3, H, W]`` belongs to, as shares ``[N, 7, 40, 40]`` that sum to 1."""
        _, *features = self.statistics.read(images)
        return self.statistics.region_logits(features).float().softmax(1)

    @torch.no_grad()
    def untouched(self, images: Tensor, source: str, target: str) -> Tensor:
        """Mask ``[N, 1, 40, 40]`` of the regions that change little between the two texts, where the region decoder is sure of them.

        A region counts as untouched in full below a fifth of the change of the most changed region, and not at all above half of it.
        """
        change = self.change_by_region(source, target)
        kept = ((0.5 - change / change.max()) / 0.3).clamp(0, 1)
        sure = ((self.regions(images) - 0.6) / 0.4).clamp(0, 1)
        return torch.einsum("r,nrhw->nhw", kept, sure)[:, None]

    def forward(self, images: Tensor) -> Tensor:
        return self.encode_image(images)
