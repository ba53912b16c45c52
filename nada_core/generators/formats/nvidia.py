"""Read StyleGAN2 from NVIDIA's ``.pkl`` files, or from the state dict of their ``G_ema`` (TensorFlow's: see ``nvidia_tf``).

A ``.pkl`` is a Python pickle whose official loader executes source code kept inside the file. Here nothing of it runs: every name the
pickle asks for is answered with an inert stand-in. Names outside a short table may only be of objects that lie beside the generator,
such as a foreign discriminator; one that is called, or part of the generator, refuses the file.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nada_core.errors import GeneratorError, few, shown
from nada_core.generators.formats import nvidia_tf
from nada_core.generators.formats.kinds import check_kind
from nada_core.generators.formats.ours import LARGEST, Weights, check_filter, unsaid
from nada_core.system.containers import check_claims, held_bytes, reading

__all__ = ["read_pkl", "recognises", "to_ours"]

ORIGINS = "NVIDIA's stylegan2-ada-pytorch (a .pkl with G_ema) or its TensorFlow StyleGAN2 (a .pkl of G, D and Gs)"
#: Names whose values do not matter here: sizes, devices, types.
IGNORED = {
    ("torch", "Size"),
    ("torch", "device"),
    *(("torch", dtype) for dtype in ("float16", "float32", "float64", "int64", "bool")),
}
#: Settings that weights do not show: what this network has built in, by the module's place in ``G_ema``.
BUILT_IN: tuple[tuple[str, dict[str, str | float]], ...] = (
    (r"mapping\.fc\d+", {"activation": "lrelu"}),
    (r"synthesis\.b\d+", {"architecture": "skip"}),
    (r"synthesis\.b\d+\.conv[01]", {"activation": "lrelu"}),
    (r"synthesis\.b\d+\.conv0", {"up": 2}),
    (r"synthesis\.b\d+\.conv1", {"up": 1}),
    (r"synthesis\.b\d+\.(conv[01]|torgb)\.affine", {"activation": "linear", "bias_gain": 1}),
)
#: The mapping network's learning rate multiplier, which NVIDIA's layers keep as ``bias_gain``.
MAPPING_GAIN = 0.01
_SETTINGS = ("activation", "architecture", "bias_gain", "c_dim", "conv_clamp", "up", "use_noise", "z_dim")


class _Refused(Exception):
    """Report that the pickle asks for a name outside the table, to call it or as a part of the generator."""


class _Foreign(type):
    """Make the class of inert stand-ins for one name outside the table. Calling it, as pickles call functions, refuses the file."""

    def __call__(cls, *args: object, **kwargs: object) -> None:
        raise _Refused(cls.__qualname__)


def _foreign(module: str, name: str) -> _Foreign:
    def nothing(*_: object) -> None:
        pass

    empty = dict.fromkeys(("__init__", "__setstate__", "__setitem__", "append", "extend", "add"), nothing)
    return _Foreign(
        "Foreign", (), {**empty, "__new__": lambda cls, *args, **kwargs: object.__new__(cls), "__qualname__": f"{module}.{name}"}
    )


def _is_foreign(value: object) -> bool:
    return isinstance(value, _Foreign) or isinstance(type(value), _Foreign)


def stand_ins() -> dict[tuple[str, str], Callable]:
    """Return a new table of names for each file: a hostile pickle may set attributes on what it is given."""

    class Module:
        """Hold a pickled ``nn.Module``: its class name and attributes, no behaviour."""

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

    def reconstructor(kind: Any, *_: object) -> object:
        """Make an object as protocols 0 and 1 do: only ever a stand-in."""
        if not isinstance(kind, _Foreign):
            raise _Refused("copyreg._reconstructor")
        return kind.__new__(kind)

    def encoded(text: str, encoding: str = "latin1") -> bytes:
        """Return bytes, which protocol 2 keeps as a text of as many characters."""
        return text.encode("latin1")

    def storage(content: bytes) -> Tensor:
        """Return a flat tensor. ``content`` is a small file of ``torch.save``, itself a pickle: read with weights only."""
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
        ("__builtin__", "set"): set,
        ("_codecs", "encode"): encoded,
        ("copyreg", "_reconstructor"): reconstructor,
        ("copy_reg", "_reconstructor"): reconstructor,
        ("torch.storage", "_load_from_bytes"): storage,
        ("torch._utils", "_rebuild_tensor"): tensor,
        ("torch._utils", "_rebuild_tensor_v2"): tensor,
        ("torch._utils", "_rebuild_parameter"): parameter,
        **dict.fromkeys(IGNORED, Ignored),
        **nvidia_tf.stand_ins(),
    }


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BufferedIOBase) -> None:
        super().__init__(file)
        self._table = stand_ins()

    def find_class(self, module: str, name: str) -> Callable:
        if (module, name) not in self._table:
            self._table[module, name] = _foreign(module, name)
        return self._table[module, name]


def _check_own(generator: object) -> None:
    """Check that no foreign object is part of the generator, however deep.

    Raises:
        _Refused: one is.
    """
    waiting, seen = [generator], set()
    while waiting:
        value = waiting.pop()
        if _is_foreign(value):
            raise _Refused(value.__qualname__ if isinstance(value, _Foreign) else type(value).__qualname__)
        if id(value) in seen or isinstance(value, (str, bytes, int, float, type, Tensor)):
            continue
        seen.add(id(value))
        if isinstance(value, Mapping):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting += value
        else:
            waiting += vars(value).values() if hasattr(value, "__dict__") else ()


def _collect(module: Any, prefix: str, out: dict[str, Tensor], settings: dict[str, dict[str, Any]], depth: int = 0) -> None:
    """Collect the ``state_dict()`` of a stand-in module, and the settings of each module in it."""
    if depth > 20:
        raise ValueError("modules are nested without end")
    settings[prefix[:-1]] = {name: module.state[name] for name in _SETTINGS if name in module.state}
    for group in ("_parameters", "_buffers"):
        for name, value in module.state.get(group, {}).items():
            if isinstance(value, Tensor) and (name == "resample_filter" or name not in module.state.get("_non_persistent_buffers_set", ())):
                out[f"{prefix}{name}"] = value
    for name, child in module.state.get("_modules", {}).items():
        if child is not None:
            _collect(child, f"{prefix}{name}.", out, settings, depth + 1)


def read_pkl(path: Path) -> Weights:
    """Read ``G_ema`` of NVIDIA's pickle, or ``Gs`` of a TensorFlow one, in our names. Executes nothing of the file.

    Raises:
        GeneratorError: it asks for a foreign class, is damaged, or holds another kind of network, or one with unusual settings.
    """
    name, held = shown(path.name), held_bytes(path)
    state: dict[str, Tensor] = {}
    settings: dict[str, dict[str, Any]] = {}
    with reading(path, f"'{name}' is damaged, or no pickle of NVIDIA's. Expected {ORIGINS}. Download it again."):
        try:
            with open(path, "rb") as file:
                data = _Unpickler(file).load()
            module = data.get("G_ema") if isinstance(data, Mapping) else None
            network = nvidia_tf.generator_of(data)
            _check_own(network or module or (data if _is_foreign(data) else None))
            if network is not None:
                state, settings = nvidia_tf.to_pytorch(network, name, held)
            elif module is not None:
                _collect(module, "", state, settings)
        except _Refused as error:
            asks = f"'{name}' asks for '{shown(str(error))}', which is no part of a StyleGAN2 file. Nothing of it was run."
            raise GeneratorError(f"{asks} Expected {ORIGINS}.") from error
    if not state:
        found = f"the entries {few(data)}" if isinstance(data, Mapping) else f"a {type(data).__name__}"
        raise GeneratorError(f"'{name}' holds {found}; expected {ORIGINS}.")
    check_claims(state, held, path)
    _check_labels(settings, name)
    ours = to_ours(state, name, _clamp(settings))  # first: it names foreign kinds of networks, whose settings differ as well
    return replace(ours, state={**ours.state, **_settled(ours.state, settings, name)}, z_dim=_latent(settings))


def _check_labels(settings: Mapping[str, Mapping[str, Any]], file: str) -> None:
    """Refuse a network that says that it takes class labels, whatever became of their weights."""
    for place in ("", "mapping"):
        labels = settings.get(place, {}).get("c_dim", 0)
        if isinstance(labels, int) and labels > 0:
            raise GeneratorError(f"'{file}' is a conditional network (c_dim = {labels}); expected one without class labels.")


def _latent(settings: Mapping[str, Mapping[str, Any]]) -> int | None:
    told = settings.get("mapping", {}).get("z_dim")
    return told if isinstance(told, int) and settings.get("mapping", {}).get("c_dim") == 0 else None


def _clamp(settings: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Return ``conv_clamp`` of the synthesis layers, an attribute and not a weight."""
    value = settings.get("synthesis.b4.conv1", {}).get("conv_clamp")
    return float(value) if isinstance(value, (int, float)) and value > 0 else None


