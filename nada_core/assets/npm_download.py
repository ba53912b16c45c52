"""Fetch one package's archive from the npm registry, whose address npm's own settings in the environment may change."""

from __future__ import annotations

import os
import shutil
import sys
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

from nada_core.assets.network import offline_reason
from nada_core.errors import AssetError

__all__ = ["archive_name", "download_archive", "npm_registry"]

_TIMEOUT = 60  # seconds without a byte


def npm_registry() -> str:
    """Return the registry's address: npm's ``NPM_CONFIG_REGISTRY``, in either case, or the public one."""
    named = [value for name, value in os.environ.items() if name.upper() == "NPM_CONFIG_REGISTRY" and value]
    return (named or ["https://registry.npmjs.org"])[0].rstrip("/")


def archive_name(package: str, version: str) -> str:
    """Return how npm names a package's archive, as ``npm pack`` leaves it in a folder."""
    return f"{package}-{version}.tgz"


def download_archive(package: str, version: str, scratch: Path, *, size: int, label: str, progress: bool = True) -> Path:
    """Download a package's archive into ``scratch`` and return its path.

    Args:
        size: its bytes, for people.
        progress: say on stderr what is fetched.

    Raises:
        AssetError: offline, or the registry refused; with a short reason.
    """
    registry, name = npm_registry(), archive_name(package, version)
    if reason := offline_reason(registry, "NPM_CONFIG_OFFLINE"):
        raise AssetError(reason)
    if not registry.startswith(("https://", "http://")):
        raise AssetError("NPM_CONFIG_REGISTRY is no address of a server")
    if progress:
        print(f"{label}: fetching {size / 1e6:.1f} MB", file=sys.stderr)
    try:
        with urllib.request.urlopen(f"{registry}/{package}/-/{name}", timeout=_TIMEOUT) as answer, open(scratch / name, "wb") as out:
            shutil.copyfileobj(answer, out, 1 << 20)
    except HTTPError as error:
        raise AssetError(f"the npm registry answered {error.code} to {name}") from None
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise AssetError(f"the npm registry could not be read ({getattr(error, 'reason', None) or type(error).__name__})") from None
    if progress:
        print(f"{label}: done", file=sys.stderr)
    return scratch / name
