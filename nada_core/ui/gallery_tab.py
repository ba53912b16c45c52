"""The Gallery tab: every style as a card, the chosen ones on the same faces, a walk through one, and the library's care."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any

import gradio as gr

from ..errors import NadaError
from .context import AppContext
from .edit_run import style_choices
from .gallery_cards import run_cards, titles
from .gallery_layout import GalleryTab, build_gallery_layout, chosen_html
from .gallery_run import (
    GalleryView,
    delete_style,
    fresh_seeds,
    import_style,
    rename_style,
    run_compare,
    run_export,
    run_walk,
)
from .refusals import refusal
from .scripts import focus, press, show_result
from .session import Session
from .text import message_box
from .worker import close_iterator

__all__ = ["build_gallery_tab"]

log = logging.getLogger(__name__)
_BUG = "Something went wrong on the server. Please try again; the server's log has the details."
_QUIET: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
_WORKING: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "concurrency_limit": 8,
    "concurrency_id": "gallery",
    "trigger_mode": "once",
}
_LIBRARY: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": 2}


def build_gallery_tab(context: AppContext, session: Session, place: gr.Tab) -> None:
    """Build the tab inside the current gr.Tab, which is also `place`, and connect it."""
    tab = build_gallery_layout(own=not context.public)
    redraw = _connect_cards(tab, context, place)
    _connect_work(tab, context)
    if not context.public:
        _connect_care(tab, context, session, redraw)


def _entries(context: AppContext) -> list[Any]:
    return context.open()[0].style_entries() if context.is_open else []


def _saved(context: AppContext, picked: Any, entries: Sequence[Any] | None = None) -> list[str]:
    """The chosen names that can be renamed and deleted: those of saved styles."""
    saved = {entry.card.name for entry in (_entries(context) if entries is None else entries) if not entry.ready}
    return [] if context.public else [name for name in _names(picked) if name in saved]


def _picked(tab: GalleryTab, context: AppContext, names: Sequence[str], entries: Sequence[Any] | None = None) -> dict[Any, Any]:
    """What the bar shows for the chosen names; a question that was open is closed."""
    entries = _entries(context) if entries is None else entries
    own = _saved(context, names, entries)
    return {
        tab.chosen: chosen_html(names, titles(entries)),
        tab.rename: gr.update(visible=len(names) == len(own) == 1),
        tab.delete: gr.update(visible=bool(own)),
        tab.sure: gr.update(visible=False),
        tab.naming: gr.update(visible=False),
        tab.marked: [],
    }


def _barred(tab: GalleryTab) -> list[Any]:
    return [tab.chosen, tab.rename, tab.delete, tab.sure, tab.naming, tab.marked]


def _connect_cards(tab: GalleryTab, context: AppContext, place: gr.Tab) -> dict[str, Any]:
    """Draw the cards and follow what is chosen; returns the event that draws them, for whatever changes the library."""

    def draw(picked: Any) -> Iterator[dict[Any, Any]]:
        """The cards, picture by picture. Choices that are gone are dropped."""
        try:
            for number, view in enumerate(run_cards(context, context.thumbnails)):
                update: dict[Any, Any] = {tab.cards: gr.update(cards=view.cards), tab.note: _note(view.note)}
                if not number:
                    # what still holds is left alone: the person may be choosing at this very moment
                    left = [one for one in _names(picked) if one in view.names]
                    if left != _names(picked):
                        update |= {tab.cards: gr.update(cards=view.cards, value=left), **_picked(tab, context, left)}
                yield update
        except NadaError as error:
            yield {tab.note: message_box(str(error), "bad")}
        except Exception:  # a bug, not the person's doing
            log.exception("the cards could not be drawn")
            yield {tab.note: message_box(_BUG, "bad")}

    def pick(picked: Any) -> dict[Any, Any]:
        return {tab.notice: "", **_picked(tab, context, _names(picked))}

    def clear() -> dict[Any, Any]:
        return {tab.cards: gr.update(value=[]), **pick([])}

    redraw: dict[str, Any] = {
        "fn": draw,
        "inputs": [tab.cards],
        "outputs": [tab.cards, tab.note, *_barred(tab)],
        "api_visibility": "private",
        "show_progress": "hidden",
        "concurrency_limit": 8,
        "concurrency_id": "gallery-cards",
    }
    gr.on([place.select, tab.refresh.click], **redraw)
    tab.cards.input(pick, [tab.cards], [tab.notice, *_barred(tab)], trigger_mode="always_last", **_QUIET)
    tab.clear.click(clear, None, [tab.cards, tab.notice, *_barred(tab)], **_QUIET)
    return redraw


def _connect_work(tab: GalleryTab, context: AppContext) -> None:
    """Compare, film, export."""

    def show(views: Iterator[GalleryView], heading: str) -> Iterator[dict[Any, Any]]:
        """Follow one piece of work; its buttons rest meanwhile. The film stands above the sheet where it is the newer one."""
        buttons, view = (tab.compare, tab.stroll), None
        try:
            for number, view in enumerate(views):
                update: dict[Any, Any] = {tab.bar: view.progress}
                if not number:
                    update |= {button: gr.update(interactive=False) for button in buttons} | {tab.notice: ""}
                if view.sheet is not None:
                    update |= {tab.sheet: view.sheet, tab.archive: gr.update(interactive=False)}
                    update[tab.film_row] = gr.update(elem_classes=["film"])
                if view.archive:
                    update[tab.archive] = gr.update(value=view.archive, interactive=True)
                if view.film:
                    update |= {tab.film: view.film, tab.fetch_film: view.film}
                    update[tab.film_row] = gr.update(visible=True, elem_classes=["film", "film-first"])
                if view.phase in ("done", "failed"):
                    update |= {button: gr.update(interactive=True) for button in buttons}
                yield update
        finally:
            close_iterator(views)
        if view is not None and view.error:
            raise refusal(view.error, heading, 8)

    def on_compare(picked: Any, text: str) -> Iterator[dict[Any, Any]]:
        yield from show(run_compare(context, picked, text), "Not compared")

    def on_walk(picked: Any, text: str) -> Iterator[dict[Any, Any]]:
        yield from show(run_walk(context, picked, text), "Not filmed")

    def on_export(picked: Any) -> Iterator[dict[Any, Any]]:
        """It is followed in the bar, where the button is."""
        views, view = run_export(context, picked), None
        try:
            for view in views:
                update: dict[Any, Any] = {tab.export: gr.update(interactive=view.phase in ("done", "failed"))}
                update[tab.notice] = message_box(view.said, "good") if view.said else view.progress if not view.error else ""
                if view.file:
                    update[tab.file] = view.file
                yield update
        finally:
            close_iterator(views)
        if view is not None and view.error:
            raise refusal(view.error, "Not exported", 8)

    shown = [tab.bar, tab.compare, tab.stroll, tab.notice, tab.sheet, tab.archive, tab.film_row, tab.film, tab.fetch_film]
    scroll = show_result("gallery-progress")
    tab.new.click(fresh_seeds, None, [tab.seeds], **_QUIET)
    tab.compare.click(on_compare, [tab.cards, tab.seeds], shown, js=scroll, **_WORKING)
    tab.stroll.click(on_walk, [tab.cards, tab.seeds], shown, js=scroll, **_WORKING)
    exported = tab.export.click(on_export, [tab.cards], [tab.export, tab.notice, tab.file], **_WORKING)
    exported.success(None, None, None, js=press("gallery-file"))


def _connect_care(tab: GalleryTab, context: AppContext, session: Session, redraw: dict[str, Any]) -> None:
    """Rename, delete, import."""

    def change(
        work: Callable[[], str], heading: str, done: str, owned: list[str], worn: str | None, before: str | None = None
    ) -> dict[Any, Any]:
        """Run one change of the library; the list of the Stylise tab follows. A style that is there afterwards is the chosen one.

        ``before`` is its name until now: who wears it goes on wearing it.
        """
        try:
            name_now = work()
        except NadaError as error:
            raise refusal(error, heading) from None
        worn = name_now if before is not None and worn == before else worn
        choices = style_choices(context, owned)
        values = [value for _, value in choices]
        entries = _entries(context)
        known = titles(entries)
        left = [name_now] if name_now in known else []
        return {
            tab.notice: message_box(done.format(known.get(name_now, name_now)), "good"),
            session.style: gr.update(choices=choices, value=worn if worn in values else (values[0] if values else None)),
            tab.cards: gr.update(value=left),
            **_picked(tab, context, left, entries),
        }

    def on_rename(picked: Any, wanted: str, owned: list[str], worn: str | None) -> dict[Any, Any]:
        own = _saved(context, picked)
        only = own[0] if len(own) == len(_names(picked)) == 1 else None
        return change(lambda: rename_style(context, only, wanted), "Not renamed", "It is called “{}” now.", owned, worn, only)

    def on_import(path: str | None, owned: list[str], worn: str | None) -> dict[Any, Any]:
        return change(lambda: import_style(context, path), "Not imported", "Imported as “{}”.", owned, worn)

    def on_delete(picked: Any, sure_of: list[str], owned: list[str], worn: str | None) -> dict[Any, Any]:
        entries = _entries(context)
        known = titles(entries)

        def work() -> str:
            if not sure_of or _saved(context, picked, entries) != sure_of:
                raise NadaError("Other styles were chosen meanwhile, so nothing was deleted. Press Delete again.")
            for name in sure_of:
                delete_style(context, name)
            return _listed([known[name] for name in sure_of])

        return change(work, "Not deleted", "Deleted: {}.", owned, worn)

    def ask(picked: Any) -> dict[Any, Any]:
        entries = _entries(context)
        own, known = _saved(context, picked, entries), titles(entries)
        words = f"Delete {_listed([known[name] for name in own])} for good? Nothing brings {'it' if len(own) == 1 else 'them'} back."
        return {
            tab.sure: gr.update(visible=bool(own)),
            tab.question: message_box(words, "bad"),
            tab.naming: gr.update(visible=False),
            tab.notice: "",
            tab.marked: own,
        }

    def ask_name(picked: Any) -> dict[Any, Any]:
        own = _saved(context, picked)
        return {
            tab.naming: gr.update(visible=len(own) == 1),
            tab.name: own[0] if own else "",
            tab.sure: gr.update(visible=False),
            tab.notice: "",
        }

    def away() -> dict[Any, Any]:
        return {tab.sure: gr.update(visible=False), tab.naming: gr.update(visible=False), tab.marked: []}

    changed, closed = [tab.notice, session.style, tab.cards, *_barred(tab)], [tab.sure, tab.naming, tab.marked]
    tail = [session.owned, session.style]
    asked = tab.delete.click(ask, [tab.cards], [tab.sure, tab.question, tab.naming, tab.notice, tab.marked], **_QUIET)
    asked.then(None, None, None, js=focus("gallery-keep"))
    asked = tab.rename.click(ask_name, [tab.cards], [tab.naming, tab.name, tab.sure, tab.notice], **_QUIET)
    asked.then(None, None, None, js=focus("gallery-name"))
    tab.keep.click(away, None, closed, **_QUIET).then(None, None, None, js=focus("gallery-delete"))
    tab.unnamed.click(away, None, closed, **_QUIET).then(None, None, None, js=focus("gallery-rename"))
    gr.on([tab.named.click, tab.name.submit], on_rename, [tab.cards, tab.name, *tail], changed, **_LIBRARY).success(**redraw)
    tab.really.click(on_delete, [tab.cards, tab.marked, *tail], changed, **_LIBRARY).then(**redraw)
    tab.upload.upload(on_import, [tab.upload, *tail], changed, **_LIBRARY).success(**redraw)


def _listed(words: Sequence[str]) -> str:
    """“a”, “b” and “c”; of many only the first ones."""
    quoted = [f"“{word}”" for word in words[:5]] + ([f"{len(words) - 5} more"] if len(words) > 5 else [])
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)


def _names(picked: Any) -> list[str]:
    """What the browser sent as the chosen names, if it has that shape at all."""
    return [one for one in picked if isinstance(one, str)][:100] if isinstance(picked, (list, tuple)) else []


def _note(words: str) -> str:
    return f'<p class="gallery-count" role="status">{escape(words)}</p>'
