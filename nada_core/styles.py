"""The style library: the ready styles that ship with the project and the ones a person saved."""

from __future__ import annotations

import difflib
import itertools
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nada_core.checkpoints import COMPACT_STORAGES, Style, StyleCard, load_card, load_style, resolved_weights, save_style, slug
from nada_core.errors import StyleError
from nada_core.generators.base import Generator
from nada_core.generators.load import CHECKPOINTS
from nada_core.hub_styles import fetch_style_file, is_reference
from nada_core.prompts import SOURCE_PROMPTS
from nada_core.published_styles import PUBLISHED_SUFFIXES, is_published, read_published

__all__ = [
    "MAX_COMPACT_BYTES",
    "THUMBNAIL_PSI",
    "THUMBNAIL_SEED",
    "THUMBNAIL_SIDE",
    "StyleEntry",
    "StyleLibrary",
    "user_styles_folder",
]

READY = CHECKPOINTS / "styles"
#: The same face on every thumbnail, so that only the styles differ; pixels of a side.
THUMBNAIL_SEED, THUMBNAIL_PSI, THUMBNAIL_SIDE = 3, 0.7, 256
MAX_COMPACT_BYTES = 8 << 20  # a compact style has 1 MB, older ones 3; what comes through the web may have this much
#: How a person takes in what the web interface does not.
_IMPORT = "`python -m nada_core styles --import FILE`"
_MAX_CARD, _MAX_PROMPT = 32 << 10, 300  # characters of an imported card; a card that an adaptation writes has about 1000


def user_styles_folder() -> Path:
    """Where saved styles live: ``$NADA_STYLES``, else the user's data folder."""
    if folder := os.environ.get("NADA_STYLES"):
        return Path(folder)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "nada-demo" / "styles"


@dataclass(frozen=True)
class StyleEntry:
    """A style in the library, without its weights.

    Attributes:
        card: with ``name`` as the library lists it.
        size: bytes of the file.
        ready: it ships with the project and cannot be renamed or deleted.
        stamp: changes whenever the file does; a key for what is derived from it.
        thumbnail: the picture that ships beside a ready style's file.
    """

    card: StyleCard
    size: int
    ready: bool
    stamp: str
    thumbnail: Path | None = None


