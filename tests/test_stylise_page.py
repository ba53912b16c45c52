"""The Stylise tab's handlers, without a server."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import numpy as np
import pillow_heif
import pytest
from apps import components, handlers, named, picture
from fake_engine import FakeEngine, draw_face, fake_backend
from PIL import Image

from nada_core.ui import build_app
from nada_core.ui.photo_faces import find_faces


def page():
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)))
    demo.context.open()
    return demo, handlers(demo)


def test_the_box_says_what_photos_may_be_used():
    demo, _ = page()
    note = components(demo)["photo-note"].value
    assert "owner agreed" in note and "leaves the server" in note


def test_an_arriving_photo_opens_the_button_and_clears_the_result(photo, tmp_path):
    demo, functions = page()
    looking, found = map(named, functions["arrived"](photo, ""))
    assert looking["pair"] is None and looking["inverted"] is None and not looking["stylise"]["interactive"]
    assert "Looking for faces" in looking["edit-progress"] and not looking["take-picture"]["interactive"]
    assert found["stylise"]["interactive"] and found["photo-hint"] == "" and len(demo.context.photos) == 1
    _, crowd = map(named, functions["arrived"](picture(tmp_path, 900, 400), ""))
    assert crowd["faces-found"]["visible"] and len(crowd["faces-found"]["value"]) == 2 and "2 faces" in crowd["photo-hint"]
    _, landscape = map(named, functions["arrived"](picture(tmp_path, 1800, 90), ""))
    assert landscape["pointing"]["visible"] and not landscape["stylise"]["interactive"]
    _, gone = map(named, functions["arrived"](None, ""))
    assert not gone["stylise"]["interactive"] and "Ready for a photo" in gone["edit-progress"]


def test_clicks_are_counted_scaled_and_marked(tmp_path):
    demo, functions = page()
    key = find_faces(demo.context, picture(tmp_path, 1280, 90)).photo
    points, states, pictures = [], [], []
    for spot in ([10, 10], [30, 10], [20, 30], [5, 5]):
        update = functions["pointed"](key, points, 2.0, SimpleNamespace(index=spot))
        points = next(value for value in update.values() if isinstance(value, list))
        states.append(points)
        pictures.append(np.asarray(named(update)["pointing"]))
        ready = named(update)["stylise"]["interactive"]
        assert ready is (len(points) == 3)
    assert states[:3] == [[[20, 20]], [[20, 20], [60, 20]], [[20, 20], [60, 20], [40, 60]]] and states[3] == [[10, 10]]
    assert pictures[0].shape == (45, 640, 3) and not np.array_equal(pictures[0], pictures[1])  # each click leaves a ring
    for strange in (None, "x", [1], [1, 2, 3], {"x": 1}):
        assert list(functions["pointed"](key, points, 2.0, SimpleNamespace(index=strange)).values()) == [points]
    assert "not on the server" in str(functions["pointed"]("forged", [], 1.0, SimpleNamespace(index=[1, 2])))
    assert -1 in functions["chosen"](SimpleNamespace(index="x")).values()


def test_a_heic_photo_is_shown_as_a_jpeg(tmp_path):
    _, functions = page()
    path = tmp_path / "IMG_1.heic"
    pillow_heif.from_pillow(draw_face(3, 300)).save(str(path))
    shown = []
    for update in functions["arrived"](str(path), ""):
        shown += [Image.open(value).format for key, value in named(update).items() if key == "photo"]
    assert shown == ["JPEG"]
    (tmp_path / "bad.heic").write_bytes(path.read_bytes()[:200])
    *_, last = functions["arrived"](str(tmp_path / "bad.heic"), "")
    assert "damaged" in named(last)["photo-hint"]


def test_the_second_style_is_chosen_from_the_same_list():
    _, functions = page()
    assert functions["second_styles"]([])["choices"] == [("None", ""), ("Joker", "joker")]


def test_a_failed_edit_says_so_twice_and_frees_the_button(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    values = [key, "nobody", 1.0, 1.0, 1.0, 1.0, None, 0.5, 0, [], "balanced", 256, False, [], False]
    updates = []
    with pytest.raises(gr.Error, match="not in the library"):
        updates.extend(named(update) for update in functions["edit"](*values))
    values[1] = "joker"
    *_, last = map(named, functions["edit"](*values))
    assert last["stylise"]["interactive"] and last["take-film"]["interactive"] and last["stylise"]["value"] == "Stylise"
