"""Encode images and texts for the starter world: frozen ImageNet features, read region by region, with a small trained head.

An image is described by statistics of EfficientNet-Lite0 features and of its pixels, over the whole picture and over seven regions
(hair, face, ears and neck, clothing, background, eyes, mouth) that a small trained decoder finds. "Green hair" is then a statement
about the hair and not about the background. The regions carry no gradient, so a generator cannot please the encoder by moving them. A
two-layer head maps the statistics to a space in which changes of style have directions; it was trained on pairs of the same face before
and after a drawing.

A text is read as a look (:mod:`nada_core.looks`), and the look is drawn on a few faces: the mean change of their embeddings is what the
text means. No table of texts is trained.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nada_core.encoders.efficientnet_lite import EfficientNetLite0
from nada_core.errors import PromptError
from nada_core.looks.drawing.draw import draw
from nada_core.looks.known_faces import portraits
from nada_core.looks.look import Look
from nada_core.looks.reading import nearest, read

__all__ = ["REGIONS", "RegionStatistics", "StarterEncoder"]

REGIONS = ("hair", "face", "body", "clothing", "background", "eyes", "mouth")
#: Side at which images are read: enough for make-up, and cheap.
INPUT_SIZE = 160
#: Stages the region decoder sees, and the ones whose statistics are taken per region.
_DECODER_STAGES = (1, 2, 4, 6)
_REGION_STAGES = (1, 2)
_BACKGROUND = REGIONS.index("background")
#: Known faces that a look is drawn on to find what its text means.
_DRAWN_ON = 12
#: Texts whose embeddings are kept.
_REMEMBERED = 256
#: RGB in [-1, 1] to lightness, red-green, yellow-blue: decorrelated, as in Ruderman et al. 1998
_OPPONENT = torch.tensor([[0.577, 0.577, 0.577], [0.707, -0.707, 0.0], [0.408, 0.408, -0.816]])


def _moments(x: Tensor, weights: Tensor | None = None) -> list[Tensor]:
    """Return mean and standard deviation over space: ``[N, C]``, or ``[N, R * C]`` by region weights ``[N, R, H, W]`` that sum to 1."""
    # float32: differences of squares cancel in bfloat16
    flat = x.float().flatten(2)
    if weights is None:
        mean, square = flat.mean(2), flat.pow(2).mean(2)
    else:
        w = weights.flatten(2).transpose(1, 2)
        mean, square = (torch.bmm(values, w).transpose(1, 2).flatten(1) for values in (flat, flat.pow(2)))
    return [mean, (square - mean.pow(2)).clamp(min=1e-5).sqrt()]


class RegionStatistics(nn.Module):
    """Turn images ``[N, 3, H, W]`` in [-1, 1] into statistics ``[N, dim]``."""

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
        """Return the part of statistics ``[..., dim]`` taken region by region, ``[..., 8, n]`` (the eighth is the background's rim)."""
        count = len(REGIONS) + 1
        widths = [w for c in (3, *(self.backbone.channels[i] for i in _REGION_STAGES)) for w in (c, c)]
        tail = statistics[..., -count * sum(widths) :].split([count * w for w in widths], dim=-1)
        return torch.cat([part.unflatten(-1, (count, -1)) for part in tail], dim=-1)

    def region_logits(self, features: list[Tensor]) -> Tensor:
        """Return region scores ``[N, 7, H/4, W/4]`` from the backbone's stages."""
        size = features[1].shape[-2:]
        n = features[0].shape[0]
        ys, xs = (torch.linspace(-1, 1, s, device=features[0].device) for s in size)
        place = torch.stack([ys[:, None].expand(size), xs[None].abs().expand(size)]).expand(n, -1, -1, -1)
        maps = [
            F.interpolate(features[i].float(), size=size, mode="bilinear") / (features[i].float().std() + 1e-3) for i in _DECODER_STAGES
        ]
        return self.decoder(torch.cat([*maps, place], 1))

    def read(self, images: Tensor, stages: int | None = None) -> list[Tensor]:
        """Return images at the encoder's own size, and the backbone's first ``stages`` stages for them, all by default."""
        if images.shape[-1] != INPUT_SIZE or images.shape[-2] != INPUT_SIZE:
            images = F.interpolate(images, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", antialias=True)
        return [images, *self.backbone(images, stages)]

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
    """Embed images, and texts read as looks; satisfies :class:`nada_core.encoders.base.ImageTextEncoder`.

    An embedding has two parts. The *plain* part is the standardised statistics themselves: every statistic counts, so a change that drags
    along what it should not loses similarity, and its gradient is smooth from the first step. The *learned* part tells related looks
    apart and ignores what differs from face to face.

    Args:
        backbone: EfficientNet-Lite0 with its published weights.
        plain_share: share of the plain part in the squared length of an embedding.
    """

    name = "starter"

    def __init__(self, backbone: EfficientNetLite0, learned_dim: int = 128, hidden: int = 512, plain_share: float = 0.8) -> None:
        super().__init__()
        self.statistics = RegionStatistics(backbone)
        dim = self.statistics.dim
        self.embedding_dim = learned_dim + dim + 1
        self.plain_share = plain_share
        self.plain_weights: Tensor | None = None  # of each statistic in the plain part; None: all alike
        self.mean: Tensor
        self.deviation: Tensor
        self.photo_plain: Tensor
        self.photo_learned: Tensor
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("deviation", torch.ones(dim))
        # what a plain photograph is, in both parts: where every direction starts
        self.register_buffer("photo_plain", torch.zeros(dim))
        self.register_buffer("photo_learned", torch.zeros(learned_dim))
        self.hidden = nn.Linear(dim, hidden)
        self.project = nn.Linear(hidden, learned_dim)
        self._changes: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()  # by look
        self._undrawn: Tensor | None = None  # what those faces say before a look is drawn on them

    def standardise(self, statistics: Tensor) -> Tensor:
        """Return statistics ``[N, dim]`` on a common scale, outliers squashed without losing their gradient."""
        return torch.asinh((statistics - self.mean) / self.deviation)

    def learned(self, standardised: Tensor) -> Tensor:
        """Return the learned part, ``[N, learned_dim]``, unit length."""
        return F.normalize(self.project(F.gelu(self.hidden(standardised))), dim=-1)

    def _join(self, learned: Tensor, standardised: Tensor) -> Tensor:
        """Return both parts as one unit vector.

        A constant 1 is appended to the plain part before it is normalised: the sphere is then nearly flat where images lie, and
        differences of embeddings stay proportional to differences of statistics.
        """
        plain = standardised - self.photo_plain
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

    def look(self, text: str) -> Look:
        """Return the look that a text means (:class:`nada_core.encoders.base.ReadsLooks`)."""
        reading = read(text)
        if not reading.look and not reading.neutral:
            if reading.understood:  # "not a clown", "without lipstick": nothing is left to show
                raise PromptError(f"'{reading.text[:60]}' only says what there should not be. Say what the faces should become.")
            raise PromptError(
                f"Nothing in '{reading.text[:60]}' is known here as a look. Known are, for example, {', '.join(nearest(text))}. "
                "The full world, with CLIP, takes any text."
            )
        return reading.look

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        changes = [self._change(self.look(text)) for text in texts]
        learned, plain = (torch.stack(parts) for parts in zip(*changes))
        return self._join(F.normalize(self.photo_learned + learned, dim=-1), self.photo_plain + plain)

    @torch.no_grad()
    def _change(self, look: Look) -> tuple[Tensor, Tensor]:
        """Return what drawing a look changes in both parts, the mean over a few faces; kept for the next time."""
        if look.key not in self._changes:
            learned, plain = torch.zeros_like(self.photo_learned), torch.zeros_like(self.photo_plain)
            if look:
                faces = portraits(_DRAWN_ON)
                if self._undrawn is None:
                    self._undrawn = self._described([face.image for face in faces])
                start, end = self._undrawn, self._described([draw(look, face, seed) for seed, face in enumerate(faces)])
                learned, plain = (self.learned(end) - self.learned(start)).mean(0), (end - start).mean(0)
            self._changes[look.key] = (learned, plain)
            while len(self._changes) > _REMEMBERED:
                self._changes.popitem(last=False)
        return self._changes[look.key]

    def _described(self, pictures: Sequence[np.ndarray]) -> Tensor:
        """Return the standardised statistics ``[N, dim]`` of pictures ``[H, W, 3]`` in [0, 1]."""
        return self.standardise(self.statistics(torch.stack([_as_tensor(picture) for picture in pictures]).to(self.mean.device)).float())

    def stressing_colour(self, factor: float) -> StarterEncoder:
        """Return a copy that gives the mean and deviation of the three channels in each region ``factor`` times the weight."""
        colours = self.statistics.per_region(torch.arange(self.statistics.dim))[..., :6]  # colours come first
        weights = torch.ones_like(self.deviation)
        weights[colours.flatten().to(weights.device)] = factor
        stressed = copy.copy(self)  # parameters are shared
        stressed.plain_weights = weights
        return stressed

    @torch.no_grad()
    def regions(self, images: Tensor) -> Tensor:
        """Tell which of :data:`REGIONS` each place of images ``[N, 3, H, W]`` belongs to: shares ``[N, 7, 40, 40]`` that sum to 1."""
        _, *features = self.statistics.read(images)
        return self.statistics.region_logits(features).float().softmax(1)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return features at each place, ``[N, 24, 40, 40]`` and ``[N, 40, 20, 20]`` (:class:`nada_core.encoders.base.ReadsLooks`)."""
        _, *features = self.statistics.read(images, max(_REGION_STAGES) + 1)
        return [features[i] for i in _REGION_STAGES]

    def forward(self, images: Tensor) -> Tensor:
        return self.encode_image(images)


def _as_tensor(picture: np.ndarray) -> Tensor:
    """Return a picture ``[H, W, 3]`` in [0, 1] as ``[3, H, W]`` in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float() * 2 - 1
