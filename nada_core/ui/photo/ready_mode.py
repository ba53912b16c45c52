"""Choose the likeness in which a face has been rebuilt already, so that no tab begins it anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from nada_core.errors import NadaError
from nada_core.ui.page.shared_components import QUIET
from nada_core.ui.photo.box import PhotoBox
from nada_core.ui.photo.time_estimate import MODES
from nada_core.ui.requests import Person
from nada_core.ui.server.context import AppContext

__all__ = ["follow_ready_mode", "ready_mode"]


def ready_mode(context: AppContext, photo: str | None, person: Person) -> str | None:
    """Return the mode in which the person has been rebuilt: the one meant if that is ready, else the most careful; None for none."""
    try:
        made = context.photos.get(photo).portraits
    except NadaError:  # no photo, or no longer: the button says so
        return None
    modes = [person.mode, *(mode for _, mode in reversed(MODES))]
    return next((mode for mode in modes if replace(person, mode=mode).key in made), None)


def follow_ready_mode(context: AppContext, box: PhotoBox, mode: gr.Radio, place: gr.Tab) -> None:
    """Let a tab that is shown take over the likeness made on another one, unless its own was chosen by hand."""
    by_hand = gr.State(False)

    def chosen_by_hand() -> bool:
        return True

    def take_ready_mode(photo: str, face: int, points: list[Any], now: str, kept: bool) -> Any:
        clicked = tuple(tuple(point) for point in points) if len(points) == 3 else ()
        ready = None if kept or not photo else ready_mode(context, photo, Person(int(face or 0), clicked, now))
        return gr.skip() if ready in (None, now) else ready

    mode.input(chosen_by_hand, None, [by_hand], queue=False, **QUIET)
    place.select(take_ready_mode, [box.key, box.face, box.points, mode, by_hand], [mode], **QUIET)
