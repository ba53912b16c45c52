"""List the styles to choose from by name, and look up the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nada_core.errors import StyleError
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.server.context import AppContext
from nada_core.ui.wording import style_title

if TYPE_CHECKING:
    from nada_core.styles.files import Style

__all__ = ["OWN", "chosen_style", "style_choices"]

OWN = "mine:"  # marks a dropdown value that is the id of an unsaved style, not the name of a saved one


def style_choices(context: AppContext, owned: Sequence[str]) -> list[tuple[str, str]]:
    """Return (label, value) pairs for the style dropdown: the ones just made here first, then the library."""
    pairs = [(f"{label.prompt} (just made, {label.steps} steps)", OWN + key) for key, label in context.shelf.listing(owned)]
    if context.is_open:
        engine, _ = context.open()
        pairs += [(style_title(card.name, card.prompt, card.title), card.name) for card in engine.styles()]
    return pairs


def chosen_style(context: AppContext, engine: AppEngine, name: str | None, owned: Sequence[str]) -> tuple[Callable[[], Style], Hashable]:
    """Return a function that loads a style, and its key. Only names the library lists pass: never a path from the browser.

    Raises:
        StyleError: none is chosen, or it is not there, or not this page's.
    """
    if not name:
        raise StyleError("No style is chosen. Pick one from the list, or make one in the Adapt tab first.")
    if name.startswith(OWN):
        key = name[len(OWN) :]
        return lambda: context.shelf.get(key, owned).style, (name, context.shelf.label(key, owned).steps)
    created = {card.name: card.created for card in engine.styles()}
    if name not in created:
        raise StyleError("This style is not in the library any more. Choose another one from the list.")
    return partial(engine.style, name), (name, created[name])
