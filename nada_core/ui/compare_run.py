"""Several styles on one photo: fitted one after the other, then all at another strength. No Gradio in here."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import Any

from ..errors import NadaError, OptionsError, PhotoError, StyleError
from .compare_sheet import CompareCell, compare_html, filled
from .context import AppContext
from .edit_run import OWN, chosen_style, style_choices
from .fitting import FitStage, Person, align_person, fit_look, fit_person, relay, worn_key
from .guarded import guarded
from .portraits import ShelvedPhoto
from .stopping import stoppable
from .text import duration, style_title, time_left, waiting_words
from .widgets import progress

__all__ = [
    "MOST_STYLES",
    "CompareRequest",
    "CompareView",
    "Look",
    "chosen_looks",
    "default_styles",
    "fitted_looks",
    "run_compare_strength",
    "run_compare_styles",
    "strength_of",
]

MOST_STYLES = 6
_FIVE = ("joker", "joker-face", "joker-smile", "joker-makeup", "joker-cosplay")  # the source project's prompts, as the library names them
_TICK = 1.0
_PICTURE_GAP = 0.7  # seconds between pictures of the rebuilt face
_PORTRAIT, _KNOWN = 2.5, 0.05  # how long a portrait, and what is on the shelf already, take in terms of a style's fit
_PHOTO_WORDS = "Cut out and straightened"


@dataclass(frozen=True)
class CompareRequest:
    """What is to be compared; ``owned`` are the ids of the unsaved styles made on the same page."""

    photo: str | None  # id on the photo shelf
    styles: Any = ()  # names, or marked ids of unsaved styles, as the browser sent them
    strength: float = 1.0
    person: Person = field(default_factory=Person)
    owned: Sequence[str] = ()


@dataclass(frozen=True)
class CompareView:
    """What the page should show now. None means unchanged."""

    phase: str  # "wait" | "run" | "done" | "failed" | "stopped"
    progress: str
    sheet: str | None = None
    error: str = ""
    made: int = 0  # styles that are on show


@dataclass(frozen=True)
class Look:
    """A style to compare: its caption, what loads it, and its key on the photo shelf."""

    title: str
    load: Callable[[], Any]
    key: Any


def default_styles(names: Sequence[str]) -> list[str]:
    """What is compared unless somebody chooses: those of the source project's five prompts that are listed, else the first style."""
    return [name for name in _FIVE if name in names] or [name for name in names if not name.startswith(OWN)][:1]


def chosen_looks(context: AppContext, engine: Any, request: CompareRequest) -> list[Look]:
    """The styles to compare, each once, in their order. Only what the library lists and this page's own pass.

    Raises:
        StyleError: none, too many, or one that is not there.
    """
    names = request.styles if isinstance(request.styles, (list, tuple)) else ()
    names = list(dict.fromkeys(name for name in names if isinstance(name, str) and name))
    if not names:
        raise StyleError("No style is chosen. Choose one or more from the list, or by their pictures.")
    if len(names) > MOST_STYLES:
        raise StyleError(f"{len(names)} styles are too many to compare at once; choose at most {MOST_STYLES}.")
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
        looks.append(Look(style_title(title), load, key))
    return looks


def strength_of(request: CompareRequest) -> Any:
    """The strength, the same for all layers.

    Raises:
        OptionsError: out of range.
    """
    from ..mixing import Strength

    return Strength.even(request.strength)


def run_compare_styles(context: AppContext, request: CompareRequest, stop: Event | None = None) -> Iterator[CompareView]:
    """Fit each style and show it as soon as it is ready; a failure is the last view, with a readable ``error``.

    Once ``stop`` is set it ends at its next stage; what was finished by then stays on the shelf.
    """
    return _guarded(lambda: stoppable(_compare(context, request), stop or Event(), lambda: _stopped(context, request)))


