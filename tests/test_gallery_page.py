"""The Gallery tab as a page: what its handlers answer, and what a person sees in a browser."""

from __future__ import annotations

import zipfile

import pytest
from apps import components, handlers
from fake_engine import FakeCard, FakeEngine, FakeStyle, export, fake_backend
from PIL import Image
from served import chromium, in_chromium, serving

from nada_core.styles import MAX_COMPACT_BYTES
from nada_core.ui import build_app
from nada_core.ui.gallery_layout import IMPORT_MB


def page(public: bool = False):
    demo = build_app(backend=fake_backend(FakeEngine()), public=public)
    return demo, components(demo), handlers(demo)


def test_the_page_says_how_much_an_import_may_have():
    _, by_id, _ = page()
    note = by_id["gallery-import-note"]
    assert IMPORT_MB == MAX_COMPACT_BYTES >> 20 and f"up to {IMPORT_MB} MB" in note.value and "<code>python -m nada_core" in note.value
    assert "`" not in note.value


def test_the_tab_offers_strangers_no_changes():
    for public in (False, True):
        demo, by_id, functions = page(public)
        demo.context.open()[0].saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
        assert by_id["gallery-import"].visible is not public and by_id["gallery-import-note"].visible is not public
        assert by_id["gallery-export"].visible is True
        update = functions["pick"](["zombie"])
        for name in ("gallery-delete", "gallery-rename"):
            assert update[by_id[name]]["visible"] is not public
        assert {"on_delete", "on_rename", "on_import"}.isdisjoint(functions) is public


def test_the_bar_offers_what_can_be_done_with_the_chosen_styles():
    demo, by_id, functions = page()
    for name in ("zombie", "neon"):
        demo.context.open()[0].saved[name] = FakeStyle(FakeCard(name, name.capitalize()))
    for names, rename, delete in (
        ([], False, False),
        (["joker"], False, False),
        (["zombie"], True, True),
        (["zombie", "joker"], False, True),
        (["zombie", "neon"], False, True),
        (["gone"], False, False),
    ):
        update = functions["pick"](names)
        assert (update[by_id["gallery-rename"]]["visible"], update[by_id["gallery-delete"]]["visible"]) == (rename, delete), names
        assert (f"{len(names)} chosen" in update[by_id["gallery-chosen"]]) is bool(names)
    assert "at most" in functions["pick"]([f"s{number}" for number in range(7)])[by_id["gallery-chosen"]]
    cleared = functions["clear"]()
    assert cleared[by_id["gallery-cards"]]["value"] == [] and "chosen" not in cleared[by_id["gallery-chosen"]]


def test_choosing_survives_a_redrawing_and_drops_what_is_gone():
    _, by_id, functions = page()
    first = next(functions["draw"](["joker"]))
    assert "value" not in first[by_id["gallery-cards"]] and by_id["gallery-chosen"] not in first
    first = next(functions["draw"](["gone", "joker", 7, "/etc/passwd"]))
    assert first[by_id["gallery-cards"]]["value"] == ["joker"] and "1 chosen" in first[by_id["gallery-chosen"]]
    for strange in (None, "joker", 3, {"a": 1}):
        next(functions["draw"](strange))
        functions["pick"](strange)


def test_delete_asks_first_and_deletes_only_what_it_asked_about():
    import gradio as gr

    demo, by_id, functions = page()
    engine, _ = demo.context.open()
    for name in ("zombie", "neon", "ghost"):
        engine.saved[name] = FakeStyle(FakeCard(name, name.capitalize()))
    asked = functions["ask"](["zombie", "joker", "neon"])
    assert ["zombie", "neon"] in asked.values() and any("“Zombie” and “Neon”" in str(part) for part in asked.values())
    assert functions["ask"](["joker"])[by_id["gallery-sure"]]["visible"] is False
    for value, sure_of in (
        (["zombie"], []),
        (["neon"], ["zombie"]),
        (["zombie"], ["neon"]),
        (["zombie", "neon"], ["zombie"]),
        (None, ["zombie"]),
        (["joker"], ["joker"]),
        ("zombie", ["zombie"]),
    ):
        with pytest.raises(gr.Error):
            functions["on_delete"](value, sure_of, [], "joker")
    assert set(engine.saved) == {"joker", "zombie", "neon", "ghost"}
    update = functions["on_delete"](["zombie", "joker", "neon"], ["zombie", "neon"], [], "zombie")
    assert set(engine.saved) == {"joker", "ghost"} and update[by_id["gallery-cards"]]["value"] == []
    assert update[by_id["style"]]["value"] == "joker" and "zombie" not in str(update[by_id["style"]]["choices"])


def test_what_was_renamed_is_the_chosen_one_and_only_one_is_renamed():
    import gradio as gr

    demo, by_id, functions = page()
    engine, _ = demo.context.open()
    for name in ("zombie", "neon"):
        engine.saved[name] = FakeStyle(FakeCard(name, name.capitalize()))
    for picked in ([], ["joker"], ["zombie", "neon"], ["zombie", "joker"], None):
        with pytest.raises(gr.Error):
            functions["on_rename"](picked, "undead", [], "joker")
    update = functions["on_rename"](["zombie"], "undead", [], "joker")
    assert set(engine.saved) == {"joker", "undead", "neon"} and update[by_id["gallery-cards"]]["value"] == ["undead"]
    assert update[by_id["style"]]["value"] == "joker"
    worn = functions["on_rename"](["undead"], "lich", [], "undead")  # who wears it goes on wearing it
    assert worn[by_id["style"]]["value"] == "lich"
    assert "Undead" in update[by_id["gallery-notice"]] and update[by_id["gallery-delete"]]["visible"] is True


