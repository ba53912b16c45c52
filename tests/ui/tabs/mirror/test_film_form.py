"""Films on the page: the views, bad input, Stop, and the whole way in a browser."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from nada_core.ui.tabs.mirror.film_work import FilmRequest, run_film
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.films import write_film
from tests.helpers.served import PHONE, chromium, expect, fits, in_chromium, open_app, serving, until
from tests.ui.photo.test_uploads import drop


@pytest.fixture
def film(tmp_path) -> str:
    path = tmp_path / "me.mp4"
    path.write_bytes(b"a film")
    return str(path)


def test_a_film_is_painted_and_its_file_is_there_with_the_last_view(make_app, film):
    app, engine = make_app()
    for view in run_film(app, FilmRequest(film, "joker"), threading.Event()):
        kept = view.file and Path(view.file).read_bytes()
    assert view.phase == "done" and kept == b"a film" and not Path(view.file).exists()
    assert "9 of 10 frames" in view.progress.note and "subtitles" in view.progress.note
    assert engine.log[-2:] == ["film Joker", "film close"] and len(app.line) == 0


def test_stop_keeps_what_was_painted(make_app, film):
    app, _ = make_app(hold_at=4)
    stop, shares = threading.Event(), []
    for view in run_film(app, FilmRequest(film, "joker"), stop):
        shares.append(view.progress.fraction)
        kept = view.file and Path(view.file).is_file()
        if view.progress.fraction > 0.35:
            stop.set()
    assert view.phase == "stopped" and kept and "kept" in view.progress.note and len(app.line) == 0


@pytest.mark.heavy
def test_stop_while_waiting_makes_nothing(make_app, film):
    app, engine = make_app()
    stop = threading.Event()
    with app.line.join() as turn:
        assert turn.wait(0)
        views = []
        for view in run_film(app, FilmRequest(film, "joker"), stop):
            views.append(view)
            stop.set()
    assert views[-1].phase == "stopped" and views[-1].file is None and "film Joker" not in engine.log


def test_bad_input_is_answered_in_a_sentence(make_app, film, tmp_path):
    app, _ = make_app()
    letter = tmp_path / "letter.mp4"
    letter.write_text("dear all")
    for request, words in (
        (FilmRequest(None, "joker"), "There is no film yet"),
        (FilmRequest(film, None), "No style is chosen"),
        (FilmRequest(film, "../x"), "not in the library"),
        (FilmRequest(str(letter), "joker"), "not a film"),
    ):
        *_, view = run_film(app, request, threading.Event())
        assert view.phase == "failed" and words in view.error and str(tmp_path) not in view.error


@in_chromium
def test_in_a_browser(tmp_path):
    engine = FakeEngine(hold_at=5)
    path = write_film(tmp_path / "me.mp4", [np.full((96, 128, 3), 20 * number, np.uint8) for number in range(8)])
    with serving(engine) as (url, demo), chromium() as browser:
        page = open_app(browser.new_page(viewport=PHONE), url, "Mirror")
        page.get_by_role("button", name="A film instead of the camera").click()
        expect(page.locator("#film-start")).to_be_disabled()
        page.locator("#film-source input[type=file]").wait_for(state="attached")
        # without an ending the browser knows no kind: the content decides
        drop(page, "#film-source button", "IMG_2", "", path.read_bytes())
        expect(page.locator("#film-start")).to_be_enabled()
        page.locator("#film-source button[aria-label='Clear'], #film-source button[aria-label*='emove']").first.click()
        expect(page.locator("#film-start")).to_be_disabled()
        page.locator("#film-source input[type=file]").set_input_files(str(path))
        expect(page.locator("#film-start")).to_be_enabled()
        page.locator("#film-start").click()
        page.locator("#film-frame img").wait_for()
        fits(page)
        page.locator("#film-stop").click()
        page.locator("#film-progress").get_by_text("Stopped").wait_for()
        page.locator("#film-result video").wait_for()
        until(page, lambda: len(demo.context.line) == 0)
        engine.hold_at = 100
        expect(page.locator("#film-start")).to_be_enabled()
        page.locator("#film-start").click()
        page.locator("#film-progress").get_by_text("Done").wait_for()
        page.locator("#film-result video").wait_for()
        fits(page)
