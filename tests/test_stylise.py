"""The Stylise tab against a fake editor: photos and their faces, what is computed once, strengths and blends, downloads."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
import numpy as np
import pillow_heif
import pytest
from fake_engine import FakeCard, FakeEngine, FakeStyle, draw_face, fake_backend
from PIL import Image

from nada_core.errors import NadaError, OptionsError, PhotoError
from nada_core.ui import build_app, edit_run, launch_options, take_away
from nada_core.ui.adapt_run import AdaptRequest, run_adaptation
from nada_core.ui.context import AppContext
from nada_core.ui.edit_run import OWN, EditRequest, run_edit, run_rerender, style_choices
from nada_core.ui.photo_faces import find_faces
from nada_core.ui.portraits import PhotoShelf, ShelvedPhoto
from nada_core.ui.take_away import KINDS, write_download

CHROMIUM = "/usr/bin/chromium"


def context(*names: str, public: bool = False, **engine) -> tuple[AppContext, FakeEngine]:
    """An app whose library holds the ready Joker and these styles."""
    fake = FakeEngine(**{"delay": 0.0, **engine})
    for name in names:
        fake.saved[name] = FakeStyle(FakeCard(name, name.capitalize()))
    return AppContext(fake_backend(fake), public=public), fake


def picture(tmp_path: Path, width: int = 400, height: int = 400, name: str = "me.jpg") -> str:
    path = tmp_path / name
    draw_face(7, 400).resize((width, height)).save(path)
    return str(path)


@pytest.fixture
def photo(tmp_path: Path) -> str:
    return picture(tmp_path)


def done(views) -> tuple[edit_run.EditView, list[np.ndarray]]:
    """The last view and what it shows: before, after, rebuilt (the files go with the iterator)."""
    shown = []
    for view in views:
        if view.phase == "done":
            shown = [np.asarray(Image.open(path).convert("RGB")).astype(int) for path in (*view.pair, view.inverted)]
    return view, shown


def edited(app: AppContext, path: str, style: str | None = "joker", **values) -> tuple[edit_run.EditView, list[np.ndarray]]:
    return done(run_edit(app, EditRequest(find_faces(app, path).photo, style, **values)))


# --- one photo, many looks --------------------------------------------------------------------------------------------------------


def test_an_edit_shows_the_face_being_rebuilt_and_ends_with_a_pair(photo):
    app, engine = context(delay=0.01)
    stages, rebuilt = [], []
    for view in run_edit(app, EditRequest(find_faces(app, photo).photo, "joker")):
        stages.append(view.progress)
        if view.phase == "run" and view.inverted:
            rebuilt.append(Image.open(view.inverted).size)
        if view.phase == "done":
            before, after = (np.asarray(Image.open(path)).astype(int) for path in view.pair)
            assert before.shape == after.shape == (256, 256, 3) and np.abs(before - after).mean() > 10
            assert "same person" in view.identity and view.scores["identity_edited"] == 0.52
    assert view.phase == "done" and any("Rebuilding the face" in words for words in stages) and "left" in "".join(stages)
    assert rebuilt and set(rebuilt) == {(256, 256)}
    assert engine.editor.log[:2] == ["invert balanced", "invert close"] and len(app.line) == 0 and not Path(view.pair[0]).exists()


def test_the_inversion_is_made_once(photo):
    app, engine = context("zombie")
    key, log = find_faces(app, photo).photo, engine.editor.log
    request = EditRequest(key, "joker")
    _, first = done(run_edit(app, request))
    assert [line for line in log if line.startswith(("invert b", "wear"))] == ["invert balanced", "wear Joker"]
    log.clear()
    view, second = done(run_edit(app, replace(request, style="zombie")))
    assert view.phase == "done" and log == ["wear Zombie", "render 256"] and np.abs(first[1] - second[1]).mean() > 3
    log.clear()
    _, weak = done(run_rerender(app, replace(request, strength=0.3)))
    _, again = done(run_edit(app, request))  # back to the first style: nothing but a picture
    assert log == ["render 256"] * 2 and np.array_equal(first[1], again[1])
    assert 0 < np.abs(weak[1] - weak[2]).mean() < np.abs(first[1] - first[2]).mean() / 2  # nearer to the rebuilt face
    _, large = done(run_rerender(app, replace(request, resolution=1024)))
    assert large[1].shape == (1024, 1024, 3)
    log.clear()
    done(run_edit(app, replace(request, mode="faithful")))
    assert log[0] == "invert faithful"  # another mode is another inversion
    done(run_edit(app, request))
    assert log.count("invert balanced") == 1  # and the one before was let go


def test_another_photo_forgets_the_first(photo, tmp_path):
    app, engine = context()
    first = find_faces(app, photo)
    done(run_edit(app, EditRequest(first.photo, "joker")))
    second = find_faces(app, picture(tmp_path, name="other.jpg"), first.photo)
    assert second.photo != first.photo and len(app.photos) == 1
    for run in (run_edit, run_rerender):
        view, _ = done(run(app, EditRequest(first.photo, "joker")))
        assert view.phase == "failed" and "Upload it again" in view.error
    engine.editor.log.clear()
    done(run_edit(app, EditRequest(second.photo, "joker")))
    assert engine.editor.log[0] == "invert balanced"
    find_faces(app, None, second.photo)  # the photo was taken out of the box
    assert len(app.photos) == 0


def test_a_look_that_was_not_made_waits_for_the_button(photo):
    app, engine = context("zombie")
    request = EditRequest(find_faces(app, photo).photo, "joker")
    assert list(run_rerender(app, request)) == [] and list(run_rerender(app, EditRequest(None, "joker"))) == []
    done(run_edit(app, request))
    engine.editor.log.clear()
    for other in (replace(request, style="zombie"), replace(request, blend="zombie"), replace(request, mode="fast")):
        (view,) = run_rerender(app, other)
        assert view.phase == "unmade" and "Press Stylise" in view.progress
    assert engine.editor.log == []


# --- faces ------------------------------------------------------------------------------------------------------------------------


def test_two_faces_are_offered_and_one_is_chosen(tmp_path):
    app, engine = context()
    view = find_faces(app, picture(tmp_path, 900, 400))
    assert len(view.thumbnails) == 2 and all(face.size == (112, 112) for face in view.thumbnails) and "2 faces" in view.words
    result, _ = done(run_edit(app, EditRequest(view.photo, "joker", face=1)))
    assert (result.scores["faces"], result.scores["face"]) == (2, 1)
    done(run_edit(app, EditRequest(view.photo, "joker", face=0)))
    assert engine.editor.log.count("invert balanced") == 2  # each face is a person of its own
    for face in (2, -1, 10**9):
        result, _ = done(run_edit(app, EditRequest(view.photo, "joker", face=face)))
        assert result.phase == "failed" and "does not exist" in result.error


def test_without_a_face_three_clicks_do(tmp_path):
    app, _ = context()
    view = find_faces(app, picture(tmp_path, 1800, 90))
    assert view.photo and not view.thumbnails and "No face" in view.words
    assert view.picture.size == (640, 32) and view.scale == 1800 / 640
    refused, _ = done(run_edit(app, EditRequest(view.photo, "joker")))
    assert refused.phase == "failed" and "No face was found" in refused.error
    good, shown = done(run_edit(app, EditRequest(view.photo, "joker", points=((30.0, 30.0), (60.0, 30.0), (45.0, 60.0)))))
    assert good.phase == "done" and good.scores["face"] == -1 and len(shown) == 3


def test_what_is_no_photo_is_refused_when_it_arrives(tmp_path):
    app, _ = context()
    text, tiny = tmp_path / "letter.jpg", tmp_path / "tiny.png"
    text.write_text("dear all")
    Image.new("RGB", (1, 1)).save(tiny)
    for path in (text, tiny, tmp_path / "none.jpg"):
        view = find_faces(app, str(path))
        assert view.error and not view.photo and str(tmp_path) not in view.error
    assert len(app.photos) == 0 and find_faces(app, None).photo == ""


def test_a_bug_in_the_detector_shows_no_path(photo):
    app, engine = context()

    def find(_):
        raise RuntimeError("a bug in /secret/path.py")

    engine.editor.find = find
    view = find_faces(app, photo)
    assert view.error and "/secret" not in view.error and len(app.photos) == 0


# --- strengths and blends ---------------------------------------------------------------------------------------------------------


def test_a_blend_lies_between_its_styles(photo):
    app, engine = context("zombie")
    request = EditRequest(find_faces(app, photo).photo, "joker")
    shown = {}
    for share in (0.0, 0.5, 1.0):
        view, (_, shown[share], _) = done(run_edit(app, replace(request, blend="zombie", share=share)))
        assert view.phase == "done"
    _, (_, plain, _) = done(run_edit(app, request))
    assert np.array_equal(shown[0.0], plain)
    assert np.abs(shown[0.5] - shown[0.0]).mean() > 3 and np.abs(shown[0.5] - shown[1.0]).mean() > 3
    assert engine.editor.log.count("wear Zombie") == 1
    _, (_, same, _) = done(run_edit(app, replace(request, blend="joker", share=0.5)))
    assert np.array_equal(same, plain)  # with itself


def test_strength_by_layer_scales_the_strength(photo):
    app, _ = context()
    request = EditRequest(find_faces(app, photo).photo, "joker", 0.8, (1.0, 0.5, 0.25))
    strength = edit_run.request_strength(request)
    assert (strength.shape, strength.texture, strength.colour) == pytest.approx((0.8, 0.4, 0.2))
    _, (_, weak, rebuilt) = done(run_edit(app, request))
    _, (_, none, _) = done(run_rerender(app, replace(request, groups=(1.0, 1.0, 0.0))))
    assert np.abs(weak - rebuilt).mean() > 1 and np.array_equal(none, rebuilt)


@pytest.mark.parametrize(
    "values",
    [
        {"strength": 1.6},
        {"strength": -0.1},
        {"strength": float("nan")},
        {"groups": (2.0, 1.0, 1.0)},
        {"groups": (float("nan"), 1.0, 1.0)},
        {"share": 1.5},
        {"share": float("nan")},
    ],
)
def test_numbers_out_of_range_are_refused_before_any_work(photo, values):
    app, engine = context("zombie")
    view, _ = edited(app, photo, **{"blend": "zombie", **values})
    assert view.phase == "failed" and "must be between" in view.error and engine.editor.log == [] and len(app.line) == 0


@pytest.mark.parametrize("style", [None, "", "../../etc/passwd", "/etc/passwd", "nobody", OWN + "forged", OWN])
@pytest.mark.parametrize("place", ["style", "blend"])
def test_only_listed_styles_are_worn(photo, style, place):
    app, engine = context()
    view, _ = edited(app, photo, **({"style": style} if place == "style" else {"style": "joker", "blend": style}))
    assert view.phase == ("done" if place == "blend" and not style else "failed") and "etc" not in view.error
    assert view.phase == "done" or engine.editor.log == []


def test_a_style_just_made_belongs_to_its_page(photo):
    app, _ = context()
    *_, made = run_adaptation(app, AdaptRequest("Zombie", steps=3))
    mine = OWN + made.style_id
    assert ("Zombie (just made, 3 steps)", mine) in style_choices(app, [made.style_id])
    assert all(value != mine for _, value in style_choices(app, []))
    good, _ = edited(app, photo, mine, owned=[made.style_id])
    stolen, _ = edited(app, photo, mine, owned=[])
    assert good.phase == "done" and stolen.phase == "failed"


@pytest.mark.parametrize("key", [None, "", "0", "../me.jpg", "x" * 10_000])
def test_foreign_photo_ids_are_refused(photo, key):
    app, engine = context()
    find_faces(app, photo)
    view, _ = done(run_edit(app, EditRequest(key, "joker")))
    assert view.phase == "failed" and "photo" in view.error and engine.editor.log == []
    with pytest.raises(PhotoError):
        write_download(app, EditRequest(key, "joker"), "picture", Path("."))


# --- in the whole photo -----------------------------------------------------------------------------------------------------------


def test_the_whole_photo_is_shown_small_and_taken_away_large(tmp_path):
    app, _ = context()
    request = EditRequest(find_faces(app, picture(tmp_path, 3000, 2000)).photo, "joker", paste=True)
    _, (before, after, rebuilt) = done(run_edit(app, request))
    assert before.shape == after.shape == (1067, 1600, 3) and rebuilt.shape == (256, 256, 3)
    whole = Image.open(write_download(app, replace(request, paste=False), "photo", tmp_path))
    assert whole.size == (3000, 2000) and "AI-generated" in whole.info["Comment"]
    _, (before, after, _) = done(run_rerender(app, replace(request, paste=False)))
    assert before.shape == after.shape == (256, 256, 3)


# --- downloads --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_download_says_that_it_was_made_by_ai(tmp_path, photo, kind):
    app, _ = context("zombie")
    request = EditRequest(find_faces(app, photo).photo, "joker", 0.8, blend="zombie", share=0.25)
    done(run_edit(app, request))
    path = write_download(app, request, kind, tmp_path)
    file = Image.open(path)
    assert path.name.startswith("joker-and-zombie-80") and len(app.line) == 0
    if kind == "film":
        assert file.format == "GIF" and file.n_frames > 20 and file.info["comment"].startswith(b"AI-generated") and file.info["loop"] == 0
        return
    assert file.format == "PNG" and "AI-generated" in file.info["Comment"]
    assert (file.info["Style"], file.info["Strength"], file.info["World"]) == ("Joker and Zombie", "0.80", "starter")
    assert file.size == {"picture": (256, 256), "photo": (400, 400)}.get(kind, file.size) and (kind != "sheet" or file.width > 3 * 256)


def test_downloads_need_a_finished_look_and_a_known_kind(photo, tmp_path):
    app, _ = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    with pytest.raises(PhotoError, match="press Stylise first"):
        write_download(app, request, "picture", tmp_path)
    done(run_edit(app, request))
    with pytest.raises(NadaError, match="choose picture, photo"):
        write_download(app, request, "../x", tmp_path)
    with pytest.raises(OptionsError):
        write_download(app, replace(request, strength=9.0), "picture", tmp_path)
    assert not list(tmp_path.glob("joker*")) and len(app.line) == 0


def test_a_download_waits_for_other_work_and_gives_up_in_words(photo, tmp_path, monkeypatch):
    app, _ = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    done(run_edit(app, request))
    monkeypatch.setattr(take_away, "_PATIENCE", 0.05)
    with app.line.join(), pytest.raises(NadaError, match="busy"):
        write_download(app, request, "picture", tmp_path)
    monkeypatch.setattr(take_away, "_PATIENCE", 20)
    turn, made = app.line.join(), []
    worker = threading.Thread(target=lambda: made.append(write_download(app, request, "picture", tmp_path)))
    worker.start()
    time.sleep(0.1)
    assert not made
    turn.leave()
    worker.join(10)
    assert made and len(app.line) == 0


def test_a_bug_while_downloading_shows_no_path(photo, tmp_path):
    app, engine = context()
    request = EditRequest(find_faces(app, photo).photo, "joker")
    done(run_edit(app, request))

    def finish(*_):
        raise RuntimeError("a bug in /secret/path.py")

    engine.editor.finish = finish
    with pytest.raises(NadaError) as refused:
        write_download(app, request, "picture", tmp_path)
    view, _ = done(run_rerender(app, request))
    assert "/secret" not in str(refused.value) + view.error + view.progress and view.phase == "failed" and len(app.line) == 0


# --- the line and the shelf -------------------------------------------------------------------------------------------------------


def test_an_edit_waits_its_turn(photo, monkeypatch):
    monkeypatch.setattr(edit_run, "_TICK", 0.05)
    app, engine = context()
    key, seen, turn = find_faces(app, photo).photo, [], app.line.join()
    worker = threading.Thread(target=lambda: seen.extend(run_edit(app, EditRequest(key, "joker"))))
    worker.start()
    deadline = time.monotonic() + 10
    while not any("1 job ahead" in view.progress for view in seen) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engine.editor.log == []
    turn.leave()
    worker.join(10)
    assert any("1 job ahead" in view.progress for view in seen) and seen[-1].phase == "done"


def test_a_closed_page_gives_the_turn_back_and_keeps_no_half_portrait(photo):
    app, engine = context(delay=0.01)
    key = find_faces(app, photo).photo
    views = run_edit(app, EditRequest(key, "joker"))
    while next(views).phase != "run":
        pass
    assert len(app.line) == 1
    views.close()
    assert engine.editor.log[-1] == "invert close" and len(app.line) == 0 and app.photos.get(key).portraits == {}


def test_the_photo_shelf_forgets_by_time_number_and_size():
    now = [0.0]
    shelf = PhotoShelf(capacity=3, seconds=100, pixels=1000, clock=lambda: now[0])
    small, large = SimpleNamespace(width=10, height=10), SimpleNamespace(width=100, height=100)
    keys = [shelf.put(small, ()) for _ in range(4)]
    assert len(shelf) == 3 and len(set(keys)) == 4 and all(len(key) >= 22 for key in keys)
    with pytest.raises(PhotoError, match="forgotten after an hour"):
        shelf.get(keys[0])
    now[0] = 90
    shelf.get(keys[1])  # used: its hour begins again
    now[0] = 120
    assert len(shelf) == 1 and shelf.get(keys[1]).photo is small
    last = shelf.put(large, ())  # larger than all together may be: it is alone then
    assert len(shelf) == 1 and shelf.get(last).photo is large
    shelf.discard(last)
    shelf.discard("unknown")
    assert len(shelf) == 0


def test_photos_leave_without_anybody_looking():
    shelf = PhotoShelf(seconds=0.1)
    shelf.put(SimpleNamespace(width=10, height=10), ())
    deadline = time.monotonic() + 5
    while shelf._photos and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not shelf._photos
    time.sleep(0.2)
    assert shelf._sweeper is None  # nothing to watch, nobody watching


def test_a_photo_keeps_one_portrait_and_four_styles():
    entry = ShelvedPhoto(None, ())
    entry.keep_portrait("a", 1)
    for number in range(6):
        entry.keep_worn(number, number)
    assert list(entry.worn) == [2, 3, 4, 5]
    entry.keep_portrait("b", 2)
    assert entry.portraits == {"b": 2} and not entry.worn


# --- the page ---------------------------------------------------------------------------------------------------------------------


def page():
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)))
    demo.context.open()
    functions = {function.fn.__name__: function.fn for function in demo.fns.values() if function.fn is not None}
    return demo, functions


def named(update):
    return {getattr(component, "elem_id", None): value for component, value in update.items() if getattr(component, "elem_id", None)}


def test_the_box_says_what_photos_may_be_used():
    demo, _ = page()
    (note,) = [block for block in demo.blocks.values() if getattr(block, "elem_id", None) == "photo-note"]
    assert "owner agreed" in note.value and "leaves the server" in note.value


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
    values = [key, "nobody", 1.0, 1.0, 1.0, 1.0, None, 0.5, 0, [], "balanced", 256, False, []]
    updates = []
    with pytest.raises(gr.Error, match="not in the library"):
        updates.extend(named(update) for update in functions["edit"](*values))
    values[1] = "joker"
    *_, last = map(named, functions["edit"](*values))
    assert last["stylise"]["interactive"] and last["take-film"]["interactive"] and last["stylise"]["value"] == "Stylise"


@pytest.mark.browser
def test_in_a_browser(tmp_path):
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs Chromium at {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    engine = FakeEngine(delay=0.003)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    demo = build_app(backend=fake_backend(engine))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _, url, _ = demo.launch(**launch_options("127.0.0.1", port), prevent_thread_lock=True, quiet=True)
    try:
        with playwright.sync_playwright() as tools:
            browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            use_the_tab(browser.new_page(viewport={"width": 1280, "height": 900}), url, engine.editor.log, tmp_path)
            browser.close()
    finally:
        demo.close()
    assert len(demo.context.line) == 0


def use_the_tab(page, url, log, tmp_path):
    def shown(after: str | None = None) -> str:
        """The address of the styled picture, once it is another one."""
        page.wait_for_function("before => document.querySelectorAll('#pair img')[1]?.src !== before", arg=after, timeout=20_000)
        return page.evaluate("document.querySelectorAll('#pair img')[1]?.src")

    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.get_by_text("Starter world").wait_for(timeout=30_000)
    page.get_by_role("tab", name="Stylise").click()
    assert page.locator("#stylise").is_disabled() and page.locator("#photo-note").get_by_text("owner agreed").count() == 1
    box = page.locator("#photo input[type=file]")

    box.set_input_files(picture(tmp_path, 900, 400))
    page.locator("#faces-found").get_by_text("Face 2").wait_for(timeout=20_000)
    page.locator("#faces-found .thumbnail-item").nth(1).click()
    page.locator("#stylise").click()
    page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=20_000)
    page.locator("#edit-progress").get_by_text("Move the strength").wait_for(timeout=20_000)
    first = shown()
    assert log.count("invert balanced") == 1

    page.locator("#strength input[type=number]").fill("0.4")
    page.locator("#strength input[type=number]").press("Enter")
    second = shown(first)
    page.locator("#blending button").first.click()
    page.locator("#blend input").click()
    page.get_by_role("option", name="Zombie").click()
    page.locator("#edit-progress").get_by_text("Press Stylise to see this look").wait_for(timeout=20_000)
    page.locator("#stylise").click()
    third = shown(second)
    page.locator("#paste input").check()
    shown(third)
    assert log.count("invert balanced") == 1 and log.count("wear Zombie") == 1  # none of it needed the face again
    with page.expect_download(timeout=20_000) as download:
        page.locator("#take-photo").click()
    assert Image.open(download.value.path()).size == (900, 400)

    page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
    page.locator("#edit-progress").get_by_text("Ready for a photo").wait_for(timeout=20_000)
    assert page.locator("#stylise").is_disabled() and page.locator("#pair img").count() == 0 and page.locator("#take-photo").is_disabled()
    box.set_input_files(picture(tmp_path, 640, 90, "far.jpg"))
    page.locator("#pointing img").wait_for(timeout=20_000)
    src = None
    for number, place in enumerate(((100, 10), (160, 10), (130, 30))):
        loaded = "before => (i => i && i.src !== before && i.complete && i.naturalWidth > 0)(document.querySelector('#pointing img'))"
        page.wait_for_function(loaded, arg=src, timeout=20_000)  # each click leaves a ring, in a new picture
        src = page.evaluate("document.querySelector('#pointing img').src")
        page.locator("#pointing img").click(position={"x": place[0], "y": place[1]})
        words = ("other eye", "middle of the mouth", "Eyes and mouth are set")[number]
        page.locator("#photo-hint").get_by_text(words).wait_for(timeout=20_000)
    page.locator("#stylise").click()
    page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=20_000)

    page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
    page.locator("#edit-progress").get_by_text("Ready for a photo").wait_for(timeout=20_000)
    pillow_heif.from_pillow(draw_face(3, 300)).save(str(tmp_path / "IMG_1.HEIC"))
    box.set_input_files(str(tmp_path / "IMG_1.HEIC"))
    page.locator("#edit-progress").get_by_text("Ready: press Stylise").wait_for(timeout=20_000)
    page.wait_for_function("document.querySelector('#photo img').naturalWidth === 300", timeout=10_000)  # the browser can show it
    assert not errors
    page.close()
