"""Write the Compare tab's download files: rendered when asked for, each marked in its metadata as made by AI."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.editing.base import PhotoEditing
from nada_core.errors import NadaError, PhotoError
from nada_core.system.files import slug
from nada_core.ui.photo.downloads import Writing, in_turn, written
from nada_core.ui.requests import CompareRequest, chosen_side
from nada_core.ui.server.context import AppContext
from nada_core.ui.tabs.compare.run import ComparedStyle, fitted_looks, strength_of

if TYPE_CHECKING:
    from nada_core.editing.portrait import FittedStyle, Portrait

__all__ = ["COMPARE_KINDS", "comparison_writing", "write_comparison"]

COMPARE_KINDS = {"sheet": "Sheet (PNG)", "pictures": "Pictures (zip)"}


def write_comparison(context: AppContext, request: CompareRequest, kind: str, folder: Path, resolution: int | None = None) -> Path:
    """Return the file of :func:`comparison_writing`."""
    return written(comparison_writing(context, request, kind, folder, resolution))


def comparison_writing(context: AppContext, request: CompareRequest, kind: str, folder: Path, resolution: int | None = None) -> Writing:
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
    fits = [(look, fitted) for look, fitted in looks if fitted is not None]
    if portrait is None or not fits:
        raise PhotoError("Nothing has been compared yet: press Compare first.")
    strength_of(request)
    side = chosen_side(world.sizes, resolution)
    return (yield from in_turn(context, engine, partial(_write, engine.editor, portrait, fits, request, kind, folder, side, world.name)))


def _write(
    editor: PhotoEditing,
    portrait: Portrait,
    fits: list[tuple[ComparedStyle, FittedStyle]],
    request: CompareRequest,
    kind: str,
    folder: Path,
    resolution: int,
    world: str,
) -> Path:
    from nada_core.images.image_io import save_png
    from nada_core.images.sheets import download_metadata, side_by_side, zip_pictures

    strength, size = strength_of(request), f"{request.strength:.2f}"
    photo = portrait.aligned.crop.resize((resolution, resolution), reducing_gap=2.0)
    (rebuilt,) = editor.render(portrait, resolution=resolution)
    styled = [editor.render(portrait, [(fitted, 1.0)], (strength,), resolution)[0] for _, fitted in fits]
    titles = [look.title for look, _ in fits]
    stem = f"compare-{slug('-'.join(titles))}-{round(100 * request.strength)}"
    if kind == "sheet":
        sheet = side_by_side([[photo, rebuilt, *styled]], ["Photo", "Rebuilt", *titles], min(resolution, 512))
        path = folder / f"{stem}.png"
        save_png(sheet, path, download_metadata(", ".join(titles), size, world))
        return path
    path = folder / f"{stem}.zip"
    marked = [("rebuilt", "none", "0.00", rebuilt), *((title, title, size, picture) for title, picture in zip(titles, styled))]
    shown = [
        (f"{number}-{slug(title)}.png", picture, download_metadata(style, value, world))
        for number, (title, style, value, picture) in enumerate(marked, start=1)
    ]
    zip_pictures(path, [("0-photo.png", photo, {}), *shown])  # the first is the person's own picture, only cut out
    return path
