"""Draw styles side by side on one photo, and the boxes by which styles are chosen, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from nada_core.ui.html.pictures import data_url, picture_url
from nada_core.ui.html.widgets import likeness_bar, likeness_words
from nada_core.ui.style_menu.pictures import StylePictures
from nada_core.ui.tabs.compare.run import CompareCell

__all__ = ["OPEN_SCRIPT", "compare_html", "picks_html"]

#: Shows a pressed picture over the page, as large as it gets; Escape or another press takes it away.
OPEN_SCRIPT = """
element.addEventListener('click', (event) => {
  const open = event.target.closest('button.compare-open');
  if (!open) return;
  const large = document.createElement('dialog');
  large.className = 'compare-large';
  large.setAttribute('aria-label', open.getAttribute('aria-label'));
  const close = document.createElement('button');
  close.type = 'button';
  close.textContent = 'Close';
  large.append(open.querySelector('img').cloneNode(), close);
  large.addEventListener('click', () => large.close());
  large.addEventListener('close', () => { large.remove(); open.focus({ preventScroll: true }); });
  document.querySelector('.gradio-container').append(large);
  large.showModal();
});
"""


def compare_html(cells: Sequence[CompareCell]) -> str:
    """Return the pictures in a grid with names and likeness. Cells without a picture have their place, so nothing moves."""
    if not cells:
        return (
            '<div class="sheet sheet-empty"><b>One face, several styles</b>'
            "<span>Your photo, how the generator rebuilds it, and every chosen style appear here side by side.</span></div>"
        )
    style = f"--columns: {_columns(len(cells))}"
    return f'<div class="compare" style="{style}" role="list" aria-label="Styles side by side">{"".join(map(_cell, cells))}</div>'


def _columns(count: int) -> int:
    """Return the number of columns: few rows of at most four, as equal as possible: 5 are 3 and 2, 6 are 3 and 3, 7 are 4 and 3."""
    return -(-count // -(-count // 4))


def _cell(cell: CompareCell) -> str:
    if cell.jpeg:
        name = escape(cell.title)
        shown = f'<img src="{data_url(cell.jpeg)}" alt="{name}" width="256" height="256">'
        picture = f'<button type="button" class="compare-open" aria-label="{name}: show it large">{shown}</button>'
    else:
        picture = f'<span class="compare-place{" compare-busy" if cell.busy else ""}"></span>'
    measured = cell.distance is not None
    bar = likeness_bar(cell.distance) if measured else '<div class="compare-gap"></div>'
    words = likeness_words(cell.distance) if measured else f"<span>{escape(cell.words)}</span>"
    title = escape(cell.title)
    return (
        f'<div class="compare-cell" role="listitem">{picture}'
        f'<div class="compare-words"><b title="{title}">{title}</b><div class="likeness">{bar}{words}</div></div></div>'
    )


def picks_html(view: StylePictures) -> str:
    """Return a check box with its picture for every style."""
    if not view.names:
        return '<div class="picks picks-empty"></div>'
    boxes = "".join(
        f'<label class="pick"><input type="checkbox" name="style" value="{escape(name)}" aria-label="{escape(caption)}">'
        f'<img src="{picture_url(Path(file))}" alt="{escape(caption)} on a face" width="256" height="256">'
        f"<span>{escape(caption)}</span></label>"
        for name, (file, caption) in zip(view.names, view.pictures, strict=True)
    )
    return f'<div class="picks" role="group" aria-label="Styles by picture">{boxes}</div>'
