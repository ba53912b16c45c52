"""This project's own StyleGAN2 file: the state dict as safetensors, with the little that shapes do not tell as metadata.

Also what all formats share: the network that a state dict describes, found from its names and shapes and checked to the last one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from nada_core.checksums import sha256_of_tensors
from nada_core.errors import GeneratorError
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from nada_core.generators.stylegan2_ops import fir_filter

__all__ = ["FORMAT", "LARGEST", "Weights", "build", "check_filter", "config_of", "few", "read_safetensors", "recognises", "to_bytes"]

FORMAT = "nada-generator"
EXPECTED = "a StyleGAN2 generator from 8 to 2048 px with 3 x 3 convolutions and skip connections"
BLOCK = re.compile(r"blocks\.b(\d{1,6})\.")
#: Side of the largest network, in pixels.
LARGEST = 2048


@dataclass(frozen=True)
class Weights:
    """A network in this project's names: what every reader returns. ``w_avg`` may be missing from ``state``."""

    state: Mapping[str, Tensor]
    conv_clamp: float | None = None


def recognises(names: Iterable[str]) -> bool:
    """Whether these are names of our StyleGAN2."""
    return "blocks.b4.const" in names


def few(items: Iterable[object], limit: int = 3) -> str:
    """The first few, quoted, for a message."""
    listed = [f"'{str(item)[:80]}'" for item in items]
    return ", ".join(listed[:limit]) + (f" and {len(listed) - limit} more" if len(listed) > limit else "")


def check_filter(name: str, kernel: Tensor, gain: float, file: str) -> None:
    """The filters of the file must be the [1, 3, 3, 1] that the network has built in.

    Raises:
        GeneratorError: another filter.
    """
    expected = fir_filter(gain)
    if kernel.shape != expected.shape or not torch.allclose(kernel.float().cpu(), expected, rtol=1e-4, atol=1e-6):
        raise GeneratorError(
            f"'{file}' resamples with another filter: '{name}' has shape {list(kernel.shape)} and sum {kernel.float().sum():.3g}; expected "
            f"[1, 3, 3, 1] x [1, 3, 3, 1] with sum {gain:g}. Such a network cannot be used here."
        )


def config_of(state: Mapping[str, Tensor], file: str, conv_clamp: float | None = None) -> StyleGAN2Config:
    """Resolution, channels and latent sizes from the shapes of ``state``.

    Raises:
        GeneratorError: blocks are missing, or the tensors that decide have other dimensions.
    """
    sides = sorted({int(found[1]) for name in state if (found := BLOCK.match(name))})
    wanted = [4 << i for i in range(len(sides))]
    if sides != wanted or not 2 <= len(sides) <= 10:
        raise GeneratorError(f"'{file}' has blocks of {', '.join(map(str, sides)) or 'no'} px; expected 4, 8, 16, ... px: {EXPECTED}.")

    def size(name: str, dimension: int, ndim: int) -> int:
        if name not in state:
            raise GeneratorError(f"'{file}' lacks '{name}'; expected {EXPECTED}.")
        shape = state[name].shape
        if len(shape) != ndim or 0 in shape:
            raise GeneratorError(f"'{name}' in '{file}' has shape {list(shape)}; expected {ndim} dimensions, none of them empty.")
        return shape[dimension]

    depth = 1 + max((int(n.split(".")[1]) for n in state if re.fullmatch(r"mapping_layers\.\d{1,3}\.weight", n)), default=0)
    return StyleGAN2Config(
        channels=tuple(size(f"blocks.b{side}.conv1.weight", 0, 4) for side in sides),
        z_dim=size("mapping_layers.0.weight", 1, 2),
        w_dim=size("blocks.b4.conv1.affine.weight", 1, 2),
        mapping_layers=depth,
        conv_clamp=conv_clamp,
    )


def build(weights: Weights, file: str) -> StyleGAN2:
    """The frozen network on the CPU, with every name and shape checked. A missing ``w_avg`` is estimated from seeded latents.

    Raises:
        GeneratorError: something is missing, left over, of another shape or not finite.
    """
    state = dict(weights.state)
    config = config_of(state, file, weights.conv_clamp)
    with torch.device("meta"):  # shapes only
        generator = StyleGAN2(config)
    shapes = {name: value.shape for name, value in generator.state_dict().items()}
    estimate = "w_avg" not in state
    if estimate:
        state["w_avg"] = torch.zeros(config.w_dim)
    if missing := [name for name in shapes if name not in state]:
        raise GeneratorError(f"'{file}' lacks {few(missing)}; expected {EXPECTED}.")
    if unknown := [name for name in state if name not in shapes]:
        raise GeneratorError(f"'{file}' also holds {few(unknown)}, which StyleGAN2 does not have; expected {EXPECTED}.")
    for name, shape in shapes.items():
        value = state[name]
        if value.shape != shape:
            raise GeneratorError(
                f"'{name}' in '{file}' has shape {list(value.shape)}; expected {list(shape)} beside its other tensors. It is damaged."
            )
        if not value.is_floating_point() or not torch.isfinite(value).all():
            raise GeneratorError(f"'{name}' in '{file}' holds NaN or infinity; expected finite numbers. The file cannot be used.")
    # own, contiguous memory: the file's tensors may be views of larger ones
    generator.load_state_dict({n: v.detach().cpu().to(torch.float32, copy=True).contiguous() for n, v in state.items()}, assign=True)
    generator.eval().requires_grad_(False)
    if estimate:
        generator.w_avg.copy_(generator.estimate_w_avg())
    return generator


def read_safetensors(path: Path) -> Weights:
    """Our own file.

    Raises:
        GeneratorError: cut off, or its metadata is damaged.
    """
    try:
        with safe_open(path, "pt") as handle:
            metadata = handle.metadata() or {}
            state = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 (safe_open is no mapping)
        expected = metadata.get("sha256")  # files of before the digest have none
        clamp = json.loads(metadata.get("config", "{}")).get("conv_clamp")
        clamp = None if clamp is None else float(clamp)
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise GeneratorError(f"'{path.name}' is damaged: it cannot be read to its end. Convert or download it again.") from error
    if expected is not None and sha256_of_tensors(state) != expected:
        raise GeneratorError(f"The weights in '{path.name}' are not the ones that were saved: it is damaged. Convert or download it again.")
    if clamp is not None and not (math.isfinite(clamp) and clamp > 0):
        raise GeneratorError(f"'{path.name}' gives {clamp} as conv_clamp; expected a positive number. Convert it again.")
    return Weights(state, clamp)


def to_bytes(generator: StyleGAN2) -> bytes:
    """The content of our own file."""
    config = generator.config
    facts = {
        "channels": config.channels,
        "z_dim": config.z_dim,
        "w_dim": config.w_dim,
        "mapping_layers": config.mapping_layers,
        "conv_clamp": config.conv_clamp,
    }
    state = {name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()}
    metadata = {"format": FORMAT, "schema": "1", "family": generator.family, "config": json.dumps(facts)}
    return save(state, metadata | {"sha256": sha256_of_tensors(state)})
