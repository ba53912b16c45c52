"""The gallery: cards, comparison, walk and the library's care, against a fake engine."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from apps import context
from fake_engine import FakeCard, FakeStyle, draw_face, export
from PIL import Image

from nada_core.errors import OptionsError, StyleError
from nada_core.styles import StyleEntry
from nada_core.ui import gallery_cards as cards
from nada_core.ui import gallery_run as run
from nada_core.ui.gallery_cards import cards_html, readable_size
from nada_core.ui.gallery_sheet import MARK
from nada_core.ui.text import style_title
from nada_core.ui.thumbnails import Thumbnails

PATHS = ["../../etc/passwd", "/etc/passwd", "nobody", "", None, 7, ["joker"], {"name": "joker"}, "Joker", "joker\x00"]


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


# --- cards ------------------------------------------------------------------------------------------------------------------------


def test_cards_come_at_once_and_their_pictures_one_by_one(monkeypatch):
    monkeypatch.setattr(cards, "_MIN_GAP", 0.0)
    app, engine = context("zombie", "neon")
    thumbnails = Thumbnails()
    views = list(cards.run_cards(app, thumbnails))
    assert [view.cards.count("<img") for view in views] == [0, 1, 2, 3]
    assert all(view.names == ("zombie", "neon", "joker") and view.cards.count('type="checkbox"') == 3 for view in views)
    assert "3 pictures to come" in views[0].note and views[-1].note == "3 styles, 2 yours"
    kept = [thumbnails.get(entry.stamp) for entry in engine.style_entries()]
    assert all(pixels(jpeg).shape == (256, 256, 3) for jpeg in kept)
    assert np.abs(pixels(kept[0]) - pixels(kept[1])).mean() > 10  # each in its own style

    engine.log.clear()
    (again,) = cards.run_cards(app, thumbnails)  # nothing is rendered twice
    assert engine.log == [] and again.cards.count("<img") == 3
    engine.saved["neon"] = replace(engine.saved["neon"], amount=0.5)  # the file has changed
    assert list(cards.run_cards(app, thumbnails))[-1].cards.count("<img") == 3 and engine.log == ["sample neon"]


def test_cards_do_not_queue_behind_other_work(monkeypatch):
    monkeypatch.setattr(cards, "_PATIENCE", 0.1)
    app, engine = context("zombie")
    with app.line.join():
        begun = time.monotonic()
        *_, last = cards.run_cards(app, Thumbnails())
        assert time.monotonic() - begun < 2  # one wait, not one for each card
    assert "busy" in last.note and last.cards.count("No picture yet") == 2 and engine.log == [] and len(app.line) == 0
    *_, last = cards.run_cards(app, Thumbnails())
    assert last.cards.count("<img") == 2


def test_a_style_that_cannot_be_rendered_has_a_card_all_the_same():
    app, engine = context("foreign")
    plain = engine.sample

    def sample(seeds, style=None, **options):
        if style == "foreign":
            raise StyleError("The style 'foreign' was made for <another> generator.")
        return plain(seeds, style, **options)

    engine.sample = sample
    *_, last = cards.run_cards(app, Thumbnails())
    assert last.cards.count("<img") == 1 and "Not for this generator" in last.cards and "<another>" not in last.cards
    assert last.note == "2 styles, 1 yours" and len(app.line) == 0


def test_cards_tell_what_the_style_is_and_html_is_inert():
    hostile = FakeCard("x", '<img src=x onerror="a()">', options={"lr": "<b>", "layers": ["<i>"] * 99}, created="<u>", loss=float("nan"))
    html = cards_html([StyleEntry(hostile, 999, False, "x")], {})
    assert not any(tag in html for tag in ("<img", "<b>", "<i>", "<u>", "nan")) and ">Yours<" in html and "1 kB" in html
    card = FakeCard("my-joker", "Joker", steps=61)
    html = cards_html([StyleEntry(card, 3_048_600, True, "y")], {"my-joker": b"jpeg"})
    for words in ("My joker", "“Joker”", "61 steps", "2.9 MB", "22 Nov 2026", "0.0002", 'value="my-joker"', "data:image/jpeg"):
        assert words in html
    assert "Yours" not in html and "Ready" not in html  # a mark on most of the cards would say nothing
    assert "No styles yet" in cards_html([], {}) and readable_size(100) == "1 kB"


def test_saved_styles_come_first_and_the_newest_of_them_before_the_others():
    dates = {"a": "2026-11-22T10:00:00+00:00", "b": "2026-11-22T11:30:00+02:00", "c": "2026-11-23T09:00:00", "d": "yesterday", "e": ""}
    entries = [StyleEntry(FakeCard(name, name, created=date), 1, name == "a", name) for name, date in dates.items()]
    entries.insert(3, StyleEntry(FakeCard("z", "z"), 1, True, "z"))
    assert [entry.card.name for entry in cards.in_order(entries)] == ["c", "b", "d", "e", "a", "z"]
    *_, public = cards.run_cards(context("zombie", public=True)[0], Thumbnails())
    assert ">Saved<" in public.cards and "Yours" not in public.cards  # they are the host's


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
    ],
)
def test_titles_are_spelled_as_the_prompt_is(name, prompt, title):
    assert style_title(name, prompt) == title


# --- compare ----------------------------------------------------------------------------------------------------------------------


def test_compare_fills_the_sheet_row_by_row_and_zips_it(tmp_path):
    app, engine = context("zombie")
    phases, filled = [], []
    for view in run.run_compare(app, ["zombie", "joker"], "5, 6"):
        phases.append(view.phase)
        if view.sheet:
            filled.append(view.sheet.count("<img"))
            assert view.sheet.count("<section>") == 3  # every row has its place from the start
        if view.archive:
            copy = tmp_path / Path(view.archive).name
            copy.write_bytes(Path(view.archive).read_bytes())
    assert phases[-1] == "done" and filled == [0, 2, 4, 6] and len(app.line) == 0
    assert [line for line in engine.log if "sample" in line] == ["sample None", "sample zombie", "sample joker"]
    assert copy.name == "zombie-joker-sheet.zip" and not Path(view.archive).exists()

    with zipfile.ZipFile(copy) as archive:
        faces = [f"{row}/seed-{seed}.png" for row in ("0-without-a-style", "1-zombie", "2-joker") for seed in (5, 6)]
        assert sorted(archive.namelist()) == sorted([*faces, "sheet.png", "cards.json"])
        shown = {name: Image.open(io.BytesIO(archive.read(name))) for name in [*faces, "sheet.png"]}
        facts = json.loads(archive.read("cards.json"))
    assert all(png.format == "PNG" and png.info["Comment"] == MARK and "AI-generated" in MARK for png in shown.values())
    one = shown["1-zombie/seed-6.png"]
    assert one.size == (256, 256) and (one.info["Style"], one.info["Seed"], one.info["World"]) == ("zombie", "6", "starter")
    assert np.abs(np.asarray(shown[faces[0]]).astype(int) - np.asarray(draw_face(5)).astype(int)).max() <= 1  # the plain face
    sheet = np.asarray(shown["sheet.png"]).astype(int)
    assert any(np.array_equal(sheet[top : top + 256, 8:264], np.asarray(shown[faces[2]])) for top in range(sheet.shape[0] - 255))
    assert facts["seeds"] == [5, 6] and [card["name"] for card in facts["styles"]] == ["zombie", "joker"] and facts["note"] == MARK


@pytest.mark.parametrize("name", PATHS)
def test_only_listed_styles_are_rendered(name):
    app, engine = context()
    for views in (run.run_compare(app, [name], "3"), run.run_walk(app, ["joker", name], "3, 4")):
        *_, last = views
        assert last.phase == "failed" and last.error and "etc" not in last.error
    assert engine.log == [] and len(app.line) == 0


@pytest.mark.parametrize("names", [None, [], "joker", 5, ["joker"] * 7, {"joker": 1}])
def test_strange_choices_are_refused(names):
    app, engine = context()
    *_, last = run.run_compare(app, names, "3")
    assert last.phase == "failed" and "style" in last.error.lower() and engine.log == []


def test_seeds():
    assert run.read_seeds(" 3, 11;27\n42 3") == [3, 11, 27, 42]
    assert len(run.read_seeds(run.fresh_seeds())) == 4 and run.fresh_seeds() != run.fresh_seeds()
    for text in (None, "", "  ", "x", "-1", "1.5", "3, x", "9" * 11, "1,2,3,4,5,6,7", "٣", "1" * 100_000):
        with pytest.raises(OptionsError):
            run.read_seeds(text)


def test_a_bug_shows_no_path():
    app, engine = context()

    def sample(*_, **__):
        raise RuntimeError("a bug in /secret/path.py")

    engine.sample = sample
    *_, last = run.run_compare(app, ["joker"], "3")
    assert last.phase == "failed" and "/secret" not in last.error + last.progress and len(app.line) == 0


def test_a_closed_page_gives_the_turn_back():
    app, engine = context()
    views = run.run_walk(app, ["joker"], "3, 4")
    while next(views).phase != "run":
        pass
    assert len(app.line) == 1
    views.close()
    assert engine.log[-1] == "walk close" and len(app.line) == 0


def test_heavy_work_waits_its_turn(monkeypatch):
    monkeypatch.setattr(run, "_TICK", 0.05)
    app, engine = context()
    app.open()
    seen, turn = [], app.line.join()
    worker = threading.Thread(target=lambda: seen.extend(run.run_compare(app, ["joker"], "3")))
    worker.start()
    deadline = time.monotonic() + 10
    while not any("1 job ahead" in view.progress for view in seen) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engine.log == []
    turn.leave()
    worker.join(10)
    assert any("1 job ahead" in view.progress for view in seen) and seen[-1].phase == "done"


# --- walk -------------------------------------------------------------------------------------------------------------------------


def test_walk_makes_a_marked_endless_film():
    app, engine = context()
    for view in run.run_walk(app, ["joker"], "3, 11, 27"):
        if view.film:
            film = Image.open(view.film)
            assert (film.format, film.n_frames, film.size, film.info["loop"]) == ("GIF", 27, (256, 256), 0)
            assert film.info["comment"].decode().startswith(MARK) and "Seeds: 3, 11, 27" in film.info["comment"].decode()
    assert view.phase == "done" and engine.log == ["walk open", "walk close"] and len(app.line) == 0


# --- the library's care -----------------------------------------------------------------------------------------------------------


def test_a_failure_says_its_reason_where_the_work_is_followed():
    app, _ = context()
    *_, last = run.run_compare(app, ["joker"], "x")
    assert last.phase == "failed" and "whole numbers" in last.error and "whole numbers" in last.progress


def test_several_styles_are_exported_as_one_zip():
    app, _ = context("zombie")
    for view in run.run_export(app, ["zombie", "joker"]):
        if view.file:
            with zipfile.ZipFile(view.file) as archive:
                prompts = {name: json.loads(archive.read(name))["prompt"] for name in archive.namelist()}
    assert view.phase == "done" and prompts == {"zombie.safetensors": "Zombie", "joker.safetensors": "Joker"}
    assert "styles.zip" in view.said and len(app.line) == 0 and not Path(view.file).exists()


def test_export_hands_out_a_file():
    app, _ = context("zombie")
    for view in run.run_export(app, "zombie"):
        if view.file:
            assert Path(view.file).name == "zombie.safetensors" and json.loads(Path(view.file).read_text())["prompt"] == "Zombie"
    assert view.phase == "done" and len(app.line) == 0 and not Path(view.file).exists()


def test_rename_delete_import(tmp_path):
    app, engine = context("zombie")
    assert run.rename_style(app, "zombie", " undead ") == "undead" and set(engine.saved) == {"joker", "undead"}
    assert run.delete_style(app, "undead") == "undead" and set(engine.saved) == {"joker"}
    export(FakeStyle(FakeCard("neon", "Neon")), tmp_path / "anything.bin")
    assert run.import_style(app, str(tmp_path / "anything.bin")) == "imported" and engine.saved["imported"].card.prompt == "Neon"
    (tmp_path / "bad").write_text("junk")
    for path in (None, "", str(tmp_path / "bad")):
        with pytest.raises(StyleError):
            run.import_style(app, path)
    assert len(app.line) == 0


@pytest.mark.parametrize("name", [*PATHS, "joker"])
def test_ready_and_unlisted_styles_are_not_touched(name):
    app, engine = context()
    for change in (lambda: run.delete_style(app, name), lambda: run.rename_style(app, name, "mine")):
        with pytest.raises(StyleError) as refused:
            change()
        assert "etc" not in str(refused.value)
    *_, last = run.run_export(app, name)
    assert last.phase == ("done" if name in ("joker", ["joker"]) else "failed") and set(engine.saved) == {"joker"}


def test_strangers_change_nothing_on_a_public_server(tmp_path):
    app, engine = context("zombie", public=True)
    export(FakeStyle(FakeCard("neon", "Neon")), tmp_path / "neon.safetensors")
    changes = (
        lambda: run.delete_style(app, "zombie"),
        lambda: run.rename_style(app, "zombie", "undead"),
        lambda: run.import_style(app, str(tmp_path / "neon.safetensors")),
    )
    for change in changes:
        with pytest.raises(StyleError, match="public server"):
            change()
    assert set(engine.saved) == {"joker", "zombie"}
    *_, last = run.run_export(app, "zombie")
    assert last.phase == "done"
