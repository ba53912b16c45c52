"""Read and write rosinality's stylegan2-pytorch ``.pt``, the format of StyleGAN-NADA, JoJoGAN, e4e and many others.

A file holds ``{g_ema, latent_avg?, g?, ...}``. One table of names serves both directions, so they cannot drift apart.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from nada_core.errors import GeneratorError, few, shown
from nada_core.generators.formats.kinds import check_kind
from nada_core.generators.formats.ours import LARGEST, Weights, check_filter
from nada_core.generators.stylegan2 import StyleGAN2, published_channels
from nada_core.generators.stylegan2_ops import fir_filter
from nada_core.system.containers import check_floats

__all__ = ["compatibility_notes", "names", "recognises", "to_bytes", "to_ours"]

#: Their tensors have singleton dimensions that ours have not: (leading, trailing) by kind.
SINGLETONS = {"same": (0, 0), "weight": (1, 0), "const": (1, 0), "strength": (1, 0), "noise": (2, 0), "rgb_bias": (1, 2)}
#: Filters are constants of the network; every upsampling layer of theirs stores one, times 4.
FILTER_GAIN = 4.0


def names(blocks: int, mapping_layers: int) -> Iterator[tuple[str, str, str]]:
    """Yield ``(theirs, ours, kind)`` for every tensor of a network of ``blocks`` resolutions but the filters and mean latent."""

    def styled(theirs: str, ours: str, noise: int) -> Iterator[tuple[str, str, str]]:
        yield f"{theirs}.conv.weight", f"{ours}.weight", "weight"
        yield f"{theirs}.activate.bias", f"{ours}.bias", "same"
        yield f"{theirs}.noise.weight", f"{ours}.noise_strength", "strength"
        yield f"noises.noise_{noise}", f"{ours}.noise_const", "noise"
        yield from affine(theirs, ours)

    def to_rgb(theirs: str, ours: str) -> Iterator[tuple[str, str, str]]:
        yield f"{theirs}.conv.weight", f"{ours}.weight", "weight"
        yield f"{theirs}.bias", f"{ours}.bias", "rgb_bias"
        yield from affine(theirs, ours)

    def affine(theirs: str, ours: str) -> Iterator[tuple[str, str, str]]:
        for part in ("weight", "bias"):
            yield f"{theirs}.conv.modulation.{part}", f"{ours}.affine.{part}", "same"

    for i in range(mapping_layers):
        for part in ("weight", "bias"):
            yield f"style.{i + 1}.{part}", f"mapping_layers.{i}.{part}", "same"  # their layer 0 is the normalisation
    yield "input.input", "blocks.b4.const", "const"
    yield from styled("conv1", "blocks.b4.conv1", 0)
    yield from to_rgb("to_rgb1", "blocks.b4.torgb")
    for i in range(blocks - 1):
        side = 8 << i
        for j in (0, 1):
            yield from styled(f"convs.{2 * i + j}", f"blocks.b{side}.conv{j}", 2 * i + j + 1)
        yield from to_rgb(f"to_rgbs.{i}", f"blocks.b{side}.torgb")


def _filters(blocks: int) -> list[str]:
    return [f"convs.{2 * i}.conv.blur.kernel" for i in range(blocks - 1)] + [f"to_rgbs.{i}.upsample.kernel" for i in range(blocks - 1)]


def _generator_of(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for entry in (data.get("g_ema"), data.get("g"), data):
        if isinstance(entry, Mapping) and "input.input" in entry and "conv1.conv.weight" in entry:
            return entry
    return None


def recognises(data: Mapping[str, Any]) -> bool:
    """Tell whether this is rosinality's checkpoint, or the bare state dict of one."""
    return _generator_of(data) is not None


