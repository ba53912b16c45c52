"""Build the Compare tab: one photo and several styles left, the pictures side by side right, their strength live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.detached import WATCHERS, begun, followed, rejoined
from nada_core.ui.jobs.views import Progress
from nada_core.ui.page.replies import delivered, refusal
from nada_core.ui.page.scripts import press, show_note, show_stage
from nada_core.ui.page.shared_components import QUIET, Session
from nada_core.ui.photo.box import FOLLOWING, PhotoSteps
from nada_core.ui.photo.controls import show_press
from nada_core.ui.photo.downloads import Writing
from nada_core.ui.photo.ready_mode import follow_ready_mode
from nada_core.ui.photo.time_estimate import mode_choices
from nada_core.ui.requests import CompareRequest, Person
from nada_core.ui.server.context import AppContext
from nada_core.ui.server.warm_up import take_pace
from nada_core.ui.style_menu.choices import style_choices
from nada_core.ui.style_menu.pictures import StylePictures, run_style_pictures
from nada_core.ui.tabs.compare.at_once import compare_at_once
from nada_core.ui.tabs.compare.downloads import COMPARE_KINDS, comparison_writing
from nada_core.ui.tabs.compare.layout import COMPARE_IDLE, COMPARE_READY, CompareTab, build_compare_layout
from nada_core.ui.tabs.compare.run import (
    CompareView,
    compare_seconds,
    default_styles,
    run_compare_strength,
    run_compare_styles,
)
from nada_core.ui.tabs.compare.sheet import compare_html, picks_html

__all__ = ["build_compare_tab", "first_choice", "restore_comparison"]


def build_compare_tab(context: AppContext, session: Session, place: gr.Tab) -> CompareTab:
    """Build the tab inside the current gr.Tab, which is also `place`, and connect it."""
    tab = build_compare_layout(session)
    works = tab.works
    another = _connect_photo(tab, context, place)
    _connect_styles(tab, context, session, place)
    follow_ready_mode(context, tab.box, tab.mode, place)

    def show(view: CompareView, turned: bool) -> dict[Any, Any]:
        update: dict[Any, Any] = {tab.bar: progress_bar(view.progress)}
        if view.sheet is not None:
            update[tab.sheet] = compare_html(view.sheet)
        if turned:
            update |= show_press(tab, view)
        if view.made:
            update |= {button: gr.update(interactive=True) for button in tab.downloads.values()}
        return update

    def telling(request: CompareRequest, view: CompareView) -> dict[Any, Any]:
        """Return updates that show a view, and keep what the sheet then shows."""
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
        """Watch the comparison of a page loaded again, or show what was made of it. Errors stay silent: nobody pressed anything."""
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

    def compare_worn(compared: Any, key: str, styles: Any, strength: float, face: int, points: list[Any], owned: list[str]) -> Any:
        """Put the styles on the face while nothing has been compared yet."""
        if compared is not None or key in works:
            return gr.skip()
        wanted = CompareRequest(key or None, styles, float(strength), _person(face, points, "balanced"), tuple(owned))
        cells = compare_at_once(context, wanted)
        return compare_html(cells) if cells else gr.skip()

    def stopping_comparison(key: str) -> Any:
        return progress_bar(Progress(0, "Stopping", kind="wait")) if key in works else gr.skip()

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
        **QUIET,
    )
    halt: dict[str, Any] = {"inputs": [tab.box.key], "queue": False, **QUIET}
    tab.stop.click(stopping_comparison, outputs=[tab.bar], **halt).then(stop_comparing, **halt)  # in this order: see the Stylise tab
    asked = [tab.box.key, tab.styles, tab.box.face, tab.box.points, session.owned]
    times: dict[str, Any] = {"inputs": asked, "outputs": [tab.mode], "trigger_mode": "always_last", "concurrency_limit": 8, **QUIET}
    another[0].then(None, None, None, js=show_note("compare-photo-hint")).then(compare_timed_here, **times)
    for event in (made, *another[1:]):
        event.then(compare_times, **times)
    gr.on([tab.box.shown.change, tab.styles.change, place.select], compare_times, **times)
    at_once: dict[str, Any] = {"outputs": [tab.sheet], "concurrency_limit": 8, "concurrency_id": "compare-at-once", **QUIET}
    at_once["inputs"] = [tab.compared, tab.box.key, tab.styles, tab.strength, tab.box.face, tab.box.points, session.owned]
    for event in another:
        event.then(compare_worn, **at_once)
    worn_by = [tab.box.shown.change, tab.styles.change, tab.strength.input, place.select]
    gr.on(worn_by, compare_worn, trigger_mode="always_last", **at_once)
    shown = [tab.box.key, tab.compared, tab.strength, session.owned]
    tab.strength.input(
        compare_strength,
        [session.page, *shown],
        results,
        concurrency_limit=8,
        concurrency_id="rerender",
        trigger_mode="always_last",
        **QUIET,
    )

    tab.resume, tab.outputs = resume_comparison, results

    for kind, button in tab.downloads.items():

        def compare_download(*values: Any, kind: str = kind) -> Iterator[dict[Any, Any]]:
            *request, resolution = values

            def write(folder: Path) -> Writing:
                size = int(resolution) if resolution else None
                return (yield from comparison_writing(context, on_show(*request), kind, folder, size))

            yield from delivered(write, tab.file, tab.taking, COMPARE_KINDS[kind])

        button.click(
            compare_download,
            [*shown, tab.resolution],
            [tab.file, tab.taking],
            concurrency_limit=WATCHERS,
            concurrency_id="download",
            **QUIET,
        ).success(None, None, None, js=press("compare-file"))
    return tab


def first_choice(tab: CompareTab, choices: list[tuple[str, str]]) -> dict[Any, Any]:
    """Return updates that fill the list of styles and choose the default ones."""
    first = default_styles([value for _, value in choices])
    return {tab.styles: gr.update(choices=choices, value=first), tab.offered: bool(choices)}


def _on_sheet(request: CompareRequest) -> dict[str, Any]:
    """Return what a sheet shows, for the session to keep."""
    person = request.person
    return {"styles": request.styles, "face": person.face, "points": [list(point) for point in person.points], "mode": person.mode}


def restore_comparison(tab: CompareTab, request: CompareRequest, styles: list[tuple[str, str]]) -> dict[Any, Any]:
    """Return updates that set the tab's choices as they were, where the styles are still among `styles`."""
    known = [value for _, value in styles]
    chosen = [name for name in request.styles or () if name in known]
    update: dict[Any, Any] = {tab.strength: request.strength, tab.mode: request.person.mode}
    return update | ({tab.styles: gr.update(choices=styles, value=chosen), tab.offered: True} if chosen else {})


