"""The page without a mouse, and on a phone: focus, arrow keys, names, sizes; in headless Chromium."""

from __future__ import annotations

import math

import pytest

from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle
from tests.helpers.served import PHONE, chromium, expect, in_chromium, in_sight, none_found, open_app, serving, settled, until

TABS = ("Adapt", "Stylise a photo", "Compare", "Mirror", "Gallery")
# What can be pressed and is lower than a thumb is wide; links in a sentence may be. A box with a label is pressed by that.
_SMALL = """() => [...document.querySelectorAll('button, input:not([type=file]), summary')].filter((one) => {
  const boxed = ['checkbox', 'radio'].includes(one.type) && one.closest('label'), place = (boxed || one).getBoundingClientRect();
  return one.offsetParent && one.tabIndex >= 0 && place.width && getComputedStyle(one).pointerEvents !== 'none' && place.height < 43.5;
}).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def server():
    engine = FakeEngine(delay=0.0, hold_at=20)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with serving(engine) as (url, _):
        yield url, engine


def focused(page, element: str) -> None:
    page.wait_for_function("id => document.activeElement.id === id", arg=element)


@in_chromium
def test_the_focus_stays_with_the_person(server):
    with chromium() as browser:
        page = open_app(browser.new_page(), server[0])
        settled(page)
        page.locator("#adapt").focus()
        page.keyboard.press("Enter")
        focused(page, "stop")
        page.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()
        page.keyboard.press("Enter")
        page.locator("#adapt-progress").get_by_text("Stopped at step").wait_for()
        focused(page, "adapt")
        page.locator("#save").focus()
        page.keyboard.press("Enter")
        page.locator("#kept").get_by_text("Saved as").wait_for()
        page.wait_for_function("document.activeElement.closest('#keep')")


@in_chromium
def test_the_photo_box_is_opened_by_both_keys(server):
    with chromium() as browser:
        page = open_app(browser.new_page(), server[0], "Stylise")
        opened: list = []
        page.on("filechooser", lambda chooser: opened.append(chooser))
        for count, key in enumerate(("Enter", "Space")):

            def pressed(key=key, count=count):  # a press while the box is being drawn anew meets the old one: a person presses again
                if len(opened) == count:
                    page.locator("#photo button.upload-container").focus()
                    page.keyboard.press(key)
                    page.wait_for_timeout(500)
                return len(opened) > count

            until(page, pressed)


@in_chromium
def test_a_key_held_down_stops_nothing(server, monkeypatch):
    url, engine = server
    with chromium() as browser:
        page = open_app(browser.new_page(), url)
        settled(page)
        page.locator("#adapt").focus()
        page.keyboard.down("Enter")
        focused(page, "stop")
        for _ in range(3):
            page.keyboard.down("Enter")  # the same key again, without being let go
        page.keyboard.up("Enter")
        page.locator("#adapt-progress").get_by_text("Step 20 of 30").wait_for()
        monkeypatch.setattr(engine, "hold_at", math.inf)
        page.locator("#adapt-progress").get_by_text("Done: 30 steps").wait_for()


@in_chromium
def test_arrow_keys_change_tabs_and_move_between_before_and_after(server, photo):
    with chromium() as browser:
        page = open_app(browser.new_page(), server[0])
        page.get_by_role("tab", name="Adapt").focus()
        for key, name in (("ArrowRight", "Stylise a photo"), ("End", "Gallery"), ("ArrowRight", "Adapt"), ("ArrowLeft", "Gallery")):
            page.keyboard.press(key)
            expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
            expect(page.get_by_role("tab", name=name)).to_be_focused()
        page.get_by_role("tab", name="Stylise").click()
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        settled(page)
        handle = page.locator("#pair [data-testid=slider]")
        before = handle.bounding_box()["x"]
        page.locator("#pair .pair-keys").focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        page.wait_for_function("x => document.querySelector('#pair [data-testid=slider]').getBoundingClientRect().x > x + 20", arg=before)
        page.keyboard.press("Home")
        page.wait_for_function("x => document.querySelector('#pair [data-testid=slider]').getBoundingClientRect().x < x - 100", arg=before)

        page.locator("#style-pictures").get_by_role("button", name="Zombie", exact=True).wait_for()
        expect(page.locator("#style-pictures .thumbnail-item img:not([alt=''])")).to_have_count(0)


@in_chromium
def test_on_a_phone_everything_fits_a_thumb_and_stop_is_in_reach(server, photo):
    with chromium() as browser:
        page = open_app(browser.new_page(viewport=PHONE, has_touch=True), server[0])
        for tab in TABS:
            page.get_by_role("tab", name=tab).click()
            settled(page)
            none_found(page, _SMALL, tab)
        page.get_by_role("tab", name="Adapt").click()
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()
        page.locator("#keep").scroll_into_view_if_needed()
        in_sight(page, "#stop")
        page.locator("#stop").click()
        page.locator("#adapt-progress").get_by_text("Stopped at step").wait_for()
