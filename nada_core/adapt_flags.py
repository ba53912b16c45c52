"""Flags of ``python -m nada_core adapt``, and the options they stand for. No torch here: ``--help`` must not wait for it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["TRAINING_FILE", "add_adapt_flags", "given_options"]

TRAINING_FILE = "training.safetensors"
#: Flags that are fields of ``AdaptOptions``.
_OPTIONS = (
    *("steps", "batch", "lr", "layers", "source", "seed", "resolution", "preset", "mixing"),
    *("adaptive_layers", "adaptive_batch", "adaptive_steps", "official_mapping", "manifold_weight", "patch_weight"),
)


def add_adapt_flags(parser: argparse.ArgumentParser) -> None:
    """Add what only ``adapt`` takes. Options that are not given stay None: a resumed run keeps its own."""
    add = parser.add_argument
    add("--source", default=None, help="what they are now (default: face)")
    add("--steps", type=int, default=None, help="default: 60; counted from the start of the run, also with --resume")
    add("--batch", type=int, default=None, help="default: 2")
    add("--lr", type=float, default=None, help="default: suited to the generator")
    add("--preset", default=None, help="published lr and betas for StyleGAN2: paper (0.0016) or source (0.002)")
    add("--layers", default=None, help="what trains: all (default), shape, texture, colour, default or no_fine")
    add("--adaptive-layers", type=int, default=None, metavar="K", help="train only the K layers that matter most, chosen anew every step")
    add("--adaptive-batch", type=int, default=None, metavar="N", help="latents they are chosen by (default: 8)")
    add("--adaptive-steps", type=int, default=None, metavar="N", help="steps on those latents (default: 1)")
    add("--official-mapping", action="store_true", default=None, help="choose layers by the published code's table, which is off by one")
    add("--mixing", type=float, default=None, metavar="P", help="probability of style mixing in a step, 0 to 1 (default: 0)")
    add("--manifold-weight", type=float, default=None, metavar="W", help="keeps pictures as near as the two texts are (default: 0)")
    add("--patch-weight", type=float, default=None, metavar="W", help="compares parts of the picture; needs CLIP (default: 0)")
    add("--seed", type=int, default=None, help="default: 0")
    add("--resolution", type=int, default=None, help="side of the images the loss sees")
    add(
        "--encoder",
        default=None,
        help="starter, ViT-B-32, 'ViT-B-32,ViT-B-16', ...; default: the world's, with --resume the file's",
    )
    add("--images", nargs="+", default=None, metavar="FILE", help="pictures of the target instead of the text, which then is a name")
    add("--resume", type=Path, default=None, metavar="FILE", help=f"go on from a {TRAINING_FILE}: its prompt and options, more --steps")
    add(
        "--keep-training",
        action="store_true",
        help=f"also write {TRAINING_FILE} at the end of the run, to be resumed with more --steps; after Ctrl-C it is always written",
    )
    add("--out", type=Path, required=True)


def given_options(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of ``AdaptOptions`` that were given as flags."""
    return {name: value for name in _OPTIONS if (value := getattr(args, name)) is not None}
