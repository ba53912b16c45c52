"""The Compare tab: one photo and several styles on the left, the pictures side by side on the right, their strength live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from .compare_files import COMPARE_KINDS, write_comparison
from .compare_layout import COMPARE_IDLE, COMPARE_READY, CompareTab, build_compare_layout
from .compare_run import (
    MOST_STYLES,
    CompareRequest,
    CompareView,
    default_styles,
    run_compare_strength,
    run_compare_styles,
)
from .compare_sheet import compare_html, picks_html
from .context import AppContext
from .delivery import delivered
from .detached import WATCHERS, begun, followed, rejoined
from .edit_run import style_choices
from .fitting import Person
from .photo_box import FOLLOWING, PhotoSteps
from .photo_controls import show_press
from .press_time import compare_seconds, mode_choices
from .refusals import refusal
from .rehearsal import take_pace
from .scripts import press, show_note, show_stage
from .session import Session
from .style_pictures import run_style_pictures
from .widgets import progress

__all__ = ["build_compare_tab", "choose_again_to_compare", "first_choice"]

_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build_compare_tab(context: AppContext, session: Session, place: gr.Tab) -> CompareTab:
    """Build the tab inside the current gr.Tab, which is also `place`, and connect it."""
    tab = build_compare_layout(session)
    works = tab.works
    another = _connect_photo(tab, context, place)
    _connect_styles(tab, context, session, place)

    def show(view: CompareView, turned: bool) -> dict[Any, Any]:
        update: dict[Any, Any] = {tab.bar: view.progress}
        if view.sheet is not None:
            update[tab.sheet] = view.sheet
        if turned:
            update |= show_press(tab, view)
        if view.made:
            update |= {button: gr.update(interactive=True) for button in tab.downloads.values()}
        return update

    def telling(request: CompareRequest, view: CompareView) -> dict[Any, Any]:
        """Show a view, with what the sheet is then about."""
        return show(view, True) | ({tab.compared: _on_sheet(request)} if view.sheet is not None else {})

    nothing: dict[Any, Any] = {tab.notice: gr.skip()}

    def compare_styles(
        page: str, key: str, styles: Any, strength: float, face: int, points: list[Any], mode: str, owned: list[str]
    ) -> Iterator[dict[Any, Any]]:
        person = _person(face, points, mode)
        wanted = CompareRequest(key or None, styles, float(strength), person, tuple(owned))
        context.pages.remember(page, photo=key or "", face=person.face, points=person.points, comparison=wanted)
        views = begun(works, key, lambda stop: run_compare_styles(context, wanted, stop), wanted, CompareView)
        # every view is shown whole: the page may skip one of several that come at once
        failed = yield from followed(views, lambda view: telling(wanted, view), nothing)
        if failed:
            raise refusal(failed, "Not compared", 6)

    def resume_comparison(page: str) -> Iterator[dict[Any, Any]]:
        """The page was loaded again: watch its comparison, or show what was made of it. Nothing fails here: nobody has pressed anything."""
        yield nothing
        left = context.pages.recall(page)
        if left is None or left.photo not in context.photos:
            return
        told = yield from rejoined(works, left.photo, telling, nothing)
        if not told and left.comparison is not None:
            for view in run_compare_strength(context, left.comparison):
                if not view.error:
                    yield telling(left.comparison, view)

    def on_show(key: str, compared: Any, strength: float, owned: list[str]) -> CompareRequest:
        compared = compared if isinstance(compared, dict) else {}
        person = _person(compared.get("face"), compared.get("points") or [], compared.get("mode") or "balanced")
        return CompareRequest(key or None, compared.get("styles") or (), float(strength), person, tuple(owned))

    def compare_strength(page: str, key: str, compared: Any, strength: float, owned: list[str]) -> Iterator[dict[Any, Any]]:
        yield nothing
        wanted = on_show(key, compared, strength, owned)
        if wanted.styles:
            context.pages.remember(page, photo=key, comparison=wanted)
        for view in run_compare_strength(context, wanted):
            yield show(view, bool(view.error))

    def stopping_comparison(key: str) -> Any:
        return progress(0, "Stopping", kind="wait") if key in works else gr.skip()

    def stop_comparing(key: str) -> None:
        works.ask(key)

    def compare_times(key: str, styles: Any, face: int, points: list[Any], owned: list[str]) -> dict[str, Any]:
        wanted = CompareRequest(key or None, styles, person=_person(face, points, "balanced"), owned=tuple(owned))
        return gr.update(choices=mode_choices(compare_seconds(context, wanted)))

    def compare_timed_here(*values: Any) -> dict[str, Any]:
        take_pace(context)
        return compare_times(*values)

    results = [tab.bar, tab.sheet, tab.start, tab.stop, tab.notice, tab.compared, *tab.downloads.values()]
    made = tab.start.click(
        compare_styles,
        [session.page, tab.box.key, tab.styles, tab.strength, tab.box.face, tab.box.points, tab.mode, session.owned],
        results,
        concurrency_limit=WATCHERS,
        concurrency_id="compare",
        trigger_mode="once",
        js=show_stage("compare-progress"),
        **_QUIET,
    )
    halt: dict[str, Any] = {"inputs": [tab.box.key], "queue": False, **_QUIET}
    tab.stop.click(stopping_comparison, outputs=[tab.bar], **halt).then(stop_comparing, **halt)  # in this order: see the Stylise tab
    asked = [tab.box.key, tab.styles, tab.box.face, tab.box.points, session.owned]
    times: dict[str, Any] = {"inputs": asked, "outputs": [tab.mode], "trigger_mode": "always_last", "concurrency_limit": 8, **_QUIET}
    another[0].then(None, None, None, js=show_note("compare-photo-hint")).then(compare_timed_here, **times)
    for event in (made, *another[1:]):
        event.then(compare_times, **times)
    gr.on([tab.box.shown.change, tab.styles.change, place.select], compare_times, **times)
    shown = [tab.box.key, tab.compared, tab.strength, session.owned]
    tab.strength.input(
        compare_strength,
        [session.page, *shown],
        results,
        concurrency_limit=8,
        concurrency_id="rerender",
        trigger_mode="always_last",
        **_QUIET,
    )

    tab.resume, tab.outputs = resume_comparison, results

    for kind, button in tab.downloads.items():

        def compare_download(*values: Any, kind: str = kind) -> Iterator[dict[Any, Any]]:
            *request, resolution = values

            def write(folder: Path) -> Path:
                return write_comparison(context, on_show(*request), kind, folder, int(resolution) if resolution else None)

            yield from delivered(write, tab.file, COMPARE_KINDS[kind])

        button.click(
            compare_download, [*shown, tab.resolution], [tab.file], concurrency_limit=2, concurrency_id="download", **_QUIET
        ).success(None, None, None, js=press("compare-file"))
    return tab


def first_choice(tab: CompareTab, choices: list[tuple[str, str]]) -> dict[Any, Any]:
    """The list of styles and what is chosen of it unless the person says otherwise."""
    first = default_styles([value for _, value in choices])
    return {tab.styles: gr.update(choices=choices, value=first), tab.offered: bool(choices)}


def _on_sheet(request: CompareRequest) -> dict[str, Any]:
    """What a sheet shows, for the session to keep."""
    person = request.person
    return {"styles": request.styles, "face": person.face, "points": [list(point) for point in person.points], "mode": person.mode}


def choose_again_to_compare(tab: CompareTab, request: CompareRequest, styles: list[tuple[str, str]]) -> dict[Any, Any]:
    """Updates that set the tab's choices as they were, where the styles are still among `styles`."""
    known = [value for _, value in styles]
    chosen = [name for name in request.styles or () if name in known]
    update: dict[Any, Any] = {tab.strength: request.strength, tab.mode: request.person.mode}
    return update | ({tab.styles: gr.update(choices=styles, value=chosen), tab.offered: True} if chosen else {})


