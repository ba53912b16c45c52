"""The gallery of styles in the Stylise tab: which pictures it shows, and how it and the dropdown follow each other."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from apps import components, context, handlers, named
from fake_engine import FakeCard, FakeEngine, FakeStyle, draw_face, fake_backend
from PIL import Image
from served import chromium, in_chromium, serving

from nada_core.errors import StyleError
from nada_core.ui import build_app, style_pictures, thumbnails
from nada_core.ui.edit_run import OWN, style_choices
from nada_core.ui.gallery_cards import run_cards
from nada_core.ui.shelf import ShelvedStyle
from nada_core.ui.style_pictures import run_style_pictures
from nada_core.ui.thumbnails import Thumbnails


def shown(view) -> dict[str, bytes]:
    return {name: Path(file).read_bytes() for name, (file, _) in zip(view.names, view.pictures, strict=True)}


def test_own_styles_come_first_and_pictures_are_drawn_once():
    app, engine = context("old-person")
    app.open()
    app.shelf.put("a", ShelvedStyle(FakeStyle(FakeCard("Neon", "neon sign")), "neon sign", 20))
    app.shelf.put("b", ShelvedStyle(FakeStyle(FakeCard("Ghost", "ghost")), "ghost", 20))  # of somebody else
    first, *_, last = run_style_pictures(app, ["a"])
    assert [caption for _, caption in first.pictures] == ["Neon sign (just made)", "Joker", "Old person"]
    assert list(first.names) == [value for _, value in style_choices(app, ["a"])]
    assert len(set(shown(first).values())) == 1  # neutral at first
    pictures = shown(last)
    assert set(pictures) == {OWN + "a", "joker", "old-person"} and len(set(pictures.values())) == 3
    assert all(Image.open(io.BytesIO(jpeg)).size == (256, 256) for jpeg in pictures.values()) and len(app.line) == 0
    engine.log.clear()
    (again,) = run_style_pictures(app, ["a"])
    *_, cards = run_cards(app, app.thumbnails)  # the Gallery tab shows the same files
    assert engine.log == [] and shown(again) == pictures and cards.cards.count("<img") == 2
    app.shelf.put("a", ShelvedStyle(FakeStyle(FakeCard("Neon", "neon sign"), 0.3), "neon sign", 5))  # an earlier step was chosen
    *_, last = run_style_pictures(app, ["a"])
    assert shown(last)[OWN + "a"] != pictures[OWN + "a"]


def test_pictures_do_not_queue_behind_other_work(monkeypatch):
    monkeypatch.setattr(style_pictures, "_PATIENCE", 0.05)
    app, engine = context("zombie")
    assert [view.names for view in run_style_pictures(app, [])] == [()]  # before the engine is there
    app.open()
    with app.line.join():
        (view,) = run_style_pictures(app, [])
    assert len(view.names) == 2 and not [line for line in engine.log if "sample" in line]


def test_a_style_for_another_generator_keeps_the_neutral_picture():
    app, engine = context("foreign")
    app.open()
    plain = engine.sample

    def sample(seeds, style=None, **options):
        if style == "foreign":
            raise StyleError("The style was made for another generator.")
        return plain(seeds, style, **options)

    engine.sample = sample
    *_, last = run_style_pictures(app, [])
    assert Path(last.pictures[1][0]) == app.thumbnails.file("blank") != Path(last.pictures[0][0])


@dataclass(frozen=True)
class Card(FakeCard):
    base_hash: str = "this generator"


def test_a_shipped_picture_is_taken_where_the_style_fits(tmp_path):
    app, engine = context()
    draw_face(9).save(tmp_path / "joker.jpg")
    (entry,) = engine.style_entries()
    ships = replace(entry, card=Card("joker", "Joker"), thumbnail=tmp_path / "joker.jpg")
    engine.style_entries = lambda: [ships]
    engine.base_hash = "this generator"
    *_, cards = run_cards(app, app.thumbnails)
    *_, view = run_style_pictures(app, [])
    assert not [line for line in engine.log if "sample" in line] and cards.cards.count("<img") == 1
    assert shown(view)["joker"] == (tmp_path / "joker.jpg").read_bytes()
    engine.base_hash, app.thumbnails = "another", Thumbnails()  # the picture would show what this generator cannot draw
    *_, view = run_style_pictures(app, [])
    assert engine.log == ["sample joker"] and shown(view)["joker"] != (tmp_path / "joker.jpg").read_bytes()


def test_the_oldest_pictures_make_room(monkeypatch):
    monkeypatch.setattr(thumbnails, "_MOST", 3)
    kept = Thumbnails()
    for number in range(5):
        kept.put(str(number), b"x")
    assert [kept.get(str(number)) for number in range(5)] == [None, None, b"x", b"x", b"x"]


@pytest.mark.parametrize("index", [-1, 5, None, "x", [0, 1]])
def test_only_pictures_of_the_list_are_chosen(index):
    demo = build_app(backend=fake_backend(FakeEngine()))
    press = handlers(demo)["press_picture"]
    name, count = press("joker", ["zombie", "joker"], 3, SimpleNamespace(index=index)).values()
    assert (name, count) == ("joker", 3)
    name, count = press("joker", ["zombie", "joker"], 3, SimpleNamespace(index=0)).values()
    assert (name, count) == ("zombie", 4)


def test_pictures_are_sent_again_only_when_the_list_has_changed():
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)))
    demo.context.open()
    functions = handlers(demo)
    drawn, *later = map(named, functions["draw_pictures"]("joker", []))
    assert [list(update["style-pictures"]) for update in later] == [["value", "__type__"]]  # the mark is the person's by then
    assert drawn["style-pictures"]["selected_index"] == 0 and len(drawn["style-pictures"]["value"]) == 1
    assert not any(named(update) for update in functions["follow_library"]("joker", [], ["joker"]))
    assert any(named(update) for update in functions["follow_library"]("joker", [], []))
    assert functions["mark_picture"]("gone", ["joker"])["selected_index"] is None
    assert not components(demo)["style-pictures"].allow_preview


@in_chromium
def test_in_a_browser():
    engine = FakeEngine(delay=0.003)
    for name in ("zombie", "neon", "gold"):
        engine.saved[name] = FakeStyle(FakeCard(name, name.capitalize()))
    with serving(engine) as (url, _), chromium() as browser:
        page, errors = browser.new_page(viewport={"width": 375, "height": 800}), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        page.get_by_text("Starter world").wait_for(timeout=30_000)
        page.get_by_role("tab", name="Stylise").click()
        pictures, marked = page.locator("#style-pictures .thumbnail-item"), page.locator("#style-pictures .selected")
        marked.get_by_text("Joker").wait_for(timeout=20_000)
        assert pictures.count() == 4 and page.locator("#style input").input_value() == "Joker"

        def chosen(title: str) -> None:
            page.wait_for_function("title => document.querySelector('#style input').value === title", arg=title, timeout=10_000)
            marked.get_by_text(title).wait_for(timeout=10_000)
            assert marked.count() == 1

        for number in (3, 2, 1):  # faster than the server answers
            pictures.nth(number).click()
        chosen("Zombie")
        page.locator("#style input").click()
        page.get_by_role("option", name="Gold").click()
        chosen("Gold")
        pictures.nth(2).focus()
        page.keyboard.press("Enter")
        chosen("Neon")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") and not errors
        assert np.all([picture.get_attribute("alt") for picture in page.locator("#style-pictures img").all()])
