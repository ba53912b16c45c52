"""Writing files so that they are complete or absent."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import tempfile
from pathlib import Path

from nada_core.errors import NadaError, OptionsError

__all__ = ["output_folder", "write_bytes"]


def output_folder(path: Path) -> Path:
    """Create the folder and make sure it can be written, before minutes of work.

    Raises:
        OptionsError: it cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OptionsError(f"The folder '{path.name}' cannot be written: {error.strerror}. Choose another --out.") from error
    return path


def write_bytes(path: str | os.PathLike[str], content: bytes | memoryview) -> None:
    """Write atomically: the file is complete or absent, an older one survives a failure. Missing folders are created.

    Raises:
        NadaError: the folder is read-only, full, or no folder.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name[:80]}.{secrets.token_hex(4)}.tmp")  # same folder: os.replace cannot cross disks
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        finally:  # also on Ctrl-C
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    except OSError as error:
        raise NadaError(f"Cannot write {target.name}: {_problem(error)}.") from error


def _problem(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Free some space, or choose another output folder"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "the output folder is read-only. Choose one you may write to"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return "the output folder is a file. Choose another folder"
    if error.errno == errno.EISDIR:
        return "there is a folder of that name. Choose another name"
    return f"{error.strerror or 'the disk reported an error'}. Choose another output folder"
