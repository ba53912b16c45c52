"""The Gallery tab as a page: what its handlers answer, and what a person sees in a browser."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
import zipfile

import pytest
from PIL import Image
from starlette.middleware import Middleware

from nada_core.styles.library import MAX_COMPACT_BYTES
from nada_core.ui import build_app
from nada_core.ui.tabs.gallery.layout import IMPORT_MB
from tests.helpers import served
from tests.helpers.apps import components, handlers
from tests.helpers.fake_engine import FakeCard, FakeEngine, FakeStyle, export, fake_backend
from tests.helpers.served import PHONE, app_page, chromium, expect, fits, in_chromium, in_sight, open_app, serving, settled, typed

pytestmark = pytest.mark.heavy

DRAWN = "(picture) => picture.naturalWidth === 256"


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
        demo.context.open()[0].saved[name] = FakeStyle(FakeCard(name, name.replace("-", " ").capitalize()))
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
        engine.saved[name] = FakeStyle(FakeCard(name, name.replace("-", " ").capitalize()))
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
        engine.saved[name] = FakeStyle(FakeCard(name, name.replace("-", " ").capitalize()))
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
        use_the_gallery(browser.new_page(viewport=PHONE), url, engine, upload)
    assert len(demo.context.line) == 0


@in_chromium
def test_styles_are_found_by_words_and_stand_in_groups():
    engine = FakeEngine(delay=0.0)
    for name in ("zombie", "green-hair", "van-gogh-painting"):
        engine.saved[name] = FakeStyle(FakeCard(name, name.replace("-", " ").capitalize()))
    with serving(engine) as (url, _), chromium() as browser:
        page = browser.new_page(viewport=PHONE)
        page.goto(url)
        page.get_by_text("Starter world").first.wait_for()
        page.get_by_role("tab", name="Gallery").click()
        cards, groups = page.locator("#gallery-cards .style-card"), page.locator("#gallery-cards h2")
        expect(cards.filter(visible=True)).to_have_count(4)
        expect(groups).to_contain_text(["Yours", "The Joker"])
        find = page.locator("#gallery-search :is(input, textarea)")
        find.fill("góGH van")
        expect(cards.filter(visible=True)).to_have_count(1)
        expect(cards.filter(visible=True)).to_contain_text("Van gogh painting")
        expect(groups.filter(visible=True)).to_have_count(1)
        find.fill("nobody")
        expect(page.get_by_text("No style here is called that.")).to_be_visible()
        expect(cards.filter(visible=True)).to_have_count(0)
        page.locator("#gallery-refresh").click()
        expect(page.locator("#gallery-note")).to_contain_text("4 styles")
        expect(cards.filter(visible=True)).to_have_count(0)  # new cards are looked through as well
        find.fill("")
        expect(cards.filter(visible=True)).to_have_count(4)
        expect(page.get_by_text("No style here is called that.")).to_be_hidden()


def test_a_thumbnail_is_served_under_its_name_and_nothing_else_is():
    with serving(FakeEngine(delay=0.0)) as (url, demo):
        file = demo.context.thumbnails.put("joker", b"a picture")
        with urllib.request.urlopen(f"{url}pictures/{file.name}") as answer:
            assert answer.read() == b"a picture" and answer.headers["content-type"] == "image/jpeg"
            assert "private" in answer.headers["cache-control"]
        for name in (
            "0" * 32 + ".jpg",
            file.stem,
            "",
            "..",
            f"..%2f{file.parent.name}%2f{file.name}",
            f"../{file.parent.name}/{file.name}",
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{url}pictures/{name}")
            assert refused.value.code in (404, 405) and b"a picture" not in refused.value.read()


class BelowAPath:
    """ASGI middleware: what a proxy does that serves the app below /nada; a picture elsewhere is not found."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"].startswith("/nada/"):
            scope = {**scope, "path": scope["path"].removeprefix("/nada")}
        elif scope["type"] == "http" and scope["path"].startswith("/pictures/"):
            scope = {**scope, "path": "/nothing/here"}
        await self._app(scope, receive, send)


