"""The button that makes a style live: what the steps come to, and the whole way in a browser."""

from __future__ import annotations

import threading

import pytest

from nada_core.errors import StyleError
from nada_core.ui.tabs.adapt.make_live import live_steps
from tests.helpers.adapting import last, start
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.served import app_page, expect, in_chromium, until


@pytest.fixture
def made(make_app):
    """An app, its engine, and the id of a finished run."""
    app, engine = make_app(delay=0.0)
    job = start(app, steps=4)
    last(app, job)
    return app, engine, job.id


def test_a_student_is_trained_in_the_line_and_kept(made):
    app, engine, key = made
    seen = list(live_steps(app, key, [key], threading.Event()))
    shares = [progress.fraction for progress, _ in seen if progress.kind == "run"]
    assert shares == sorted(shares) and len(shares) == 12 and "left" in seen[5][0].left
    assert "Live" in seen[-1][1] and len(engine.students.kept) == 1
    assert engine.log[-2:] == ["distil Joker", "distil close"] and len(app.line) == 0


def test_what_is_too_unlike_is_said_and_not_kept(made):
    app, engine, key = made
    engine.explained = 0.05
    *_, (progress, words) = live_steps(app, key, [key], threading.Event())
    assert "“Joker” cannot be made live" in words and "5%" in words and progress.kind == "bad" and not engine.students.kept


def test_stop_keeps_what_was_learnt(made):
    app, engine, key = made
    engine.hold_at = 7
    stop, seen = threading.Event(), []
    for progress, words in live_steps(app, key, [key], stop):
        seen.append(words)
        if progress.fraction > 0.5:
            stop.set()
    assert "Stopped early" in seen[-1] and len(engine.students.kept) == 1 and len(app.line) == 0


def test_stop_before_anything_was_learnt(made):
    app, engine, key = made
    engine.hold_at = 2
    stop = threading.Event()
    seen = []
    for progress, words in live_steps(app, key, [key], stop):
        seen.append(words)
        if progress.kind == "run":
            stop.set()
    assert "begins again" in seen[-1] and not engine.students.kept


def test_somebody_elses_style_stays_theirs(made):
    app, _, key = made
    with pytest.raises(StyleError):
        list(live_steps(app, key, [], threading.Event()))


@in_chromium
def test_in_a_browser():
    engine = FakeEngine(delay=0.002)
    with app_page(engine) as (page, demo):
        expect(page.locator("#make-live")).to_be_disabled()
        page.locator("#adapt").click()
        page.locator("#adapt-progress").get_by_text("Done: 30 steps").wait_for()
        expect(page.locator("#make-live")).to_be_enabled()
        engine.hold_at = 8
        page.locator("#make-live").click()
        page.locator("#live-status").get_by_text("Learning").wait_for()
        expect(page.locator("#make-live")).to_be_disabled()
        page.locator("#stop-live").click()
        page.locator("#live-status").get_by_text("Stopped early").wait_for()
        expect(page.locator("#stop-live")).to_be_hidden()
        until(page, lambda: len(demo.context.line) == 0)
        engine.hold_at = 10**6
        expect(page.locator("#make-live")).to_be_enabled()
        page.locator("#make-live").click()
        page.locator("#live-status").get_by_text("Live: Stylise shows").wait_for()
        assert len(engine.students.kept) == 2
