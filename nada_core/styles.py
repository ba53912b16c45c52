"""The style library: the ready styles that ship with the project and the ones a person saved."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path

from nada_core.checkpoints import Style, StyleCard, load_card, load_style, save_style, slug
from nada_core.errors import StyleError
from nada_core.generators.load import CHECKPOINTS

__all__ = ["StyleLibrary", "user_styles_folder"]

READY = CHECKPOINTS / "styles"


def user_styles_folder() -> Path:
    """Where saved styles live: ``$NADA_STYLES``, else the user's data folder."""
    if folder := os.environ.get("NADA_STYLES"):
        return Path(folder)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "nada-demo" / "styles"


class StyleLibrary:
    """Names are file stems; a saved style never hides a ready one."""

    def __init__(self, folder: Path | None = None, ready: Path = READY) -> None:
        self.folder = folder or user_styles_folder()
        self.ready = ready

    def paths(self) -> dict[str, Path]:
        """Name to file, ready styles first."""
        found: dict[str, Path] = {}
        for folder in (self.ready, self.folder):
            if folder.is_dir():
                for path in sorted(folder.glob("*.safetensors")):
                    found.setdefault(path.stem, path)
        return found

    def cards(self) -> list[StyleCard]:
        """One card a usable style, its ``name`` being what :meth:`load` takes. Damaged files are left out."""
        cards = []
        for name, path in self.paths().items():
            try:
                cards.append(replace(load_card(path), name=name))
            except StyleError:
                continue
        return cards

    def load(self, name_or_path: str | Path) -> Style:
        """A style by its name, or from a file.

        Raises:
            StyleError: no such style (the message names similar ones), or the file is damaged.
        """
        paths = self.paths()
        name = str(name_or_path)
        if name in paths or slug(name) in paths:
            return load_style(paths.get(name) or paths[slug(name)])
        if name.endswith(".safetensors") or os.sep in name:
            return load_style(Path(name))
        near = difflib.get_close_matches(slug(name), paths, 3, 0.3) or list(paths)[:5]
        raise StyleError(f"There is no style '{name[:60]}'. " + (f"Similar: {', '.join(near)}." if near else "None has been saved yet."))

    def save(self, style: Style, name: str | None = None) -> str:
        """Save under a free name derived from ``name``; returns that name.

        Raises:
            StyleError: the folder cannot be written.
        """
        stem = slug(name or style.card.name)
        taken, free, count = self.paths(), stem, 2
        while free in taken:
            free, count = f"{stem}-{count}", count + 1
        save_style(Style(replace(style.card, name=free), style.tensors), self.folder / f"{free}.safetensors")
        return free
