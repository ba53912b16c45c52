"""Keep small pictures of styles, each made once; pages are shown them by addresses that nobody can guess."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import secrets
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it is there once a picture is
    from torch import Tensor

__all__ = ["Thumbnails", "jpeg_bytes"]

_MOST = 2000  # files, of about 15 kB; those of styles that were never saved stay behind when the styles go


class _Shelf:
    """Hold a folder, and the secret without which a file's name cannot be told from what it shows."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="nada-gallery-")
        self._secret = secrets.token_bytes(32)

    def path(self, stamp: str) -> Path:
        name = hashlib.blake2b(stamp.encode(), key=self._secret, digest_size=16).hexdigest()
        return Path(self.folder.name) / f"{name}.jpg"


def _touch(path: Path) -> None:
    """Note that a file was asked for now; the clock of file systems alone moves in steps of milliseconds."""
    now = time.time_ns()
    os.utime(path, ns=(now, now))


class Thumbnails:
    """Keep JPEG files in a folder that goes with the app, one for each stamp; those that were not asked for longest make room.

    A stamp names what a picture shows: the version of a style, for instance. A file's name stands for one picture and never another.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shelf: _Shelf | None = None
        self._former: _Shelf | None = None

    def clear(self) -> None:
        """Forget all pictures. Their files stay until the next `clear`, for pages that are just being told where they are."""
        with self._lock:
            former, self._former, self._shelf = self._former, self._shelf, None
        if former is not None:
            former.folder.cleanup()

    def _path(self, stamp: str) -> Path:
        with self._lock:
            self._shelf = self._shelf or _Shelf()
            return self._shelf.path(stamp)

    def file(self, stamp: str) -> Path | None:
        """Return the file of the picture kept for ``stamp``, if there is one."""
        path = self._path(stamp)
        try:
            _touch(path)
        except FileNotFoundError:
            return None
        return path

    def put(self, stamp: str, jpeg: bytes) -> Path:
        """Keep a picture and return its file."""
        from nada_core.system.files import write_bytes

        path = self._path(stamp)
        write_bytes(path, jpeg)
        _touch(path)
        with self._lock:
            files = sorted(path.parent.glob("*.jpg"), key=lambda file: file.stat().st_mtime_ns)
            for old in files[:-_MOST]:
                old.unlink()
        return path

    def named(self, name: str) -> bytes | None:
        """Return the picture whose file has this name, if there is one. Anything may be asked for."""
        if not re.fullmatch(r"[0-9a-f]{32}\.jpg", name, re.ASCII):
            return None
        with self._lock:
            folders = [Path(shelf.folder.name) for shelf in (self._shelf, self._former) if shelf is not None]
        for folder in folders:
            with contextlib.suppress(FileNotFoundError):
                return (folder / name).read_bytes()
        return None


def jpeg_bytes(image: Tensor) -> bytes:
    """Return one picture `[3, H, W]` in [-1, 1] as a JPEG file, made smaller where it is larger than a thumbnail."""
    from nada_core.images.image_io import to_pil
    from nada_core.styles.library import THUMBNAIL_SIDE

    picture, target = to_pil(image.detach().cpu()), io.BytesIO()
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    picture.save(target, "JPEG", quality=88)
    return target.getvalue()
