"""Name archives that are no file of weights: what a person downloaded and has not unpacked, or a program that torch saved."""

from __future__ import annotations

import zipfile
from pathlib import Path

from nada_core.errors import few

__all__ = ["foreign_archive"]

#: How archives of other kinds begin, and what each is called.
_BEGINNINGS = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_TORCHSCRIPT = (
    "a program saved by torch.jit (TorchScript), which could run code and is not opened. If you trust it, save its weights: "
    "`torch.save(torch.jit.load(file, 'cpu').state_dict(), 'weights.pt')`."
)


def foreign_archive(path: Path) -> str:
    """Return what an archive is that is no file of weights, and what to do; empty for a file of ``torch.save``, and for all else.

    Only its beginning and its list of contents are read.
    """
    try:
        with open(path, "rb") as stream:
            start = stream.read(8)
        if kind := next((kind for beginning, kind in _BEGINNINGS.items() if start.startswith(beginning)), ""):
            return f"a {kind} archive. Unpack it, and give the file of weights that was in it."
        if not start.startswith(b"PK") or not zipfile.is_zipfile(path):
            return ""
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # noqa: BLE001 (a damaged archive raises a dozen classes; whoever reads it then says what is wrong)
        return ""
    inner = {name.partition("/")[2] for name in names}  # torch keeps all in one folder
    if "data.pkl" in inner:
        return _TORCHSCRIPT if "constants.pkl" in inner or any(name.startswith("code/") for name in inner) else ""
    if not names:
        return "an empty zip archive. Download it again."
    if all(name.endswith(".npy") for name in names):
        return f"an archive of NumPy's (.npz) with {few(names)} in it, and no network. Choose another file."
    return f"a zip archive with {few(names)} in it. Unpack it, and give the file of weights that was in it."
