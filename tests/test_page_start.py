"""What an open page costs while nothing happens on it: Gradio's clocks and its queue."""

from __future__ import annotations

import asyncio
import urllib.request

import pytest
import served
from fake_engine import FakeEngine
from served import chromium, in_chromium, serving
from starlette.middleware import Middleware

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
        for _ in range(10):  # until it has drawn all there is to draw
            before = page.evaluate("window.asked")
            page.wait_for_timeout(2000)
            drawn = page.evaluate("window.asked") - before
            if drawn <= 10:
                break
        assert drawn <= 10  # sixty a second with Gradio's clock, for ever
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("of 60", exact=False).wait_for(timeout=30_000)
        page.locator("#stop").click()
        page.locator("#adapt-progress").get_by_text("Stopped at step").wait_for(timeout=30_000)


class SlowFarewell:
    """ASGI middleware: the network holds the end of an event stream back, and nothing else."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        async def late(message):
            if b"close_stream" in message.get("body", b""):
                await asyncio.sleep(0.6)
            await send(message)

        await self._app(scope, receive, late if scope["type"] == "http" and scope["path"].endswith("/queue/data") else send)


class Cut:
    """ASGI middleware: a proxy ends the first long stream in all politeness, in the middle of the news."""

    done = False

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        passed, ended = 0, False

        async def short(message):
            nonlocal passed, ended
            if ended:
                return
            passed += b"process_generating" in message.get("body", b"")
            if passed == 10 and not Cut.done:
                Cut.done = ended = True
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        await self._app(scope, receive, short if scope["type"] == "http" and scope["path"].endswith("/queue/data") else send)


def behind(monkeypatch, middleware):
    """Apps that are launched from now on have this between them and the browser."""
    options = served.launch_options

    def given(*values):
        launched = options(*values)
        launched["app_kwargs"]["middleware"].append(Middleware(middleware))
        return launched

    monkeypatch.setattr(served, "launch_options", given)


@in_chromium
def test_a_stream_that_ends_without_a_farewell_is_a_broken_connection(monkeypatch):
    behind(monkeypatch, Cut)
    with serving(FakeEngine(delay=0.1)) as (url, _), chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        page.locator("#after-3 img").wait_for(timeout=30_000)
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("Done: 60 steps").wait_for(timeout=60_000)  # after a reload of its own
        assert Cut.done and page.locator("#adapt").is_enabled()


@in_chromium
def test_an_event_accepted_while_the_stream_ends_is_not_lost(monkeypatch):
    behind(monkeypatch, SlowFarewell)
    with serving(FakeEngine(delay=0.003)) as (url, _), chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        streams = set()
        page.on("request", lambda request: streams.add(request) if "queue/data" in request.url else None)
        page.on("requestfinished", lambda request: streams.discard(request))
        page.goto(url)
        page.locator("#after-3 img").wait_for(timeout=30_000)
        page.get_by_role("tab", name="Stylise").click()
        page.locator("#examples .thumbnail-item").first.click()
        page.wait_for_function("!document.querySelector('#stylise').disabled", timeout=30_000)
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Done").wait_for(timeout=30_000)
        for _ in range(3):
            with page.expect_download(timeout=20_000):
                page.locator("#take-picture").click()
        page.wait_for_timeout(2000)
        assert not streams  # a page that waits for nothing holds no connection for its events
