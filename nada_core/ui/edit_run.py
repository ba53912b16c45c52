"""One photo as the page sees it: find the face, invert it, wear styles, change strengths, take it away. No Gradio in here."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from ..errors import OptionsError, PhotoError, StyleError
from .all_faces import everyones_note, mean_scores, mosaic, people_meant
from .context import AppContext
from .edit_stage import edit_working
from .fitting import FitStage, Person, align_person, fit_look, fit_person, relay, worn_key
from .guarded import guarded
from .portraits import ShelvedPhoto
from .sizes import chosen_side
from .stopping import stoppable
from .text import duration, style_title, time_left, waiting_words
from .widgets import identity_panel, progress

__all__ = [
    "OWN",
    "Dressed",
    "EditRequest",
    "EditView",
    "chosen_style",
    "look_keys",
    "made_so_far",
    "request_strength",
    "run_edit",
    "run_rerender",
    "style_choices",
]

Dressed = tuple[Any, list[tuple[Any, float]]]  # a portrait, and the styles fitted to it with their shares
OWN = "mine:"  # marks a dropdown value that is the id of an unsaved style, not the name of a saved one
_TICK = 1.0
_PICTURE_GAP = 0.7  # seconds between pictures of the rebuilt face


@dataclass(frozen=True)
class EditRequest:
    """What the person asked for; ``owned`` are the ids of the unsaved styles made on the same page."""

    photo: str | None  # id on the photo shelf
    style: str | None
    strength: float = 1.0
    groups: tuple[float, float, float] = (1.0, 1.0, 1.0)  # further factors for shape, texture, colour
    blend: str | None = None
    share: float = 0.5  # of the second style
    face: int = 0
    points: tuple[tuple[float, float], ...] = ()
    mode: str = "balanced"
    resolution: int | None = None  # pixels of a side; None: the generator's smallest
    paste: bool = False
    owned: Sequence[str] = ()
    everyone: bool = False  # all faces that were found, in the whole photo

    @property
    def person(self) -> Person:
        """What an inversion depends on."""
        return Person(self.face, self.points, self.mode)


@dataclass(frozen=True)
class EditView:
    """What the page should show now. None means unchanged."""

    phase: str  # "wait" | "run" | "done" | "stopped" | "failed" | "unmade" (only the button makes this look)
    progress: str
    working: str | None = None  # the face on its way, while there is no result
    pair: tuple[str, str] | None = None
    inverted: str | None = None
    identity: str | None = None
    error: str = ""
    scores: dict[str, Any] | None = None  # the same as numbers


def style_choices(context: AppContext, owned: Sequence[str]) -> list[tuple[str, str]]:
    """(label, value) pairs for the style dropdown: the ones just made here first, then the library."""
    pairs = [(f"{label.prompt} (just made, {label.steps} steps)", OWN + key) for key, label in context.shelf.listing(owned)]
    if context.is_open:
        engine, _ = context.open()
        pairs += [(style_title(card.name, card.prompt), card.name) for card in engine.styles()]
    return pairs


def run_edit(context: AppContext, request: EditRequest, stop: Event | None = None) -> Iterator[EditView]:
    """Yield views until the edit is done, stopped or refused; a failure is the last view, with a readable ``error``.

    Once ``stop`` is set the edit ends at its next stage; what was finished by then stays on the shelf.
    """
    return _guarded(lambda: stoppable(_edit(context, request), stop or Event(), lambda: _stopped(context, request)))


def run_rerender(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    """The same photo and styles at another strength, share or size: one picture, no steps; nothing where there is no portrait yet."""
    return _guarded(lambda: _rerender(context, request))


def _guarded(work: Callable[[], Iterator[EditView]]) -> Iterator[EditView]:
    return guarded(work, EditView, where="under the button", name="an edit", sorry=" and the photo was not edited")


def chosen_style(context: AppContext, engine: Any, name: str | None, owned: Sequence[str]) -> tuple[Callable[[], Any], Any]:
    """What loads a style, and what to remember it by. Only names the library lists are passed on: never a path from the browser.

    Raises:
        StyleError: none is chosen, or it is not there, or not this page's.
    """
    if not name:
        raise StyleError("No style is chosen. Pick one from the list, or make one in the Adapt tab first.")
    if name.startswith(OWN):
        key = name[len(OWN) :]
        return lambda: context.shelf.get(key, owned).style, (name, context.shelf.label(key, owned).steps)
    created = {card.name: getattr(card, "created", "") for card in engine.styles()}
    if name not in created:
        raise StyleError("This style is not in the library any more. Choose another one from the list.")
    return partial(engine.style, name), (name, created[name])


def _looks(context: AppContext, engine: Any, request: EditRequest) -> list[tuple[Callable[[], Any], Any, float]]:
    """(loader, key, share) of each style to wear."""
    if not 0 <= request.share <= 1:
        raise OptionsError(f"The second style's share is {request.share:g}; it must be between 0 and 1.")
    first = chosen_style(context, engine, request.style, request.owned)
    if not request.blend or request.blend == request.style or not request.share:
        return [(*first, 1.0)]
    second = chosen_style(context, engine, request.blend, request.owned)
    return [(*first, 1 - request.share), (*second, request.share)]


def look_keys(context: AppContext, request: EditRequest) -> list[Any]:
    """What the shelf keeps the chosen styles under.

    Raises:
        StyleError: none is chosen, or one is not there.
    """
    return [key for _, key, _ in _looks(context, context.open()[0], request)]


def _stopped(context: AppContext, request: EditRequest) -> EditView | None:
    try:
        entry = context.photos.get(request.photo)
    except PhotoError:  # stopped because another photo came: the page shows that one
        return None
    return EditView("stopped", progress(0, "Stopped", note=_kept_words(entry, request)))


def _kept_words(entry: ShelvedPhoto, request: EditRequest) -> str:
    """What an edit that was stopped has left."""
    people = people_meant(entry, request.person, request.everyone)
    made = sum(person.key in entry.portraits for person in people)
    if not made:
        return "The face was not finished yet: Stylise begins it again."
    if made < len(people):
        return f"{made} of {len(people)} rebuilt faces {'is' if made == 1 else 'are'} kept: Stylise goes on with the next."
    return (
        "The rebuilt face is kept: Stylise goes on from there." if made == 1 else "The rebuilt faces are kept: Stylise goes on from there."
    )


def _edit(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    if not request.photo:
        raise PhotoError("There is no photo yet. Upload one, paste one, or take one with the camera.")
    yield EditView("wait", progress(0, "Getting the models ready", kind="wait"))
    engine, world = context.open()
    entry = context.photos.get(request.photo)
    looks = _looks(context, engine, request)
    request_strength(request)  # said now, not after the work
    side = chosen_side(world.sizes, request.resolution)
    people = people_meant(entry, request.person, request.everyone)
    crop = align_person(engine.editor, entry, people[0]).crop
    yield EditView("wait", progress(0, "Waiting for the generator", kind="wait"), edit_working(0, "Cut out", crop))
    with context.join(engine) as turn, tempfile.TemporaryDirectory(prefix="nada-edit-") as name:
        while not turn.wait(_TICK):
            yield EditView("wait", progress(0, waiting_words(turn.ahead), kind="wait"))
        work = partial(_worked, Path(name), engine.editor, entry, request, people, looks, side, crop)
        for view in context.worker.steps(work):
            if view.phase == "done":
                turn.leave()
            yield view  # the page has its own copies of the files once the last one is delivered


def _worked(
    folder: Path, editor: Any, entry: ShelvedPhoto, request: EditRequest, people: Sequence[Person], looks: Any, side: int, crop: Any
) -> Iterator[EditView]:
    """What is to be computed, once it is this edit's turn; ``crop`` is the picture to begin with."""
    begun, made = time.monotonic(), []
    for number, person in enumerate(people):
        stages = _shown(_fitted(editor, entry, person, looks), number, len(people), begun, crop)
        made.append((yield from stages))
    yield EditView("run", progress(0.99, "Rendering", kind="run"))
    yield _finished(folder, editor, made, request, side, begun)


