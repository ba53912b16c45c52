"""The app with the fake engine on a port of this machine, and headless Chromium to look at it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine, fake_backend
from loopback import dead_port

from nada_core.ui import build_app, launch_options

CHROMIUM = Path("/usr/bin/chromium")


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


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser. Start it after the server: its event loop occupies this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
