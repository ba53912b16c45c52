"""The load benchmark against the app with the fake engine: it must find the page's events, and tell what goes wrong from what goes well."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from dataclasses import replace

import pytest

from benchmarks.app_crowd import crowd, overtaken, spread, visitors
from benchmarks.app_life import memory
from benchmarks.app_load import table
from benchmarks.app_page import Page, Site, open_web
from tests.helpers.adapting import QUICK
from tests.helpers.fake_engine import FakeEngine, draw_face
from tests.helpers.served import serving

pytestmark = pytest.mark.heavy


@pytest.fixture
def served():
    engine = FakeEngine(delay=0.02)
    with serving(engine) as (url, demo):
        demo.context.open()
        demo.context.jobs.limits = QUICK
        yield url, demo, engine


def holding(engine: FakeEngine, enough):
    """Hold the engine at step 20 until ``enough`` of the set of what was told, however slow the visitors are."""
    heard: set[str] = set()
    engine.hold_at = 20

    def told(what: str) -> None:
        heard.add(what)
        if enough(heard):
            engine.hold_at = math.inf

    return told


def test_visitors_do_everything_while_an_adaptation_runs(served):
    url, _, engine = served
    kinds = {"load the page (HTML)", "fill the page", "look for a run of mine", "open the gallery", "list of styles", "advice on a prompt"}
    kinds.add("move the strength")
    figures = asyncio.run(visitors(url, 3, steps=30, think=(0.02, 0.1), told=holding(engine, kinds.issubset)))
    assert kinds == set(figures["actions"]) and figures["errors"] == {} and 20 <= figures["steps_seen"] <= 30
    assert all(0 < one["median_ms"] <= one["p95_ms"] <= one["max_ms"] for one in figures["actions"].values())
    text = "\n".join(table({"visitors": figures}))
    assert "VISITORS: 3" in text and "open the gallery" in text


def test_what_the_visitors_are_refused_is_told(served):
    url, demo, engine = served
    demo.context.backend.engine().style_entries = None  # a bug behind the gallery and the list of styles
    refused = holding(engine, lambda heard: any("list of styles" in words for words in heard))
    figures = asyncio.run(visitors(url, 2, steps=30, think=(0.02, 0.1), told=refused))
    assert "list of styles" not in figures["actions"] and any("list of styles" in words for words in figures["errors"])
    assert "ERROR" in "\n".join(table({"visitors": figures})) and engine.log.count("open") == 1


def test_a_crowd_is_served_or_refused_in_words(served):
    url, demo, _ = served
    told: list[str] = []
    figures = asyncio.run(crowd(url, 6, told=told.append))
    assert (figures["served"], figures["refused"], figures["lost"], figures["hung"], figures["failed"]) == (6, 0, 0, 0, 0)
    assert sorted(figures["served_in_order"]) == list(range(6)) and len(told) == 6
    assert figures["order_kept"] == (figures["served_in_order"] == list(range(6)))  # of presses milliseconds apart; Gradio may swap two
    demo.context.jobs.limits = replace(QUICK, waiting=2)
    figures = asyncio.run(crowd(url, 6, told=told.append))
    assert figures["served"] + figures["refused"] == 6 and 2 <= figures["served"] <= 4
    assert all("no more are taken" in words for words in figures["complaints"])
    assert "no more are taken" in "\n".join(table({"jobs": figures}))


def test_a_full_queue_counts_as_refused(served):
    url, demo, _ = served
    demo._queue.max_size = 0
    figures = asyncio.run(crowd(url, 2, told=lambda _: None))
    assert figures["refused"] == 2 and any("Queue is full" in words for words in figures["complaints"])


def test_jobs_that_fail_or_hang_are_not_called_served(served):
    url, _, engine = served
    engine.fail_at = 2
    figures = asyncio.run(crowd(url, 2, told=lambda _: None))
    assert (figures["served"], figures["refused"], figures["failed"]) == (0, 0, 2)
    assert any("Something went wrong on the server" in words for words in figures["complaints"])
    engine.fail_at, engine.delay = 0, 3.0
    figures = asyncio.run(crowd(url, 2, patience=1.0, told=lambda _: None))
    assert figures["hung"] == 2 and figures["served"] == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory from /proc")
def test_memory_over_jobs_and_edits(served, tmp_path):
    url, _, engine = served
    path = tmp_path / "photo.jpg"
    draw_face(5, 300).save(path)
    figures = asyncio.run(memory(url, os.getpid(), 0.1, path.read_bytes(), every=2, told=lambda _: None))
    assert figures["jobs"] >= 4 and figures["edits"] == figures["jobs"] // 2 and figures["errors"] == []
    assert engine.log.count("open") == figures["jobs"] and figures["peak_mb"] >= figures["at_end_mb"] > 100
    text = "\n".join(table({"memory": figures}))
    assert f"{100 * figures['growth']:+.1f} %" in text


def test_fields_and_events_that_the_page_does_not_have_are_errors(served):
    async def look() -> None:
        async with open_web(served[0]) as web:
            site = await Site.read(web)
            with pytest.raises(LookupError, match="no event click on nothing"):
                site.event("nothing", "click")
            with pytest.raises(LookupError, match="no endpoint /adapt_1"):
                site.endpoint("adapt_1")
            with pytest.raises(LookupError, match="sends no colour"):
                await Page(site).ask(site.event("prompt", "change"), {"colour": 1})

    asyncio.run(look())


def test_the_spread_of_some_times():
    figures = spread([float(number) for number in range(1, 101)])
    assert figures == {"count": 100, "median_ms": 50.5, "p95_ms": 95.0, "max_ms": 100.0}
    assert spread([7.0])["p95_ms"] == 7.0 and spread([1.0, 9.0])["p95_ms"] == 9.0


def test_who_was_overtaken():
    pressed = [0.0, 0.1, 0.2, 5.0]
    assert overtaken([0, 1, 3], pressed) == {"order_kept": True, "pairs_swapped": 0, "swapped_within_ms": 0.0}
    figures = overtaken([1, 0, 3, 2], pressed)
    assert not figures["order_kept"] and figures["pairs_swapped"] == 2 and figures["swapped_within_ms"] == pytest.approx(4800)
