"""Keep the style library: the ready styles that ship with the project and the ones a person saved."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import json
import os
import re
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nada_core.assets.shipped import CHECKPOINTS
from nada_core.errors import GeneratorError, StyleError, shown
from nada_core.generators.base import Generator
from nada_core.generators.trial import LARGEST_WEIGHT, check_draws
from nada_core.looks.prompts import SOURCE_PROMPTS
from nada_core.styles.files import (
    COMPACT_STORAGES,
    TEMPORARY,
    Style,
    StyleCard,
    load_card,
    load_style,
    resolved_weights,
    save_style,
    styled,
)
from nada_core.styles.hub import fetch_style_file, is_reference
from nada_core.styles.names import MOST_TITLE, style_heading, tidy_text
from nada_core.styles.published import NETWORK_SUFFIXES, is_published, read_published
from nada_core.system.archives import foreign_archive
from nada_core.system.files import is_file, plain_name, slug, sweep_unfinished

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
_ABANDONED = 3600.0  # seconds after which a file that was never finished is nobody's
_MAX_CARD, _MAX_PROMPT = 32 << 10, 300  # characters of an imported card; a card that an adaptation writes has about 1000


def user_styles_folder() -> Path:
    """Return where saved styles live: ``$NADA_STYLES``, else the user's data folder."""
    if folder := os.environ.get("NADA_STYLES"):
        return Path(folder)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "nada-demo" / "styles"


