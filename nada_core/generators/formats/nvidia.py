"""NVIDIA's stylegan2-ada-pytorch: its ``.pkl``, and the state dict of its ``G_ema``.

A ``.pkl`` is a Python pickle whose official loader executes source code kept inside the file. Here nothing of it runs: every name the
pickle asks for is answered with an inert stand-in from a short table, and a name outside the table refuses the file.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nada_core.errors import GeneratorError
from nada_core.generators.formats.ours import Weights, check_filter, few

__all__ = ["read_pkl", "recognises", "to_ours"]

ORIGINS = "NVIDIA's stylegan2-ada-pytorch (a .pkl with G_ema)"
#: Names whose values do not matter here: numpy scalars of gains, sizes, devices, types.
IGNORED = {
    ("torch", "Size"),
    ("torch", "device"),
    *(("torch", dtype) for dtype in ("float16", "float32", "float64", "int64", "bool")),
    *(("numpy", name) for name in ("dtype", "ndarray")),
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
}


class _Refused(Exception):
    """The pickle asks for a name outside the table."""


def _stand_ins() -> dict[tuple[str, str], Callable]:
    """The table of names. Made anew for each file: a hostile pickle may set attributes on what it is given."""

    class Module:
        """A pickled ``nn.Module``: its class name and attributes, no behaviour."""

        def __init__(self, class_name: str, state: Mapping[str, Any]) -> None:
            self.class_name, self.state = class_name, state

    class Dict(dict):
        def __setstate__(self, state: object) -> None:
            pass

    class Ignored:
        def __init__(self, *args: object, **kwargs: object) -> None:
            pass

        def __setstate__(self, state: object) -> None:
            pass

    def reconstruct(meta: Mapping[str, Any]) -> Module:
        # meta["module_src"] is what the official loader would execute
        return Module(str(meta["class_name"]), dict(meta["state"]))

    def storage(content: bytes) -> Tensor:
        """A flat tensor. ``content`` is a small file of ``torch.save``, itself a pickle: read with weights only."""
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return torch.empty(0, dtype=loaded.dtype).set_(loaded)

    def tensor(flat: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Tensor:
        return flat.as_strided(tuple(size), tuple(stride), offset)

    def parameter(value: Tensor, *_: object) -> Tensor:
        return value

    return {
        ("torch_utils.persistence", "_reconstruct_persistent_obj"): reconstruct,
        ("dnnlib.util", "EasyDict"): Dict,
        ("dnnlib", "EasyDict"): Dict,
        ("collections", "OrderedDict"): Dict,
        ("builtins", "set"): set,
        ("torch.storage", "_load_from_bytes"): storage,
        ("torch._utils", "_rebuild_tensor"): tensor,
        ("torch._utils", "_rebuild_tensor_v2"): tensor,
        ("torch._utils", "_rebuild_parameter"): parameter,
        **dict.fromkeys(IGNORED, Ignored),
    }


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BufferedIOBase) -> None:
        super().__init__(file)
        self._table = _stand_ins()

    def find_class(self, module: str, name: str) -> Callable:
        try:
            return self._table[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None


def _collect(module: Any, prefix: str, out: dict[str, Tensor], depth: int = 0) -> None:
    """``state_dict()`` of a stand-in module."""
    if depth > 20:
        raise ValueError("modules are nested without end")
    for group in ("_parameters", "_buffers"):
        for name, value in module.state.get(group, {}).items():
            if isinstance(value, Tensor) and name not in module.state.get("_non_persistent_buffers_set", ()):
                out[f"{prefix}{name}"] = value
    for name, child in module.state.get("_modules", {}).items():
        if child is not None:
            _collect(child, f"{prefix}{name}.", out, depth + 1)


def read_pkl(path: Path) -> Weights:
    """``G_ema`` of NVIDIA's pickle in our names. Executes nothing of the file.

    Raises:
        GeneratorError: it asks for a foreign class, is damaged, or holds another kind of network.
    """
    try:
        with open(path, "rb") as file:
            data = _Unpickler(file).load()
        module = data.get("G_ema") if isinstance(data, Mapping) else None
        state: dict[str, Tensor] = {}
        clamp = None
        if module is not None:
            _collect(module, "", state)
            clamp = _clamp(module)
    except _Refused as error:
        raise GeneratorError(
            f"'{path.name}' asks for '{str(error)[:80]}', which is no part of a StyleGAN2 file. Nothing of it was run. Expected {ORIGINS}."
        ) from error
    except OSError as error:
        raise GeneratorError(f"'{path.name}' cannot be read: {error.strerror}.") from error
    except Exception as error:  # a damaged pickle can raise anything
        raise GeneratorError(f"'{path.name}' is damaged, or no pickle of NVIDIA's. Expected {ORIGINS}. Download it again.") from error
    if not state:
        found = f"the entries {few(data)}" if isinstance(data, Mapping) else f"a {type(data).__name__}"
        raise GeneratorError(f"'{path.name}' holds {found}; expected {ORIGINS}.")
    return to_ours(state, path.name, clamp)


def _clamp(module: Any) -> float | None:
    """``conv_clamp`` of the synthesis layers, an attribute and not a weight."""
    for step in ("synthesis", "b4", "conv1"):
        module = module.state.get("_modules", {}).get(step)
        if module is None:
            return None
    value = module.state.get("conv_clamp")
    return float(value) if isinstance(value, (int, float)) and value > 0 else None


def recognises(data: Mapping[str, Any]) -> bool:
    """Whether a ``.pt`` holds NVIDIA's state dict, bare or under ``G_ema``."""
    inner = data.get("G_ema", data)
    return isinstance(inner, Mapping) and any(str(name).startswith(("synthesis.", "mapping.fc")) for name in inner)


def to_ours(state: Mapping[str, Any], file: str, conv_clamp: float | None = None) -> Weights:
    """NVIDIA's state dict in our names; the resample filters are checked and dropped.

    Raises:
        GeneratorError: a conditional network, StyleGAN3, or an architecture without skip connections.
    """
    if wrong := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise GeneratorError(f"'{file}' holds no tensor under {few(wrong)}; expected the state dict of a generator.")
    if any(name.startswith("mapping.embed.") for name in state):
        raise GeneratorError(f"'{file}' is a conditional network (it has 'mapping.embed'); expected one without class labels.")
    if any(name.startswith(("synthesis.input.", "synthesis.L0_")) for name in state):
        raise GeneratorError(f"'{file}' is a StyleGAN3 network (it has 'synthesis.input'); expected StyleGAN2, such as {ORIGINS}.")
    if any(name.endswith(".skip.weight") for name in state):
        raise GeneratorError(f"'{file}' is a network of the 'resnet' architecture; expected 'skip', NVIDIA's default for generators.")
    renamed: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.endswith("resample_filter"):
            check_filter(name, value, 1.0, file)
        elif name == "mapping.w_avg":
            renamed["w_avg"] = value
        elif name.startswith("mapping.fc"):
            renamed[name.replace("mapping.fc", "mapping_layers.", 1)] = value
        elif name.startswith("synthesis."):
            renamed[name.replace("synthesis.", "blocks.", 1)] = value
        else:
            renamed[name] = value  # refused by name where the network is built
    return Weights(renamed, conv_clamp)
