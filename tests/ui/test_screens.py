"""Every tab on a desktop, in the dark and on a phone: nothing sticks out, nothing fails, dark is dark. Needs Chromium.

With NADA_SCREENS=FOLDER the screenshots are kept there to be looked at.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle
from tests.helpers.served import PHONE, chromium, expect, fits, in_chromium, none_found, open_app, serving, settled

TABS = ("Adapt", "Stylise a photo", "Compare", "Mirror", "Gallery")
SCREENS = {"light": {"desktop": (1280, 900), "tablet": (820, 1100)}, "dark": {"dark": (1280, 900), "phone": (375, 812)}}
_BEYOND = """() => [...document.querySelectorAll('.gradio-container *')].filter(one => {
  const box = one.getBoundingClientRect(), style = getComputedStyle(one);
  if (!box.width || !box.height || style.visibility === 'hidden' || box.right <= window.innerWidth + 1) return false;
  for (let up = one.parentElement; up; up = up.parentElement) {
    const over = getComputedStyle(up).overflowX;
    if (over === 'auto' || over === 'scroll' || over === 'hidden' || over === 'clip') return false;
  }
  return true;
}).map(one => one.outerHTML.slice(0, 200))"""


def look(page, name: str) -> np.ndarray:
    """The whole page as brightness [H, W] in 0..1; kept where somebody wants to look at it."""
    shot = page.screenshot(full_page=True)
    if folder := os.environ.get("NADA_SCREENS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(shot)
    return np.asarray(Image.open(io.BytesIO(shot)).convert("L"), float) / 255


@pytest.fixture(scope="module")
def server():
    engine = FakeEngine(delay=0.05)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with serving(engine) as (url, demo):
        yield url, demo


@in_chromium
@pytest.mark.parametrize("theme", SCREENS)
def test_every_tab_fits(server, theme):
    with chromium() as browser:
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        open_app(page, f"{server[0]}?__theme={theme}")
        for tab in TABS:
            page.get_by_role("tab", name=tab).click()
            expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
            page.wait_for_function("[...document.images].every(one => one.complete)")
            for screen, (width, height) in SCREENS[theme].items():
                page.set_viewport_size({"width": width, "height": height})
                settled(page)
                brightness = look(page, f"{screen}-{tab.split()[0].lower()}")
                fits(page)
                none_found(page, _BEYOND, f"{tab}, {screen}")
                paper = float(np.median(brightness))
                assert paper < 0.25 if theme == "dark" else paper > 0.75, f"{tab}, {screen}: brightness {paper:.2f}"
                assert brightness.std() > 0.03, f"{tab}, {screen} is empty"
        assert not errors


@in_chromium
def test_two_people_at_once_and_the_second_waits_on_a_phone():
    with serving(FakeEngine(delay=0.1, hold_at=6)) as (url, _), chromium() as browser:
        first = browser.new_context().new_page()
        second = browser.new_context(viewport=PHONE).new_page()
        for page in (first, second):
            open_app(page, url)
        first.locator("#adapt").click()
        first.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()
        second.locator("#adapt").click()
        second.locator("#adapt-progress").get_by_text("1 job ahead of you").wait_for()
        second.locator("#adapt-progress").get_by_text("begins in about").wait_for()
        look(second, "phone-waiting")
        fits(second)
        none_found(second, _BEYOND)
        first.locator("#stop").click()
        first.get_by_text("Stopped at step").wait_for()
        second.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()  # its turn has come by itself
        second.locator("#stop").click()
        second.get_by_text("Stopped at step").wait_for()
        look(second, "phone-stopped")