@dataclass(frozen=True)
class StyleEntry:
    """Describe a style in the library, without its weights.

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
    """List, load, save and delete styles. Names are file stems; a saved style never hides a ready one."""

    def __init__(self, folder: Path | None = None, ready: Path = READY) -> None:
        self.folder = folder or user_styles_folder()
        self.ready = ready

    def paths(self) -> dict[str, Path]:
        """Return name to file, ready styles first, the source project's five before the others."""
        first = [slug(prompt) for prompt in SOURCE_PROMPTS]
        found: dict[str, Path] = {}
        for folder in (self.ready, self.folder):
            if folder.is_dir():
                files = {path.stem: path for path in sorted(folder.glob("*.safetensors")) if path.stem.isprintable()}
                for name in (*(name for name in first if name in files), *files):
                    found.setdefault(name, files[name])
        return found

    def cards(self) -> list[StyleCard]:
        """Return one card a usable style, its ``name`` being what :meth:`load` takes. Damaged files are left out."""
        return [entry.card for entry in self.entries()]

    def load(self, name_or_path: str | Path, base: Callable[[], Generator] | None = None) -> Style:
        """Return a style by its name, from a file, or from the Hub (``hf:user/repo``, see :mod:`nada_core.styles.hub`).

        Files and the Hub are for people at the command line: a web page must pass only names that :meth:`cards` gives.

        Args:
            base: gives the generator that a published network (:mod:`nada_core.styles.published`) was adapted from; asked only for those.

        Raises:
            StyleError: no such style (the message names similar ones), the file is damaged, or it cannot be fetched.
        """
        name = str(name_or_path)
        if isinstance(name_or_path, str) and is_reference(name):
            style = _read(fetch_style_file(name), base)
            return Style(_clean(style.card), style.tensors)
        paths = self.paths()
        is_path = _has_separator(name)
        if is_path and is_file(Path(name)):  # before the titles: a stranger's style may be called like any file
            return _read(Path(name), base)
        if (listed := self._find(name, paths)) is not None:
            return load_style(paths[listed])
        if name.endswith((".safetensors", *NETWORK_SUFFIXES)) or is_path:
            return _read(Path(name), base)
        if not tidy_text(name):
            raise StyleError("There is no style '': the name is empty. Give one, such as joker: `python -m nada_core styles` lists them.")
        near = difflib.get_close_matches(slug(name), paths, 3, 0.3) or list(paths)[:5]
        raise StyleError(
            f"There is no style '{shown(name, 60)}'. "
            + (f"Similar: {', '.join(shown(one, 60) for one in near)}." if near else "None has been saved yet.")
        )

    def find(self, name: str) -> str | None:
        """Return the listed name that a person means by ``name``: that name, a title in any spelling of case and spaces, or its slug.

        What has a path separator is a title or a file: ``./joker`` is never the style "joker".
        """
        return self._find(name, self.paths())

    def _find(self, name: str, paths: Mapping[str, Path]) -> str | None:
        if name in paths:
            return name
        if not tidy_text(name):
            return None
        titles = self._titles(paths)
        if (titled := titles.get(_compared(name))) or _has_separator(name):
            return titled
        return {slug(listed): listed for listed in reversed(list(paths))}.get(slug(name))

    def _titles(self, paths: Mapping[str, Path]) -> dict[str, str]:
        """Return the listed names by their titles as these are compared, ready styles first."""
        found: dict[str, str] = {}
        for name, path in paths.items():
            with contextlib.suppress(StyleError, OSError):
                card = load_card(path)
                found.setdefault(_compared(style_heading(name, card.prompt, card.title)), name)
        return found

    def entries(self) -> list[StyleEntry]:
        """Return the :meth:`cards` with what a list of them shows besides."""
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
        """Return the bytes of a style's file.

        Raises:
            StyleError: no such style.
        """
        try:
            return self._listed(name).stat().st_size
        except OSError as error:
            raise StyleError(f"The style '{shown(name, 60)}' is not in the library any more. Choose another one.") from error

    def save(self, style: Style, name: str | None = None) -> str:
        """Save a style under a free name derived from ``name``; returns that name. The card's title keeps the spelling.

        Raises:
            StyleError: the folder cannot be written.
        """
        card = style.card
        wanted = tidy_text(name or "") or style_heading(card.name, card.prompt, card.title)
        free = self._claim(slug(wanted))
        try:
            save_style(Style(replace(card, name=free, title=self._title(wanted, free)), style.tensors), self._file(free))
        except BaseException:
            self._release(free)
            raise
        return free

    def rename(self, name: str, new: str) -> str:
        """Give a saved style a new name; returns the one it got, which has a number where ``new`` is taken.

        Raises:
            StyleError: no such style, a ready one, a name without a letter or digit, or the folder cannot be written: then nothing changed.
        """
        path = self._own(name)
        if not plain_name(new):
            raise StyleError("The new name holds no letter and no digit. Type a name such as my-joker.")
        style = load_style(path)
        if slug(new) == name:
            save_style(Style(replace(style.card, name=name, title=self._title(tidy_text(new), name)), style.tensors), path)
            return name
        free = self._claim(slug(new))
        try:
            save_style(Style(replace(style.card, name=free, title=self._title(tidy_text(new), free)), style.tensors), self._file(free))
            path.unlink()  # last: a full disk leaves the old one; and of two renames at once only one finds the file
        except StyleError:
            self._release(free)
            raise
        except OSError as error:
            self._file(free).unlink(missing_ok=True)
            raise StyleError(f"The style '{name}' could not be renamed: {error.strerror}. Refresh the list and try again.") from error
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

    def import_file(self, path: Path, base: Generator | None = None, *, compact: bool = False, trial: bool = False) -> str:
        """Take a style file from elsewhere into the library; returns the name it got, derived from its card.

        The file is checked and written anew, so nothing but a card and finite tensors gets in. A name that is taken gets a number.

        Args:
            base: where given, the style must fit it; a published network (:mod:`nada_core.styles.published`) needs it.
            compact: only compact files (stored as differences) of at most :data:`MAX_COMPACT_BYTES`; what the web interface takes.
            trial: draw one face in the style on ``base`` first.

        Raises:
            StyleError: not a style file, damaged, too large, made for another base, or the folder cannot be written.
        """
        path = Path(path)
        size = path.stat().st_size if is_file(path) else 0
        if compact and size > MAX_COMPACT_BYTES:
            raise StyleError(
                f"The file has {size / 2**20:.1f} MB; compact style files have at most {MAX_COMPACT_BYTES >> 20} MB. "
                f"Export a compact one, or import this one by the command line: {_IMPORT}."
            )
        if compact and (storage := load_card(path).storage) not in COMPACT_STORAGES:
            raise StyleError(
                f"The style is stored as '{shown(storage, 20)}'; only compact files are taken here. Export a compact one, or import "
                f"this one by the command line: {_IMPORT}."
            )
        style = load_style(path) if compact else _read(path, None if base is None else lambda: base)
        card = _clean(style.card)
        if base is not None:
            weights = resolved_weights(Style(card, style.tensors), base)
            if not all(bool((weight.abs() <= LARGEST_WEIGHT).all()) for weight in weights.values()):  # nor NaN
                raise StyleError(f"The weights of the style '{shown(card.name)}' overflow. The file is damaged; make the style again.")
            if trial:
                _check_draws(base, Style(card, style.tensors))
        return self.save(Style(card, style.tensors))

    def sweep(self) -> None:
        """Delete what processes left that were killed while they saved: half-written files, and names claimed with an empty one.

        Only those that nobody has touched for an hour: a save takes seconds. What is kept of styles in folders here is looked at, too.
        """
        before = time.time() - _ABANDONED
        with contextlib.suppress(OSError):  # no folder yet, or one that may only be read
            for path in [*self.folder.glob(f"{TEMPORARY}*.tmp"), *self.folder.glob("*.safetensors")]:
                with contextlib.suppress(OSError):  # gone a moment ago
                    facts = path.lstat()
                    left = path.suffix == ".tmp" or not facts.st_size
                    if left and stat.S_ISREG(facts.st_mode) and facts.st_mtime < before:
                        path.unlink()
            for folder in self.folder.glob("*/"):
                sweep_unfinished(folder)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"

    def _claim(self, stem: str) -> str:
        """Return a free name, now taken: its file is created empty, which the file system grants to one caller only."""
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

    def _title(self, wanted: str, name: str) -> str:
        """Return the title to keep for a style that is called ``wanted`` and listed as ``name``; empty where the name tells it all.

        A title that another style has is told apart by the number of the name.
        """
        if wanted == slug(wanted) or len(wanted) > MOST_TITLE:
            return ""
        others = {listed: path for listed, path in self.paths().items() if listed != name}
        number = name.removeprefix(slug(wanted)).lstrip("-")
        return f"{wanted} {number}" if number and _compared(wanted) in self._titles(others) else wanted

    def _release(self, name: str) -> None:
        """Give a claimed name back, unless a style is there by now."""
        path = self._file(name)
        if path.is_file() and not path.stat().st_size:
            path.unlink(missing_ok=True)

    def _listed(self, name: str) -> Path:
        path = self.paths().get(name)
        if path is None:
            raise StyleError(f"The style '{shown(name, 60)}' is not in the library any more. Choose another one.")
        return path

    def _own(self, name: str) -> Path:
        path = self._listed(name)
        if path.parent == self.ready:
            raise StyleError(f"The style '{name}' comes with the program and stays as it is. Only saved styles can be renamed or deleted.")
        return path


