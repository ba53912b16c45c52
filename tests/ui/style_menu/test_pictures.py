"""The gallery of styles in the Stylise tab: which pictures it shows, and how it and the dropdown follow each other."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from nada_core.errors import StyleError
from nada_core.ui import build_app
from nada_core.ui.shelves import thumbnails
from nada_core.ui.shelves.styles import ShelvedStyle
from nada_core.ui.shelves.thumbnails import Thumbnails
from nada_core.ui.style_menu import pictures as style_pictures
from nada_core.ui.style_menu.choices import OWN, style_choices
from nada_core.ui.style_menu.pictures import run_style_pictures
from nada_core.ui.tabs.gallery.library import run_cards
from tests.helpers.apps import components, context, handlers, named
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, draw_face, fake_backend
from tests.helpers.served import PHONE, chromium, expect, fits, in_chromium, open_app, serving


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
    assert engine.log == [] and shown(again) == pictures and sum(card.picture is not None for card in cards.cards) == 2
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
    assert not [line for line in engine.log if "sample" in line] and sum(card.picture is not None for card in cards.cards) == 1
    assert shown(view)["joker"] == (tmp_path / "joker.jpg").read_bytes()
    engine.base_hash, app.thumbnails = "another", Thumbnails()  # the picture would show what this generator cannot draw
    *_, view = run_style_pictures(app, [])
    assert engine.log == ["sample joker"] and shown(view)["joker"] != (tmp_path / "joker.jpg").read_bytes()


def test_the_oldest_pictures_make_room(monkeypatch):
    monkeypatch.setattr(thumbnails, "_MOST", 3)
    kept = Thumbnails()
    for number in range(5):
        kept.put(str(number), b"x")
    assert [bool(kept.file(str(number))) for number in range(5)] == [False, False, True, True, True]


def test_a_picture_that_is_asked_for_stays_longer(monkeypatch):
    monkeypatch.setattr(thumbnails, "_MOST", 2)
    kept = Thumbnails()
    kept.put("first", b"x")
    kept.put("second", b"x")
    assert kept.file("first")
    kept.put("third", b"x")
    assert kept.file("first") and kept.file("third") and kept.file("second") is None


def test_names_of_pictures_cannot_be_guessed_and_stand_for_one_picture():
    one, other = Thumbnails(), Thumbnails()
    here, there = one.put("joker", b"x"), other.put("joker", b"x")
    assert here.name != there.name and one.put("joker", b"x") == here
    assert one.named(here.name) == b"x" and one.named(there.name) is None
    (here.parent / "secret.txt").write_text("secret")
    for name in (
        "",
        ".",
        "..",
        "secret.txt",
        f"../{here.parent.name}/{here.name}",
        str(here),
        here.name.upper(),
        here.name + "\n",
        "x\x00",
    ):
        assert one.named(name) is None
    one.clear()
    assert one.named(here.name) == b"x" and one.file("joker") is None  # a page may just be told where it is
    assert one.put("joker", b"of another world").name != here.name and one.named(here.name) == b"x"
    one.clear()
    assert one.named(here.name) is None


@pytest.mark.heavy
def test_only_pictures_of_the_list_are_chosen():
    demo = build_app(backend=fake_backend(FakeEngine()))
    press = handlers(demo)["press_picture"]
    for index in (-1, 5, None, "x", [0, 1]):
        name, count = press("joker", ["zombie", "joker"], 3, SimpleNamespace(index=index)).values()
        assert (name, count) == ("joker", 3), index
    name, count = press("joker", ["zombie", "joker"], 3, SimpleNamespace(index=0)).values()
    assert (name, count) == ("zombie", 4)


@pytest.mark.heavy
def test_pictures_are_sent_again_only_when_the_list_has_changed():
    demo = build_app(backend=fake_backend(FakeEngine(delay=0.0)))
    demo.context.open()
    functions = handlers(demo)
    drawn, *later = map(named, functions["draw_pictures"]("joker", []))
    assert [list(update["style-pictures"]) for update in later] == [["value", "__type__"]]  # the mark is the person's by then
    assert drawn["style-pictures"]["selected_index"] == 0 and len(drawn["style-pictures"]["value"]) == 1
    assert not any(named(update) for update in functions["follow_library"]("joker", [], ["joker"]))
    assert any(named(update) for update in functions["follow_library"]("joker", [], []))
    assert not components(demo)["style-pictures"].allow_preview


@in_chromium
def test_in_a_browser():
    engine = FakeEngine(delay=0.003)
    for name in ("zombie", "neon", "gold"):
        engine.saved[name] = FakeStyle(FakeCard(name, name.replace("-", " ").capitalize()))
    with serving(engine) as (url, _), chromium() as browser:
        page, errors = browser.new_page(viewport=PHONE), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        open_app(page, url, "Stylise")
        pictures, marked = page.locator("#style-pictures .thumbnail-item"), page.locator("#style-pictures .selected")
        marked.get_by_text("Joker").wait_for()
        expect(pictures).to_have_count(4)
        expect(page.locator("#style input")).to_have_value("Joker")

        def chosen(title: str) -> None:
            expect(page.locator("#style input")).to_have_value(title)
            expect(marked).to_have_count(1)
            expect(marked).to_contain_text(title)

        for number in (3, 2, 1):  # faster than the server answers
            pictures.nth(number).click()
        chosen("Zombie")
        page.locator("#style input").click()
        page.get_by_role("option", name="Gold").click()
        chosen("Gold")
        pictures.nth(2).focus()
        page.keyboard.press("Enter")
        chosen("Neon")
        fits(page)
        assert not errors
        for button in pictures.all():  # named by the caption; the picture inside says nothing of its own
            expect(button).to_have_accessible_name(button.inner_text().strip())
