"""Files of ``torch.save``, read without running anything in them."""

from __future__ import annotations

import argparse
import pickle
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from nada_core.errors import GeneratorError

__all__ = ["is_torch_file", "read_torch_file"]

#: How a file of ``torch.save`` before version 1.6 begins: a pickled magic number.
_LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")


def is_torch_file(path: Path) -> bool:
    """Whether a file begins as ``torch.save`` writes them. Nothing more of it is read.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as stream:
        start = stream.read(len(_LEGACY))
    return start[:2] == b"PK" or start == _LEGACY


def read_torch_file(path: Path, expected: str) -> Any:
    """What was saved: tensors, plain values and containers, and the ``argparse.Namespace`` of a training's options, which is inert.

    Args:
        expected: what the file should have been, for the messages.

    Raises:
        GeneratorError: damaged, or it asks for code to be run.
    """
    file = path.name[:80]
    if _differs(path):
        raise GeneratorError(f"'{file}' is damaged: parts of it are not what was saved. Download it again.")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL ([\w.]+)|([\w.]+) was not an allowed global", str(error))
        asks = f"asks for '{(named[1] or named[2])[:80]}'" if named else "holds more than tensors"
        raise GeneratorError(f"'{file}' {asks}, which is refused: nothing of it was run. Expected {expected}.") from error
    except Exception as error:  # a damaged file can raise anything
        raise GeneratorError(f"'{file}' is damaged: torch cannot read it to its end. Download it again.") from error


def _differs(path: Path) -> bool:
    """Whether a checksum in the file, which torch never looks at, tells of damage. A file that no zip program could open says nothing."""
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
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, zlib.error):
        return False
    return 0 < wrong < len(parts)  # torch can be told to save without checksums: then all of them are wrong
