"""Load the encoders that invert photos, from their files."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from nada_core.assets.shipped import CHECKPOINTS
from nada_core.assets.store import fetch
from nada_core.encoders.load import load_backbone
from nada_core.errors import GeneratorError, OptionsError, shown
from nada_core.inversion.e4e import E4E
from nada_core.inversion.formats import read_encoder
from nada_core.inversion.ir_se50_files import fitting
from nada_core.inversion.photo_encoder import PhotoEncoder
from nada_core.inversion.restyle import ReStyleE4E
from nada_core.inversion.starter import StarterInverter

__all__ = ["PHOTO_ENCODERS", "load_inverter", "load_starter_inverter"]

INVERTER = "starter-inverter.safetensors"
#: Encoders of the full world, and the assets their weights are.
PHOTO_ENCODERS = {"e4e": "e4e-ffhq", "restyle-e4e": "restyle-e4e-ffhq"}


def load_starter_inverter(device: torch.device | str = "cpu") -> StarterInverter:
    """Return the starter generator's photo encoder, frozen.

    Raises:
        AssetError: the backbone could not be fetched.
        GeneratorError: the trained part is missing from ``checkpoints/``.
    """
    file = CHECKPOINTS / INVERTER
    if not file.is_file():
        raise GeneratorError(
            f"checkpoints/{INVERTER} is missing: it is part of the repository. Restore it with `git checkout checkpoints`."
        )
    inverter = StarterInverter(load_backbone())
    result = inverter.load_state_dict({name: value.float() for name, value in load_file(file).items()}, strict=False)
    missing = [name for name in result.missing_keys if not name.startswith("backbone.")]
    if missing or result.unexpected_keys:
        raise GeneratorError(f"checkpoints/{INVERTER} does not fit this version: {(missing + result.unexpected_keys)[0]}.")
    return inverter.eval().requires_grad_(False).to(device)


def load_inverter(name: str, weights: str | Path | None = None, device: torch.device | str = "cpu") -> PhotoEncoder:
    """Return a photo encoder for StyleGAN2, frozen, with published weights. No file can run code here.

    Args:
        name: ``e4e`` (one pass) or ``restyle-e4e`` (five, closer to the photo).
        weights: its file: ``{state_dict, opts, latent_avg}`` as published, or the encoder's bare state dict; by default the asset for FFHQ.
        device: where it goes; what the file's options say of devices is ignored.

    Raises:
        OptionsError: no such encoder.
        AssetError: the weights could not be fetched.
        GeneratorError: the file is missing, damaged, of another kind, or does not fit.
    """
    if name not in PHOTO_ENCODERS:
        raise OptionsError(f"No photo encoder is called '{shown(name, 40)}'; there are {' and '.join(PHOTO_ENCODERS)}.")
    path = Path(weights) if weights is not None else fetch(PHOTO_ENCODERS[name])
    found = read_encoder(path)
    if found.name != name:
        raise GeneratorError(f"'{shown(path.name)}' is a {found.name} encoder; expected {name}. Load it as '{found.name}'.")
    with torch.device("meta"):  # shapes only
        encoder: PhotoEncoder
        if name == "e4e":
            encoder = E4E(found.num_ws, found.w_dim, found.add_average)
        else:  # ReStyle always starts from the average, whatever its file's options say, as its authors' code does
            encoder = ReStyleE4E(found.num_ws, found.w_dim)
    kind = f"a {found.name} encoder with {found.num_ws} heads on IR-SE50"
    encoder.load_state_dict(fitting(encoder, found.state, kind, shown(path.name)), assign=True)
    encoder.latent_avg = found.latent_avg
    return encoder.eval().requires_grad_(False).to(device)
