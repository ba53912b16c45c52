"""Convert NVIDIA's TensorFlow pickles, of stylegan2 and stylegan2-ada, to the names of its PyTorch version.

Such a file is a tuple ``(G, D, Gs)`` of ``dnnlib.tflib.network.Network``, each with the source code that built it, which the official
loader executes. Here a network is an inert record, and an array its bytes until it is asked for. ``Gs`` is the one that is used. Facts from
``dnnlib/tflib/network.py`` and ``training/networks_stylegan2.py`` (NVlabs/stylegan2), ``training/networks.py`` (NVlabs/stylegan2-ada) and
``legacy.py`` (NVlabs/stylegan2-ada-pytorch).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nada_core.errors import GeneratorError, few, shown
from nada_core.system.containers import SLACK

__all__ = ["Network", "generator_of", "stand_ins", "to_pytorch"]

EXPECTED = "a StyleGAN2 network of NVIDIA's TensorFlow code, config E or F, such as stylegan2-cat-config-f.pkl"
#: Settings that change the pictures: what this network has built in, NVIDIA's default first.
BUILT_IN: dict[str, tuple[object, ...]] = {
    "num_channels": (3,),
    "architecture": ("skip",),
    "nonlinearity": ("lrelu",),
    "mapping_nonlinearity": ("lrelu",),
    "normalize_latents": (True,),
    "resample_kernel": ([1, 3, 3, 1],),
    "use_noise": (True, False),
    "mapping_func": ("G_mapping",),
    "synthesis_func": ("G_synthesis_stylegan2", "G_synthesis"),
}
#: Settings that shapes tell, or that matter in training only.
NEUTRAL = frozenset(
    "latent_size dlatent_size resolution mapping_layers mapping_fmaps label_fmaps fmap_base fmap_decay fmap_min fmap_max fmap_const dtype "
    "num_fp16_res fused_modconv randomize_noise structure truncation_psi truncation_cutoff truncation_psi_val truncation_cutoff_val "
    "dlatent_avg_beta w_avg_beta style_mixing_prob is_validation return_dlatents dlatent_broadcast label_size mapping_lrmul "
    "conv_clamp".split()
)
_NUMBERS = frozenset(("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1"))
_LAYERS = {"Conv": "conv1", "Conv0_up": "conv0", "Conv1": "conv1", "ToRGB": "torgb", "Skip": "skip"}


class Network:
    """Hold a pickled network: its state, no behaviour."""

    def __init__(self) -> None:
        self.state: Mapping[str, Any] = {}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.state = state


class _Type:
    """Hold a pickled ``numpy.dtype`` of plain numbers, as ``<f4``."""

    def __init__(self, code: str, *_: object) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def dtype(self) -> np.dtype[Any]:
        if self.code not in _NUMBERS or self.order not in ("<", ">", "=", "|"):
            raise ValueError("an array of something else than numbers")
        return np.dtype(self.order + self.code)


class _Array:
    """Hold a pickled array or scalar of numpy: its bytes, and how they are to be read."""

    def __init__(self, content: Any = b"", dtype: Any = None, shape: Any = (), order: str = "C", axes: Any = None) -> None:
        self.content, self.kind, self.shape, self.order, self.axes = content, dtype, shape, order, axes

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.kind, fortran, self.content = state
        self.order = "F" if fortran else "C"

    def tensor(self) -> Tensor:
        """Return the values as a tensor with its own memory, row by row.

        Raises:
            ValueError, TypeError: the bytes do not fit the shape, or are no numbers.
        """
        dtype = self.kind.dtype()
        flat = np.frombuffer(self.content, dtype)
        if any(not isinstance(side, int) or side < 0 for side in self.shape) or math.prod(self.shape) != flat.size:
            raise ValueError("an array whose bytes do not fit its shape")
        array = flat.reshape(self.shape, order="F" if self.order == "F" else "C")
        if self.order == "K":  # of protocol 5: axes put in another order after that
            array = array.transpose(self.axes)
        return torch.from_numpy(array.astype(dtype.newbyteorder("="), order="C", copy=True))


def stand_ins() -> dict[tuple[str, str], Callable]:
    """Return what these pickles may ask for, by module and name; new classes for each file: a hostile one may set attributes."""

    class Net(Network):
        pass

    class Type(_Type):
        pass

    class Array(_Array):
        pass

    class Marker:
        """Stand in for ``numpy.ndarray``, which is only ever named."""

        def __init__(self, *args: object) -> None:
            pass

        def __setstate__(self, state: object) -> None:
            pass

    def reconstruct(*_: object) -> _Array:
        return Array()

    def scalar(dtype: _Type, content: bytes = b"") -> _Array:
        return Array(content, dtype)

    def from_buffer(content: bytes, dtype: _Type, shape: tuple[int, ...], order: str, axes: object = None) -> _Array:
        return Array(content, dtype, shape, order, axes)

    return {
        ("dnnlib.tflib.network", "Network"): Net,
        ("tfutil", "Network"): Net,  # Progressive GAN, to be refused by its name
        ("numpy", "dtype"): Type,
        ("numpy", "ndarray"): Marker,
        **{(f"numpy.{core}.multiarray", "_reconstruct"): reconstruct for core in ("core", "_core")},
        **{(f"numpy.{core}.multiarray", "scalar"): scalar for core in ("core", "_core")},
        **{(f"numpy.{core}.numeric", "_frombuffer"): from_buffer for core in ("core", "_core")},
    }


def generator_of(data: object) -> Network | None:
    """Return ``Gs``, the averaged generator: the last of three networks, or the only one. None: no pickle of TensorFlow networks."""
    if isinstance(data, tuple) and len(data) == 3 and isinstance(data[2], Network):
        return data[2]
    return data if isinstance(data, Network) else None


def to_pytorch(network: Network, file: str, held: int) -> tuple[dict[str, Tensor], dict[str, dict[str, Any]]]:
    """Return state dict and settings of the modules, as ``G_ema`` of stylegan2-ada-pytorch has them.

    Dense weights are transposed; convolutions go from ``[height, width, in, out]`` to ``[out, in, height, width]``, those that enlarge
    turned by 180 degrees; the 1 that TensorFlow's code adds to the styles' biases is added here.

    Raises:
        GeneratorError: another kind of network, class labels, or a setting that this network does not have.
        ValueError, TypeError, KeyError, AttributeError: damaged.
    """
    values = dict(_variables(network))
    _check_kind(network, list(values), file)
    if sum(len(array.content) for array in values.values()) > held + SLACK:
        raise ValueError("arrays that are larger than their file")
    kwargs = _settings(network, file)
    state: dict[str, Tensor] = {}
    for name, array in values.items():
        if name != "lod":  # how far a progressive training has come
            renamed, value = to_stylegan2(name, array.tensor())
            state[renamed] = value
    sides = {int(found[1]) for name in state if (found := re.match(r"synthesis\.b(\d{1,6})\.", name))}
    told = kwargs.get("resolution")
    if isinstance(told, int) and sides and told != max(sides):
        raise GeneratorError(f"'{file}' says that it draws {told} px, but its blocks end at {max(sides)} px; expected both the same.")
    settings: dict[str, dict[str, Any]] = {}
    for name in state:
        if layer := re.match(r"mapping\.fc\d+", name):
            settings[layer[0]] = {"bias_gain": kwargs.get("mapping_lrmul", 0.01)}
        elif layer := re.match(r"synthesis\.b\d+\.conv[01]", name):
            settings[layer[0]] = {"use_noise": kwargs.get("use_noise", True), "conv_clamp": kwargs.get("conv_clamp")}
    return state, settings


def _variables(network: Network, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, _Array]]:
    if depth > 3:
        raise ValueError("networks are nested without end")
    for name, value in network.state["variables"]:
        yield f"{prefix}{name}", value
    for name, part in network.state.get("components", {}).items():
        yield from _variables(part, f"{prefix}{name}/", depth + 1)


def _check_kind(network: Network, names: list[str], file: str) -> None:
    modulated = any(name.endswith("/mod_weight") for name in names)
    kind = ""
    if any("/StyleMod/" in name or "/AdaIn/" in name for name in names):
        kind = "a StyleGAN1 network (it has 'StyleMod')"
    elif any("ToRGB_lod" in name for name in names):
        kind = (
            "a StyleGAN2 network of config B to D (it has 'ToRGB_lod')" if modulated else "a Progressive GAN network (it has 'ToRGB_lod')"
        )
    elif not modulated:
        kind = f"the network '{shown(network.state.get('name'))}' with {few(names) or 'nothing in it'}"
    if kind:
        raise GeneratorError(f"'{file}' holds {kind}; expected {EXPECTED}.")
    version = network.state["version"]
    if version not in (4, 5):
        raise GeneratorError(f"'{file}' has version {shown(version, 40)} of NVIDIA's TensorFlow pickles; expected 4 or 5, as of StyleGAN2.")
    if any(re.match(r"mapping/Label(Concat|Embed)/", name) for name in names):
        raise GeneratorError(f"'{file}' is a conditional network (its mapping network reads labels); expected one without class labels.")


def _settings(network: Network, file: str) -> dict[str, Any]:
    """Return ``static_kwargs``, those of the parts included, with numpy's scalars as plain numbers."""
    kwargs: dict[str, Any] = {}
    for part in (network, *network.state.get("components", {}).values()):
        for name, value in part.state["static_kwargs"].items():
            kwargs[name] = value.tensor().tolist() if isinstance(value, _Array) else value
            _check_setting(str(name), kwargs[name], file)
    return kwargs


