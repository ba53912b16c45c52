"""Files people take away from the Stylise tab: each is rendered when asked for, and says in its metadata that it was made by AI."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from ..errors import NadaError, PhotoError
from .context import AppContext
from .edit_run import EditRequest, made_so_far, request_strength
from .text import slug

__all__ = ["KINDS", "write_download"]

log = logging.getLogger(__name__)
KINDS = {"picture": "Picture", "photo": "In the photo", "sheet": "Side by side", "film": "Film (GIF)"}
_PATIENCE = 90.0  # seconds to wait for other work


def write_download(context: AppContext, request: EditRequest, kind: str, folder: Path) -> Path:
    """Render what the page shows as one file in ``folder``.

    Args:
        kind: one of :data:`KINDS`.

    Raises:
        PhotoError: nothing has been made yet, or it is no longer on the server.
        NadaError: the server is busy, or something failed; a sentence for the page.
    """
    if kind not in KINDS:
        raise NadaError(f"There is no download of that kind; choose {', '.join(KINDS)}.")
    engine, world = context.open()
    entry = context.photos.get(request.photo)
    made = made_so_far(context, engine, entry, request)
    if made is None:
        raise PhotoError("This look has not been made yet: press Stylise first.")
    with context.line.join() as turn:
        if not turn.wait(_PATIENCE):
            raise NadaError("The server is busy with another job. Try the download again in a minute.")
        try:
            return _write(engine.editor, *made, request, kind, folder, world.name)
        except NadaError:
            raise
        except Exception:
            log.exception("a download failed")
            raise NadaError("The file could not be made. Try again; the server's log has the details.") from None


def _write(editor: Any, portrait: Any, worn: list[tuple[Any, float]], request: EditRequest, kind: str, folder: Path, world: str) -> Path:
    from ..animation import ramp, save_gif
    from ..images import save_png
    from ..sheets import AI_NOTE, download_metadata, side_by_side

    strength = request_strength(request)
    label = " and ".join(wearing.prompt for wearing, _ in worn)
    metadata = download_metadata(label, f"{request.strength:.2f}", world)
    stem = f"{slug(label)}-{round(100 * request.strength)}"
    if kind == "film":
        path = folder / f"{stem}.gif"
        save_gif(editor.render(portrait, worn, [strength.scaled(value) for value in ramp()], 256), path, AI_NOTE)
        return path
    result = editor.finish(portrait, worn, strength, request.resolution)
    if kind == "sheet":
        side = min(request.resolution, 512)
        picture = side_by_side([[result.aligned, result.inverted, result.edited]], ["Photo", "Rebuilt", label], side)
    elif kind == "photo":
        picture = editor.paste(portrait, result.edited, result.inverted)
    else:
        picture = result.edited
    path = folder / f"{stem}{'' if kind == 'picture' else '-' + kind}.png"
    save_png(picture, path, metadata)
    return path
