"""The last results of a page: which are kept, and how one is shown again."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from nada_core.ui.requests import EditRequest
from nada_core.ui.tabs.stylise.history import MOST_PAST, captioned, with_look
from tests.helpers.apps import picture
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle
from tests.helpers.served import app_page, expect, in_chromium, until

PICTURE = Image.new("RGB", (64, 64), (10, 200, 30))


def test_the_newest_come_first_and_ten_are_kept():
    past = ()
    for number in range(13):
        past = with_look(past, EditRequest("photo", f"style-{number}"), f"Style {number}", PICTURE)
    assert [look.title for look in past] == [f"Style {number}" for number in range(12, 2, -1)] and len(past) == MOST_PAST
    assert all(picture.size == (144, 144) for picture, _ in captioned(past))


def test_another_strength_is_the_same_result_in_its_place():
    past = with_look((), asked := EditRequest("photo", "a"), "A", PICTURE)
    past = with_look(past, EditRequest("photo", "b"), "B", PICTURE)
    past = with_look(past, replace(asked, strength=0.4), "A", PICTURE)
    assert [look.title for look in past] == ["B", "A"] and past[1].request.strength == 0.4
    assert len(with_look(past, replace(asked, face=1), "A", PICTURE)) == 3


@in_chromium
def test_a_result_is_shown_again_with_a_press(photo):
    engine = FakeEngine(delay=0.003)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with app_page(engine, "Stylise") as (page, _):
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        expect(page.locator("#history")).to_have_count(0)  # the one there is, is on show
        page.locator("#style-pictures").get_by_role("button", name="Zombie", exact=True).click()
        page.locator("#history").get_by_role("button", name="Joker").click()
        expect(page.locator("#style input")).to_have_value("Joker")
        expect(page.locator("#edit-progress")).to_contain_text("Done")
        with page.expect_download() as download:
            page.locator("#take-picture").click()
        assert download.value.suggested_filename == "joker-100.png"


@in_chromium
def test_the_whole_photo_is_looked_at_closer(tmp_path):
    with app_page(FakeEngine(delay=0.003), "Stylise") as (page, _):
        page.locator("#photo input[type=file]").set_input_files(picture(tmp_path, 900, 400))
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        page.locator("#paste input").check()
        page.wait_for_function("document.querySelectorAll('#pair img')[1]?.naturalWidth === 900")
        page.locator("#look-closer").focus()
        page.keyboard.press("Enter")
        shown = page.get_by_role("dialog").get_by_alt_text("After")
        narrow = page.locator("#pair").bounding_box()["width"]
        until(page, lambda: shown.bounding_box()["width"] > 2 * narrow)
        wide = shown.bounding_box()["width"]
        page.get_by_role("button", name="Larger").click()
        assert shown.bounding_box()["width"] > 1.4 * wide
        page.get_by_role("button", name="Show the photo before").click()
        expect(page.get_by_role("dialog").get_by_alt_text("Before")).to_be_visible()
        expect(shown).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.locator("#look-closer")).to_be_focused()
