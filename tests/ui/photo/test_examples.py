"""The photos that the page offers to those who have none at hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from nada_core.alignment.faces import FaceDetector
from nada_core.ui import build_app
from nada_core.ui.photo import examples
from tests.helpers.apps import components
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.served import PHONE, app_page, expect, in_chromium

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("file", [row[0] for row in examples.EXAMPLES])
def test_each_is_a_usable_portrait_of_one_face(file):
    path = Path(examples.__file__).with_name("photos") / file
    with Image.open(path) as picture:
        assert min(picture.size) >= 512 and path.stat().st_size < 100_000
        assert len(FaceDetector().detect(picture.convert("RGB"))) == 1


@in_chromium
def test_one_press_stands_for_an_upload_on_both_tabs():
    with app_page(FakeEngine(delay=0.003), "Stylise", viewport=PHONE) as (page, _):
        offered = page.locator("#examples button.thumbnail-item")
        expect(offered).to_have_count(len(examples.EXAMPLES))
        for _ in range(2):  # the same one again, after it was taken away
            offered.nth(1).click()
            expect(page.locator("#stylise")).to_be_enabled()
            expect(page.locator("#photo img")).to_have_count(1)
            expect(page.locator("#examples")).to_be_hidden()
            page.locator("#photo button[aria-label='Clear'], #photo button[aria-label*='emove']").first.click()
            page.locator("#examples").wait_for()
        offered.nth(0).click()
        expect(page.locator("#stylise")).to_be_enabled()
        page.get_by_role("tab", name="Compare").click()
        page.locator("#compare-photo img").wait_for()  # both tabs have the same photo
        expect(page.locator("#compare-examples")).to_be_hidden()


@pytest.mark.parametrize("index", [-1, 3, 10**9, "0", None, [0, 1], 0.0])
def test_a_forged_choice_puts_nothing_into_the_box(index):
    demo = build_app(FakeEngine)
    boxes = {components(demo)[name] for name in ("photo", "compare-photo")}
    choosers = [block.fn for block in demo.fns.values() if block.fn is not None and block.fn.__name__ == "choose_example"]
    assert len(choosers) == 2
    for choose in choosers:
        (update,) = list(choose(SimpleNamespace(index=index)))
        assert not boxes & set(update)
