"""What the Compare tab shows before anything is pressed."""

from __future__ import annotations

from threading import Event

import pytest

from nada_core.ui.app import make_context
from nada_core.ui.photo.faces import find_faces
from nada_core.ui.requests import CompareRequest
from nada_core.ui.server.context import AppContext
from nada_core.ui.tabs.compare.at_once import compare_at_once
from tests.helpers.apps import picture
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, fake_backend
from tests.helpers.served import chromium, expect, in_chromium, serving


def shelf(colour: str = "#208040") -> tuple[AppContext, FakeEngine]:
    engine = stocked(colour)
    context = make_context(fake_backend(engine))
    context.open()
    return context, engine


def stocked(colour: str) -> FakeEngine:
    engine = FakeEngine(delay=0.0)
    engine.students.colour = colour
    for name in ("joker", "zombie"):
        engine.saved[name] = FakeStyle(FakeCard(name, name.title()))
    return engine


def test_every_style_is_worn_and_nothing_is_computed_that_lasts(photo):
    context, engine = shelf()
    key = find_faces(context, photo).photo
    engine.editor.log.clear()
    cells = compare_at_once(context, CompareRequest(key, ["joker", "zombie"]))
    assert [cell.title for cell in cells] == ["Your photo", "Rebuilt", "Joker", "Zombie"]
    assert [bool(cell.jpeg) for cell in cells] == [True, False, True, True] and cells[2].words == "At once"
    assert engine.editor.log == [] and not context.photos.get(key).portraits


def test_where_there_is_no_student_no_photo_or_no_face_nothing_is_shown(photo, tmp_path):
    context, _ = shelf(colour="")
    key = find_faces(context, photo).photo
    assert compare_at_once(context, CompareRequest(key, ["joker"])) == ()
    context, _ = shelf()
    far = find_faces(context, picture(tmp_path, 640, 90)).photo
    for request in (CompareRequest(None, ["joker"]), CompareRequest("gone", ["joker"]), CompareRequest(far, ["joker"])):
        assert compare_at_once(context, request) == ()
    key = find_faces(context, photo).photo
    for styles in ([], None, ["nobody"], ["joker"] * 99 + ["nobody"]):
        assert compare_at_once(context, CompareRequest(key, styles)) == ()
    assert compare_at_once(context, CompareRequest(key, ["joker"], strength=9.0)) == ()


def test_one_style_with_a_student_is_enough(photo, monkeypatch):
    context, engine = shelf()
    key = find_faces(context, photo).photo
    wear = engine.students.wear
    monkeypatch.setattr(
        engine.students, "wear", lambda face, styles, strength: wear(face, styles) if styles[0][0].card.prompt == "Joker" else None
    )
    *_, joker, zombie = compare_at_once(context, CompareRequest(key, ["joker", "zombie"]))
    assert joker.jpeg and not zombie.jpeg and zombie.words == "Press Compare"


@pytest.mark.heavy
@in_chromium
def test_the_tab_shows_them_by_itself_and_the_strength_changes_them(photo):
    with serving(stocked("#208040")) as (url, _), chromium() as browser:
        page = browser.new_page()
        page.goto(url)
        page.get_by_role("tab", name="Compare").click()
        page.locator("#compare-photo input[type=file]").set_input_files(photo)
        sheet = page.locator("#compare-sheet")
        expect(sheet.locator("img")).to_have_count(2)  # the photo and the Joker, the style chosen by default
        expect(sheet.get_by_text("At once")).to_have_count(1)
        picks = page.locator("#compare-picks")
        expect(picks.get_by_label("Joker", exact=True)).to_be_checked()  # the choice by default is there, to be added to
        picks.get_by_label("Zombie", exact=True).check()
        expect(sheet.locator("img")).to_have_count(3)
        page.locator("#compare").click()
        page.locator("#compare-progress").get_by_text("Done").wait_for()
        expect(sheet.locator("img")).to_have_count(4)
        expect(sheet.get_by_text("At once")).to_have_count(0)


@pytest.mark.heavy
@in_chromium
def test_who_opens_the_tab_before_the_engine_is_there_gets_the_pictures_too(photo):
    arrive = Event()
    engine = stocked("#208040")

    def slow(**options):
        assert arrive.wait(300)
        return engine

    with serving(engine, engine=slow) as (url, _), chromium() as browser:
        page = browser.new_page()
        page.goto(url)
        page.get_by_role("tab", name="Compare").click()
        page.locator("#compare-picks .picks-empty").wait_for(state="attached")
        arrive.set()
        expect(page.locator("#compare-picks").get_by_label("Zombie", exact=True)).to_be_visible()
        expect(page.locator("#compare-picks").get_by_label("Joker", exact=True)).to_be_checked()
