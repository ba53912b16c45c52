"""Put several styles on one photo, one after the other, and show them at other strengths. No Gradio in here."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from nada_core.editing.base import EditStages, PhotoEditing
from nada_core.editing.session import FaceToFit, StyleToFit
from nada_core.errors import NadaError, PhotoError, StyleError
from nada_core.images.small_jpeg import small_jpeg
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.endings import guarded, stoppable
from nada_core.ui.jobs.views import Progress, WorkView
from nada_core.ui.jobs.watching import TICK
from nada_core.ui.photo.person_to_fit import align_person, face_to_fit, fitted_key, stage_words
from nada_core.ui.photo.time_estimate import photo_seconds
from nada_core.ui.requests import STYLES_AT_ONCE, CompareRequest, Person
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.photos import ShelvedPhoto
from nada_core.ui.style_menu.choices import OWN, chosen_style, style_choices
from nada_core.ui.wording import duration, style_title, time_left, waiting_words

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from PIL import Image

    from nada_core.editing.portrait import FittedStyle, Portrait
    from nada_core.styles.files import Style
    from nada_core.styles.mixing import Strength

__all__ = [
    "PHOTO_WORDS",
    "CompareCell",
    "CompareView",
    "ComparedStyle",
    "chosen_looks",
    "compare_seconds",
    "default_styles",
    "filled",
    "fitted_looks",
    "run_compare_strength",
    "run_compare_styles",
    "strength_of",
]

_FIVE = ("joker", "joker-face", "joker-smile", "joker-makeup", "joker-cosplay")  # the source project's prompts, as the library names them
_PICTURE_GAP = 0.7  # seconds between pictures of the rebuilt face
PHOTO_WORDS = "Cut out and straightened"


@dataclass(frozen=True)
class CompareCell:
    """Hold one picture of the comparison; without a picture its place is kept."""

    title: str
    jpeg: bytes = b""
    distance: float | None = None  # to the photo, by face recognition
    words: str = ""  # instead of the distance
    busy: bool = False  # being made right now


def filled(cell: CompareCell, picture: Image.Image, distance: float | None = None, words: str = "") -> CompareCell:
    """Return the cell with its picture (PIL, any size; shown at 256 px)."""
    return CompareCell(cell.title, small_jpeg(picture, 256), distance, words)


@dataclass(frozen=True)
class CompareView(WorkView):
    """Hold what the page should show of a comparison now. None means unchanged."""

    sheet: tuple[CompareCell, ...] | None = None
    made: int = 0  # styles that are on show


@dataclass(frozen=True)
class ComparedStyle:
    """Hold a style to compare: its caption, what loads it, and its key on the photo shelf."""

    title: str
    load: Callable[[], Style]
    key: Hashable


def default_styles(names: Sequence[str]) -> list[str]:
    """Return the styles compared by default: those of the source project's five prompts that are listed, else the first."""
    return [name for name in _FIVE if name in names] or [name for name in names if not name.startswith(OWN)][:1]


def chosen_looks(context: AppContext, engine: AppEngine, request: CompareRequest) -> list[ComparedStyle]:
    """Return the styles to compare, each once, in their order. Only what the library lists and this page's own pass.

    Raises:
        StyleError: none, too many, or one that is not there.
    """
    names = request.styles if isinstance(request.styles, (list, tuple)) else ()
    names = list(dict.fromkeys(name for name in names if isinstance(name, str) and name))
    if not names:
        raise StyleError("No style is chosen. Choose one or more from the list, or by their pictures.")
    if len(names) > STYLES_AT_ONCE:
        raise StyleError(f"{len(names)} styles are too many to compare at once; choose at most {STYLES_AT_ONCE}.")
    titles = {value: label for label, value in style_choices(context, request.owned)}
    looks = []
    for name in names:
        try:
            load, key = chosen_style(context, engine, name, request.owned)
        except StyleError as error:
            if name.startswith(OWN):  # its sentence says what to do
                raise
            raise StyleError(f"The style “{name[:40]}” is not in the library any more. Choose another one from the list.") from error
        title = titles.get(name, style_title(name)).partition(" (just made")[0]
        looks.append(ComparedStyle(title[:1].upper() + title[1:], load, key))
    return looks


def strength_of(request: CompareRequest) -> Strength:
    """Return the strength, the same for all layers.

    Raises:
        OptionsError: out of range.
    """
    from nada_core.styles.mixing import Strength

    return Strength.even(request.strength)


