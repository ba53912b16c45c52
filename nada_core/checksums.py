"""Checksums: compared once for each version of a file on disk, and recorded on first use where nobody could know them before.

Two small JSON files in the cache folder. ``verified.json`` remembers which file (path, size, time of change) had which sha256, so that
300 MB are not read at every start. ``recorded.json`` keeps the first sha256 seen of files that are published without one; a later change is
then noticed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.asset_registry import AssetFile

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checksums", "sha256_of", "sha256_of_tensors"]


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def sha256_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Hexadecimal sha256 over names, types, shapes and bytes, in the order of the names: damage need not show as a value not finite."""
    import torch  # not at the top: what is downloaded is looked after where torch is missing too

    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


class Checksums:
    """The two records of one cache folder. Where it cannot be written they are simply not kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recorded(self, asset: str, file: str) -> str | None:
        """The sha256 recorded on first use, or None."""
        entry = self._read("recorded.json").get(f"{asset}/{file}")
        return str(entry["sha256"]) if isinstance(entry, dict) and "sha256" in entry else None

    def seen(self, path: Path) -> str | None:
        """The sha256 of this version of the file where it was read before, else None."""
        entry = self._read("verified.json").get(str(path))
        if not isinstance(entry, list) or len(entry) != 3:
            return None
        return str(entry[2]) if entry[:2] == _version(path) else None

    def compare(self, asset: str, file: AssetFile, path: Path, *, revision: str | None = None, read: bool = True) -> str:
        """What distinguishes ``path`` from the expected ``file``, or an empty string.

        The size is looked at each time; the content once for each size and time of change, and only if ``read``.
        """
        try:
            size = path.stat().st_size
            if file.size is not None and size != file.size:
                return f"{file.name} has {size:,} bytes, expected {file.size:,}"
            expected = file.sha256 or self.recorded(asset, file.name)
            actual = self.seen(path)
            if actual is None and read:
                actual = sha256_of(path)
                self._write("verified.json", str(path), [*_version(path), actual])
        except OSError as error:
            return f"{file.name} cannot be read ({error.strerror or type(error).__name__})"
        if actual is None:
            return ""
        if expected is None:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            self._write("recorded.json", f"{asset}/{file.name}", {"sha256": actual, "size": size, "revision": revision, "when": now})
            return ""
        if actual == expected:
            return ""
        if file.sha256:
            return f"{file.name} has the sha256 {actual[:12]}..., expected {expected[:12]}..."
        seen = f"sha256 {actual[:12]}..., recorded {expected[:12]}... in the cache's recorded.json"
        return f"{file.name} changed since its first use ({seen})"

    def moved(self, old: Path, new: Path) -> None:
        """Carry a comparison over to a file's new place."""
        entry = self._read("verified.json").get(str(old))
        if isinstance(entry, list):
            self._write("verified.json", str(new), entry, drop=str(old))

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / name).read_text("utf-8"))
        except (OSError, ValueError):
            return {}  # absent or damaged: everything is compared again
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, key: str, value: object, *, drop: str | None = None) -> None:
        entries = self._read(name) | {key: value}
        entries.pop(drop or "", None)
        temporary = ""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=name, dir=self._folder)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(entries, stream, indent=1)
            os.replace(temporary, self._folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _version(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
