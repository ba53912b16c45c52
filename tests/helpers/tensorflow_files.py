"""Pickles as NVIDIA's TensorFlow code writes them, of small networks."""

from __future__ import annotations

import pickle
import sys
import types

import numpy as np
from torch import Tensor

from tests.helpers.stylegan2_files import EasyDict, nvidia_state, tiny

SOURCE = "raise AssertionError('build_module_src ran')"
KWARGS = {"num_channels": 3, "resolution": 64, "label_size": 0, "fmap_base": 8 << 10, "fmap_max": 512, "architecture": "skip"}
KWARGS |= {"resample_kernel": [1, 3, 3, 1], "truncation_psi": 0.5, "randomize_noise": True, "mapping_lrmul": 0.01}


class Network:
    """Pickles as dnnlib's: ``__getstate__`` gives the record, and the class is named ``dnnlib.tflib.network.Network``."""

    def __init__(self, name: str, variables: dict, kwargs: dict, components: dict | None = None, **other) -> None:
        self.record = {"version": 4, "name": name, "static_kwargs": kwargs, "components": components or {}}
        self.record |= {"build_module_src": SOURCE, "build_func_name": name, "variables": list(variables.items())} | other

    def __getstate__(self) -> dict:
        return self.record

    def __setstate__(self, state: dict) -> None:
        raise AssertionError("the official loader ran")


def tf_variables(state: dict[str, Tensor]) -> dict[str, np.ndarray | np.generic]:
    """Written by hand, independently of the converter: NVIDIA's PyTorch state dict as TensorFlow names and lays out the variables."""
    out: dict[str, np.ndarray | np.generic] = {"lod": np.float32(0)}
    for name, tensor in state.items():
        value = tensor.numpy()
        parts = name.split(".")
        if name == "mapping.w_avg":
            out["dlatent_avg"] = value
        elif parts[0] == "mapping":
            out[f"mapping/Dense{parts[1][2:]}/{parts[2]}"] = value.swapaxes(0, 1) if parts[2] == "weight" else value
        elif parts[-1] == "const":
            out["synthesis/4x4/Const/const"] = value[None]
        elif parts[-1] == "noise_const":
            level = int(np.log2(int(parts[1][1:])))
            index = 0 if level == 2 else 2 * level - 5 + (parts[2] == "conv1")
            out[f"synthesis/noise{index}"] = value[None, None]
        elif parts[-1] != "resample_filter":
            side, layer, last = parts[1][1:], parts[2], parts[-1]
            theirs = {"conv0": "Conv0_up", "conv1": "Conv" if side == "4" else "Conv1", "torgb": "ToRGB", "skip": "Skip"}[layer]
            place = f"synthesis/{side}x{side}/{theirs}"
            if parts[3] == "affine":
                out[f"{place}/mod_{last}"] = value.swapaxes(0, 1) if last == "weight" else value - np.float32(1)
            elif last == "weight":
                kernel = np.einsum("oihw->hwio", value)
                out[f"{place}/weight"] = np.rot90(kernel, 2) if layer in ("conv0", "skip") else kernel
            else:
                out[f"{place}/{last}"] = value[()] if value.ndim == 0 else value
    return out


def network(variables: dict, kwargs: dict | None = None, easy: bool = False, **other) -> Network:
    """``Gs``: the variables of each part lie in that part, as ``Network`` keeps them."""
    kwargs = KWARGS | (kwargs or {})
    kwargs = EasyDict(kwargs) if easy else kwargs
    parts = {part: {n[len(part) + 1 :]: v for n, v in variables.items() if n.startswith(f"{part}/")} for part in ("mapping", "synthesis")}
    components = {part: Network(f"G_{part}", inside, dict(kwargs), **other) for part, inside in parts.items() if inside}
    own = {n: v for n, v in variables.items() if not n.startswith(("mapping/", "synthesis/"))}
    return Network("Gs", own, kwargs, EasyDict(components) if easy else components, **other)


def pickled(content: object, protocol: int = 4, module: str = "dnnlib.tflib.network") -> bytes:
    """With stand-ins for NVIDIA's modules in ``sys.modules`` only while it is written."""
    parents = [".".join(module.split(".")[: i + 1]) for i in range(module.count(".") + 1)]
    kept = {thing: thing.__module__ for thing in (Network, EasyDict)}
    names = {*parents, "dnnlib", "dnnlib.util"}
    try:
        for name in names:
            sys.modules[name] = types.ModuleType(name)
        Network.__module__, EasyDict.__module__ = module, "dnnlib.util"
        sys.modules[module].Network = Network  # type: ignore[attr-defined]
        sys.modules["dnnlib.util"].EasyDict = EasyDict  # type: ignore[attr-defined]
        return pickle.dumps(content, protocol)
    finally:
        for thing, name in kept.items():
            thing.__module__ = name
        for name in names:
            del sys.modules[name]


def tf_pickle(gs: Network, **options) -> bytes:
    """``(G, D, Gs)``, the first two with weights that must not be taken."""
    small = {"4x4/Dense0/weight": np.zeros((4, 4), np.float32)}
    return pickled((network(tf_variables(nvidia_state(tiny(seed=7)))), Network("D", small, {"label_size": 0}), gs), **options)