def _check_setting(name: str, value: object, file: str) -> None:
    number = value if isinstance(value, (int, float)) and math.isfinite(value) else None
    if name == "label_size":
        if value not in (0, None):
            raise GeneratorError(f"'{file}' is a conditional network (label_size = {shown(value, 40)}); expected one without class labels.")
    elif name == "mapping_lrmul":
        fits, expected = number is not None and number > 0, "a positive number such as 0.01"
    elif name == "conv_clamp":
        fits, expected = value is None or (number is not None and number > 0), "none, or a positive number"
    elif name == "num_channels" and number != 3:
        raise GeneratorError(
            f"'{file}' draws pictures of other colours than red, green and blue (num_channels = {shown(value, 40)}); expected 3."
        )
    elif name in BUILT_IN:
        plain = list(value) if isinstance(value, tuple) else value
        fits, expected = plain in BUILT_IN[name], " or ".join(map(repr, BUILT_IN[name]))
    else:
        fits, expected = name in NEUTRAL, "only settings of NVIDIA's own code"
    if name != "label_size" and not fits:
        raise GeneratorError(
            f"'{file}' has the setting {shown(name)} = {shown(repr(value) if isinstance(value, str) else value, 40)}; expected {expected}. "
            "It would draw wrong pictures here, so it cannot be used."
        )


