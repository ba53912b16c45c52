"""Draw a comparison of styles on the same generated faces."""

from __future__ import annotations

from html import escape

from nada_core.ui.html.pictures import picture_url
from nada_core.ui.tabs.gallery.views import Sheet

__all__ = ["sheet_html"]


def sheet_html(sheet: Sheet) -> str:
    """Return rows of faces under their headings. Rows not rendered yet have their place already, so nothing moves."""
    if not sheet.rows:
        return (
            '<div class="sheet sheet-empty"><b>Compare on the same faces</b>'
            "<span>Choose one or more styles above. Every row is one style, every column one face.</span></div>"
        )
    parts = []
    for row in sheet.rows:
        cells = ""
        for column, seed in enumerate(sheet.seeds):
            if column < len(row.files):
                alt = f"Face {seed}, {row.heading}"
                cells += f'<img src="{picture_url(row.files[column])}" alt="{escape(alt)}" width="256" height="256">'
            else:
                cells += "<span></span>"
        parts.append(f'<section><h2>{escape(row.heading)}</h2><div class="sheet-row">{cells}</div></section>')
    seeds_row = "".join(f"<span>Face {seed}</span>" for seed in sheet.seeds)
    head = f'<div class="sheet-row sheet-seeds">{seeds_row}</div>'
    return f'<div class="sheet" style="--faces:{len(sheet.seeds)}">{head}{"".join(parts)}</div>'
