"""The Stylise tab's handlers, without a server."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from nada_core.ui import build_app
from nada_core.ui.photo.faces import find_faces, pointed_at, send_back
from nada_core.ui.photo.person_to_fit import align_person
from nada_core.ui.requests import EditRequest, Person
from nada_core.ui.tabs.stylise.run import run_edit
from tests.helpers.apps import components, handlers, named, picture
from tests.helpers.edits import pressed
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, draw_face, fake_backend

pytestmark = pytest.mark.heavy


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
    looking, found = map(named, functions["arrived"](photo, "", "", 1, 0))
    assert looking["edit-working"] == "" and not looking["edit-stop"]["interactive"]
    assert looking["pair"] is None and looking["inverted"] is None and not looking["stylise"]["interactive"]
    assert "Looking for faces" in looking["edit-progress"] and not looking["take-picture"]["interactive"]
    assert found["stylise"]["interactive"] and found["photo-hint"] == "" and len(demo.context.photos) == 1
    _, crowd = map(named, functions["arrived"](picture(tmp_path, 900, 400), "", "", 1, 0))
    assert crowd["faces-found"]["visible"] and len(crowd["faces-found"]["value"]) == 2 and "2 faces" in crowd["photo-hint"]
    _, landscape = map(named, functions["arrived"](picture(tmp_path, 1800, 90), "", "", 1, 0))
    assert landscape["pointing"]["visible"] and not landscape["stylise"]["interactive"]
    last = demo.context.photos.keys()[-1]
    _, gone = map(named, functions["arrived"](None, last, last, 2, 1))
    assert not gone["stylise"]["interactive"] and "Ready for a photo" in gone["edit-progress"]


def test_what_is_no_photo_leaves_the_box_and_the_words_stay(photo, tmp_path):
    demo, functions = page()
    (tmp_path / "letter.jpg").write_text("dear all")
    for earlier in (None, photo):
        before = find_faces(demo.context, earlier).photo
        *_, refused = functions["arrived"](str(tmp_path / "letter.jpg"), before, before, 1, 0)
        assert named(refused)["photo"] is None and "not a picture" in named(refused)["photo-hint"]
        assert not named(refused)["stylise"]["interactive"] and len(demo.context.photos) == 0
        (echo,) = functions["arrived"](None, "", "", 1, 1)  # the box is empty now, and says so
        assert not named(echo)
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


def test_a_person_can_be_pointed_at_in_any_photo(tmp_path):
    demo, functions = page()
    for width, faces in ((400, 1), (800, 2)):
        *_, update = functions["arrived"](picture(tmp_path, width, 400), "", "", 1, 0)
        found = named(update)
        assert found["by-hand"] == {**found["by-hand"], "visible": True, "value": False} and not found["pointing"]["visible"]
        key = demo.context.photos.keys()[-1]
        update = functions["taken_by_hand"](key, True)
        asked = named(update)
        assert asked["pointing"]["visible"] and asked["pointing"]["value"].width == min(width, 640) and not asked["faces-found"]["visible"]
        assert not asked["stylise"]["interactive"] and "one eye" in asked["photo-hint"] and asked["everyone"] is False
        scale = next(value for value in update.values() if isinstance(value, float))
        assert scale == max(width / 640, 1)
        points = []
        for spot in ((100, 100), (160, 100), (130, 160)):
            update = functions["pointed"](key, points, scale, SimpleNamespace(index=spot))
            points = next(value for value in update.values() if isinstance(value, list))
        assert named(update)["stylise"]["interactive"] and np.allclose(points[0], [100 * scale] * 2)
        aligned = align_person(demo.context.open()[0].editor, demo.context.photos.get(key), Person(points=tuple(map(tuple, points))))
        assert aligned.face == -1
        (followed,) = functions["compare_followed"](key, key, None, 0, points)  # the other tab means the same person
        assert named(followed)["compare-by-hand"]["value"] and named(followed)["compare-pointing"]["visible"]
        back = functions["taken_by_hand"](key, False)
        assert [] in back.values() and named(back)["stylise"]["interactive"] and not named(back)["pointing"]["visible"]
        assert named(back)["faces-found"]["visible"] == (faces == 2)
    assert "not on the server" in str(functions["taken_by_hand"]("forged", True))
    *_, update = functions["arrived"](picture(tmp_path, 640, 90), "", "", 1, 0)
    assert named(update)["pointing"]["visible"] and not named(update)["by-hand"]["visible"]  # as before, where no face was found


def test_a_heic_photo_is_shown_as_a_jpeg(tmp_path):
    _, functions = page()
    path = tmp_path / "IMG_1.heic"
    pillow_heif.from_pillow(draw_face(3, 300)).save(str(path))
    shown = []
    for update in functions["arrived"](str(path), "", "", 1, 0):
        shown += [Image.open(value).format for key, value in named(update).items() if key == "photo"]
    assert shown == ["JPEG"]
    (tmp_path / "bad.heic").write_bytes(path.read_bytes()[:200])
    *_, last = functions["arrived"](str(tmp_path / "bad.heic"), "", "", 1, 0)
    assert "damaged" in named(last)["photo-hint"]


def test_a_cut_out_stays_one_on_the_page(tmp_path):
    """In the picture of a HEIC file, in the whole photo before and after, and in what a page that returns gets back."""
    demo, functions = page()
    cut_out = draw_face(3, 300).convert("RGBA")
    cut_out.paste((0, 0, 0, 0), (0, 0, 300, 40))
    heic = tmp_path / "IMG_1.heic"
    pillow_heif.from_pillow(cut_out).save(str(heic))
    for update in functions["arrived"](str(heic), "", "", 1, 0):
        if named(update).get("photo"):
            with Image.open(named(update)["photo"]) as copy:
                assert copy.format == "PNG" and copy.getpixel((5, 5))[3] == 0
    cut_out.save(tmp_path / "cut.png")
    view = find_faces(demo.context, str(tmp_path / "cut.png"))
    for last in run_edit(demo.context, EditRequest(view.photo, "joker", paste=True)):
        for path in last.pair if last.phase == "done" else ():  # they go with the view
            with Image.open(path) as picture:
                assert picture.getpixel((picture.width - 5, 5))[3] == 0
    with Image.open(send_back(demo.context, view.photo, tmp_path)[0]) as picture:
        assert picture.getpixel((5, 5))[3] == 0
    assert pointed_at(demo.context.photos.get(view.photo).photo, ()).getpixel((5, 5)) == (255, 255, 255)


def test_the_second_style_is_chosen_from_the_same_list():
    _, functions = page()
    assert functions["second_styles"]([])["choices"] == [("None", ""), ("Joker", "joker")]


def test_a_failed_edit_says_so_twice_and_frees_the_button(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    updates = []
    with pytest.raises(gr.Error, match="not in the library"):
        updates.extend(named(update) for update in functions["edit"]("", **pressed(key, style="nobody")))
    *_, last = map(named, functions["edit"]("", **pressed(key)))
    assert last["stylise"]["interactive"] and last["take-film"]["interactive"] and last["stylise"]["value"] == "Stylise"
    assert last["edit-working"] == "" and not last["edit-stop"]["interactive"]


def test_stop_ends_the_edit_frees_the_turn_and_keeps_the_portrait(photo):
    demo, functions = page()
    editor = demo.context.open()[0].editor
    key, log = find_faces(demo.context, photo).photo, editor.log
    seen = []
    editor.held = True
    for update in functions["edit"]("", **pressed(key)):
        seen.append(named(update))
        if "Rebuilding" in seen[-1]["edit-progress"]:
            assert "Stopping" in functions["stopping_edit"](key) and seen[-1]["edit-stop"]["interactive"]
            functions["stop_editing"](key)
    assert "Stopped" in seen[-1]["edit-progress"] and "begins it again" in seen[-1]["edit-progress"] and "wear Joker" not in log
    assert seen[-1]["stylise"] == gr.update(interactive=True, value="Stylise") and seen[-1]["edit-working"] == ""
    assert not seen[-1]["edit-stop"]["interactive"] and log[-1] == "invert close" and len(demo.context.line) == 0
    assert functions["stopping_edit"](key) == gr.skip() == functions["stopping_edit"]("forged")  # nothing is running any more

    editor.held, editor.unpainted = False, "Joker"
    for update in functions["edit"]("", **pressed(key)):  # at the very stage that brings the portrait, or at the next
        if any(stage in named(update)["edit-progress"] for stage in ("Person found", "Painting")):
            functions["stop_editing"](key)
    assert "goes on from there" in named(update)["edit-progress"] and log.count("invert balanced") == 2
    assert named(update)["stylise"]["value"] == "Continue" and any("Not you yet" in one.get("edit-working", "") for one in seen)
    editor.unpainted = ""
    *_, last = map(named, functions["edit"]("", **pressed(key)))
    assert "Done" in last["edit-progress"] and log.count("invert balanced") == 2


def test_another_photo_ends_the_work_on_the_first(photo, tmp_path):
    demo, functions = page()
    editor = demo.context.open()[0].editor
    editor.held = True
    key, log = find_faces(demo.context, photo).photo, editor.log
    work, seen = functions["edit"]("", **pressed(key)), []
    while not seen or "Rebuilding" not in seen[-1]["edit-progress"]:
        seen.append(named(next(work)))
    list(functions["arrived"](picture(tmp_path, 500, 500, "other.jpg"), key, key, 1, 0))
    assert (
        all("Rebuilding" in named(update)["edit-progress"] for update in work) and log[-1] == "invert close" and len(demo.context.line) == 0
    )  # the page shows the other one already


def test_each_mode_says_what_is_left_to_do_for_this_photo(tmp_path):
    demo, functions = page()
    key = find_faces(demo.context, picture(tmp_path, 900, 400)).photo

    def times(name="edit_times", **values):
        return [label for label, _ in functions[name](**pressed(key, **values))["choices"]]

    assert times() == ["Fast", "Balanced", "Faithful"]  # the pace is not known yet
    with demo.context.line.join():
        assert times("timed_here") == ["Fast", "Balanced", "Faithful"]  # and is not taken while somebody works
    assert times("timed_here") == ["Fast\n40 s", "Balanced\n1½ min", "Faithful\n4 min"] and len(demo.context.line) == 0
    assert times(everyone=True) == ["Fast\n1½ min", "Balanced\n3½ min", "Faithful\n7½ min"]
    list(functions["edit"]("", **pressed(key)))
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
    functions["timed_here"](**pressed(key))
    assert len(turns) == 1 and not editor.paced


def styled(photo):
    """A page with a zombie to choose, whose photo wears the Joker; its handlers, the photo's id and what was computed."""
    engine = FakeEngine(delay=0.0)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    demo = build_app(backend=fake_backend(engine))
    demo.context.open()
    functions = handlers(demo)
    key = find_faces(demo.context, photo).photo
    *_, last = functions["edit"]("", **pressed(key))
    shown = next(value for value in last.values() if isinstance(value, EditRequest))
    return demo, functions, key, shown


