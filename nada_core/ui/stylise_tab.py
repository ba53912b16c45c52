"""The Stylise tab: a photo and a look on the left, before and after on the right, the strength live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from .all_faces import MOST_FACES
from .context import AppContext
from .delivery import delivered
from .detached import WATCHERS, begun, followed, rejoined
from .edit_run import EditRequest, EditView, run_edit, run_rerender, style_choices
from .photo_box import FOLLOWING, PhotoSteps
from .photo_controls import show_press
from .photo_faces import FacesView
from .press_time import edit_seconds, mode_choices
from .refusals import refusal
from .rehearsal import take_pace
from .scripts import press, reveal, show_note, show_stage
from .session import Session
from .style_pictures import run_style_pictures
from .stylise_layout import EDIT_IDLE, EDIT_READY, StyliseTab, build_stylise_layout
from .take_away import KINDS, write_download
from .widgets import identity_panel, progress

__all__ = ["StyliseTab", "build_stylise_tab", "choose_again", "read_request"]

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build_stylise_tab(context: AppContext, session: Session, place: gr.Tab) -> StyliseTab:
    """Build the tab inside the current gr.Tab, which is also `place`, and connect it."""
    tab = build_stylise_layout(session)
    works = tab.works
    tab.follow, another, pointed = _connect_photo(tab, context, place)
    _connect_pictures(tab, context, session, place)
    requests = [
        tab.box.key, tab.style, tab.strength, tab.shape, tab.texture, tab.colour, tab.blend, tab.share, tab.box.face, tab.box.points,
        tab.mode, tab.resolution, tab.paste, session.owned, tab.everyone,
    ]  # fmt: skip

    def remember_edit(page: str, wanted: EditRequest, **more: Any) -> None:
        context.pages.remember(page, photo=wanted.photo or "", face=wanted.face, points=wanted.points, edit=wanted, **more)

    def remember_person(page: str, photo: str, face: int, points: list[list[float]], everyone: bool) -> None:
        clicked = tuple(tuple(point) for point in points)
        context.pages.remember(page, photo=photo, face=int(face or 0), points=clicked, everyone=bool(everyone))

    def telling(page: str, wanted: EditRequest, view: EditView, turned: bool = True) -> dict[Any, Any]:
        """Show a view, and keep in mind what is on show."""
        if view.phase == "done":
            context.pages.remember(page, photo=wanted.photo or "", edited=wanted)
        return show_edit(tab, view, turned)

    nothing: dict[Any, Any] = {tab.notice: gr.skip()}

    def edit(page: str, *values: Any) -> Iterator[dict[Any, Any]]:
        wanted = read_request(*values)
        remember_edit(page, wanted, everyone=wanted.everyone)
        views = begun(works, wanted.photo, lambda stop: run_edit(context, wanted, stop), wanted, EditView)
        # every view is shown whole: the page may skip one of several that come at once
        failed = yield from followed(views, lambda view: telling(page, wanted, view), nothing)
        if failed:
            raise refusal(failed, "Not stylised", 6)

    def resume_edit(page: str) -> Iterator[dict[Any, Any]]:
        """The page was loaded again: watch its edit, or show the look it had. Nothing fails here: nobody has pressed anything."""
        yield nothing
        left = context.pages.recall(page)
        if left is None or left.photo not in context.photos:
            return
        told = yield from rejoined(works, left.photo, partial(telling, page), nothing)
        for look in () if told else dict.fromkeys((left.edited, left.edit)):
            for view in run_rerender(context, look) if look else ():
                if not view.error:
                    yield show_edit(tab, view, True)

    def stopping_edit(key: str) -> Any:
        return progress(0, "Stopping", kind="wait") if key in works else gr.skip()

    def stop_editing(key: str) -> None:
        works.ask(key)

    def edit_times(*values: Any) -> dict[str, Any]:
        return gr.update(choices=mode_choices(edit_seconds(context, read_request(*values))))

    def timed_here(*values: Any) -> dict[str, Any]:
        take_pace(context)
        return edit_times(*values)

    def rerender(page: str, *values: Any) -> Iterator[dict[Any, Any]]:
        yield nothing
        wanted = read_request(*values)
        remember_edit(page, wanted)
        for view in run_rerender(context, wanted):
            yield telling(page, wanted, view, bool(view.error))

    def second_styles(owned: list[str]) -> dict[str, Any]:
        return gr.update(choices=[("None", ""), *style_choices(context, owned)])

    gr.on(  # a list of its own, filled when it is opened: styles come and go in the other tabs
        [tab.blending.expand, tab.blend.focus], second_styles, [session.owned], [tab.blend], queue=False, **_QUIET
    )
    results = [tab.bar, tab.start, tab.stop, tab.notice, tab.working, tab.pair, tab.inverted, tab.identity, *tab.downloads.values()]
    made = tab.start.click(
        edit,
        [session.page, *requests],
        results,
        **_QUIET,
        concurrency_limit=WATCHERS,
        concurrency_id="edit",
        trigger_mode="once",
        js=show_stage("edit-progress"),
    )
    halt: dict[str, Any] = {"inputs": [tab.box.key], "queue": False, **_QUIET}
    tab.stop.click(stopping_edit, outputs=[tab.bar], **halt).then(stop_editing, **halt)  # in this order, or the last word was "Stopping"
    times: dict[str, Any] = {"inputs": requests, "outputs": [tab.mode], "trigger_mode": "always_last", "concurrency_limit": 8, **_QUIET}
    another[0].then(None, None, None, js=show_note("photo-hint")).then(timed_here, **times)
    for event in (made, *another[1:]):
        event.then(edit_times, **times)
    person = [session.page, tab.box.key, tab.box.face, tab.box.points, tab.everyone]
    for event in (*another, pointed):
        event.then(remember_person, person, queue=False, **_QUIET)
    gr.on([tab.box.shown.change, tab.style.change, tab.blend.change, place.select], edit_times, **times)
    live = [tab.strength.input, tab.shape.input, tab.texture.input, tab.colour.input, tab.share.input]
    gr.on(
        [*live, tab.paste.input, tab.everyone.input, tab.resolution.input, tab.blend.input, tab.style.input, tab.picked.change],
        rerender,
        [session.page, *requests],
        results,
        **_QUIET,
        concurrency_limit=8,
        concurrency_id="rerender",
        trigger_mode="always_last",
    )

    tab.resume, tab.outputs = resume_edit, results

    for kind, button in tab.downloads.items():

        def download(*values: Any, kind: str = kind) -> Iterator[dict[Any, Any]]:
            def write(folder: Path) -> Path:
                return write_download(context, replace(read_request(*values), paste=False), kind, folder)

            yield from delivered(write, tab.file, KINDS[kind])

        button.click(download, requests, [tab.file], concurrency_limit=2, concurrency_id="download", **_QUIET).success(
            None, None, None, js=press("edit-file")
        )
    return tab


def read_request(*values: Any) -> EditRequest:
    """What the page sent, in the order of its components."""
    key, style, strength, shape, texture, colour, blend, share, face, points, mode, resolution, paste, owned, everyone = values
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
        int(resolution) if resolution else None,
        bool(paste),
        tuple(owned),
        bool(everyone),
    )


def choose_again(tab: StyliseTab, request: EditRequest, styles: list[tuple[str, str]], sizes: Sequence[int]) -> dict[Any, Any]:
    """The opposite: updates that set the page's choices as they were, where there still are such styles and sizes."""
    known = [value for _, value in styles]
    shape, texture, colour = request.groups
    update: dict[Any, Any] = {
        tab.strength: request.strength, tab.shape: shape, tab.texture: texture, tab.colour: colour, tab.share: request.share,
        tab.mode: request.mode, tab.paste: request.paste,
        tab.blend: gr.update(choices=[("None", ""), *styles], value=request.blend if request.blend in known else ""),
    }  # fmt: skip
    if request.resolution in sizes:
        update[tab.resolution] = request.resolution
    if request.style in known:
        update[tab.style] = gr.update(choices=styles, value=request.style)
    return update


