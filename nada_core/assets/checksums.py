"""Verify files' checksums once per file version; record the first one seen where none was published, to notice later changes.

Two small JSON files in the cache folder. ``verified.json`` remembers which file (name, size, time of change) had which sha256, so that
300 MB are read neither at every start nor where they were moved. ``recorded.json`` keeps the first sha256 seen of files that are published
without one; a later change is then noticed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.assets.registry import AssetFile
from nada_core.errors import NadaError
from nada_core.system.files import write_bytes

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checksums", "sha256_of", "sha256_of_tensors"]


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def sha256_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Return the hexadecimal sha256 over names, types, shapes and bytes in order of names: damaged values may still be finite."""
    import torch  # not at the top: what is downloaded is looked after where torch is missing too

    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


class Checksums:
    """Keep one cache folder's records of checksums; where it cannot be written there are none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recorded(self, asset: str, file: str) -> str | None:
        """Return the sha256 recorded on first use, or None."""
        entry = self._read("recorded.json").get(f"{asset}/{file}")
        return str(entry["sha256"]) if isinstance(entry, dict) and "sha256" in entry else None

    def seen(self, path: Path) -> str | None:
        """Return the sha256 of this version of the file where it was read before, else None."""
        found = self._read("verified.json").get(_version(path))
        return found if isinstance(found, str) else None

    def compare(self, asset: str, file: AssetFile, path: Path, *, read: bool = True) -> str:
        """Return what distinguishes ``path`` from the expected ``file``, or an empty string.

        The size is looked at each time; the content once for each size and time of change, and only if ``read``.
        """
        try:
            size = path.stat().st_size
            if file.size is not None and size != file.size:
                return f"{file.name} has {size:,} bytes, expected {file.size:,}"
            actual = self.seen(path)
            if actual is None and read:
                actual = sha256_of(path)
                self._write("verified.json", _version(path), actual)
        except OSError as error:
            return f"{file.name} cannot be read ({error.strerror or type(error).__name__})"
        expected = file.sha256 or self.recorded(asset, file.name)
        if actual is None or actual == expected:
            return ""
        if expected is None:
            commit = re.search(r"/snapshots/([^/]+)/", path.as_posix())  # which of the Hub's versions it was
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            entry = {"sha256": actual, "size": size, "revision": commit[1] if commit else None, "when": now}
            self._write("recorded.json", f"{asset}/{file.name}", entry)
            return ""
        if file.sha256:
            return f"{file.name} has the sha256 {actual[:12]}..., expected {expected[:12]}..."
        seen = f"sha256 {actual[:12]}..., recorded {expected[:12]}... in the cache's recorded.json"
        return f"{file.name} changed since its first use ({seen})"

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / name).read_text("utf-8"))
        except (OSError, ValueError):
            return {}  # absent or damaged: everything is compared again
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, key: str, value: object) -> None:
        with contextlib.suppress(NadaError):
            write_bytes(self._folder / name, json.dumps(self._read(name) | {key: value}, indent=1).encode())


def _version(path: Path) -> str:
    status = path.stat()
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"