def _has_separator(name: str) -> bool:
    """Tell whether a name is written as a path, of this system or another."""
    return "/" in name or "\\" in name


def _compared(title: str) -> str:
    """Return a title as two of them are compared: letters' case, spaces and dashes do not tell them apart."""
    return " ".join(re.sub(r"[-_]", " ", tidy_text(title).lower()).split())


def _check_draws(base: Generator, style: Style) -> None:
    """Refuse weights that are finite and draw nothing on this base."""
    try:
        check_draws(styled(base, style), style.card.name)
    except GeneratorError as error:
        raise StyleError(f"The style '{shown(style.card.name)}' draws nothing: its weights make no sense. The file is damaged.") from error


def _read(path: Path, base: Callable[[], Generator] | None) -> Style:
    """Return a style from this project's file, or from a published network, which needs the base."""
    if "\0" in str(path):
        raise StyleError(f"'{shown(path.name, 60)}' is no name that a file can have. Check the name of the style.")
    if archive := foreign_archive(path):  # before a base is asked for, which it does not need
        raise StyleError(f"'{shown(path.name, 60)}' is {archive}")
    if not is_published(path):
        return load_style(path)
    if base is None:
        raise StyleError(f"'{shown(path.name, 60)}' is a whole network. Import it beside its base: {_IMPORT[:-1]} --base BASE`.")
    return read_published(path, base())


def _clean(card: StyleCard) -> StyleCard:
    """Return a stranger's card with its texts on one line, printable, and of sane length."""

    if len(json.dumps(asdict(card))) > _MAX_CARD or len(card.prompt) > _MAX_PROMPT:
        raise StyleError(
            "The card of this style is far longer than any that an adaptation writes. The file is damaged; make the style again."
        )
    texts: dict[str, Any] = {key: tidy_text(value) for key, value in vars(card).items() if isinstance(value, str)}
    return replace(card, **texts)
