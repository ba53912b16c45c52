"""The Stylise tab in headless Chromium."""

from __future__ import annotations

import pillow_heif
import pytest
from PIL import Image

from tests.helpers.apps import picture
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, draw_face
from tests.helpers.served import (
    PHONE,
    app_page,
    chromium,
    expect,
    fits,
    in_chromium,
    in_sight,
    open_app,
    serving,
    settled,
    until,
    watch_shifts,
)


@in_chromium
def test_stop_on_a_phone(photo):
    engine = FakeEngine(delay=0.005)
    engine.editor.held = True
    with app_page(engine, "Stylise", viewport=PHONE) as (page, demo):
        page.locator("#photo input[type=file]").set_input_files(photo)
        expect(page.locator("#stylise")).to_be_enabled()
        settled(page)
        in_sight(page, "#stylise")
        expect(page.locator("#edit-stop")).to_be_disabled()
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for()
        page.locator("#edit-stop").click()
        page.locator("#edit-progress").get_by_text("Stopped").wait_for()
        expect(page.locator("#stylise")).to_be_enabled()
        expect(page.locator("#edit-stop")).to_be_disabled()
        settled(page)
        expect(page.locator("#edit-progress")).to_contain_text("Stopped")
        expect(page.locator("#edit-outlook")).to_be_visible()
        fits(page)
        until(page, lambda: len(demo.context.line) == 0)
        assert engine.editor.log == ["invert balanced", "invert close"]


@in_chromium
def test_the_face_in_its_style_can_be_taken_at_once(photo):
    engine = FakeEngine(delay=0.003)
    engine.students.colour = "#00c000"
    with app_page(engine, "Stylise") as (page, _):
        expect(page.locator("#take-picture")).to_be_disabled()
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.get_by_alt_text("The face in its style, at once").wait_for()
        expect(page.locator("#take-picture")).to_be_enabled()
        with page.expect_download() as download:
            page.locator("#take-picture").click()
        assert download.value.suggested_filename == "joker-100.png" and engine.editor.log == []
        page.locator("#photo button[aria-label*='emove'], #photo button[aria-label='Clear']").first.click()
        expect(page.locator("#take-picture")).to_be_disabled()


@in_chromium
def test_what_is_shown_can_be_taken_away_whatever_is_chosen(photo):
    engine = FakeEngine(delay=0.003)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with app_page(engine, "Stylise") as (page, demo):
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Done").wait_for()

        def take(kind: str) -> str:
            with page.expect_download() as download:
                page.locator(f"#take-{kind}").click()
            return download.value.suggested_filename

        page.locator("#mode").get_by_text("Faithful").click()
        assert take("picture") == "joker-100.png"  # another likeness was chosen, which has not been made
        engine.editor.held = True
        page.locator("#style-pictures .thumbnail-item").nth(1).click()
        page.locator("#edit-progress").get_by_text("Rebuilding the face").wait_for()
        page.locator("#edit-stop").click()
        page.locator("#edit-progress").get_by_text("Stopped").wait_for()
        page.locator("#pair img").first.wait_for()
        assert take("sheet") == "joker-100-sheet.png"
        engine.editor.held = False
        page.locator("#mode").get_by_text("Balanced").click()
        page.locator("#style-pictures .thumbnail-item").nth(0).click()
        page.locator("#style-pictures .thumbnail-item").nth(1).click()
        until(page, lambda: take("picture") == "zombie-100.png")  # Joker's may have been done in between

        page.get_by_role("tab", name="Adapt").click()
        page.locator("#prompt :is(input, textarea)").fill("Green hair")
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("Done: 30 steps").wait_for()
        page.locator("#wear").click()
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        page.wait_for_function("document.querySelector('#pair img')?.offsetParent")
        expect(page.locator("#stylise")).to_be_enabled()
        until(page, lambda: take("picture") == "green-hair-100.png")  # the words may still be of the look before
        until(page, lambda: len(demo.context.line) == 0)


@pytest.mark.slow
@in_chromium
def test_in_a_browser(tmp_path):
    engine = FakeEngine(delay=0.003)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with serving(engine) as (url, demo), chromium() as browser:
        use_the_tab(browser.new_page(), url, engine.editor, tmp_path)
    assert len(demo.context.line) == 0


