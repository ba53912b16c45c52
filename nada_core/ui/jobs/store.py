"""Keep the files of jobs: styles in the user's cache folder, so that a killed process loses little; pictures in the temp folder.

Each process has a folder of its own and holds a lock on a file in it. The lock dies with the process, also on kill -9, so the next
start can tell leftovers from the jobs of a process that is still running.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from nada_core.ui.jobs.job_card import CARD, JobCard, read_card, write_card
from nada_core.ui.jobs.process_folder import LOCK, claim_folder, hold_lock, remove_half_made

if TYPE_CHECKING:  # it is there once a picture is
    from torch import Tensor

__all__ = ["TRAINING", "JobFolder", "JobStore", "Leftover", "default_jobs_folder", "write_faces"]

log = logging.getLogger(__name__)
_STOP, TRAINING = "stop", "training.state"  # the latter is no style, whatever is in it


def default_jobs_folder() -> Path:
    """Return the folder `jobs` in the folder of the downloads."""
    from nada_core.system.cache import cache_folder

    return cache_folder() / "jobs"


@dataclass(frozen=True)
class JobFolder:
    """Hold the two folders of one job."""

    styles: Path
    pictures: Path

    def note(self, card: JobCard) -> None:
        """Write down how far the job is: the next start reads it, should this process be killed. A full disk is only logged."""
        try:
            write_card(self.styles, card)
        except OSError as error:
            log.warning("how far a job is could not be written down: %s", error.strerror)

    def end(self, card: JobCard) -> None:
        """Note that the job ended and that its style is kept. The target pictures go at once."""
        shutil.rmtree(self.pictures / "targets", ignore_errors=True)
        self.note(card)

    def forget(self) -> None:
        """Note that there is nothing to recover: a person has saved the style."""
        (self.styles / CARD).unlink(missing_ok=True)

    def adopt(self, files: tuple[str, ...]) -> tuple[str, ...]:
        """Move picture files into the job; return where they are now."""
        target = self.pictures / "targets"
        target.mkdir(exist_ok=True)
        return tuple(str(shutil.move(file, target / f"{number}{Path(file).suffix}")) for number, file in enumerate(files))

    @property
    def training(self) -> Path:
        """Return the file of a stopped run's training, from which another job may go on."""
        return self.styles / TRAINING

    def go_on_from(self, earlier: JobFolder) -> None:
        """Take over a stopped run's training: it may be forgotten while this one waits. Raises OSError."""
        try:
            os.link(earlier.training, self.training)
        except OSError:  # a file system without links
            shutil.copyfile(earlier.training, self.training)

    @property
    def stop_file(self) -> Path:
        """Return the file whose presence asks work in another process to stop."""
        return self.styles / _STOP

    def size(self) -> int:
        """Return the bytes of all files."""
        total = 0
        for top in (self.styles, self.pictures):
            for folder, _, names in os.walk(top):  # passes over a folder that was deleted a moment ago
                for name in names:
                    with contextlib.suppress(OSError):
                        total += os.stat(os.path.join(folder, name)).st_size
        return total

    def remove(self) -> None:
        """Delete both folders with everything in them."""
        shutil.rmtree(self.styles, ignore_errors=True)
        shutil.rmtree(self.pictures, ignore_errors=True)


@dataclass(frozen=True)
class Leftover:
    """Describe a job whose process is gone, and whose style nobody has saved."""

    card: JobCard
    file: Path | None  # the newest style it saved
    folder: Path
    age: float  # seconds since it was last written

    @property
    def key(self) -> str:
        """Return the job's id."""
        return self.folder.name


class JobStore:
    """Hold the job folders of one process. Nothing is created before the first job."""

    def __init__(self, root: Callable[[], Path]) -> None:
        self._root = root
        self._own: Path | None = None
        self._held: FileLock | None = None
        self._pictures: tempfile.TemporaryDirectory[str] | None = None
        self._guard = threading.Lock()

    def create(self, key: str) -> JobFolder:
        """Make folders for the job `key` (an id of our own making); in the temp folder, with a warning, if the cache cannot be written."""
        with self._guard:
            if self._own is None:
                self._own, self._held = self._claim()
                self._pictures = tempfile.TemporaryDirectory(prefix="nada-pictures-", ignore_cleanup_errors=True)
            assert self._pictures is not None
            folder = JobFolder(self._own / key, Path(self._pictures.name) / key)
        folder.styles.mkdir()
        folder.pictures.mkdir()
        return folder

    def _claim(self) -> tuple[Path, FileLock]:
        root = self._root()
        try:
            root.mkdir(parents=True, exist_ok=True)
            return claim_folder(root)
        except OSError as error:
            log.warning("The jobs folder cannot be written (%s): running styles are kept in the temp folder only.", error.strerror)
            return claim_folder(Path(tempfile.mkdtemp(prefix="nada-jobs-")))

    def leftovers(self) -> Iterator[Leftover]:
        """Yield what dead processes left, the oldest of each first, locked meanwhile. Whoever has dealt with one removes its folder."""
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
                for card in sorted(folder.glob(f"*/{CARD}"), key=lambda card: card.stat().st_mtime):
                    yield _leftover(card)
                if not list(folder.glob(f"*/{CARD}")):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                held.release()

    def close(self) -> None:
        """Let go of this process's folder; jobs that have a card stay for the next start to recover."""
        with self._guard:
            own, self._own = self._own, None
            if self._pictures is not None:
                self._pictures.cleanup()
                self._pictures = None
            if self._held is not None:
                self._held.release()
                self._held = None
        if own is None:
            return
        for folder in own.glob("*/"):
            if not (folder / CARD).exists():
                shutil.rmtree(folder, ignore_errors=True)
        if not list(own.glob("*/")):
            shutil.rmtree(own, ignore_errors=True)


def _leftover(card: Path) -> Leftover:
    files = sorted(card.parent.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
    return Leftover(read_card(card), files[-1] if files else None, card.parent, time.time() - card.parent.stat().st_mtime)


def write_faces(images: Tensor, folder: Path, stem: str) -> tuple[str, ...]:
    """Write images [N,3,H,W] in [-1,1] as `<stem>-<i>.jpg` into `folder`; return the paths in order.

    Encoded once, here, so that the page only swaps addresses and nothing flickers.
    """
    from nada_core.images.image_io import to_pil  # late: it brings torch, and the page must be up before that

    paths = []
    for index, image in enumerate(images):
        path = folder / f"{stem}-{index}.jpg"
        to_pil(image.detach().cpu()).save(path, quality=90)
        paths.append(str(path))
    return tuple(paths)
