"""Name what lies in the place of a file of weights: a web page, a pointer to the real file, or an archive to be unpacked."""

from __future__ import annotations

from pathlib import Path

from nada_core.system.archives import foreign_archive

__all__ = ["wrong_download"]

_START = 1000  # bytes that are looked at
_KINDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("version https://git-lfs.github.com/",),
        "only a pointer of Git LFS, not the file itself. Fetch that with `git lfs pull`, or download it from the page of the repository.",
    ),
    (
        ("<!doctype html", "<html", "<head", "<body"),
        "a web page: the download was answered by a message (login, warning, quota). Open the address in a browser, and save the file.",
    ),
    (("{", "["), "text (JSON), such as servers answer with where a file is missing. Check the address and download it again."),
)


def wrong_download(path: Path) -> str:
    """Return what a file is that nothing could read, and what to do: it is empty, an archive, a web page, JSON or a pointer of Git LFS.

    Its name does not matter. Empty where it is none of these, or cannot be looked at.
    """
    try:
        with open(path, "rb") as stream:
            start = stream.read(_START)
    except OSError:
        return ""
    if not start:
        return "empty (0 bytes). Download it again."
    if archive := foreign_archive(path):
        return archive
    try:
        text = start.decode("utf-8-sig", "strict" if len(start) < _START else "ignore").strip().lower()
    except UnicodeDecodeError:
        return ""
    if any(not (character.isprintable() or character.isspace()) for character in text):
        return ""
    if text.startswith("<?xml"):  # networks are described in XML, too; a page in it, or a storage's answer, says what it is
        text = next((part for part in ("<html", "<head") if part in text), "<html" if "<error>" in text else text)
    return next((words for beginnings, words in _KINDS if text.startswith(beginnings)), "")