def _rerender(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    if not request.photo:
        return
    engine, world = context.open()
    entry = context.photos.get(request.photo)
    made, side = made_so_far(context, engine, entry, request), chosen_side(world.sizes, request.resolution)
    if made is None:  # another face or style than the one on show
        if entry.portraits:
            yield EditView("unmade", progress(0, "Press Stylise to see this look", note="What is shown is the look before."))
        return
    with context.join(engine) as turn:
        while not turn.wait(_TICK):
            yield EditView("wait", progress(1, "The new strength follows when the other job is done", kind="wait"))
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="nada-edit-") as name:
            yield context.worker.run(partial(_finished, Path(name), engine.editor, made, request, side, begun))


def made_so_far(context: AppContext, engine: Any, entry: ShelvedPhoto, request: EditRequest) -> list[Dressed] | None:
    """Portrait and fitted styles of each person that a request needs, where all of them have been made."""
    looks, made = _looks(context, engine, request), []
    for person in people_meant(entry, request.person, request.everyone):
        portrait = entry.portraits.get(person.key)
        worn = [(entry.worn.get(worn_key(person, key)), share) for _, key, share in looks]
        if portrait is None or any(wearing is None for wearing, _ in worn):
            return None
        made.append((portrait, worn))
    return made


def _fitted(
    editor: Any, entry: ShelvedPhoto, person: Person, looks: Sequence[tuple[Callable[[], Any], Any, float]]
) -> Generator[FitStage, None, Dressed]:
    """Whatever of a person and their styles is not there yet."""
    start = 0.0 if person.key in entry.portraits else 0.75
    portrait = yield from _part(fit_person(editor, entry, person), 0.0, start)
    span, worn = (1 - start) / len(looks), []
    for number, (load, key, share) in enumerate(looks):
        fitted = yield from _part(fit_look(editor, entry, person, portrait, load, key), start + number * span, span)
        worn.append((fitted, share))
    return portrait, worn


