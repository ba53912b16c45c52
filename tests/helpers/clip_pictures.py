"""Configure a tiny CLIP, and make random pictures that it can read."""

from __future__ import annotations

import torch

__all__ = ["CONFIG", "picture"]

CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}


def picture(side: int = 48) -> torch.Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(5)) * 2 - 1
