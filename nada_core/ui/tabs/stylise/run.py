"""Edit one photo for the page: invert the face, wear styles, change strengths. No Gradio in here."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from nada_core.editing.base import EditProgress, EditResult, EditStages, FittedPortrait, PhotoEditing
from nada_core.editing.session import StyleToFit, finish_all, paste_all
from nada_core.errors import NadaError, OptionsError, PhotoError
from nada_core.images.small_jpeg import small_jpeg
from nada_core.ui.app_engine import AppEngine
from nada_core.ui.jobs.endings import guarded, stoppable
from nada_core.ui.jobs.views import Progress, WorkView
from nada_core.ui.jobs.watching import TICK
from nada_core.ui.photo.group import everyones_note, mean_scores, mosaic, people_meant
from nada_core.ui.photo.person_to_fit import align_person, face_to_fit, stage_words
from nada_core.ui.photo.time_estimate import photo_seconds
from nada_core.ui.requests import EditRequest, Person, chosen_side
from nada_core.ui.server.context import AppContext
from nada_core.ui.shelves.photos import Rendered, RenderedFace, ShelvedPhoto
from nada_core.ui.style_menu.choices import chosen_style
from nada_core.ui.wording import duration, time_left, waiting_words

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from PIL import Image

    from nada_core.styles.mixing import Strength

__all__ = [
    "EditView",
    "edit_seconds",
    "face_at_once",
    "is_ready",
    "is_unmade",
    "look_keys",
    "looks_asked",
    "made_so_far",
    "rendered_key",
    "request_strength",
    "run_edit",
    "run_rerender",
    "unmade_words",
]

_PICTURE_GAP = 0.7  # seconds between pictures of the rebuilt face
_SKETCH_SIDE = 512  # pixels of a face that wears its style at once
_FOUND = "is found, and wears the style at once: take it away below, or press Stylise to have it drawn anew, more finely."
_SKETCH = "This is the style at once. The generator now draws the face anew, more finely."


@dataclass(frozen=True)
class Working:
    """Hold the face on its way to the result."""

    step: int  # which of the steps on the page is under way, from 0
    words: str  # what is being done
    jpeg: bytes  # the face as it is now
    sketched: bool = False  # it wears the style already, by a student


@dataclass(frozen=True)
class Likeness:
    """Hold how much is left of the person; means where several faces were edited, with single distances in `each`."""

    inverted: float | None = None  # distance of the rebuilt face to the photo, by face recognition
    edited: float | None = None  # distance of the face with the style to the photo
    error: float | None = None  # RMS of the rebuilt pixels, in [0, 2]
    each: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class EditView(WorkView):
    """Hold what the page should show of an edit now. None means unchanged. Another phase is "unmade": only the button makes this look."""

    working: Working | None = None  # while there is no result
    pair: tuple[str, str] | None = None
    inverted: str | None = None
    likeness: Likeness | None = None
    scores: dict[str, Any] | None = None  # the likeness as numbers


def run_edit(context: AppContext, request: EditRequest, stop: Event | None = None) -> Iterator[EditView]:
    """Yield views until the edit is done, stopped or refused; a failure is the last view, with a readable ``error``.

    Once ``stop`` is set the edit ends at its next stage; what was finished by then stays on the shelf.
    """
    return _guarded(lambda: stoppable(_edit(context, request), stop or Event(), lambda: _stopped(context, request)))


def run_rerender(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    """Yield a finished edit at another strength, share or size: one picture, no steps; nothing where there is no portrait yet."""
    return _guarded(lambda: _rerender(context, request))


def _guarded(work: Callable[[], Iterator[EditView]]) -> Iterator[EditView]:
    return guarded(work, EditView, where="under the button", name="an edit", sorry=" and the photo was not edited")


def looks_asked(context: AppContext, engine: AppEngine, request: EditRequest) -> list[StyleToFit]:
    """Return the styles to wear."""
    if not 0 <= request.share <= 1:
        raise OptionsError(f"The second style's share is {request.share:g}; it must be between 0 and 1.")
    load, key = chosen_style(context, engine, request.style, request.owned)
    if not request.blend or request.blend == request.style or not request.share:
        return [StyleToFit(key, load)]
    second, other = chosen_style(context, engine, request.blend, request.owned)
    return [StyleToFit(key, load, 1 - request.share), StyleToFit(other, second, request.share)]


def look_keys(context: AppContext, request: EditRequest) -> list[Hashable]:
    """Return the keys of the chosen styles on the photo shelf.

    Raises:
        StyleError: none is chosen, or one is not there.
    """
    return [look.key for look in looks_asked(context, context.open()[0], request)]


def _stopped(context: AppContext, request: EditRequest) -> EditView | None:
    try:
        entry = context.photos.get(request.photo)
    except PhotoError:  # stopped because another photo came: the page shows that one
        return None
    kept = any(person.key in entry.portraits for person in people_meant(entry, request.person, request.everyone))
    return EditView("stopped", Progress(0, "Stopped", note=_kept_words(entry, request)), goes_on=kept)


def _kept_words(entry: ShelvedPhoto, request: EditRequest) -> str:
    """Return the words on what an edit that was stopped has kept."""
    people = people_meant(entry, request.person, request.everyone)
    made = sum(person.key in entry.portraits for person in people)
    if not made:
        return "The face was not finished yet: Stylise begins it again."
    if made < len(people):
        return f"{made} of {len(people)} rebuilt faces {'is' if made == 1 else 'are'} kept: Continue goes on with the next."
    return (
        "The rebuilt face is kept: Continue goes on from there."
        if made == 1
        else "The rebuilt faces are kept: Continue goes on from there."
    )


def _edit(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    if not request.photo:
        raise PhotoError("There is no photo yet. Upload one, paste one, or take one with the camera.")
    yield EditView("wait", Progress(0, "Getting the models ready", kind="wait"))
    engine, world = context.open()
    entry = context.photos.get(request.photo)
    looks = looks_asked(context, engine, request)
    request_strength(request)  # fails now, not after the work
    side = chosen_side(world.sizes, request.resolution)
    people = people_meant(entry, request.person, request.everyone)
    crop = align_person(engine.editor, entry, people[0]).crop
    yield EditView("wait", Progress(0, "Waiting for the generator", kind="wait"), _working(0, "Cut out", crop))
    at_once = context.worker.run(partial(_at_once, engine, looks, crop, request))
    if at_once is not None:
        yield EditView("wait", Progress(0, "Waiting for the generator", kind="wait"), _working(0, _SKETCH, at_once, sketched=True))
    if context.crew is not None:
        made = context.crew.make(context, entry, [face_to_fit(engine.editor, entry, person) for person in people], looks)
        yield from _shown(made, people, crop, at_once)
    with context.join(engine) as turn, tempfile.TemporaryDirectory(prefix="nada-edit-") as name:
        while not turn.wait(TICK):
            yield EditView("wait", Progress(0, waiting_words(turn.ahead), kind="wait"))
        key = rendered_key(context, engine, entry, request, side)
        work = partial(_worked, Path(name), engine.editor, entry, request, people, looks, side, crop, key, at_once)
        for view in context.worker.steps(work):
            if view.phase == "done":
                turn.leave()
            yield view  # the page has its own copies of the files once the last one is delivered


def _worked(
    folder: Path,
    editor: PhotoEditing,
    entry: ShelvedPhoto,
    request: EditRequest,
    people: Sequence[Person],
    looks: Sequence[StyleToFit],
    side: int,
    crop: Image.Image,
    key: Hashable,
    at_once: Image.Image | None = None,
) -> Iterator[EditView]:
    """Do what is missing, when it is this edit's turn, and yield the face as it gets closer.

    ``crop`` comes first. Where the style could be put on it ``at_once``, that picture stays until the result is there: a face on its way
    there is somebody else's. What is rendered is kept under ``key``.
    """
    begun = time.monotonic()
    faces = [face_to_fit(editor, entry, person) for person in people]
    last = yield from _shown(entry.steps(editor, faces, looks, strength=request_strength(request), resolution=side), people, crop, at_once)
    if last is not None:
        _keep(entry, key, last.results)
        yield _finished(folder, editor, last.made, last.results, request, begun)


def _shown(
    stages: EditStages, people: Sequence[Person], crop: Image.Image, at_once: Image.Image | None
) -> Generator[EditView, None, EditProgress | None]:
    """Yield views of what is being made, and return the last stage, which carries it; None where the stages end without."""
    begun, shown, before, picture = time.monotonic(), 0.0, None, at_once or crop
    with closing(stages):
        for stage in stages:
            if stage.made:
                return stage
            if stage.stage:  # something that was not ready
                about = f"Face {stage.person + 1} of {len(people)}: " if len(people) > 1 and stage.person is not None else ""
                words, here = stage_words(stage, about), 1 if stage.style is None and stage.person is not None else 2
                now, working = time.monotonic(), None
                picture = picture if at_once else stage.image or picture
                if before != (stage.person, here) or (stage.image is not None and now - shown > _PICTURE_GAP):
                    shown, before = now, (stage.person, here)
                    working = _working(here, words, picture, sketched=at_once is not None)
                yield EditView("run", Progress(stage.fraction, words, time_left(now - begun, stage.fraction), kind="run"), working)
    return None


def _rerender(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    if not request.photo:
        return
    engine, world = context.open()
    entry = context.photos.get(request.photo)
    made, side = made_so_far(context, engine, entry, request), chosen_side(world.sizes, request.resolution)
    if made is None:  # another face or style than the one on show
        if entry.portraits:
            yield EditView("unmade", unmade_words())
        return
    with context.join(engine) as turn:
        while not turn.wait(TICK):
            yield EditView("wait", Progress(1, "The new strength follows when the other job is done", kind="wait"))
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="nada-edit-") as name:
            key = rendered_key(context, engine, entry, request, side)
            yield context.worker.run(partial(_rendered, Path(name), engine.editor, entry, made, request, side, begun, key))


def unmade_words() -> Progress:
    """Return the words for choices that the picture on show does not have."""
    return Progress(0, "Press Stylise to see this look", note="What is shown, and downloaded, is the look before.")


def is_ready(context: AppContext, request: EditRequest) -> bool:
    """Tell whether there is a photo and, in it, somebody to edit."""
    try:
        return bool(context.photos.get(request.photo).faces or request.points)
    except PhotoError:
        return False


def is_unmade(context: AppContext, request: EditRequest) -> bool:
    """Tell whether a face of the photo has been rebuilt, and the look that is asked for has not been made of it."""
    if not request.photo or not context.is_open:
        return False
    try:
        entry = context.photos.get(request.photo)
        return bool(entry.portraits) and made_so_far(context, context.open()[0], entry, request) is None
    except NadaError:  # the photo or a style is gone: said where it is asked for
        return False


def made_so_far(context: AppContext, engine: AppEngine, entry: ShelvedPhoto, request: EditRequest) -> list[FittedPortrait] | None:
    """Return portrait and fitted styles of each person a request needs; None where any has not been made."""
    people = people_meant(entry, request.person, request.everyone)
    return entry.made([person.key for person in people], looks_asked(context, engine, request))


def request_strength(request: EditRequest) -> Strength:
    """Return the strength by layer group.

    Raises:
        OptionsError: out of range.
    """
    from nada_core.styles.mixing import Strength

    if not all(0 <= factor <= 1 for factor in request.groups):
        raise OptionsError("The strengths by layer must be between 0 and 1.")
    return Strength(*(request.strength * factor for factor in request.groups))


def rendered_key(context: AppContext, engine: AppEngine, entry: ShelvedPhoto, request: EditRequest, side: int) -> Hashable:
    """Return the key of the pictures that a request shows: whose faces, in which styles, how strong and how large."""
    people = tuple(person.key for person in people_meant(entry, request.person, request.everyone))
    looks = tuple((look.key, look.share) for look in looks_asked(context, engine, request))
    return people, looks, request.strength, request.groups, side


def _keep(entry: ShelvedPhoto, key: Hashable, results: Sequence[EditResult]) -> None:
    """Keep what was rendered last for the downloads: the pictures alone, without the networks that drew them."""
    faces = tuple(RenderedFace(result.aligned, result.inverted, result.edited) for result in results)
    entry.rendered = Rendered(key, faces)


def _rendered(
    folder: Path,
    editor: PhotoEditing,
    entry: ShelvedPhoto,
    made: Sequence[FittedPortrait],
    request: EditRequest,
    side: int,
    begun: float,
    key: Hashable,
) -> EditView:
    """Render what has been made at the strength and size asked for."""
    results = finish_all(editor, made, request_strength(request), side)
    _keep(entry, key, results)
    return _finished(folder, editor, made, results, request, begun)


def _finished(
    folder: Path,
    editor: PhotoEditing,
    made: Sequence[FittedPortrait],
    results: Sequence[EditResult],
    request: EditRequest,
    begun: float,
) -> EditView:
    result = results[0]
    before, after, kind = result.aligned, result.edited, "png"
    if request.paste or request.everyone:
        before, after = made[0].portrait.aligned.photo, paste_all(editor, made, results)
        before, after = _small(before), _small(after)
        kind = "jpg" if before.mode == "RGB" else "png"  # whole photos are several megabytes as PNG
    paths = {"before": before, "after": after}
    for part, picture in paths.items():
        picture.save(folder / f"{part}.{kind}", quality=90)
    mosaic([one.inverted for one in results]).save(folder / "inverted.png")
    notes = [everyones_note(result.faces + bool(request.points))] if request.everyone else list(result.notes)
    scores = mean_scores(results)
    each = tuple(one.identity_edited for one in results) if len(results) > 1 else ()
    return EditView(
        "done",
        Progress(
            1,
            "Done",
            duration(time.monotonic() - begun),
            kind="good",
            note=" ".join(notes) or "Move the strength: the picture follows. Drag the handle to compare.",
        ),
        None,
        (str(folder / f"before.{kind}"), str(folder / f"after.{kind}")),
        str(folder / "inverted.png"),
        Likeness(scores["identity_inverted"], scores["identity_edited"], scores["reconstruction"], each),
        scores={**scores, "faces": result.faces, "face": result.face, "notes": notes},
    )


def face_at_once(context: AppContext, request: EditRequest) -> Working | None:
    """Return the chosen face in the chosen style by its student, before anything is pressed; None where that cannot be had."""
    if not context.is_open or not is_ready(context, request):
        return None
    try:
        engine, entry = context.open()[0], context.photos.get(request.photo)
        person = people_meant(entry, request.person, request.everyone)[0]

        def drawn() -> Image.Image | None:
            crop = align_person(engine.editor, entry, person).crop
            return _at_once(engine, looks_asked(context, engine, request), crop, request)

        face = context.worker.run(drawn)
    except NadaError:  # whoever presses the button is told
        return None
    return None if face is None else _working(0, _FOUND, face, sketched=True)


def _at_once(engine: AppEngine, looks: Sequence[StyleToFit], crop: Image.Image, request: EditRequest) -> Image.Image | None:
    """Return the face in its styles by their students; None where they have none, or only some layers are wanted."""
    if len(set(request.groups)) > 1:
        return None
    face = crop.resize((_SKETCH_SIDE, _SKETCH_SIDE), reducing_gap=2.0)
    return engine.students.wear(face, [(look.load(), look.share) for look in looks], request.strength * request.groups[0])


def _working(step: int, words: str, picture: Image.Image, sketched: bool = False) -> Working:
    return Working(step, words, small_jpeg(picture, _SKETCH_SIDE if sketched else 256), sketched)


def _small(picture: Image.Image, side: int = 1600) -> Image.Image:
    """Return a large photo at a size fit for a page; the download has it whole."""
    picture = picture.copy()
    picture.thumbnail((side, side))
    return picture


def edit_seconds(context: AppContext, request: EditRequest) -> dict[str, float]:
    """Return the estimated seconds, by likeness mode, that a press of the Stylise tab's button takes."""
    return photo_seconds(
        context, request.photo, lambda entry: (people_meant(entry, request.person, request.everyone), look_keys(context, request))
    )
