"""Whole journeys of a new user, to a downloaded Joker: by keyboard alone, and on a phone; in headless Chromium."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.helpers.fake_engine import FakeEngine
from tests.helpers.served import PHONE, chromium, expect, fits, in_chromium, open_app, serving, settled, until

_TABS = 160  # presses of Tab within which anything on a page must be reached


@pytest.fixture
def server():
    with serving(FakeEngine(delay=0.01)) as (url, _):
        yield url


def tab_to(page, selector: str, key: str = "Tab") -> None:
    """Press Tab until the focus is on, or in, what is meant."""
    for _ in range(_TABS):
        if page.evaluate("where => !!document.activeElement?.closest(where)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} cannot be reached; the focus is on {page.evaluate('document.activeElement.outerHTML.slice(0, 200)')}")


def is_joker(path) -> None:
    with Image.open(path) as picture:
        assert picture.format == "PNG" and picture.size == (1024, 1024)
        assert any("AI" in str(value) for value in picture.info.values())


@in_chromium
def test_by_keyboard_alone(server, photo, tmp_path):
    with chromium() as browser:
        page = open_app(browser.new_page(), server)
        settled(page)
        tab_to(page, "#go-type")
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement.closest('#prompt')")
        page.keyboard.type("Joker")
        tab_to(page, "#adapt")
        page.keyboard.press("Enter")
        page.locator("#adapt-progress").get_by_text("Done: 30 steps").wait_for()
        tab_to(page, "#wear")
        page.keyboard.press("Enter")
        expect(page.get_by_role("tab", name="Stylise a photo")).to_have_attribute("aria-selected", "true")
        settled(page)
        chosen: list = []
        page.on("filechooser", lambda chooser: chosen.append(chooser))

        def pressed():  # a press while the box is being drawn anew meets the old one: a person presses again
            if not chosen:
                tab_to(page, "#photo button.upload-container")
                page.keyboard.press("Space")
                page.wait_for_timeout(500)
            return chosen

        until(page, pressed)
        chosen[0].set_files(photo)
        expect(page.locator("#stylise")).to_be_enabled()
        settled(page)
        tab_to(page, "#stylise")
        page.keyboard.press("Enter")
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        tab_to(page, "#take-picture")
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        download.value.save_as(tmp_path / "joker.png")
        is_joker(tmp_path / "joker.png")


@in_chromium
def test_on_a_phone(server, photo, tmp_path):
    with chromium() as browser:
        page = open_app(browser.new_page(viewport=PHONE, has_touch=True, is_mobile=True), server)
        fits(page)
        with page.expect_file_chooser() as chooser:
            page.locator("#go-selfie").tap()
        chooser.value.set_files(photo)
        expect(page.locator("#stylise")).to_be_enabled()
        settled(page)
        page.locator("#stylise").tap()
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        fits(page)
        with page.expect_download() as download:
            page.locator("#take-picture").tap()
        download.value.save_as(tmp_path / "joker.png")
        is_joker(tmp_path / "joker.png")
