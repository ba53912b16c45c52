"""Where jobs keep files: styles in the user's cache folder, so that a killed process loses little; pictures in the temp folder.

Each process has a folder of its own and holds a lock on a file in it. The lock dies with the process, also on kill -9, so the next
start can tell leftovers from the jobs of a process that is still running.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .process_folder import LOCK, claim_folder, hold_lock, remove_half_made

__all__ = ["JobFolder", "JobStore", "Leftover", "default_jobs_folder"]

log = logging.getLogger(__name__)
_CARD, _STOP = "job.json", "stop"


def default_jobs_folder() -> Path:
    """`jobs` in the folder of the downloads."""
    from ..assets import cache_folder

    return cache_folder() / "jobs"


@dataclass(frozen=True)
class JobFolder:
    """The two folders of one job."""

    styles: Path
    pictures: Path

    def begin(self, prompt: str) -> None:
        """Note that the job runs: from now on a crash leaves something to recover."""
        temporary = self.styles / f".{_CARD}"
        temporary.write_text(json.dumps({"prompt": prompt}), encoding="utf-8")
        os.replace(temporary, self.styles / _CARD)

    def end(self) -> None:
        """Note that the job ended by itself: nothing to recover. The target pictures go at once."""
        (self.styles / _CARD).unlink(missing_ok=True)
        shutil.rmtree(self.pictures / "targets", ignore_errors=True)

    def adopt(self, files: tuple[str, ...]) -> tuple[str, ...]:
        """Move picture files into the job; returns where they are now."""
        target = self.pictures / "targets"
        target.mkdir(exist_ok=True)
        return tuple(str(shutil.move(file, target / f"{number}{Path(file).suffix}")) for number, file in enumerate(files))

    @property
    def stop_file(self) -> Path:
        """Its presence asks work in another process to stop."""
        return self.styles / _STOP

    def size(self) -> int:
        """Bytes of all files."""
        total = 0
        for folder in (self.styles, self.pictures):
            for file in folder.rglob("*"):
                with contextlib.suppress(OSError):  # deleted a moment ago
                    total += file.stat().st_size if file.is_file() else 0
        return total

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.styles, ignore_errors=True)
        shutil.rmtree(self.pictures, ignore_errors=True)


@dataclass(frozen=True)
class Leftover:
    """A job that was running when its process died."""

    prompt: str
    file: Path | None  # the newest style it saved
    folder: Path
    age: float  # seconds since it was last written


class JobStore:
    """The folders of one process. Nothing is created before the first job."""

    def __init__(self, root: Callable[[], Path]) -> None:
        self._root = root
        self._own: Path | None = None
        self._held: IO[bytes] | None = None
        self._pictures: tempfile.TemporaryDirectory[str] | None = None
        self._guard = threading.Lock()

    def create(self, key: str) -> JobFolder:
        """Folders for the job `key` (an id of our own making). Where the cache cannot be written, the temp folder serves (and says so)."""
        with self._guard:
            if self._own is None:
                self._own, self._held = self._claim()
                self._pictures = tempfile.TemporaryDirectory(prefix="nada-pictures-", ignore_cleanup_errors=True)
            assert self._pictures is not None
            folder = JobFolder(self._own / key, Path(self._pictures.name) / key)
        folder.styles.mkdir()
        folder.pictures.mkdir()
        return folder

    def _claim(self) -> tuple[Path, IO[bytes]]:
        root = self._root()
        try:
            root.mkdir(parents=True, exist_ok=True)
            return claim_folder(root)
        except OSError as error:
            log.warning("The jobs folder cannot be written (%s): running styles are kept in the temp folder only.", error.strerror)
            return claim_folder(Path(tempfile.mkdtemp(prefix="nada-jobs-")))

    def leftovers(self) -> Iterator[Leftover]:
        """What dead processes left; they stay locked while this iterates. Whoever has dealt with one removes its folder."""
        root = self._root()
        for folder in sorted(root.iterdir()) if root.is_dir() else ():
            if folder == self._own or not folder.is_dir():
                continue
            if folder.name.startswith("."):  # a process that died while it made its folder
                remove_half_made(folder)
                continue
            held = hold_lock(folder / LOCK)
            if held is None:
                continue
            try:
                for card in sorted(folder.glob(f"*/{_CARD}")):
                    yield _leftover(card)
                if not list(folder.glob(f"*/{_CARD}")):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                held.close()

    def close(self, *, keep: bool = False) -> None:
        """Let go of this process's folder; with `keep` its files stay for the next start to recover."""
        with self._guard:
            own, self._own = self._own, None
            if self._pictures is not None:
                self._pictures.cleanup()
                self._pictures = None
            if self._held is not None:
                self._held.close()
                self._held = None
        if own is not None and not keep:
            shutil.rmtree(own, ignore_errors=True)


def _leftover(card: Path) -> Leftover:
    prompt = "style"
    with contextlib.suppress(OSError, ValueError, AttributeError):
        prompt = str(json.loads(card.read_text(encoding="utf-8")).get("prompt") or prompt)[:200]
    files = sorted(card.parent.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
    return Leftover(prompt, files[-1] if files else None, card.parent, time.time() - card.parent.stat().st_mtime)