def to_ours(data: Mapping[str, Any], file: str) -> Weights:
    """Convert the averaged generator ``g_ema``, or ``g`` where that is all there is, to our names.

    Old files store no noise: it is then drawn from a fixed seed. A missing ``latent_avg`` is left out. Either is noted.

    Raises:
        GeneratorError: another kind of network, or tensors are missing, left over or of other dimensions.
    """
    theirs = _generator_of(data)
    assert theirs is not None
    if wrong := [name for name, value in theirs.items() if not isinstance(value, Tensor) and (name, value) != ("latent_avg", None)]:
        raise GeneratorError(f"'{file}' holds no tensor under {few(wrong)}; expected the state dict of a generator.")
    check_kind(theirs, file, "a rosinality StyleGAN2")
    blocks = 2 + max((int(found[1]) for n in theirs if (found := re.match(r"to_rgbs\.(\d{1,2})\.", n))), default=-1)
    if 2 << blocks > LARGEST:
        raise GeneratorError(f"'{file}' is a network of {blocks} resolutions; expected a rosinality StyleGAN2 of at most {LARGEST} px.")
    layers = max((int(found[1]) for n in theirs if (found := re.fullmatch(r"style\.(\d{1,3})\.weight", n))), default=0)
    table = list(names(blocks, layers))
    filters = _filters(blocks)
    has_noise = any(name.startswith("noises.") for name in theirs)
    known = {name for name, _, _ in table} | set(filters)
    if missing := [name for name, _, kind in table if name not in theirs and (has_noise or kind != "noise")]:
        raise GeneratorError(
            f"'{file}' lacks {few(missing)}; expected every tensor of a rosinality StyleGAN2 of {2 << blocks} px. It is damaged."
        )
    if unknown := [name for name in theirs if name not in known and name != "latent_avg"]:
        raise GeneratorError(
            f"'{file}' also holds {few(unknown)}; expected only the tensors of a rosinality StyleGAN2 of {2 << blocks} px."
        )
    for name in filters:
        if name in theirs:
            check_filter(name, theirs[name], FILTER_GAIN, file)
    state: dict[str, Tensor] = {}
    rng = torch.Generator().manual_seed(0)
    for name, ours, kind in table:
        if name not in theirs:
            side = int(ours.split(".")[1][1:])
            state[ours] = torch.randn(side, side, generator=rng)
            continue
        value = theirs[name]
        lead, trail = SINGLETONS[kind]
        shape = value.shape
        if len(shape) < lead + trail or any(n != 1 for n in (*shape[:lead], *shape[len(shape) - trail :])):
            sizes = shown(list(shape))
            raise GeneratorError(f"'{name}' in '{file}' has shape {sizes}; expected {lead} leading and {trail} trailing ones.")
        state[ours] = value.reshape(shape[lead : len(shape) - trail])
    average = _average(data, theirs, state["blocks.b4.conv1.affine.weight"].shape[-1], file)
    notes = []
    if average is None:
        others = [name for name in _OTHER_MEANS if name in data or name in theirs]
        unread = f" What it holds under {few(others)} was not read." if others else ""
        notes.append(f"'{file}' holds no mean latent (latent_avg); it was estimated from seeded latents.{unread}")
    else:
        state["w_avg"] = average
    if not has_noise:
        notes.append(f"'{file}' holds no noise; it was drawn from a fixed seed.")
    return Weights(state, notes=tuple(notes))


#: What other programs call a mean latent: of which network and after which training nobody says.
_OTHER_MEANS = ("mean_latent", "w_avg", "dlatent_avg", "latent_mean")


def _average(data: Mapping[str, Any], theirs: Mapping[str, Any], width: int, file: str) -> Tensor | None:
    """Return the mean latent, ``[w_dim]``, that lies beside the network or within it: stored once, or once a layer.

    Raises:
        GeneratorError: it has other sizes, differs from layer to layer, or there are two.
    """
    found = []
    for value in (data.get("latent_avg"), theirs.get("latent_avg")):
        if value is None:
            continue
        sizes = shown(list(value.shape)) if isinstance(value, Tensor) else f"that of a {type(value).__name__}"
        if (
            not isinstance(value, Tensor)
            or value.layout != torch.strided
            or not value.numel()
            or value.ndim > 3
            or value.shape[-1:] != (width,)
        ):
            raise GeneratorError(f"'latent_avg' in '{file}' has shape {sizes}; expected one latent of {width} numbers.")
        check_floats("latent_avg", value, file)
        rows = value.reshape(-1, width)
        if not torch.equal(rows, rows[:1].expand_as(rows)) and bool(torch.isfinite(rows).all()):
            raise GeneratorError(
                f"'latent_avg' in '{file}' has shape {sizes} and rows that differ; expected one latent of {width} numbers."
            )
        found.append(rows[0])
    if len(found) == 2 and not torch.equal(*found) and bool(torch.isfinite(torch.stack(found)).all()):
        raise GeneratorError(f"'{file}' holds two mean latents that differ, beside the network and within it; expected one 'latent_avg'.")
    return found[0] if found else None


def compatibility_notes(generator: StyleGAN2) -> list[str]:
    """List what rosinality's own code cannot express or build, one sentence each; empty for the published sizes."""
    config, notes = generator.config, []
    if config.conv_clamp is not None:
        notes.append(f"The clamp of activations at {config.conv_clamp:g} has no place in a rosinality file and was left out.")
    if config.z_dim != config.w_dim:
        notes.append(f"rosinality's code has one latent size; this network has {config.z_dim} for z and {config.w_dim} for w.")
    if config.channels not in {published_channels(generator.img_resolution, m) for m in (1, 2, 4)}:
        notes.append(f"rosinality's code builds other channel counts than {', '.join(map(str, config.channels))}.")
    return notes


def to_bytes(generator: StyleGAN2) -> bytes:
    """Return the bytes of a rosinality ``.pt``: ``g_ema`` with filters and noise, and ``latent_avg``."""
    ours = generator.state_dict()
    blocks = len(generator.config.channels)
    theirs: dict[str, Tensor] = {}
    for name, own, kind in names(blocks, generator.config.mapping_layers):
        lead, trail = SINGLETONS[kind]
        value = ours[own].detach().cpu()
        # our weights may lie channels last; other programs look at strides
        theirs[name] = value.reshape((1,) * lead + tuple(value.shape) + (1,) * trail).clone(memory_format=torch.contiguous_format)
    theirs |= {name: fir_filter(FILTER_GAIN) for name in _filters(blocks)}
    buffer = io.BytesIO()
    torch.save({"g_ema": theirs, "latent_avg": generator.w_avg.detach().cpu().clone()}, buffer)
    return buffer.getvalue()
