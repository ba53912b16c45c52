"""The web interface as visitors meet it: over HTTP with gradio_client, and in headless Chromium."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import pytest
from fake_engine import FakeEngine, draw_face, fake_backend

from nada_core.ui import build_app, launch_options
from nada_core.ui.edit_run import OWN

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "me.jpg"
    draw_face(7, 400).save(path)
    return str(path)


@pytest.fixture(scope="module")
def server():
    engine = FakeEngine(delay=0.1)
    demo = build_app(backend=fake_backend(engine))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _, url, _ = demo.launch(**launch_options("127.0.0.1", port), prevent_thread_lock=True, quiet=True)
    yield url, demo, engine
    demo.close()


def test_over_http(server, photo):
    from gradio_client import Client, handle_file

    url, demo, _ = server
    client = Client(url, verbose=False)
    job = client.submit("Joker", 8, "all", 0, "face", 3, False, api_name="/adapt")
    result = job.result(timeout=60)
    assert "Done: 8 steps" in result[0] and len(job.outputs()) >= 4
    result = client.submit(handle_file(photo), "joker", 1.0, 0, 256, api_name="/edit").result(timeout=60)
    assert "Done" in result[0]
    with pytest.raises(Exception, match="does not know"):
        client.submit("<b>nobody</b>", 8, "all", 0, "face", 3, False, api_name="/adapt").result(timeout=60)
    (key, _), *_ = demo.context.shelf.listing(list(demo.context.shelf._styles))
    assert "Done" in client.submit(handle_file(photo), OWN + key, 1.0, 0, 256, api_name="/edit").result(timeout=60)[0]
    stranger = Client(url, verbose=False)
    with pytest.raises(Exception, match=r"(?i)not in the list|no longer kept|error"):  # refused by the dropdown already
        stranger.submit(handle_file(photo), OWN + key, 1.0, 0, 256, api_name="/edit").result(timeout=60)
    assert len(demo.context.line) == 0


@pytest.mark.browser
def test_in_a_browser(server, photo):
    if not Path(CHROMIUM).exists():
        pytest.skip(f"needs Chromium at {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    url, demo, engine = server
    with playwright.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 375, "height": 812})
        page.goto(url)
        page.get_by_text("Starter world").wait_for(timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375

        page.locator("button.chip", has_text="Zombie").click()
        assert page.locator("#prompt input, #prompt textarea").first.input_value() == "Zombie"
        start = page.locator("#after-0 img").get_attribute("src")
        page.evaluate("window.face = document.querySelector('#after-0 img')")
        page.locator("#adapt").click()
        page.get_by_text("of 60", exact=False).first.wait_for(timeout=20_000)
        page.wait_for_function("window.scrollY > 300", timeout=10_000)  # on a phone the faces come into view by themselves
        page.wait_for_timeout(800)
        page.evaluate(
            "new PerformanceObserver(list => { for (const e of list.getEntries()) window.shift = (window.shift || 0) + e.value })"
            ".observe({ type: 'layout-shift', buffered: false })"
        )
        tops = page.evaluate("['#faces', '#loss', '#keep'].map(s => document.querySelector(s).offsetTop)")
        page.wait_for_function("src => document.querySelector('#after-0 img').getAttribute('src') !== src", arg=start, timeout=20_000)
        page.wait_for_timeout(1200)
        assert page.locator("#adapt-progress").get_by_text("left").count() == 1  # still streaming
        assert page.evaluate("window.shift || 0") == 0
        page.locator("#stop").click()
        page.get_by_text("Stopped at step").wait_for(timeout=20_000)
        assert page.evaluate("['#faces', '#loss', '#keep'].map(s => document.querySelector(s).offsetTop)") == tops  # nothing moved
        assert page.evaluate("window.face === document.querySelector('#after-0 img')")  # the same element: swapped, not rebuilt

        with page.expect_download(timeout=20_000) as download:
            page.locator("#fetch-style").click()
        assert download.value.suggested_filename == "zombie.safetensors"

        page.locator("#wear").click()
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#photo img").wait_for(timeout=20_000)
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=30_000)
        with page.expect_download(timeout=20_000) as download:
            page.locator("#download-png").click()
        assert download.value.suggested_filename.endswith(".png")

        page.get_by_role("tab", name="Adapt").click()
        page.locator("#prompt input, #prompt textarea").first.fill("<img src=x onerror=window.hacked=1>")
        page.locator("#adapt").click()
        page.locator("#adapt-notice").get_by_text("does not know").wait_for(timeout=20_000)
        page.wait_for_timeout(500)
        assert page.evaluate("window.hacked") is None

        page.locator("#prompt input, #prompt textarea").first.fill("Gold")
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("of 60", exact=False).wait_for(timeout=20_000)
        page.close()  # in the middle: the engine must be free again long before the run would have ended
        deadline = time.monotonic() + 10
        while len(demo.context.line) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(demo.context.line) == 0 and engine.log[-1] == "close"
        assert any(entry.prompt == "Gold" and entry.steps < 60 for entry in demo.context.shelf._styles.values())
        browser.close()
