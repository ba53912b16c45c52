"""Offer other programs three endpoints whose names and values stay: adapt, edit, styles. The page itself uses none of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.errors import NadaError, StyleError, shown
from nada_core.system.files import slug
from nada_core.ui.jobs.views import AdaptView
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.page.patches.request_times import arrived
from nada_core.ui.page.patches.unopened_image import unopened
from nada_core.ui.photo.faces import FACES_OFFERED, find_faces
from nada_core.ui.photo.time_estimate import MODES
from nada_core.ui.requests import EditRequest
from nada_core.ui.server.context import AppContext
from nada_core.ui.shared_link import style_named
from nada_core.ui.style_menu.choices import OWN, style_choices
from nada_core.ui.tabs.adapt.run import AdaptRequest, start_adaptation
from nada_core.ui.tabs.stylise.downloads import worn_at_once, write_download
from nada_core.ui.tabs.stylise.run import run_edit

__all__ = ["build_api"]

_STEPS = (1, 300)
_INSTANT = "instant"  # as students.library names it, which brings torch
_ADAPT = """Adapt the face generator to a prompt. Progress is streamed; the last answer carries the style.

The summary has: phase ("wait", "run", "done" or "stopped"), step, steps, seconds, left (seconds to go, or null) and ahead (jobs before
this one). At the end also: style (an id that /edit takes for up to two hours), prompt, seed, loss and similarity. A client
that goes away ends its job.
"""
_EDIT = """Restyle the person in a photo.

