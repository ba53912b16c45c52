"""Write a style's student as something to take away: an ONNX or TorchScript file, or a folder with a page that any web server shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nada_core.errors import OptionsError, shown
from nada_core.students.export_onnx import style_onnx, style_torchscript
from nada_core.students.export_texts import licence_text, readme_text
from nada_core.students.export_web import web_files
from nada_core.students.files import StyleStudent
from nada_core.system.files import check_writable_name, write_bytes, write_folder

__all__ = ["FORMATS", "check_target", "export_student", "folder_size"]

_FILES: Mapping[str, tuple[str, Callable[[StyleStudent, Mapping[str, str]], bytes]]] = {
    "onnx": (".onnx", style_onnx),
    "torchscript": (".pt", style_torchscript),
}
FORMATS = (*_FILES, "web")


def check_target(path: Path, kind: str) -> None:
    """Refuse a target that an export cannot be written to, before any work.

    Raises:
        OptionsError: no such format, the name's ending is another, or a folder would be overwritten.
    """
    name = shown(path.name, 60)
    if kind not in FORMATS:
        raise OptionsError(f"There is no format '{shown(kind)}'. Choose one of {', '.join(FORMATS)}.")
    check_writable_name(path, OptionsError)
    if kind == "web" and path.exists():
        raise OptionsError(f"'{name}' is there already. Name a folder that does not exist yet: it is made.")
    if kind != "web" and path.suffix != _FILES[kind][0]:
        raise OptionsError(f"'{name}' does not end in {_FILES[kind][0]}, as the files of this format do. Give it that ending.")
    if kind != "web" and path.is_dir():
        raise OptionsError(f"'{name}' is a folder. Name a file.")


def export_student(student: StyleStudent, path: Path, kind: str) -> Path:
    """Write a student in a format of :data:`FORMATS`; what is written is complete or absent.

    Raises:
        OptionsError: see :func:`check_target`. AssetError: the page's runtime could not be fetched. NadaError: it cannot be written.
    """
    check_target(path, kind)
    texts = {"README.md": readme_text(student.card, kind), "LICENCE.txt": licence_text(kind)}
    if kind == "web":
        write_folder(path, web_files(student, texts))
    else:
        write_bytes(path, _FILES[kind][1](student, texts))
    return path


def folder_size(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir() else path.stat().st_size
