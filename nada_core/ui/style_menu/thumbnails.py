"""Find the small picture of a style, or draw it when the generator is free."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.ui.app_engine import AppEngine
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.thumbnails import Thumbnails, jpeg_bytes

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from nada_core.styles.files import Style
    from nada_core.styles.library import StyleEntry

__all__ = ["draw_thumbnail", "kept_thumbnail"]


def kept_thumbnail(thumbnails: Thumbnails, engine: AppEngine, entry: StyleEntry) -> Path | None:
    """Find the picture of a library entry that needs no rendering: made before, or shipped with a style that fits the generator."""
    file = thumbnails.file(entry.stamp)
    if file is None and entry.thumbnail is not None and entry.card.base_hash == engine.base_hash:
        try:
            return thumbnails.put(entry.stamp, entry.thumbnail.read_bytes())
        except OSError:  # deleted a moment ago
            return None
    return file


def draw_thumbnail(context: AppContext, thumbnails: Thumbnails, stamp: str, style: Style | str, patience: float) -> Path | None:
    """Make one picture and keep it under `stamp`, or return None where other work goes on for longer than `patience` seconds.

    Args:
        style: what the engine samples: a name of its library, or a style.

    Raises:
        NadaError: the style cannot be rendered.
    """
    from nada_core.styles.library import THUMBNAIL_PSI, THUMBNAIL_SEED

    with context.line.join() as turn:
        if not turn.wait(patience):
            return None
        engine, _ = context.open()  # not before the turn: it may be another one by then
        file = thumbnails.file(stamp)  # another visitor may have asked for the same one
        if file is None:
            jpeg = context.worker.run(lambda: jpeg_bytes(engine.sample([THUMBNAIL_SEED], style=style, truncation_psi=THUMBNAIL_PSI)[0]))
            file = thumbnails.put(stamp, jpeg)
        return file
