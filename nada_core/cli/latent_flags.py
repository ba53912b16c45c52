"""Define the flags of ``python -m nada_core latent`` and read its options. No torch here: ``--help`` must not wait for it."""

from __future__ import annotations

import argparse
from typing import Any

from nada_core.cli.arguments import given_path
from nada_core.looks.prompts import MAX_PROMPT

__all__ = ["IDENTITY", "add_latent_flags", "latent_values"]

#: What ``--identity`` says, as :meth:`nada_core.engine.Engine.identity_guide` takes it.
IDENTITY: dict[str, bool | None] = {"auto": None, "on": True, "off": False}
#: Flags that are fields of ``LatentOptions``.
_OPTIONS = ("steps", "lr", "l2_weight", "identity_weight", "crops", "seed")


def add_latent_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that only ``latent`` takes."""
    add = parser.add_argument
    add("photo")
    add("prompt", help=f"what the face comes nearer to, at most {MAX_PROMPT} characters: 'Joker'")
    add(
        "--style",
        action="append",
        default=[],
        help="beside it, the photo in an adapted style: a name, a file, hf:user/repo, or a blend joker:0.6,zombie:0.4; may be repeated",
    )
    add("--steps", type=int, default=None, help="default: 300")
    add("--lr", type=float, default=None, help="Adam's rate at the top of its ramp (default: 0.1)")
    add("--l2-weight", type=float, default=None, metavar="W", help="keeps the latent near its start (default: 0.008)")
    add("--identity-weight", type=float, default=None, metavar="W", help="keeps the person, as ArcFace sees them (default: 0.005)")
    add(
        "--identity",
        choices=list(IDENTITY),
        default="auto",
        help="the identity term: where ArcFace is on this machine (default), on (fetched if need be), or off",
    )
    add("--crops", type=int, default=None, metavar="N", help="random crops that the encoder reads (default: 0, the plain picture)")
    add("--seed", type=int, default=None, help="of the crops (default: 0)")
    add("--mode", default="balanced", help="fast, balanced or faithful: how long the likeness is worked on first")
    add("--face", type=int, default=0, help="which face, 0 the largest")
    add("--points", default=None, metavar="X,Y,X,Y,X,Y", help="both eyes and the mouth, where no face is found")
    add("--resolution", type=int, default=None, help="side of the pictures; default: the generator's smallest, 256 in the starter world")
    add("--encoder", default=None, help="text-image encoder: starter, ViT-B-32, ...; default: the world's")
    add("--inverter", default=None, help="photo encoder: starter, e4e, restyle-e4e or none; default: the generator's")
    add("--out", type=given_path, required=True)


def latent_values(args: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of ``LatentOptions`` that were given as flags."""
    return {name: value for name in _OPTIONS if (value := getattr(args, name)) is not None}