def run_compare_strength(context: AppContext, request: CompareRequest) -> Iterator[CompareView]:
    """Those of the styles that have been fitted, at another strength; nothing where there is no portrait."""
    return _guarded(lambda: _restrength(context, request))


def _guarded(work: Callable[[], Iterator[CompareView]]) -> Iterator[CompareView]:
    return guarded(work, CompareView, where="under the button", name="a comparison", sorry=" and the styles were not compared")


def _stopped(context: AppContext, request: CompareRequest) -> CompareView | None:
    if request.photo not in context.photos:  # stopped because another photo came: the page shows that one
        return None
    return CompareView(
        "stopped", progress(0, "Stopped", note="What is on show stays, and what was made is kept: Compare goes on from there.")
    )


class _Bar:
    """Progress over parts of different lengths."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._weights, self._begun = weights, time.monotonic()
        self.part = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def html(self, fraction: float, words: str) -> str:
        done = sum(self._weights[: self.part]) + fraction * self._weights[self.part]
        share = done / sum(self._weights)
        return progress(share, words, time_left(self.seconds, share), kind="run")


def _compare(context: AppContext, request: CompareRequest) -> Iterator[CompareView]:
    if not request.photo:
        raise PhotoError("There is no photo yet. Upload one, paste one, or take one with the camera.")
    yield CompareView("wait", progress(0, "Getting the models ready", kind="wait"))
    engine, _ = context.open()
    entry, person = context.photos.get(request.photo), request.person
    looks = chosen_looks(context, engine, request)
    strength_of(request)  # said now, not after the work
    aligned = align_person(engine.editor, entry, person)
    cells = [CompareCell("Your photo"), CompareCell("Rebuilt"), *(CompareCell(look.title) for look in looks)]
    cells[0] = filled(cells[0], aligned.crop, words=_PHOTO_WORDS)
    yield CompareView("wait", progress(0, "Waiting for the generator", kind="wait"), compare_html(cells))
    with context.join(engine) as turn:
        while not turn.wait(_TICK):
            yield CompareView("wait", progress(0, waiting_words(turn.ahead), kind="wait"))
        bar = _Bar(
            [
                _KNOWN if person.key in entry.portraits else _PORTRAIT,
                *(_KNOWN if worn_key(person, look.key) in entry.worn else 1.0 for look in looks),
            ]
        )
        failed = yield from context.worker.steps(partial(_worked, engine.editor, entry, request, looks, cells, bar))
    if len(failed) == len(looks):
        raise NadaError(failed[0])
    note = f"{len(failed)} of {len(looks)} styles could not be worn." if failed else "Move the strength: all pictures follow."
    words = progress(1, "Done", duration(bar.seconds), kind="good", note=note)
    yield CompareView("done", words, compare_html(cells), made=len(looks) - len(failed))


def _worked(
    editor: Any, entry: ShelvedPhoto, request: CompareRequest, looks: Sequence[Look], cells: list[CompareCell], bar: _Bar
) -> Generator[CompareView, None, list[str]]:
    """What is to be computed, once it is this comparison's turn; returns what was said of styles that could not be worn."""
    portrait = yield from _portrait(editor, entry, request.person, cells, bar)
    return (yield from _styles(editor, entry, request, portrait, looks, cells, bar))


def _portrait(editor: Any, entry: ShelvedPhoto, person: Person, cells: list[CompareCell], bar: _Bar) -> Generator[CompareView, None, Any]:
    """The portrait; on the way the face as the generator gets closer to it."""
    shown = 0.0
    cells[1] = replace(cells[1], busy=True)

    def view(stage: FitStage) -> CompareView:
        nonlocal shown
        sheet = None
        if stage.image is not None and time.monotonic() - shown > _PICTURE_GAP:
            shown = time.monotonic()
            cells[1] = filled(cells[1], stage.image, words="Getting closer")
            sheet = compare_html(cells)
        return CompareView("run", bar.html(stage.fraction, stage.words), sheet)

    portrait = yield from relay(fit_person(editor, entry, person), view)
    _before(editor, portrait, cells)
    bar.part = 1
    return portrait


