"""Small valid files of generators and styles, what damages them, and what reads them: the inputs of ``fuzz.py``."""

from __future__ import annotations

import io
import json
import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from nada_core.generators.base import Generator
from nada_core.generators.formats import mobile, ours
from nada_core.generators.load import load_generator
from nada_core.generators.mobile_stylegan import MobileStyleGAN
from nada_core.generators.stylegan2 import StyleGAN2
from nada_core.styles.files import compact_style, save_style, styled
from nada_core.styles.library import StyleLibrary
from nada_core.styles.published import read_published
from tests.helpers.stylegan2_files import nvidia_pickle, nvidia_state, painted, rosinality_state, tiny
from tests.helpers.tensorflow_files import network, tf_pickle, tf_variables

__all__ = ["KINDS", "Maker"]

#: Each kind of file, and the ending of its name.
KINDS: dict[str, str] = {
    "rosinality": ".pt",
    "rosinality-legacy": ".pt",
    "rosinality-safetensors": ".safetensors",
    "nvidia-state": ".pt",
    "nvidia-pickle": ".pkl",
    "tensorflow-pickle": ".pkl",
    "ours": ".safetensors",
    "mobile": ".safetensors",
    "mobile-torch": ".pt",
    "style-full": ".safetensors",
    "style-delta8": ".safetensors",
    "published": ".pt",
}
_NUMBERS = (0, 1, 2, 3, 5, 127, 255, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1)
_NAMES = ("", "x", "latent_avg", "module.x", "a\nb\x1b[31m", "n" * 5000, "blocks.b4.const", "style.99.weight", "to_rgbs.99.bias", "../../x")


def _mobile() -> MobileStyleGAN:
    """As small as the family's latents of 512 numbers let it be; biases make its pictures differ from pixel to pixel."""
    torch.manual_seed(0)
    small = MobileStyleGAN((8,), mapping_layers=1, small_head=False).eval().requires_grad_(False)
    for name, parameter in small.named_parameters():
        if name.endswith(("bias", "const")):
            parameter.normal_()
    return small


class Maker:
    """Make the valid files once, and damaged ones of them in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = tiny(channels=(6, 5, 4), z_dim=8, w_dim=8, mapping_layers=1)
        self.states: dict[str, Any] = self._states()
        self.valid: dict[str, bytes] = {kind: self._bytes(kind, state) for kind, state in self.states.items()} | self._pickles()

    def _states(self) -> dict[str, Any]:
        base, style = self.base, painted(self.base)
        theirs = {"g_ema": rosinality_state(base), "latent_avg": base.w_avg}
        small = save_style(compact_style(style, base), self.folder / "small.safetensors").read_bytes()
        whole = save_style(style, self.folder / "whole.safetensors").read_bytes()
        adapted = styled(base, style)
        assert isinstance(adapted, StyleGAN2)
        return {
            "rosinality": theirs,
            "rosinality-legacy": theirs,
            "rosinality-safetensors": (_flat(theirs), {}),
            "nvidia-state": {"G_ema": nvidia_state(base)},
            "ours": _parts(ours.to_bytes(base)),
            "mobile": _parts(mobile.to_bytes(_mobile())),
            "mobile-torch": dict(_mobile().state_dict()),
            "style-full": _parts(whole),
            "style-delta8": _parts(small),
            "published": {"g_ema": rosinality_state(adapted), "args": {"lr": 0.002}},
        }

    def _pickles(self) -> dict[str, bytes]:
        state = nvidia_state(self.base)
        torch.manual_seed(0)
        return {
            "nvidia-pickle": nvidia_pickle(state),
            "tensorflow-pickle": tf_pickle(network(tf_variables(state), {"resolution": self.base.img_resolution})),
        }

    @staticmethod
    def _bytes(kind: str, content: Any) -> bytes:
        if KINDS[kind] == ".safetensors":
            tensors, metadata = content
            return _ordered(save({name: value.contiguous().clone() for name, value in tensors.items()}, metadata or None))
        buffer = io.BytesIO()
        torch.save(content, buffer, _use_new_zipfile_serialization="legacy" not in kind)
        return buffer.getvalue()

    def write_valid(self, kind: str) -> Path:
        """Write the sound file."""
        path = self.folder / f"input{KINDS[kind]}"
        path.write_bytes(self.valid[kind])
        return path

    def write(self, kind: str, rng: random.Random) -> Path:
        """Write one damaged file: half of them changed in their bytes, half in what they hold."""
        path = self.folder / f"input{KINDS[kind]}"
        content: bytes | None = None
        if kind in self.states and rng.random() < 0.5:
            content = self._changed(kind, rng)
        path.write_bytes(content if content is not None else _damaged(self.valid[kind], rng))
        return path

    def _changed(self, kind: str, rng: random.Random) -> bytes | None:
        """Return a file that is written well and holds something else; None where it cannot be written."""
        state = self.states[kind]
        try:
            if KINDS[kind] == ".safetensors":
                tensors, metadata = state
                for _ in range(rng.choice((1, 1, 2, 4))):
                    tensors = _other_tensors(tensors, rng)
                if rng.random() < 0.5:  # else the checksum tells at once
                    metadata = {name: value for name, value in metadata.items() if name != "sha256"}
                if metadata and rng.random() < 0.5:
                    metadata = _other_metadata(metadata, rng)
                return self._bytes(kind, ({n: v for n, v in tensors.items() if isinstance(v, Tensor)}, metadata))
            for _ in range(rng.choice((1, 1, 2, 4))):
                place = rng.choice([name for name, value in state.items() if isinstance(value, Mapping)] or [""])
                state = {**state, place: _other_tensors(state[place], rng)} if place else _other_tensors(state, rng)
            return self._bytes(kind, state)
        except Exception:  # noqa: BLE001 (what cannot be written is no input)
            return None

    def read(self, kind: str, path: Path) -> Tensor:
        """Read a file as the program would, and return the pictures it draws."""
        if kind.startswith("style"):
            library = StyleLibrary(self.folder / "library", ready=self.folder / "none")
            name = library.import_file(path, self.base, trial=True)
            try:
                return _drawn(styled(self.base, library.load(name)))
            finally:
                library.delete(name)
        if kind == "published":
            return _drawn(styled(self.base, read_published(path, self.base)))
        return _drawn(load_generator(path))


@torch.no_grad()
def _drawn(generator: Generator) -> Tensor:
    ws = generator.mapping(generator.sample_z([1, 2]), 0.9)
    return generator.synthesis(ws, resolution=generator.resolutions[0])


def _parts(content: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors and metadata of a safetensors file."""
    length = struct.unpack("<Q", content[:8])[0]
    return load(content), json.loads(content[8 : 8 + length]).get("__metadata__", {})


