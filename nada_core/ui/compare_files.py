"""Files people take away from the Compare tab: rendered when asked for, each saying in its metadata that it was made by AI."""

from __future__ import annotations

import io
import logging
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import NadaError, PhotoError
from .compare_run import CompareRequest, Look, fitted_looks, strength_of
from .context import AppContext
from .sizes import chosen_side
from .text import slug

__all__ = ["COMPARE_KINDS", "write_comparison"]

log = logging.getLogger(__name__)
COMPARE_KINDS = {"sheet": "Sheet (PNG)", "pictures": "Pictures (zip)"}
_PATIENCE = 90.0  # seconds to wait for other work


def write_comparison(context: AppContext, request: CompareRequest, kind: str, folder: Path, resolution: int | None = None) -> Path:
    """Render what the page shows as one file in ``folder``. Styles that have not been fitted are left out.

    Args:
        kind: one of :data:`COMPARE_KINDS`.
        resolution: pixels of a side, one of the generator's, by default its smallest; a sheet has at most 512 for each picture.

    Raises:
        PhotoError: nothing has been made yet, or it is no longer on the server.
        OptionsError: the generator does not render at that size.
        NadaError: the server is busy, or something failed; a sentence for the page.
    """
    if kind not in COMPARE_KINDS:
        raise NadaError(f"There is no download of that kind; choose {', '.join(COMPARE_KINDS)}.")
    if not request.photo or not request.styles:
        raise PhotoError("Nothing has been compared yet: press Compare first.")
    engine, world = context.open()
    portrait, looks = fitted_looks(context, engine, request)
    worn = [(look, fitted) for look, fitted in looks if fitted is not None]
    if portrait is None or not worn:
        raise PhotoError("Nothing has been compared yet: press Compare first.")
    strength_of(request)
    side = chosen_side(world.sizes, resolution)
    with context.join(engine) as turn:
        if not turn.wait(_PATIENCE):
            raise NadaError("The server is busy with another job. Try the download again in a minute.")
        try:
            return context.worker.run(partial(_write, engine.editor, portrait, worn, request, kind, folder, side, world.name))
        except NadaError:
            raise
        except Exception:
            log.exception("a download failed")
            raise NadaError("The file could not be made. Try again; the server's log has the details.") from None


def _write(
    editor: Any,
    portrait: Any,
    worn: list[tuple[Look, Any]],
    request: CompareRequest,
    kind: str,
    folder: Path,
    resolution: int,
    world: str,
) -> Path:
    from ..images import save_png
    from ..sheets import download_metadata, side_by_side

    strength, size = strength_of(request), f"{request.strength:.2f}"
    photo = portrait.aligned.crop.resize((resolution, resolution), reducing_gap=2.0)
    (rebuilt,) = editor.render(portrait, resolution=resolution)
    styled = [editor.render(portrait, [(fitted, 1.0)], (strength,), resolution)[0] for _, fitted in worn]
    titles = [look.title for look, _ in worn]
    stem = f"compare-{slug('-'.join(titles))}-{round(100 * request.strength)}"
    if kind == "sheet":
        sheet = side_by_side([[photo, rebuilt, *styled]], ["Photo", "Rebuilt", *titles], min(resolution, 512))
        path = folder / f"{stem}.png"
        save_png(sheet, path, download_metadata(", ".join(titles), size, world))
        return path
    path, target = folder / f"{stem}.zip", io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="nada-compare-") as name, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        png = Path(name) / "picture.png"
        save_png(photo, png, {})  # the person's own picture, only cut out
        archive.write(png, "0-photo.png")
        marked = [("rebuilt", "none", "0.00", rebuilt), *((title, title, size, picture) for title, picture in zip(titles, styled))]
        for number, (title, style, value, picture) in enumerate(marked, start=1):
            save_png(picture, png, download_metadata(style, value, world))
            archive.write(png, f"{number}-{slug(title)}.png")
    from ..files import write_bytes

    write_bytes(path, target.getvalue())
    return path