def to_stylegan2(name: str, value: Tensor) -> tuple[str, Tensor]:
    """Give one variable PyTorch's name and layout. Unknown names stay as they are, to be refused where the network is built."""
    if name == "dlatent_avg":
        return "mapping.w_avg", value
    if found := re.fullmatch(r"mapping/Dense(\d+)/(weight|bias)", name):
        return f"mapping.fc{found[1]}.{found[2]}", value.t() if found[2] == "weight" else value
    if name == "synthesis/4x4/Const/const":
        return "synthesis.b4.const", value.squeeze(0)
    if found := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        layer = int(found[1])
        return f"synthesis.b{4 << ((layer + 1) // 2)}.conv{(layer + 1) % 2}.noise_const", value.squeeze((0, 1))
    found = re.fullmatch(r"synthesis/(\d{1,6})x\1/(Conv|Conv0_up|Conv1|ToRGB|Skip)/(weight|bias|mod_weight|mod_bias|noise_strength)", name)
    if not found or (found[2] == "Conv") != (found[1] == "4" and found[2] not in ("ToRGB", "Skip")):
        return name, value
    place = f"synthesis.b{found[1]}.{_LAYERS[found[2]]}"
    if found[3] == "weight":
        return f"{place}.weight", (value.flip(0, 1) if found[2] in ("Conv0_up", "Skip") else value).permute(3, 2, 0, 1)
    if found[3] == "mod_weight":
        return f"{place}.affine.weight", value.t()
    if found[3] == "mod_bias":
        return f"{place}.affine.bias", value + 1
    return f"{place}.{found[3]}", value
