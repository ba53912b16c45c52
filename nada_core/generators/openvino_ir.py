"""Read MobileStyleGAN's published weights from OpenVINO IR (``.xml`` + ``.bin``), without OpenVINO.

The IR keeps every constant at an offset of the ``.bin``. Layers that came from the original checkpoint kept their names; the pointwise
convolutions had their demodulation folded in by the exporter and are called ``Mul_*_copy``, the noises and the mapping layers only have
numbers, so those are taken in execution order (layer id).
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["read_constants", "read_mobile_stylegan"]

_DTYPES = {"f32": np.float32, "f16": np.float16, "i64": np.int64, "i32": np.int32}


def read_constants(xml: Path, binary: Path) -> dict[str, NDArray]:
    """Return every constant of an IR, by name, in the order of execution.

    Raises:
        ValueError: the ``.bin`` is shorter than the ``.xml`` says (a truncated download).
    """
    raw = binary.read_bytes()
    found: list[tuple[int, str, NDArray]] = []
    layers = ElementTree.parse(xml).getroot().find("layers")
    if layers is None:
        raise ValueError(f"{xml.name} is not an OpenVINO IR: it has no <layers>")
    for layer in layers:
        data = layer.find("data")
        if layer.get("type") != "Const" or data is None:
            continue
        shape = [int(n) for n in (data.get("shape") or "").split(",") if n.strip()]
        offset, size = int(data.get("offset", 0)), int(data.get("size", 0))
        if offset + size > len(raw):
            raise ValueError(f"{binary.name} has {len(raw)} bytes, but {xml.name} expects at least {offset + size}: fetch it again")
        values = np.frombuffer(raw[offset : offset + size], _DTYPES[data.get("element_type", "f32")]).reshape(shape)
        found.append((int(layer.get("id", 0)), layer.get("name", ""), values))
    return {name: values for _, name, values in sorted(found, key=lambda item: item[0])}


def _band_order(channels: int) -> NDArray:
    """Return the indices that turn the IR's channels (``C`` low, ``[C, 3]`` details) into our four bands of ``C``, read as slices."""
    c = channels // 4
    return np.concatenate([np.arange(c), *(c + 3 * np.arange(c) + band for band in range(3))])


def _wavelet_edges(blocks: int) -> list[tuple[str, str | None]]:
    """List layers whose output channels are wavelet bands, each with the modulation that scales them on the way."""
    writers = ["conv1", *(f"blocks.{i}.conv2" for i in range(blocks - 1))]
    edges: list[tuple[str, str | None]] = [(writer, f"blocks.{i}.up") for i, writer in enumerate(writers)]
    return [*edges, ("to_img", None)]


def read_mobile_stylegan(folder: Path) -> dict[str, Tensor]:
    """Return the state dict for :class:`MobileStyleGAN` without head and ``w_avg``.

    ``folder`` holds ``{MappingNetwork,SynthesisNetwork}.{xml,bin}``.
    """
    state: dict[str, NDArray] = {}
    mapping = read_constants(folder / "MappingNetwork.xml", folder / "MappingNetwork.bin")
    for kind, ndim in (("weight", 2), ("bias", 1)):
        tensors = [a for a in mapping.values() if a.ndim == ndim and a.shape[-1] == 512]
        state |= {f"mapping_layers.{i}.{kind}": a for i, a in enumerate(tensors)}

    ir = read_constants(folder / "SynthesisNetwork.xml", folder / "SynthesisNetwork.bin")
    pointwise = [a for n, a in ir.items() if n.startswith("Mul_") and n.endswith("_copy")]
    noises = [a for a in ir.values() if a.ndim == 4 and a.shape[:2] == (1, 1) and a.shape[2] >= 4]
    blocks = len(noises) // 2

    def modulation(ours: str, theirs: str) -> None:
        state[f"{ours}.weight"] = ir[f"{theirs}.modulation.weight"]
        state[f"{ours}.bias"] = ir[f"{theirs}.modulation.bias"].reshape(-1)

    state["const"] = ir["m.input.input"]
    modulation("conv1.modulation", "m.conv1.conv")
    state |= {"conv1.weight": pointwise[0], "conv1.bias": ir["m.conv1.bias"].reshape(-1), "conv1.noise": noises[0]}
    for i in range(blocks):
        modulation(f"blocks.{i}.up", f"m.layers.{i}.up")
        for j in (1, 2):
            ours, theirs, k = f"blocks.{i}.conv{j}", f"m.layers.{i}.conv{j}", 2 * i + j
            modulation(f"{ours}.modulation", f"{theirs}.conv")
            state[f"{ours}.depthwise"] = ir[f"{theirs}.conv.weight_dw"][:, 0]
            state[f"{ours}.weight"], state[f"{ours}.noise"] = pointwise[k], noises[k]
            state[f"{ours}.bias"] = ir[f"{theirs}.bias"].reshape(-1)
    last = f"m.layers.{blocks - 1}.to_img"
    modulation("to_img.modulation", f"{last}.conv")
    state |= {"to_img.weight": ir[f"{last}.conv.weight"], "to_img.bias": ir[f"{last}.bias"].reshape(-1)}
    for writer, reader in _wavelet_edges(blocks):
        order = _band_order(state[f"{writer}.bias"].size)
        for name in (f"{writer}.weight", f"{writer}.bias", *([f"{reader}.weight", f"{reader}.bias"] if reader else [])):
            state[name] = state[name][order]
    return {name: torch.from_numpy(np.array(values, np.float32)) for name, values in state.items()}
