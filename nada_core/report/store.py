"""Store the report's results: ``DIR/runs/NAME/`` is complete or absent; what an older report left is renamed, never deleted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from nada_core.errors import NadaError
from nada_core.report.results import LatentResult, RunResult
from nada_core.system.files import output_folder, write_bytes

__all__ = ["SCHEMA", "PageFile", "RunStore"]

#: Goes up when the meaning of a stored number changes: older results are then not reused.
SCHEMA = 1
_RESULT = "result.json"
R = TypeVar("R", RunResult, LatentResult)
_STALE_SECONDS = 6 * 3600  # scratch folders of killed processes


class RunStore:
    """Store and load the runs of one output folder.

    Raises:
        OptionsError: the folder cannot be written.
    """

    def __init__(self, out: Path) -> None:
        self.folder = output_folder(output_folder(out) / "runs")
        self._sweep()

    def path(self, name: str) -> Path:
        """Return a run's folder."""
        return self.folder / name

    def load(self, name: str, settings: Mapping[str, Any], kind: type[R]) -> R | None:
        """Return the stored result of this kind, None where there is none or it was made with other settings."""
        try:
            raw = json.loads((self.path(name) / _RESULT).read_text("utf-8"))
            if raw["schema"] != SCHEMA or raw["settings"] != json.loads(json.dumps(settings)):
                return None
            return kind.from_json(raw["result"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # absent, or written by something else: it is set aside, not overwritten

    def save(self, name: str, settings: Mapping[str, Any], result: RunResult | LatentResult, write: Callable[[Path], None]) -> Path:
        """Store a result and what ``write`` puts into the folder beside it, all or nothing.

        Raises:
            NadaError: the disk is full, or the folder cannot be written. Earlier results stay.
        """
        scratch: Path | None = None
        target = self.path(name)
        try:
            scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.folder))
            scratch.chmod(0o755)
            write(scratch)
            content = {"schema": SCHEMA, "settings": settings, "result": result.to_json()}
            write_bytes(scratch / _RESULT, json.dumps(content, indent=1, allow_nan=False).encode())
            set_aside(target)
            os.replace(scratch, target)
        except OSError as error:
            raise NadaError(
                f"The run '{name}' could not be stored: {error.strerror or 'the disk reported an error'}. Free some space, then give the "
                "same command again: finished runs are kept."
            ) from error
        finally:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)
        return target

    def _sweep(self) -> None:
        """Remove what killed processes left half-written."""
        for left in self.folder.glob(".*-*"):
            with contextlib.suppress(OSError):
                if left.is_dir() and time.time() - left.stat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)


class PageFile:
    """Write ``DIR/report.html`` without losing an older one."""

    def __init__(self, out: Path) -> None:
        self.path = out / "report.html"

    def write(self, content: bytes) -> Path | None:
        """Write the page; an older page that differs keeps a name of its own, which is returned.

        Raises:
            NadaError: the disk is full, or the folder cannot be written.
        """
        try:
            same = self.path.is_file() and self.path.read_bytes() == content
            older = None if same else set_aside(self.path)
        except OSError as error:
            raise NadaError(f"The older {self.path.name} could not be kept: {error.strerror}. Choose another --out.") from error
        try:
            write_bytes(self.path, content)
        except NadaError:
            if older is not None:
                with contextlib.suppress(OSError):
                    os.replace(older, self.path)
            raise
        return older


def set_aside(path: Path) -> Path | None:
    """Rename what is at ``path`` to the first free ``NAME.older-N``; returns its new place, None where there was nothing."""
    if not os.path.lexists(path):
        return None
    number = 1
    while os.path.lexists(free := path.with_name(f"{path.stem}.older-{number}{path.suffix}")):
        number += 1
    os.replace(path, free)
    return free