def test_another_style_chosen_is_made_at_once(photo):
    demo, functions, key, shown = styled(photo)
    assert shown.style == "joker"
    *_, last = functions["choose_style"]("", **pressed(key, style="zombie"))
    assert "Done" in named(last)["edit-progress"] and "pair" in named(last)
    assert next(value for value in last.values() if isinstance(value, EditRequest)).style == "zombie"
    log = demo.context.open()[0].editor.log
    assert log.count("wear Zombie") == 1 and log.count("invert balanced") == 1
    *_, last = functions["choose_style"]("", **pressed(key, style="joker"))  # was made: shown again
    assert "pair" in named(last) and log.count("wear Joker") == 1


def test_a_style_chosen_before_there_is_a_face_starts_nothing(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    for update in functions["choose_style"]("", **pressed(key)):
        assert all(value == gr.skip() for value in update.values())
    assert demo.context.open()[0].editor.log == []


def test_a_style_made_on_another_tab_is_put_on_the_photo(photo):
    demo, functions, key, _ = styled(photo)
    *_, last = functions["try_on"]("", **pressed(key, style="zombie"))
    assert "Done" in named(last)["edit-progress"] and named(last)["take-picture"]["interactive"]
    (nothing,) = functions["try_on"]("", **pressed(""))  # no photo yet: the tab asks for one
    assert all(value == gr.skip() for value in nothing.values()) and demo.context.open()[0].editor.log.count("wear Zombie") == 1


def test_a_picture_of_another_style_does_not_say_done(photo):
    _, functions, key, shown = styled(photo)
    words = named(functions["follow_style"]("", shown, **pressed(key, style="zombie")))["edit-progress"]
    assert "Press Stylise to see this look" in words and "Done" not in words
    for same in (functions["follow_style"]("", shown, **pressed(key)), functions["follow_style"]("", None, **pressed(key, style="zombie"))):
        assert "edit-progress" not in named(same)
