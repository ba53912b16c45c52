"""A page that is loaded again, or whose phone was asleep: its photo, its choices and its work come back."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
import pytest
from PIL import Image

from nada_core.ui import build_app
from nada_core.ui.photo.faces import find_faces
from tests.helpers.apps import handlers, named, picture
from tests.helpers.edits import pressed
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, fake_backend
from tests.helpers.served import chromium, expect, in_chromium, open_app, serving, until

pytestmark = pytest.mark.heavy

KEY = "0123456789abcdef" * 2


def page(**engine):
    fake = FakeEngine(delay=0.0, **engine)
    fake.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    demo = build_app(backend=fake_backend(fake))
    demo.context.open()
    return demo, handlers(demo)


def values_of(key, **changes):
    return pressed(key, **{"texture": 0.5, "mode": "fast", **changes})


def test_a_page_without_a_past_stays_as_it_is():
    _, functions = page()
    for words in ("", f"{KEY} adapt", "forged"):
        (update,) = functions["return_page"](words)
        assert named(update) == {}
    (update,) = functions["return_page"](f"{KEY} gallery")
    assert named(update)["tabs"].selected == "gallery"
    for name in ("resume_edit", "resume_comparison"):
        assert all(value == gr.skip() for update in functions[name](KEY) for value in update.values())


def test_a_finished_look_comes_back_with_its_photo(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    list(functions["edit"](KEY, **values_of(key)))
    list(functions["rerender"](KEY, **values_of(key, strength=0.4)))
    demo.context.open()[0].editor.log.clear()
    returned = functions["return_page"](f"{KEY} stylise")
    update = named(next(returned))
    with Image.open(update["photo"]) as shown:
        assert shown.format == "JPEG" and shown.size == demo.context.photos.get(key).photo.size
    assert update["tabs"].selected == "stylise" and update["style"]["value"] == "joker" and update["strength"] == 0.4
    assert update["mode"] == "fast" and update["stylise"]["interactive"] and update["compare-photo"] == update["photo"]
    (quiet,) = functions["arrived"](update["photo"], key, key, 1, 0)  # nothing is searched again
    assert not named(quiet)
    assert list(returned) == []
    _, last = map(named, functions["resume_edit"](KEY))
    assert "Done" in last["edit-progress"] and last["take-picture"]["interactive"]
    assert demo.context.open()[0].editor.log == ["render 256"]  # nothing was made again


def test_what_was_chosen_since_does_not_hide_the_look_on_show(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    list(functions["edit"](KEY, **values_of(key)))
    list(functions["rerender"](KEY, **values_of(key, style="zombie")))  # not made
    update = named(next(functions["return_page"](f"{KEY} stylise")))
    assert update["style"]["value"] == "zombie"
    seen = [named(update) for update in functions["resume_edit"](KEY)]
    assert any("pair" in update for update in seen) and "Press Stylise to see this look" in seen[-1]["edit-progress"]


def test_whom_the_photo_is_about_comes_back(tmp_path):
    demo, functions = page()
    key = find_faces(demo.context, picture(tmp_path, 900, 400)).photo
    list(functions["edit"](KEY, **values_of(key, everyone=True)))
    assert named(next(functions["return_page"](f"{KEY} stylise")))["everyone"]["value"] is True
    functions["remember_person"](KEY, key, 1, [], False)  # one of them was chosen since
    update = named(next(functions["return_page"](f"{KEY} stylise")))
    assert update["everyone"]["value"] is False and update["faces-found"]["selected_index"] == 1

    alone = find_faces(demo.context, picture(tmp_path, 400, 90, "low.jpg"), key).photo
    functions["remember_person"](KEY, alone, 0, [[150.0, 40.0], [250.0, 40.0], [200.0, 80.0]], False)
    update = named(next(functions["return_page"](f"{KEY} stylise")))
    assert update["stylise"]["interactive"] and "are set" in update["photo-hint"] and update["pointing"]["visible"]


def test_sizes_of_another_world_are_not_chosen_again(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    list(functions["edit"](KEY, **values_of(key)))
    app = demo.context
    engine, world = app.open()
    app.install(engine, replace(world, sizes=(64,)), app.wish)
    app.photos.forget_portraits()
    assert "size" not in named(next(functions["return_page"](f"{KEY} stylise")))
    assert all(value == gr.skip() for update in functions["resume_edit"](KEY) for value in update.values())  # and no complaint


def seen_until_released(editor, place, updates):
    """What a page is shown that comes back to work which stands still until its pictures are there again."""
    for update in map(named, updates):
        yield update
        if "<img" in update.get(place, ""):
            editor.held, editor.unpainted = False, ""


def test_work_in_hand_is_watched_again(photo):
    demo, functions = page()
    editor = demo.context.open()[0].editor
    editor.held = True
    key = find_faces(demo.context, photo).photo
    work = functions["edit"](KEY, **values_of(key))
    while "Rebuilding" not in named(next(work))["edit-progress"]:
        pass
    work.close()  # the page is gone
    list(functions["return_page"](f"{KEY} stylise"))
    _, *seen = seen_until_released(editor, "edit-working", functions["resume_edit"](KEY))
    assert "<img" in seen[0]["edit-working"] and not seen[0]["stylise"]["interactive"] and seen[0]["edit-stop"]["interactive"]
    assert "Done" in seen[-1]["edit-progress"] and seen[-1]["stylise"]["interactive"]
    assert editor.log.count("invert fast") == 1


def test_a_comparison_comes_back_too(photo):
    demo, functions = page()
    editor = demo.context.open()[0].editor
    editor.unpainted = "Joker"
    key = find_faces(demo.context, photo).photo
    work = functions["compare_styles"](KEY, key, ["joker", "zombie"], 0.8, 0, [], "fast", [])
    while "Joker" not in named(next(work))["compare-progress"]:
        pass
    work.close()
    update = named(next(functions["return_page"](f"{KEY} compare")))
    assert update["compare-styles"]["value"] == ["joker", "zombie"] and update["compare-strength"] == 0.8
    _, *seen = seen_until_released(editor, "compare-sheet", functions["resume_comparison"](KEY))
    assert seen[0]["compare-sheet"].count("<img") >= 2 and "Done" in seen[-1]["compare-progress"]
    _, *again = map(named, functions["resume_comparison"](KEY))
    assert again[-1]["compare-sheet"].count("<img") == 4 and editor.log.count("invert fast") == 1


def test_a_photo_that_is_gone_does_not_come_back(photo):
    demo, functions = page()
    key = find_faces(demo.context, photo).photo
    list(functions["edit"](KEY, **values_of(key)))
    demo.context.photos.discard(key)
    (update,) = functions["return_page"](f"{KEY} stylise")
    assert "photo" not in named(update) and named(update)["mode"] == "fast"
    (nothing,) = functions["resume_edit"](KEY)
    assert all(value == gr.skip() for value in nothing.values())


def in_the_middle_of_an_edit(page, url, photo):
    open_app(page, url, "Stylise")
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.locator("#stylise").click()  # once it is enabled
    page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for()


@in_chromium
def test_reloading_in_the_middle_of_an_edit(tmp_path):
    engine = FakeEngine(delay=0.005)
    engine.editor.held = True
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with serving(engine) as (url, demo), chromium() as browser:
        page = browser.new_page()
        in_the_middle_of_an_edit(page, url, picture(tmp_path))
        page.reload()
        page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for()
        engine.editor.held = False
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        page.locator("#pair img").first.wait_for()
        expect(page.get_by_role("tab", name="Stylise")).to_have_attribute("aria-selected", "true")
        expect(page.locator("#photo img")).to_have_count(1)
        expect(page.locator("#stylise")).to_be_enabled()
        assert engine.editor.log.count("invert balanced") == 1
        page.reload()
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        page.get_by_role("tab", name="Compare").click()
        expect(page.locator("#compare")).to_be_enabled()
        expect(page.locator("#compare-photo img")).to_have_count(1)
        assert engine.editor.log.count("invert balanced") == 1 and len(demo.context.photos) == 1
        with page.expect_popup() as opened:  # has the same storage, as a duplicated tab
            page.evaluate("window.open(location.href)")
        twin = opened.value
        twin.get_by_text("Starter world").wait_for()
        twin.wait_for_function("window.nadaKnown")
        mine = page.evaluate("sessionStorage['nada-page']")
        twin.wait_for_function("mine => (own => own && own !== mine)(sessionStorage['nada-page'])", arg=mine)
        other = browser.new_page()  # another tab of the same browser knows nothing of it
        open_app(other, url, "Stylise")
        expect(other.locator("#stylise")).to_be_disabled()
        expect(other.locator("#photo img")).to_have_count(0)


@in_chromium
def test_another_photo_during_an_edit_leaves_the_page_ready(tmp_path):
    engine = FakeEngine(delay=0.0)
    engine.editor.held = True
    with serving(engine) as (url, demo), chromium() as browser:
        page = browser.new_page()
        in_the_middle_of_an_edit(page, url, picture(tmp_path))
        page.locator("#edit-stop").click()
        page.locator("#edit-progress").get_by_text("Stopped").wait_for()
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for()
        page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
        page.locator("#photo input[type=file]").set_input_files(picture(tmp_path, 500, 500, "other.jpg"))
        expect(page.locator("#stylise")).to_be_enabled()
        until(page, lambda: engine.editor.log.count("invert close") == 2 and len(demo.context.line) == 0)
        page.wait_for_timeout(500)  # the end of the work on the first photo changes nothing any more
        expect(page.locator("#stylise")).to_have_text("Stylise")
        expect(page.locator("#stylise")).to_be_enabled()
        expect(page.locator("#edit-progress").get_by_text("Ready")).to_have_count(1)
        expect(page.locator("#edit-stop")).to_be_disabled()