The style is a name from /styles or an id from /adapt. The scores are distances of dlib's face recognition to the photo (below 0.6: the
same person) for the face as rebuilt (identity_inverted) and restyled (identity_edited), the error of the rebuilt pixels (reconstruction),
how many faces were found, which was used, and notes. While it works, the scores hold only the phase. The mode instant rebuilds nothing: a
small network repaints the photo within a second, for the styles that have one.
"""
_STYLES = "The styles that /edit takes by name: name, prompt, steps, ready (it comes with the program), created."


def build_api(context: AppContext) -> None:
    """Add the endpoints to the current gr.Blocks, on components that nobody sees. Before all other events, which would get the names."""
    with gr.Column(visible=False):
        _add_adapt(context)
        _add_edit(context)
        _add_styles(context)


def _add_adapt(context: AppContext) -> None:
    prompt = gr.Textbox(label="What to turn faces into, for example Joker")
    steps = gr.Slider(*_STEPS, 30, step=1, label="Steps")
    seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=2**31 - 1)
    summary, file = gr.JSON(label="Summary"), gr.File(label="Style file, at the end")

    def api_adapt(prompt: str, steps: float, seed: float, request: gr.Request) -> Iterator[tuple[dict[str, Any], Any]]:
        with _in_words("Not adapted"):
            wanted = AdaptRequest(prompt, int(steps), seed=int(seed))
            job = start_adaptation(context, wanted, f"api-{request.session_hash or ''}", arrived(request))
            views = context.jobs.watch(job.id)
            try:
                for view in views:
                    if view.error:
                        raise NadaError(view.error)
                    if view.running:
                        yield _summary(view, context.jobs.place(job)[0] if job.state == "waiting" else 0), None
            finally:
                close_iterator(views)
                context.jobs.cancel(job.id)  # nobody could come back to it; harmless when it is over
            entry = context.unsaved(job.id, [job.id])
            card = entry.style.card
            with tempfile.TemporaryDirectory(prefix="nada-style-") as folder:  # Gradio takes its own copy when the value is delivered
                path = Path(folder) / f"{slug(entry.prompt)}.safetensors"
                context.worker.run(partial(context.backend.export, entry.style, path))
                made = {
                    "style": OWN + job.id,
                    "prompt": entry.prompt,
                    "seed": wanted.seed,
                    "loss": card.loss,
                    "similarity": card.similarity,
                }
                yield _summary(view, 0) | made, str(path)

    _endpoint(api_adapt, "adapt", _ADAPT, [prompt, steps, seed], [summary, file], 16)


def _summary(view: AdaptView, ahead: int) -> dict[str, Any]:
    return {"phase": view.phase, "step": view.step, "steps": view.steps, "seconds": view.seconds, "left": view.left, "ahead": ahead}


def _add_edit(context: AppContext) -> None:
    photo = unopened(label="Photo: JPEG, PNG, WebP, HEIC or AVIF, up to 25 MB")
    style = gr.Textbox("joker", label="Style: a name from /styles, or an id from /adapt")
    strength = gr.Slider(0, 1.3, 1.0, label="Strength: 0 is the person, 1 the full style")
    face = gr.Number(0, label="Which face, 0 being the largest", precision=0, minimum=0, maximum=FACES_OFFERED - 1)
    mode = gr.Radio([*MODES, ("Instant", _INSTANT)], value="balanced", label="Likeness: how long the face is worked on")
    paste = gr.Checkbox(False, label="Put the face back into the whole photo")
    result, scores = gr.File(label="Picture (PNG)"), gr.JSON(label="Scores")

    def api_edit(
        photo: str | None, style: str, strength: float, face: float, mode: str, paste: bool
    ) -> Iterator[tuple[Any, dict[str, Any]]]:
        with _in_words("Not restyled"):
            if not photo:
                raise NadaError("There is no photo. Send one as the first argument.")
            style = _known_style(context, style)
            found = find_faces(context, photo)
            if found.error:
                raise NadaError(found.error)
            owned = (style[len(OWN) :],) if style.startswith(OWN) else ()  # whoever knows the id of a style may wear it
            request = EditRequest(found.photo, style, float(strength), face=int(face), mode=mode, owned=owned)
            try:
                measured = None
                if mode == _INSTANT:
                    request = replace(request, mode="balanced")  # of which nothing is made: the download takes what is worn at once
                    measured = _worn_at_once(context, request)
                for view in () if measured else run_edit(context, request):
                    if view.error:
                        raise NadaError(view.error)
                    measured = view.scores
                    if measured is None:
                        yield None, {"phase": view.phase}
                with tempfile.TemporaryDirectory(prefix="nada-edit-") as folder:
                    path = write_download(context, request, "photo" if paste else "picture", Path(folder))
                    yield str(path), {"phase": "done", **(measured or {})}
            finally:
                context.photos.discard(found.photo)

    _endpoint(api_edit, "edit", _EDIT, [photo, style, strength, face, mode, paste], [result, scores], 4)


def _known_style(context: AppContext, wanted: str | None) -> str:
    """Return the name of the style that is meant, by its name or its title in any case; an id from /adapt as it is.

    Raises:
        StyleError: none is named, or there is none of that name.
    """
    if wanted is None or not wanted.strip():
        raise StyleError("The name of the style is empty. Send one that /styles gives, such as joker.")
    if wanted.startswith(OWN):
        return wanted
    context.open()  # the library belongs to the engine
    if not (name := style_named(wanted, style_choices(context, ()))):
        raise StyleError(f"The style “{shown(wanted, 60)}” is not in the library. Send a name that /styles gives.")
    return name


def _worn_at_once(context: AppContext, request: EditRequest) -> dict[str, Any]:
    """Return the scores of a face that wears a style by its student.

    Raises:
        NadaError: the style has none; no such face, style or strength.
    """

    engine, entry = context.open()[0], context.photos.get(request.photo)
    _, results = context.worker.run(partial(worn_at_once, context, engine, entry, request))
    if results is None:
        raise NadaError("This style has no instant version. Use the mode fast, balanced or faithful.")
    (result,) = results
    return {"identity_edited": result.identity_edited, "faces": result.faces, "face": result.face, "notes": result.notes}


def _add_styles(context: AppContext) -> None:
    listing = gr.JSON(label="Styles")

    def api_styles() -> list[dict[str, Any]]:
        with _in_words("No styles"):
            entries = context.open()[0].style_entries()
        cards = [(entry.card, entry.ready) for entry in entries]
        return [
            {"name": card.name, "prompt": card.prompt, "steps": card.steps, "ready": ready, "created": card.created}
            for card, ready in cards
        ]

    _endpoint(api_styles, "styles", _STYLES, [], [listing], 4)


def _endpoint(function: Any, name: str, words: str, inputs: list[Any], outputs: list[Any], limit: int) -> None:
    gr.Button(name).click(
        function,
        inputs,
        outputs,
        api_name=name,
        api_description=" ".join(words.split()),
        api_visibility="public",
        show_progress="hidden",
        concurrency_limit=limit,
    )


@contextmanager
def _in_words(title: str) -> Iterator[None]:
    """Turn the project's errors into the one kind whose message Gradio passes on."""
    try:
        yield
    except NadaError as error:
        raise gr.Error(escape(str(error), quote=False), title=title, print_exception=False) from None
