"""Read and write MobileStyleGAN in this project's names; its published weights come from ``generators/openvino_ir.py``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch
from safetensors.torch import save
from torch import Tensor

from nada_core.assets.checksums import sha256_of_tensors
from nada_core.errors import GeneratorError
from nada_core.generators.formats.ours import MOST_CHANNELS, MOST_MAPPING_LAYERS, fill
from nada_core.generators.mobile_stylegan import HEAD_BLOCK, MobileStyleGAN

__all__ = ["build", "recognises", "to_bytes"]

_EXPECTED = "a MobileStyleGAN of 16 to 1024 px in this project's names"
_LARGEST_BLOCKS = 7
_LATENT = 512


def recognises(names: Iterable[str]) -> bool:
    """Tell whether these are tensor names of our MobileStyleGAN."""
    return "blocks.0.up.weight" in names


def build(state: Mapping[str, Tensor], file: str) -> MobileStyleGAN:
    """Return the frozen network on the CPU, with every name, shape and number checked.

    Raises:
        GeneratorError: it does not fit: something is missing, left over, of another shape, not finite, or larger than any network.
    """
    wrong = f"'{file}' is a MobileStyleGAN file, but does not fit: "
    blocks = sum(re.fullmatch(r"blocks\.\d{1,3}\.conv2\.weight", name) is not None for name in state)
    if not 1 <= blocks <= _LARGEST_BLOCKS or any(f"blocks.{i}.conv2.weight" not in state for i in range(blocks)):
        raise GeneratorError(f"{wrong}it has {blocks} blocks; expected {_EXPECTED}.")
    writers = [state[f"blocks.{i}.conv2.weight"] for i in range(blocks)]
    channels = tuple(weight.shape[0] if weight.ndim == 4 else 0 for weight in writers)
    if any(not 0 < count <= MOST_CHANNELS for count in channels) or any(count % 4 for count in (channels[0], *channels[:-1])):
        raise GeneratorError(f"{wrong}its blocks have {', '.join(map(str, channels))} channels; expected multiples of 4.")
    layers = sum(re.fullmatch(r"mapping_layers\.\d{1,3}\.weight", name) is not None for name in state)
    if not 1 <= layers <= MOST_MAPPING_LAYERS:
        raise GeneratorError(f"{wrong}it has {layers} mapping layers; expected 1 to {MOST_MAPPING_LAYERS}.")
    small_head = any(name.startswith("small_head.") for name in state)
    if small_head and blocks <= HEAD_BLOCK:
        raise GeneratorError(f"{wrong}it has a head of 256 px and only {blocks} blocks; expected {HEAD_BLOCK + 1} or more.")
    for name, value in state.items():
        if name.startswith("mapping_layers.") and value.shape not in ((_LATENT, _LATENT), (_LATENT,)):
            raise GeneratorError(f"{wrong}'{name}' has shape {list(value.shape)[:4]}; its latents have {_LATENT} numbers.")
    with torch.device("meta"):  # shapes only
        generator = MobileStyleGAN(channels, mapping_layers=layers, small_head=small_head)
    fill(generator, state, file, _EXPECTED)
    return generator.to(memory_format=torch.channels_last)


def to_bytes(generator: MobileStyleGAN) -> bytes:
    """Return the bytes of a safetensors file with a checksum of its tensors, which :func:`build` reads."""
    state = {name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()}
    return save(state, {"format": "nada-generator", "schema": "1", "family": generator.family, "sha256": sha256_of_tensors(state)})