class StyleLibrary:
    """Names are file stems; a saved style never hides a ready one."""

    def __init__(self, folder: Path | None = None, ready: Path = READY) -> None:
        self.folder = folder or user_styles_folder()
        self.ready = ready

    def paths(self) -> dict[str, Path]:
        """Name to file, ready styles first, the source project's five before the others."""
        first = [slug(prompt) for prompt in SOURCE_PROMPTS]
        found: dict[str, Path] = {}
        for folder in (self.ready, self.folder):
            if folder.is_dir():
                files = {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
                for name in (*(name for name in first if name in files), *files):
                    found.setdefault(name, files[name])
        return found

    def cards(self) -> list[StyleCard]:
        """One card a usable style, its ``name`` being what :meth:`load` takes. Damaged files are left out."""
        return [entry.card for entry in self.entries()]

    def load(self, name_or_path: str | Path, base: Callable[[], Generator] | None = None) -> Style:
        """A style by its name, from a file, or from the Hub (``hf:user/repo``, see :mod:`nada_core.hub_styles`).

        Files and the Hub are for people at the command line: a web page must pass only names that :meth:`cards` gives.

        Args:
            base: gives the generator that a published ``.pt`` (:mod:`nada_core.published_styles`) was adapted from; asked only for those.

        Raises:
            StyleError: no such style (the message names similar ones), the file is damaged, or it cannot be fetched.
        """
        name = str(name_or_path)
        if isinstance(name_or_path, str) and is_reference(name):
            style = _read(fetch_style_file(name), base)
            return Style(_clean(style.card), style.tensors)
        paths = self.paths()
        if name in paths or slug(name) in paths:
            return load_style(paths.get(name) or paths[slug(name)])
        if name.endswith((".safetensors", *PUBLISHED_SUFFIXES)) or os.sep in name:
            return _read(Path(name), base)
        near = difflib.get_close_matches(slug(name), paths, 3, 0.3) or list(paths)[:5]
        raise StyleError(f"There is no style '{name[:60]}'. " + (f"Similar: {', '.join(near)}." if near else "None has been saved yet."))

    def entries(self) -> list[StyleEntry]:
        """:meth:`cards` with what a list of them shows besides."""
        found = []
        for name, path in self.paths().items():
            try:
                card, facts = load_card(path), path.stat()
            except (StyleError, OSError):  # OSError: deleted a moment ago
                continue
            ready, picture = path.parent == self.ready, path.with_suffix(".jpg")
            stamp = f"{ready:d}-{facts.st_mtime_ns}-{facts.st_size}-{name}"
            thumbnail = picture if ready and picture.is_file() else None
            found.append(StyleEntry(replace(card, name=name), facts.st_size, ready, stamp, thumbnail))
        return found

    def size(self, name: str) -> int:
        """Bytes of a style's file.

        Raises:
            StyleError: no such style.
        """
        try:
            return self._listed(name).stat().st_size
        except OSError as error:
            raise StyleError(f"The style '{name[:60]}' is not in the library any more. Choose another one.") from error

    def save(self, style: Style, name: str | None = None) -> str:
        """Save under a free name derived from ``name``; returns that name.

        Raises:
            StyleError: the folder cannot be written.
        """
        free = self._claim(slug(name or style.card.name))
        try:
            save_style(Style(replace(style.card, name=free), style.tensors), self._file(free))
        except BaseException:
            self._release(free)
            raise
        return free

    def rename(self, name: str, new: str) -> str:
        """Give a saved style a new name; returns the one it got, which has a number where ``new`` is taken.

        Raises:
            StyleError: no such style, a ready one, a name without a letter or digit, or the folder cannot be written.
        """
        path = self._own(name)
        if not any(character.isascii() and character.isalnum() for character in new):
            raise StyleError("The new name holds no letter from a to z and no digit. Type a name such as my-joker.")
        if slug(new) == name:
            return name
        free = self._claim(slug(new))
        try:
            style = load_style(path)
            os.replace(path, self._file(free))  # of two renames at once only one finds the file
        except StyleError:
            self._release(free)
            raise
        except OSError as error:
            self._release(free)
            raise StyleError(f"The style '{name}' could not be renamed: {error.strerror}. Refresh the list and try again.") from error
        save_style(Style(replace(style.card, name=free), style.tensors), self._file(free))
        return free

    def delete(self, name: str) -> None:
        """Delete a saved style for good.

        Raises:
            StyleError: no such style, a ready one, or the folder cannot be written.
        """
        try:
            self._own(name).unlink()
        except OSError as error:
            raise StyleError(f"The style '{name}' could not be deleted: {error.strerror}. Refresh the list and try again.") from error

    def import_file(self, path: Path, base: Generator | None = None, *, compact: bool = False) -> str:
        """Take a style file from elsewhere into the library; returns the name it got, derived from its card.

        The file is checked and written anew, so nothing but a card and finite tensors gets in. A name that is taken gets a number.

        Args:
            base: where given, the style must fit it; a published ``.pt`` (:mod:`nada_core.published_styles`) needs it.
            compact: only compact files (stored as differences) of at most :data:`MAX_COMPACT_BYTES`; what the web interface takes.

        Raises:
            StyleError: not a style file, damaged, too large, made for another base, or the folder cannot be written.
        """
        path = Path(path)
        size = path.stat().st_size if path.is_file() else 0
        if compact and size > MAX_COMPACT_BYTES:
            raise StyleError(
                f"The file has {size / 2**20:.1f} MB; compact style files have at most {MAX_COMPACT_BYTES >> 20} MB. "
                f"Export a compact one, or import this one by the command line: {_IMPORT}."
            )
        if compact and (storage := load_card(path).storage) not in COMPACT_STORAGES:
            raise StyleError(
                f"The style is stored as '{storage[:20]}'; only compact files are taken here. Export a compact one, or import "
                f"this one by the command line: {_IMPORT}."
            )
        style = load_style(path) if compact else _read(path, None if base is None else lambda: base)
        card = _clean(style.card)
        if base is not None:
            weights = resolved_weights(Style(card, style.tensors), base)
            if not all(torch.isfinite(weight).all() for weight in weights.values()):
                raise StyleError(f"The weights of the style '{card.name}' overflow. The file is damaged; make the style again.")
        return self.save(Style(card, style.tensors))

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"

    def _claim(self, stem: str) -> str:
        """A free name, now taken: its file is created empty, which the file system grants to one caller only."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for count in itertools.count(1):
                name = stem if count == 1 else f"{stem}-{count}"
                if (self.ready / f"{name}.safetensors").exists():
                    continue
                try:
                    self._file(name).open("xb").close()
                except FileExistsError:
                    continue
                return name
        except OSError as error:
            raise StyleError(
                f"The style could not be saved as '{stem}': {error.strerror}. Choose another folder or free some space."
            ) from error
        raise AssertionError("unreachable")

    def _release(self, name: str) -> None:
        """Give a claimed name back, unless a style is there by now."""
        path = self._file(name)
        if path.is_file() and not path.stat().st_size:
            path.unlink(missing_ok=True)

    def _listed(self, name: str) -> Path:
        path = self.paths().get(name)
        if path is None:
            raise StyleError(f"The style '{name[:60]}' is not in the library any more. Choose another one.")
        return path

    def _own(self, name: str) -> Path:
        path = self._listed(name)
        if path.parent == self.ready:
            raise StyleError(f"The style '{name}' comes with the program and stays as it is. Only saved styles can be renamed or deleted.")
        return path


def _read(path: Path, base: Callable[[], Generator] | None) -> Style:
    """A style from this project's file, or from a published one, which needs the base."""
    if not is_published(path):
        return load_style(path)
    if base is None:
        raise StyleError(f"'{path.name[:60]}' is a whole network. Import it beside its base: {_IMPORT[:-1]} --base BASE`.")
    return read_published(path, base())


def _clean(card: StyleCard) -> StyleCard:
    """A stranger's card with its texts on one line, printable, and of sane length."""

    def tidy(text: str) -> str:
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())

    if len(json.dumps(asdict(card))) > _MAX_CARD or len(card.prompt) > _MAX_PROMPT:
        raise StyleError(
            "The card of this style is far longer than any that an adaptation writes. The file is damaged; make the style again."
        )
    texts: dict[str, Any] = {key: tidy(value) for key, value in vars(card).items() if isinstance(value, str)}
    return replace(card, **texts)
