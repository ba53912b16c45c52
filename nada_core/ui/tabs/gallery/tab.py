"""Build the Gallery tab: styles as cards, chosen ones on the same faces, a walk through one, the library's care."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.ui.html.text import message_box
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.worker import close_iterator
from nada_core.ui.page.replies import refusal
from nada_core.ui.page.scripts import TO_THE_TABS, focus, press, show_result
from nada_core.ui.page.shared_components import QUIET, Session
from nada_core.ui.server.context import AppContext
from nada_core.ui.style_menu.choices import style_choices
from nada_core.ui.tabs.gallery.cards import cards_html
from nada_core.ui.tabs.gallery.layout import GalleryTab, build_gallery_layout, chosen_html
from nada_core.ui.tabs.gallery.library import delete_style, import_style, rename_style, run_cards, titles
from nada_core.ui.tabs.gallery.run import fresh_seeds, run_compare, run_export, run_walk
from nada_core.ui.tabs.gallery.sheet import sheet_html
from nada_core.ui.tabs.gallery.views import GalleryView

if TYPE_CHECKING:  # they bring torch, which the page does without until it works
    from nada_core.styles.library import StyleEntry

__all__ = ["build_gallery_tab"]

log = logging.getLogger(__name__)
_BUG = "Something went wrong on the server. Please try again; the server's log has the details."
_AT_ONCE: dict[str, Any] = {"queue": False, **QUIET}
_WORKING: dict[str, Any] = {"concurrency_limit": 8, "concurrency_id": "gallery", "trigger_mode": "once", **QUIET}
_LIBRARY: dict[str, Any] = {"concurrency_limit": 2, **QUIET}


def build_gallery_tab(context: AppContext, session: Session, place: gr.Tab) -> Any:
    """Build the tab inside the current gr.Tab, which is also `place`, and connect it.

    Returns the event after which the chosen style is to be worn on a photo.
    """
    tab = build_gallery_layout(own=not context.public)
    redraw = _connect_cards(tab, context, place)
    _connect_work(tab, context)
    if not context.public:
        _connect_care(tab, context, session, redraw)

    def on_wear(picked: Any, owned: list[str]) -> dict[Any, Any]:
        choices = style_choices(context, owned)
        name = next((one for one in _names(picked) if one in [value for _, value in choices]), None)
        if name is None:
            raise refusal("This style is not in the library any more. Press Refresh.", "Not worn")
        return {session.tabs: gr.Tabs(selected="stylise"), session.style: gr.update(choices=choices, value=name)}

    worn = tab.wear.click(on_wear, [tab.cards, session.owned], [session.tabs, session.style], **_AT_ONCE)
    worn.success(None, None, None, js=TO_THE_TABS)
    return worn


def _entries(context: AppContext) -> list[StyleEntry]:
    return context.open()[0].style_entries() if context.is_open else []


def _saved(context: AppContext, picked: Any, entries: Sequence[StyleEntry] | None = None) -> list[str]:
    """Return the chosen names that can be renamed and deleted: those of saved styles."""
    saved = {entry.card.name for entry in (_entries(context) if entries is None else entries) if not entry.ready}
    return [] if context.public else [name for name in _names(picked) if name in saved]


def _picked(tab: GalleryTab, context: AppContext, names: Sequence[str], entries: Sequence[StyleEntry] | None = None) -> dict[Any, Any]:
    """Return updates of the bar for the chosen names; an open question is closed."""
    entries = _entries(context) if entries is None else entries
    own = _saved(context, names, entries)
    return {
        tab.chosen: chosen_html(names, titles(entries)),
        tab.wear: gr.update(visible=len(names) == 1),
        tab.rename: gr.update(visible=len(names) == len(own) == 1),
        tab.delete: gr.update(visible=bool(own)),
        tab.sure: gr.update(visible=False),
        tab.naming: gr.update(visible=False),
        tab.marked: [],
    }


def _barred(tab: GalleryTab) -> list[Any]:
    return [tab.chosen, tab.wear, tab.rename, tab.delete, tab.sure, tab.naming, tab.marked]


def _connect_cards(tab: GalleryTab, context: AppContext, place: gr.Tab) -> dict[str, Any]:
    """Draw the cards and follow what is chosen; returns the event that draws them, for whatever changes the library."""

    def draw(picked: Any) -> Iterator[dict[Any, Any]]:
        """Yield the cards, picture by picture. Choices that are gone are dropped."""
        try:
            for number, view in enumerate(run_cards(context, context.thumbnails)):
                html = cards_html(view.cards, view.mark)
                update: dict[Any, Any] = {tab.cards: gr.update(cards=html), tab.note: _note(view.note)}
                if not number:
                    # what still holds is left alone: the person may be choosing at this very moment
                    left = [one for one in _names(picked) if one in view.names]
                    if left != _names(picked):
                        update |= {tab.cards: gr.update(cards=html, value=left), **_picked(tab, context, left)}
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
        "concurrency_limit": 8,
        "concurrency_id": "gallery-cards",
        **QUIET,
    }
    gr.on([place.select, tab.refresh.click], **redraw)
    tab.cards.input(pick, [tab.cards], [tab.notice, *_barred(tab)], trigger_mode="always_last", **_AT_ONCE)
    tab.clear.click(clear, None, [tab.cards, tab.notice, *_barred(tab)], **_AT_ONCE)
    return redraw


def _connect_work(tab: GalleryTab, context: AppContext) -> None:
    """Connect the buttons that compare, film and export."""

    def show(views: Iterator[GalleryView], heading: str) -> Iterator[dict[Any, Any]]:
        """Follow one piece of work, its buttons at rest. The film stands above the sheet where it is the newer one."""
        buttons, view = (tab.compare, tab.stroll), None
        try:
            for number, view in enumerate(views):
                update: dict[Any, Any] = {tab.bar: progress_bar(view.progress)}
                if not number:
                    update |= {button: gr.update(interactive=False) for button in buttons} | {tab.notice: ""}
                if view.sheet is not None:
                    update |= {tab.sheet: sheet_html(view.sheet), tab.archive: gr.update(interactive=False)}
                    update[tab.film_row] = gr.update(elem_classes=["film"])
                if view.archive:
                    update[tab.archive] = gr.update(value=view.archive, interactive=True)
                if view.film:
                    update |= {tab.film: view.film, tab.fetch_film: view.film}
                    update[tab.film_row] = gr.update(visible=True, elem_classes=["film", "film-first"])
                if not view.running:
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
        """Export the chosen styles; progress shows in the bar, where the button is."""
        views, view = run_export(context, picked), None
        try:
            for view in views:
                update: dict[Any, Any] = {tab.export: gr.update(interactive=not view.running)}
                update[tab.notice] = message_box(view.said, "good") if view.said else progress_bar(view.progress) if not view.error else ""
                if view.file:
                    update[tab.file] = view.file
                yield update
        finally:
            close_iterator(views)
        if view is not None and view.error:
            raise refusal(view.error, "Not exported", 8)

    shown = [tab.bar, tab.compare, tab.stroll, tab.notice, tab.sheet, tab.archive, tab.film_row, tab.film, tab.fetch_film]
    scroll = show_result("gallery-progress")
    tab.new.click(fresh_seeds, None, [tab.seeds], **_AT_ONCE)
    tab.compare.click(on_compare, [tab.cards, tab.seeds], shown, js=scroll, **_WORKING)
    tab.stroll.click(on_walk, [tab.cards, tab.seeds], shown, js=scroll, **_WORKING)
    exported = tab.export.click(on_export, [tab.cards], [tab.export, tab.notice, tab.file], **_WORKING)
    exported.success(None, None, None, js=press("gallery-file"))


def _connect_care(tab: GalleryTab, context: AppContext, session: Session, redraw: dict[str, Any]) -> None:
    """Connect the controls that rename, delete and import."""

    def change(
        work: Callable[[], str], heading: str, done: str, owned: list[str], worn: str | None, before: str | None = None
    ) -> dict[Any, Any]:
        """Run one change of the library; the Stylise tab's list follows. A style that is there afterwards is the chosen one.

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
    asked = tab.delete.click(ask, [tab.cards], [tab.sure, tab.question, tab.naming, tab.notice, tab.marked], **_AT_ONCE)
    asked.then(None, None, None, js=focus("gallery-keep"))
    asked = tab.rename.click(ask_name, [tab.cards], [tab.naming, tab.name, tab.sure, tab.notice], **_AT_ONCE)
    asked.then(None, None, None, js=focus("gallery-name"))
    tab.keep.click(away, None, closed, **_AT_ONCE).then(None, None, None, js=focus("gallery-delete"))
    tab.unnamed.click(away, None, closed, **_AT_ONCE).then(None, None, None, js=focus("gallery-rename"))
    gr.on([tab.named.click, tab.name.submit], on_rename, [tab.cards, tab.name, *tail], changed, **_LIBRARY).success(**redraw)
    tab.really.click(on_delete, [tab.cards, tab.marked, *tail], changed, **_LIBRARY).then(**redraw)
    tab.upload.upload(on_import, [tab.upload, *tail], changed, **_LIBRARY).success(**redraw)


def _listed(words: Sequence[str]) -> str:
    """Return words as “a”, “b” and “c”; of many only the first ones."""
    quoted = [f"“{word}”" for word in words[:5]] + ([f"{len(words) - 5} more"] if len(words) > 5 else [])
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)


def _names(picked: Any) -> list[str]:
    """Return the chosen names that the browser sent, none if they are no list."""
    return [one for one in picked if isinstance(one, str)][:100] if isinstance(picked, (list, tuple)) else []


def _note(words: str) -> str:
    return f'<p class="gallery-count" role="status">{escape(words)}</p>'