def _person(face: Any, points: Any, mode: str) -> Person:
    chosen = tuple(tuple(point) for point in points) if len(points) == 3 else ()
    return Person(int(face or 0), chosen, mode)


def _connect_photo(tab: CompareTab, context: AppContext, place: gr.Tab) -> tuple[Any, ...]:
    """Connect the arrival of a photo, here or on the Stylise tab.

    Returns the events after which another person is meant; the first brings a photo.
    """
    box = tab.box
    empty: dict[Any, Any] = {
        tab.stop: gr.update(interactive=False),
        tab.sheet: compare_html(()),
        tab.compared: None,
        **{button: gr.update(interactive=False) for button in tab.downloads.values()},
    }
    steps = tab.steps = PhotoSteps(context, box, tab.start, tab.bar, tab.notice, COMPARE_IDLE, COMPARE_READY, empty, tab.works)

    def compare_arrived(path: str | None, before: str, shown: str, touched: float, heeded: float) -> Iterator[dict[Any, Any]]:
        yield from steps.arrive(path, before, shown, touched, heeded)

    def compare_chosen(event: gr.SelectData) -> dict[Any, Any]:
        return steps.choose(event)

    def compare_pointed(key: str, points: list[list[float]], scale: float, event: gr.SelectData) -> dict[Any, Any]:
        return steps.point(key, points, scale, event)

    def compare_taken_by_hand(key: str, by_hand: bool) -> dict[Any, Any]:
        return steps.take_by_hand(key, by_hand)

    there = steps.on_arrival(compare_arrived)
    one = box.faces.select(compare_chosen, None, [box.face, tab.bar], queue=False, **QUIET)
    by_hand = box.by_hand.input(compare_taken_by_hand, [box.key, box.by_hand], steps.placing, queue=False, **QUIET)
    pointed = [box.points, box.pointing, box.hint, tab.start, tab.bar]
    box.pointing.select(compare_pointed, [box.key, box.points, box.scale], pointed, queue=False, **QUIET)

    def compare_followed(before: str, shown: str, path: str | None, face: int, points: list[Any]) -> Iterator[dict[Any, Any]]:
        yield from steps.follow(before, shown, path, face, points)

    def follow(other: gr.Image) -> None:
        inputs = [box.key, box.shown, other, box.face, box.points]
        gr.on([place.select, box.key.change], compare_followed, inputs, steps.outputs, **FOLLOWING, **QUIET)

    tab.follow = follow
    return there, one, by_hand


def _connect_styles(tab: CompareTab, context: AppContext, session: Session, place: gr.Tab) -> None:
    """Connect the list of styles and their pictures, which follow each other."""

    def offer_styles(chosen: Any, owned: list[str], offered: bool) -> Iterator[dict[Any, Any]]:
        """Yield the styles to choose from, then the pictures that had to be made. Choices that are gone are dropped."""
        choices = style_choices(context, owned)
        names = [value for _, value in choices]
        if not names:
            yield {tab.early: True, tab.picks: gr.update(cards=picks_html(StylePictures((), ())), value=[])}
            return
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

    def offer_late(early: bool, *values: Any) -> Iterator[dict[Any, Any]]:
        """Yield the same to a page that asked before there were any styles."""
        late = early and context.is_open
        yield {tab.early: False if late else gr.skip()}
        if late:
            yield from offer_styles(*values)

    asked = [tab.styles, session.owned, tab.offered]
    offer: dict[str, Any] = {"outputs": [tab.styles, tab.offered, tab.early, tab.picks], "concurrency_limit": 8, **QUIET}
    offer |= {"concurrency_id": "style-pictures", "trigger_mode": "always_last"}
    chosen = place.select(offer_styles, asked, **offer)
    # the list and the boxes follow each other in the browser: by way of the server, an older state of the one could meet a newer one
    mirrored: dict[str, Any] = {"fn": None, "js": "(names) => [names || []]", **QUIET}
    for event in (chosen.then, tab.offered.change):  # whichever comes last
        # marked as the list is by then: what the server was told may be older than the choice by default
        event(offer_late, [tab.early, *asked], **offer).then(inputs=[tab.styles], outputs=[tab.picks], **mirrored)
    tab.picks.input(inputs=[tab.picks], outputs=[tab.styles], **mirrored)
    tab.styles.input(inputs=[tab.styles], outputs=[tab.picks], **mirrored)
