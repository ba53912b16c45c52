"""Build the Stylise tab: a photo and a look on the left, before and after on the right, the strength live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.errors import PhotoError
from nada_core.ui.html.widgets import identity_panel, progress_bar
from nada_core.ui.jobs.detached import WATCHERS, begun, followed, rejoined
from nada_core.ui.jobs.views import Progress
from nada_core.ui.page.replies import delivered, refusal
from nada_core.ui.page.scripts import MARK_PICTURE, press, reveal, show_note, show_stage
from nada_core.ui.page.shared_components import QUIET, Session
from nada_core.ui.photo.box import FOLLOWING, PhotoSteps
from nada_core.ui.photo.controls import show_press
from nada_core.ui.photo.downloads import Writing
from nada_core.ui.photo.faces import FacesView
from nada_core.ui.photo.ready_mode import follow_ready_mode
from nada_core.ui.photo.time_estimate import mode_choices
from nada_core.ui.requests import FACES_AT_ONCE, EditRequest
from nada_core.ui.server.context import AppContext
from nada_core.ui.server.warm_up import take_pace
from nada_core.ui.style_menu.choices import style_choices
from nada_core.ui.style_menu.pictures import run_style_pictures
from nada_core.ui.tabs.stylise.asked import read_request, restore_request
from nada_core.ui.tabs.stylise.downloads import KINDS, download_writing
from nada_core.ui.tabs.stylise.history import PastLook
from nada_core.ui.tabs.stylise.layout import EDIT_IDLE, EDIT_READY, StyliseTab, build_stylise_layout
from nada_core.ui.tabs.stylise.run import (
    EditView,
    Likeness,
    edit_seconds,
    face_at_once,
    is_ready,
    is_unmade,
    run_edit,
    run_rerender,
    unmade_words,
)
from nada_core.ui.tabs.stylise.sharing import connect_sharing
from nada_core.ui.tabs.stylise.stage import edit_working

__all__ = ["StyliseTab", "build_stylise_tab"]


def build_stylise_tab(context: AppContext, session: Session, place: gr.Tab) -> StyliseTab:
    """Build the tab inside the current gr.Tab, which is also `place`, and connect it."""
    tab = build_stylise_layout(session)
    works = tab.works
    tab.follow, another, pointed = _connect_photo(tab, context, place)
    _connect_pictures(tab, context, session, place)
    follow_ready_mode(context, tab.box, tab.mode, place)
    asked: dict[str, Any] = {  # what `read_request` reads, by its names
        "photo": tab.box.key, "style": tab.style, "strength": tab.strength, "shape": tab.shape, "texture": tab.texture,
        "colour": tab.colour, "blend": tab.blend, "share": tab.share, "face": tab.box.face, "points": tab.box.points, "mode": tab.mode,
        "resolution": tab.resolution, "paste": tab.paste, "owned": session.owned, "everyone": tab.everyone,
    }  # fmt: skip

    def remember_edit(page: str, wanted: EditRequest, **more: Any) -> None:
        context.pages.remember(page, photo=wanted.photo or "", face=wanted.face, points=wanted.points, edit=wanted, **more)

    def remember_person(page: str, photo: str, face: int, points: list[list[float]], everyone: bool) -> None:
        clicked = tuple(tuple(point) for point in points)
        context.pages.remember(page, photo=photo, face=int(face or 0), points=clicked, everyone=bool(everyone))

    def telling(page: str, wanted: EditRequest, view: EditView, turned: bool = True) -> dict[Any, Any]:
        """Return updates that show a view, and keep what is on show."""
        if view.phase == "stopped" and wanted.photo in works:  # for another look of the same photo, which is shown instead
            return nothing
        if view.phase == "done":
            context.pages.remember(page, photo=wanted.photo or "", edited=wanted)
            return show_edit(tab, view, turned) | {tab.on_show: wanted}
        return show_edit(tab, view, turned)

    nothing: dict[Any, Any] = {tab.notice: gr.skip()}

    def begin(page: str, wanted: EditRequest) -> Iterator[dict[Any, Any]]:
        remember_edit(page, wanted, everyone=wanted.everyone)
        views = begun(works, wanted.photo, lambda stop: run_edit(context, wanted, stop), wanted, EditView)
        # every view is shown whole: the page may skip one of several that come at once
        failed = yield from followed(views, lambda view: telling(page, wanted, view), nothing)
        if failed:
            raise refusal(failed, "Not stylised", 6)

    def edit(page: str, **sent: Any) -> Iterator[dict[Any, Any]]:
        yield from begin(page, read_request(sent))

    def choose_style(page: str, **sent: Any) -> Iterator[dict[Any, Any]]:
        """Show the chosen style: from what has been made, or by making it where a face of the photo has been rebuilt already."""
        yield nothing
        wanted = read_request(sent)
        if is_unmade(context, wanted):
            yield from begin(page, wanted)
        else:
            yield from rerender(page, **sent)

    def try_on(page: str, **sent: Any) -> Iterator[dict[Any, Any]]:
        """Edit the photo in a style that was chosen on another tab; without a photo the tab asks for one."""
        yield nothing
        wanted = read_request(sent)
        if is_ready(context, wanted):
            yield from begin(page, wanted)

    def wear_at_once(shown: EditRequest | None, **sent: Any) -> Iterator[dict[Any, Any]]:
        """Put the style on the face while nothing has been made of it yet."""
        yield {tab.working: gr.skip()}
        wanted = read_request(sent)
        if shown is None and wanted.photo not in works and (face := face_at_once(context, wanted)) is not None:
            ready = {button: gr.update(interactive=True) for button in tab.downloads.values()}
            yield {tab.working: edit_working(face), tab.at_once: wanted, **ready}

    def follow_style(page: str, shown: EditRequest | None, **sent: Any) -> dict[Any, Any]:
        """Say so where another style than the one on show was chosen by what happened on another tab."""
        wanted = read_request(sent)
        if shown is None or wanted.style == shown.style or wanted.photo != shown.photo or wanted.photo in works:
            return nothing
        return {tab.bar: progress_bar(unmade_words())} if is_unmade(context, wanted) else nothing

    def resume_edit(page: str) -> Iterator[dict[Any, Any]]:
        """Watch the edit of a page loaded again, or show the look it had. Errors stay silent: nobody pressed anything."""
        yield nothing
        left = context.pages.recall(page)
        if left is None or left.photo not in context.photos:
            return
        told = yield from rejoined(works, left.photo, partial(telling, page), nothing)
        for look in () if told else dict.fromkeys((left.edited, left.edit)):
            for view in run_rerender(context, look) if look else ():
                if not view.error:
                    yield show_edit(tab, view, True) | ({tab.on_show: look} if view.phase == "done" else {})

    def stopping_edit(key: str) -> Any:
        return progress_bar(Progress(0, "Stopping", kind="wait")) if key in works else gr.skip()

    def stop_editing(key: str) -> None:
        works.ask(key)

    def edit_times(**sent: Any) -> dict[str, Any]:
        return gr.update(choices=mode_choices(edit_seconds(context, read_request(sent))))

    def timed_here(**sent: Any) -> dict[str, Any]:
        take_pace(context)
        return edit_times(**sent)

    def rerender(page: str, **sent: Any) -> Iterator[dict[Any, Any]]:
        yield nothing
        wanted = read_request(sent)
        remember_edit(page, wanted)
        for view in run_rerender(context, wanted):
            again = {tab.start: tab.steps.button(True)} if view.phase == "done" and wanted.photo not in works else {}  # not "Continue"
            yield again | telling(page, wanted, view, bool(view.error))

    def second_styles(owned: list[str]) -> dict[str, Any]:
        return gr.update(choices=[("None", ""), *style_choices(context, owned)])

    gr.on(  # a list of its own, filled when it is opened: styles come and go in the other tabs
        [tab.blending.expand, tab.blend.focus], second_styles, [session.owned], [tab.blend], queue=False, **QUIET
    )
    results = [tab.bar, tab.start, tab.stop, tab.notice, tab.working, tab.pair, tab.inverted, tab.identity, tab.on_show, tab.copy, tab.zoom]
    results += tab.downloads.values()
    connect_sharing(context, tab)

    def again(page: str, past: tuple[PastLook, ...], key: str, owned: list[str], event: gr.SelectData) -> Iterator[dict[Any, Any]]:
        """Show one of the last results as it was; its choices too, where it is of the photo that is there."""
        yield nothing
        if not isinstance(event.index, int) or not 0 <= event.index < len(past):
            return
        look = past[event.index].request
        for view in run_rerender(context, look):
            chosen: dict[Any, Any] = {}
            if look.photo == key and view.phase == "done":
                chosen = restore_request(tab, look, style_choices(context, owned), context.open()[1].sizes)
            yield chosen | telling(page, look, view, bool(view.error))

    pressed = [session.page, tab.past, tab.box.key, session.owned]
    tab.history.select(again, pressed, [*results, *tab.choices], concurrency_limit=8, trigger_mode="once", **QUIET)
    made = tab.start.click(
        edit,
        [session.page],
        results,
        inputs_kwargs=asked,
        **QUIET,
        concurrency_limit=WATCHERS,
        concurrency_id="edit",
        trigger_mode="once",
        js=show_stage("edit-progress"),
    )
    halt: dict[str, Any] = {"inputs": [tab.box.key], "queue": False, **QUIET}
    tab.stop.click(stopping_edit, outputs=[tab.bar], **halt).then(stop_editing, **halt)  # in this order, or the last word was "Stopping"
    times: dict[str, Any] = {"inputs_kwargs": asked, "outputs": [tab.mode], "trigger_mode": "always_last", "concurrency_limit": 8, **QUIET}
    another[0].then(None, None, None, js=show_note("photo-hint")).then(timed_here, **times)
    for event in (made, *another[1:]):
        event.then(edit_times, **times)
    at_once: dict[str, Any] = {"inputs": [tab.on_show], "inputs_kwargs": asked, "concurrency_limit": 8, **QUIET}
    at_once["outputs"] = [tab.working, tab.at_once, *tab.downloads.values()]
    for event in (another[0], another[1]):
        event.then(wear_at_once, **at_once)
    gr.on([tab.style.input, tab.picked.change, tab.strength.input], wear_at_once, trigger_mode="always_last", **at_once)
    person = [session.page, tab.box.key, tab.box.face, tab.box.points, tab.everyone]
    for event in (*another, pointed):
        event.then(remember_person, person, queue=False, **QUIET)
    gr.on([tab.box.shown.change, tab.style.change, tab.blend.change, place.select], edit_times, **times)
    live = [tab.strength.input, tab.shape.input, tab.texture.input, tab.colour.input, tab.share.input]
    gr.on(
        [*live, tab.paste.input, tab.everyone.input, tab.resolution.input],
        rerender,
        [session.page],
        results,
        inputs_kwargs=asked,
        **QUIET,
        concurrency_limit=8,
        concurrency_id="rerender",
        trigger_mode="always_last",
    )

    working: dict[str, Any] = {"inputs_kwargs": asked, **QUIET, "concurrency_limit": WATCHERS, "concurrency_id": "edit"}
    chosen = [tab.style.input, tab.picked.change, tab.blend.input]
    # each press counts: what the one before has begun on the photo is asked to end
    styled = gr.on(chosen, choose_style, [session.page], results, trigger_mode="multiple", **working)
    styled.then(edit_times, **times)
    tab.style.change(
        follow_style, [session.page, tab.on_show], [tab.bar, tab.notice], inputs_kwargs=asked, trigger_mode="always_last", **QUIET
    )

    def wear(event: Any) -> None:
        event.success(try_on, [session.page], results, js=show_stage("edit-progress"), **working).then(edit_times, **times)

    tab.resume, tab.outputs, tab.wear = resume_edit, results, wear

    for kind, button in tab.downloads.items():

        def download(shown: EditRequest | None, at_once: EditRequest | None = None, kind: str = kind) -> Iterator[dict[Any, Any]]:
            def write(folder: Path) -> Writing:
                wanted = shown or at_once
                if wanted is None:
                    raise PhotoError("Nothing is shown yet: press Stylise first.")
                return (yield from download_writing(context, replace(wanted, paste=False), kind, folder))

            yield from delivered(write, tab.file, tab.taking, KINDS[kind])

        taken: dict[str, Any] = {"outputs": [tab.file, tab.taking], "concurrency_limit": WATCHERS, "concurrency_id": "download"}
        button.click(download, [tab.on_show, tab.at_once], **taken, **QUIET).success(None, None, None, js=press("edit-file"))
    return tab


def show_edit(tab: StyliseTab, view: EditView, turned: bool) -> dict[Any, Any]:
    """Return updates that show a view; `turned`: work begins or ends with it, so that the buttons change."""
    update: dict[Any, Any] = {tab.bar: progress_bar(view.progress)}
    if view.working is not None:
        update[tab.working] = edit_working(view.working)
    if turned:
        update |= show_press(tab, view)
        if not view.running:
            update[tab.working] = ""
    if view.phase == "done":
        like = view.likeness or Likeness()
        panel = identity_panel(like.inverted, like.edited, like.error, each=like.each)
        update |= {tab.working: "", tab.pair: view.pair, tab.inverted: view.inverted, tab.identity: panel}
        update |= {button: gr.update(interactive=True) for button in (tab.copy, tab.zoom, *tab.downloads.values())}
    return update


def _connect_pictures(tab: StyliseTab, context: AppContext, session: Session, place: gr.Tab) -> None:
    """Connect the gallery of styles and the dropdown above it, which follow each other."""

    def draw_pictures(style: str | None, owned: list[str]) -> Iterator[dict[Any, Any]]:
        """Yield all pictures, then those that had to be made."""
        for number, view in enumerate(run_style_pictures(context, owned)):
            value = list(view.pictures)
            if number:  # the mark is left alone: the person may have chosen another one by now
                yield {tab.looks: gr.update(value=value)}
            else:
                mark = view.names.index(style) if style in view.names else None
                yield {tab.looks: gr.update(value=value, selected_index=mark), tab.listed: list(view.names)}

    def follow_library(style: str | None, owned: list[str], listed: list[str]) -> Iterator[dict[Any, Any]]:
        """Redraw the pictures where the list of styles has changed."""
        yield {tab.listed: gr.skip()}
        if [value for _, value in style_choices(context, owned)] != listed:
            yield from draw_pictures(style, owned)

    def press_picture(style: str | None, listed: list[str], picked: int, event: gr.SelectData) -> dict[Any, Any]:
        """Choose the pressed style; what was marked because of the dropdown is reported too, but renders nothing."""
        number = event.index if isinstance(event.index, int) else -1
        name = listed[number] if 0 <= number < len(listed) else style
        return {tab.style: name, tab.picked: picked + (name != style)}

    drawn: dict[str, Any] = {"outputs": [tab.looks, tab.listed], "concurrency_limit": 8, "concurrency_id": "style-pictures", **QUIET}
    drawn["trigger_mode"] = "always_last"
    shown = place.select(draw_pictures, [tab.style, session.owned], **drawn)
    followed = tab.style.change(follow_library, [tab.style, session.owned, tab.listed], **drawn)
    for event in (shown, followed):  # a style that was saved or made elsewhere may be far below
        event.then(None, None, None, js=reveal("style-pictures"))
    marked = tab.style.input(None, [tab.style, tab.listed], [tab.looks], js=MARK_PICTURE)
    marked.then(None, None, None, js=reveal("style-pictures"))
    pressed = [tab.style, tab.picked]
    tab.looks.select(  # queued, although it is quick: a gr.State tells of its change only then; one at a time, so that the last one counts
        press_picture, [tab.style, tab.listed, tab.picked], pressed, trigger_mode="multiple", concurrency_limit=1, **QUIET
    )


def _connect_photo(tab: StyliseTab, context: AppContext, place: gr.Tab) -> tuple[Callable[[gr.Image], None], tuple[Any, ...], Any]:
    """Connect the arrival of a photo: its faces, or help with clicking them.

    Returns what makes the tab follow another's box, the events after which another person is meant, of which the first brings a photo, and
    the one of a click on the photo.
    """
    empty: dict[Any, Any] = {
        tab.working: "",
        tab.stop: gr.update(interactive=False),
        tab.pair: None,
        tab.on_show: None,
        tab.at_once: None,
        tab.inverted: None,
        tab.identity: identity_panel(),
        **{button: gr.update(interactive=False) for button in (tab.copy, tab.zoom, *tab.downloads.values())},
    }

    def everyone(view: FacesView) -> dict[Any, Any]:
        count = len(view.thumbnails)
        words = f"All {count} faces" if count <= FACES_AT_ONCE else f"The {FACES_AT_ONCE} largest faces"
        return {tab.everyone: gr.update(value=False, visible=count > 1, label=f"{words}, in the whole photo")}

    box = tab.box
    steps = tab.steps = PhotoSteps(context, box, tab.start, tab.bar, tab.notice, EDIT_IDLE, EDIT_READY, empty, tab.works, everyone)

    def arrived(path: str | None, before: str, shown: str, touched: float, heeded: float) -> Iterator[dict[Any, Any]]:
        yield from steps.arrive(path, before, shown, touched, heeded)

    there = steps.on_arrival(arrived)

    def chosen(event: gr.SelectData) -> dict[Any, Any]:
        return {**steps.choose(event), tab.everyone: False}

    def pointed(key: str, points: list[list[float]], scale: float, event: gr.SelectData) -> dict[Any, Any]:
        return steps.point(key, points, scale, event)

    def taken_by_hand(key: str, by_hand: bool) -> dict[Any, Any]:
        return {**steps.take_by_hand(key, by_hand), tab.everyone: False}

    def together(everyone: bool) -> dict[Any, Any]:
        return {tab.paste: everyone, tab.bar: progress_bar(EDIT_READY)}

    one = box.faces.select(chosen, None, [box.face, tab.bar, tab.everyone], queue=False, **QUIET)
    all_of_them = tab.everyone.input(together, [tab.everyone], [tab.paste, tab.bar], queue=False, **QUIET)
    clicked = box.pointing.select(
        pointed, [box.key, box.points, box.scale], [box.points, box.pointing, box.hint, tab.start, tab.bar], queue=False, **QUIET
    )

    by_hand = box.by_hand.input(taken_by_hand, [box.key, box.by_hand], [*steps.placing, tab.everyone], queue=False, **QUIET)

    def followed(before: str, shown: str, path: str | None, face: int, points: list[Any], everyone: bool) -> Iterator[dict[Any, Any]]:
        if everyone and before == shown:
            yield {box.hint: gr.skip()}
            return
        yield from steps.follow(before, shown, path, face, points)

    def follow(other: gr.Image) -> None:
        inputs = [box.key, box.shown, other, box.face, box.points, tab.everyone]
        gr.on([place.select, box.key.change], followed, inputs, steps.outputs, **FOLLOWING, **QUIET)

    return follow, (there, one, all_of_them, by_hand), clicked
