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
from .scripts import press, reveal, show_stage
from .session import Session
from .style_pictures import run_style_pictures
from .stylise_layout import EDIT_IDLE, EDIT_READY, MODES, StyliseTab, build_stylise_layout
from .take_away import KINDS, write_download
from .text import message_box
from .widgets import identity_panel, progress

__all__ = ["StyliseTab", "build_stylise_tab"]

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_POINT_WORDS = ("Click one eye.", "Click the other eye.", "Click the middle of the mouth.", "Eyes and mouth are set: press Stylise.")


def build_stylise_tab(context: AppContext, session: Session, place: gr.Tab) -> StyliseTab:
    """Build the tab inside the current gr.Tab, which is also `place`, and connect it."""
    tab = build_stylise_layout(session)
    _connect_photo(tab, context)
    _connect_pictures(tab, context, session, place)
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
        js=show_stage("edit-progress"),
    )
    live = [tab.strength.input, tab.shape.input, tab.texture.input, tab.colour.input, tab.share.input]
    gr.on(
        [*live, tab.paste.input, tab.resolution.input, tab.blend.input, tab.style.input, tab.picked.change],
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
            None, None, None, js=press("edit-file")
        )
    return tab


def _connect_pictures(tab: StyliseTab, context: AppContext, session: Session, place: gr.Tab) -> None:
    """The gallery of styles and the dropdown above it follow each other."""

    def draw_pictures(style: str | None, owned: list[str]) -> Iterator[dict[Any, Any]]:
        """All pictures, then those that had to be made."""
        for number, view in enumerate(run_style_pictures(context, owned)):
            value = list(view.pictures)
            if number:  # the mark is left alone: the person may have chosen another one by now
                yield {tab.looks: gr.update(value=value)}
            else:
                mark = view.names.index(style) if style in view.names else None
                yield {tab.looks: gr.update(value=value, selected_index=mark), tab.listed: list(view.names)}

    def follow_library(style: str | None, owned: list[str], listed: list[str]) -> Iterator[dict[Any, Any]]:
        """What was chosen may be new in the list."""
        yield {tab.listed: gr.skip()}
        if [value for _, value in style_choices(context, owned)] != listed:
            yield from draw_pictures(style, owned)

    def mark_picture(style: str | None, listed: list[str]) -> dict[str, Any]:
        return gr.update(selected_index=listed.index(style) if style in listed else None)

    def press_picture(style: str | None, listed: list[str], picked: int, event: gr.SelectData) -> dict[Any, Any]:
        """The gallery also reports what was marked because of the dropdown: then nothing is to be rendered."""
        number = event.index if isinstance(event.index, int) else -1
        name = listed[number] if 0 <= number < len(listed) else style
        return {tab.style: name, tab.picked: picked + (name != style)}

    drawn: dict[str, Any] = {"outputs": [tab.looks, tab.listed], "concurrency_limit": 8, "concurrency_id": "style-pictures", **_QUIET}
    drawn["trigger_mode"] = "always_last"
    place.select(draw_pictures, [tab.style, session.owned], **drawn)
    tab.style.change(follow_library, [tab.style, session.owned, tab.listed], **drawn)
    marked = tab.style.input(mark_picture, [tab.style, tab.listed], [tab.looks], queue=False, trigger_mode="always_last", **_QUIET)
    marked.then(None, None, None, js=reveal("style-pictures"))
    pressed = [tab.style, tab.picked]
    tab.looks.select(  # queued, although it is quick: a gr.State tells of its change only then; one at a time, so that the last one counts
        press_picture, [tab.style, tab.listed, tab.picked], pressed, trigger_mode="multiple", concurrency_limit=1, **_QUIET
    )


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
