"""The Compare tab: its handlers without a server, and in headless Chromium."""

from __future__ import annotations

import zipfile
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image

from nada_core.ui import build_app
from nada_core.ui.photo.faces import find_faces
from tests.helpers.apps import components, handlers, named, picture
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, fake_backend
from tests.helpers.served import PHONE, chromium, expect, fits, in_chromium, open_app, serving, settled, watch_shifts

pytestmark = pytest.mark.heavy

FIVE = ["Joker", "Joker face", "Joker smile", "Joker makeup", "Joker cosplay"]


def stocked(**options) -> FakeEngine:
    """An engine whose library holds the five prompts' styles and three more."""
    engine = FakeEngine(**options)
    for prompt in (*FIVE, "Zombie", "Neon", "Gold"):
        name = prompt.lower().replace(" ", "-")
        engine.saved[name] = FakeStyle(FakeCard(name, prompt))
    return engine


def page():
    demo = build_app(backend=fake_backend(stocked(delay=0.0)))
    demo.context.open()
    return demo, handlers(demo)


def test_the_five_prompts_are_offered_first_and_what_is_gone_is_dropped():
    _, functions = page()
    first, *pictures = map(named, functions["offer_styles"](None, [], False))
    assert first["compare-styles"]["value"] == [name.lower().replace(" ", "-") for name in FIVE] == pictures[0]["compare-picks"]["value"]
    assert len(first["compare-styles"]["choices"]) == 8 and pictures[0]["compare-picks"]["cards"].count("<input") == 8
    again, marked, *_ = map(named, functions["offer_styles"](["neon", "nobody"], [], True))
    assert again["compare-styles"]["value"] == marked["compare-picks"]["value"] == ["neon"]
    for chosen in ([], None, ["neon"]):  # taken away by hand they do not come back, and what still holds is left alone
        same, *_ = map(named, functions["offer_styles"](chosen, [], True))
        assert "value" not in same["compare-styles"] and len(same["compare-styles"]["choices"]) == 8 and "compare-picks" not in same


def test_a_photo_that_came_in_on_one_tab_is_on_the_other_without_a_second_search(photo, tmp_path):
    demo, functions = page()
    engine, searched = demo.context.open()[0], []
    search = engine.editor.find
    engine.editor.find = lambda image: searched.append(1) or search(image)
    *_, arrived = functions["arrived"](photo, "", "", 1, 0)
    key = demo.context.photos.keys()[-1]
    assert key in arrived.values()
    (followed,) = functions["compare_followed"](key, "", photo, 0, [])
    assert named(followed)["compare-photo"] == photo and named(followed)["compare"]["interactive"] and key in followed.values()
    (echo,) = functions["compare_arrived"](photo, key, key, 1, 0)  # the same one again
    assert not named(echo) and len(searched) == 1 and len(demo.context.photos) == 1
    for shown in ("", key):  # a box that was emptied by the page takes nothing away, however late it says so
        (quiet,) = functions["compare_arrived"](None, key, shown, 7, 7)
        assert not named(quiet) and len(demo.context.photos) == 1

    *_, other = functions["compare_arrived"](picture(tmp_path, 900, 400, "two.jpg"), key, key, 1, 0)
    assert len(searched) == 2 and len(demo.context.photos) == 1 and named(other)["compare-faces-found"]["visible"]
    new = demo.context.photos.keys()[0]
    (back,) = functions["followed"](new, key, str(tmp_path / "two.jpg"), 1, [], False)
    assert named(back)["faces-found"]["selected_index"] == 1 and named(back)["pair"] is None and named(back)["everyone"]["visible"]
    *_, gone = functions["compare_arrived"](None, new, new, 8, 7)
    assert len(demo.context.photos) == 0 and not named(gone)["compare"]["interactive"]
    (empty,) = functions["followed"]("", new, str(tmp_path / "two.jpg"), 0, [], False)
    assert named(empty)["photo"] is None and not named(empty)["stylise"]["interactive"]
    for shown in (new, ""):  # a box not emptied yet, or filled by the page before, brings nothing back, however late it says so
        (late,) = functions["compare_arrived"](str(tmp_path / "two.jpg"), "", shown, 8, 8)
        assert not named(late) and len(demo.context.photos) == 0
    *_, wanted = functions["compare_arrived"](str(tmp_path / "two.jpg"), "", "", 9, 8)  # a person does
    assert named(wanted)["compare-faces-found"]["visible"] and len(demo.context.photos) == 1
    new, elsewhere = demo.context.photos.keys()[-1], str(tmp_path / "elsewhere.jpg")
    for gone in (None, elsewhere, photo):  # the file was deleted, or that box shows another one by now: the photo itself is there
        for sent in map(named, functions["followed"](new, "", gone, 0, [], False)):
            with Image.open(sent["photo"]) as again:
                assert again.size == (900, 400) and sent["stylise"]["interactive"]
    (lost,) = functions["followed"]("forged", "", photo, 0, [], False)
    assert list(named(lost)) == ["photo-hint"]


