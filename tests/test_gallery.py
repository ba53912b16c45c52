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
from apps import components, context, handlers
from fake_engine import FakeCard, FakeEngine, FakeStyle, draw_face, export, fake_backend
from PIL import Image
from served import chromium, in_chromium, serving

from nada_core.errors import OptionsError, StyleError
from nada_core.styles import StyleEntry
from nada_core.ui import build_app
from nada_core.ui import gallery_cards as cards
from nada_core.ui import gallery_run as run
from nada_core.ui.gallery_cards import cards_html, readable_size
from nada_core.ui.gallery_sheet import MARK
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
    assert all(view.names == ("joker", "zombie", "neon") and view.cards.count('type="checkbox"') == 3 for view in views)
    assert "3 pictures to come" in views[0].note and views[-1].note == "3 styles"
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
    assert last.note == "2 styles" and len(app.line) == 0


def test_cards_tell_what_the_style_is_and_html_is_inert():
    hostile = FakeCard("x", '<img src=x onerror="a()">', options={"lr": "<b>", "layers": ["<i>"] * 99}, created="<u>", loss=float("nan"))
    html = cards_html([StyleEntry(hostile, 999, False, "x")], {})
    assert not any(tag in html for tag in ("<img", "<b>", "<i>", "<u>", "nan")) and "Saved" in html and "1 kB" in html
    card = FakeCard("my-joker", "Joker", steps=61)
    html = cards_html([StyleEntry(card, 3_048_600, True, "y")], {"my-joker": b"jpeg"})
    for words in ("My joker", "“Joker”", "61 steps", "2.9 MB", "22 Nov 2026", "Ready", "0.0002", 'value="my-joker"', "data:image/jpeg"):
        assert words in html
    assert "No styles yet" in cards_html([], {}) and readable_size(100) == "1 kB"


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
    assert last.phase == ("done" if name == "joker" else "failed") and set(engine.saved) == {"joker"}


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


# --- the page ---------------------------------------------------------------------------------------------------------------------


def page(public: bool = False):
    demo = build_app(backend=fake_backend(FakeEngine()), public=public)
    return demo, components(demo), handlers(demo)


def test_the_tab_offers_strangers_no_changes():
    for public in (False, True):
        _, by_id, _ = page(public)
        for name in ("gallery-delete", "gallery-import"):
            assert by_id[name].visible is not public
        assert by_id["gallery-rename"].parent.visible is not public and by_id["gallery-export"].visible is True


def test_choosing_survives_a_redrawing_and_drops_what_is_gone():
    _, by_id, functions = page()
    first = next(functions["draw"](["joker"], "joker"))
    assert "value" not in first[by_id["gallery-cards"]] and "value" not in first[by_id["gallery-which"]]
    first = next(functions["draw"](["gone", "joker", 7, "/etc/passwd"], "gone"))
    assert first[by_id["gallery-cards"]]["value"] == ["joker"] and first[by_id["gallery-which"]]["value"] is None
    for strange in (None, "joker", 3, {"a": 1}):
        next(functions["draw"](strange, None))
        functions["pick"](strange)


def test_delete_asks_first_and_deletes_only_what_it_asked_about():
    import gradio as gr

    demo, by_id, functions = page()
    engine, _ = demo.context.open()
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    engine.saved["neon"] = FakeStyle(FakeCard("neon", "Neon"))
    assert "zombie" in functions["ask"]("zombie").values() and "joker" not in functions["ask"]("joker").values()
    for value, sure_of in (("zombie", ""), ("neon", "zombie"), ("zombie", "neon"), (None, "zombie"), ("joker", "joker")):
        with pytest.raises(gr.Error):
            functions["on_delete"](value, sure_of, [], "joker")
    assert set(engine.saved) == {"joker", "zombie", "neon"}
    update = functions["on_delete"]("zombie", "zombie", [], "zombie")
    assert set(engine.saved) == {"joker", "neon"} and update[by_id["gallery-which"]]["value"] is None
    assert update[by_id["style"]]["value"] == "joker" and "zombie" not in str(update[by_id["style"]]["choices"])


@in_chromium
def test_in_a_browser(tmp_path):
    engine = FakeEngine(delay=0.05)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "<img src=x onerror=window.hacked=1>"))
    upload = tmp_path / "whatever.safetensors"
    export(FakeStyle(FakeCard("neon", "Neon")), upload)
    with serving(engine) as (url, demo), chromium() as browser:
        use_the_gallery(browser.new_page(viewport={"width": 375, "height": 812}), url, engine, upload)
    assert len(demo.context.line) == 0


def use_the_gallery(page, url, engine, upload):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.get_by_text("Starter world").wait_for(timeout=30_000)
    page.get_by_role("tab", name="Gallery").click()
    page.wait_for_function("document.querySelectorAll('.style-card img').length === 2", timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375

    page.get_by_label("Choose Zombie").focus()  # by keyboard
    page.keyboard.press("Space")
    page.locator("#gallery-chosen").get_by_text("1 chosen").wait_for(timeout=10_000)
    page.locator("#gallery-refresh").click()
    page.wait_for_timeout(700)
    assert page.get_by_label("Choose Zombie").is_checked() and not page.get_by_label("Choose Joker").is_checked()

    page.locator("#gallery-compare").click()
    page.locator("#gallery-progress").get_by_text("Done").wait_for(timeout=20_000)
    assert page.locator("#gallery-sheet img").count() == 8
    with page.expect_download(timeout=20_000) as download:
        page.locator("#gallery-zip").click()
    assert download.value.suggested_filename == "zombie-sheet.zip" and zipfile.is_zipfile(download.value.path())
    page.locator("#gallery-walk").click()
    page.locator("#gallery-film img").wait_for(timeout=20_000)
    with page.expect_download(timeout=20_000) as download:
        page.locator("#gallery-gif").click()
    assert Image.open(download.value.path()).n_frames == 36
    page.wait_for_function("document.querySelector('#gallery-film img').naturalWidth === 256", timeout=10_000)

    page.locator("#gallery-manage button").first.click()
    with page.expect_download(timeout=20_000) as download:
        page.locator("#gallery-export").click()
    assert download.value.suggested_filename == "zombie.safetensors"
    page.locator("#gallery-name input, #gallery-name textarea").first.fill("undead")
    page.locator("#gallery-rename").click()
    page.locator("#gallery-notice").get_by_text("undead").wait_for(timeout=10_000)
    page.get_by_label("Choose Undead").wait_for(timeout=10_000)
    assert not page.get_by_label("Choose Undead").is_checked() and page.locator("#gallery-chosen").get_by_text("Nothing chosen").count()
    page.locator("#gallery-import input[type=file], input[type=file][accept*=safetensors]").first.set_input_files(str(upload))
    page.get_by_label("Choose Imported").wait_for(timeout=20_000)

    page.locator(".style-card label", has_text="Undead").click()
    page.locator("#gallery-delete:not([disabled])").click()
    page.locator("#gallery-keep").click()
    page.locator("#gallery-really").wait_for(state="hidden", timeout=10_000)
    assert "undead" in engine.saved
    page.locator("#gallery-delete").click()
    page.locator("#gallery-really").click()
    page.get_by_label("Choose Undead").wait_for(state="detached", timeout=10_000)
    assert set(engine.saved) == {"joker", "imported"} and not errors and page.evaluate("window.hacked") is None
    page.locator(".style-card label", has_text="Joker").click()
    page.locator("#gallery-chosen").get_by_text("Joker").wait_for(timeout=10_000)
    assert page.locator("#gallery-delete").is_disabled() and page.locator("#gallery-export").is_enabled()
    page.close()
