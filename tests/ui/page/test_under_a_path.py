"""The page under a path: named by the environment, before proxies that take it off or leave it, and inside another app."""

from __future__ import annotations

import re
import threading
import time
import urllib.request

import fastapi
import gradio as gr
import pytest
import uvicorn

from nada_core.ui import build_app, launch_options, mount_options
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.loopback import dead_port
from tests.helpers.served import chromium, expect, in_chromium, open_app, serving

pytestmark = pytest.mark.heavy


def whole(page: str) -> bool:
    """Tell whether a page has its scripts, once, before Gradio's own, and its look."""
    script = "window.requestAnimationFrame = "
    return page.count(script) == 1 and page.index(script) < page.index("gradio_config") and "stage-violet" in page


def read(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


@pytest.mark.parametrize("asked", ["", "faces/"], ids=["a proxy that takes the path off", "one that leaves it"])
def test_behind_a_proxy(monkeypatch, asked):
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/faces")
    with serving(FakeEngine(delay=0.0)) as (url, _):
        page = read(url.replace("/faces", "").rstrip("/") + "/" + asked)
    assert whole(page)
    assert re.search(r'"root":\s*"[^"]*/faces"', page)


@pytest.fixture
def mounted():
    app = fastapi.FastAPI()
    gr.mount_gradio_app(app, build_app(backend=fake_backend(FakeEngine(delay=0.003))), path="/faces", **mount_options())
    port = dead_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/faces/"
    server.should_exit = True
    thread.join(300)


@in_chromium
def test_inside_another_app(mounted):
    assert whole(read(mounted))
    with chromium() as browser:
        page = open_app(browser.new_page(), mounted, "Gallery")
        page.wait_for_function(
            "[...document.querySelectorAll('#gallery-cards img')].some((one) => one.naturalWidth > 0)"
        )  # by its own route
        page.get_by_role("tab", name="Adapt").click()
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("Done: 30 steps").wait_for()
        expect(page.locator("#another-server")).to_have_count(0)


def test_what_launching_and_mounting_share():
    options = mount_options()
    assert options["show_error"] is False and options["ssr_mode"] is False and options["app_kwargs"]["middleware"] and options["css"]
    assert not {"server_name", "server_port", "share", "root_path"} & set(options)


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ("/faces", "/faces"),
        ("faces", "/faces"),
        (" faces/a/ ", "/faces/a"),
        ("https://example.org/faces/", "https://example.org/faces"),
        ("/", ""),
        ("", ""),
    ],
)
def test_the_path_may_be_spelled_either_way(monkeypatch, asked, taken):
    monkeypatch.setenv("GRADIO_ROOT_PATH", asked)
    assert launch_options("127.0.0.1", 7860)["root_path"] == taken
