"""Build the photo box of a tab: upload a photo and choose a face in it. All tabs share the same photo."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from nada_core.errors import NadaError, PhotoError
from nada_core.ui.html.text import PHOTO_NOTE, message_box
from nada_core.ui.html.widgets import progress_bar
from nada_core.ui.jobs.detached import Detached
from nada_core.ui.jobs.views import Progress
from nada_core.ui.page.patches.heic_upload import HEIC_SCRIPT
from nada_core.ui.page.patches.unopened_image import unopened
from nada_core.ui.page.scripts import open_camera
from nada_core.ui.page.shared_components import QUIET, Session
from nada_core.ui.photo.controls import picture_buttons
from nada_core.ui.photo.examples import build_examples
from nada_core.ui.photo.faces import FacesView, displayable, faces_words, find_faces, found_before, pointed_at, send_back
from nada_core.ui.server.context import AppContext

__all__ = ["FOLLOWING", "PhotoBox", "PhotoSteps", "build_photo_box"]

FOLLOWING: dict[str, Any] = {"concurrency_limit": 4, "concurrency_id": "follow-photo", "trigger_mode": "always_last"}
# The camera's picture changes the box without an upload. What comes from this browser has a size; what the page itself puts there has none.
_FILLED = "photo => photo && photo.size != null ? Date.now() : { __type__: 'update' }"
_POINT_WORDS = ("Click one eye.", "Click the other eye.", "Click the middle of the mouth.", "Eyes and mouth are set: press {}.")


@dataclass(frozen=True)
class PhotoBox:
    """Hold the components of one tab's box; ``key``, ``face`` and ``points`` are the session's: the tabs share them."""

    photo: gr.Image
    hint: gr.HTML  # about the photo and its faces
    faces: gr.Gallery
    by_hand: gr.Checkbox  # the person is pointed at, although faces were found
    pointing: gr.Image
    key: gr.State  # id of the photo on the server
    face: gr.State
    points: gr.State
    scale: gr.State  # pixels of the photo for one of the picture that is clicked on
    shown: gr.State  # id of the photo that this tab shows
    touched: gr.Number  # when a person last filled or emptied the box, in milliseconds
    heeded: gr.State  # the `touched` that has been acted upon


def build_photo_box(session: Session, prefix: str = "") -> PhotoBox:
    """Place the box inside the current column; ``prefix`` makes the ids of its elements different from another tab's."""
    photo = unopened(
        label="Your photo",
        sources=["upload", "webcam", "clipboard"],
        format="png",
        height=280,
        elem_id=f"{prefix}photo",
        webcam_options=gr.WebcamOptions(mirror=True),
        buttons=[],
        placeholder="Drop a photo here, or press to choose one",
    )
    camera = gr.Button("Use the camera", elem_id=f"{prefix}camera", elem_classes="camera")
    camera.click(None, None, None, js=open_camera(f"{prefix}photo"))
    gr.HTML(PHOTO_NOTE, js_on_load=HEIC_SCRIPT, elem_id=f"{prefix}photo-note")
    hint = gr.HTML("", elem_id=f"{prefix}photo-hint")
    touched = gr.Number(0, show_label=False, container=False, visible="hidden", elem_id=f"{prefix}photo-touched")
    photo.change(None, [photo], [touched], js=_FILLED, **QUIET)
    photo.clear(None, None, [touched], js="() => Date.now()", **QUIET)
    build_examples(photo, touched, prefix)
    faces = picture_buttons(None, "Whose face", 4, f"{prefix}faces-found", visible=False)
    by_hand = gr.Checkbox(False, label="Another person: I click their eyes and mouth", visible=False, elem_id=f"{prefix}by-hand")
    pointing = gr.Image(
        label="Click both eyes and the mouth",
        show_label=False,
        interactive=False,
        visible=False,
        elem_id=f"{prefix}pointing",
        type="filepath",
        format="jpeg",
        buttons=[],
        alt_text="Your photo, for showing where the eyes and the mouth are",
    )
    mine = (gr.State(1.0), gr.State(""), touched, gr.State(0))
    return PhotoBox(photo, hint, faces, by_hand, pointing, session.photo, session.face, session.points, *mine)