def run_compare_styles(context: AppContext, request: CompareRequest, stop: Event | None = None) -> Iterator[CompareView]:
    """Fit each style and show it as soon as it is ready; a failure is the last view, with a readable ``error``.

    Once ``stop`` is set it ends at its next stage; what was finished by then stays on the shelf.
    """
    return _guarded(lambda: stoppable(_compare(context, request), stop or Event(), lambda: _stopped(context, request)))


def run_compare_strength(context: AppContext, request: CompareRequest) -> Iterator[CompareView]:
    """Yield views of the styles already fitted at another strength; nothing where there is no portrait."""
    return _guarded(lambda: _restrength(context, request))


def _guarded(work: Callable[[], Iterator[CompareView]]) -> Iterator[CompareView]:
    return guarded(work, CompareView, where="under the button", name="a comparison", sorry=" and the styles were not compared")


def _stopped(context: AppContext, request: CompareRequest) -> CompareView | None:
    if request.photo not in context.photos:  # stopped because another photo came: the page shows that one
        return None
    kept = request.person.key in context.photos.get(request.photo).portraits
    words = "What is on show stays, and what was made is kept: Continue goes on from there." if kept else "The face was not finished yet."
    return CompareView("stopped", Progress(0, "Stopped", note=words), goes_on=kept)


def _compare(context: AppContext, request: CompareRequest) -> Iterator[CompareView]:
    if not request.photo:
        raise PhotoError("There is no photo yet. Upload one, paste one, or take one with the camera.")
    yield CompareView("wait", Progress(0, "Getting the models ready", kind="wait"))
    engine, _ = context.open()
    entry, person = context.photos.get(request.photo), request.person
    looks = chosen_looks(context, engine, request)
    strength_of(request)  # fails now, not after the work
    aligned = align_person(engine.editor, entry, person)
    cells = [CompareCell("Your photo"), CompareCell("Rebuilt"), *(CompareCell(look.title) for look in looks)]
    cells[0] = filled(cells[0], aligned.crop, words=PHOTO_WORDS)
    yield CompareView("wait", Progress(0, "Waiting for the generator", kind="wait"), tuple(cells))
    faces, styles = [face_to_fit(engine.editor, entry, person)], [StyleToFit(look.key, look.load) for look in looks]
    begun, failed = time.monotonic(), list[str]()
    if context.crew is not None:
        made = context.crew.make(context, entry, faces, styles, lenient=True)
        failed = yield from _worked(engine.editor, made, request, looks, cells, context.worker.run)
    if not all(cell.jpeg or cell.words for cell in cells):  # always, without workers
        with context.join(engine) as turn:
            while not turn.wait(TICK):
                yield CompareView("wait", Progress(0, waiting_words(turn.ahead), kind="wait"))
            begun = time.monotonic()
            work = partial(_here, engine.editor, entry, faces, styles, request, looks, cells)
            failed = yield from context.worker.steps(work)
    if len(failed) == len(looks):
        raise NadaError(failed[0])
    note = f"{len(failed)} of {len(looks)} styles could not be worn." if failed else "Move the strength: all pictures follow."
    words = Progress(1, "Done", duration(time.monotonic() - begun), kind="good", note=note)
    yield CompareView("done", words, tuple(cells), made=len(looks) - len(failed))


def _here(
    editor: PhotoEditing,
    entry: ShelvedPhoto,
    faces: Sequence[FaceToFit],
    styles: Sequence[StyleToFit],
    request: CompareRequest,
    looks: Sequence[ComparedStyle],
    cells: list[CompareCell],
) -> Generator[CompareView, None, list[str]]:
    """Rebuild the face and fit each style where not done yet; to be called when it is this comparison's turn."""
    return (yield from _worked(editor, entry.steps(editor, faces, styles, lenient=True), request, looks, cells, lambda draw: draw()))


