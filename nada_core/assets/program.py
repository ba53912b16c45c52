"""Compute digests of this program, by which machines that would compute something else and results that must be made again are known."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nada_core.assets.shipped import CHECKPOINTS

__all__ = ["program_digest", "sources_digest"]


def sources_digest(package: Path) -> str:
    """Return a SHA-256 over the sources and word lists below a folder; a checkout with other line ends has the same."""
    digest = hashlib.sha256()
    for path in sorted(path for ending in ("*.py", "*.txt") for path in package.rglob(ending)):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).digest())
    return digest.hexdigest()


def program_digest() -> str:
    """Return a SHA-256 over this package's sources and word lists, and over the weights and styles that ship with it."""
    digest = hashlib.sha256(sources_digest(CHECKPOINTS.parent / "nada_core").encode())
    for path in sorted(CHECKPOINTS.rglob("*.safetensors")):
        digest.update(path.relative_to(CHECKPOINTS).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
