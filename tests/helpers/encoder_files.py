"""Make files of photo encoders as they are published, with small or repeated numbers."""

from __future__ import annotations

import json
import math
from argparse import Namespace

import torch
from torch import Tensor

from tests.helpers.stylegan2_files import GOLDEN, fill

KINDS = {"e4e": ("e4e_encoder", "Encoder4Editing"), "restyle-e4e": ("restyle_e4e_encoder", "ProgressiveBackboneEncoder")}
NORMS = (".bn", "input_layer.1", "res_layer.0", "res_layer.4", "shortcut_layer.1")
W_DIM, NUM_WS = 16, 10  # of the small encoders: for a StyleGAN2 of 64 px


def shapes(kind: str, num_ws: int = 18, w_dim: int = 512) -> dict[str, list[int]]:
    """Names and shapes in the reference's naming, for a generator of any size."""
    out = {}
    for name, shape in json.loads((GOLDEN / f"{KINDS[kind][0]}_keys.json").read_text()).items():
        if name.startswith("styles."):
            if int(name.split(".")[1]) >= num_ws:
                continue
            reads = shape[1] if ".convs.0." in name and len(shape) == 4 else w_dim
            shape = [w_dim, reads, *shape[2:]] if len(shape) > 1 else [w_dim]
        out[name] = shape
    return out


def filled(kind: str, num_ws: int = 18, w_dim: int = 512) -> dict[str, Tensor]:
    """A state dict by the rules of tests/golden/README.md."""
    state = {}
    for name, shape in shapes(kind, num_ws, w_dim).items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
            continue
        value = fill(name, *shape)
        if name.endswith("running_mean"):
            value *= 0.05
        elif name.endswith("running_var"):
            value = 1 + 0.2 * value.abs()
        elif len(shape) == 1 and name.endswith("weight"):
            value = 1 + 0.05 * value if name.removesuffix(".weight").endswith(NORMS) else 0.25 + 0.02 * value
        elif len(shape) == 1:
            value *= 0.02
        elif len(shape) == 4:
            value *= 1.2 / math.sqrt(math.prod(shape[1:]))
        state[name] = value
    return state


def published(kind: str, state: dict[str, Tensor], **parts) -> dict:
    """The layout of the published files; a keyword of None leaves its part out."""
    opts = Namespace(
        encoder_type=KINDS[kind][1], start_from_latent_avg=True, device="cuda", checkpoint_path="/home/someone/e4e.pt", lr=1e-4
    )
    content = {"state_dict": {f"encoder.{name}": value for name, value in state.items()} | {"decoder.input.input": torch.zeros(1, 2, 4, 4)}}
    content |= {"opts": opts, "latent_avg": 0.2 * fill("latent_avg", NUM_WS, W_DIM)} | parts
    return {name: part for name, part in content.items() if part is not None}


def flat(kind: str, num_ws: int = NUM_WS, w_dim: int = W_DIM) -> dict[str, Tensor]:
    """A state dict whose file is small: each tensor is one stored number."""
    return {name: torch.ones(()).expand(shape) for name, shape in shapes(kind, num_ws, w_dim).items()}
