"""Files people take away from the Stylise tab: each is rendered when asked for, and says in its metadata that it was made by AI."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import NadaError, PhotoError
from .all_faces import mosaic
from .context import AppContext, World
from .edit_run import Dressed, EditRequest, made_so_far, request_strength
from .sizes import chosen_side
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
        OptionsError: the generator does not render at the size that was asked for.
        NadaError: the server is busy, or something failed; a sentence for the page.
    """
    if kind not in KINDS:
        raise NadaError(f"There is no download of that kind; choose {', '.join(KINDS)}.")
    engine, world = context.open()
    entry = context.photos.get(request.photo)
    made, side = made_so_far(context, engine, entry, request), chosen_side(world.sizes, request.resolution)
    if made is None:
        raise PhotoError("This look has not been made yet: press Stylise first.")
    with context.join(engine) as turn:
        if not turn.wait(_PATIENCE):
            raise NadaError("The server is busy with another job. Try the download again in a minute.")
        try:
            return context.worker.run(partial(_write, engine.editor, made, request, kind, folder, world, side))
        except NadaError:
            raise
        except Exception:
            log.exception("a download failed")
            raise NadaError("The file could not be made. Try again; the server's log has the details.") from None


def _write(editor: Any, made: list[Dressed], request: EditRequest, kind: str, folder: Path, world: World, side: int) -> Path:
    from ..animation import ramp, save_gif
    from ..editing import paste_all
    from ..images import save_png
    from ..sheets import AI_NOTE, download_metadata, side_by_side

    strength = request_strength(request)
    label = " and ".join(wearing.prompt for wearing, _ in made[0][1])
    metadata = download_metadata(label, f"{request.strength:.2f}", world.name)
    stem = f"{slug(label)}-{round(100 * request.strength)}"
    if kind == "film":
        path = folder / f"{stem}.gif"
        strengths = [strength.scaled(value) for value in ramp()]
        frames = zip(*(editor.render(portrait, worn, strengths, world.sizes[0]) for portrait, worn in made), strict=True)
        save_gif([mosaic(frame) for frame in frames], path, AI_NOTE)
        return path
    results = [editor.finish(portrait, worn, strength, side) for portrait, worn in made]
    if kind == "sheet":
        rows = [[result.aligned, result.inverted, result.edited] for result in results]
        picture = side_by_side(rows, ["Photo", "Rebuilt", label], min(side, 512))
    elif kind == "photo" or request.everyone:
        picture = paste_all(editor, [portrait for portrait, _ in made], results)
    else:
        picture = results[0].edited
    path = folder / f"{stem}{'' if kind == 'picture' else '-' + kind}.png"
    save_png(picture, path, metadata)
    return path
