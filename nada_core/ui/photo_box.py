"""The photo and whose face of it: the same box on every tab that works on a photo, and all of them hold the same photo."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ..errors import NadaError
from .context import AppContext
from .detached import Detached
from .example_photos import build_examples
from .photo_faces import FacesView, displayable, find_faces, found_before, pointed_at, taken_away
from .photo_input import HEIC_SCRIPT, unopened
from .picture_buttons import picture_buttons
from .session import Session
from .text import PHOTO_NOTE, message_box
from .widgets import progress

__all__ = ["FOLLOWING", "PhotoBox", "PhotoSteps", "build_photo_box"]

FOLLOWING: dict[str, Any] = {"concurrency_limit": 4, "concurrency_id": "follow-photo", "trigger_mode": "always_last"}
_POINT_WORDS = ("Click one eye.", "Click the other eye.", "Click the middle of the mouth.", "Eyes and mouth are set: press {}.")


@dataclass(frozen=True)
class PhotoBox:
    """The components of one tab; ``key``, ``face`` and ``points`` are the session's, so the tabs share them."""

    photo: gr.Image
    hint: gr.HTML  # about the photo and its faces
    faces: gr.Gallery
    pointing: gr.Image
    key: gr.State  # id of the photo on the server
    face: gr.State
    points: gr.State
    scale: gr.State  # pixels of the photo for one of the picture that is clicked on
    shown: gr.State  # id of the photo that this tab shows


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
    gr.HTML(PHOTO_NOTE, js_on_load=HEIC_SCRIPT, elem_id=f"{prefix}photo-note")
    hint = gr.HTML("", elem_id=f"{prefix}photo-hint")
    build_examples(photo, prefix)
    faces = picture_buttons(None, "Whose face", 4, f"{prefix}faces-found", visible=False)
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
    return PhotoBox(photo, hint, faces, pointing, session.photo, session.face, session.points, gr.State(1.0), gr.State(""))


@dataclass(frozen=True, eq=False)
class PhotoSteps:
    """What happens to one tab when a photo arrives, is searched, or is clicked on: updates of components.

    ``clear`` takes the result of the photo before off the tab, whose work in hand, of ``works``, is asked to end: it shows somebody else.
    ``also`` is what else of the tab follows the faces found.
    """

    context: AppContext
    box: PhotoBox
    start: gr.Button
    bar: gr.HTML
    notice: gr.HTML
    idle: str  # the bar without a photo
    ready: str  # the bar with one
    clear: dict[Any, Any]
    works: Detached[Any]
    also: Callable[[FacesView], dict[Any, Any]] = lambda view: {}

    def arrive(self, path: str | None, before: str, shown: str) -> Iterator[dict[Any, Any]]:
        """The box holds another photo, or none.

        Where the tab shows the session's photo already, `follow` has filled the box. A box that is empty because the photo came in on
        another tab, or because what was in it is no photo, takes nothing away; nor does one bring back what another tab has taken away.
        What is no photo leaves the box, and the words stay.
        """
        known = found_before(self.context, path, before) if path else None
        emptied = not path and (shown != before or not before)
        late = shown != before and taken_away(self.context, path, shown)
        if emptied or late or (known is not None and shown == before):
            yield {self.box.hint: gr.skip()}
            return
        self.works.ask(before)
        busy = progress(0, "Looking for faces", kind="wait") if path else self.idle
        yield {self.bar: busy, self.start: self.button(False), self.notice: "", self.box.hint: "", **self.clear}
        with tempfile.TemporaryDirectory(prefix="nada-photo-") as folder:
            copy = displayable(self.context, path, Path(folder)) if path else None
            if copy is not None:  # the box gets the copy, which arrives here next
                yield {self.box.photo: str(copy)}
                return
        view = known or find_faces(self.context, path, before)
        refused = {self.box.photo: None} if view.error else {}
        # once more: what the work before had just sent may have come in between
        yield {**self.clear, self.box.key: view.photo, self.box.face: 0, self.box.points: [], **self.found(view), **refused}

    def follow(self, before: str, shown: str, path: str | None, face: int, points: list[Any]) -> Iterator[dict[Any, Any]]:
        """The session has another photo than this tab shows: ``path`` is the file in the box of the tab where it came in."""
        if before == shown:
            update: dict[Any, Any] = {self.box.faces: gr.update(selected_index=face or 0)} if before else {self.box.hint: gr.skip()}
            yield update | ({self.start: gr.update(interactive=True)} if len(points) == 3 else {})
            return
        self.works.ask(shown)
        path = path if before and path and Path(path).is_file() else None
        known = found_before(self.context, path, before)
        if known is None:  # forgotten meanwhile: the box it came in still has it, and the button there says so
            yield {self.box.hint: gr.skip()}
            return
        yield {self.box.photo: path, self.notice: "", **self.clear, **self.found(known, face, points)}

    def restored(self, view: FacesView, path: str, face: int, points: Sequence[Any]) -> dict[Any, Any]:
        """The page was loaded again: its photo, in the file that the box gets, and what was chosen of it."""
        kept = {self.box.key: view.photo, self.box.face: face, self.box.points: [list(point) for point in points]}
        update = {self.box.photo: path, **kept, **self.found(view, face, points)}
        return update | ({self.start: self.button(False)} if view.photo in self.works else {})

    def found(self, view: FacesView, face: int = 0, points: Sequence[Any] = ()) -> dict[Any, Any]:
        """Faces to choose from, a picture to click on, or words; the button waits for what is missing."""
        many, words = len(view.thumbnails) > 1, view.error or view.words
        if view.picture and len(points) == 3:
            words = _POINT_WORDS[3].format(self.start.value)
        ready = bool(view.photo) and (view.picture is None or len(points) == 3)
        picture = pointed_at(self.context.photos.get(view.photo).photo, points) if view.picture and points else view.picture
        return {
            self.box.shown: view.photo,
            self.box.scale: view.scale,
            self.bar: self.ready if ready else self.idle,
            self.start: self.button(ready),
            self.box.faces: gr.update(
                value=[(picture, f"Face {number}") for number, picture in enumerate(view.thumbnails, start=1)],
                visible=many,
                selected_index=face if many else None,
            ),
            self.box.pointing: gr.update(value=picture, visible=picture is not None),
            self.box.hint: message_box(words, "bad" if view.error else "info") if words else "",
            **self.also(view),
        }

    def button(self, ready: bool) -> dict[str, Any]:
        """The button with its own words: work on the photo before may have changed them."""
        return gr.update(interactive=ready, value=self.start.value)

    def choose(self, event: gr.SelectData) -> dict[Any, Any]:
        """One of several faces was pressed."""
        return {self.box.face: event.index if isinstance(event.index, int) else -1, self.bar: self.ready}

    def point(self, key: str, points: list[list[float]], scale: float, event: gr.SelectData) -> dict[Any, Any]:
        """A click on an eye or the mouth; the fourth begins anew."""
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
            self.bar: self.ready if done else self.idle,
        }

    @property
    def outputs(self) -> list[Any]:
        """Everything that a photo's arrival may change."""
        box = self.box
        mine = [box.photo, box.hint, box.faces, box.pointing, box.key, box.face, box.points, box.scale, box.shown]
        return [*mine, self.start, self.bar, self.notice, *self.clear, *self.also(FacesView())]
