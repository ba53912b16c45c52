"""Define the flags of ``python -m nada_core adapt`` and read its options. No torch here: ``--help`` must not wait for it.

Where a page offers the same option, it has the same name there.
"""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from nada_core.cli.arguments import given_path

__all__ = ["TRAINING_FILE", "add_adapt_flags", "given_options", "parts_again"]

TRAINING_FILE = "training.safetensors"
#: Flags that are fields of ``AdaptOptions``.
_OPTIONS = (
    *("steps", "batch", "lr", "betas", "layers", "layer_rates", "source", "start", "seed", "resolution", "preset", "precision"),
    *("truncation_psi", "noise", "mixing", "latent_pool", "crops"),
    *("adaptive_layers", "adaptive_batch", "adaptive_steps", "adaptive_lr", "official_mapping"),
    *("direction_weight", "global_weight", "manifold_weight", "patch_weight", "patch_parts", "keep_weight"),
    *("average", "warmup", "max_gradient"),
)
#: Flags that say which networks and pictures a command works with; no file keeps them as they were given.
_PARTS = ("device", "world", "base", "encoder", "workers", "cluster", "images")


def add_adapt_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that only ``adapt`` takes. Those not given stay None: a resumed run keeps its own."""
    add = parser.add_argument
    add("--source", default=None, help="what they are now (default: face)")
    near = "ready styles to begin at a blend of: 'joker-makeup 0.6, vampire 0.2'; '': at the generator itself (default: found by the text)"
    add("--start", default=None, metavar="STYLES", help=near)
    add(
        "--steps",
        type=int,
        default=None,
        help="default: 30, with --start '' or another generator 60, with CLIP on the starter's 150; with --resume, of the whole run",
    )
    add("--batch", type=int, default=None, help="default: 2")
    add("--lr", type=float, default=None, help="default: suited to the generator")
    add("--preset", default=None, help="published settings for StyleGAN2: paper (lr 0.0016, fresh noise) or source (lr 0.002)")
    add("--betas", type=float, nargs=2, default=None, metavar=("B1", "B2"), help="of Adam; default: suited to the generator")
    add("--layers", default=None, help="what trains: all (default), shape, texture, colour, default or no_fine")
    rates = ("SHAPE", "TEXTURE", "COLOUR")
    add("--layer-rates", type=float, nargs=3, default=None, metavar=rates, help="factors on lr, 0 to 10; default: suited to the generator")
    add("--adaptive-layers", type=int, default=None, metavar="K", help="train only the K layers that matter most, chosen anew every step")
    add("--adaptive-batch", type=int, default=None, metavar="N", help="latents they are chosen by (default: 8)")
    add("--adaptive-steps", type=int, default=None, metavar="N", help="steps on those latents (default: 1)")
    add("--adaptive-lr", type=float, default=None, metavar="R", help="size of those steps (default: 0.01)")
    add("--official-mapping", action="store_true", default=None, help="choose layers by the published code's table, which is off by one")
    add(
        "--truncation",
        dest="truncation_psi",
        type=float,
        default=None,
        metavar="PSI",
        help="variety of the training faces: 1 all of them, less only those near the mean face (default: 1 for StyleGAN2, else 0.8)",
    )
    add(
        "--noise",
        default=None,
        metavar="MODE",
        help="fine structure of the training faces: const (default), or random: fresh for each picture",
    )
    add("--latent-pool", type=int, default=None, metavar="N", help="train on a fixed set of N faces (default: fresh ones every step)")
    add("--crops", type=int, default=None, metavar="N", help="random views of each picture that are compared; 0: the plain picture")
    add("--mixing", type=float, default=None, metavar="P", help="probability of style mixing in a step, 0 to 1 (default: 0)")
    add("--direction-weight", type=float, default=None, metavar="W", help="pictures change as the words do; 0: off (default: 1)")
    add("--global-weight", type=float, default=None, metavar="W", help="pictures come near the target itself; 0: off")
    add("--manifold-weight", type=float, default=None, metavar="W", help="keeps pictures as near as the two texts are (default: 0)")
    add("--patch-weight", type=float, default=None, metavar="W", help="compares parts of the picture; needs CLIP (default: 0)")
    add("--patch-parts", default=None, metavar="WHOSE", help="with it: whose parts, face (default) or animal (the published ones)")
    add("--keep-weight", type=float, default=None, metavar="W", help="holds what the text does not concern; starter encoder only; 0: off")
    add("--average", type=float, default=None, metavar="D", help="decay of the running mean of the weights; 0: none")
    add("--warmup", type=int, default=None, metavar="N", help="steps over which lr rises; 0: none")
    add("--max-gradient", type=float, default=None, metavar="G", help="norm to which gradients are clipped; inf: no limit")
    add("--precision", default=None, choices=("auto", "float32", "bfloat16"), help="of the generator (default: auto)")
    add("--seed", type=int, default=None, help="default: 0")
    add("--resolution", type=int, default=None, help="side of the images the loss sees")
    add(
        "--encoder",
        default=None,
        help="starter, ViT-B-32, 'ViT-B-32,ViT-B-16', ViT-B-32@FILE, ...; default: the world's, with --resume the file's",
    )
    add("--images", nargs="+", default=None, metavar="FILE", help="pictures of the target instead of the text, which then is a name")
    add("--resume", type=given_path, default=None, metavar="FILE", help=f"go on from a {TRAINING_FILE}: its prompt, options, more --steps")
    add(
        "--keep-training",
        action="store_true",
        help=f"also write {TRAINING_FILE} at the end of the run, to be resumed with more --steps; after Ctrl-C it is always written",
    )
    add("--out", type=given_path, required=True)


def given_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of ``AdaptOptions`` that were given as flags."""
    given = {name: value for name in _OPTIONS if (value := getattr(args, name)) is not None}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def parts_again(args: argparse.Namespace) -> str:
    """Return the flags for device, world, generator, encoder, workers and target pictures as given, for a shell, each after a space."""
    words: list[str] = []
    for name in _PARTS:
        value = getattr(args, name, None)
        if value is not None and (name, value) != ("device", "auto"):
            words += [f"--{name}", *(map(str, value) if isinstance(value, list) else [str(value)])]
    return "".join(f" {shlex.quote(word)}" for word in words)
