"""Name files safely, and write them so that they are complete or absent."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from nada_core.errors import NadaError, OptionsError, shown

__all__ = [
    "check_file",
    "check_writable_name",
    "is_file",
    "is_there",
    "output_folder",
    "plain_name",
    "slug",
    "sweep_unfinished",
    "write_bytes",
    "write_folder",
]

_ABANDONED = 3600.0  # seconds after which a file that was never finished is nobody's

#: Most characters and bytes of a :func:`slug`: a file name may have 255 bytes, and other names are made of it.
_MOST_CHARACTERS, _MOST_BYTES = 60, 120
#: Punctuation that tells names apart as letters do; all other punctuation only separates words. Symbols (C++, 3 €, a smile) do as well.
_TELLING = frozenset("#@&%*")


def slug(text: str) -> str:
    """Return a piece of a file name: lower-case letters and digits of any script and dashes, at most 60 characters.

    What letters cannot tell (symbols, a name without any letter, the end of a long one) is told by eight digits of a checksum, so that two
    names give one slug only where they differ in case, spaces and punctuation alone. The slug of a slug is itself; of nothing, "style".
    """
    folded = _folded(text)
    if not folded:
        return "style"
    plain = plain_name(folded)
    telling = any(_tells(character) for character in folded)
    if plain and not telling and _cut(plain, 0) == plain:
        return plain
    digits = hashlib.sha256(folded.encode()).hexdigest()[:8]
    return f"{_cut(plain, len(digits) + 1).rstrip('-') or 'style'}-{digits}"


def _tells(character: str) -> bool:
    return character in _TELLING or (unicodedata.category(character)[0] == "S" and character not in "<>")  # these two are brackets


def _cut(plain: str, room: int) -> str:
    """Return as much of the beginning as a slug may have with ``room`` left behind it."""
    kept = plain[: _MOST_CHARACTERS - room]
    return kept.encode()[: _MOST_BYTES - room].decode(errors="ignore")


def plain_name(text: str) -> str:
    """Spell a text with lower-case letters and digits of any script and dashes alone, however long; empty where it has none of them."""
    words = [""]
    for character in _folded(text):
        kind = unicodedata.category(character)
        if kind[0] in "LN" or (kind[0] == "M" and words[-1]):  # accents and vowel signs belong to the letter before
            words[-1] += character
        elif kind != "Cf" and words[-1]:  # joiners stand inside of words
            words.append("")
    return "-".join(word for word in words if word)


def _folded(text: str) -> str:
    """Return a text as names are compared: one spelling of accents, lower case, single spaces, nothing that cannot be written."""
    whole = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode()).lower())
    return " ".join("".join(character if character.isprintable() or character in "\u200c\u200d" else " " for character in whole).split())


def is_there(path: Path) -> bool:
    """Tell whether anything is at a path; where the name can be nobody's (too long, or with a null in it), nothing is."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Tell whether a path is a file's; where the name can be nobody's, it is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def check_file(path: Path, missing: str, kind: type[NadaError]) -> int:
    """Return the bytes of a file that is to be read.

    Args:
        missing: the sentence where nothing is there.
        kind: the class of the error.

    Raises:
        NadaError: of that kind: nothing is there, or a folder, or something else that is no file, or it may not be looked at.
    """
    name = shown(path.name or str(path), 60)
    try:
        facts = path.stat()
    except PermissionError as error:
        raise kind(f"'{name}' cannot be read: {error.strerror}.") from error
    except (OSError, ValueError) as error:  # not there, a name longer than the file system takes, or with a null in it
        raise kind(missing) from error
    if stat.S_ISDIR(facts.st_mode):
        raise kind(f"'{name}' is a folder. Give a file in it.")
    if not stat.S_ISREG(facts.st_mode):
        raise kind(f"'{name}' is no file but a device or a pipe. Give a file.")
    return facts.st_size


def check_writable_name(path: Path, kind: type[NadaError]) -> None:
    """Refuse a name that no file can have, before any work.

    Raises:
        NadaError: of that kind: a part of the path is too long, or has a null in it.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # whoever writes says what is wrong with the folder
        return
    except OSError as error:
        raise kind(f"'{shown(path.name, 60)}' cannot be written: {error.strerror}. Choose another --out.") from error
    except ValueError as error:
        raise kind(f"'{shown(path.name, 60)}' cannot be written: the name has a null in it. Choose another --out.") from error


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
        raise OptionsError(f"The folder '{shown(path.name, 60)}' cannot be written: {error.strerror}. Choose another --out.") from error
    return path


def write_bytes(path: str | os.PathLike[str], *parts: bytes | memoryview, synced: bool = True) -> None:
    """Write a file atomically: it is complete or absent, an older one survives a failure. Missing folders are created.

    Args:
        parts: of its content, one after the other.
        synced: wait until the disk has it, so that it outlives a loss of power too.

    Raises:
        NadaError: the folder is read-only, full, or no folder.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name[:80]}.{secrets.token_hex(4)}.tmp")  # same folder: os.replace cannot cross disks
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "xb") as stream:
                stream.writelines(parts)
                stream.flush()
                if synced:
                    os.fsync(stream.fileno())
            os.replace(temporary, target)
        finally:  # also on Ctrl-C
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    except OSError as error:
        raise NadaError(f"Cannot write {shown(target.name, 60)}: {_problem(error)}.") from error


def sweep_unfinished(folder: Path) -> None:
    """Delete what processes left in a folder that were killed while :func:`write_bytes` wrote: nobody touches such files for an hour."""
    before = time.time() - _ABANDONED
    with contextlib.suppress(OSError):  # no folder yet, or one that may only be read
        for path in folder.glob(".*.tmp"):
            with contextlib.suppress(OSError):  # gone a moment ago
                facts = path.lstat()
                if re.fullmatch(r"\..+\.[0-9a-f]{8}\.tmp", path.name) and stat.S_ISREG(facts.st_mode) and facts.st_mtime < before:
                    path.unlink()


def write_folder(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write a new folder with the files (path inside it, content): it is complete or absent.

    Raises:
        NadaError: there is a folder with something in it, or it cannot be written.
    """
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(4)}.tmp")  # beside it: a folder cannot be renamed across disks
    try:
        temporary.mkdir(parents=True)
        for name, content in files:
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        os.rename(temporary, path)
    except OSError as error:
        raise NadaError(f"Cannot write {shown(path.name, 60)}: {_problem(error)}.") from error
    finally:  # also on Ctrl-C
        shutil.rmtree(temporary, ignore_errors=True)


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
