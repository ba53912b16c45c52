"""Open the containers that weights come in: safetensors and the files of ``torch.save``. Nothing in a file is run.

Other libraries raise dozens of unrelated classes where a file is damaged, hostile, or larger than the memory. :func:`reading` is the one
place that turns them into this project's errors; every reader of weights reads inside of it.
"""

from __future__ import annotations

import argparse
import errno
import os
import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from nada_core.errors import GeneratorError, NadaError, shown
from nada_core.system.archives import foreign_archive
from nada_core.system.wrong_downloads import wrong_download

__all__ = [
    "MOST_BYTES",
    "check_claims",
    "check_floats",
    "check_plain",
    "held_bytes",
    "is_torch_file",
    "out_of_memory",
    "read_safetensors",
    "read_start",
    "read_torch_file",
    "reading",
    "safetensors_header",
]

#: Bytes of the largest file that is opened, unpacked: twice a StyleGAN2 of 1024 px with its discriminator and optimiser.
MOST_BYTES = 4 << 30
#: Bytes that tensors may be larger than their file: a mean latent that is stored once and repeated.
SLACK = 1 << 20
#: Types of the numbers in weights.
_FLOATS = frozenset((torch.float32, torch.float64, torch.float16, torch.bfloat16))
#: How a file of ``torch.save`` before version 1.6 begins: a pickled magic number.
_LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
#: What programs that save whole objects with ``torch.save`` ask for, and what to do about it.
_OBJECTS = (
    (
        r"torch_utils\.persistence|dnnlib|training\.networks",
        "is a whole network of NVIDIA's code saved as an object, as PTI saves its tuned generators",
        "Save its weights where that code is: `torch.save({'G_ema': G.state_dict()}, 'weights.pt')`",
    ),
    (
        r"pytorch_lightning|lightning|omegaconf",
        "is a training checkpoint of Lightning with settings saved as objects",
        "Save its weights where that code is: `torch.save(torch.load(FILE)['state_dict'], 'weights.pt')`",
    ),
    (
        r"torch\.nn\.",
        "is a whole network saved as an object",
        "Save its weights where that code is: `torch.save(network.state_dict(), 'weights.pt')`",
    ),
    (
        r"numpy\.|pathlib\.|collections\.|datetime\.",
        "holds other values beside its weights",
        "Save the tensors alone where it was made",
    ),
)