def _settled(state: Mapping[str, Tensor], settings: Mapping[str, Mapping[str, Any]], file: str) -> dict[str, Tensor]:
    """Return the tensors of our ``state`` that the settings change: mapping layers of another gain, layers without noise.

    Raises:
        GeneratorError: a setting that this network does not have.
    """
    changed: dict[str, Tensor] = {}
    for place, found in settings.items():
        for pattern, expected in BUILT_IN:
            if re.fullmatch(pattern, place):
                for name, value in expected.items():
                    _check_setting(file, place, name, found.get(name, value), value)
        if layer := re.fullmatch(r"mapping\.fc(\d+)", place):
            gain = found.get("bias_gain", MAPPING_GAIN)
            if not isinstance(gain, (int, float)) or not math.isfinite(gain) or gain <= 0:
                _check_setting(file, place, "bias_gain", gain, MAPPING_GAIN)
            names = [f"mapping_layers.{layer[1]}.{part}" for part in ("weight", "bias")]
            if gain != MAPPING_GAIN:
                changed |= {name: state[name] * (gain / MAPPING_GAIN) for name in names if name in state}
        if (layer := re.fullmatch(r"synthesis\.(b(\d{1,6})\.conv[01])", place)) and found.get("use_noise", True) is not True:
            _check_setting(file, place, "use_noise", found["use_noise"], False)
            side = int(layer[2])
            if f"blocks.{layer[1]}.weight" in state and side <= LARGEST:
                changed |= {f"blocks.{layer[1]}.noise_const": torch.zeros(side, side), f"blocks.{layer[1]}.noise_strength": torch.zeros(())}
    return changed