@in_chromium
def test_in_a_browser(tmp_path):
    engine = FakeEngine(delay=0.05)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "<img src=x onerror=window.hacked=1>"))
    upload = tmp_path / "whatever.safetensors"
    export(FakeStyle(FakeCard("neon", "Neon")), upload)
    with serving(engine) as (url, demo), chromium() as browser:
        use_the_gallery(browser.new_page(viewport={"width": 375, "height": 812}), url, engine, upload)
    assert len(demo.context.line) == 0


def see(page, *selectors: str) -> None:
    """Wait until each element lies inside the window with nothing over its middle: what scrolls takes a moment."""
    for selector in selectors:
        page.wait_for_function(
            """(selector) => { const one = document.querySelector(selector); if (!one) return false;
            const box = one.getBoundingClientRect(), top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
            return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth && one.contains(top); }""",
            arg=selector,
            timeout=5_000,
        )


@in_chromium
@pytest.mark.parametrize("width", [375, 1280])
def test_what_can_be_done_is_where_the_cards_are_chosen(width):
    engine = FakeEngine(delay=0.01)
    for number in range(24):
        engine.saved[f"look-{number}"] = FakeStyle(FakeCard(f"look-{number}", f"Look {number}"))
    with serving(engine) as (url, _), chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 812})
        page.goto(url)
        page.get_by_text("Starter world").wait_for(timeout=30_000)
        page.get_by_role("tab", name="Gallery").click()
        page.wait_for_function("document.querySelectorAll('.style-card').length === 25", timeout=20_000)
        assert not page.locator("#gallery-compare").is_visible()

        page.locator(".style-card label").first.click()
        page.locator("#gallery-chosen").get_by_text("1 chosen").wait_for(timeout=10_000)
        page.locator("#gallery-delete").wait_for(timeout=10_000)
        see(page, *(f"#gallery-{button}" for button in ("compare", "walk", "export", "rename", "delete", "clear")))
        assert page.locator("#gallery-chosen [role=status]").get_by_text("1 chosen").count()  # the region has been there before its words

        page.locator("#gallery-delete").click()
        page.wait_for_function("document.activeElement.id === 'gallery-keep'", timeout=10_000)
        see(page, "#gallery-really", "#gallery-sure .note")
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement.id === 'gallery-delete'", timeout=10_000)
        assert len(engine.saved) == 25

        heights = "[...document.querySelectorAll('.style-card')].map((one) => one.getBoundingClientRect().height)"
        before = page.evaluate(heights)
        page.locator(".style-card summary").first.click()
        assert page.locator(".style-card dl").first.is_visible() and page.evaluate(heights) == before  # no card grows

        page.locator(".style-card input").first.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "gallery-compare"
        page.keyboard.press("Enter")
        page.locator("#gallery-progress").get_by_text("Done").wait_for(timeout=20_000)
        page.wait_for_function("document.querySelector('#gallery-progress').getBoundingClientRect().top < 130", timeout=5_000)
        see(page, "#gallery-progress", "#gallery-sheet .sheet-seeds")
        page.close()


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

    with page.expect_download(timeout=20_000) as download:
        page.locator("#gallery-export").click()
    assert download.value.suggested_filename == "zombie.safetensors"
    page.locator("#gallery-notice").get_by_text("zombie.safetensors").wait_for(timeout=10_000)
    page.locator("#gallery-rename").click()
    page.locator("#gallery-name input, #gallery-name textarea").first.fill("undead")
    page.locator("#gallery-named").click()
    page.locator("#gallery-notice").get_by_text("undead").wait_for(timeout=10_000)
    page.get_by_label("Choose Undead").wait_for(timeout=10_000)
    page.locator("#gallery-chosen").get_by_text("Undead").wait_for(timeout=10_000)
    assert page.get_by_label("Choose Undead").is_checked()
    page.locator("#gallery-import input[type=file], input[type=file][accept*=safetensors]").first.set_input_files(str(upload))
    page.get_by_label("Choose Imported").wait_for(timeout=20_000)

    page.locator("#gallery-chosen").get_by_text("Imported").wait_for(timeout=10_000)
    page.locator("#gallery-clear").click()
    page.locator("#gallery-chosen").get_by_text("Choose cards").wait_for(timeout=10_000)
    assert not page.get_by_label("Choose Imported").is_checked()
    page.locator(".style-card label", has_text="Undead").click()
    page.locator("#gallery-chosen").get_by_text("Undead").wait_for(timeout=10_000)
    page.locator("#gallery-delete").click()
    page.locator("#gallery-keep").click()
    page.locator("#gallery-really").wait_for(state="hidden", timeout=10_000)
    assert "undead" in engine.saved
    page.locator("#gallery-delete").click()
    page.locator("#gallery-really").click()
    page.get_by_label("Choose Undead").wait_for(state="detached", timeout=10_000)
    assert set(engine.saved) == {"joker", "imported"} and not errors and page.evaluate("window.hacked") is None
    page.locator(".style-card label", has_text="Joker").click()
    page.locator("#gallery-chosen").get_by_text("Joker").wait_for(timeout=10_000)
    page.locator("#gallery-delete").wait_for(state="hidden", timeout=10_000)
    assert page.locator("#gallery-export").is_enabled()
    page.close()
