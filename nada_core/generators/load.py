"""From files to generators."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from nada_core.assets import fetch
from nada_core.errors import GeneratorError
from nada_core.generators.base import Generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.generators.openvino_ir import read_mobile_stylegan

__all__ = ["CHECKPOINTS", "load_generator", "load_starter_generator"]

#: Weights this project trained and ships.
CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
HEAD = "mobile-stylegan-ffhq-head256.safetensors"


def load_starter_generator(device: torch.device | str = "cpu") -> MobileStyleGAN:
    """MobileStyleGAN-FFHQ with this project's 256 px head and mean latent, frozen.

    Raises:
        AssetError: the published weights could not be fetched.
        GeneratorError: the head is missing from ``checkpoints/``, or does not fit.
    """
    head = CHECKPOINTS / HEAD
    if not head.is_file():
        raise GeneratorError(f"checkpoints/{HEAD} is missing: it is part of the repository. Restore it with `git checkout checkpoints`.")
    generator = MobileStyleGAN()
    state = read_mobile_stylegan(fetch("mobile-stylegan-ffhq")) | load_file(head)
    try:
        generator.load_state_dict(state)
    except RuntimeError as error:
        raise GeneratorError(f"The weights of MobileStyleGAN do not fit: {error}") from error
    return generator.eval().requires_grad_(False).to(device)


def load_generator(path: str | Path | None = None, device: torch.device | str = "cpu") -> Generator:
    """A generator from a file, or the starter world's without one.

    Only a MobileStyleGAN state dict as safetensors is read so far; StyleGAN2 checkpoints belong to the full world.

    Raises:
        GeneratorError: the file is missing or of no known family.
        AssetError: the starter generator's weights could not be fetched.
    """
    if path is None or str(path) in ("starter", "mobile-stylegan-ffhq"):
        return load_starter_generator(device)
    file = Path(path)
    if not file.is_file():
        raise GeneratorError(f"There is no generator file '{file.name}'.")
    try:
        with safe_open(file, "pt") as handle:
            names = set(handle.keys())
    except Exception as error:
        raise GeneratorError(f"'{file.name}' is not a safetensors file; other formats need the full world.") from error
    if "blocks.0.up.weight" not in names:
        raise GeneratorError(f"'{file.name}' is of no family known here: expected a MobileStyleGAN state dict ('blocks.0.up.weight', ...).")
    state = load_file(file)
    channels = tuple(state[f"blocks.{i}.conv2.weight"].shape[0] for i in range(sum(n.endswith("conv2.weight") for n in names)))
    generator = MobileStyleGAN(channels, small_head=any(n.startswith("small_head.") for n in names))
    try:
        generator.load_state_dict(state)
    except RuntimeError as error:
        raise GeneratorError(f"'{file.name}' is a MobileStyleGAN file, but does not fit: {error}") from error
    return generator.eval().requires_grad_(False).to(device)