def _before(editor: Any, portrait: Any, cells: list[CompareCell]) -> None:
    """The two pictures that no style changes."""
    (rebuilt,) = editor.render(portrait)
    cells[0] = filled(cells[0], portrait.aligned.crop, words=_PHOTO_WORDS)
    cells[1] = filled(cells[1], rebuilt, editor.scores(portrait, rebuilt).identity)


def _styles(
    editor: Any,
    entry: ShelvedPhoto,
    request: CompareRequest,
    portrait: Any,
    looks: Sequence[Look],
    cells: list[CompareCell],
    bar: _Bar,
) -> Generator[CompareView, None, list[str]]:
    """Fit and show one style after the other. One that cannot be worn says so in its place; returns what these said."""
    failed = []
    for number, look in enumerate(looks):
        place, words = number + 2, f"{look.title}, style {number + 1} of {len(looks)}"
        cells[place] = replace(cells[place], busy=True)
        yield CompareView("run", bar.html(0.0, words), compare_html(cells))
        try:
            stages = fit_look(editor, entry, request.person, portrait, look.load, look.key)
            worn = yield from relay(stages, partial(_fitting, bar, words))
            _wear(editor, portrait, worn, request, cells, place)
        except OptionsError:
            raise
        except NadaError as error:
            cells[place] = replace(cells[place], busy=False, words=str(error))
            failed.append(str(error))
        bar.part = min(number + 2, len(looks))
    return failed


def _fitting(bar: _Bar, words: str, stage: FitStage) -> CompareView:
    return CompareView("run", bar.html(stage.fraction, words))


def _wear(editor: Any, portrait: Any, worn: Any, request: CompareRequest, cells: list[CompareCell], place: int) -> None:
    (picture,) = editor.render(portrait, [(worn, 1.0)], (strength_of(request),))  # at the generator's smallest size
    cells[place] = filled(cells[place], picture, editor.scores(portrait, picture).identity)


def fitted_looks(context: AppContext, engine: Any, request: CompareRequest) -> tuple[Any, list[tuple[Look, Any]]]:
    """The portrait and each look with its fitted style; None for what is not on the shelf.

    Raises:
        PhotoError, StyleError: the photo or a style is no longer there.
    """
    entry = context.photos.get(request.photo)
    looks = chosen_looks(context, engine, request)
    return entry.portraits.get(request.person.key), [(look, entry.worn.get(worn_key(request.person, look.key))) for look in looks]


def _restrength(context: AppContext, request: CompareRequest) -> Iterator[CompareView]:
    if not request.photo or not request.styles:
        return
    engine, _ = context.open()
    portrait, looks = fitted_looks(context, engine, request)
    strength_of(request)
    if portrait is None:
        return
    with context.join(engine) as turn:
        while not turn.wait(_TICK):
            yield CompareView("wait", progress(1, "The new strength follows when the other job is done", kind="wait"))
        begun = time.monotonic()
        cells = context.worker.run(partial(_redrawn, engine.editor, portrait, looks, request))
    words = progress(1, f"Strength {request.strength:.2f}", duration(time.monotonic() - begun), kind="good")
    yield CompareView("done", words, compare_html(cells), made=sum(worn is not None for _, worn in looks))


def _redrawn(editor: Any, portrait: Any, looks: Sequence[tuple[Look, Any]], request: CompareRequest) -> list[CompareCell]:
    """All pictures at another strength."""
    cells = [CompareCell("Your photo"), CompareCell("Rebuilt"), *(CompareCell(look.title) for look, _ in looks)]
    _before(editor, portrait, cells)
    for place, (_, worn) in enumerate(looks, start=2):
        if worn is None:
            cells[place] = replace(cells[place], words="Not made: press Compare")
        else:
            _wear(editor, portrait, worn, request, cells, place)
    return cells
