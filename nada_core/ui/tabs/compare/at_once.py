"""Show the chosen styles on a photo by their students, before anything is pressed. No Gradio in here."""

from __future__ import annotations

from functools import partial

from nada_core.errors import NadaError
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.photo.person_to_fit import align_person
from nada_core.ui.requests import CompareRequest
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.photos import ShelvedPhoto
from nada_core.ui.tabs.compare.run import PHOTO_WORDS, CompareCell, ComparedStyle, chosen_looks, filled, strength_of

__all__ = ["compare_at_once"]

_SIDE = 256  # what students were taught on, and the size of the pictures here


def compare_at_once(context: AppContext, request: CompareRequest) -> tuple[CompareCell, ...]:
    """Return the sheet of the chosen styles as their students draw them, some 50 ms a style; nothing where no style has a student."""
    if not context.is_open or not request.photo:
        return ()
    try:
        engine, entry = context.open()[0], context.photos.get(request.photo)
        if not entry.faces and not request.person.points:
            return ()
        looks = chosen_looks(context, engine, request)
        strength_of(request)
        return context.worker.run(partial(_drawn, engine, entry, request, looks))
    except NadaError:  # whoever presses the button is told
        return ()


def _drawn(engine: AppEngine, entry: ShelvedPhoto, request: CompareRequest, looks: list[ComparedStyle]) -> tuple[CompareCell, ...]:
    crop = align_person(engine.editor, entry, request.person).crop
    face = crop.resize((_SIDE, _SIDE), reducing_gap=2.0)
    cells = [filled(CompareCell("Your photo"), crop, words=PHOTO_WORDS), CompareCell("Rebuilt", words="Press Compare")]
    drawn = 0
    for look in looks:
        cell, picture = CompareCell(look.title, words="Press Compare"), engine.students.wear(face, [(look.load(), 1.0)], request.strength)
        if picture is not None:
            cell, drawn = filled(cell, picture, words="At once"), drawn + 1
        cells.append(cell)
    return tuple(cells) if drawn else ()
