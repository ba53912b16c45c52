"""The gallery's cards and the care of the library, against a fake engine."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nada_core.errors import StyleError
from nada_core.styles.library import StyleEntry
from nada_core.ui.shelves.thumbnails import Thumbnails
from nada_core.ui.tabs.gallery import library
from nada_core.ui.tabs.gallery.cards import cards_html
from nada_core.ui.tabs.gallery.run import run_export
from nada_core.ui.tabs.gallery.views import CardsView, GalleryCard
from nada_core.ui.wording import readable_size, style_title
from tests.helpers.apps import context
from tests.helpers.fake_engine import FakeCard, FakeStyle, export
from tests.helpers.gallery import PATHS
from tests.helpers.promptness import promptly


def html(view: CardsView) -> str:
    """Return the cards as the page shows them."""
    return cards_html(view.cards, view.mark)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_cards_come_at_once_and_their_pictures_one_by_one(monkeypatch):
    monkeypatch.setattr(library, "_MIN_GAP", 0.0)
    app, engine = context("zombie", "neon")
    thumbnails = Thumbnails()
    views = list(library.run_cards(app, thumbnails))
    assert [html(view).count("<img") for view in views] == [0, 1, 2, 3]
    assert all(view.names == ("zombie", "neon", "joker") and html(view).count('type="checkbox"') == 3 for view in views)
    assert "3 pictures to come" in views[0].note and views[-1].note == "3 styles, 2 yours"
    kept = [thumbnails.file(entry.stamp).read_bytes() for entry in engine.style_entries()]
    assert all(pixels(jpeg).shape == (256, 256, 3) for jpeg in kept)
    assert {thumbnails.named(name) for name in {card.picture.name for card in views[-1].cards}} == set(kept)  # what the page asks for
    assert np.abs(pixels(kept[0]) - pixels(kept[1])).mean() > 10  # each in its own style

    engine.log.clear()
    (again,) = library.run_cards(app, thumbnails)  # nothing is rendered twice
    assert engine.log == [] and html(again).count("<img") == 3
    engine.saved["neon"] = replace(engine.saved["neon"], amount=0.5)  # the file has changed
    assert html(list(library.run_cards(app, thumbnails))[-1]).count("<img") == 3 and engine.log == ["sample neon"]


def test_cards_do_not_queue_behind_other_work(monkeypatch):
    monkeypatch.setattr(library, "_PATIENCE", 0.1)
    app, engine = context("zombie", *(f"look-{number}" for number in range(30)))
    with app.line.join():
        *_, last = promptly(lambda: list(library.run_cards(app, Thumbnails())), 2)  # one wait, not one for each card
    assert "busy" in last.note and html(last).count("No picture yet") == 32 and engine.log == [] and len(app.line) == 0
    *_, last = library.run_cards(app, Thumbnails())
    assert html(last).count("<img") == 32


def test_a_style_that_cannot_be_rendered_has_a_card_all_the_same():
    app, engine = context("foreign")
    plain = engine.sample

    def sample(seeds, style=None, **options):
        if style == "foreign":
            raise StyleError("The style 'foreign' was made for <another> generator.")
        return plain(seeds, style, **options)

    engine.sample = sample
    *_, last = library.run_cards(app, Thumbnails())
    assert html(last).count("<img") == 1 and "Not for this generator" in html(last) and "<another>" not in html(last)
    assert last.note == "2 styles, 1 yours" and len(app.line) == 0


def test_cards_tell_what_the_style_is_and_html_is_inert():
    hostile = FakeCard("x", '<img src=x onerror="a()">', options={"lr": "<b>", "layers": ["<i>"] * 99}, created="<u>", loss=float("nan"))
    html = cards_html([GalleryCard(StyleEntry(hostile, 999, False, "x"))])
    assert not any(tag in html for tag in ("<img", "<b>", "<i>", "<u>", "nan")) and ">Yours<" in html and "1 kB" in html
    card = FakeCard("my-joker", "Joker", steps=61)
    html = cards_html([GalleryCard(StyleEntry(card, 3_048_600, True, "y"), "Characters", Path("/secret/0123.jpg"))])
    for words in ("My joker", "“Joker”", "61 steps", "2.9 MB", "22 Nov 2026", "0.0002", 'value="my-joker"', 'src="pictures/0123.jpg"'):
        assert words in html
    assert "/secret" not in html and "Yours" not in html and "Ready" not in html  # a mark on most of the cards would say nothing
    assert "No styles yet" in cards_html([]) and readable_size(100) == "1 kB"


def test_saved_styles_come_first_and_the_newest_of_them_before_the_others():
    dates = {"a": "2026-11-22T10:00:00+00:00", "b": "2026-11-22T11:30:00+02:00", "c": "2026-11-23T09:00:00", "d": "yesterday", "e": ""}
    entries = [StyleEntry(FakeCard(name, name, created=date), 1, name == "a", name) for name, date in dates.items()]
    entries.insert(3, StyleEntry(FakeCard("z", "z"), 1, True, "z"))
    assert [entry.card.name for entry in library.in_order(entries)] == ["c", "b", "d", "e", "a", "z"]
    *_, public = library.run_cards(context("zombie", public=True)[0], Thumbnails())
    assert ">Saved<" in html(public) and "Yours" not in html(public)  # they are the host's


@pytest.mark.parametrize(
    ("name", "prompt", "title"),
    [
        ("na-vi", "Na'vi", "Na’vi"),
        ("na-vi-2", "Na'vi", "Na’vi 2"),
        ("na-vi", "", "Na vi"),
        ("my-joker", "Joker", "My joker"),
        ("joker", "the Joker", "Joker"),
        ("oil-painting-12", "oil  painting", "Oil painting 12"),
        ("joker-smile", "Joker", "Joker smile"),
        ("x", "<b>", "X"),
        ("джокер", "Джокер", "Джокер"),
        ("spider-man", "spider-Man", "Spider-Man"),
    ],
)
def test_titles_are_spelled_as_the_prompt_is(name, prompt, title):
    assert style_title(name, prompt) == title


def test_rename_delete_import(tmp_path):
    app, engine = context("zombie")
    assert library.rename_style(app, "zombie", " undead ") == "undead" and set(engine.saved) == {"joker", "undead"}
    assert library.delete_style(app, "undead") == "undead" and set(engine.saved) == {"joker"}
    export(FakeStyle(FakeCard("neon", "Neon")), tmp_path / "anything.bin")
    assert library.import_style(app, str(tmp_path / "anything.bin")) == "imported" and engine.saved["imported"].card.prompt == "Neon"
    (tmp_path / "bad").write_text("junk")
    for path in (None, "", str(tmp_path / "bad")):
        with pytest.raises(StyleError):
            library.import_style(app, path)
    assert len(app.line) == 0


@pytest.mark.parametrize("name", [*PATHS, "joker"])
def test_ready_and_unlisted_styles_are_not_touched(name):
    app, engine = context()
    for change in (lambda: library.delete_style(app, name), lambda: library.rename_style(app, name, "mine")):
        with pytest.raises(StyleError) as refused:
            change()
        assert "etc" not in str(refused.value)
    *_, last = run_export(app, name)
    assert last.phase == ("done" if name in ("joker", ["joker"]) else "failed") and set(engine.saved) == {"joker"}


def test_strangers_change_nothing_on_a_public_server(tmp_path):
    app, engine = context("zombie", public=True)
    export(FakeStyle(FakeCard("neon", "Neon")), tmp_path / "neon.safetensors")
    changes = (
        lambda: library.delete_style(app, "zombie"),
        lambda: library.rename_style(app, "zombie", "undead"),
        lambda: library.import_style(app, str(tmp_path / "neon.safetensors")),
    )
    for change in changes:
        with pytest.raises(StyleError, match="public server"):
            change()
    assert set(engine.saved) == {"joker", "zombie"}
    *_, last = run_export(app, "zombie")
    assert last.phase == "done"
