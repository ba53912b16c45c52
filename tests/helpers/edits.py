"""Run edits of the Stylise tab to their ends."""

from __future__ import annotations

import numpy as np
from PIL import Image

from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import EditRequest
from nada_core.ui.server.context import AppContext
from nada_core.ui.tabs.stylise.run import EditView, run_edit


def pressed(key, **changes):
    """What the page sends when Stylise is pressed, by name and in its order, with these changes."""
    sent = {
        "photo": key, "style": "joker", "strength": 1.0, "shape": 1.0, "texture": 1.0, "colour": 1.0, "blend": None, "share": 0.5,
        "face": 0, "points": [], "mode": "balanced", "resolution": 256, "paste": False, "owned": [], "everyone": False,
    }  # fmt: skip
    assert set(changes) <= set(sent)
    return sent | changes


def done(views) -> tuple[EditView, list[np.ndarray]]:
    """The last view and what it shows: before, after, rebuilt (the files go with the iterator)."""
    shown = []
    for view in views:
        if view.phase == "done":
            shown = [np.asarray(Image.open(path).convert("RGB")).astype(int) for path in (*view.pair, view.inverted)]
    return view, shown


def edited(app: AppContext, path: str, style: str | None = "joker", **values) -> tuple[EditView, list[np.ndarray]]:
    """The same for a photo that has not been looked at yet."""
    return done(run_edit(app, EditRequest(find_faces(app, path).photo, style, **values)))
