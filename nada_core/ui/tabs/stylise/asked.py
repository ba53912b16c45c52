"""Turn the Stylise tab's choices into a request for an edit, and a request back into choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from nada_core.ui.requests import EditRequest
from nada_core.ui.tabs.stylise.layout import StyliseTab

__all__ = ["read_request", "restore_request"]


def read_request(sent: Mapping[str, Any]) -> EditRequest:
    """Return the edit request that the page sent by the names of its components."""
    points = sent["points"]
    return EditRequest(
        photo=sent["photo"] or None,
        style=sent["style"],
        strength=float(sent["strength"]),
        groups=(float(sent["shape"]), float(sent["texture"]), float(sent["colour"])),
        blend=sent["blend"] or None,
        share=float(sent["share"]),
        face=int(sent["face"] or 0),
        points=tuple(tuple(point) for point in points) if len(points) == 3 else (),
        mode=sent["mode"],
        resolution=int(sent["resolution"]) if sent["resolution"] else None,
        paste=bool(sent["paste"]),
        owned=tuple(sent["owned"]),
        everyone=bool(sent["everyone"]),
    )


def restore_request(tab: StyliseTab, request: EditRequest, styles: list[tuple[str, str]], sizes: Sequence[int]) -> dict[Any, Any]:
    """Return updates that set the page's choices as a request had them, where such styles and sizes still exist."""
    known = [value for _, value in styles]
    shape, texture, colour = request.groups
    update: dict[Any, Any] = {
        tab.strength: request.strength, tab.shape: shape, tab.texture: texture, tab.colour: colour, tab.share: request.share,
        tab.mode: request.mode, tab.paste: request.paste,
        tab.blend: gr.update(choices=[("None", ""), *styles], value=request.blend if request.blend in known else ""),
    }  # fmt: skip
    if request.resolution in sizes:
        update[tab.resolution] = request.resolution
    if request.style in known:
        update[tab.style] = gr.update(choices=styles, value=request.style)
    return update
