"""The Gallery tab: every style as a card; below them the chosen ones on the same faces, a walk through one, and the library's care."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import gradio as gr

from ..errors import NadaError
from .context import AppContext, close_iterator
from .edit_run import style_choices
from .gallery_cards import run_cards
from .gallery_layout import build_gallery_layout, chosen_html
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
from .scripts import press, show_stage
from .session import Session
from .text import message_box, style_title

__all__ = ["build_gallery_tab"]

log = logging.getLogger(__name__)
_BUG = "Something went wrong on the server. Please try again; the server's log has the details."


def build_gallery_tab(context: AppContext, session: Session, place: gr.Tab) -> None:
    """Build the tab inside the current gr.Tab, which is also `place`, and connect it."""
    tab = build_gallery_layout(own=not context.public)

    def ready(value: str | None) -> bool:
        entries = context.open()[0].style_entries() if context.is_open else []
        return any(entry.card.name == value and entry.ready for entry in entries)

    def manage(value: str | None) -> dict[Any, Any]:
        free = bool(value) and not ready(value)
        return {
            tab.name: gr.update(value=value if free else "", interactive=free),
            tab.rename: gr.update(interactive=free),
            tab.delete: gr.update(interactive=free),
            tab.export: gr.update(interactive=bool(value)),
            tab.sure: gr.update(visible=False),
            tab.marked: "",
        }

    managed = [tab.name, tab.rename, tab.delete, tab.export, tab.sure, tab.marked]

    def draw(picked: Any, held: str | None) -> Iterator[dict[Any, Any]]:
        """The cards, picture by picture. Choices that are gone are dropped."""
        try:
            for number, view in enumerate(run_cards(context, context.thumbnails)):
                update: dict[Any, Any] = {tab.cards: gr.update(cards=view.cards), tab.note: _note(view.note)}
                if not number:
                    update |= {tab.which: gr.update(choices=[(style_title(one), one) for one in view.names])}
                    # what still holds is left alone: the person may be choosing at this very moment
                    left = [one for one in _names(picked) if one in view.names]
                    if left != _names(picked):
                        update |= {tab.cards: gr.update(cards=view.cards, value=left), tab.chosen: chosen_html(left)}
                    if held and held not in view.names:
                        update |= {
                            tab.which: gr.update(choices=[(style_title(one), one) for one in view.names], value=None),
                            **manage(None),
                        }
                yield update
        except NadaError as error:
            yield {tab.note: message_box(str(error), "bad")}
        except Exception:  # a bug, not the person's doing
            log.exception("the cards could not be drawn")
            yield {tab.note: message_box(_BUG, "bad")}

    drawn = [tab.cards, tab.note, tab.chosen, tab.which, *managed]
    redraw: dict[str, Any] = {
        "fn": draw,
        "inputs": [tab.cards, tab.which],
        "outputs": drawn,
        "api_visibility": "private",
        "show_progress": "hidden",
        "concurrency_limit": 8,
        "concurrency_id": "gallery-cards",
    }
    gr.on([place.select, tab.refresh.click], **redraw)

    def pick(picked: Any) -> dict[Any, Any]:
        left = _names(picked)
        target = left[-1] if left else None
        return {tab.chosen: chosen_html(left), tab.which: target, **manage(target)}

    quiet: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
    tab.cards.input(pick, [tab.cards], [tab.chosen, tab.which, *managed], trigger_mode="always_last", **quiet)
    tab.which.input(manage, [tab.which], managed, **quiet)
    tab.new.click(fresh_seeds, None, [tab.seeds], **quiet)

    def show(views: Iterator[GalleryView], heading: str) -> Iterator[dict[Any, Any]]:
        """Follow one piece of work; its buttons rest meanwhile."""
        buttons, view = (tab.compare, tab.stroll), None
        try:
            for number, view in enumerate(views):
                update: dict[Any, Any] = {tab.bar: view.progress}
                if not number:
                    update |= {button: gr.update(interactive=False) for button in buttons} | {tab.notice: ""}
                if view.sheet is not None:
                    update |= {tab.sheet: view.sheet, tab.archive: gr.update(interactive=False)}
                if view.archive:
                    update[tab.archive] = gr.update(value=view.archive, interactive=True)
                if view.film:
                    update |= {tab.film_row: gr.update(visible=True), tab.film: view.film, tab.fetch_film: view.film}
                if view.file:
                    update[tab.file] = view.file
                if view.phase in ("done", "failed"):
                    update |= {button: gr.update(interactive=True) for button in buttons}
                if view.error:
                    update[tab.notice] = message_box(view.error, "bad")
                yield update
        finally:
            close_iterator(views)
        if view is not None and view.error:
            raise gr.Error(escape(view.error), title=heading, duration=6, print_exception=False)

    working: dict[str, Any] = {
        "api_visibility": "private",
        "show_progress": "hidden",
        "concurrency_limit": 8,
        "concurrency_id": "gallery",
        "trigger_mode": "once",
    }
    shown = [tab.bar, tab.compare, tab.stroll, tab.notice, tab.sheet, tab.archive, tab.film_row, tab.film, tab.fetch_film, tab.file]
    scroll = show_stage("gallery-progress")

    def on_compare(picked: Any, text: str) -> Iterator[dict[Any, Any]]:
        yield from show(run_compare(context, picked, text), "Not compared")

    def on_walk(picked: Any, text: str) -> Iterator[dict[Any, Any]]:
        yield from show(run_walk(context, picked, text), "Not filmed")

    def on_export(value: str | None) -> Iterator[dict[Any, Any]]:
        yield from show(run_export(context, value), "Not exported")

    tab.compare.click(on_compare, [tab.cards, tab.seeds], shown, js=scroll, **working)
    tab.stroll.click(on_walk, [tab.cards, tab.seeds], shown, js=scroll, **working)
    tab.export.click(on_export, [tab.which], shown, **working).success(None, None, None, js=press("gallery-file"))

    def change(work: Callable[[], str], heading: str, done: str, owned: list[str], worn: str | None) -> dict[Any, Any]:
        """Run one change of the library; the list of the Stylise tab follows."""
        try:
            name_now = work()
        except NadaError as error:
            raise gr.Error(escape(str(error)), title=heading, print_exception=False) from None
        choices = style_choices(context, owned)
        values = [value for _, value in choices]
        listed = [entry.card.name for entry in context.open()[0].style_entries()]
        now = name_now if name_now in listed else None  # a deleted one is not
        return {
            tab.notice: message_box(done.format(name_now), "good"),
            session.style: gr.update(choices=choices, value=worn if worn in values else (values[0] if values else None)),
            tab.which: gr.update(choices=[(style_title(one), one) for one in listed], value=now),
            **manage(now),
        }

    def on_rename(value: str | None, wanted: str, owned: list[str], worn: str | None) -> dict[Any, Any]:
        return change(lambda: rename_style(context, value, wanted), "Not renamed", "It is called “{}” now.", owned, worn)

    def on_import(path: str | None, owned: list[str], worn: str | None) -> dict[Any, Any]:
        return change(lambda: import_style(context, path), "Not imported", "Imported as “{}”.", owned, worn)

    def on_delete(value: str | None, sure_of: str, owned: list[str], worn: str | None) -> dict[Any, Any]:
        def work() -> str:
            if not sure_of or value != sure_of:
                raise NadaError("Another style was chosen meanwhile, so nothing was deleted. Press Delete again.")
            return delete_style(context, value)

        return change(work, "Not deleted", "“{}” is deleted.", owned, worn)

    def ask(value: str | None) -> dict[Any, Any]:
        free = bool(value) and not ready(value)
        words = f"Delete the style “{value}” for good? Nothing brings it back."
        return {tab.sure: gr.update(visible=free), tab.question: message_box(words, "bad"), tab.marked: value if free else ""}

    changed = [tab.notice, session.style, tab.which, *managed]
    library: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": 2}
    tail = [session.owned, session.style]
    tab.delete.click(ask, [tab.which], [tab.sure, tab.question, tab.marked], **quiet)
    tab.keep.click(lambda: (gr.update(visible=False), ""), None, [tab.sure, tab.marked], **quiet)
    gr.on([tab.rename.click, tab.name.submit], on_rename, [tab.which, tab.name, *tail], changed, **library).success(**redraw)
    tab.really.click(on_delete, [tab.which, tab.marked, *tail], changed, **library).success(**redraw)
    tab.upload.upload(on_import, [tab.upload, *tail], changed, **library).success(**redraw)


def _names(picked: Any) -> list[str]:
    """What the browser sent as the chosen names, if it has that shape at all."""
    return [one for one in picked if isinstance(one, str)][:100] if isinstance(picked, (list, tuple)) else []


def _note(words: str) -> str:
    return f'<p class="gallery-count" role="status">{escape(words)}</p>'