def _person(face: Any, points: Any, mode: str) -> Person:
    chosen = tuple(tuple(point) for point in points) if len(points) == 3 else ()
    return Person(int(face or 0), chosen, mode)


def _connect_photo(tab: CompareTab, context: AppContext, place: gr.Tab) -> tuple[Any, ...]:
    """What happens when a photo arrives, here or on the Stylise tab. Returns the events after which another person is meant; the first
    brings a photo."""
    box = tab.box
    empty: dict[Any, Any] = {
        tab.stop: gr.update(interactive=False),
        tab.sheet: compare_html(()),
        tab.compared: None,
        **{button: gr.update(interactive=False) for button in tab.downloads.values()},
    }
    steps = tab.steps = PhotoSteps(context, box, tab.start, tab.bar, tab.notice, COMPARE_IDLE, COMPARE_READY, empty, tab.works)

    def compare_arrived(path: str | None, before: str, shown: str) -> Iterator[dict[Any, Any]]:
        yield from steps.arrive(path, before, shown)

    def compare_chosen(event: gr.SelectData) -> dict[Any, Any]:
        return steps.choose(event)

    def compare_pointed(key: str, points: list[list[float]], scale: float, event: gr.SelectData) -> dict[Any, Any]:
        return steps.point(key, points, scale, event)

    there = box.photo.change(
        compare_arrived, [box.photo, box.key, box.shown], steps.outputs, concurrency_limit=2, trigger_mode="always_last", **_QUIET
    )
    one = box.faces.select(compare_chosen, None, [box.face, tab.bar], queue=False, **_QUIET)
    pointed = [box.points, box.pointing, box.hint, tab.start, tab.bar]
    box.pointing.select(compare_pointed, [box.key, box.points, box.scale], pointed, queue=False, **_QUIET)

    def compare_followed(before: str, shown: str, path: str | None, face: int, points: list[Any]) -> Iterator[dict[Any, Any]]:
        yield from steps.follow(before, shown, path, face, points)

    def follow(other: gr.Image) -> None:
        inputs = [box.key, box.shown, other, box.face, box.points]
        gr.on([place.select, box.key.change], compare_followed, inputs, steps.outputs, **FOLLOWING, **_QUIET)

    tab.follow = follow
    return there, one