@in_chromium
def test_the_pictures_are_there_when_a_proxy_serves_the_app_below_a_path(monkeypatch):
    options = served.launch_options

    def below(*values):
        launched = {**options(*values), "root_path": "/nada"}
        launched["app_kwargs"]["middleware"].insert(0, Middleware(BelowAPath))
        return launched

    monkeypatch.setattr(served, "launch_options", below)
    with serving(FakeEngine(delay=0.0)) as (url, _), chromium() as browser:
        page = open_app(browser.new_page(), urllib.parse.urljoin(url, "/nada/"), "Gallery")
        page.wait_for_function("document.querySelector('.style-card img')?.naturalWidth === 256")
        page.reload()
        page.wait_for_function("document.querySelector('.style-card img')?.naturalWidth === 256")


@in_chromium
@pytest.mark.parametrize("width", [375, 1280])
def test_what_can_be_done_is_where_the_cards_are_chosen(width):
    engine = FakeEngine(delay=0.01)
    for number in range(24):
        engine.saved[f"look-{number}"] = FakeStyle(FakeCard(f"look-{number}", f"Look {number}"))
    with app_page(engine, "Gallery", viewport={"width": width, "height": 812}) as (page, _):
        expect(page.locator(".style-card")).to_have_count(25)
        expect(page.locator("#gallery-compare")).to_be_hidden()

        page.locator(".style-card label").first.click()
        page.locator("#gallery-chosen").get_by_text("1 chosen").wait_for()
        page.locator("#gallery-delete").wait_for()
        in_sight(page, *(f"#gallery-{button}" for button in ("compare", "walk", "export", "rename", "delete", "clear")))
        expect(page.locator("#gallery-chosen [role=status]")).to_contain_text("1 chosen")  # the region has been there before its words

        page.locator("#gallery-delete").click()
        page.wait_for_function("document.activeElement.id === 'gallery-keep'")
        in_sight(page, "#gallery-really", "#gallery-sure .note")
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement.id === 'gallery-delete'")
        assert len(engine.saved) == 25

        heights = "[...document.querySelectorAll('.style-card')].map((one) => one.getBoundingClientRect().height)"
        settled(page)
        before = page.evaluate(heights)
        page.locator(".style-card summary").first.click()
        expect(page.locator(".style-card dl").first).to_be_visible()
        settled(page)
        assert page.evaluate(heights) == before  # no card grows
        page.evaluate("document.querySelector('.style-card').dataset.old = 1")
        engine.saved["look-9"] = FakeStyle(FakeCard("look-9", "Another look"))
        page.locator("#gallery-refresh").click()
        expect(page.locator(".style-card[data-old]")).to_have_count(0)
        expect(page.locator(".style-card dl").first).to_be_visible()  # drawn again, and open as it was

        page.locator(".style-card input").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#gallery-compare")).to_be_focused()
        page.keyboard.press("Enter")
        page.locator("#gallery-progress").get_by_text("Done").wait_for()
        page.wait_for_function("document.querySelector('#gallery-progress').getBoundingClientRect().top < 130")
        in_sight(page, "#gallery-progress", "#gallery-sheet .sheet-seeds")
        page.close()