@contextmanager
def reading(path: Path, otherwise: str, kind: type[NadaError] = GeneratorError) -> Iterator[None]:
    """Turn whatever other libraries raise inside into one sentence of the project; its own errors pass.

    Args:
        otherwise: the sentence where nothing better is known, usually that the file is damaged.
        kind: the class of the error.

    Raises:
        NadaError: of that kind.
    """
    try:
        yield
    except NadaError:
        raise
    except BaseException as error:  # a damaged file can raise anything
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # that is of safetensors, and Rust's
            raise
        name = shown(path.name)
        if out_of_memory(error):
            raise kind(f"'{name}' needs more memory than this machine has free. Close other programs, or take a smaller file.") from error
        if isinstance(error, FileNotFoundError):  # safetensors raises it without the system's words
            raise kind(f"'{name}' cannot be read: {os.strerror(errno.ENOENT)}.") from error
        if isinstance(error, (PermissionError, IsADirectoryError)) and error.strerror:
            raise kind(f"'{name}' cannot be read: {error.strerror}.") from error
        if wrong := wrong_download(path):
            raise kind(f"'{name}' is {wrong}") from error
        raise kind(otherwise) from error


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that there is no memory, the GPU's or the machine's."""
    words = ("not enough memory", "can't allocate memory", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "Cannot allocate memory")
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(said in str(error)[:2000] for said in words)


def read_start(path: Path, length: int = 16, kind: type[NadaError] = GeneratorError) -> bytes:
    """Return the first bytes of a file.

    Raises:
        NadaError: it cannot be read.
    """
    with reading(path, f"'{shown(path.name)}' cannot be read. Choose another file.", kind), open(path, "rb") as stream:
        return stream.read(length)


def is_torch_file(path: Path) -> bool:
    """Tell whether a file begins as ``torch.save`` writes them. Nothing more of it is read.

    Raises:
        GeneratorError: it cannot be read.
    """
    start = read_start(path, len(_LEGACY))
    return start[:2] == b"PK" or start == _LEGACY


def held_bytes(path: Path, kind: type[NadaError] = GeneratorError) -> int:
    """Return the bytes that a file holds, unpacked where it is an archive.

    Raises:
        NadaError: it cannot be read, or its list of contents cannot.
    """
    with reading(path, f"'{shown(path.name)}' is damaged: its list of contents cannot be read. Download it again.", kind):
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = max(size, sum(entry.file_size for entry in archive.infolist()))
    return size


def check_claims(state: Mapping[str, Any], held: int, path: Path, kind: type[NadaError] = GeneratorError) -> None:
    """Check that tensors are plain and do not claim more numbers than their file holds: with strides of 0 it may claim any.

    Nothing is copied.

    Raises:
        NadaError: they are not, or do.
    """
    check_plain(state, path, kind)
    claimed = sum(value.numel() * value.element_size() for value in state.values() if isinstance(value, Tensor))
    if claimed > held + SLACK:
        raise kind(
            f"The tensors in '{shown(path.name)}' claim {claimed / 2**20:,.0f} MB, but the file holds {held / 2**20:,.1f} MB. It is "
            "damaged, or was made to fill the memory; download it again."
        )


def check_plain(state: Mapping[str, Any], path: Path, kind: type[NadaError] = GeneratorError) -> None:
    """Check that tensors are dense real numbers. Nothing in one is looked at: the indices of a sparse one may point anywhere.

    Raises:
        NadaError: one is not.
    """
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    for name, value in tensors.items():
        if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu" or value.is_complex():
            what = "quantized" if value.is_quantized else f"{value.layout} on {value.device.type}, {value.dtype}"
            raise kind(f"'{shown(name)}' in '{shown(path.name)}' is not stored as plain numbers ({what}). Save it as a dense tensor.")


def check_floats(name: str, value: Tensor, file: str, kind: type[NadaError] = GeneratorError) -> None:
    """Check that weights are stored as floating-point numbers that torch computes with: whole ones and those of 8 bits need a scale.

    Args:
        file: what to call the file.

    Raises:
        NadaError: they are of another type; the message names it.
    """
    if value.dtype not in _FLOATS:
        raise kind(
            f"'{shown(name)}' in '{file}' is stored as {str(value.dtype).removeprefix('torch.')}; expected float32, float64, float16 or "
            "bfloat16. Save the weights as float32."
        )


def _check_size(path: Path, kind: type[NadaError]) -> int:
    held = held_bytes(path, kind)
    if held > MOST_BYTES:
        raise kind(
            f"'{shown(path.name)}' holds {held / 2**30:.1f} GB; at most {MOST_BYTES >> 30} GB are read. Save the generator's weights alone."
        )
    return held


def safetensors_header(path: Path, otherwise: str, kind: type[NadaError] = GeneratorError) -> tuple[list[str], dict[str, str]]:
    """Return the names of the tensors and the metadata; no tensor is read.

    Raises:
        NadaError: no such file, or damaged.
    """
    with reading(path, otherwise, kind), safe_open(path, "pt") as file:
        return list(file.keys()), file.metadata() or {}


def read_safetensors(path: Path, otherwise: str, kind: type[NadaError] = GeneratorError) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors by name, and the metadata.

    Args:
        otherwise: the sentence for a damaged file.

    Raises:
        NadaError: too large, cut off or otherwise damaged.
    """
    with reading(path, otherwise, kind):  # around both: the file may be deleted between them
        _check_size(path, kind)
        with safe_open(path, "pt") as file:
            # safe_open is no mapping
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def read_torch_file(path: Path, expected: str) -> Any:
    """Return what was saved: tensors, plain values, containers, and a training's options as an inert ``argparse.Namespace``.

    Args:
        expected: what the file should have been, for the messages.

    Raises:
        NadaError: damaged, too large, or it asks for code to be run.
    """
    file = shown(path.name)
    _check_size(path, GeneratorError)
    if archive := foreign_archive(path):
        raise GeneratorError(f"'{file}' is {archive}")
    if _differs(path):
        raise GeneratorError(f"'{file}' is damaged: parts of it are not what was saved. Download it again.")
    with reading(path, f"'{file}' is damaged: torch cannot read it to its end. Download it again.", GeneratorError):
        try:
            with torch.serialization.safe_globals([argparse.Namespace]):
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise GeneratorError(_refusal(file, str(error), expected)) from error


def _refusal(file: str, said: str, expected: str) -> str:
    """Say what a file asks for that was not run, in torch's words."""
    named = re.search(r"GLOBAL ([\w.]{1,200})|([\w.]{1,200}) was not an allowed global", said[:4000])
    asks = (named[1] or named[2]) if named else ""
    for pattern, what, way_out in _OBJECTS:
        if asks and re.match(pattern, asks):
            return f"'{file}' {what} (it asks for '{shown(asks)}'); such a file can run code, and nothing of it was run. {way_out}."
    refused = f"asks for '{shown(asks)}'" if asks else "holds more than tensors"
    return f"'{file}' {refused}, which is refused: nothing of it was run. Expected {expected}."


def _differs(path: Path) -> bool:
    """Tell whether a checksum in the file, which torch ignores, shows damage. False where no zip program could open the file."""
    wrong, parts = 0, []
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            for part in parts:
                try:
                    with archive.open(part) as stream:
                        while stream.read(1 << 20):
                            pass
                except zipfile.BadZipFile:
                    wrong += 1
    except Exception:  # noqa: BLE001 (a damaged archive raises a dozen classes; torch then says what is wrong)
        return False
    return 0 < wrong < len(parts)  # torch can be told to save without checksums: then all of them are wrong
