"""Render the faces every starter weight is trained on: full 1024 px synthesis, kept as area-downsampled 256 px images.

    python -m training.generate_faces --out DIR [--count 1500]

Writes ``faces-SEED.pt``: ``w`` [N, 512], ``psi`` [N], ``images`` [N, 3, 256, 256] uint8, ``w_avg`` [512], and per face two 64 px
``crops`` of the target with the block-5 ``features`` under them (66 px, for the 3x3 kernel), which is all the 256 px head needs to learn
from.
About 0.6 s a face on two cores.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from nada_core.assets.store import fetch
from nada_core.generators.mobile_stylegan import FFHQ_CHANNELS, HEAD_BLOCK, MobileStyleGAN
from nada_core.generators.openvino_ir import read_mobile_stylegan
from nada_core.system.device import tune_cpu_allocator

CROP = 64


def mean_latent(generator: MobileStyleGAN, seed: int = 0, count: int = 16384) -> Tensor:
    """The mean of ``w`` over ``count`` random ``z``, ``[w_dim]``."""
    rng = torch.Generator().manual_seed(seed)
    chunks = [generator.mapping(torch.randn(4096, generator.z_dim, generator=rng))[:, 0] for _ in range(count // 4096)]
    return torch.cat(chunks).mean(0)


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=2024)
    args = parser.parse_args()
    tune_cpu_allocator()
    generator = MobileStyleGAN().eval()
    generator.load_state_dict(read_mobile_stylegan(fetch("mobile-stylegan-ffhq")), strict=False)
    generator.w_avg.copy_(mean_latent(generator))
    rng = torch.Generator().manual_seed(args.seed)
    n, channels = args.count, FFHQ_CHANNELS[HEAD_BLOCK]
    # allocated once: thousands of small blocks between the generator's large ones would fragment the heap
    rows = {
        "w": torch.empty(n, generator.w_dim),
        "psi": torch.empty(n),
        "images": torch.empty(n, 3, 256, 256, dtype=torch.uint8),
        "features": torch.empty(2 * n, channels, CROP + 2, CROP + 2, dtype=torch.float16),
        "crops": torch.empty(2 * n, 3, CROP, CROP, dtype=torch.float16),
    }
    start = time.monotonic()
    for i in range(n):
        # half at the truncation people see, half up to none: hats, glasses, jewellery, children and odd poses live there
        psi = 0.7 if i % 2 == 0 else 0.7 + 0.3 * torch.rand((), generator=rng).item()
        ws = generator.mapping(torch.randn(1, generator.z_dim, generator=rng), psi)
        features = generator.features(ws)
        image = F.interpolate(generator.to_img(features[-1], ws[:, -1]), size=256, mode="area")
        rows["w"][i], rows["psi"][i] = ws[0, 0], psi
        rows["images"][i] = ((image[0] * 0.5 + 0.5).clamp(0, 1) * 255).round().byte()
        for j in (2 * i, 2 * i + 1):
            y, x = (int(v) for v in torch.randint(1, 256 - CROP - 1, (2,), generator=rng))
            rows["features"][j] = features[HEAD_BLOCK][0, :, y - 1 : y + CROP + 1, x - 1 : x + CROP + 1]
            rows["crops"][j] = image[0, :, y : y + CROP, x : x + CROP]
        if i % 50 == 49:
            print(f"{i + 1}/{n} faces, {time.monotonic() - start:.0f} s", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.save(rows | {"w_avg": generator.w_avg}, args.out / f"faces-{args.seed}.pt")


if __name__ == "__main__":
    main()