def use_the_gallery(page, url, engine, upload):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_app(page, url, "Gallery")
    expect(page.locator(".style-card img")).to_have_count(2)
    page.wait_for_function(f"[...document.querySelectorAll('.style-card img')].every({DRAWN})")
    fits(page)

    page.get_by_label("Choose Zombie").focus()  # by keyboard
    page.keyboard.press("Space")
    page.locator("#gallery-chosen").get_by_text("1 chosen").wait_for()
    with page.expect_response(lambda answer: "queue/join" in answer.url):
        page.locator("#gallery-refresh").click()
    settled(page)
    expect(page.get_by_label("Choose Zombie")).to_be_checked()
    expect(page.get_by_label("Choose Joker")).not_to_be_checked()

    page.locator("#gallery-compare").click()
    page.locator("#gallery-progress").get_by_text("Done").wait_for()
    expect(page.locator("#gallery-sheet img")).to_have_count(8)
    page.wait_for_function(f"[...document.querySelectorAll('#gallery-sheet img')].every({DRAWN})")
    with page.expect_download() as download:
        page.locator("#gallery-zip").click()
    assert download.value.suggested_filename == "zombie-sheet.zip" and zipfile.is_zipfile(download.value.path())
    page.locator("#gallery-walk").click()
    page.locator("#gallery-film img").wait_for()
    with page.expect_download() as download:
        page.locator("#gallery-gif").click()
    assert Image.open(download.value.path()).n_frames == 36
    page.wait_for_function("document.querySelector('#gallery-film img').naturalWidth === 256")

    with page.expect_download() as download:
        page.locator("#gallery-export").click()
    assert download.value.suggested_filename == "zombie.safetensors"
    page.locator("#gallery-notice").get_by_text("zombie.safetensors").wait_for()
    page.locator("#gallery-rename").click()
    typed(page, page.locator("#gallery-name input, #gallery-name textarea").first, "undead")
    page.locator("#gallery-named").click()
    page.locator("#gallery-notice").get_by_text("undead").wait_for()
    page.get_by_label("Choose Undead").wait_for()
    page.locator("#gallery-chosen").get_by_text("Undead").wait_for()
    expect(page.get_by_label("Choose Undead")).to_be_checked()
    with page.expect_file_chooser() as chooser:
        page.locator("#gallery-import").click()
    chooser.value.set_files(str(upload))
    page.get_by_label("Choose Imported").wait_for()

    page.locator("#gallery-chosen").get_by_text("Imported").wait_for()
    page.locator("#gallery-clear").click()
    page.locator("#gallery-chosen").get_by_text("Choose cards").wait_for()
    expect(page.get_by_label("Choose Imported")).not_to_be_checked()
    page.locator(".style-card label", has_text="Undead").click()
    page.locator("#gallery-chosen").get_by_text("Undead").wait_for()
    page.locator("#gallery-delete").click()
    page.locator("#gallery-keep").click()
    page.locator("#gallery-really").wait_for(state="hidden")
    assert "undead" in engine.saved
    page.locator("#gallery-delete").click()
    page.locator("#gallery-really").click()
    page.get_by_label("Choose Undead").wait_for(state="detached")
    assert set(engine.saved) == {"joker", "imported"} and not errors and page.evaluate("window.hacked") is None
    page.locator(".style-card label", has_text="Joker").click()
    page.locator("#gallery-chosen").get_by_text("Joker").wait_for()
    page.locator("#gallery-delete").wait_for(state="hidden")
    expect(page.locator("#gallery-export")).to_be_enabled()
    page.close()


@in_chromium
def test_a_chosen_style_is_worn_on_the_photo(photo):
    engine = FakeEngine(delay=0.003)
    engine.saved["zombie"] = FakeStyle(FakeCard("zombie", "Zombie"))
    with app_page(engine, "Stylise", viewport=PHONE) as (page, _):
        page.locator("#photo input[type=file]").set_input_files(photo)
        expect(page.locator("#stylise")).to_be_enabled()
        page.get_by_role("tab", name="Gallery").click()
        page.locator("#gallery-cards input[value=zombie]").check()
        page.get_by_role("button", name="Wear on my photo").click()
        expect(page.get_by_role("tab", name="Stylise")).to_have_attribute("aria-selected", "true")
        page.locator("#edit-progress").get_by_text("Done").wait_for()
        assert engine.editor.log.count("wear Zombie") == 1
        fits(page)