def _part(stages: Generator[FitStage, None, Any], start: float, span: float) -> Generator[FitStage, None, Any]:
    """The same stages as a part of the bar."""
    return relay(stages, lambda stage: replace(stage, fraction=start + span * stage.fraction))


def _shown(
    stages: Generator[FitStage, None, Dressed], number: int, count: int, begun: float, picture: Any
) -> Generator[EditView, None, Dressed]:
    """Follow the work on one of ``count`` people, showing the face as the generator gets closer to it; ``picture`` comes first."""
    prefix, shown, step = f"Face {number + 1} of {count}: " if count > 1 else "", 0.0, -1

    def view(stage: FitStage) -> EditView:
        nonlocal shown, step, picture
        now, working, here = time.monotonic(), None, 2 if stage.part == "worn" else 1
        fraction = (number + stage.fraction) / count
        words = prefix + (stage.words[:1].lower() + stage.words[1:] if prefix else stage.words)
        picture = stage.image or picture
        if here != step or (stage.image is not None and now - shown > _PICTURE_GAP):
            shown, step, working = now, here, edit_working(here, words, picture)
        return EditView("run", progress(fraction, words, time_left(now - begun, fraction), kind="run"), working)

    return relay(stages, view)


def request_strength(request: EditRequest) -> Any:
    """Strength by layer group.

    Raises:
        OptionsError: out of range.
    """
    from ..mixing import Strength

    if not all(0 <= factor <= 1 for factor in request.groups):
        raise OptionsError("The strengths by layer must be between 0 and 1.")
    return Strength(*(request.strength * factor for factor in request.groups))


def _finished(folder: Path, editor: Any, made: Sequence[Dressed], request: EditRequest, side: int, begun: float) -> EditView:
    from ..editing import paste_all

    strength = request_strength(request)
    results = [editor.finish(portrait, worn, strength, side) for portrait, worn in made]
    (portrait, _), result = made[0], results[0]
    before, after, kind = result.aligned, result.edited, "png"
    if request.paste or request.everyone:
        before, after = portrait.aligned.photo, paste_all(editor, [portrait for portrait, _ in made], results)
        before, after, kind = _small(before), _small(after), "jpg"  # whole photos are several megabytes as PNG
    paths = {"before": before, "after": after}
    for part, picture in paths.items():
        picture.save(folder / f"{part}.{kind}", quality=90)
    mosaic([one.inverted for one in results]).save(folder / "inverted.png")
    notes = [everyones_note(result.faces)] if request.everyone else list(result.notes)
    scores = mean_scores(results)
    each = [one.identity_edited for one in results] if len(results) > 1 else ()
    return EditView(
        "done",
        progress(
            1,
            "Done",
            duration(time.monotonic() - begun),
            kind="good",
            note=" ".join(notes) or "Move the strength: the picture follows. Drag the handle to compare.",
        ),
        "",
        (str(folder / f"before.{kind}"), str(folder / f"after.{kind}")),
        str(folder / "inverted.png"),
        identity_panel(*scores.values(), each=each),
        scores={**scores, "faces": result.faces, "face": result.face, "notes": notes},
    )


def _small(picture: Any, side: int = 1600) -> Any:
    """A large photo at a size fit for a page; the download has it whole."""
    picture = picture.copy()
    picture.thumbnail((side, side))
    return picture
