"""The Compare tab: its handlers without a server, and in headless Chromium."""

from __future__ import annotations

import zipfile
from types import SimpleNamespace

import gradio as gr
import pytest
from apps import components, handlers, named, picture
from fake_engine import FakeCard, FakeEngine, FakeStyle, fake_backend
from PIL import Image
from served import chromium, in_chromium, serving

from nada_core.ui import build_app
from nada_core.ui.photo_faces import find_faces

FIVE = ["Joker", "Joker face", "Joker smile", "Joker makeup", "Joker cosplay"]


def stocked(**options) -> FakeEngine:
    """An engine whose library holds the five prompts' styles and three more."""
    engine = FakeEngine(**options)
    for prompt in (*FIVE, "Zombie", "Neon", "Gold"):
        name = prompt.lower().replace(" ", "-")
        engine.saved[name] = FakeStyle(FakeCard(name, prompt))
    return engine


def page(pause=0.0):
    demo = build_app(backend=fake_backend(stocked(delay=0.0)))
    demo.context.open()[0].editor.pause = pause  # pages skip stages that come at once
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
    assert functions["picked"](["a", 7, *"bcdefg"]) == list("abcdef") and functions["picked"]("x") == functions["picked"](None) == []


def test_a_photo_that_came_in_on_one_tab_is_on_the_other_without_a_second_search(photo, tmp_path):
    demo, functions = page()
    engine, searched = demo.context.open()[0], []
    search = engine.editor.find
    engine.editor.find = lambda image: searched.append(1) or search(image)
    *_, arrived = functions["arrived"](photo, "")
    key = demo.context.photos._photos.copy().popitem()[0]
    assert key in arrived.values()
    (followed,) = functions["compare_followed"](key, "", photo, 0, [])
    assert named(followed)["compare-photo"] == photo and named(followed)["compare"]["interactive"] and key in followed.values()
    (echo,) = functions["compare_arrived"](photo, key, key)  # the box was filled by the page, not by a person
    assert list(named(echo)) == ["compare-photo-hint"] and len(searched) == 1 and len(demo.context.photos) == 1
    (quiet,) = functions["compare_arrived"](None, key, "")  # an empty box that has just been drawn takes nothing away
    assert list(named(quiet)) == ["compare-photo-hint"] and len(demo.context.photos) == 1

    *_, other = functions["compare_arrived"](picture(tmp_path, 900, 400, "two.jpg"), key, key)
    assert len(searched) == 2 and len(demo.context.photos) == 1 and named(other)["compare-faces-found"]["visible"]
    new = next(iter(demo.context.photos._photos))
    (back,) = functions["followed"](new, key, str(tmp_path / "two.jpg"), 1, [], False)
    assert named(back)["faces-found"]["selected_index"] == 1 and named(back)["pair"] is None and named(back)["everyone"]["visible"]
    *_, gone = functions["compare_arrived"](None, new, new)
    assert len(demo.context.photos) == 0 and not named(gone)["compare"]["interactive"]
    (empty,) = functions["followed"]("", new, str(tmp_path / "two.jpg"), 0, [], False)
    assert named(empty)["photo"] is None and not named(empty)["stylise"]["interactive"]
    (late,) = functions["compare_arrived"](str(tmp_path / "two.jpg"), "", new)
    assert list(named(late)) == ["compare-photo-hint"] and len(demo.context.photos) == 0  # a box not emptied yet brings nothing back
    (lost,) = functions["followed"]("forged", "", photo, 0, [], False)
    assert list(named(lost)) == ["photo-hint"]


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
    demo, functions = page(0.3)
    key, engine = find_faces(demo.context, photo).photo, demo.context.open()[0]
    updates = []
    for update in functions["compare_styles"]("", key, ["joker", "neon", "gold"], 1.0, 0, [], "balanced", []):
        updates.append(named(update))
        if "Neon" in updates[-1]["compare-progress"]:
            functions["stop_comparing"](key)
    last = updates[-1]
    assert "Stopped" in last["compare-progress"] and last["compare"]["interactive"] and not last["compare-stop"]["interactive"]
    assert "wear Gold" not in engine.editor.log and len(demo.context.line) == 0
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
        use_the_tab(browser.new_page(viewport={"width": 375, "height": 812}), url, engine, photo, tmp_path)
    assert len(demo.context.line) == 0


