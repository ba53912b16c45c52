"""Frame a page of results as one HTML document: its own style sheet inside, no script, light and dark, fit for print."""

from __future__ import annotations

import html
from pathlib import Path

__all__ = ["document", "escaped"]


def document(title: str, body: str, more_css: str = "") -> str:
    """Return the whole page.

    Args:
        title: of the window, as plain text.
        body: markup.
        more_css: rules after those that all pages of results share.
    """
    css = (Path(__file__).parent / "page.css").read_text("utf-8") + more_css
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="generator" content="StyleGAN-NADA demo">'
        f"<title>{escaped(title)}</title><style>{css}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def escaped(value: object) -> str:
    """Return a text as markup and attributes may hold it."""
    return html.escape(str(value))
