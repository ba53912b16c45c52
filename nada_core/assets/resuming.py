"""Download an asset's file from the Hub so that a later try goes on where an earlier one broke off or was stopped.

`hf_hub_download` resumes within one call only: huggingface_hub 2.4 deletes what it has when it gives up. Its `http_get`, which the call is
made of, goes on from any place in a file; here that file stays in this project's cache folder until it is whole. There it is found too.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from nada_core.assets.checksums import sha256_of
from nada_core.assets.network import offline_reason
from nada_core.assets.registry import REGISTRY, Asset
from nada_core.assets.sources import HubFile, hub_endpoint
from nada_core.assets.store import fetch, state
from nada_core.errors import AssetError
from nada_core.system.cache import cache_folder

__all__ = ["Received", "download_steps"]

_TICK = 0.5  # seconds between two looks at how far it is


@dataclass(frozen=True)
class Received:
    """Say how many bytes are here of how many; None: the Hub has not said yet."""

    done: int = 0
    total: int | None = None


def download_steps(name: str, *, tick: float = _TICK) -> Generator[Received, None, Path]:
    """Yield how far the download of a Hub asset is; return the file's path. Closing the iterator stops it, and what is here stays.

    Nothing is yielded where the file is on this machine already.

    Raises:
        AssetError: the Hub cannot be reached (said within 2 s), or the download broke off and could not go on.
    """
    asset = REGISTRY[name]
    if state(name).absent:
        job = _Download(asset)
        thread = threading.Thread(target=job.work, name=f"download-{name}", daemon=True)
        job.check_reachable()
        thread.start()
        try:
            while thread.is_alive():
                yield job.received()
                thread.join(tick)
        finally:
            job.stop.set()
        if job.error is not None:
            raise job.error
    return fetch(name, progress=False)  # checked, and its checksum recorded


class _Stopped(Exception):
    """Say that nobody waits for the file any more."""


class _Part(io.FileIO):
    """Append to a file as long as nobody asks to stop."""

    def __init__(self, path: Path, stop: threading.Event) -> None:
        super().__init__(path, "ab")
        self.stop = stop

    def write(self, data: Any, /) -> int:
        if self.stop.is_set():
            raise _Stopped
        return super().write(data)


class _Download:
    """Hold one try: its thread works, others look at how far it is."""

    def __init__(self, asset: Asset) -> None:
        self.asset = asset
        source = asset.sources[-1]
        assert isinstance(source, HubFile)
        self.source = source
        self.stop = threading.Event()
        self.error: AssetError | None = None
        self._part: Path | None = None
        self._total: int | None = None

    def received(self) -> Received:
        """Return how far it is."""
        return Received(_size(self._part) if self._part is not None else 0, self._total)

    def check_reachable(self) -> None:
        """Raise AssetError where there is no way to the Hub."""
        if reason := offline_reason(hub_endpoint(), "HF_HUB_OFFLINE"):
            raise self._failed(reason)

    def work(self) -> None:
        """Download; what went wrong is in `error`."""
        try:
            cache_folder().mkdir(parents=True, exist_ok=True)
            with FileLock(cache_folder() / f"{self.asset.name}.lock"):  # of the store too: one download of a file at a time
                if state(self.asset.name).absent and not self.stop.is_set():
                    self._bring()
        except _Stopped:
            pass
        except AssetError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - the client raises a dozen unrelated classes: its own, httpx's, OSError
            said = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            self.error = self._failed(said)

    def _bring(self) -> None:
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        source, folder = self.source, cache_folder()
        address = hf_hub_url(source.repo, source.filename, revision=source.revision, endpoint=hub_endpoint())
        found = get_hf_file_metadata(address)
        self._total, version = found.size, found.etag or "unknown"
        self._part = folder / f"{self.asset.name}-{re.sub('[^0-9a-zA-Z]', '', version)[:16]}.part"
        for other in folder.glob(f"{self.asset.name}-*.part"):
            if other != self._part:  # of another version: nothing of it can be used
                other.unlink()
        if found.size is not None:
            self._check_room(folder, found.size)
        self._receive(address, self._part)
        if len(version) == 64 and sha256_of(self._part) != version:  # the Hub calls large files by their checksum
            self._part.unlink()
            raise self._failed("what arrived is damaged")
        target = folder / self.asset.name / self.asset.files[0].name
        target.parent.mkdir(exist_ok=True)
        os.replace(self._part, target)

    def _receive(self, address: str, part: Path) -> None:
        """Bring what is missing, in as many tries as bring something."""
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        total = self._total
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}  # else there is no saying where to go on
        while True:
            before = _size(part)
            if total is not None and before > total:
                part.unlink()
                before = 0
            try:
                with _Part(part, self.stop) as stream:
                    http_get(
                        address,
                        stream,
                        resume_size=before,
                        headers=headers,
                        expected_size=total,
                        displayed_filename=self.asset.title,
                    )
                return
            except _Stopped:
                raise
            except Exception:
                if _size(part) <= before:
                    raise

    def _check_room(self, folder: Path, total: int) -> None:
        needed, free = total - _size(self._part), shutil.disk_usage(folder).free
        if needed > free:
            raise self._failed(f"the cache folder's disk has {free / 1e6:.0f} MB free, and {needed / 1e6:.0f} MB are needed")

    def _failed(self, why: str) -> AssetError:
        done = self.received().done
        if not done:
            return AssetError(f"{self.asset.title} could not be fetched: {why.rstrip('. ')}. Try again when there is a connection.")
        return AssetError(
            f"{self.asset.title} broke off after {done / 1e6:.0f} MB: {why.rstrip('. ')}. They are kept: try again, and it goes on there."
        )


def _size(path: Path | None) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size if path is not None else 0
    return 0
