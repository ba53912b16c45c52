"""Train the starter generator's photo encoder: aligned face -> w.

    python -m training.train_inverter --out checkpoints [--count 4000]

Faces are rendered with the 256 px path and damaged as photos are (blur, noise, colour casts, compression-like blockiness, small
misalignment); the backbone's maps are computed once for two damaged versions of each face. The last 200 faces are held out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from nada_core.encoders.load import load_backbone
from nada_core.generators.load import load_starter_generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.inversion.starter import StarterInverter
from nada_core.system.device import precision_context, tune_cpu_allocator

HELD_OUT = 200
CPU = torch.device("cpu")


def damage(images: Tensor, rng: torch.Generator) -> Tensor:
    """What cameras, crops and codecs do to faces ``[N, 3, H, W]`` in [-1, 1]."""
    n = len(images)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=rng)

    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = uniform(0.95, 1.05, n)
    theta[:, :, 2] = uniform(-0.04, 0.04, n, 2)
    images = F.grid_sample(
        images, F.affine_grid(theta, list(images.shape), align_corners=False), padding_mode="reflection", align_corners=False
    )
    gain, lift = uniform(0.75, 1.25, n, 3, 1, 1) * 0.5 + uniform(0.75, 1.25, n, 1, 1, 1) * 0.5, uniform(-0.15, 0.15, n, 1, 1, 1)
    images = images * gain + lift
    if torch.rand((), generator=rng) < 0.5:
        side = int(uniform(80, 200, 1))
        images = F.interpolate(F.interpolate(images, size=side, mode="area"), size=images.shape[-1], mode="bilinear")
    return (images + uniform(0, 0.08, n, 1, 1, 1) * torch.randn(images.shape, generator=rng)).clamp(-1, 1)


@torch.no_grad()
def make_data(generator: MobileStyleGAN, inverter: StarterInverter, count: int) -> tuple[Tensor, list[Tensor]]:
    """``w`` [2 * count, 512] and the backbone's maps, float16; the two versions of a face are neighbours."""
    rng = torch.Generator().manual_seed(7)
    codes, maps, start = [], [], time.monotonic()
    for i in range(0, count, 8):
        psi = 0.6 + 0.4 * torch.rand((), generator=rng).item()
        ws = generator.mapping(torch.randn(8, generator.z_dim, generator=rng), psi)
        with precision_context(CPU):
            images = generator.synthesis(ws, resolution=256).float()
            both = torch.stack([damage(images, rng), damage(images, rng)], 1).flatten(0, 1)
            maps.append([m.half().contiguous() for m in inverter.maps(both)])
        codes.append(ws[:, 0].repeat_interleave(2, 0))
        if i % 400 == 0:
            print(f"{i}/{count} faces, {time.monotonic() - start:.0f} s", flush=True)
    return torch.cat(codes), [torch.cat(parts) for parts in zip(*maps, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--steps", type=int, default=3000)
    args = parser.parse_args()
    tune_cpu_allocator()
    torch.manual_seed(0)
    generator = load_starter_generator()
    assert isinstance(generator, MobileStyleGAN)
    inverter = StarterInverter(load_backbone())
    w, maps = make_data(generator, inverter, args.count)
    inverter.w_avg.copy_(generator.w_avg)
    inverter.w_scale.copy_((w - generator.w_avg).std(0))
    trained = [p for n, p in inverter.named_parameters() if not n.startswith("backbone.")]
    optimiser = torch.optim.AdamW(trained, 1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=args.steps, pct_start=0.1)
    train = len(w) - 2 * HELD_OUT

    def error(i: Tensor) -> Tensor:
        guess = inverter.from_maps([m[i].float() for m in maps])
        return ((guess - w[i]) / inverter.w_scale).pow(2).mean()

    for step in range(args.steps):
        loss = error(torch.randint(0, train, (64,)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 250 == 249:
            with torch.no_grad():
                held = error(torch.arange(train, len(w))).item()
            print(f"{step + 1}: train {loss.item():.4f}, unseen {held:.4f} of the variance of w", flush=True)
    card = {
        "what": "photo encoder of the starter generator",
        "trained_on": f"{args.count - HELD_OUT} generated faces",
        "w_error_unseen": round(held, 4),
    }
    tensors = {n: t.half().contiguous() for n, t in inverter.state_dict().items() if not n.startswith("backbone.")}
    save_file(tensors, args.out / "starter-inverter.safetensors", metadata={"card": json.dumps(card)})
    print(json.dumps(card))


if __name__ == "__main__":
    main()