def _check_setting(file: str, place: str, name: str, found: object, expected: str | float) -> None:
    if not isinstance(found, (str, int, float)) or found != expected:
        value = shown(repr(found), 40) if isinstance(found, (str, int, float)) else f"a {type(found).__name__}"
        raise GeneratorError(
            f"'{file}' has the setting {name} = {value} in '{shown(place, 60)}'; expected {expected!r}, NVIDIA's default. "
            "It would draw wrong pictures here, so it cannot be used."
        )


def recognises(data: Mapping[str, Any]) -> bool:
    """Tell whether a ``.pt`` holds NVIDIA's state dict, bare or under ``G_ema``."""
    inner = data.get("G_ema", data)
    return isinstance(inner, Mapping) and any(str(name).startswith(("synthesis.", "mapping.fc")) for name in inner)


def to_ours(state: Mapping[str, Any], file: str, conv_clamp: float | None = None, *, bare: bool = False) -> Weights:
    """Convert NVIDIA's state dict to our names; the resample filters are checked and dropped.

    Args:
        bare: nothing lies beside the state dict that would tell the network's settings: what is unknown is noted.

    Raises:
        GeneratorError: a conditional network, StyleGAN3, or an architecture without skip connections.
    """
    if wrong := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise GeneratorError(f"'{file}' holds no tensor under {few(wrong)}; expected the state dict of a generator.")
    if any(name.startswith("mapping.embed.") for name in state):
        raise GeneratorError(f"'{file}' is a conditional network (it has 'mapping.embed'); expected one without class labels.")
    check_kind(state, file, f"StyleGAN2, such as {ORIGINS}")
    if any(name.endswith(".skip.weight") for name in state):
        raise GeneratorError(f"'{file}' is a network of the 'resnet' architecture; expected 'skip', NVIDIA's default for generators.")
    blocks = {name.split(".")[1] for name in state if re.match(r"synthesis\.b\d+\.conv1\.weight", name)}
    if len(blocks) > 1 and len(blocks & {name.split(".")[1] for name in state if name.endswith(".torgb.weight")}) == 1:
        raise GeneratorError(f"'{file}' is a network of the 'orig' architecture; expected 'skip', NVIDIA's default for generators.")
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
    return Weights(renamed, conv_clamp, notes=unsaid(renamed, file, clamp_unknown=bare))
