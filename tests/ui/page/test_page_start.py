"""What an open page costs while nothing happens on it: Gradio's clocks and its queue."""

from __future__ import annotations

import asyncio
import math
import urllib.request

import pytest
from starlette.middleware import Middleware

from tests.helpers import served
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.served import PHONE, app_page, chromium, expect, in_chromium, open_app, serving, until

pytestmark = pytest.mark.heavy

_COUNT = """(() => { const ask = window.requestAnimationFrame.bind(window); window.asked = 0;
window.requestAnimationFrame = (work) => { window.asked += 1; return ask(work); }; })()"""


@pytest.fixture(scope="module")
def server():
    with serving(FakeEngine(delay=0.0, hold_at=20)) as (url, demo):
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
        page = browser.new_page()
        page.add_init_script(_COUNT)  # below the page's own script, so that it counts what gets through
        open_app(page, server[0])
        for _ in range(60):  # until it has drawn all there is to draw
            before = page.evaluate("window.asked")
            page.wait_for_timeout(1000)
            drawn = page.evaluate("window.asked") - before
            if drawn <= 5:
                break
        assert drawn <= 5  # sixty a second with Gradio's clock, for ever
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()
        page.locator("#stop").click()
        page.locator("#adapt-progress").get_by_text("Stopped at step").wait_for()


_REFUSED = """Object.defineProperty(window, 'localStorage', {
  configurable: true, get() { throw new DOMException('Access is denied for this document.', 'SecurityError'); } });"""


@in_chromium
def test_a_browser_that_refuses_to_keep_anything_starts_every_time(server):
    with chromium() as browser:
        context = browser.new_context()
        context.add_init_script(_REFUSED)
        for number in range(10):  # without the script most loads stop, but not all
            page = open_app(context.new_page(), server[0])
            if number < 9:
                page.close()
        page.get_by_role("tab", name="Gallery").click()
        page.locator("#gallery-cards input").first.wait_for()
        page.wait_for_function("localStorage.getItem('nada-demo')")  # for as long as the page is there


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
    """ASGI middleware: once it is armed, a proxy ends a stream in all politeness, in the middle of the news."""

    armed = done = False

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        ended = False

        async def short(message):
            nonlocal ended
            if ended:
                return
            if Cut.armed and not Cut.done and b"process_generating" in message.get("body", b""):
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
    engine = FakeEngine(delay=0.4, hold_at=25)
    with app_page(engine) as (page, _):
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("of 30", exact=False).wait_for()
        Cut.armed = True
        until(page, lambda: Cut.done)
        engine.delay, engine.hold_at = 0.0, math.inf
        page.locator("#adapt-progress").get_by_text("Done: 30 steps").wait_for()  # after a reload of its own
        expect(page.locator("#adapt")).to_be_enabled()


@in_chromium
def test_an_event_accepted_while_the_stream_ends_is_not_lost(monkeypatch):
    behind(monkeypatch, SlowFarewell)
    with serving(FakeEngine(delay=0.003)) as (url, _), chromium() as browser:
        page = browser.new_page()
        streams = set()
        page.on("request", lambda request: streams.add(request) if "queue/data" in request.url else None)
        page.on("requestfinished", lambda request: streams.discard(request))
        open_app(page, url, "Stylise")
        page.locator("#examples .thumbnail-item").first.click()
        page.locator("#stylise").click()
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        for _ in range(3):
            with page.expect_download():
                page.locator("#take-picture").click()
        until(page, lambda: not streams)  # a page that waits for nothing holds no connection for its events


@in_chromium
def test_a_page_whose_server_was_replaced_says_so_and_reloads():
    with serving(FakeEngine(delay=0.003)) as (old, _), serving(FakeEngine(delay=0.003)) as (new, _), chromium() as browser:
        page = browser.new_page(viewport=PHONE)
        replaced = []

        def other(route):
            there = route.request.url.replace(old.rstrip("/"), (new if replaced else old).rstrip("/"))
            route.continue_(url=there) if there == route.request.url else route.fulfill(response=route.fetch(url=there))

        page.route("**/queue/*", other)
        open_app(page, old)
        expect(page.locator("#another-server")).to_have_count(0)
        replaced.append(True)
        page.locator("#adapt").click()
        page.locator("#another-server").get_by_text("Reload the page to go on").wait_for()
        replaced.clear()
        page.get_by_role("button", name="Reload").click()
        page.locator("#after-3 img").wait_for()
        expect(page.locator("#another-server")).to_have_count(0)


@in_chromium
def test_a_page_whose_server_is_gone_says_so():
    with app_page(FakeEngine(delay=0.003)) as (page, _):
        page.route("**/queue/join*", lambda route: route.fulfill(status=502, body="Bad gateway"))
        page.locator("#adapt").click()
        page.locator("#another-server").get_by_text("does not answer").wait_for()
