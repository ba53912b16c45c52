"""What a visitor meets first: the promise and two ways in, the world at the foot; in headless Chromium."""

from __future__ import annotations

import pytest

from tests.helpers.fake_engine import FakeEngine
from tests.helpers.served import PHONE, chromium, expect, fits, in_chromium, open_app, serving, settled

_CAMERA = """navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement('canvas'); canvas.width = canvas.height = 400;
  const paint = () => { canvas.getContext('2d').fillRect(0, 0, 400, 400); setTimeout(paint, 100); }; paint();
  return canvas.captureStream(); }"""


@pytest.fixture(scope="module")
def server():
    with serving(FakeEngine(delay=0.01)) as (url, _):
        yield url


@in_chromium
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (375, 812)])
def test_the_promise_and_two_ways_in_come_before_the_world(server, width, height):
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(server)
        page.locator("#arrival").get_by_text("leaves the server").wait_for()
        page.locator("#after-3 img").wait_for()
        settled(page)
        heights = [page.locator(which).bounding_box()["y"] for which in ("h1", "#go-selfie", "#tabs", "#world", "#change-world", ".foot")]
        assert heights == sorted(heights) and heights[1] < height / 2
        expect(page.locator("h1")).to_contain_text("the Joker")
        expect(page.locator("#world")).to_contain_text("Starter world")
        for button in ("#go-selfie", "#go-mirror", "#go-type"):
            place = page.locator(button).bounding_box()
            assert place["height"] >= 44 and place["x"] + place["width"] <= width
        fits(page)
        page.locator("#go-type").click()
        page.wait_for_function("document.activeElement.closest('#prompt') && document.activeElement.selectionEnd === 5")


@in_chromium
def test_one_press_opens_the_camera(server):
    with chromium() as browser:
        page = browser.new_page()
        page.add_init_script(_CAMERA)
        open_app(page, server)
        page.locator("#go-selfie").click()
        page.locator("#photo button[aria-label='capture photo']").wait_for()
        page.get_by_role("tab", name="Compare").click()
        page.get_by_role("button", name="Use the camera").click()
        page.locator("#compare-photo button[aria-label='capture photo']").click()
        page.locator("#compare-photo .image-frame img").wait_for()
        expect(page.locator("#compare")).to_be_enabled()  # it has been searched like an upload
        page.get_by_role("button", name="Use the camera").click()  # the photo leaves for another one
        page.locator("#compare-photo button[aria-label='capture photo']").wait_for()


@in_chromium
def test_a_phone_uses_its_own_camera(server):
    with chromium() as browser:
        page = open_app(browser.new_page(viewport=PHONE, has_touch=True, is_mobile=True), server)
        page.evaluate(
            "document.addEventListener('click', (event) => { window.asked = event.target.getAttribute('capture') || window.asked; }, true)"
        )
        with page.expect_file_chooser():
            page.locator("#go-selfie").click()
        page.wait_for_function("window.asked === 'user'")


@in_chromium
def test_a_reload_shows_its_tab_before_the_server_has_said_so(server):
    with chromium() as browser:
        page = open_app(browser.new_page(), server, "Gallery")
        page.wait_for_function("sessionStorage.getItem('nada-tab') === 'gallery'")
        page.route("**/queue/join*", lambda route: None)  # the server is busy: it answers nothing
        page.reload()
        expect(page.get_by_role("tab", name="Gallery")).to_have_attribute("aria-selected", "true")


@in_chromium
def test_the_result_is_sharp_and_tiles_of_compare_open(server, photo):
    with chromium() as browser:
        page = open_app(browser.new_page(), server, "Stylise")
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#stylise").click()
        page.wait_for_function("document.querySelectorAll('#pair img')[1]?.naturalWidth === 1024")
        page.get_by_role("tab", name="Compare").click()
        page.locator("#compare").click()
        page.locator("#compare-progress").get_by_text("Done").wait_for()
        page.get_by_role("button", name="Joker: show it large").click()
        page.wait_for_function("document.querySelector('[role=dialog] img, dialog[open] img')?.getBoundingClientRect().width > 500")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name="Joker: show it large")).to_be_focused()
