"""Find hair, skin, clothes and background in a generated face, read off the generator's own features.

Spherical k-means with 28 clusters on the normalised features of blocks 2 and 3 separates hair, face, ears, neck, clothes and background
on every face, with no labels (compare Collins et al. 2020, "Editing in Style"). The centres are stored in ``training/data``; which region
each belongs to was decided once by looking at them. Colour models of the face at hand settle the clusters that straddle a border.

    python -m training.regions --faces FACES.pt     # find the centres again
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from nada_core.assets.store import fetch
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.generators.openvino_ir import read_mobile_stylegan
from nada_core.looks.drawing.operations import guided_filter
from training.renderings.face import Array, lab

CENTRES = Path(__file__).parent / "data" / "region_centres.safetensors"
REGIONS = ("hair", "face", "body", "clothing", "background")
_HAIR, _FACE, _BODY, _CLOTHING, _BACKGROUND = range(5)
#: cluster -> probability of each region; every cluster not listed is background
PRIORS: dict[int, dict[int, float]] = {
    **{k: {_HAIR: 1.0} for k in (3, 8, 12, 14, 17)},
    0: {_HAIR: 0.65, _FACE: 0.35},
    19: {_HAIR: 0.45, _BACKGROUND: 0.55},
    21: {_HAIR: 0.45, _BACKGROUND: 0.55},
    **{k: {_FACE: 1.0} for k in (9, 11, 13, 18, 22, 24, 25, 26)},
    10: {_FACE: 0.5, _BODY: 0.4, _HAIR: 0.1},
    16: {_BODY: 0.8, _HAIR: 0.2},
    23: {_BODY: 0.85, _CLOTHING: 0.15},
    **{k: {_CLOTHING: 1.0} for k in (1, 6)},
    20: {_CLOTHING: 0.5, _BACKGROUND: 0.5},
}
CLUSTERS = 28


def load_generator() -> MobileStyleGAN:
    """MobileStyleGAN-FFHQ without the 256 px head, frozen."""
    generator = MobileStyleGAN().eval().requires_grad_(False)
    generator.load_state_dict(read_mobile_stylegan(fetch("mobile-stylegan-ffhq")), strict=False)
    return generator


def embed_pixels(generator: MobileStyleGAN, w: Tensor) -> Tensor:
    """Unit feature vectors ``[N, 1024, 64, 64]`` for ``w`` ``[N, 512]``."""
    features = generator.features(w[:, None].expand(-1, generator.num_ws, -1), blocks=4)
    coarse = F.interpolate(F.normalize(features[2], dim=1), size=64, mode="bilinear")
    return F.normalize(torch.cat([coarse, F.normalize(features[3], dim=1)], 1), dim=1)


def refine(prior: Array, image: Array) -> Array:
    """Settle soft borders by the colours of this face, then snap them to the picture's edges.

    Args:
        prior: [5, 256, 256], sums to 1 over regions.
        image: RGB [256, 256, 3] in [0, 1].
    """
    pixels = lab(cv2.GaussianBlur(image, (0, 0), 1.0))
    logits = np.log(prior + 1e-3)
    for k in range(len(prior)):
        sure = prior[k] > 0.9
        if sure.sum() < 60:
            continue
        # the lightness of hair and cloth varies with the light far more than their hue
        mean, deviation = pixels[sure].mean(0), pixels[sure].std(0) + np.array((8, 4, 4))
        logits[k] += 0.35 * np.maximum(-0.5 * (((pixels - mean) / deviation) ** 2).sum(-1), -8)
    posterior = np.exp(logits - logits.max(0))
    posterior /= posterior.sum(0)
    guide = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    masks = np.stack([guided_filter(guide, p.astype(np.float32)) for p in posterior])
    return (masks / (masks.sum(0) + 1e-6)).astype(np.float32)


@torch.no_grad()
def region_masks(generator: MobileStyleGAN, w: Tensor, images: Tensor) -> Array:
    """Soft masks ``[N, 5, 256, 256]`` of :data:`REGIONS` for ``w`` ``[N, 512]`` and its ``images`` ``[N, 3, 256, 256]`` uint8."""
    centres = load_file(CENTRES)["centres"].float()
    similarity = torch.einsum("nchw,kc->nkhw", embed_pixels(generator, w), centres)
    clusters = F.interpolate((similarity * 30).softmax(1), size=256, mode="bilinear")
    table = torch.zeros(len(REGIONS), CLUSTERS)
    for k in range(CLUSTERS):
        for region, probability in PRIORS.get(k, {_BACKGROUND: 1.0}).items():
            table[region, k] = probability
    prior = torch.einsum("rk,nkhw->nrhw", table, clusters).numpy()
    pictures = images.permute(0, 2, 3, 1).numpy().astype(np.float32) / 255
    return np.stack([refine(p, i) for p, i in zip(prior, pictures, strict=True)])


@torch.no_grad()
def find_centres(generator: MobileStyleGAN, w: Tensor, seed: int = 0, iterations: int = 25) -> Tensor:
    """Spherical k-means++ over the pixels of the faces ``w`` ``[N, 512]``: ``[28, 1024]``."""
    torch.manual_seed(seed)
    pixels = torch.cat([embed_pixels(generator, chunk) for chunk in w.split(8)]).permute(0, 2, 3, 1).flatten(0, 2)
    pixels = pixels[torch.randperm(len(pixels))[:60000]]
    centres = pixels[torch.randint(len(pixels), (1,))]
    for _ in range(CLUSTERS - 1):
        distance = (1 - (pixels @ centres.T).max(1).values).clamp(min=0)
        centres = torch.cat([centres, pixels[torch.multinomial(distance, 1)]])
    for _ in range(iterations):
        nearest = (pixels @ centres.T).argmax(1)
        rows = [pixels[nearest == k].mean(0) if (nearest == k).any() else pixels[0] for k in range(CLUSTERS)]
        centres = F.normalize(torch.stack(rows), dim=1)
    return centres


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True)
    args = parser.parse_args()
    w = torch.load(args.faces, weights_only=True, mmap=True)["w"][:96]
    save_file({"centres": find_centres(load_generator(), w).half()}, CENTRES)
    print(f"wrote {CENTRES}; check PRIORS by eye: clusters may be numbered differently")


if __name__ == "__main__":
    main()