def test_an_opened_tab_says_again_that_its_button_is_ready(photo):
    demo, functions = page()
    key, editor = find_faces(demo.context, photo).photo, demo.context.open()[0].editor
    (opened,) = functions["compare_followed"](key, key, photo, 0, [])
    assert named(opened)["compare"]["interactive"]
    for points in ([[20.0, 20.0]], [[20.0, 20.0], [60.0, 20.0]]):  # the mouth is missing
        (opened,) = functions["compare_followed"](key, key, photo, 0, points)
        assert "compare" not in named(opened)
    editor.held = True
    work = functions["compare_styles"]("", key, ["joker"], 1.0, 0, [], "balanced", [])
    next(work)
    (opened,) = functions["compare_followed"](key, key, photo, 0, [])
    assert "compare" not in named(opened)  # it is Stop's turn
    editor.held = False
    *_, last = work
    assert named(last)["compare"]["interactive"]


def test_clicked_eyes_are_shared_too(tmp_path):
    demo, functions = page()
    far = picture(tmp_path, 640, 90)
    key = find_faces(demo.context, far).photo
    update = functions["compare_pointed"](key, [[20.0, 20.0], [60.0, 20.0]], 1.0, SimpleNamespace(index=[40, 60]))
    assert named(update)["compare"]["interactive"] and "press Compare" in named(update)["compare-photo-hint"]
    (followed,) = functions["followed"](key, "", far, 0, [[20.0, 20.0], [60.0, 20.0], [40.0, 60.0]], False)
    assert named(followed)["stylise"]["interactive"] and named(followed)["pointing"]["visible"]
    (waiting,) = functions["followed"](key, "", far, 0, [], False)
    assert not named(waiting)["stylise"]["interactive"]


def test_a_failed_comparison_says_so_twice_and_frees_the_button(photo):
    demo, functions = page()
    key, updates = find_faces(demo.context, photo).photo, []
    with pytest.raises(gr.Error, match="not in the library"):
        updates.extend(map(named, functions["compare_styles"]("", key, ["nobody"], 1.0, 0, [], "balanced", [])))
    assert updates[-1]["compare"]["interactive"] and not updates[-1]["compare-stop"]["interactive"]
    with pytest.raises(gr.Error, match="No style is chosen"):
        list(functions["compare_styles"]("", key, None, 1.0, 0, [], "balanced", []))
    *_, last = map(named, functions["compare_styles"]("", key, ["joker", "neon"], 1.0, 0, [], "balanced", []))
    assert last["compare"] == gr.update(interactive=True, value="Compare") and not last["compare-stop"]["interactive"]
    assert last["compare-take-sheet"]["interactive"] and last["compare-sheet"].count("<img") == 4
    shown = {"styles": ["joker", "neon"], "face": 0, "points": [], "mode": "balanced"}
    _, weak = map(named, functions["compare_strength"]("", key, shown, 0.3, []))
    assert weak["compare-sheet"].count("<img") == 4 and "Strength 0.30" in weak["compare-progress"]
    for strange in (None, "x", [], {}, {"styles": "joker"}):
        assert not any("compare-sheet" in named(one) for one in functions["compare_strength"]("", key, strange, 0.3, []))


def test_stop_ends_the_comparison_and_keeps_what_was_made(photo):
    demo, functions = page()
    key, engine = find_faces(demo.context, photo).photo, demo.context.open()[0]
    updates = []
    engine.editor.unpainted = "Neon"
    for update in functions["compare_styles"]("", key, ["joker", "neon", "gold"], 1.0, 0, [], "balanced", []):
        updates.append(named(update))
        if "Neon" in updates[-1]["compare-progress"]:
            functions["stop_comparing"](key)
    last = updates[-1]
    assert "Stopped" in last["compare-progress"] and last["compare"]["interactive"] and not last["compare-stop"]["interactive"]
    assert "wear Gold" not in engine.editor.log and len(demo.context.line) == 0
    engine.editor.unpainted = ""
    *_, again = map(named, functions["compare_styles"]("", key, ["joker", "neon", "gold"], 1.0, 0, [], "balanced", []))
    assert "Done" in again["compare-progress"] and engine.editor.log.count("invert balanced") == engine.editor.log.count("wear Joker") == 1


def test_nothing_of_it_is_a_public_endpoint():
    demo, _ = page()
    public = {block.api_name for block in demo.fns.values() if block.api_visibility == "public"}
    assert public == {"adapt", "edit", "styles"}
    assert components(demo)["compare-styles"].max_choices == 6


