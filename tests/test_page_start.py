"""What an open page costs while nothing happens on it: Gradio's clocks and its queue."""

from __future__ import annotations

import urllib.request

import pytest
from fake_engine import FakeEngine
from served import chromium, in_chromium, serving

_COUNT = """(() => { const ask = window.requestAnimationFrame.bind(window); window.asked = 0;
window.requestAnimationFrame = (work) => { window.asked += 1; return ask(work); }; })()"""


@pytest.fixture(scope="module")
def server():
    with serving(FakeEngine(delay=0.1)) as (url, demo):
        yield url, demo


def test_the_page_begins_with_the_script_and_is_whole(server):
    with urllib.request.urlopen(server[0]) as answer:
        page = answer.read()
        assert int(answer.headers["content-length"]) == len(page)
    script = b"window.requestAnimationFrame = "
    assert page.count(script) == 1 and page.index(script) < page.index(b"gradio_config")
    assert page.rstrip().endswith(b"</html>")
    with urllib.request.urlopen(server[0] + "config") as answer:
        assert script not in answer.read()


def test_the_queue_does_not_look_a_thousand_times_a_second(server):
    assert server[1]._queue.sleep_when_free == 0.02


@in_chromium
def test_an_idle_page_draws_no_frames_and_progress_still_shows(server):
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_COUNT)  # below the page's own script, so that it counts what gets through
        page.goto(server[0])
        page.locator("#after-3 img").wait_for(timeout=60_000)
        page.wait_for_timeout(3000)
        before = page.evaluate("window.asked")
        page.wait_for_timeout(2000)
        assert page.evaluate("window.asked") - before <= 10  # sixty a second with Gradio's clock
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("of 60", exact=False).wait_for(timeout=30_000)
        page.locator("#stop").click()
        page.locator("#adapt-progress").get_by_text("Stopped at step").wait_for(timeout=30_000)
