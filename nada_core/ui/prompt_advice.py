"""A line of advice for a prompt: what kind of change it is, and how many steps that takes."""

from __future__ import annotations

from ..errors import PromptError

__all__ = ["advice"]

_PAINT = "Paint and colour: 40 to 60 steps."
_MEDIUM = "A medium: all layers, 60 to 100 steps."
_SHAPE = "A change of shape as well: 80 steps and more, or fewer layers (Settings) where faces become alike."
#: What these do not become here, whatever the options; said before the time is spent.
_LIMITS = {
    "pixel art": "Expect a woven pattern rather than blocks: this generator cannot draw hard squares.",
}
_GROUPS = {"makeup": _PAINT, "colour": _PAINT, "light": _PAINT, "medium": _MEDIUM, "material": _MEDIUM, "character": _SHAPE}


def advice(prompt: str | None, known: bool = False) -> str:
    """Words about the kind of change `prompt` asks for; empty where the kind is not known. Loads no model.

    `known`: no other looks than those are understood, so that an unknown prompt is told at once what is near.
    """
    from ..prompts import CONCEPTS, resolve_concept

    try:
        concept = resolve_concept(prompt or "")
        return _LIMITS.get(concept) or _GROUPS.get(CONCEPTS[concept].group, "")
    except PromptError as error:
        return str(error) if known and (prompt or "").strip() else ""
