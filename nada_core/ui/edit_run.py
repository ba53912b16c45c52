"""One photo edit as the page sees it: decode, wait for a turn, follow the stages, write the pictures. No Gradio in here."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import NadaError, PhotoError, StyleError
from .context import AppContext, close_iterator
from .text import duration, slug
from .widgets import identity_panel, progress

__all__ = ["OWN", "EditRequest", "EditView", "run_edit", "style_choices"]

log = logging.getLogger(__name__)
OWN = "mine:"  # marks a dropdown value that is the id of an unsaved style, not the name of a saved one
_TICK = 1.0
_PICTURE_GAP = 0.7  # seconds between pictures of the rebuilt face


@dataclass(frozen=True)
class EditRequest:
    """What the person asked for; `owned` are the ids of the unsaved styles made on the same page."""

    photo: str | None
    style: str | None
    strength: float = 1.0
    face: int = 0
    resolution: int = 256
    owned: Sequence[str] = ()


@dataclass(frozen=True)
class EditView:
    """What the page should show now. None means unchanged."""

    phase: str  # "wait" | "run" | "done" | "failed"
    progress: str
    pair: tuple[str, str] | None = None
    inverted: str | None = None
    identity: str | None = None
    download: str | None = None
    faces: int | None = None
    error: str = ""


def style_choices(context: AppContext, owned: Sequence[str]) -> list[tuple[str, str]]:
    """(label, value) pairs for the style dropdown: the ones just made here first, then the library."""
    pairs = [(f"{entry.prompt} (just made, {entry.steps} steps)", OWN + key) for key, entry in context.shelf.listing(owned)]
    if context.is_open:
        engine, _ = context.open()
        pairs += [(_title(card), card.name) for card in engine.styles()]
    return pairs


def _title(card: Any) -> str:
    name = str(card.name)
    readable = name.replace("-", " ").replace("_", " ")
    return readable[:1].upper() + readable[1:]


def run_edit(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    """Yield views until the edit is done or refused; a failure is the last view, with a readable `error`."""
    try:
        yield from _edit(context, request)
    except NadaError as error:
        yield EditView("failed", progress(0, "Not finished", kind="bad", note="See the message under the button."), error=str(error))
    except Exception:  # a bug, not the person's doing
        log.exception("edit failed")
        sentence = "Something went wrong on the server and the photo was not edited. Please try again; the server's log has the details."
        yield EditView("failed", progress(0, "Ended early", kind="bad"), error=sentence)


def _model(context: AppContext, engine: Any, request: EditRequest) -> tuple[Any, str]:
    """The style to hand to the engine and its label. Only names the library lists are passed on: never a path from the browser."""
    if not request.style:
        raise StyleError("No style is chosen. Pick one from the list, or make one in the Adapt tab first.")
    if request.style.startswith(OWN):
        entry = context.shelf.get(request.style[len(OWN) :], request.owned)
        return entry.style, entry.prompt
    if request.style not in {card.name for card in engine.styles()}:
        raise StyleError("This style is not in the library any more. Choose another one from the list.")
    return request.style, request.style


def _edit(context: AppContext, request: EditRequest) -> Iterator[EditView]:
    if not request.photo:
        raise PhotoError("There is no photo yet. Upload one, paste one, or take one with the camera.")
    yield EditView("wait", progress(0, "Reading the photo", kind="wait"))
    photo = context.backend.decode(request.photo)
    yield EditView("wait", progress(0, "Getting the models ready", kind="wait"))
    engine, world = context.open()
    model, label = _model(context, engine, request)
    with context.line.join() as turn:
        while not turn.wait(_TICK):
            ahead = "1 job" if turn.ahead == 1 else f"{turn.ahead} jobs"
            yield EditView("wait", progress(0, f"Waiting: {ahead} ahead of you", kind="wait"))
        stages = engine.edit_steps(photo, model, strength=request.strength, face=request.face, resolution=request.resolution)
        try:
            result = yield from _watch(stages)
        finally:
            close_iterator(stages)
    if result is None:
        raise NadaError("The edit ended without a picture. Try again.")
    with tempfile.TemporaryDirectory(prefix="nada-edit-") as name:  # the page has its own copies once the view is delivered
        yield _finished(Path(name), result, request, label, world.name)


def _watch(stages: Iterator[Any]) -> Generator[EditView, None, Any]:
    """Follow the stages, showing the face as the generator gets closer to it; returns the result."""
    result, begun, shown = None, time.monotonic(), 0.0
    with tempfile.TemporaryDirectory(prefix="nada-stages-") as name:
        for number, stage in enumerate(stages):
            result, now, picture = stage.result or result, time.monotonic(), None
            if stage.image is not None and stage.result is None and now - shown > _PICTURE_GAP:
                shown, picture = now, Path(name) / f"{number}.jpg"
                stage.image.resize((256, 256)).save(picture, quality=88)
            left = (now - begun) * (1 - stage.fraction) / max(stage.fraction, 0.01)
            guess = f"about {duration(left)} left" if 0.15 < stage.fraction < 1 else ""
            words = stage.stage[:1].upper() + stage.stage[1:]
            yield EditView("run", progress(stage.fraction, words, guess, kind="run"), inverted=str(picture) if picture else None)
    return result


def _finished(folder: Path, result: Any, request: EditRequest, label: str, world: str) -> EditView:
    from ..images import save_png

    paths = {}
    for part in ("aligned", "inverted", "edited"):
        paths[part] = folder / f"{part}.png"
        getattr(result, part).save(paths[part])
    download = folder / f"{slug(label)}-{round(100 * request.strength)}.png"
    save_png(
        result.edited,
        download,
        {
            "Software": "StyleGAN-NADA demo",
            "Comment": "AI-generated: a face edited by a neural network, not a photograph.",
            "Style": label,
            "Strength": f"{request.strength:.2f}",
            "World": world,
        },
    )
    note = " ".join(result.notes)
    if result.faces > 1 and not note:
        note = f"{result.faces} faces found; this is number {result.face + 1}. Choose another below the photo."
    note = note or "Drag the handle to compare. If the person is lost, lower the strength and run again."
    return EditView(
        "done",
        progress(1, "Done", duration(result.seconds), kind="good", note=note),
        (str(paths["aligned"]), str(paths["edited"])),
        str(paths["inverted"]),
        identity_panel(result.identity_inverted, result.identity_edited),
        str(download),
        result.faces,
    )
