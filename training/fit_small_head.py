"""Fit the 256 px head of MobileStyleGAN to the area-downsampled 1024 px image.

    python -m training.fit_small_head --faces DIR/faces-*.pt --out checkpoints

Least squares gives the linear part at once; the rest is trained on feature crops of faces no two of which are alike. The last 100 faces are
never trained on and give the error in the card.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from nada_core.generators.mobile_stylegan import FFHQ_CHANNELS, HEAD_BLOCK, SmallHead
from nada_core.system.device import tune_cpu_allocator

HELD_OUT_FACES = 100


def least_squares(features: Tensor, crops: Tensor) -> tuple[Tensor, Tensor]:
    """Best linear map from features ``[N, C, H, W]`` to ``[N, 3, H, W]``: ``([3, C, 1, 1], [3])``."""
    x = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1]).double()
    x = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    y = crops.permute(0, 2, 3, 1).reshape(-1, 3).double()
    gram = x.T @ x
    solution = torch.linalg.solve(gram + 1e-4 * gram.diag().mean() * torch.eye(len(gram), dtype=x.dtype), x.T @ y).float()
    return solution[:-1].T[:, :, None, None].contiguous(), solution[-1]


def errors(head: SmallHead, features: Tensor, w: Tensor, crops: Tensor) -> tuple[float, float]:
    """RMS error of the image in [-1, 1] and after 8x area pooling."""
    with torch.no_grad():
        difference = head(features.float(), w)[:, :, 1:-1, 1:-1] - crops.float()
    return difference.pow(2).mean().sqrt().item(), F.avg_pool2d(difference, 8).pow(2).mean().sqrt().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2500)
    args = parser.parse_args()
    tune_cpu_allocator()
    torch.manual_seed(0)
    parts = [torch.load(path, weights_only=True, mmap=True) for path in args.faces]
    data = {name: torch.cat([part[name] for part in parts]) for name in ("w", "psi", "features", "crops")}
    features, crops, w = data["features"], data["crops"], data["w"].repeat_interleave(2, 0)
    shown = (data["psi"] - 0.7).abs().repeat_interleave(2, 0) < 1e-6  # the truncation the error is quoted at
    train = len(w) - 2 * HELD_OUT_FACES
    head = SmallHead(512, FFHQ_CHANNELS[HEAD_BLOCK]).to(memory_format=torch.channels_last)
    with torch.no_grad():
        head.modulation.weight.zero_()
        head.modulation.bias.fill_(1)
        weight, bias = least_squares(features[:120, :, 1:-1, 1:-1].float(), crops[:120].float())
        head.skip.weight.copy_(weight)
        head.skip.bias.copy_(bias)
        head.out.weight.mul_(0.1)
        for layer in (head.hidden_modulation, head.tone):
            layer.weight.zero_()
        head.hidden_modulation.bias.fill_(1)
        head.tone.bias.zero_()
    held_out = torch.arange(train, len(w))[shown[train:]]
    # w is long and far from zero: its affine maps need a far smaller step than the convolutions
    affine = [p for m in (head.modulation, head.hidden_modulation, head.tone) for p in m.parameters()]
    convolutions = [p for m in (head.hidden, head.skip, head.out) for p in m.parameters()]
    optimiser = torch.optim.Adam([{"params": convolutions}, {"params": affine}], betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [3e-3, 2e-4], total_steps=args.steps, pct_start=0.1)
    for step in range(args.steps):
        i = torch.randint(0, train, (8,))
        x = features[i].float().contiguous(memory_format=torch.channels_last)
        difference = head(x, w[i])[:, :, 1:-1, 1:-1] - crops[i].float()
        loss = difference.pow(2).mean() + F.avg_pool2d(difference, 8).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 250 == 249:
            rms, pooled = errors(head, features[held_out], w[held_out], crops[held_out])
            print(step + 1, f"train {loss.item():.5f}", f"unseen rms {rms:.4f}, pooled {pooled:.4f}")
    rms, pooled = errors(head, features[held_out], w[held_out], crops[held_out])
    tensors = {f"small_head.{name}": value.contiguous() for name, value in head.state_dict().items()}
    card = {
        "what": "256 px output head of MobileStyleGAN-FFHQ, and the mean latent",
        "trained_on": f"{train // 2} generated faces (two 64 px crops each); {HELD_OUT_FACES} held out",
        "rms_unseen": round(rms, 4),
        "rms_unseen_pooled_8x": round(pooled, 4),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(
        tensors | {"w_avg": parts[-1]["w_avg"]}, args.out / "mobile-stylegan-ffhq-head256.safetensors", metadata={"card": json.dumps(card)}
    )
    print(json.dumps(card))


if __name__ == "__main__":
    main()
