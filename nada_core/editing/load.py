"""Load a photo editor for a generator: the photo encoder that matches it, and the perceptual loss."""

from __future__ import annotations

from nada_core.editing.editor import PhotoEditor
from nada_core.encoders.base import ImageTextEncoder
from nada_core.encoders.load import load_backbone
from nada_core.errors import OptionsError
from nada_core.generators.base import Generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.inversion.load import load_inverter, load_starter_inverter
from nada_core.inversion.perceptual import PerceptualLoss
from nada_core.inversion.photo_encoder import PhotoEncoder
from nada_core.inversion.starter import StarterInverter
from nada_core.worlds import STARTER

__all__ = ["load_editor"]


def load_editor(inverter: str, generator: Generator, encoder: ImageTextEncoder, base_hash: str) -> PhotoEditor:
    """Return the editor of photos for a generator, on its device.

    Args:
        inverter: as :class:`nada_core.worlds.World` has it.

    Raises:
        OptionsError: that inverter does not know the generator; AssetError: a file is missing and cannot be fetched.
    """
    device = generator.device
    loaded: StarterInverter | PhotoEncoder | None = None
    if inverter == STARTER and generator.family != MobileStyleGAN.family:
        raise OptionsError(f"The starter's photo encoder does not know {generator.family}: use e4e, restyle-e4e or none.")
    if inverter == STARTER:
        loaded = load_starter_inverter(device)
    elif inverter != "none":
        loaded = load_inverter(inverter, device=device)
    backbone = loaded.backbone if isinstance(loaded, StarterInverter) else load_backbone().to(device)
    return PhotoEditor(generator, loaded, PerceptualLoss(backbone), encoder, base_hash)
