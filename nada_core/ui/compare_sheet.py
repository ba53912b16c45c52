"""Styles side by side on one photo: as a part of the page, and as the boxes by which styles are chosen. No Gradio in here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from .gallery_cards import data_url
from .style_pictures import StylePictures
from .widgets import likeness_bar, likeness_words

__all__ = ["CompareCell", "compare_html", "filled", "picks_html"]


@dataclass(frozen=True)
class CompareCell:
    """One picture of the comparison; without a picture its place is kept."""

    title: str
    jpeg: bytes = b""
    distance: float | None = None  # to the photo, by face recognition
    words: str = ""  # instead of the distance
    busy: bool = False  # being made right now


def filled(cell: CompareCell, picture: Any, distance: float | None = None, words: str = "") -> CompareCell:
    """The cell with its picture (PIL, any size; shown at 256 px)."""
    target = io.BytesIO()
    picture.convert("RGB").resize((256, 256), reducing_gap=2.0).save(target, "JPEG", quality=90)
    return CompareCell(cell.title, target.getvalue(), distance, words)


def compare_html(cells: Sequence[CompareCell]) -> str:
    """The pictures in a grid with their names and likeness. Cells without a picture have their place already, so nothing moves."""
    if not cells:
        return (
            '<div class="sheet sheet-empty"><b>One face, several styles</b>'
            "<span>Your photo, how the generator rebuilds it, and every chosen style appear here side by side.</span></div>"
        )
    style = f"--columns: {_columns(len(cells))}"
    return f'<div class="compare" style="{style}" role="list" aria-label="Styles side by side">{"".join(map(_cell, cells))}</div>'


def _columns(count: int) -> int:
    """As few rows as four columns allow, of equal lengths where that is possible: 5 are 3 and 2, 6 are 3 and 3, 7 are 4 and 3."""
    return -(-count // -(-count // 4))


def _cell(cell: CompareCell) -> str:
    if cell.jpeg:
        picture = f'<img src="{data_url(cell.jpeg)}" alt="{escape(cell.title)}" width="256" height="256">'
    else:
        picture = f'<span class="compare-place{" compare-busy" if cell.busy else ""}"></span>'
    measured = cell.distance is not None
    bar = likeness_bar(cell.distance) if measured else '<div class="compare-gap"></div>'
    words = likeness_words(cell.distance) if measured else f"<span>{escape(cell.words)}</span>"
    title = escape(cell.title)
    return (
        f'<figure class="compare-cell" role="listitem">{picture}'
        f'<figcaption><b title="{title}">{title}</b><div class="likeness">{bar}{words}</div></figcaption></figure>'
    )


def picks_html(view: StylePictures) -> str:
    """A check box with its picture for every style."""
    if not view.names:
        return '<div class="picks picks-empty"></div>'
    boxes = "".join(
        f'<label class="pick"><input type="checkbox" name="style" value="{escape(name)}" aria-label="{escape(caption)}">'
        f'<img src="{data_url(Path(file).read_bytes())}" alt="{escape(caption)} on a face" width="256" height="256">'
        f"<span>{escape(caption)}</span></label>"
        for name, (file, caption) in zip(view.names, view.pictures, strict=True)
    )
    return f'<div class="picks" role="group" aria-label="Styles by picture">{boxes}</div>'
