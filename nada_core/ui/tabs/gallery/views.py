"""Define the values that the Gallery tab shows: cards, rows of faces, finished files. Formatting is left to the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.ui.jobs.views import WorkView
from nada_core.ui.wording import style_title

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from torch import Tensor

    from nada_core.styles.files import StyleCard
    from nada_core.styles.library import StyleEntry

__all__ = ["CardsView", "GalleryCard", "GalleryView", "Sheet", "SheetRow"]


@dataclass(frozen=True)
class GalleryCard:
    """Hold one style of the library as it is now."""

    entry: StyleEntry
    group: str = ""  # the heading that it stands under
    picture: Path | None = None  # a kept JPEG file
    problem: str = ""  # why it cannot be rendered
    pending: bool = False  # its picture is being made

    @property
    def name(self) -> str:
        """Return the style's name."""
        return self.entry.card.name


@dataclass(frozen=True)
class CardsView:
    """Hold the cards as they are now."""

    cards: tuple[GalleryCard, ...]
    mark: str  # on those that do not come with the program
    note: str  # a sentence above them

    @property
    def names(self) -> tuple[str, ...]:
        """Return the styles' names, in the order of the cards."""
        return tuple(card.name for card in self.cards)


@dataclass(frozen=True)
class SheetRow:
    """Hold one style (or, without a card, the plain generator) on all faces; empty until it is rendered."""

    name: str
    card: StyleCard | None = None
    stamp: str = ""  # of the style's version
    images: Tensor | None = None  # [N, 3, H, W] in [-1, 1]
    files: tuple[Path, ...] = ()  # kept thumbnails, one a face

    @property
    def heading(self) -> str:
        """Return the heading above the row."""
        return style_title(self.name, self.card.prompt, self.card.title) if self.card is not None else "Without a style"


@dataclass(frozen=True)
class Sheet:
    """Hold styles on the same faces: a row for each style, a column for each seed."""

    rows: tuple[SheetRow, ...] = ()
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True)
class GalleryView(WorkView):
    """Hold what the page should show of a comparison, a film or an export now. None means unchanged."""

    sheet: Sheet | None = None
    archive: str | None = None  # the zip
    film: str | None = None  # the GIF
    file: str | None = None  # an exported style, or a zip of several
    said: str = ""  # what has been exported
