"""Whole journeys of a new user, to a downloaded Joker: by keyboard alone, and on a phone; in headless Chromium."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.helpers.fake_editor import middle
from tests.helpers.fake_engine import FakeEngine, tint
from tests.helpers.served import DESK, PHONE, chromium, expect, fits, in_chromium, open_app, serving, settled, until

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


def is_joker(path, photo) -> None:
    """The stand-in's Joker of this very photo, and neither the photo itself nor another look of it."""
    with Image.open(path) as picture, Image.open(photo) as before:
        assert picture.format == "PNG" and picture.size == (1024, 1024)
        assert "AI" in picture.info["Comment"] and "joker" in picture.info["Style"].lower()
        face = middle(before.convert("RGB"), 1024)
        joker, other = (np.asarray(tint(face, look, 1.0).resize((64, 64)), dtype=float) for look in ("Joker", "Zombie"))
        seen, plain = (np.asarray(one.convert("RGB").resize((64, 64)), dtype=float) for one in (picture, face))
    assert np.abs(seen - joker).mean() < 8, "it is another picture"
    assert min(np.abs(seen - plain).mean(), np.abs(seen - other).mean()) > 24


@in_chromium
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_by_keyboard_alone(server, photo, tmp_path, viewport):
    with chromium() as browser:
        page = open_app(browser.new_page(viewport=viewport), server)
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
        is_joker(tmp_path / "joker.png", photo)


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
        is_joker(tmp_path / "joker.png", photo)
