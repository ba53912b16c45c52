"""axe-core finds nothing on any tab, in any state, in any light and at any width; in headless Chromium."""

from __future__ import annotations

import math

import pytest

from tests.helpers.axe import complaints
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle
from tests.helpers.served import chromium, expect, in_chromium, serving, settled

pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python, of requirements-dev.txt")


VIEWS = {"desk": (1280, "light"), "phone, in the dark": (375, "dark")}


@in_chromium
def test_axe_finds_nothing(photo):
    """One way through the page; in each of its states axe looks at it in both views."""
    engine = FakeEngine(delay=0.02)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    found: dict[str, list[str]] = {}
    with serving(engine) as (url, _), chromium() as browser:
        page = browser.new_page(has_touch=True)
        page.goto(f"{url}?style=nothing")

        def look(state: str) -> None:
            for view, (width, scheme) in VIEWS.items():
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
                settled(page)
                if now := complaints(page):
                    found[f"{state}, {view}"] = now

        def tab(name: str) -> None:
            page.get_by_role("tab", name=name).click()
            expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")

        page.locator("#after-3 img").wait_for()
        look("arrived")
        page.locator("#prompt :is(input, textarea)").fill("van goh")
        page.locator("#advice button").first.wait_for()
        page.locator("#adapt").click()
        page.locator("#adapt-notice .note").wait_for()
        look("refused")
        page.locator("#settings > button").first.click()
        page.locator("#experts > button").first.click()
        look("settings")
        page.locator("#settings > button").first.click()
        page.locator("#prompt :is(input, textarea)").fill("Joker")
        engine.hold_at = 15  # a button that becomes usable while it is looked at is half way between two colours
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("15 of 30", exact=False).wait_for()
        look("adapting")
        engine.hold_at = math.inf
        page.locator("#adapt-progress").get_by_text("Done: 30 steps").wait_for()
        page.locator("#save").click()
        page.locator("#kept .note").wait_for()
        look("saved")
        tab("Stylise a photo")
        look("no photo")
        page.locator("#photo input[type=file]").set_input_files(photo)
        engine.editor.held = True
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for()
        look("rebuilding")
        engine.editor.held = False
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        look("stylised")
        page.locator("#style-pictures").get_by_role("button", name="Zombie", exact=True).click()
        page.locator("#history").wait_for()
        page.locator("#by-layer > button").first.click()
        page.locator("#blending > button").first.click()
        page.locator("#copy-style-link").click()
        page.locator("#taking .note").wait_for()
        look("history and layers")
        tab("Compare")
        look("compare before")
        page.locator("#compare").click()
        page.locator("#compare-progress").get_by_text("Done").wait_for()
        look("compared")
        page.get_by_role("button", name="Joker: show it large").click()
        page.get_by_role("dialog").wait_for()
        look("a tile shown large")
        page.keyboard.press("Escape")
        tab("Gallery")
        look("gallery")
        page.locator("#change-world > button, #change-world summary").first.click()
        look("change the world")
    assert not found, "\n".join(f"{state}: {one}" for state, ones in found.items() for one in ones)