def show_edit(tab: StyliseTab, view: EditView, turned: bool) -> dict[Any, Any]:
    """Updates that show a view; `turned`: work begins or ends with it, so that the buttons change."""
    update: dict[Any, Any] = {tab.bar: view.progress}
    if view.working is not None:
        update[tab.working] = view.working
    if turned:
        update |= show_press(tab, view)
        if view.phase not in ("wait", "run"):
            update[tab.working] = ""
    if view.phase == "done":
        update |= {tab.pair: view.pair, tab.inverted: view.inverted, tab.identity: view.identity}
        update |= {button: gr.update(interactive=True) for button in tab.downloads.values()}
    return update


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


def _connect_photo(tab: StyliseTab, context: AppContext, place: gr.Tab) -> tuple[Callable[[gr.Image], None], tuple[Any, ...], Any]:
    """What happens when a photo arrives: its faces, or help with clicking them.

    Returns what makes the tab follow another's box, the events after which another person is meant, of which the first brings a photo, and
    the one of a click on the photo.
    """
    empty: dict[Any, Any] = {
        tab.working: "",
        tab.stop: gr.update(interactive=False),
        tab.pair: None,
        tab.inverted: None,
        tab.identity: identity_panel(),
        **{button: gr.update(interactive=False) for button in tab.downloads.values()},
    }

    def everyone(view: FacesView) -> dict[Any, Any]:
        count = len(view.thumbnails)
        words = f"All {count} faces" if count <= MOST_FACES else f"The {MOST_FACES} largest faces"
        return {tab.everyone: gr.update(value=False, visible=count > 1, label=f"{words}, in the whole photo")}

    box = tab.box
    steps = tab.steps = PhotoSteps(context, box, tab.start, tab.bar, tab.notice, EDIT_IDLE, EDIT_READY, empty, tab.works, everyone)

    def arrived(path: str | None, before: str, shown: str = "") -> Iterator[dict[Any, Any]]:
        yield from steps.arrive(path, before, shown)

    there = box.photo.change(
        arrived, [box.photo, box.key, box.shown], steps.outputs, concurrency_limit=2, trigger_mode="always_last", **_QUIET
    )

    def chosen(event: gr.SelectData) -> dict[Any, Any]:
        return {**steps.choose(event), tab.everyone: False}

    def pointed(key: str, points: list[list[float]], scale: float, event: gr.SelectData) -> dict[Any, Any]:
        return steps.point(key, points, scale, event)

    def together(everyone: bool) -> dict[Any, Any]:
        return {tab.paste: everyone, tab.bar: EDIT_READY}

    one = box.faces.select(chosen, None, [box.face, tab.bar, tab.everyone], queue=False, **_QUIET)
    all_of_them = tab.everyone.input(together, [tab.everyone], [tab.paste, tab.bar], queue=False, **_QUIET)
    clicked = box.pointing.select(
        pointed, [box.key, box.points, box.scale], [box.points, box.pointing, box.hint, tab.start, tab.bar], queue=False, **_QUIET
    )

    def followed(before: str, shown: str, path: str | None, face: int, points: list[Any], everyone: bool) -> Iterator[dict[Any, Any]]:
        if everyone and before == shown:
            yield {box.hint: gr.skip()}
            return
        yield from steps.follow(before, shown, path, face, points)

    def follow(other: gr.Image) -> None:
        inputs = [box.key, box.shown, other, box.face, box.points, tab.everyone]
        gr.on([place.select, box.key.change], followed, inputs, steps.outputs, **FOLLOWING, **_QUIET)

    return follow, (there, one, all_of_them), clicked
