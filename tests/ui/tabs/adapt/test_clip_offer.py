"""The button below the chips: what a press answers, and in a browser from unknown words to their run; the Hub is a stand-in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nada_core.ui import build_app
from tests.helpers.adapting import pressed
from tests.helpers.apps import components, handlers, named
from tests.helpers.clip_pages import ClipEngine, clip_hub
from tests.helpers.fake_engine import FakeEngine, fake_backend
from tests.helpers.loopback import dead_port
from tests.helpers.other_worlds import Maker
from tests.helpers.served import chromium, expect, in_chromium, open_app, serving

pytestmark = pytest.mark.heavy

WORDS = "joker on a sofa"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with clip_hub(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def page(hub):
    maker = Maker(FakeEngine(delay=0.0), ClipEngine())
    demo = build_app(backend=replace(fake_backend(), engine=maker, check=lambda *_: None))
    demo.context.open()
    yield demo
    demo.context.shutdown()


def test_the_same_words_run_with_the_steps_that_suit_clip(page):
    assert handlers(page)["show_offer"](WORDS) == {
        "__type__": "update",
        "value": "Fetch CLIP once (605 MB) and take any words",
        "visible": True,
    }
    assert handlers(page)["show_offer"]("joker")["visible"] is False
    *_, last = handlers(page)["fetch_clip"](None, **pressed(WORDS, steps=30, browser="me"))
    (memory,) = [value for value in last.values() if isinstance(value, dict) and "jobs" in value]
    job = page.context.jobs.find(memory["jobs"][-1])
    assert (job.request.prompt, job.request.steps, memory["browser"]) == (WORDS, 150, "me")
    assert "Ready" in named(last)["clip-status"]["value"]
    assert handlers(page)["show_offer"](WORDS)["visible"] is False
    (arrived,) = handlers(page)["arrive"]([])
    (steps,) = [value for part, value in arrived.items() if getattr(part, "label", "") == "Steps"]
    assert steps == 150


def test_a_number_of_steps_that_was_chosen_stays(page):
    *_, last = handlers(page)["fetch_clip"](None, **pressed(WORDS, steps=7))
    (memory,) = [value for value in last.values() if isinstance(value, dict) and "jobs" in value]
    assert page.context.jobs.find(memory["jobs"][-1]).request.steps == 7


def test_stop_ends_it_and_the_next_press_goes_on(page, hub):
    hub.held.clear()
    hub.hold_at = 100_000
    answers = handlers(page)["fetch_clip"](None, **pressed(WORDS))
    for update in answers:
        if "Fetching" in str(named(update).get("clip-status")):
            break
    assert handlers(page)["stop_clip"]()["visible"] is False
    *_, last = answers
    assert "goes on from there" in named(last)["clip-status"]["value"] and named(last)["take-clip"]["visible"]
    hub.held.set()
    *_, last = handlers(page)["fetch_clip"](None, **pressed(WORDS))
    assert "Ready" in named(last)["clip-status"]["value"] and page.context.open()[1].encoder == "ViT-B-32"


def test_without_a_connection_the_page_says_so_and_offers_again(page, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{dead_port()}")
    *_, last = map(named, handlers(page)["fetch_clip"](None, **pressed(WORDS)))
    assert (
        "no connection to 127.0.0.1" in last["clip-status"]["value"] and last["take-clip"]["visible"] and not last["stop-clip"]["visible"]
    )


def test_strangers_have_no_such_button(hub):
    public = build_app(backend=fake_backend(FakeEngine(delay=0.0)), public=True)
    assert not {"take-clip", "stop-clip"} & set(components(public))
    assert not {"fetch_clip", "show_offer", "stop_clip"} & {block.fn.__name__ for block in public.fns.values() if block.fn}


@in_chromium
def test_in_a_browser_unknown_words_become_a_run(hub):
    maker = Maker(FakeEngine(delay=0.0), ClipEngine())
    with serving(FakeEngine(), engine=maker, check=lambda *_: None) as (url, _), chromium() as browser:
        page = open_app(browser.new_page(), url)
        take = page.locator("#take-clip")
        expect(take).to_be_hidden()
        page.locator("#prompt textarea, #prompt input").first.fill(WORDS)
        expect(take).to_have_text("Fetch CLIP once (605 MB) and take any words")
        hub.held.clear()
        hub.hold_at = 100_000
        take.click()
        expect(page.locator("#clip-status")).to_contain_text("Fetching CLIP")
        page.locator("#stop-clip").click()
        expect(page.locator("#clip-status")).to_contain_text("goes on from there")
        hub.held.set()
        page.evaluate("window.same = true")
        take.click()
        page.wait_for_function("window.same === undefined")  # another page
        expect(page.locator("#adapt-progress")).to_contain_text("Done: 150 steps")
        expect(page.locator("#prompt textarea, #prompt input").first).to_have_value(WORDS)
        expect(page.locator("#world")).to_contain_text("ViT-B-32")
        expect(take).to_be_hidden()
    assert maker.wishes[-1]["encoder"] == "ViT-B-32"
