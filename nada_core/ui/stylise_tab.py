"""The Stylise tab: a photo and a look on the left, before and after on the right, the strength live."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import NadaError
from .context import AppContext, close_iterator
from .edit_run import EditRequest, EditView, run_edit, run_rerender, style_choices
from .photo_faces import displayable, find_faces, mode_seconds, pointed_at
from .session import SHOW_STAGE, Session
from .stylise_layout import EDIT_IDLE, EDIT_READY, MODES, StyliseTab, build_stylise_layout
from .take_away import KINDS, write_download
from .text import message_box
from .widgets import identity_panel, progress

__all__ = ["StyliseTab", "build_stylise_tab"]

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_POINT_WORDS = ("Click one eye.", "Click the other eye.", "Click the middle of the mouth.", "Eyes and mouth are set: press Stylise.")
# the hidden button holds the finished file; pressing it starts the browser's own download
_PRESS = "() => { const a = document.querySelector('#edit-file'); (a.querySelector('a, button') || a).click(); }"


def build_stylise_tab(context: AppContext, session: Session) -> StyliseTab:
    """Build the tab inside the current gr.Tab and connect it."""
    tab = build_stylise_layout(session)
    _connect_photo(tab, context)
    requests = [
        tab.key, tab.style, tab.strength, tab.shape, tab.texture, tab.colour, tab.blend, tab.share, tab.face, tab.points, tab.mode,
        tab.resolution, tab.paste, session.owned,
    ]  # fmt: skip

    def request(*values: Any) -> EditRequest:
        key, style, strength, shape, texture, colour, blend, share, face, points, mode, resolution, paste, owned = values
        return EditRequest(
            key or None,
            style,
            float(strength),
            (float(shape), float(texture), float(colour)),
            blend or None,
            float(share),
            int(face or 0),
            tuple(tuple(point) for point in points) if len(points) == 3 else (),
            mode,
            int(resolution),
            bool(paste),
            tuple(owned),
        )

    def show(view: EditView, turned: bool) -> dict[Any, Any]:
        update: dict[Any, Any] = {tab.bar: view.progress}
        if turned:
            busy = view.phase in ("wait", "run")
            update[tab.start] = gr.update(interactive=not busy, value="Working…" if busy else "Stylise")
            update[tab.notice] = message_box(view.error, "bad") if view.error else ""
        if view.inverted is not None:
            update[tab.inverted] = view.inverted
        if view.phase == "done":
            update |= {tab.pair: view.pair, tab.identity: view.identity}
            update |= {button: gr.update(interactive=True) for button in tab.downloads.values()}
        return update

    def edit(*values: Any) -> Iterator[dict[Any, Any]]:
        views = run_edit(context, request(*values))
        failed, busy = "", False
        try:
            for view in views:
                now = view.phase in ("wait", "run")
                failed, turned, busy = view.error, now != busy or bool(view.error), now
                yield show(view, turned)
        finally:
            close_iterator(views)
        if failed:
            raise gr.Error(escape(failed), title="Not stylised", duration=6, print_exception=False)

    def rerender(*values: Any) -> Iterator[dict[Any, Any]]:
        yield {tab.notice: gr.skip()}
        for view in run_rerender(context, request(*values)):
            yield show(view, bool(view.error))

    def second_styles(owned: list[str]) -> dict[str, Any]:
        return gr.update(choices=[("None", ""), *style_choices(context, owned)])

    gr.on(  # a list of its own, filled when it is opened: styles come and go in the other tabs
        [tab.blending.expand, tab.blend.focus], second_styles, [session.owned], [tab.blend], queue=False, **_QUIET
    )
    results = [tab.bar, tab.start, tab.notice, tab.pair, tab.inverted, tab.identity, *tab.downloads.values()]
    tab.start.click(
        edit,
        requests,
        results,
        **_QUIET,
        concurrency_limit=8,
        concurrency_id="edit",
        trigger_mode="once",
        js=SHOW_STAGE.format("#edit-progress"),
    )
    live = [tab.strength.input, tab.shape.input, tab.texture.input, tab.colour.input, tab.share.input]
    gr.on(
        [*live, tab.paste.input, tab.resolution.input, tab.blend.input, tab.style.input],
        rerender,
        requests,
        results,
        **_QUIET,
        concurrency_limit=8,
        concurrency_id="rerender",
        trigger_mode="always_last",
    )

    for kind, button in tab.downloads.items():

        def download(*values: Any, kind: str = kind) -> Iterator[dict[Any, Any]]:
            try:
                with tempfile.TemporaryDirectory(prefix="nada-download-") as folder:  # Gradio copies the file when it is delivered
                    yield {tab.file: str(write_download(context, replace(request(*values), paste=False), kind, Path(folder)))}
            except NadaError as error:
                raise gr.Error(escape(str(error)), title=f"{KINDS[kind]}: not downloaded", print_exception=False) from None

        button.click(download, requests, [tab.file], concurrency_limit=2, concurrency_id="download", **_QUIET).success(
            None, None, None, js=_PRESS
        )
    return tab


def _connect_photo(tab: StyliseTab, context: AppContext) -> None:
    """What happens when a photo arrives: its faces, or help with clicking them."""
    empty: dict[Any, Any] = {
        tab.pair: None,
        tab.inverted: None,
        tab.identity: identity_panel(empty=True),
        **{button: gr.update(interactive=False) for button in tab.downloads.values()},
    }

    def arrived(path: str | None, before: str) -> Iterator[dict[Any, Any]]:
        """The result so far goes: it shows somebody else."""
        busy = progress(0, "Looking for faces", kind="wait") if path else EDIT_IDLE
        yield {tab.bar: busy, tab.start: gr.update(interactive=False), tab.notice: "", tab.hint: "", **empty}
        with tempfile.TemporaryDirectory(prefix="nada-photo-") as folder:
            shown = displayable(context, path, Path(folder)) if path else None
            if shown is not None:  # the box gets the copy, which arrives here next
                yield {tab.photo: str(shown)}
                return
        view = find_faces(context, path, before)
        many, words = len(view.thumbnails) > 1, view.error or view.words
        yield {
            tab.key: view.photo,
            tab.points: [],
            tab.scale: view.scale,
            tab.face: 0,
            tab.bar: EDIT_READY if view.photo and view.picture is None else EDIT_IDLE,
            tab.start: gr.update(interactive=bool(view.photo) and view.picture is None),
            tab.faces: gr.update(
                value=[(face, f"Face {i + 1}") for i, face in enumerate(view.thumbnails)],
                visible=many,
                selected_index=0 if many else None,
            ),
            tab.pointing: gr.update(value=view.picture, visible=view.picture is not None),
            tab.hint: message_box(words, "bad" if view.error else "info") if words else "",
        }

    found = [tab.key, tab.points, tab.scale, tab.face, tab.bar, tab.start, tab.faces, tab.pointing, tab.notice, tab.hint, tab.photo]
    there = tab.photo.change(arrived, [tab.photo, tab.key], [*found, *empty], concurrency_limit=2, trigger_mode="always_last", **_QUIET)

    def estimate(key: str) -> dict[Any, Any]:
        """How long each mode takes here, once it is known who is waiting for it."""
        seconds = mode_seconds(context) if key else {}
        names = [(f"{title}, {seconds[mode]:.0f} s" if mode in seconds else title, mode) for title, mode in MODES]
        return {tab.mode: gr.update(choices=names)}

    there.then(estimate, [tab.key], [tab.mode], **_QUIET)

    def chosen(event: gr.SelectData) -> dict[Any, Any]:
        number = event.index if isinstance(event.index, int) else -1
        return {tab.face: number, tab.bar: EDIT_READY}

    tab.faces.select(chosen, None, [tab.face, tab.bar], queue=False, **_QUIET)

    def pointed(key: str, points: list[list[float]], scale: float, event: gr.SelectData) -> dict[Any, Any]:
        try:
            x, y = (float(value) * scale for value in event.index)
            photo = context.photos.get(key).photo
        except (TypeError, ValueError):  # not from this page
            return {tab.points: points}
        except NadaError as error:
            return {tab.hint: message_box(str(error), "bad")}
        now = [[x, y]] if len(points) >= 3 else [*points, [x, y]]
        done = len(now) == 3
        return {
            tab.points: now,
            tab.pointing: pointed_at(photo, now),
            tab.hint: message_box(_POINT_WORDS[len(now)]),
            tab.start: gr.update(interactive=done),
            tab.bar: EDIT_READY if done else EDIT_IDLE,
        }

    shown = [tab.points, tab.pointing, tab.hint, tab.start, tab.bar]
    tab.pointing.select(pointed, [tab.key, tab.points, tab.scale], shown, queue=False, **_QUIET)
