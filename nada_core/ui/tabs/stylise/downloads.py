"""Write the Stylise tab's download files, each marked in its metadata as made by AI.

What is on show has been rendered: its picture is taken again, and waits for nobody. Only what has not been is rendered, in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nada_core.editing.base import EditResult, FittedPortrait, PhotoEditing
from nada_core.editing.session import finish_all, paste_all, paste_changes
from nada_core.errors import NadaError, PhotoError
from nada_core.system.files import slug
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.photo.downloads import Writing, in_turn, made, written
from nada_core.ui.photo.group import mosaic, people_meant
from nada_core.ui.photo.person_to_fit import align_person
from nada_core.ui.requests import EditRequest, chosen_side
from nada_core.ui.server.context import AppContext, EngineFacts
from nada_core.ui.shelves.photos import RenderedFace, ShelvedPhoto
from nada_core.ui.tabs.stylise.run import looks_asked, made_so_far, rendered_key, request_strength

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["KINDS", "download_writing", "worn_at_once", "write_download"]

KINDS = {"picture": "Picture", "photo": "In the photo", "sheet": "Side by side", "film": "Film (GIF)", "phone": "Film (MP4)"}
_MOVING = ("film", "phone")
_PHONE_STRENGTHS = 6  # rendered for a phone's film, large; it fades between them
_FILM, _LARGE_FILM = 512, 720  # pixels of a face in the films of what is worn at once


def write_download(context: AppContext, request: EditRequest, kind: str, folder: Path) -> Path:
    """Return the file of :func:`download_writing`."""
    return written(download_writing(context, request, kind, folder))


def download_writing(context: AppContext, request: EditRequest, kind: str, folder: Path) -> Writing:
    """Write what the page shows as one file in ``folder``.

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
    fitted, side = made_so_far(context, engine, entry, request), chosen_side(world.sizes, request.resolution)
    if fitted is None:
        return made(lambda: context.worker.run(partial(_write_at_once, context, engine, entry, request, kind, folder, world)))
    key = rendered_key(context, engine, entry, request, side)
    ready = entry.rendered.faces if entry.rendered is not None and entry.rendered.key == key else ()
    write = partial(_write, engine.editor, fitted, ready, request, kind, folder, world, side)
    if ready and kind not in _MOVING:
        return made(write)
    return (yield from in_turn(context, engine, write))


def worn_at_once(
    context: AppContext, engine: AppEngine, entry: ShelvedPhoto, request: EditRequest
) -> tuple[str, tuple[EditResult, ...] | None]:
    """Return the prompts of the styles, and the people in them by their students; None where there are none, or some layers are meant.

    Raises:
        NadaError: no such face, style or strength.
    """
    styles = [(look.load(), look.share) for look in looks_asked(context, engine, request)]
    people = [align_person(engine.editor, entry, person) for person in people_meant(entry, request.person, request.everyone)]
    even = len(set(request.groups)) == 1
    results = engine.wear_at_once(people, styles, request.strength * request.groups[0]) if even else None
    return " and ".join(style.card.prompt for style, _ in styles), results


def _write_at_once(
    context: AppContext, engine: AppEngine, entry: ShelvedPhoto, request: EditRequest, kind: str, folder: Path, world: EngineFacts
) -> Path:
    """Write what the styles' students draw, as :func:`_write` writes what the generator draws."""
    from PIL import Image

    label, results = worn_at_once(context, engine, entry, request)
    if results is None:
        raise PhotoError("This look has not been made yet: press Stylise first.")
    if kind in _MOVING:
        size = (_FILM, _FILM) if kind == "film" else (_LARGE_FILM, _LARGE_FILM)
        ends = [[face.convert("RGB").resize(size, reducing_gap=2.0) for face in (one.aligned, one.edited)] for one in results]
        # a student's change grows evenly with its strength, so what lies between is a blend
        frames = ([Image.blend(before, after, share) for before, after in ends] for share in _shares(kind))
        return _save_film(map(mosaic, frames), label, request, kind, folder)
    if kind == "sheet":
        picture = _sheet([[one.aligned, one.edited] for one in results], ["Photo", label], results[0].edited.width)
    elif kind == "photo" or request.everyone:
        picture = paste_changes(engine.editor, [one.instant for one in results if one.instant is not None])
    else:
        picture = results[0].edited
    return _save(picture, label, request, kind, folder, world)


def _write(
    editor: PhotoEditing,
    made: list[FittedPortrait],
    ready: Sequence[RenderedFace],
    request: EditRequest,
    kind: str,
    folder: Path,
    world: EngineFacts,
    side: int,
) -> Path:
    strength = request_strength(request)
    label = " and ".join(wearing.prompt for wearing, _ in made[0][1])
    if kind in _MOVING:
        strengths, size = [strength.scaled(value) for value in _shares(kind)], world.sizes[0] if kind == "film" else side
        frames = zip(*(editor.render(portrait, styles, strengths, size) for portrait, styles in made), strict=True)
        return _save_film(map(mosaic, frames), label, request, kind, folder)
    results: Sequence[RenderedFace | EditResult] = ready or finish_all(editor, made, strength, side)
    if kind == "sheet":
        picture = _sheet([[one.aligned, one.inverted, one.edited] for one in results], ["Photo", "Rebuilt", label], side)
    elif kind == "photo" or request.everyone:
        picture = paste_all(editor, made, results)
    else:
        picture = results[0].edited
    return _save(picture, label, request, kind, folder, world)


def _sheet(rows: list[list[Image.Image]], titles: list[str], side: int) -> Image.Image:
    from nada_core.images.sheets import side_by_side

    return side_by_side(rows, titles, min(side, 512))


def _stem(label: str, request: EditRequest) -> str:
    return f"{slug(label)}-{round(100 * request.strength)}"


def _save(picture: Image.Image, label: str, request: EditRequest, kind: str, folder: Path, world: EngineFacts) -> Path:
    from nada_core.images.image_io import save_png
    from nada_core.images.sheets import download_metadata

    path = folder / f"{_stem(label, request)}{'' if kind == 'picture' else '-' + kind}.png"
    save_png(picture, path, download_metadata(label, f"{request.strength:.2f}", world.name))
    return path


def _shares(kind: str) -> list[float]:
    """Return the shares of the strength that a film goes through."""
    from nada_core.images.films import ramp

    return list(ramp() if kind == "film" else ramp(_PHONE_STRENGTHS))


def _save_film(frames: Iterable[Image.Image], label: str, request: EditRequest, kind: str, folder: Path) -> Path:
    from nada_core.images.films import save_gif
    from nada_core.images.phone_film import save_phone_film
    from nada_core.images.sheets import AI_NOTE

    path = folder / f"{_stem(label, request)}.{'gif' if kind == 'film' else 'mp4'}"
    (save_gif if kind == "film" else save_phone_film)(list(frames), path, AI_NOTE)
    return path
