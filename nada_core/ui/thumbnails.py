"""One small picture a style, made once and kept; where one ships with the style it is taken."""

from __future__ import annotations

import hashlib
import io
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import AppContext

__all__ = ["Thumbnails", "draw_thumbnail", "jpeg_bytes", "kept_thumbnail"]

_MOST = 500  # files; those of styles that were never saved stay behind when the styles go


def jpeg_bytes(image: Any) -> bytes:
    """One picture `[3, H, W]` in [-1, 1] as a JPEG file, made smaller where it is larger than a thumbnail."""
    from ..images import to_pil
    from ..styles import THUMBNAIL_SIDE

    picture, target = to_pil(image.detach().cpu()), io.BytesIO()
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    picture.save(target, "JPEG", quality=88)
    return target.getvalue()


class Thumbnails:
    """JPEG files in a folder that goes away with the app, one for each version of each style; the oldest make room."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._former: tempfile.TemporaryDirectory[str] | None = None

    def clear(self) -> None:
        """Forget all pictures. Their files stay until the next time, for pages that are just being told where they are."""
        with self._lock:
            former, self._former, self._folder = self._former, self._folder, None
        if former is not None:
            former.cleanup()

    def _path(self, stamp: str) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="nada-gallery-")
            return Path(self._folder.name) / f"{hashlib.sha256(stamp.encode()).hexdigest()[:32]}.jpg"

    def file(self, stamp: str) -> Path | None:
        """Where the kept picture is, if there is one."""
        path = self._path(stamp)
        return path if path.is_file() else None

    def get(self, stamp: str) -> bytes | None:
        """The kept picture, if there is one."""
        try:
            return self._path(stamp).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, stamp: str, jpeg: bytes) -> Path:
        """Keep a picture; returns its file."""
        from ..files import write_bytes

        path = self._path(stamp)
        write_bytes(path, jpeg)
        with self._lock:
            files = sorted(path.parent.glob("*.jpg"), key=lambda file: file.stat().st_mtime_ns)
            for old in files[:-_MOST]:
                old.unlink()
        return path


def kept_thumbnail(thumbnails: Thumbnails, engine: Any, entry: Any) -> bytes | None:
    """The picture of a library entry that needs no rendering: made before, or shipped with a style that fits the engine's generator."""
    jpeg = thumbnails.get(entry.stamp)
    if jpeg is None and entry.thumbnail is not None and entry.card.base_hash == engine.base_hash:
        try:
            jpeg = entry.thumbnail.read_bytes()
        except OSError:  # deleted a moment ago
            return None
        thumbnails.put(entry.stamp, jpeg)
    return jpeg


def draw_thumbnail(context: AppContext, thumbnails: Thumbnails, stamp: str, style: Any, patience: float) -> bytes | None:
    """Make one picture and keep it under `stamp`, or return None where other work goes on for longer than `patience` seconds.

    Args:
        style: what the engine samples: a name of its library, or a style.

    Raises:
        NadaError: the style cannot be rendered.
    """
    from ..styles import THUMBNAIL_PSI, THUMBNAIL_SEED

    with context.line.join() as turn:
        if not turn.wait(patience):
            return None
        engine, _ = context.open()  # not before the turn: it may be another one by then
        jpeg = thumbnails.get(stamp)  # another visitor may have asked for the same one
        if jpeg is None:
            jpeg = context.worker.run(lambda: jpeg_bytes(engine.sample([THUMBNAIL_SEED], style=style, truncation_psi=THUMBNAIL_PSI)[0]))
            thumbnails.put(stamp, jpeg)
        return jpeg