@dataclass(frozen=True, eq=False)
class PhotoSteps:
    """Update one tab's components when a photo arrives, is searched, or is clicked on.

    ``clear`` takes the previous photo's result off the tab; its work under way, in ``works``, is asked to end.
    ``also`` makes further updates that depend on the faces found.
    """

    context: AppContext
    box: PhotoBox
    start: gr.Button
    bar: gr.HTML
    notice: gr.HTML
    idle: Progress  # without a photo
    ready: Progress  # with one
    clear: dict[Any, Any]
    works: Detached[Any]
    also: Callable[[FacesView], dict[Any, Any]] = lambda view: {}

    def on_arrival(self, handler: Callable[..., Any]) -> Any:
        """Connect ``handler``, which passes its arguments to :meth:`arrive`, to what a person fills or empties; return the event."""
        box = self.box
        inputs = [box.photo, box.key, box.shown, box.touched, box.heeded]
        return box.touched.change(handler, inputs, self.outputs, concurrency_limit=2, trigger_mode="always_last", **QUIET)

    def arrive(self, path: str | None, before: str, shown: str, touched: float, heeded: float) -> Iterator[dict[Any, Any]]:
        """Yield updates for a box that a person has put another photo into, or has emptied.

        The page fills and empties boxes too, where another tab has a new photo or none: on a busy machine a box tells of that when much
        else has happened, so none of it counts here. Nor does a press on the camera in a box that does not show the session's photo yet.
        What is no photo leaves the box, and the words stay.
        """
        known = found_before(self.context, path, before) if path else None
        if touched == heeded or (shown == before if known is not None else not path and shown != before):
            yield {self.box.heeded: touched}
            return
        self.works.ask(before)
        busy = Progress(0, "Looking for faces", kind="wait") if path else self.idle
        mine = {self.box.heeded: touched, self.box.hint: "", self.bar: progress_bar(busy), self.start: self.button(False)}
        yield mine | {self.notice: "", **self.clear}
        with tempfile.TemporaryDirectory(prefix="nada-photo-") as folder:
            copy = displayable(self.context, path, Path(folder)) if path else None
            if copy is not None:
                yield {self.box.photo: str(copy)}
            view = known or find_faces(self.context, str(copy or path or ""), before)
        refused = {self.box.photo: None} if view.error else {}
        # once more: what the work before had just sent may have come in between
        yield {**self.clear, self.box.key: view.photo, self.box.face: 0, self.box.points: [], **self.found(view), **refused}

    def follow(self, before: str, shown: str, path: str | None, face: int, points: list[Any]) -> Iterator[dict[Any, Any]]:
        """Yield updates that show the session's photo, which came in on another tab: ``path`` is the file in that tab's box."""
        if before == shown:
            update: dict[Any, Any] = {self.box.faces: gr.update(selected_index=face or 0)} if before else {self.box.hint: gr.skip()}
            placed: dict[Any, Any] = {}
            with suppress(PhotoError):  # no longer there: the button says so
                placed = self._placed(before, points) if before and len(points) in (0, 3) else {}
                if self.box.faces in placed:
                    placed[self.box.faces]["selected_index"] = face or 0
                update |= placed
            # said again each time the tab is opened: Gradio (6.31) may lose it for a button that is just being drawn
            ready = len(points) == 3 or (bool(placed) and not points)
            yield update | ({self.start: gr.update(interactive=True)} if ready and before not in self.works else {})
            return
        self.works.ask(shown)
        path = path if before and path and Path(path).is_file() else None
        known = found_before(self.context, path, before)
        with tempfile.TemporaryDirectory(prefix="nada-photo-") as folder:
            if known is None:  # the file has been deleted, or that box shows another photo by now
                again = send_back(self.context, before, Path(folder))
                if again is None:  # forgotten meanwhile: the box it came in still has it, and the button there says so
                    yield {self.box.hint: gr.skip()}
                    return
                path, known = str(again[0]), again[1]
            yield {self.box.photo: path, self.notice: "", **self.clear, **self.found(known, face, points)}

    def restored(self, view: FacesView, path: str, face: int, points: Sequence[Any]) -> dict[Any, Any]:
        """Return updates for a page loaded again: its photo, in the file ``path``, and what was chosen of it."""
        kept = {self.box.key: view.photo, self.box.face: face, self.box.points: [list(point) for point in points]}
        update = {self.box.photo: path, **kept, **self.found(view, face, points)}
        return update | ({self.start: self.button(False)} if view.photo in self.works else {})

    def found(self, view: FacesView, face: int = 0, points: Sequence[Any] = ()) -> dict[Any, Any]:
        """Return updates with faces to choose from, a picture to click on, or words; the button waits for what is missing."""
        by_hand = bool(view.photo) and view.picture is None and bool(points)
        many, words = len(view.thumbnails) > 1, view.error or view.words
        if (view.picture or by_hand) and len(points) == 3:
            words = _POINT_WORDS[3].format(self.start.value)
        ready = bool(view.photo) and len(points) == (3 if view.picture or by_hand else 0)
        picture = pointed_at(self.context.photos.get(view.photo).photo, points) if points and view.photo else view.picture
        return {
            self.box.shown: view.photo,
            self.box.scale: view.scale,
            self.bar: progress_bar(self.ready if ready else self.idle),
            self.start: self.button(ready),
            self.box.faces: gr.update(
                value=[(picture, f"Face {number}") for number, picture in enumerate(view.thumbnails, start=1)],
                visible=many and not by_hand,
                selected_index=face if many else None,
            ),
            self.box.by_hand: gr.update(value=by_hand, visible=bool(view.photo) and view.picture is None),
            self.box.pointing: gr.update(value=picture, visible=picture is not None),
            self.box.hint: message_box(words, "bad" if view.error else "info") if words else "",
            **self.also(view),
        }

    def button(self, ready: bool) -> dict[str, Any]:
        """Return the update that gives the button its own words: work on the photo before may have changed them."""
        return gr.update(interactive=ready, value=self.start.value)

    def choose(self, event: gr.SelectData) -> dict[Any, Any]:
        """Return updates for a press on one of several faces."""
        return {self.box.face: event.index if isinstance(event.index, int) else -1, self.bar: progress_bar(self.ready)}

    def take_by_hand(self, key: str, by_hand: bool) -> dict[Any, Any]:
        """Return updates for a person who is not among the faces found, or who is after all."""
        try:
            update = self._placed(key, (), by_hand)
        except NadaError as error:
            return {self.box.hint: message_box(str(error), "bad")}
        busy = key in self.works
        return {
            **update,
            self.box.points: [],
            self.start: gr.skip() if busy else gr.update(interactive=not by_hand),
            self.bar: gr.skip() if busy else self.idle if by_hand else self.ready,
        }

    def _placed(self, key: str, points: Sequence[Any], by_hand: bool | None = None) -> dict[Any, Any]:
        """Return updates that show the faces found, or, for a person pointed at, the picture to click on; none where no face was found.

        Raises:
            PhotoError: the photo is no longer there.
        """
        entry = self.context.photos.get(key)
        if not entry.faces:
            return {}
        by_hand = bool(points) if by_hand is None else by_hand
        picture = pointed_at(entry.photo, points) if by_hand else None
        words = _POINT_WORDS[len(points)].format(self.start.value) if by_hand else faces_words(len(entry.faces))
        return {
            self.box.by_hand: gr.update(value=by_hand, visible=True),
            self.box.faces: gr.update(visible=len(entry.faces) > 1 and not by_hand),
            self.box.pointing: gr.update(value=picture, visible=by_hand),
            self.box.scale: entry.photo.width / picture.width if picture is not None else 1.0,
            self.box.hint: message_box(words) if words else "",
        }

    def point(self, key: str, points: list[list[float]], scale: float, event: gr.SelectData) -> dict[Any, Any]:
        """Return updates for a click on an eye or the mouth; the fourth begins anew."""
        try:
            x, y = (float(value) * scale for value in event.index)
            photo = self.context.photos.get(key).photo
        except (TypeError, ValueError):  # not from this page
            return {self.box.points: points}
        except NadaError as error:
            return {self.box.hint: message_box(str(error), "bad")}
        now = [[x, y]] if len(points) >= 3 else [*points, [x, y]]
        done = len(now) == 3
        return {
            self.box.points: now,
            self.box.pointing: pointed_at(photo, now),
            self.box.hint: message_box(_POINT_WORDS[len(now)].format(self.start.value)),
            self.start: gr.update(interactive=done),
            self.bar: progress_bar(self.ready if done else self.idle),
        }

    @property
    def placing(self) -> list[Any]:
        """Return the components that `take_by_hand` changes."""
        box = self.box
        return [box.by_hand, box.faces, box.pointing, box.scale, box.hint, box.points, self.start, self.bar]

    @property
    def outputs(self) -> list[Any]:
        """Return all components that a photo's arrival may change."""
        box = self.box
        mine = [box.photo, box.hint, box.faces, box.by_hand, box.pointing, box.key, box.face, box.points, box.scale, box.shown, box.heeded]
        return [*mine, self.start, self.bar, self.notice, *self.clear, *self.also(FacesView())]
