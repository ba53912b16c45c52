"""Read what a shared link asks a page to show: a prompt, a style, a tab. Nothing in a link is ever run by itself. No Gradio in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from nada_core.errors import PromptError
from nada_core.looks.prompts import check_prompt
from nada_core.system.files import slug
from nada_core.ui.shelves.pages import TABS

__all__ = ["SharedLink", "read_link", "style_named"]

_LONGEST, _FIELDS, _QUOTED = 4000, 20, 60


@dataclass(frozen=True)
class SharedLink:
    """Say what a link asks for; empty where it does not. ``refused`` are sentences on what cannot be had."""

    prompt: str = ""
    style: str = ""  # name of a style in the library
    tab: str = ""
    refused: tuple[str, ...] = ()


def read_link(search: Any, styles: Sequence[tuple[str, str]]) -> SharedLink:
    """Read the part of an address behind its question mark, be it anything; other fields than ours are passed over.

    Args:
        styles: (title, name) pairs of the styles there are.
    """
    text = search[:_LONGEST].removeprefix("?") if isinstance(search, str) else ""
    try:
        fields = dict(reversed(parse_qsl(text, errors="replace", max_num_fields=_FIELDS)))  # of several the first counts
    except ValueError:
        return SharedLink()
    link, refused = SharedLink(), []
    if prompt := fields.get("prompt", "").strip():
        try:
            link = replace(link, prompt=check_prompt(prompt), tab="adapt")
        except PromptError as error:
            refused.append(f"The link's prompt cannot be used. {error}")
    if style := fields.get("style", "").strip():
        name = style_named(style, styles)
        if name:
            link = replace(link, style=name, tab=link.tab or "stylise")
        else:
            refused.append(f"The link asks for the style “{_short(style)}”, which is not here. Choose another one.")
    if tab := fields.get("tab", "").strip():
        if tab.lower() in TABS:
            link = replace(link, tab=tab.lower())
        else:
            refused.append(f"The link asks for the tab “{_short(tab)}”; there are {', '.join(TABS)}.")
    return replace(link, refused=tuple(refused))


def style_named(wanted: str, styles: Sequence[tuple[str, str]]) -> str:
    """Return the name of the style that is called so, by its name or its title in any case; empty where there is none."""
    names = [name for _, name in styles]
    if wanted in names:
        return wanted
    plain = slug(wanted[:200])
    return next((name for title, name in styles if plain in (name, slug(title))), "")


def _short(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable if len(printable) <= _QUOTED else f"{printable[:_QUOTED].rstrip()}…"