def use_the_tab(page, url, engine, photo, tmp_path):
    errors, log = [], engine.editor.log
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.get_by_text("Starter world").wait_for(timeout=30_000)
    page.get_by_role("tab", name="Stylise").click()
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.locator("#edit-progress").get_by_text("Ready: press Stylise").wait_for(timeout=20_000)

    page.get_by_role("tab", name="Compare").click()
    bar, sheet = page.locator("#compare-progress"), page.locator("#compare-sheet")
    bar.get_by_text("Ready: press Compare").wait_for(timeout=20_000)  # the photo has come along
    page.locator("#compare-photo img").wait_for(timeout=10_000)
    boxes = page.locator("#compare-picks input")
    page.wait_for_function("document.querySelectorAll('#compare-picks input:checked').length === 5", timeout=20_000)
    boxes.nth(5).focus()
    page.keyboard.press("Space")  # by keyboard
    page.locator("#compare-styles").get_by_text("Zombie").wait_for(timeout=10_000)
    page.wait_for_function("document.querySelectorAll('#compare-picks input:disabled').length === 2", timeout=10_000)  # six are enough
    boxes.nth(5).uncheck()
    boxes.nth(4).uncheck()
    page.wait_for_function("document.querySelectorAll('#compare-picks input:disabled').length === 0", timeout=10_000)
    page.locator("#compare-styles").get_by_text("Joker cosplay").wait_for(state="detached", timeout=10_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375

    page.locator("#compare").click()
    sheet.locator("figure").nth(5).wait_for(timeout=20_000)  # every place is there
    page.wait_for_timeout(900)  # what scrolls has scrolled
    page.evaluate(
        "new PerformanceObserver(list => { for (const e of list.getEntries()) window.shift = (window.shift || 0) + e.value })"
        ".observe({ type: 'layout-shift', buffered: false })"
    )
    height = page.evaluate("document.querySelector('#compare-sheet').offsetHeight")
    bar.get_by_text("Done").wait_for(timeout=30_000)
    assert sheet.locator("img").count() == 6 and log.count("invert balanced") == 1
    assert page.evaluate("document.querySelector('#compare-sheet').offsetHeight") == height
    assert page.evaluate("window.shift || 0") < 0.01

    first = sheet.locator("img").nth(2).get_attribute("src")
    page.locator("#compare-strength input[type=number]").fill("0.4")
    page.locator("#compare-strength input[type=number]").press("Enter")
    bar.get_by_text("Strength 0.40").wait_for(timeout=20_000)
    assert sheet.locator("img").nth(2).get_attribute("src") != first and log.count("invert balanced") == 1
    with page.expect_download(timeout=20_000) as download:
        page.locator("#compare-take-sheet").click()
    assert "AI-generated" in Image.open(download.value.path()).info["Comment"]
    with page.expect_download(timeout=20_000) as download:
        page.locator("#compare-take-pictures").click()
    assert len(zipfile.ZipFile(download.value.path()).namelist()) == 6
    assert page.evaluate("document.documentElement.scrollWidth") <= 375

    engine.delay = engine.editor.delay = 0.1
    page.locator("#compare-photo input[type=file], #compare-photo button").first.wait_for(state="attached")
    page.locator("#compare-photo button[aria-label='Clear'], #compare-photo button[aria-label*='emove']").first.click()
    bar.get_by_text("Ready for a photo").wait_for(timeout=20_000)
    assert page.locator("#compare").is_disabled() and sheet.locator("figure").count() == 0
    page.locator("#compare-photo input[type=file]").set_input_files(picture(tmp_path, 900, 400, "two.jpg"))
    page.locator("#compare-faces-found").get_by_text("Face 2").wait_for(timeout=20_000)
    page.locator("#compare-faces-found .thumbnail-item").nth(1).click()
    page.locator("#compare").click()
    bar.get_by_text("Rebuilding the face").wait_for(timeout=20_000)
    page.locator("#compare-stop").click()
    bar.get_by_text("Stopped").wait_for(timeout=20_000)
    page.wait_for_timeout(500)
    assert bar.get_by_text("Stopped").count() == 1 and page.locator("#compare").is_enabled()
    engine.delay = engine.editor.delay = 0.0
    page.locator("#compare").click()
    bar.get_by_text("Done").wait_for(timeout=30_000)

    page.get_by_role("tab", name="Stylise").click()
    page.locator("#faces-found").get_by_text("Face 2").wait_for(timeout=20_000)
    page.locator("#faces-found .thumbnail-item.selected").get_by_text("Face 2").wait_for(timeout=10_000)
    made = log.count("invert balanced")
    page.locator("#stylise").click()
    page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=20_000)
    assert log.count("invert balanced") == made  # the face was there already
    page.locator("#everyone input").check()
    page.locator("#edit-progress").get_by_text("Press Stylise to see this look").wait_for(timeout=20_000)
    page.locator("#stylise").click()
    page.locator("#edit-progress").get_by_text("All 2 faces wear the style").wait_for(timeout=20_000)
    assert log.count("invert balanced") == made + 1 and page.locator("#paste input").is_checked()
    with page.expect_download(timeout=20_000) as download:
        page.locator("#take-picture").click()
    assert Image.open(download.value.path()).size == (900, 400)
    assert not errors
    page.close()
