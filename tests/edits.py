"""Edits of the Stylise tab, run to their ends."""

from __future__ import annotations

import numpy as np
from PIL import Image

from nada_core.ui.context import AppContext
from nada_core.ui.edit_run import EditRequest, EditView, run_edit
from nada_core.ui.photo_faces import find_faces


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