def _worked(
    editor: PhotoEditing,
    making: EditStages,
    request: CompareRequest,
    looks: Sequence[ComparedStyle],
    cells: list[CompareCell],
    drawing: Callable[[Callable[[], None]], None],
) -> Generator[CompareView, None, list[str]]:
    """Yield views of what is being made, and draw what has been, each by way of ``drawing``.

    A style that cannot be worn says so in its place; returns what these said.
    """
    begun, shown, place, failed = time.monotonic(), 0.0, 1, []
    portrait: Portrait | None = None
    cells[1] = replace(cells[1], busy=True)
    with closing(making) as stages:
        for stage in stages:
            if stage.person is None:
                continue
            words, sheet = stage_words(stage), None
            if stage.style is not None:
                words = f"{looks[stage.style].title}, style {stage.style + 1} of {len(looks)}"
                if place != stage.style + 2:
                    place = stage.style + 2
                    cells[place] = replace(cells[place], busy=True)
                    sheet = tuple(cells)
            elif stage.image is not None and time.monotonic() - shown > _PICTURE_GAP:
                shown = time.monotonic()
                cells[1] = filled(cells[1], stage.image, words="Getting closer")
                sheet = tuple(cells)
            if stage.stage or sheet:
                left = time_left(time.monotonic() - begun, stage.fraction)
                yield CompareView("run", Progress(stage.fraction, words, left, kind="run"), sheet)
            if stage.portrait is not None:
                portrait = stage.portrait
                drawing(partial(_before, editor, portrait, cells))
            elif stage.fitted is not None and portrait is not None:  # which came before it
                drawing(partial(_wear, editor, portrait, stage.fitted, request, cells, place))
            elif stage.refused is not None:
                cells[place] = replace(cells[place], busy=False, words=str(stage.refused))
                failed.append(str(stage.refused))
    return failed


def _before(editor: PhotoEditing, portrait: Portrait, cells: list[CompareCell]) -> None:
    """Fill the two cells that no style changes: the photo and the rebuilt face."""
    (rebuilt,) = editor.render(portrait)
    cells[0] = filled(cells[0], portrait.aligned.crop, words=PHOTO_WORDS)
    cells[1] = filled(cells[1], rebuilt, editor.scores(portrait, rebuilt).identity)


def _wear(
    editor: PhotoEditing, portrait: Portrait, fitted: FittedStyle, request: CompareRequest, cells: list[CompareCell], place: int
) -> None:
    (picture,) = editor.render(portrait, [(fitted, 1.0)], (strength_of(request),))  # at the generator's smallest size
    cells[place] = filled(cells[place], picture, editor.scores(portrait, picture).identity)


def fitted_looks(
    context: AppContext, engine: AppEngine, request: CompareRequest
) -> tuple[Portrait | None, list[tuple[ComparedStyle, FittedStyle | None]]]:
    """Return the portrait and each look with its fitted style; None for what is not on the shelf.

    Raises:
        PhotoError, StyleError: the photo or a style is no longer there.
    """
    entry = context.photos.get(request.photo)
    looks = chosen_looks(context, engine, request)
    return entry.portraits.get(request.person.key), [(look, entry.fitted.get(fitted_key(request.person, look.key))) for look in looks]


def _restrength(context: AppContext, request: CompareRequest) -> Iterator[CompareView]:
    if not request.photo or not request.styles:
        return
    engine, _ = context.open()
    portrait, looks = fitted_looks(context, engine, request)
    strength_of(request)
    if portrait is None:
        return
    with context.join(engine) as turn:
        while not turn.wait(TICK):
            yield CompareView("wait", Progress(1, "The new strength follows when the other job is done", kind="wait"))
        begun = time.monotonic()
        cells = context.worker.run(partial(_redrawn, engine.editor, portrait, looks, request))
    words = Progress(1, f"Strength {request.strength:.2f}", duration(time.monotonic() - begun), kind="good")
    yield CompareView("done", words, tuple(cells), made=sum(fitted is not None for _, fitted in looks))


def _redrawn(
    editor: PhotoEditing, portrait: Portrait, looks: Sequence[tuple[ComparedStyle, FittedStyle | None]], request: CompareRequest
) -> list[CompareCell]:
    """Return all cells, their pictures drawn at another strength."""
    cells = [CompareCell("Your photo"), CompareCell("Rebuilt"), *(CompareCell(look.title) for look, _ in looks)]
    _before(editor, portrait, cells)
    for place, (_, fitted) in enumerate(looks, start=2):
        if fitted is None:
            cells[place] = replace(cells[place], words="Not made: press Compare")
        else:
            _wear(editor, portrait, fitted, request, cells, place)
    return cells


def compare_seconds(context: AppContext, request: CompareRequest) -> dict[str, float]:
    """Return the estimated seconds, by likeness mode, that a press of the Compare tab's button takes."""

    def wanted(_: ShelvedPhoto) -> tuple[list[Person], list[Hashable]]:
        return [request.person], [look.key for look in chosen_looks(context, context.open()[0], request)]

    return photo_seconds(context, request.photo, wanted)
