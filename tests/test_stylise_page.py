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


def page(pause=0.0):
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)))
    demo.context.open()[0].editor.pause = pause  # pages skip stages that come at once
    return demo, handlers(demo)


def test_the_box_says_what_photos_may_be_used():
    demo, _ = page()
    note = components(demo)["photo-note"].value
    assert "owner agreed" in note and "leaves the server" in note


def test_an_arriving_photo_opens_the_button_and_clears_the_result(photo, tmp_path):
    demo, functions = page()
    looking, found = map(named, functions["arrived"](photo, ""))
    assert looking["edit-working"] == "" and not looking["edit-stop"]["interactive"]
    assert looking["pair"] is None and looking["inverted"] is None and not looking["stylise"]["interactive"]
    assert "Looking for faces" in looking["edit-progress"] and not looking["take-picture"]["interactive"]
    assert found["stylise"]["interactive"] and found["photo-hint"] == "" and len(demo.context.photos) == 1
    _, crowd = map(named, functions["arrived"](picture(tmp_path, 900, 400), ""))
    assert crowd["faces-found"]["visible"] and len(crowd["faces-found"]["value"]) == 2 and "2 faces" in crowd["photo-hint"]
    _, landscape = map(named, functions["arrived"](picture(tmp_path, 1800, 90), ""))
    assert landscape["pointing"]["visible"] and not landscape["stylise"]["interactive"]
    last = next(reversed(demo.context.photos._photos))
    _, gone = map(named, functions["arrived"](None, last, last))
    assert not gone["stylise"]["interactive"] and "Ready for a photo" in gone["edit-progress"]


def test_what_is_no_photo_leaves_the_box_and_the_words_stay(photo, tmp_path):
    demo, functions = page()
    (tmp_path / "letter.jpg").write_text("dear all")
    for earlier in (None, photo):
        before = find_faces(demo.context, earlier).photo
        *_, refused = functions["arrived"](str(tmp_path / "letter.jpg"), before, before)
        assert named(refused)["photo"] is None and "not a picture" in named(refused)["photo-hint"]
        assert not named(refused)["stylise"]["interactive"] and len(demo.context.photos) == 0
        (echo,) = functions["arrived"](None, "", "")  # the box is empty now, and says so
        assert named(echo) == {"photo-hint": gr.skip()}
        (other,) = functions["compare_followed"]("", before, None, 0, []) if before else [None]
        assert other is None or named(other)["compare-photo"] is None


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
        updates.extend(named(update) for update in functions["edit"]("", *values))
    values[1] = "joker"
    *_, last = map(named, functions["edit"]("", *values))
    assert last["stylise"]["interactive"] and last["take-film"]["interactive"] and last["stylise"]["value"] == "Stylise"
    assert last["edit-working"] == "" and not last["edit-stop"]["interactive"]


def values_of(key, style="joker", face=0, mode="balanced", everyone=False):
    return [key, style, 1.0, 1.0, 1.0, 1.0, None, 0.5, face, [], mode, 256, False, [], everyone]


def test_stop_ends_the_edit_frees_the_turn_and_keeps_the_portrait(photo):
    demo, functions = page(0.3)
    key, log = find_faces(demo.context, photo).photo, demo.context.open()[0].editor.log
    seen = []
    for update in functions["edit"]("", *values_of(key)):
        seen.append(named(update))
        if "Rebuilding" in seen[-1]["edit-progress"]:
            assert "Stopping" in functions["stopping_edit"](key) and seen[-1]["edit-stop"]["interactive"]
            functions["stop_editing"](key)
    assert "Stopped" in seen[-1]["edit-progress"] and "begins it again" in seen[-1]["edit-progress"] and "wear Joker" not in log
    assert seen[-1]["stylise"] == gr.update(interactive=True, value="Stylise") and seen[-1]["edit-working"] == ""
    assert not seen[-1]["edit-stop"]["interactive"] and log[-1] == "invert close" and len(demo.context.line) == 0
    assert functions["stopping_edit"](key) == gr.skip() == functions["stopping_edit"]("forged")  # nothing is running any more

    for update in functions["edit"]("", *values_of(key)):  # at the very stage that brings the portrait
        if "Person found" in named(update)["edit-progress"]:
            functions["stop_editing"](key)
    assert "goes on from there" in named(update)["edit-progress"] and log.count("invert balanced") == 2
    *_, last = map(named, functions["edit"]("", *values_of(key)))
    assert "Done" in last["edit-progress"] and log.count("invert balanced") == 2


def test_another_photo_ends_the_work_on_the_first(photo, tmp_path):
    demo, functions = page(0.3)
    key, log = find_faces(demo.context, photo).photo, demo.context.open()[0].editor.log
    work, seen = functions["edit"]("", *values_of(key)), []
    while not seen or "Rebuilding" not in seen[-1]["edit-progress"]:
        seen.append(named(next(work)))
    list(functions["arrived"](picture(tmp_path, 500, 500, "other.jpg"), key, key))
    assert (
        all("Rebuilding" in named(update)["edit-progress"] for update in work) and log[-1] == "invert close" and len(demo.context.line) == 0
    )  # the page shows the other one already


def test_each_mode_says_what_is_left_to_do_for_this_photo(tmp_path):
    demo, functions = page()
    key = find_faces(demo.context, picture(tmp_path, 900, 400)).photo

    def times(name="edit_times", **values):
        return [label for label, _ in functions[name](*values_of(key, **values))["choices"]]

    assert times() == ["Fast", "Balanced", "Faithful"]  # the pace is not known yet
    with demo.context.line.join():
        assert times("timed_here") == ["Fast", "Balanced", "Faithful"]  # and is not taken while somebody works
    assert times("timed_here") == ["Fast\n40 s", "Balanced\n1½ min", "Faithful\n4 min"] and len(demo.context.line) == 0
    assert times(everyone=True) == ["Fast\n1½ min", "Balanced\n3½ min", "Faithful\n7½ min"]
    list(functions["edit"]("", *values_of(key)))
    assert times() == ["Fast\n40 s", "Balanced\nready", "Faithful\n4 min"]
    assert times(style="nobody") == ["Fast", "Balanced", "Faithful"]
    other = functions["compare_times"](key, ["joker"], 0, [], [])["choices"]
    assert [label for label, _ in other] == times()


def test_the_pace_is_not_taken_any_longer_when_somebody_comes(photo):
    demo, functions = page()
    editor, key = demo.context.open()[0].editor, find_faces(demo.context, photo).photo
    turns, take = [], editor.take_pace

    def joined():
        for _ in take():
            turns.append(demo.context.line.join())
            yield

    editor.take_pace = joined
    functions["timed_here"](*values_of(key))
    assert len(turns) == 1 and not editor.paced