def _connect_styles(tab: CompareTab, context: AppContext, session: Session, place: gr.Tab) -> None:
    """The list of styles and their pictures, which follow each other."""

    def offer_styles(chosen: Any, owned: list[str], offered: bool) -> Iterator[dict[Any, Any]]:
        """What there is to choose from, then the pictures that had to be made. Choices that are gone are dropped."""
        choices = style_choices(context, owned)
        names = [value for _, value in choices]
        left = [name for name in chosen or [] if name in names]
        if not offered:
            left = default_styles(names)
            yield first_choice(tab, choices)
        else:  # what still holds is left alone: the person may be choosing at this very moment
            same = left == (chosen or [])
            yield {tab.styles: gr.update(choices=choices) if same else gr.update(choices=choices, value=left)}
        for number, view in enumerate(run_style_pictures(context, owned)):
            cards = picks_html(view)
            yield {tab.picks: gr.update(cards=cards) if number else gr.update(cards=cards, value=left)}

    def picked(names: Any) -> list[str]:
        return [name for name in names if isinstance(name, str)][:MOST_STYLES] if isinstance(names, list) else []

    def listed(names: list[str] | None) -> dict[str, Any]:
        return gr.update(value=names or [])

    place.select(
        offer_styles,
        [tab.styles, session.owned, tab.offered],
        [tab.styles, tab.offered, tab.picks],
        concurrency_limit=8,
        concurrency_id="style-pictures",
        trigger_mode="always_last",
        **_QUIET,
    )
    tab.picks.input(picked, [tab.picks], [tab.styles], queue=False, trigger_mode="always_last", **_QUIET)
    tab.styles.input(listed, [tab.styles], [tab.picks], queue=False, trigger_mode="always_last", **_QUIET)