def _ordered(content: bytes) -> bytes:
    """Return a safetensors file with its metadata in order: the library writes it in another one each time."""
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    if "__metadata__" in header:
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def _flat(content: Mapping[str, Any]) -> dict[str, Tensor]:
    return {f"g_ema.{name}": value for name, value in content["g_ema"].items()} | {"latent_avg": content["latent_avg"]}


def _damaged(content: bytes, rng: random.Random) -> bytes:
    """Change bytes: anywhere, or in the first and last kilobyte, where containers keep what they say of themselves."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8, 30))):
        if not data:
            break
        low, high = rng.choice(((0, len(data)), (0, min(1024, len(data))), (max(0, len(data) - 1024), len(data))))
        at = rng.randrange(low, high)
        length = min(rng.choice((1, 1, 2, 4, 8, 64)), len(data) - at)
        match rng.randrange(8):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at : at + length] = rng.randbytes(length)
            case 2:
                del data[at : at + length]
            case 3:
                data[at:at] = rng.randbytes(length)
            case 4:
                data[at:at] = data[at : at + length] * rng.choice((1, 2, 50))
            case 5:
                data[at : at + 8] = rng.choice(_NUMBERS).to_bytes(8, rng.choice(("little", "big")))
            case 6:
                data[at : at + length] = bytes([rng.choice((0, 255, 0x2E, 0x28, 0x7B, 0x22))]) * length
            case _:
                del data[at:]
    return bytes(data)


def _other_tensors(tensors: Mapping[str, Any], rng: random.Random) -> dict[str, Any]:
    """Change one of the tensors, or its name."""
    state = dict(tensors)
    name = rng.choice(list(state) or ["x"])
    value = state.get(name, torch.zeros(2))
    if rng.random() < 0.15:
        state.pop(name, None)
        if rng.random() < 0.5:
            state[rng.choice(_NAMES)] = value
    elif rng.random() < 0.1:
        state[rng.choice(_NAMES)] = value
    else:
        state[name] = rng.choice(_CHANGES)(value, rng) if isinstance(value, Tensor) else rng.choice((None, 3, "x" * 3000, [[]]))
    return state


def _spoiled(value: Tensor, rng: random.Random) -> Tensor:
    spoiled = value.clone().reshape(-1)
    if spoiled.is_floating_point() and spoiled.numel():
        spoiled[rng.randrange(spoiled.numel())] = rng.choice((float("nan"), float("inf"), -1e38, 1e30, 1e-45))
    return spoiled.reshape(value.shape)


def _repeated(value: Tensor, rng: random.Random) -> Tensor:
    """Claim a size of which one number is stored."""
    shape = [rng.choice((side, side * 2, 0, 1, 1 << 10, 1 << 20)) for side in value.shape]
    return value.reshape(-1)[:1].expand(*shape) if value.numel() and shape else value


_CHANGES: tuple[Callable[[Tensor, random.Random], Any], ...] = (
    _spoiled,
    _repeated,
    lambda value, rng: value * rng.choice((0, -1, 1e3, 1e10, 1e20, 1e37)),
    lambda value, rng: value.to(rng.choice((torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool, torch.uint8))),
    lambda value, rng: value[None] if rng.random() < 0.5 else value.reshape(-1),
    lambda value, rng: value.flatten()[: rng.randrange(5)],
    lambda value, rng: torch.zeros([rng.choice((0, 1, 2, 7)) for _ in range(rng.randrange(7))]),
    lambda value, rng: torch.randn(value.shape, generator=torch.Generator().manual_seed(rng.randrange(1000))),
    lambda value, rng: torch.cat([value, value]) if value.ndim else value,
    lambda value, rng: rng.choice((None, 1, 1.5, "x", b"y", [value], {"x": value}, (), {1, 2})),
    lambda value, rng: value.transpose(0, -1) if value.ndim else value,
)


def _other_metadata(metadata: Mapping[str, str], rng: random.Random) -> dict[str, str]:
    """Change one text of the metadata, or a fact in its JSON."""
    changed = dict(metadata)
    name = rng.choice(list(changed))
    values = (None, True, -1, 0, 1e300, 10**40, float("nan"), "", "x\n" * 400, [], [[[]]], {}, {"a": {"b": [1]}})
    if changed[name].startswith("{") and rng.random() < 0.8:
        facts = json.loads(changed[name])
        key = rng.choice(list(facts) or ["x"])
        if rng.random() < 0.2:
            facts.pop(key, None)
        else:
            facts[rng.choice((key, key, "x"))] = rng.choice(values)
        changed[name] = json.dumps(facts)
    else:
        changed[name] = rng.choice(("", "x" * 5000, "\n", "{", "[1]", "null", "nada-style", "nada-generator"))
    return changed
