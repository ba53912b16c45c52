"""Name an engine's networks so that every machine understands it: a path means nothing elsewhere, so files go by their content.

A file that is asked for by its path here is called by a word there, ``sent-DIGEST/NAME``, and its content travels.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nada_core.errors import ClusterError, EncoderError, GeneratorError, shown
from nada_core.system.files import is_file, write_bytes

if TYPE_CHECKING:
    from nada_core.engine import Engine

__all__ = ["Networks", "is_sent", "loaded_engine", "named_networks", "plain", "repacked", "unpacked", "write_file"]

_WORD = re.compile(r"sent-([0-9a-f]{16})/")


@dataclass(frozen=True)
class Networks:
    """Hold what an engine is asked for, without paths.

    Attributes:
        base, encoder: as :class:`nada_core.engine.Engine` takes them, files called by their words; None: no wish.
        files: contents by these words.
    """

    base: str | None = None
    encoder: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def named_networks(base: str | Path | None, encoder: str | None) -> Networks:
    """Return networks as other machines know them, with the content of every file among them.

    Raises:
        GeneratorError, EncoderError: there is no such file on this machine, or it cannot be read.
    """
    from nada_core.assets.registry import REGISTRY
    from nada_core.generators.load import STARTER_NAMES, generator_file

    files: dict[str, bytes] = {}
    if base is not None and str(base) not in (*STARTER_NAMES, *REGISTRY):
        base = _word(generator_file(base), files, GeneratorError)
    if encoder is not None:
        encoder = ",".join(_member(part, files) for part in encoder.split(","))
    return Networks(None if base is None else str(base), encoder, files)


def unpacked(name: str | None, words: Iterable[str], folder: Path) -> str | None:
    """Return a base or an encoder with the paths of its files, which :func:`write_file` put into this folder; others as they are."""
    for word in words if name else ():
        name = name and name.replace(word, str(folder / word))
    return name


def repacked(name: str, words: Iterable[str], folder: Path) -> str:
    """Return what :func:`unpacked` was given."""
    for word in words:
        name = name.replace(str(folder / word), word)
    return name


def is_sent(name: str) -> bool:
    """Tell whether a base is a file of the machine that asks for it."""
    return _WORD.match(name) is not None


def plain(name: str) -> str:
    """Return a base or an encoder for people: of a file only its name."""
    return _WORD.sub("", name)


def write_file(word: str, content: Any, folder: Path) -> None:
    """Put a file of networks into a folder, for :func:`unpacked`.

    Raises:
        ClusterError: its content is not what its word says.
    """
    found, name = _WORD.match(word), word.partition("/")[2]
    if found is None or name != Path(name).name or _digest(content) != found[1]:
        raise ClusterError("A file of networks that was sent cannot be read: it is damaged, or of another version of the product.")
    write_bytes(folder / word, content, synced=False)


def loaded_engine(device: str, world: str | None, networks: Networks) -> Engine:
    """Return an engine with networks that were sent; where files are among them all are loaded, and the files gone again.

    Raises:
        NadaError: as :class:`nada_core.engine.Engine` and its networks.
    """
    from nada_core.engine import Engine

    with tempfile.TemporaryDirectory(prefix="nada-networks-") as folder:
        for word, content in networks.files.items():
            write_file(word, content, Path(folder))
        base, encoder = (unpacked(name, networks.files, Path(folder)) for name in (networks.base, networks.encoder))
        engine = Engine(device, base=base, encoder=encoder, world=world)
        if networks.files:
            _ = engine.encoder, engine.generator  # in this order: where CLIP cannot be fetched, that is said at once
    return engine


def _member(text: str, files: dict[str, bytes]) -> str:
    """Return one encoder, its file called by a word. Raises EncoderError: what should be a file is none here."""
    from nada_core.encoders.load import parse_member

    model, source, _ = parse_member(text)
    if source is None:
        return text
    for written in (source, source.partition("=")[2]):  # a file, or TAG=FILE
        if written and is_file(path := Path(os.path.expanduser(written))):
            return text.replace(written, _word(path, files, EncoderError))
    from nada_core.encoders.load_clip import check_clip

    check_clip(model, source)
    return text


def _word(path: Path, files: dict[str, bytes], error: type[GeneratorError] | type[EncoderError]) -> str:
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise error(f"'{shown(path.name)}' cannot be read: {problem.strerror}. Give a file that you may read.") from None
    word = f"sent-{_digest(content)}/{path.name}"
    files[word] = content
    return word


def _digest(content: Any) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
