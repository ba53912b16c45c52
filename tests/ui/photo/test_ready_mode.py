"""A face rebuilt on one tab is ready on the other, in the likeness it was made in."""

from __future__ import annotations

import gradio as gr
import pytest

from nada_core.ui import build_app
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.photo.ready_mode import ready_mode
from nada_core.ui.requests import Person
from tests.helpers.apps import components, context, handlers
from tests.helpers.edits import edited, pressed
from tests.helpers.fake_engine import FakeEngine, fake_backend

pytestmark = pytest.mark.heavy


def test_the_mode_that_is_meant_comes_before_the_most_careful_of_those_made(photo):
    app, _ = context()
    edited(app, photo, mode="fast")
    (key,) = app.photos.keys()
    assert ready_mode(app, key, Person()) == "fast" and ready_mode(app, key, Person(face=1)) is None
    app.photos.get(key).keep_portrait(Person(mode="faithful").key, "a portrait")
    assert ready_mode(app, key, Person(mode="fast")) == "fast" and ready_mode(app, key, Person()) == "faithful"
    assert ready_mode(app, "forged", Person()) is None


def test_compare_does_not_begin_a_face_anew_that_is_ready(photo):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)))
    demo.context.open()
    functions = handlers(demo)
    key = find_faces(demo.context, photo).photo
    list(functions["edit"]("", **pressed(key, mode="fast")))
    shown = components(demo)["compare-mode"]
    (taken,) = [block.fn for block in demo.fns.values() if block.fn and shown in block.outputs and block.fn.__name__ == "take_ready_mode"]
    assert taken(key, 0, [], "balanced", False) == "fast"
    assert taken(key, 0, [], "fast", False) == taken(key, 0, [], "balanced", True) == taken("", 0, [], "balanced", False) == gr.skip()
    list(functions["compare_styles"]("", key, ["joker"], 1.0, 0, [], taken(key, 0, [], "balanced", False), []))
    assert demo.context.open()[0].editor.log.count("invert fast") == 1 and "invert balanced" not in demo.context.open()[0].editor.log
