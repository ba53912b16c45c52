"""The Stylise tab in headless Chromium."""

from __future__ import annotations

import pillow_heif
import pytest
from apps import picture
from fake_engine import FakeCard, FakeEngine, FakeStyle, draw_face
from PIL import Image
from served import chromium, in_chromium, serving

SHIFTS = (
    "new PerformanceObserver(list => { for (const e of list.getEntries()) window.shift = (window.shift || 0) + e.value })"
    ".observe({ type: 'layout-shift', buffered: false })"
)


@in_chromium
def test_stop_on_a_phone(photo):
    engine = FakeEngine(delay=0.05)
    with serving(engine) as (url, demo), chromium() as browser:
        page = browser.new_page(viewport={"width": 375, "height": 812})
        page.goto(url)
        page.get_by_text("Starter world").wait_for(timeout=30_000)
        page.get_by_role("tab", name="Stylise").click()
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.wait_for_function("!document.querySelector('#stylise').disabled", timeout=20_000)
        at_hand = page.locator("#stylise").bounding_box()
        assert at_hand["y"] > 0 and at_hand["y"] + at_hand["height"] <= 812
        assert page.locator("#edit-stop").is_disabled()
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for(timeout=20_000)
        page.locator("#edit-stop").click()
        page.locator("#edit-progress").get_by_text("Stopped").wait_for(timeout=20_000)
        page.wait_for_timeout(500)
        assert page.locator("#stylise").is_enabled() and page.locator("#edit-stop").is_disabled()
        assert page.locator("#edit-outlook").is_visible() and page.evaluate("document.documentElement.scrollWidth") <= 375
        assert len(demo.context.line) == 0 and engine.editor.log == ["invert balanced", "invert close"]


@pytest.mark.slow
@in_chromium
def test_in_a_browser(tmp_path):
    engine = FakeEngine(delay=0.003)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with serving(engine) as (url, demo), chromium() as browser:
        use_the_tab(browser.new_page(viewport={"width": 1280, "height": 900}), url, engine.editor.log, tmp_path)
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
    seen = page.locator("#stylise").bounding_box()
    assert seen["y"] + seen["height"] <= 900 < page.locator("#mode").bounding_box()["y"] + 60  # at hand, although the choices go on below
    page.locator("#edit-outlook").get_by_text("You, in another look").wait_for(timeout=5_000)

    (tmp_path / "letter.jpg").write_text("dear all")
    box.set_input_files(str(tmp_path / "letter.jpg"))
    page.locator("#photo-hint").get_by_text("not a picture").wait_for(timeout=20_000)
    page.locator("#photo img").wait_for(state="detached", timeout=20_000)  # no torn frame
    page.locator("#examples").wait_for(timeout=5_000)
    page.wait_for_timeout(500)
    assert page.locator("#photo-hint").get_by_text("not a picture").is_visible() and page.locator("#stylise").is_disabled()

    box.set_input_files(picture(tmp_path, 900, 400))
    page.locator("#faces-found").get_by_text("Face 2").wait_for(timeout=20_000)
    page.locator("#faces-found .thumbnail-item").nth(1).click()
    page.locator("#mode").get_by_text("1½ min").wait_for(timeout=20_000)
    boxes = page.locator("#mode label").all()
    assert all(one.evaluate("e => e.scrollWidth <= e.clientWidth") for one in boxes)
    page.evaluate(SHIFTS)
    page.locator("#stylise").click()
    page.locator("#edit-working img").wait_for(timeout=20_000)
    assert not page.locator("#edit-outlook").is_visible() and not page.locator("#identity").is_visible()
    page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=20_000)
    page.locator("#edit-progress").get_by_text("Move the strength").wait_for(timeout=20_000)
    page.locator("#identity").wait_for(timeout=5_000)
    page.locator("#mode").get_by_text("ready").wait_for(timeout=20_000)
    assert page.locator("#edit-working img").count() == 0 and page.evaluate("window.shift || 0") < 0.01
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
