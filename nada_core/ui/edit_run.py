"""One photo as the page sees it: find the face, invert it, wear styles, change strengths, take it away. No Gradio in here."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import NadaError, OptionsError, PhotoError, StyleError
from .context import AppContext, close_iterator
from .guarded import guarded
from .portraits import ShelvedPhoto
from .text import duration, style_title, waiting_words
from .widgets import identity_panel, progress

__all__ = [
    "OWN",
    "EditRequest",
    "EditView",
    "made_so_far",
    "request_strength",
    "run_edit",
    "run_rerender",
    "style_choices",
]

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
    resolution: int = 256
    paste: bool = False
    owned: Sequence[str] = ()

    @property
    def portrait_key(self) -> Any:
        """What an inversion depends on."""
        return (self.points or self.face, self.mode)


@dataclass(frozen=True)
class EditView:
    """What the page should show now. None means unchanged."""

    phase: str  # "wait" | "run" | "done" | "failed" | "unmade" (only the button makes this look)
    progress: str
    pair: tuple[str, str] | None = None
    inverted: str | None = None
    identity: str | None = None
    error: str = ""
    scores: dict[str, Any] | None = None  # the same as numbers


def style_choices(context: AppContext, owned: Sequence[str]) -> list[tuple[str, str]]:
    """(label, value) pairs for the style dropdown: the ones just made here first, then the library."""
    pairs = [(f"{entry.prompt} (just made, {entry.steps} steps)", OWN + key) for key, entry in context.shelf.listing(owned)]
    if context.is_open:
        engine, _ = context.open()
        pairs += [(style_title(card.name), card.name) for card in engine.styles()]
    return pairs


def run_edit(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    """Yield views until the edit is done or refused; a failure is the last view, with a readable ``error``."""
    return _guarded(lambda: _edit(context, request))


def run_rerender(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    """The same photo and styles at another strength, share or size: one picture, no steps; nothing where there is no portrait yet."""
    return _guarded(lambda: _rerender(context, request))


def _guarded(work: Callable[[], Iterator[EditView]]) -> Iterator[EditView]:
    return guarded(work, EditView, where="under the button", name="an edit", sorry=" and the photo was not edited")


def _style(context: AppContext, engine: Any, name: str | None, owned: Sequence[str]) -> tuple[Callable[[], Any], Any]:
    """What loads a style, and what to remember it by. Only names the library lists are passed on: never a path from the browser."""
    if not name:
        raise StyleError("No style is chosen. Pick one from the list, or make one in the Adapt tab first.")
    if name.startswith(OWN):
        entry = context.shelf.get(name[len(OWN) :], owned)
        return lambda: entry.style, (name, entry.steps)
    created = {card.name: getattr(card, "created", "") for card in engine.styles()}
    if name not in created:
        raise StyleError("This style is not in the library any more. Choose another one from the list.")
    return partial(engine.style, name), (name, created[name])


def _looks(context: AppContext, engine: Any, request: EditRequest) -> list[tuple[Callable[[], Any], Any, float]]:
    """(loader, key, share) of each style to wear."""
    if not 0 <= request.share <= 1:
        raise OptionsError(f"The second style's share is {request.share:g}; it must be between 0 and 1.")
    first = _style(context, engine, request.style, request.owned)
    if not request.blend or request.blend == request.style or not request.share:
        return [(*first, 1.0)]
    second = _style(context, engine, request.blend, request.owned)
    return [(*first, 1 - request.share), (*second, request.share)]


def _edit(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    if not request.photo:
        raise PhotoError("There is no photo yet. Upload one, paste one, or take one with the camera.")
    yield EditView("wait", progress(0, "Getting the models ready", kind="wait"))
    engine, _ = context.open()
    entry = context.photos.get(request.photo)
    looks = _looks(context, engine, request)
    request_strength(request)  # said now, not after the work
    with context.line.join() as turn:
        while not turn.wait(_TICK):
            yield EditView("wait", progress(0, waiting_words(turn.ahead), kind="wait"))
        begun = time.monotonic()
        portrait, known = entry.portraits.get(request.portrait_key), True
        if portrait is None:
            known = False
            aligned = _aligned(engine.editor, entry, request)
            portrait = yield from _watch(engine.editor.invert_steps(aligned, request.mode), 0.0, 0.75, "portrait")
            entry.keep_portrait(request.portrait_key, portrait)
        start = 0.0 if known else 0.75
        worn = []
        for number, (load, key, share) in enumerate(looks):
            wearing = entry.worn.get((request.portrait_key, key))
            if wearing is None:
                span = (1 - start) / len(looks)
                wearing = yield from _watch(engine.editor.wear_steps(portrait, load()), start + number * span, span, "worn")
                entry.keep_worn((request.portrait_key, key), wearing)
            worn.append((wearing, share))
        yield EditView("run", progress(0.99, "Rendering", kind="run"))
        with tempfile.TemporaryDirectory(prefix="nada-edit-") as name:  # the page has its own copies once the view is delivered
            yield _finished(Path(name), engine.editor, portrait, worn, request, begun)


def _aligned(editor: Any, entry: ShelvedPhoto, request: EditRequest) -> Any:
    if request.points:
        return editor.align_by_hand(entry.photo, request.points)
    return editor.align_found(entry.photo, entry.faces, request.face)


def _rerender(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    if not request.photo:
        return
    engine, _ = context.open()
    entry = context.photos.get(request.photo)
    made = made_so_far(context, engine, entry, request)
    if made is None:  # another face or style than the one on show
        if entry.portraits:
            yield EditView("unmade", progress(0, "Press Stylise to see this look", note="What is shown is the look before."))
        return
    with context.line.join() as turn:
        while not turn.wait(_TICK):
            yield EditView("wait", progress(1, "The new strength follows when the other job is done", kind="wait"))
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="nada-edit-") as name:
            yield _finished(Path(name), engine.editor, *made, request, begun)


def made_so_far(context: AppContext, engine: Any, entry: ShelvedPhoto, request: EditRequest) -> tuple[Any, list[tuple[Any, float]]] | None:
    """Portrait and fitted styles that a request needs, where all of them have been made."""
    portrait = entry.portraits.get(request.portrait_key)
    looks = _looks(context, engine, request)
    fitted = [(entry.worn.get((request.portrait_key, key)), share) for _, key, share in looks]
    if portrait is None or any(wearing is None for wearing, _ in fitted):
        return None
    return portrait, fitted


def _watch(stages: Iterator[Any], start: float, span: float, wanted: str) -> Generator[EditView, None, Any]:
    """Follow stages, showing the face as the generator gets closer to it; returns what the last one carries as ``wanted``."""
    begun, shown, found = time.monotonic(), 0.0, None
    with tempfile.TemporaryDirectory(prefix="nada-stages-") as name:
        try:
            for number, stage in enumerate(stages):
                found, now, picture = getattr(stage, wanted) or found, time.monotonic(), None
                if stage.image is not None and now - shown > _PICTURE_GAP:
                    shown, picture = now, Path(name) / f"{number}.jpg"
                    stage.image.resize((256, 256)).save(picture, quality=88)
                left = (now - begun) * (1 - stage.fraction) / max(stage.fraction, 0.01)
                guess = f"about {duration(left)} left" if 0.15 < stage.fraction < 1 else ""
                words = stage.stage[:1].upper() + stage.stage[1:]
                bar = progress(start + span * stage.fraction, words, guess, kind="run")
                yield EditView("run", bar, inverted=str(picture) if picture else None)
        finally:
            close_iterator(stages)
    if found is None:
        raise NadaError("The edit ended without a picture. Try again.")
    return found


def request_strength(request: EditRequest) -> Any:
    """Strength by layer group.

    Raises:
        OptionsError: out of range.
    """
    from ..mixing import Strength

    if not all(0 <= factor <= 1 for factor in request.groups):
        raise OptionsError("The strengths by layer must be between 0 and 1.")
    return Strength(*(request.strength * factor for factor in request.groups))


def _finished(folder: Path, editor: Any, portrait: Any, worn: Sequence[tuple[Any, float]], request: EditRequest, begun: float) -> EditView:
    result = editor.finish(portrait, worn, request_strength(request), request.resolution)
    before, after, kind = result.aligned, result.edited, "png"
    if request.paste:
        before, after = portrait.aligned.photo, editor.paste(portrait, result.edited, result.inverted)
        before, after, kind = _shown(before), _shown(after), "jpg"  # whole photos are several megabytes as PNG
    paths = {"before": before, "after": after}
    for part, picture in paths.items():
        picture.save(folder / f"{part}.{kind}", quality=90)
    result.inverted.save(folder / "inverted.png")
    note = " ".join(result.notes) or "Move the strength: the picture follows at once. Drag the handle to compare."
    return EditView(
        "done",
        progress(1, "Done", duration(time.monotonic() - begun), kind="good", note=note),
        (str(folder / f"before.{kind}"), str(folder / f"after.{kind}")),
        str(folder / "inverted.png"),
        identity_panel(result.identity_inverted, result.identity_edited, result.reconstruction),
        scores={
            "identity_inverted": result.identity_inverted,
            "identity_edited": result.identity_edited,
            "reconstruction": result.reconstruction,
            "faces": result.faces,
            "face": result.face,
            "notes": list(result.notes),
        },
    )


def _shown(picture: Any, side: int = 1600) -> Any:
    """A large photo at a size fit for a page; the download has it whole."""
    picture = picture.copy()
    picture.thumbnail((side, side))
    return picture