def use_the_tab(page, url, editor, tmp_path):
    def shown(after: str | None = None) -> str:
        """The address of the styled picture, once it is another one."""
        page.wait_for_function("before => document.querySelectorAll('#pair img')[1]?.src !== before", arg=after)
        return page.evaluate("document.querySelectorAll('#pair img')[1]?.src")

    errors, log = [], editor.log
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_app(page, url, "Stylise")
    expect(page.locator("#stylise")).to_be_disabled()
    expect(page.locator("#photo-note").get_by_text("owner agreed")).to_have_count(1)
    box = page.locator("#photo input[type=file]")
    settled(page)
    in_sight(page, "#stylise")  # at hand, although the choices go on below
    page.wait_for_function("document.querySelector('#mode').getBoundingClientRect().top > innerHeight - 60")
    page.locator("#edit-outlook").get_by_text("You, in another look").wait_for()

    (tmp_path / "letter.jpg").write_text("dear all")
    box.set_input_files(str(tmp_path / "letter.jpg"))
    page.locator("#photo-hint").get_by_text("not a picture").wait_for()
    page.locator("#photo img").wait_for(state="detached")  # no torn frame
    page.locator("#examples").wait_for()
    settled(page)
    expect(page.locator("#photo-hint").get_by_text("not a picture")).to_be_visible()
    expect(page.locator("#stylise")).to_be_disabled()

    box.set_input_files(picture(tmp_path, 900, 400))
    page.locator("#faces-found").get_by_text("Face 2").wait_for()
    page.locator("#faces-found .thumbnail-item").nth(1).click()
    page.locator("#mode").get_by_text("1½ min").wait_for()
    expect(page.locator("#stylise")).to_be_enabled()
    settled(page)
    page.wait_for_function("[...document.querySelectorAll('#mode label')].every(e => e.scrollWidth <= e.clientWidth)")
    watch_shifts(page)
    editor.held = True
    page.locator("#stylise").click()
    page.locator("#edit-working img").wait_for()
    expect(page.locator("#edit-outlook")).to_be_hidden()
    expect(page.locator("#identity")).to_be_hidden()
    editor.held = False
    page.locator("#edit-progress").get_by_text("Done").wait_for()
    page.locator("#edit-progress").get_by_text("Move the strength").wait_for()
    page.locator("#identity").wait_for()
    page.locator("#mode").get_by_text("ready").wait_for()
    expect(page.locator("#edit-working img")).to_have_count(0)
    settled(page)
    assert page.evaluate("window.shift || 0") < 0.01
    first = shown()
    assert log.count("invert balanced") == 1

    page.locator("#strength input[type=number]").fill("0.4")
    page.locator("#strength input[type=number]").press("Enter")
    second = shown(first)
    page.locator("#blending button").first.click()
    page.locator("#blend input").click()
    page.get_by_role("option", name="Zombie").click()
    third = shown(second)  # made at once
    page.locator("#paste input").check()
    shown(third)
    assert log.count("invert balanced") == 1 and log.count("wear Zombie") == 1  # none of it needed the face again
    with page.expect_download() as download:
        page.locator("#take-photo").click()
    assert Image.open(download.value.path()).size == (900, 400)

    page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
    page.locator("#edit-progress").get_by_text("Ready for a photo").wait_for()
    expect(page.locator("#stylise")).to_be_disabled()
    expect(page.locator("#pair img")).to_have_count(0)
    expect(page.locator("#take-photo")).to_be_disabled()
    box.set_input_files(picture(tmp_path, 640, 90, "far.jpg"))
    page.locator("#pointing img").wait_for()
    src = None
    for number, place in enumerate(((100, 10), (160, 10), (130, 30))):
        loaded = "before => (i => i && i.src !== before && i.complete && i.naturalWidth > 0)(document.querySelector('#pointing img'))"
        page.wait_for_function(loaded, arg=src)  # each click leaves a ring, in a new picture
        src = page.evaluate("document.querySelector('#pointing img').src")
        page.locator("#pointing img").click(position={"x": place[0], "y": place[1]})
        words = ("other eye", "middle of the mouth", "Eyes and mouth are set")[number]
        page.locator("#photo-hint").get_by_text(words).wait_for()
    page.locator("#stylise").click()
    page.locator("#edit-progress").get_by_text("Done").wait_for()

    page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
    page.locator("#edit-progress").get_by_text("Ready for a photo").wait_for()
    pillow_heif.from_pillow(draw_face(3, 300)).save(str(tmp_path / "IMG_1.HEIC"))
    box.set_input_files(str(tmp_path / "IMG_1.HEIC"))
    page.locator("#edit-progress").get_by_text("Ready: press Stylise").wait_for()
    page.wait_for_function("document.querySelector('#photo img').naturalWidth === 300")  # the browser can show it
    assert not errors
    page.close()
