"""Serve the app with the fake engine on a port of this machine, and look at it with headless Chromium."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nada_core.ui import build_app, launch_options
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.loopback import dead_port

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 120_000  # ms that a page may take for anything that is waited for: a busy machine is not a fault
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 812}
_SHIFTS = (
    "new PerformanceObserver(list => { for (const e of list.getEntries()) window.shift = (window.shift || 0) + e.value })"
    ".observe({ type: 'layout-shift', buffered: false })"
)
_STILL = """() => {
  const page = document.documentElement, now = [scrollX, scrollY, page.scrollHeight, document.querySelectorAll('*').length].join();
  if (!window.still || window.still.now !== now) window.still = { now, since: performance.now() };
  return performance.now() - window.still.since > 400;
}"""
_IN_SIGHT = """(selector) => {
  const one = document.querySelector(selector); if (!one) return false;
  const box = one.getBoundingClientRect(), top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth && one.contains(top);
}"""


@contextmanager
def serving(engine: FakeEngine, /, **real: Any) -> Iterator[tuple[str, Any]]:
    """The address and the Blocks of a running app; `real` are functions in the place of the fake backend's."""
    demo = build_app(backend=replace(fake_backend(engine), **real))
    try:
        _, url, _ = demo.launch(**launch_options("127.0.0.1", dead_port()), prevent_thread_lock=True, quiet=True)
        yield url, demo
    finally:
        demo.close()


def in_chromium(test):
    """Marks a test that drives Chromium; where the browser or its driver is missing the test is skipped before anything is started."""
    test = pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="needs playwright")(test)
    test = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs Chromium at {CHROMIUM}")(test)
    return pytest.mark.browser(test)


class Browser:
    """Chromium whose pages wait as long as everything else here, and which knows them all."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.contexts: list[Any] = []

    def new_context(self, **options: Any) -> Any:
        context = self.browser.new_context(**{"viewport": DESK, **options})
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        return context

    def new_page(self, **options: Any) -> Any:
        return self.new_context(**options).new_page()


class _Chromium:
    """The browser of this process: started by the first test that needs one, since each start costs a second of both cores.

    The event loop of Playwright's driver is this thread's running one only while a test looks at pages. Gradio and tests start loops of
    their own here, which Python refuses inside of another.
    """

    tools: Any = None
    browser: Any = None
    loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def enter(cls, *arguments: str) -> Any:
        if cls.tools is None:
            from playwright.sync_api import sync_playwright

            cls.tools = sync_playwright().start()
            cls.loop = asyncio.get_running_loop()
        asyncio._set_running_loop(cls.loop)
        if arguments:
            return cls.tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        if cls.browser is None or not cls.browser.is_connected():
            cls.browser = cls.tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        return cls.browser

    @classmethod
    def close(cls) -> None:
        if cls.tools is not None:
            cls.enter().close()
            cls.tools.stop()
            cls.tools = cls.browser = None
            asyncio._set_running_loop(None)


close_chromium = _Chromium.close


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A browser that knows nothing of other tests, one of its own where there are arguments. After the server: its event loop occupies this
    thread."""
    browser = Browser(_Chromium.enter(*arguments))
    try:
        yield browser
    finally:
        try:
            for context in browser.contexts:
                for page in context.pages:  # a request that is still being answered would fail in the next test
                    page.unroute_all(behavior="ignoreErrors")
                context.close()
            if arguments:
                browser.browser.close()
        finally:
            asyncio._set_running_loop(None)


def open_app(page: Any, url: str, tab: str = "") -> Any:
    """Go to a running app and wait for the four faces that greet a visitor; then to a tab, where one is named. Returns the page."""
    page.goto(url)
    page.locator("#after-3 img").wait_for()
    if tab:
        page.get_by_role("tab", name=tab).click()
    return page


@contextmanager
def app_page(engine: FakeEngine, tab: str = "", **options: Any) -> Iterator[tuple[Any, Any]]:
    """A page on which a running app is open, at a tab where one is named, and its Blocks; `options` are those of the page."""
    with serving(engine) as (url, demo), chromium() as browser:
        yield open_app(browser.new_page(**options), url, tab), demo


def expect(target: Any) -> Any:
    """Asserts something of a page or a part of it: waits until it holds. Asking a page in a plain `assert` would catch it in between."""
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=PATIENCE)
    return playwright_expect(target)


def until(page: Any, condition: Callable[[], Any]) -> None:
    """Wait for something outside the page, while the browser's events are heard."""
    for _ in range(PATIENCE // 50):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("waited too long")


def settled(page: Any) -> None:
    """Wait until nothing has scrolled, grown or been added for a moment."""
    page.evaluate("delete window.still")
    page.wait_for_function(_STILL, polling=50)


def typed(page: Any, box: Any, text: str) -> None:
    """Type into a box that has just been shown: Gradio writes its first value a moment after it appears, over what is typed sooner."""
    settled(page)
    box.fill(text)
    box.press("Tab")
    expect(box).to_have_value(text)


def in_sight(page: Any, *selectors: str) -> None:
    """Wait until each element lies inside the window with nothing over its middle: what scrolls takes a moment."""
    for selector in selectors:
        page.wait_for_function(_IN_SIGHT, arg=selector)


def none_found(page: Any, script: str, where: str = "") -> None:
    """Wait until a script that lists what is wrong on the page lists nothing; tells what it lists otherwise."""
    found: list = []

    def none() -> bool:
        found[:] = page.evaluate(script)
        return not found

    try:
        until(page, none)
    except AssertionError:
        raise AssertionError(f"{where}: {found}") from None


def fits(page: Any) -> None:
    """Assert that nothing has to be scrolled sideways."""
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")


def watch_shifts(page: Any) -> None:
    """From now on, count in `window.shift` what is pushed about on the page."""
    page.evaluate(_SHIFTS)