@pytest.mark.slow
@in_chromium
def test_in_a_browser(photo, tmp_path):
    engine = stocked(delay=0.02)
    with serving(engine) as (url, demo), chromium() as browser:
        use_the_tab(browser.new_page(viewport=PHONE), url, engine, photo, tmp_path)
    assert len(demo.context.line) == 0


def use_the_tab(page, url, engine, photo, tmp_path):
    errors, log = [], engine.editor.log
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_app(page, url, "Stylise")
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.locator("#edit-progress").get_by_text("Ready: press Stylise").wait_for()

    page.get_by_role("tab", name="Compare").click()
    bar, sheet = page.locator("#compare-progress"), page.locator("#compare-sheet")
    bar.get_by_text("Ready: press Compare").wait_for()  # the photo has come along
    page.locator("#compare-photo img").wait_for()
    boxes = page.locator("#compare-picks input")
    expect(page.locator("#compare-picks input:checked")).to_have_count(5)
    boxes.nth(5).focus()
    page.keyboard.press("Space")  # by keyboard
    page.locator("#compare-styles").get_by_text("Zombie").wait_for()
    expect(page.locator("#compare-picks input:disabled")).to_have_count(2)  # six are enough
    boxes.nth(5).uncheck()
    boxes.nth(4).uncheck()
    expect(page.locator("#compare-picks input:disabled")).to_have_count(0)
    page.locator("#compare-styles").get_by_text("Joker cosplay").wait_for(state="detached")
    fits(page)

    engine.editor.held = True
    page.locator("#compare").click()
    sheet.locator(".compare-cell").nth(5).wait_for()  # every place is there
    settled(page)
    watch_shifts(page)
    height = page.evaluate("document.querySelector('#compare-sheet').offsetHeight")
    engine.editor.held = False
    bar.get_by_text("Done").wait_for()
    expect(sheet.locator("img")).to_have_count(6)
    settled(page)
    assert log.count("invert balanced") == 1
    assert page.evaluate("document.querySelector('#compare-sheet').offsetHeight") == height
    assert page.evaluate("window.shift || 0") < 0.01

    first = sheet.locator("img").nth(2).get_attribute("src")
    page.locator("#compare-strength input[type=number]").fill("0.4")
    page.locator("#compare-strength input[type=number]").press("Enter")
    bar.get_by_text("Strength 0.40").wait_for()
    expect(sheet.locator("img").nth(2)).not_to_have_attribute("src", first)
    assert log.count("invert balanced") == 1
    with page.expect_download() as download:
        page.locator("#compare-take-sheet").click()
    assert "AI-generated" in Image.open(download.value.path()).info["Comment"]
    with page.expect_download() as download:
        page.locator("#compare-take-pictures").click()
    assert len(zipfile.ZipFile(download.value.path()).namelist()) == 6
    fits(page)

    engine.editor.held = True
    page.locator("#compare-photo input[type=file], #compare-photo button").first.wait_for(state="attached")
    page.locator("#compare-photo button[aria-label='Clear'], #compare-photo button[aria-label*='emove']").first.click()
    bar.get_by_text("Ready for a photo").wait_for()
    expect(page.locator("#compare")).to_be_disabled()
    expect(sheet.locator(".compare-cell")).to_have_count(0)
    page.locator("#compare-photo input[type=file]").set_input_files(picture(tmp_path, 900, 400, "two.jpg"))
    page.locator("#compare-faces-found").get_by_text("Face 2").wait_for()
    page.locator("#compare-faces-found .thumbnail-item").nth(1).click()
    page.locator("#compare").click()
    bar.get_by_text("Rebuilding the face").wait_for()
    page.locator("#compare-stop").click()
    bar.get_by_text("Stopped").wait_for()
    expect(page.locator("#compare")).to_be_enabled()
    settled(page)
    expect(bar.get_by_text("Stopped")).to_have_count(1)
    engine.editor.held = False
    page.locator("#compare").click()
    bar.get_by_text("Done").wait_for()

    page.get_by_role("tab", name="Stylise").click()
    page.locator("#faces-found").get_by_text("Face 2").wait_for()
    page.locator("#faces-found .thumbnail-item.selected").get_by_text("Face 2").wait_for()
    made = log.count("invert balanced")
    page.locator("#stylise").click()
    page.locator("#edit-progress").get_by_text("Done").wait_for()
    assert log.count("invert balanced") == made  # the face was there already
    page.locator("#everyone input").check()
    page.locator("#edit-progress").get_by_text("Press Stylise to see this look").wait_for()
    page.locator("#stylise").click()
    page.locator("#edit-progress").get_by_text("All 2 faces wear the style").wait_for()
    expect(page.locator("#paste input")).to_be_checked()
    assert log.count("invert balanced") == made + 1
    with page.expect_download() as download:
        page.locator("#take-picture").click()
    assert Image.open(download.value.path()).size == (900, 400)
    assert not errors
    page.close()
