"""Read and write our own StyleGAN2 files: the state dict as safetensors, what shapes do not tell as metadata.

Also for all formats: build the network that a state dict describes, with every name and shape checked.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from nada_core.assets.checksums import sha256_of_tensors
from nada_core.errors import GeneratorError, few, shown
from nada_core.generators.stylegan2 import StyleGAN2, StyleGAN2Config
from nada_core.generators.stylegan2_ops import fir_filter
from nada_core.generators.trial import LARGEST_WEIGHT
from nada_core.system.containers import check_floats, reading

__all__ = [
    "FORMAT",
    "LARGEST",
    "Weights",
    "build",
    "check_filter",
    "check_saved",
    "config_of",
    "fill",
    "from_safetensors",
    "recognises",
    "to_bytes",
    "unsaid",
]

FORMAT = "nada-generator"
EXPECTED = "a StyleGAN2 generator from 8 to 2048 px with 3 x 3 convolutions and skip connections"
BLOCK = re.compile(r"blocks\.b(\d{1,6})\.")
#: Side of the largest network, in pixels.
LARGEST = 2048
#: More of each than any published network has; a file that claims more is not built.
MOST_CHANNELS, MOST_LATENT, MOST_MAPPING_LAYERS, MOST_WEIGHTS = 4096, 4096, 64, 2 << 30


@dataclass(frozen=True)
class Weights:
    """Hold a network in this project's names, as every reader returns it.

    Attributes:
        state: tensors by name; ``w_avg`` may be missing.
        z_dim: the width of z where the file itself tells it, beside the shapes.
        notes: what the file did not hold and how it was made up for, a sentence each.
    """

    state: Mapping[str, Tensor]
    conv_clamp: float | None = None
    z_dim: int | None = None
    notes: tuple[str, ...] = ()


def recognises(names: Iterable[str]) -> bool:
    """Tell whether these are tensor names of our StyleGAN2."""
    return "blocks.b4.const" in names


def check_filter(name: str, kernel: Tensor, gain: float, file: str) -> None:
    """Check that a file's filter is the [1, 3, 3, 1] that the network has built in.

    Raises:
        GeneratorError: another filter.
    """
    expected = fir_filter(gain)
    check_floats(name, kernel, file)
    if kernel.shape != expected.shape or not torch.allclose(kernel.float().cpu(), expected, rtol=1e-4, atol=1e-6):
        found = f"shape {shown(list(kernel.shape))} and sum {kernel.float().sum():.3g}"
        raise GeneratorError(
            f"'{file}' resamples with another filter: '{shown(name)}' has {found}; expected "
            f"[1, 3, 3, 1] x [1, 3, 3, 1] with sum {gain:g}. Such a network cannot be used here."
        )


def config_of(state: Mapping[str, Tensor], file: str, conv_clamp: float | None = None) -> StyleGAN2Config:
    """Return resolution, channels and latent sizes, found from the shapes of ``state``.

    Raises:
        GeneratorError: blocks are missing, or the tensors that decide have other dimensions.
    """
    sides = sorted({int(found[1]) for name in state if (found := BLOCK.match(name))})
    wanted = [4 << i for i in range(len(sides))]
    if sides != wanted or not 2 <= len(sides) <= 10:
        raise GeneratorError(
            f"'{file}' has blocks of {shown(', '.join(map(str, sides[:20])) or 'no')} px; expected 4, 8, 16, ... px: {EXPECTED}."
        )

    def size(name: str, dimension: int, ndim: int) -> int:
        if name not in state:
            raise GeneratorError(f"'{file}' lacks '{name}'; expected {EXPECTED}.")
        shape = state[name].shape
        if len(shape) != ndim or 0 in shape:
            raise GeneratorError(f"'{name}' in '{file}' has shape {shown(list(shape))}; expected {ndim} dimensions, none of them empty.")
        return shape[dimension]

    _check_pictures(state, sides, file)
    depth = 1 + max((int(n.split(".")[1]) for n in state if re.fullmatch(r"mapping_layers\.\d{1,3}\.weight", n)), default=0)
    config = StyleGAN2Config(
        channels=tuple(size(f"blocks.b{side}.conv1.weight", 0, 4) for side in sides),
        z_dim=size("mapping_layers.0.weight", 1, 2),
        w_dim=size("blocks.b4.conv1.affine.weight", 1, 2),
        mapping_layers=depth,
        conv_clamp=conv_clamp,
    )
    _check_limits(config, file)
    return config


def _check_pictures(state: Mapping[str, Tensor], sides: Sequence[int], file: str) -> None:
    """Refuse networks that are sound and draw other pictures than this one: that is what they are, not damage."""
    colours = {tuple(state[name].shape[:1]) for side in sides if (name := f"blocks.b{side}.torgb.weight") in state}
    if len(colours) == 1 and colours != {(3,)} and all(colours):
        count = colours.pop()[0]
        channels = f"{count} colour channel{'' if count == 1 else 's'}"
        raise GeneratorError(f"'{file}' draws pictures of {channels}; expected 3: red, green and blue. Such a network cannot be used here.")
    kernels = {tuple(state[name].shape[2:]) for side in sides if (name := f"blocks.b{side}.conv1.weight") in state}
    if len(kernels) == 1 and len(kernel := kernels.pop()) == 2 and kernel != (3, 3) and len(sides) > 1:
        raise GeneratorError(f"'{file}' has convolutions of {kernel[0]} x {kernel[1]}; expected {EXPECTED}.")
    start = tuple(state["blocks.b4.const"].shape[1:]) if "blocks.b4.const" in state else (4, 4)
    if len(start) == 2 and start != (4, 4):
        raise GeneratorError(
            f"'{file}' draws pictures that are not square: it begins with {start[0]} x {start[1]} px; expected {EXPECTED}."
        )


def _check_limits(config: StyleGAN2Config, file: str) -> None:
    """Refuse sizes that no network has before memory is taken for them."""
    for what, value, most in (
        ("channels", max(config.channels), MOST_CHANNELS),
        ("numbers in z", config.z_dim, MOST_LATENT),
        ("numbers in w", config.w_dim, MOST_LATENT),
        ("mapping layers", config.mapping_layers, MOST_MAPPING_LAYERS),
    ):
        if value > most:
            raise GeneratorError(f"'{file}' claims {value:,} {what}; at most {most:,} are read, more than any published network has.")


def _check_labels(weights: Weights, config: StyleGAN2Config, file: str) -> None:
    """Refuse a network whose first layer reads more than z, where a conversion lost what else it reads.

    NVIDIA's conditional networks read z and an embedded class label, as wide as w, side by side.
    """
    if weights.z_dim != config.z_dim and config.z_dim > config.w_dim:
        raise GeneratorError(
            f"'{file}' looks like a conditional network whose labels a conversion lost: its first layer takes "
            f"{config.z_dim} numbers, the latents have {config.w_dim}; expected one without class labels."
        )


def fill(network: nn.Module, state: Mapping[str, Tensor], file: str, expected: str) -> None:
    """Give a network on the meta device a file's weights, in memory of their own, with every name and shape checked; freeze it.

    Args:
        expected: what the file should hold, for the messages.

    Raises:
        GeneratorError: something is missing, left over, of another shape, of another type or not finite.
    """
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    if missing := [name for name in shapes if name not in state]:
        raise GeneratorError(f"'{file}' lacks {few(missing)}; expected {expected}.")
    if unknown := [name for name in state if name not in shapes]:
        raise GeneratorError(f"'{file}' also holds {few(unknown)}, which such a network does not have; expected {expected}.")
    size = 4 * sum(shape.numel() for shape in shapes.values())
    if size > MOST_WEIGHTS:
        raise GeneratorError(f"'{file}' is a network of {size / 2**30:.1f} GB; at most {MOST_WEIGHTS >> 30} GB are read.")
    for name, shape in shapes.items():
        value = state[name]
        if value.shape != shape:
            raise GeneratorError(
                f"'{shown(name)}' in '{file}' has shape {shown(list(value.shape))}; expected {list(shape)} beside its other tensors. "
                "It is damaged."
            )
    for name in shapes:
        value = state[name]
        check_floats(name, value, file)
        if not torch.isfinite(value).all():
            raise GeneratorError(f"'{name}' in '{file}' holds NaN or infinity; expected finite numbers. The file cannot be used.")
        if value.numel() and (largest := float(value.detach().abs().max())) > LARGEST_WEIGHT:
            raise GeneratorError(
                f"'{name}' in '{file}' holds values up to {largest:.1e}; no network's weights are larger than {LARGEST_WEIGHT:.0e}. "
                "It is damaged."
            )
    # own, contiguous memory: the file's tensors may be views of larger ones
    network.load_state_dict({n: v.detach().cpu().to(torch.float32, copy=True).contiguous() for n, v in state.items()}, assign=True)
    network.eval().requires_grad_(False)


def build(weights: Weights, file: str) -> StyleGAN2:
    """Return the frozen network on the CPU, with every name and shape checked. A missing ``w_avg`` is estimated from seeded latents.

    Raises:
        GeneratorError: something is missing, left over, of another shape, not finite, or larger than any network.
    """
    state = dict(weights.state)
    config = config_of(state, file, weights.conv_clamp)
    _check_labels(weights, config, file)
    with torch.device("meta"):  # shapes only
        generator = StyleGAN2(config)
    fill(generator, {"w_avg": torch.zeros(config.w_dim)} | state, file, EXPECTED)
    if "w_avg" not in state:
        generator.w_avg.copy_(generator.estimate_w_avg())
    return generator


def check_saved(state: Mapping[str, Tensor], metadata: Mapping[str, str], file: str) -> None:
    """Check that tensors are those that were saved, where the file has a checksum of them; those of before it have none.

    Raises:
        GeneratorError: they are not.
    """
    expected = metadata.get("sha256")
    if expected is not None and sha256_of_tensors(state) != expected:
        raise GeneratorError(f"The weights in '{file}' are not the ones that were saved: it is damaged. Convert or download it again.")


def from_safetensors(state: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path) -> Weights:
    """Return the weights of our own names with what the metadata tells, checked against its checksum.

    Raises:
        GeneratorError: the metadata is damaged, or the tensors are not the ones that were saved.
    """
    file = shown(path.name)
    with reading(path, f"'{file}' is damaged: what it says of itself cannot be read. Convert or download it again."):
        check_saved(state, metadata, file)
        facts = json.loads(metadata.get("config", "{}"))
        clamp, latent = facts.get("conv_clamp"), facts.get("z_dim")
        clamp = None if clamp is None else float(clamp)
        bare = "config" not in metadata
    if clamp is not None and not (math.isfinite(clamp) and clamp > 0):
        raise GeneratorError(f"'{file}' gives {clamp} as conv_clamp; expected a positive number. Convert it again.")
    return Weights(state, clamp, latent if isinstance(latent, int) else None, notes=unsaid(state, file, clamp_unknown=bare))


def unsaid(state: Mapping[str, Tensor], file: str, *, clamp_unknown: bool) -> tuple[str, ...]:
    """Return a sentence for each fact of a network that its file does not tell and that changes its pictures."""
    notes = []
    if "w_avg" not in state:
        notes.append(f"'{file}' holds no mean latent (w_avg); it was estimated from seeded latents.")
    if clamp_unknown:
        notes.append(
            f"'{file}' does not say at which value the network clamps its activations (conv_clamp); they are not clamped. A .pkl says it."
        )
    return tuple(notes)


def to_bytes(generator: StyleGAN2) -> bytes:
    """Return the bytes of our own file for a generator."""
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
