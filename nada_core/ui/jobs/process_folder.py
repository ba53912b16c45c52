"""Make folders for one running process. The lock in each dies with it, also on kill -9, so that leftovers can be told apart."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["LOCK", "TempFolder", "claim_folder", "hold_lock", "remove_half_made"]

log = logging.getLogger(__name__)
_DAY = 24 * 3600
LOCK = "lock"
_PREFIX, _MARK = "nada-demo-tmp-", ".of-a-running-nada-demo"  # both, or a folder of somebody's own might be taken for a leftover


def claim_folder(root: Path, prefix: str = "", lock: str = LOCK) -> tuple[Path, FileLock]:
    """Make a folder in `root`, and the `lock` in it that its process holds as long as it lives. Raises OSError."""
    hidden = Path(tempfile.mkdtemp(prefix=f".{prefix}new-", dir=root))
    held = hold_lock(hidden / lock)
    assert held is not None
    name = hidden.name.removeprefix(f".{prefix}new-")
    return hidden.rename(root / f"{prefix}{os.getpid()}-{name}"), held  # locked before it can be seen


def hold_lock(path: Path) -> FileLock | None:
    """Lock a file until it is released or the process dies; None when a living process holds it. Raises OSError."""
    lock = FileLock(path, blocking=False, thread_local=False)  # another thread may be the one that releases it
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def remove_half_made(folder: Path) -> None:
    """Delete a hidden folder of `claim_folder` whose process died before it was ready, when it is a day old."""
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime > _DAY:
            shutil.rmtree(folder, ignore_errors=True)


class TempFolder:
    """Hold all temporary files of this process in one folder, Gradio's uploads included.

    It goes when the process ends; where the process could not do that itself, the next start does. So no photo stays because a server
    was stopped, killed or ran out of memory.
    """

    def __init__(self) -> None:
        root = Path(tempfile.gettempdir())
        self._sweep(root)
        self.path, self._held = claim_folder(root, _PREFIX, _MARK)
        self._before = tempfile.tempdir, {name: os.environ.get(name) for name in ("TMPDIR", "GRADIO_TEMP_DIR")}
        tempfile.tempdir = os.environ["TMPDIR"] = str(self.path)
        os.environ["GRADIO_TEMP_DIR"] = str(self.path / "gradio")

    @staticmethod
    def _sweep(root: Path) -> None:
        for folder in root.glob(f".{_PREFIX}new-*"):
            remove_half_made(folder)
        for folder in root.glob(f"{_PREFIX}*"):
            try:
                held = hold_lock(folder / _MARK) if _is_ours(folder) else None
            except OSError:  # another person's
                continue
            if held is not None:
                held.release()
                shutil.rmtree(folder, ignore_errors=True)

    def remove(self) -> None:
        """Delete the folder and everything in it; temporary files go where they went before."""
        tempfile.tempdir, variables = self._before
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(self.path, ignore_errors=True)
        self._held.release()


def _is_ours(folder: Path) -> bool:
    """Tell whether a `TempFolder` of this person made it: nothing else may be deleted. Raises OSError."""
    if folder.is_symlink() or not folder.is_dir() or not (folder / _MARK).exists():
        return False
    mark = (folder / _MARK).lstat()
    return stat.S_ISREG(mark.st_mode) and (not hasattr(os, "getuid") or mark.st_uid == os.getuid())
